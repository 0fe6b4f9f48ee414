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
	WORDS(diary, mail->message_id, mail->subject, mail->from);
	g_string_append_c(diary->lines, '\n');
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
	    "end %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " pct %d records %" G_GUINT64_FORMAT
	    " sha256 %02x..%02x",
	    h->begin, h->end, h->pct, h->records, h->sha256[0], h->sha256[31]);
	WORDS(diary, h->dialect, h->version, h->xmlns, h->org_name, h->email, h->extra_contact_info,
	    h->report_id, h->generator, h->domain, h->adkim, h->aspf, h->p, h->sp, h->np, h->fo, h->testing,
	    h->discovery_method);
	g_string_append(diary->lines, " error");
	words(diary, h->error, h->n_error);
	notes(diary, h->note, h->n_note);
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
		.unreadable = on_unreadable };
	return &sink;
}
