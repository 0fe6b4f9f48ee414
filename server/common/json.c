#include "server/common/json.h"

#include <errno.h>
#include <string.h>

#include "parser/error.h"
#include "server/common/spool.h"

/* ---- pieces ---- */

static struct json_object *text(const char *value)
{
	return value != NULL ? json_object_new_string(value) : NULL;
}

/* key is a literal, and new in object. */
static void put(struct json_object *object, const char *key, struct json_object *value)
{
	int status = json_object_object_add_ex(
	    object, key, value, JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_ADD_CONSTANT_KEY);
	g_assert(status == 0);
}

static void put_text(struct json_object *object, const char *key, const char *value)
{
	put(object, key, text(value));
}

/* -1 stands for absent. */
static void put_number(struct json_object *object, const char *key, gint64 value)
{
	put(object, key, value != -1 ? json_object_new_int64(value) : NULL);
}

static struct json_object *list(gsize n)
{
	return json_object_new_array_ext((int)MAX(n, 1));
}

const char *json_text(struct json_object *object, gsize *size)
{
	return json_object_to_json_string_length(
	    object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, size);
}

struct json_object *json_notes(const struct report_note *note, gsize n)
{
	struct json_object *array = list(n);
	for (gsize i = 0; i < n; i++) {
		struct json_object *object = json_object_new_object();
		put_text(object, "code", note[i].code);
		put_text(object, "path", note[i].path);
		put_text(object, "raw", note[i].raw);
		json_object_array_add(array, object);
	}
	return array;
}

struct json_object *json_reason(const struct aggregate_record *record)
{
	struct json_object *array = list(record->n_reason);
	for (gsize i = 0; i < record->n_reason; i++) {
		struct json_object *object = json_object_new_object();
		put_text(object, "type", record->reason[i].type);
		put_text(object, "comment", record->reason[i].comment);
		json_object_array_add(array, object);
	}
	return array;
}

static struct json_object *dkim(const struct aggregate_record *record)
{
	struct json_object *array = list(record->n_auth_dkim);
	for (gsize i = 0; i < record->n_auth_dkim; i++) {
		struct json_object *object = json_object_new_object();
		put_text(object, "domain", record->auth_dkim[i].domain);
		put_text(object, "selector", record->auth_dkim[i].selector);
		put_text(object, "result", record->auth_dkim[i].result);
		put_text(object, "human_result", record->auth_dkim[i].human_result);
		json_object_array_add(array, object);
	}
	return array;
}

static struct json_object *spf(const struct aggregate_record *record)
{
	struct json_object *array = list(record->n_auth_spf);
	for (gsize i = 0; i < record->n_auth_spf; i++) {
		struct json_object *object = json_object_new_object();
		put_text(object, "domain", record->auth_spf[i].domain);
		put_text(object, "scope", record->auth_spf[i].scope);
		put_text(object, "result", record->auth_spf[i].result);
		put_text(object, "human_result", record->auth_spf[i].human_result);
		json_object_array_add(array, object);
	}
	return array;
}

struct json_object *json_auth_results(const struct aggregate_record *record)
{
	struct json_object *object = json_object_new_object();
	put(object, "dkim", dkim(record));
	put(object, "spf", spf(record));
	return object;
}

static struct json_object *row(const struct aggregate_record *record)
{
	struct json_object *evaluated = json_object_new_object();
	put_text(evaluated, "disposition", record->disposition);
	put_text(evaluated, "dkim", record->dkim);
	put_text(evaluated, "spf", record->spf);
	put(evaluated, "reason", json_reason(record));

	struct json_object *object = json_object_new_object();
	put_text(object, "source_ip", record->source_ip);
	put_number(object, "count", record->count);
	put(object, "policy_evaluated", evaluated);
	return object;
}

struct json_object *json_record(const struct aggregate_record *record)
{
	struct json_object *identifiers = json_object_new_object();
	put_text(identifiers, "header_from", record->header_from);
	put_text(identifiers, "envelope_from", record->envelope_from);
	put_text(identifiers, "envelope_to", record->envelope_to);

	struct json_object *object = json_object_new_object();
	put(object, "row", row(record));
	put(object, "identifiers", identifiers);
	put(object, "auth_results", json_auth_results(record));
	if (record->n_note > 0)
		put(object, "notes", json_notes(record->note, record->n_note));
	return object;
}

struct json_object *json_strings(const char *const *strings, gsize n)
{
	struct json_object *array = list(n);
	for (gsize i = 0; i < n; i++)
		json_object_array_add(array, text(strings[i]));
	return array;
}

static struct json_object *report_metadata(const struct aggregate_header *header)
{
	struct json_object *range = json_object_new_object();
	put(range, "begin", json_object_new_int64(header->begin));
	put(range, "end", json_object_new_int64(header->end));

	struct json_object *object = json_object_new_object();
	put_text(object, "org_name", header->org_name);
	put_text(object, "email", header->email);
	put_text(object, "extra_contact_info", header->extra_contact_info);
	put_text(object, "report_id", header->report_id);
	put(object, "date_range", range);
	put(object, "error", json_strings(header->error, header->n_error));
	put_text(object, "generator", header->generator);
	return object;
}

static struct json_object *policy_published(const struct aggregate_header *header)
{
	struct json_object *object = json_object_new_object();
	put_text(object, "domain", header->domain);
	put_text(object, "adkim", header->adkim);
	put_text(object, "aspf", header->aspf);
	put_text(object, "p", header->p);
	put_text(object, "sp", header->sp);
	put_text(object, "np", header->np);
	put_number(object, "pct", header->pct);
	put_text(object, "fo", header->fo);
	put_text(object, "testing", header->testing);
	put_text(object, "discovery_method", header->discovery_method);
	return object;
}

static struct json_object *hex(const guint8 *bytes, gsize size)
{
	g_autoptr(GString) digits = g_string_sized_new(2 * size);
	for (gsize i = 0; i < size; i++)
		g_string_append_printf(digits, "%02x", bytes[i]);
	return json_object_new_string(digits->str);
}

/* ---- the printer ---- */

struct json_printer {
	FILE *out;
	char *file;
	char *place; /* of the open report */
	struct spool *records;
	gboolean any; /* record in the open report */
	guint unreadables;
};

struct json_printer *json_printer_new(FILE *out, const char *file)
{
	struct json_printer *printer = g_new0(struct json_printer, 1);
	printer->out = out;
	printer->file = file != NULL ? g_filename_display_name(file) : NULL;
	printer->records = spool_new();
	return printer;
}

void json_printer_free(struct json_printer *printer)
{
	if (printer == NULL)
		return;
	g_free(printer->file);
	g_free(printer->place);
	spool_free(printer->records);
	g_free(printer);
}

guint json_printer_unreadables(const struct json_printer *printer)
{
	return printer->unreadables;
}

static gboolean flush(struct json_printer *printer, GError **error)
{
	if (!ferror(printer->out))
		return TRUE;
	g_set_error(
	    error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "could not write the output: %s", g_strerror(errno));
	return FALSE;
}

/* What every line begins with. */
static struct json_object *line(const struct json_printer *printer, const char *kind, const char *place)
{
	struct json_object *object = json_object_new_object();
	put_text(object, "kind", kind);
	if (printer->file != NULL)
		put_text(object, "file", printer->file);
	put_text(object, "place", place);
	return object;
}

static gboolean print_mail(
    gpointer user G_GNUC_UNUSED, const struct mail_header *mail G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
	return TRUE;
}

static gboolean print_begin(gpointer user, const char *place, GError **error G_GNUC_UNUSED)
{
	struct json_printer *printer = user;
	g_free(printer->place);
	printer->place = g_strdup(place);
	printer->any = FALSE;
	spool_clear(printer->records);
	return TRUE;
}

static gboolean print_record(gpointer user, const struct aggregate_record *record, GError **error)
{
	struct json_printer *printer = user;
	struct json_object *object = json_record(record);
	gsize size;
	const char *json = json_text(object, &size);
	gboolean ok = (!printer->any || spool_write(printer->records, ",", 1, error)) &&
		      spool_write(printer->records, json, size, error);
	printer->any = TRUE;
	json_object_put(object);
	return ok;
}

/* Print object without its closing brace, or without its opening one. */
static void print_open(FILE *out, struct json_object *object)
{
	gsize size;
	const char *json = json_text(object, &size);
	fwrite(json, 1, size - 1, out);
	json_object_put(object);
}

static void print_close(FILE *out, struct json_object *object)
{
	gsize size;
	const char *json = json_text(object, &size);
	fwrite(json + 1, 1, size - 1, out);
	json_object_put(object);
}

static gboolean print_end(gpointer user, const struct aggregate_header *header, GError **error)
{
	struct json_printer *printer = user;
	struct json_object *front = line(printer, "aggregate", printer->place);
	put_text(front, "dialect", header->dialect);
	put(front, "report_metadata", report_metadata(header));
	put(front, "policy_published", policy_published(header));

	struct json_object *back = json_object_new_object();
	put(back, "notes", json_notes(header->note, header->n_note));
	put_text(back, "version", header->version);
	put_text(back, "xmlns", header->xmlns);
	put(back, "records", json_object_new_uint64(header->records));
	put(back, "sha256", hex(header->sha256, sizeof(header->sha256)));

	print_open(printer->out, front);
	fputs(",\"record\":[", printer->out);
	gboolean ok = spool_copy(printer->records, printer->out, error);
	spool_clear(printer->records);
	fputs("],", printer->out);
	print_close(printer->out, back);
	putc('\n', printer->out);
	return ok && flush(printer, error);
}

static gboolean print_unreadable(gpointer user, const struct unreadable *unreadable, GError **error)
{
	struct json_printer *printer = user;
	struct json_object *object = line(printer, "unreadable", unreadable->place);
	put_text(object, "code", unreadable->code);
	put_text(object, "reason", unreadable->reason);
	spool_clear(printer->records);
	printer->unreadables++;

	gsize size;
	const char *json = json_text(object, &size);
	fwrite(json, 1, size, printer->out);
	json_object_put(object);
	putc('\n', printer->out);
	return flush(printer, error);
}

const struct report_sink *json_printer_sink(void)
{
	static const struct report_sink sink = { .mail = print_mail,
		.report_begin = print_begin,
		.record = print_record,
		.report_end = print_end,
		.unreadable = print_unreadable };
	return &sink;
}
