#include "server/common/json_printer.h"

#include <errno.h>
#include <string.h>

#include "parser/error.h"
#include "server/common/json.h"
#include "server/common/spool.h"
#include "server/common/visible.h"

struct json_printer {
	FILE *out;
	char *file;
	enum authentic authentic;
	char *place;           /* of the open report */
	struct spool *records; /* of the open report, with commas between them */
	GString *json;         /* what is printed or spooled next */
	guint unreadables;
};

struct json_printer *json_printer_new(FILE *out, const char *file)
{
	struct json_printer *printer = g_new0(struct json_printer, 1);
	printer->out = out;
	printer->file = file != NULL ? g_filename_display_name(file) : NULL;
	printer->records = spool_new(NULL);
	printer->json = g_string_new(NULL);
	return printer;
}

void json_printer_free(struct json_printer *printer)
{
	if (printer == NULL)
		return;
	g_free(printer->file);
	g_free(printer->place);
	spool_free(printer->records);
	g_string_free(printer->json, TRUE);
	g_free(printer);
}

guint json_printer_unreadables(const struct json_printer *printer)
{
	return printer->unreadables;
}

/* Escape what a reader would not see. */
static void make_visible(struct json_printer *printer)
{
	gsize size = printer->json->len;
	g_autofree char *visible = visible_json(printer->json->str, &size);

	if (visible == NULL)
		return;
	g_string_truncate(printer->json, 0);
	g_string_append_len(printer->json, visible, (gssize)size);
}

static void print(struct json_printer *printer)
{
	make_visible(printer);
	fwrite(printer->json->str, 1, printer->json->len, printer->out);
	g_string_truncate(printer->json, 0);
}

static gboolean end_line(struct json_printer *printer, GError **error)
{
	json_end(printer->json, '}');
	print(printer);
	putc('\n', printer->out);
	if (!ferror(printer->out))
		return TRUE;
	g_set_error(
	    error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "could not write the output: %s", g_strerror(errno));
	return FALSE;
}

/* Begin a line with the members that all lines begin with. */
static GString *begin_line(struct json_printer *printer, const char *kind, const char *place)
{
	GString *json = printer->json;

	g_string_truncate(json, 0);
	json_begin(json, '{');
	json_text_member(json, "kind", kind);
	if (printer->file != NULL)
		json_text_member(json, "file", printer->file);
	json_text_member(json, "place", place);
	if (printer->authentic != AUTHENTIC_NONE)
		json_text_member(json, "authentic", json_authentic(printer->authentic));
	return json;
}

static void notes_member(GString *json, const struct report_note *note, gsize n)
{
	json_name(json, "notes");
	json_notes(json, note, n);
}

/* -- the sink -- */

static gboolean print_mail(gpointer user, const struct mail_header *mail, GError **error G_GNUC_UNUSED)
{
	struct json_printer *printer = user;
	printer->authentic = mail->authentic;
	return TRUE;
}

static gboolean print_begin(gpointer user, const char *place, GError **error G_GNUC_UNUSED)
{
	struct json_printer *printer = user;
	g_free(printer->place);
	printer->place = g_strdup(place);
	spool_clear(printer->records);
	return TRUE;
}

static gboolean print_record(gpointer user, const struct aggregate_record *record, GError **error)
{
	struct json_printer *printer = user;

	g_string_truncate(printer->json, 0);
	json_record(printer->json, record);
	make_visible(printer);
	return (spool_size(printer->records) == 0 || spool_write(printer->records, ",", 1, error)) &&
	       spool_write(printer->records, printer->json->str, printer->json->len, error);
}

static gboolean print_end(gpointer user, const struct aggregate_header *header, GError **error)
{
	struct json_printer *printer = user;
	GString *json = begin_line(printer, "aggregate", printer->place);

	json_aggregate_members(json, header);
	json_name(json, "record");
	json_begin(json, '[');
	print(printer);
	gboolean ok = spool_copy(printer->records, printer->out, error);
	spool_clear(printer->records);

	json_end(json, ']');
	notes_member(json, header->note, header->n_note);
	json_text_member(json, "version", header->version);
	json_text_member(json, "xmlns", header->xmlns);
	json_boolean_member(json, "partial", header->partial);
	json_number_member(json, "records", (gint64)MIN(header->records, (guint64)G_MAXINT64));
	json_sha256_member(json, header->sha256);
	return ok && end_line(printer, error);
}

static gboolean print_failure(
    gpointer user, const char *place, const struct failure_report *failure, GError **error)
{
	GString *json = begin_line(user, json_failure_kind(failure), place);

	json_failure_members(json, failure);
	json_sha256_member(json, failure->sha256);
	notes_member(json, failure->note, failure->n_note);
	return end_line(user, error);
}

static gboolean print_tls(gpointer user, const char *place, const struct tls_report *tls, GError **error)
{
	GString *json = begin_line(user, "tls", place);

	json_tls_members(json, tls);
	json_sha256_member(json, tls->sha256);
	notes_member(json, tls->note, tls->n_note);
	return end_line(user, error);
}

static gboolean print_unreadable(gpointer user, const struct unreadable *unreadable, GError **error)
{
	struct json_printer *printer = user;
	GString *json = begin_line(printer, "unreadable", unreadable->place);

	json_text_member(json, "code", unreadable->code);
	json_text_member(json, "reason", unreadable->reason);
	spool_clear(printer->records);
	printer->unreadables++;
	return end_line(printer, error);
}

const struct report_sink *json_printer_sink(void)
{
	static const struct report_sink sink = { .mail = print_mail,
		.report_begin = print_begin,
		.record = print_record,
		.report_end = print_end,
		.failure = print_failure,
		.tls = print_tls,
		.unreadable = print_unreadable };
	return &sink;
}
