#include "tests/unit/parser/collect.h"

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

static void put_notes(struct collect *collect, const struct report_note *note, gsize n)
{
	for (gsize i = 0; i < n; i++)
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
	put_notes(collect, record->note, record->n_note);
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
	put_notes(collect, header->note, header->n_note);
	memcpy(collect->sha256, header->sha256, sizeof collect->sha256);
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
	.unreadable = on_unreadable };
