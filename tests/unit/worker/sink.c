#include "tests/unit/worker/sink.h"

#include "parser/error.h"

void diary_init(struct diary *diary)
{
	*diary = (struct diary){ .lines = g_string_new(NULL) };
}

void diary_clear(struct diary *diary)
{
	g_string_free(diary->lines, TRUE);
	diary->lines = NULL;
}

static void words(struct diary *diary, const char *const *value, gsize n)
{
	for (gsize i = 0; i < n; i++)
		g_string_append_printf(diary->lines, " %s",
		    value[i] == NULL    ? "~"
		    : *value[i] == '\0' ? "''"
					: value[i]);
}

#define WORDS(diary, ...)                                                                                    \
	words(diary, (const char *const[]){ __VA_ARGS__ },                                                   \
	    sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static void notes(struct diary *diary, const struct report_note *note, gsize n)
{
	for (gsize i = 0; i < n; i++) {
		g_string_append(diary->lines, " note");
		WORDS(diary, note[i].code, note[i].path, note[i].raw);
	}
	g_string_append_c(diary->lines, '\n');
}

static gboolean on_mail(gpointer user, const struct mail_header *mail, GError **error G_GNUC_UNUSED)
{
	struct diary *diary = user;
	g_string_append(diary->lines, "mail");
	WORDS(diary, mail->message_id, mail->subject, mail->from, mail->queue_id);
	g_string_append_printf(diary->lines, " authentic %d\n", mail->authentic);
	return TRUE;
}

static gboolean on_begin(gpointer user, const char *place, GError **error G_GNUC_UNUSED)
{
	struct diary *diary = user;
	g_string_append_printf(diary->lines, "begin %s\n", place);
	return TRUE;
}

static void write_record(struct diary *diary, const struct aggregate_record *r)
{
	g_string_append_printf(diary->lines, "record %" G_GINT64_FORMAT, r->count);
	WORDS(diary, r->source_ip, r->disposition, r->dkim, r->spf, r->header_from, r->envelope_from,
	    r->envelope_to);
	for (gsize i = 0; i < r->n_reason; i++) {
		g_string_append(diary->lines, " reason");
		WORDS(diary, r->reason[i].type, r->reason[i].comment);
	}
	for (gsize i = 0; i < r->n_auth_dkim; i++) {
		const struct auth_result_dkim *dkim = &r->auth_dkim[i];
		g_string_append(diary->lines, " dkim");
		WORDS(diary, dkim->domain, dkim->selector, dkim->result, dkim->human_result);
	}
	for (gsize i = 0; i < r->n_auth_spf; i++) {
		const struct auth_result_spf *spf = &r->auth_spf[i];
		g_string_append(diary->lines, " spf");
		WORDS(diary, spf->domain, spf->scope, spf->result, spf->human_result);
	}
	notes(diary, r->note, r->n_note);
}

static gboolean on_record(gpointer user, const struct aggregate_record *r, GError **error)
{
	struct diary *diary = user;
	diary->records++;
	if (diary->records == diary->fail_after) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "the sink is full");
		return FALSE;
	}
	if (!diary->brief)
		write_record(diary, r);
	return TRUE;
}

static gboolean on_end(gpointer user, const struct aggregate_header *h, GError **error G_GNUC_UNUSED)
{
	struct diary *diary = user;
	g_string_append_printf(diary->lines,
	    "end%s %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " pct %d records %" G_GUINT64_FORMAT
	    " sha256 %02x..%02x",
	    h->partial ? " partial" : "", h->begin, h->end, h->pct, h->records, h->sha256[0], h->sha256[31]);
	WORDS(diary, h->dialect, h->version, h->xmlns, h->org_name, h->email, h->extra_contact_info,
	    h->report_id, h->generator, h->domain, h->adkim, h->aspf, h->p, h->sp, h->np, h->fo, h->testing,
	    h->discovery_method);
	g_string_append(diary->lines, " error");
	words(diary, h->error, h->n_error);
	notes(diary, h->note, h->n_note);
	return TRUE;
}

static void list(struct diary *diary, const char *const *value, gsize n)
{
	g_string_append(diary->lines, " [");
	words(diary, value, n);
	g_string_append(diary->lines, " ]");
}

/* Members in the order of report.h, lists in brackets. */
static gboolean on_failure(
    gpointer user, const char *place, const struct failure_report *f, GError **error G_GNUC_UNUSED)
{
	struct diary *diary = user;
	g_string_append_printf(diary->lines, "failure %s:", place);
	WORDS(diary, f->feedback_type, f->user_agent, f->version, f->auth_failure);
	list(diary, f->authentication_results, f->n_authentication_results);
	WORDS(
	    diary, f->identity_alignment, f->delivery_result, f->original_envelope_id, f->original_mail_from);
	list(diary, f->original_rcpt_to, f->n_original_rcpt_to);
	WORDS(diary, f->arrival_date);
	g_string_append_printf(diary->lines, " %" G_GINT64_FORMAT, f->arrival_time);
	WORDS(diary, f->reporting_mta, f->source_ip);
	g_string_append_printf(diary->lines, " %d %" G_GINT64_FORMAT, f->source_port, f->incidents);
	list(diary, f->reported_domain, f->n_reported_domain);
	list(diary, f->reported_uri, f->n_reported_uri);
	WORDS(diary, f->dkim_domain, f->dkim_identity, f->dkim_selector, f->dkim_canonicalized_header,
	    f->dkim_canonicalized_body, f->dkim_selector_dns, f->dkim_adsp_dns);
	list(diary, f->spf_dns, f->n_spf_dns);
	WORDS(diary, f->header_from, f->message_id, f->subject, f->original_headers, f->original_body);
	g_string_append_printf(diary->lines, " sha256 %02x..%02x", f->sha256[0], f->sha256[31]);
	notes(diary, f->note, f->n_note);
	return TRUE;
}

static void write_policy(struct diary *diary, const struct tls_policy *p)
{
	g_string_append(diary->lines, " policy");
	WORDS(diary, p->policy_type);
	list(diary, p->policy_string, p->n_policy_string);
	WORDS(diary, p->policy_domain);
	list(diary, p->mx_host, p->n_mx_host);
	g_string_append_printf(diary->lines, " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT,
	    p->total_successful_session_count, p->total_failure_session_count);
	for (gsize i = 0; i < p->n_failure_details; i++) {
		const struct tls_failure_details *d = &p->failure_details[i];
		g_string_append(diary->lines, " details");
		WORDS(diary, d->result_type, d->sending_mta_ip, d->receiving_mx_hostname,
		    d->receiving_mx_helo, d->receiving_ip);
		g_string_append_printf(diary->lines, " %" G_GINT64_FORMAT, d->failed_session_count);
		WORDS(diary, d->additional_information, d->failure_reason_code);
	}
}

static gboolean on_tls(
    gpointer user, const char *place, const struct tls_report *tls, GError **error G_GNUC_UNUSED)
{
	struct diary *diary = user;
	g_string_append_printf(diary->lines, "tls %s:", place);
	WORDS(diary, tls->organization_name, tls->contact_info, tls->report_id);
	g_string_append_printf(diary->lines, " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " sha256 %02x..%02x",
	    tls->start_datetime, tls->end_datetime, tls->sha256[0], tls->sha256[31]);
	for (gsize i = 0; i < tls->n_policies; i++)
		write_policy(diary, &tls->policies[i]);
	notes(diary, tls->note, tls->n_note);
	return TRUE;
}

static gboolean on_unreadable(gpointer user, const struct unreadable *u, GError **error G_GNUC_UNUSED)
{
	struct diary *diary = user;
	g_string_append_printf(diary->lines, "unreadable %s (%s): %s\n", u->place, u->code, u->reason);
	return TRUE;
}

const struct report_sink *diary_sink(void)
{
	static const struct report_sink sink = { .mail = on_mail,
		.report_begin = on_begin,
		.record = on_record,
		.report_end = on_end,
		.failure = on_failure,
		.tls = on_tls,
		.unreadable = on_unreadable };
	return &sink;
}
