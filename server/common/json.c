#include "server/common/json.h"

#include <errno.h>
#include <string.h>

#include "parser/error.h"
#include "parser/failure.h"
#include "server/common/spool.h"
#include "server/common/visible.h"

/* -- pieces -- */

static struct json_object *text(const char *value)
{
	return value != NULL ? json_object_new_string(value) : NULL;
}

/* key is a literal that is new in object. */
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

/* -1 means absent. */
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

#define PUT_EVALUATED(name)  put_text(evaluated, #name, record->name);
#define PUT_IDENTIFIER(name) put_text(identifiers, #name, record->name);

static struct json_object *row(const struct aggregate_record *record)
{
	struct json_object *evaluated = json_object_new_object();
	AGGREGATE_EVALUATED(PUT_EVALUATED)
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
	AGGREGATE_IDENTIFIERS(PUT_IDENTIFIER)

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

/* RFC 3339; -1 means absent. */
static struct json_object *date_time(gint64 seconds)
{
	g_autoptr(GDateTime) time = seconds >= 0 ? g_date_time_new_from_unix_utc(seconds) : NULL;
	g_autofree char *words = time != NULL ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : NULL;
	return text(words);
}

/* The second part of a failure report, up to the delivery result. */
static void put_feedback(struct json_object *object, const struct failure_report *f)
{
	put_text(object, "feedback_type", f->feedback_type);
	put_text(object, "user_agent", f->user_agent);
	put_text(object, "version", f->version);
	put_text(object, "auth_failure", f->auth_failure);
	put(object, "authentication_results",
	    json_strings(f->authentication_results, f->n_authentication_results));
	put_text(object, "identity_alignment", f->identity_alignment);
	put_text(object, "delivery_result", f->delivery_result);
	put_text(object, "original_envelope_id", f->original_envelope_id);
	put_text(object, "original_mail_from", f->original_mail_from);
	put(object, "original_rcpt_to", json_strings(f->original_rcpt_to, f->n_original_rcpt_to));
	put_text(object, "arrival_date", f->arrival_date);
	put(object, "arrival_time", date_time(f->arrival_time));
	put_text(object, "reporting_mta", f->reporting_mta);
	put_text(object, "source_ip", f->source_ip);
	put_number(object, "source_port", f->source_port);
	put_number(object, "incidents", f->incidents);
	put(object, "reported_domain", json_strings(f->reported_domain, f->n_reported_domain));
	put(object, "reported_uri", json_strings(f->reported_uri, f->n_reported_uri));
}

struct json_object *json_failure(const struct failure_report *f)
{
	struct json_object *object = json_object_new_object();
	put_feedback(object, f);
	put_text(object, "dkim_domain", f->dkim_domain);
	put_text(object, "dkim_identity", f->dkim_identity);
	put_text(object, "dkim_selector", f->dkim_selector);
	put_text(object, "dkim_canonicalized_header", f->dkim_canonicalized_header);
	put_text(object, "dkim_canonicalized_body", f->dkim_canonicalized_body);
	put_text(object, "dkim_selector_dns", f->dkim_selector_dns);
	put_text(object, "dkim_adsp_dns", f->dkim_adsp_dns);
	put(object, "spf_dns", json_strings(f->spf_dns, f->n_spf_dns));
	put_text(object, "header_from", f->header_from);
	put_text(object, "message_id", f->message_id);
	put_text(object, "subject", f->subject);
	put_text(object, "original_headers", f->original_headers);
	put_text(object, "original_body", f->original_body);
	return object;
}

const char *json_failure_kind(const struct failure_report *failure)
{
	return failure_is_authentication(failure) ? "failure" : "feedback";
}

const char *json_authentic(enum authentic authentic)
{
	static const char *const words[] = {
		[AUTHENTIC_NONE] = "none",
		[AUTHENTIC_PASS] = "pass",
		[AUTHENTIC_FAIL] = "fail",
	};
	return words[authentic];
}

static struct json_object *failure_details(const struct tls_policy *policy)
{
	struct json_object *array = list(policy->n_failure_details);
	for (gsize i = 0; i < policy->n_failure_details; i++) {
		const struct tls_failure_details *details = &policy->failure_details[i];
		struct json_object *object = json_object_new_object();
		put_text(object, "result_type", details->result_type);
		put_text(object, "sending_mta_ip", details->sending_mta_ip);
		put_text(object, "receiving_mx_hostname", details->receiving_mx_hostname);
		put_text(object, "receiving_mx_helo", details->receiving_mx_helo);
		put_text(object, "receiving_ip", details->receiving_ip);
		put_number(object, "failed_session_count", details->failed_session_count);
		put_text(object, "additional_information", details->additional_information);
		put_text(object, "failure_reason_code", details->failure_reason_code);
		json_object_array_add(array, object);
	}
	return array;
}

static struct json_object *tls_policy(const struct tls_policy *p)
{
	struct json_object *policy = json_object_new_object();
	put_text(policy, "policy_type", p->policy_type);
	put(policy, "policy_string", json_strings(p->policy_string, p->n_policy_string));
	put_text(policy, "policy_domain", p->policy_domain);
	put(policy, "mx_host", json_strings(p->mx_host, p->n_mx_host));

	struct json_object *summary = json_object_new_object();
	put_number(summary, "total_successful_session_count", p->total_successful_session_count);
	put_number(summary, "total_failure_session_count", p->total_failure_session_count);

	struct json_object *object = json_object_new_object();
	put(object, "policy", policy);
	put(object, "summary", summary);
	put(object, "failure_details", failure_details(p));
	return object;
}

struct json_object *json_tls(const struct tls_report *tls)
{
	struct json_object *range = json_object_new_object();
	put(range, "start_datetime", date_time(tls->start_datetime));
	put(range, "end_datetime", date_time(tls->end_datetime));

	struct json_object *policies = list(tls->n_policies);
	for (gsize i = 0; i < tls->n_policies; i++)
		json_object_array_add(policies, tls_policy(&tls->policies[i]));

	struct json_object *object = json_object_new_object();
	put_text(object, "organization_name", tls->organization_name);
	put(object, "date_range", range);
	put_text(object, "contact_info", tls->contact_info);
	put_text(object, "report_id", tls->report_id);
	put(object, "policies", policies);
	return object;
}

static struct json_object *hex(const guint8 *bytes, gsize size)
{
	g_autoptr(GString) digits = g_string_sized_new(2 * size);
	for (gsize i = 0; i < size; i++)
		g_string_append_printf(digits, "%02x", bytes[i]);
	return json_object_new_string(digits->str);
}

/* -- the printer -- */

struct json_printer {
	FILE *out;
	char *file;
	enum authentic authentic;
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
	printer->records = spool_new(NULL);
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

/* The members that every line begins with. */
static struct json_object *line(const struct json_printer *printer, const char *kind, const char *place)
{
	struct json_object *object = json_object_new_object();
	put_text(object, "kind", kind);
	if (printer->file != NULL)
		put_text(object, "file", printer->file);
	put_text(object, "place", place);
	if (printer->authentic != AUTHENTIC_NONE)
		put_text(object, "authentic", json_authentic(printer->authentic));
	return object;
}

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
	g_autofree char *visible = visible_json(json, &size);
	gboolean ok = (!printer->any || spool_write(printer->records, ",", 1, error)) &&
		      spool_write(printer->records, visible != NULL ? visible : json, size, error);
	printer->any = TRUE;
	json_object_put(object);
	return ok;
}

/* Print object (transfer full) without the given number of bytes at its ends: its opening and closing
 * braces. */
static void print_piece(FILE *out, struct json_object *object, gsize before, gsize behind)
{
	gsize size;
	const char *json = json_text(object, &size);
	g_autofree char *visible = visible_json(json, &size);
	fwrite((visible != NULL ? visible : json) + before, 1, size - before - behind, out);
	json_object_put(object);
}

static void print_open(FILE *out, struct json_object *object)
{
	print_piece(out, object, 0, 1);
}

static void print_inside(FILE *out, struct json_object *object)
{
	print_piece(out, object, 1, 1);
}

static void print_close(FILE *out, struct json_object *object)
{
	print_piece(out, object, 1, 0);
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
	put(back, "partial", json_object_new_boolean(header->partial));
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

/* Print a complete report on one line; content is transfer full. */
static gboolean print_whole(struct json_printer *printer, struct json_object *front,
    struct json_object *content, struct json_object *back, GError **error)
{
	print_open(printer->out, front);
	putc(',', printer->out);
	print_inside(printer->out, content);
	putc(',', printer->out);
	print_close(printer->out, back);
	putc('\n', printer->out);
	return flush(printer, error);
}

static struct json_object *ending(const guint8 sha256[32], const struct report_note *note, gsize n)
{
	struct json_object *back = json_object_new_object();
	put(back, "sha256", hex(sha256, 32));
	put(back, "notes", json_notes(note, n));
	return back;
}

static gboolean print_failure(
    gpointer user, const char *place, const struct failure_report *failure, GError **error)
{
	return print_whole(user, line(user, json_failure_kind(failure), place), json_failure(failure),
	    ending(failure->sha256, failure->note, failure->n_note), error);
}

static gboolean print_tls(gpointer user, const char *place, const struct tls_report *tls, GError **error)
{
	return print_whole(user, line(user, "tls", place), json_tls(tls),
	    ending(tls->sha256, tls->note, tls->n_note), error);
}

static gboolean print_unreadable(gpointer user, const struct unreadable *unreadable, GError **error)
{
	struct json_printer *printer = user;
	struct json_object *object = line(printer, "unreadable", unreadable->place);
	put_text(object, "code", unreadable->code);
	put_text(object, "reason", unreadable->reason);
	spool_clear(printer->records);
	printer->unreadables++;

	print_piece(printer->out, object, 0, 0);
	putc('\n', printer->out);
	return flush(printer, error);
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
