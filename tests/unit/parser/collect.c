#include "tests/unit/parser/collect.h"

#include "parser/notes.h"

#include <string.h>

void collect_init(struct collect *collect)
{
	*collect = (struct collect){ .lines = g_string_new(NULL) };
}

void collect_clear(struct collect *collect)
{
	g_string_free(collect->lines, TRUE);
}

static gboolean called(struct collect *collect, GError **error)
{
	if (++collect->calls != collect->fail_at)
		return TRUE;
	g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC, "the sink is full");
	return FALSE;
}

static void put(struct collect *collect, const char *key, const char *value)
{
	if (value != NULL)
		g_string_append_printf(collect->lines, " %s=%s", key, value);
}

static void put_number(struct collect *collect, const char *key, gint64 value)
{
	if (value != -1)
		g_string_append_printf(collect->lines, " %s=%" G_GINT64_FORMAT, key, value);
}

static void put_notes(struct collect *collect, const struct report_note *note, gsize n, gboolean absent)
{
	for (gsize i = 0; i < n; i++)
		if (absent || strcmp(note[i].code, NOTE_FIELD_ABSENT) != 0)
			g_string_append_printf(collect->lines, " {%s %s%s%s}", note[i].code, note[i].path,
			    note[i].raw ? " " : "", note[i].raw ? note[i].raw : "");
	g_string_append_c(collect->lines, '\n');
}

static gboolean on_mail(gpointer user, const struct mail_header *mail, GError **error)
{
	struct collect *collect = user;

	g_string_append(collect->lines, "mail");
	put(collect, "message_id", mail->message_id);
	put(collect, "subject", mail->subject);
	put(collect, "from", mail->from);
	if (mail->authentic != AUTHENTIC_NONE)
		put(collect, "authentic", mail->authentic == AUTHENTIC_PASS ? "pass" : "fail");
	g_string_append_c(collect->lines, '\n');
	return called(collect, error);
}

static gboolean on_begin(gpointer user, const char *place, GError **error)
{
	struct collect *collect = user;

	g_string_append_printf(collect->lines, "begin %s\n", place);
	return called(collect, error);
}

static void put_lists(struct collect *collect, const struct aggregate_record *record)
{
	for (gsize i = 0; i < record->n_reason; i++) {
		g_string_append(collect->lines, " reason(");
		put(collect, "type", record->reason[i].type);
		put(collect, "comment", record->reason[i].comment);
		g_string_append(collect->lines, " )");
	}
	for (gsize i = 0; i < record->n_auth_dkim; i++) {
		g_string_append(collect->lines, " dkim(");
		put(collect, "domain", record->auth_dkim[i].domain);
		put(collect, "selector", record->auth_dkim[i].selector);
		put(collect, "result", record->auth_dkim[i].result);
		put(collect, "human_result", record->auth_dkim[i].human_result);
		g_string_append(collect->lines, " )");
	}
	for (gsize i = 0; i < record->n_auth_spf; i++) {
		g_string_append(collect->lines, " spf(");
		put(collect, "domain", record->auth_spf[i].domain);
		put(collect, "scope", record->auth_spf[i].scope);
		put(collect, "result", record->auth_spf[i].result);
		put(collect, "human_result", record->auth_spf[i].human_result);
		g_string_append(collect->lines, " )");
	}
}

static gboolean on_record(gpointer user, const struct aggregate_record *record, GError **error)
{
	struct collect *collect = user;

	g_string_append(collect->lines, "record");
	put(collect, "source_ip", record->source_ip);
	put_number(collect, "count", record->count);
	put(collect, "disposition", record->disposition);
	put(collect, "dkim", record->dkim);
	put(collect, "spf", record->spf);
	put(collect, "header_from", record->header_from);
	put(collect, "envelope_from", record->envelope_from);
	put(collect, "envelope_to", record->envelope_to);
	put_lists(collect, record);
	put_notes(collect, record->note, record->n_note, collect->absent);
	return called(collect, error);
}

static gboolean on_end(gpointer user, const struct aggregate_header *header, GError **error)
{
	struct collect *collect = user;

	g_string_append_printf(collect->lines, "end %s", header->dialect);
	put(collect, "version", header->version);
	put(collect, "xmlns", header->xmlns);
	put(collect, "org_name", header->org_name);
	put(collect, "email", header->email);
	put(collect, "extra_contact_info", header->extra_contact_info);
	put(collect, "report_id", header->report_id);
	put_number(collect, "begin", header->begin);
	put_number(collect, "end", header->end);
	for (gsize i = 0; i < header->n_error; i++)
		put(collect, "error", header->error[i]);
	put(collect, "generator", header->generator);
	put(collect, "domain", header->domain);
	put(collect, "adkim", header->adkim);
	put(collect, "aspf", header->aspf);
	put(collect, "p", header->p);
	put(collect, "sp", header->sp);
	put(collect, "np", header->np);
	put_number(collect, "pct", header->pct);
	put(collect, "fo", header->fo);
	put(collect, "testing", header->testing);
	put(collect, "discovery_method", header->discovery_method);
	put_number(collect, "records", (gint64)header->records);
	if (header->partial)
		g_string_append(collect->lines, " partial");
	put_notes(collect, header->note, header->n_note, collect->absent);
	memcpy(collect->sha256, header->sha256, sizeof collect->sha256);
	return called(collect, error);
}

static void put_list(struct collect *collect, const char *key, const char *const *values, gsize n)
{
	for (gsize i = 0; i < n; i++)
		put(collect, key, values[i]);
}

/* Lines of a header or body one after another, each with its end as "|". */
static void put_lines(struct collect *collect, const char *key, const char *lines)
{
	g_auto(GStrv) each = lines == NULL ? NULL : g_strsplit(lines, "\n", -1);
	g_autofree char *joined = lines == NULL ? NULL : g_strjoinv("|", each);

	put(collect, key, joined);
}

static void put_second(struct collect *collect, const struct failure_report *failure)
{
	put(collect, "feedback_type", failure->feedback_type);
	put(collect, "user_agent", failure->user_agent);
	put(collect, "version", failure->version);
	put(collect, "auth_failure", failure->auth_failure);
	put_list(collect, "authentication_results", failure->authentication_results,
	    failure->n_authentication_results);
	put(collect, "identity_alignment", failure->identity_alignment);
	put(collect, "delivery_result", failure->delivery_result);
	put(collect, "original_envelope_id", failure->original_envelope_id);
	put(collect, "original_mail_from", failure->original_mail_from);
	put_list(collect, "original_rcpt_to", failure->original_rcpt_to, failure->n_original_rcpt_to);
	put(collect, "arrival_date", failure->arrival_date);
	put_number(collect, "arrival_time", failure->arrival_time);
	put(collect, "reporting_mta", failure->reporting_mta);
	put(collect, "source_ip", failure->source_ip);
	put_number(collect, "source_port", failure->source_port);
	if (failure->incidents != 1)
		g_string_append_printf(collect->lines, " incidents=%" G_GINT64_FORMAT, failure->incidents);
	put_list(collect, "reported_domain", failure->reported_domain, failure->n_reported_domain);
	put_list(collect, "reported_uri", failure->reported_uri, failure->n_reported_uri);
	put(collect, "dkim_domain", failure->dkim_domain);
	put(collect, "dkim_identity", failure->dkim_identity);
	put(collect, "dkim_selector", failure->dkim_selector);
	put(collect, "dkim_canonicalized_header", failure->dkim_canonicalized_header);
	put(collect, "dkim_canonicalized_body", failure->dkim_canonicalized_body);
	put(collect, "dkim_selector_dns", failure->dkim_selector_dns);
	put(collect, "dkim_adsp_dns", failure->dkim_adsp_dns);
	put_list(collect, "spf_dns", failure->spf_dns, failure->n_spf_dns);
}

static gboolean on_failure(
    gpointer user, const char *place, const struct failure_report *failure, GError **error)
{
	struct collect *collect = user;

	g_string_append_printf(collect->lines, "failure %s:", place);
	put_second(collect, failure);
	put(collect, "header_from", failure->header_from);
	put(collect, "message_id", failure->message_id);
	put(collect, "subject", failure->subject);
	put_lines(collect, "original_headers", failure->original_headers);
	put_lines(collect, "original_body", failure->original_body);
	put_notes(collect, failure->note, failure->n_note, TRUE);
	memcpy(collect->sha256, failure->sha256, sizeof collect->sha256);
	return called(collect, error);
}

static void put_strings(struct collect *collect, const char *key, const char *const *string, gsize n)
{
	for (gsize i = 0; i < n; i++)
		put(collect, key, string[i]);
}

static void put_failure(struct collect *collect, const struct tls_failure_details *failure)
{
	g_string_append(collect->lines, " failure(");
	put(collect, "result_type", failure->result_type);
	put(collect, "sending_mta_ip", failure->sending_mta_ip);
	put(collect, "receiving_mx_hostname", failure->receiving_mx_hostname);
	put(collect, "receiving_mx_helo", failure->receiving_mx_helo);
	put(collect, "receiving_ip", failure->receiving_ip);
	put_number(collect, "failed_session_count", failure->failed_session_count);
	put(collect, "additional_information", failure->additional_information);
	put(collect, "failure_reason_code", failure->failure_reason_code);
	g_string_append(collect->lines, " )");
}

static void put_policy(struct collect *collect, const struct tls_policy *policy)
{
	g_string_append(collect->lines, " policy(");
	put(collect, "policy_type", policy->policy_type);
	put_strings(collect, "policy_string", policy->policy_string, policy->n_policy_string);
	put(collect, "policy_domain", policy->policy_domain);
	put_strings(collect, "mx_host", policy->mx_host, policy->n_mx_host);
	put_number(collect, "total_successful_session_count", policy->total_successful_session_count);
	put_number(collect, "total_failure_session_count", policy->total_failure_session_count);
	for (gsize i = 0; i < policy->n_failure_details; i++)
		put_failure(collect, &policy->failure_details[i]);
	g_string_append(collect->lines, " )");
}

static gboolean on_tls(gpointer user, const char *place, const struct tls_report *tls, GError **error)
{
	struct collect *collect = user;

	g_string_append_printf(collect->lines, "tls %s", place);
	put(collect, "organization_name", tls->organization_name);
	put(collect, "contact_info", tls->contact_info);
	put(collect, "report_id", tls->report_id);
	put_number(collect, "start_datetime", tls->start_datetime);
	put_number(collect, "end_datetime", tls->end_datetime);
	for (gsize i = 0; i < tls->n_policies; i++)
		put_policy(collect, &tls->policies[i]);
	put_notes(collect, tls->note, tls->n_note, TRUE);
	memcpy(collect->sha256, tls->sha256, sizeof collect->sha256);
	return called(collect, error);
}

static gboolean on_unreadable(gpointer user, const struct unreadable *unreadable, GError **error)
{
	struct collect *collect = user;

	g_string_append_printf(collect->lines, "unreadable %s: %s: %s\n", unreadable->code, unreadable->place,
	    unreadable->reason);
	return called(collect, error);
}

const struct report_sink COLLECT = { .mail = on_mail,
	.report_begin = on_begin,
	.record = on_record,
	.report_end = on_end,
	.failure = on_failure,
	.tls = on_tls,
	.unreadable = on_unreadable };
