#include "server/ingest/found.h"

#include <nettle/sha2.h>
#include <string.h>

#include "parser/error.h"
#include "server/common/json.h"
#include "server/common/spool.h"
#include "server/ingest/item.h"
#include "server/ingest/literal.h"

#define NOTE_CODES_MAX 256 /* different codes in the records of a report: the parser has about forty */

/* The open report. */
struct open_report {
	char *place; /* NULL if no report is open */
	gint64 records;
	gint64 messages; /* of known counts, G_MAXINT64 at most */
	gint64 pass;
	GHashTable *note_codes; /* code -> count, or NULL */
};

/* The place of an aggregate report. */
struct report_place {
	guint item_no;
	gint64 begin; /* seconds since 1970 */
};

struct found {
	const struct found_options *options;
	const struct envelope *envelope;
	const guint8 *document;
	gsize size;
	char *received_at;
	gint64 received; /* the same in seconds since 1970 UTC; 0: not known */
	char *sha256;    /* of document, as bytea text */
	char *message_id, *subject, *header_from;
	enum authentic authentic;
	gboolean bare;

	guint item_no;
	struct item *item;   /* the current one */
	GString *json;       /* one of its columns */
	struct spool *items; /* for each the size of its row without mail_no, and the row */
	GArray *reports;     /* of struct report_place, by item_no */
	struct records *records;
	struct open_report open;

	struct intake_counts counts;
};

static char *document_hash(const guint8 *document, gsize size)
{
	struct sha256_ctx sha256;
	guint8 hash[SHA256_DIGEST_SIZE];

	sha256_init(&sha256);
	sha256_update(&sha256, size, document);
	sha256_digest(&sha256, sizeof hash, hash);
	return item_hash_text(hash);
}

/* -- authenticity -- */

/* The requirement that this mail does not meet. Imported mail and mail in mailboxes was never judged by an
 * MTA. */
static enum require_authentic unmet(const struct found *found)
{
	if (found->authentic == AUTHENTIC_PASS || g_strcmp0(found->envelope->source, "lmtp") != 0)
		return REQUIRE_AUTHENTIC_OFF;
	return found->options->require_authentic;
}

static gboolean is_flagged(const struct found *found)
{
	return unmet(found) == REQUIRE_AUTHENTIC_FLAG;
}

/* Returns the reason; transfer full. */
static char *why_unauthentic(const struct found *found)
{
	const char *ours = found->options->authserv_id;

	if (ours == NULL || *ours == '\0')
		return g_strdup("no mail is authentic while lmtp.authserv_id is not set");
	if (found->authentic == AUTHENTIC_NONE)
		return g_strdup_printf(
		    "no Authentication-Results of \"%s\" says whether a domain aligned with From "
		    "authenticated it (RFC 9990 section 3.5)",
		    ours);
	return g_strdup_printf(
	    "\"%s\" found that no domain aligned with From authenticated it (RFC 9990 section 3.5)", ours);
}

/* Returns TRUE if the mail is quarantined as a whole: it is one unreadable item. */
static gboolean turned_away(struct found *found)
{
	g_autofree char *reason = NULL;

	if (unmet(found) != REQUIRE_AUTHENTIC_QUARANTINE)
		return FALSE;
	if (found->item_no == 0) {
		reason = why_unauthentic(found);
		found_refuse(found, "unauthentic", reason, FALSE);
	}
	return TRUE;
}

/* -- the line in the log -- */

static void log_field(const struct found *found, const char *name, const char *value)
{
	if (found->envelope->fields != NULL)
		log_fields_add(found->envelope->fields, name, value);
}

/* What was found is void. */
static void log_forget(const struct found *found)
{
	if (found->envelope->fields == NULL)
		return;
	log_fields_remove(found->envelope->fields, FIELD_KIND);
	log_fields_remove(found->envelope->fields, FIELD_REPORT_ID);
}

/* -- items -- */

/* The text for the next column of JSON. */
static GString *json_empty(struct found *found)
{
	return g_string_truncate(found->json, 0);
}

/* Begin the next item, or begin it again. */
static struct item *item_begin(struct found *found, const char *kind, const char *place)
{
	item_clear(found->item);
	log_field(found, FIELD_KIND, kind);
	item_number(found->item, ITEM_NO, found->item_no);
	item_text(found->item, ITEM_KIND, kind);
	item_text(found->item, ITEM_PLACE, place);
	return found->item;
}

static gboolean item_end(struct found *found, GError **error)
{
	g_autoptr(GString) row = g_string_new(NULL);

	item_fields(found->item, row);
	if (spool_size(found->items) + row->len > FOUND_ITEMS_MAX)
		return ruad_error_over_limit(error, "bytes of reports, without records", FOUND_ITEMS_MAX);
	return spool_write(found->items, (const char *)&row->len, sizeof row->len, error) &&
	       spool_write(found->items, row->str, row->len, error);
}

/* Set the notes of a report, including the note about its mail. */
static void item_notes(struct found *found, const struct report_note *note, gsize n)
{
	gsize flags = is_flagged(found) ? 1 : 0;
	g_autofree struct report_note *all = g_new(struct report_note, n + flags);

	if (n > 0)
		memcpy(all, note, n * sizeof *note);
	if (flags > 0)
		all[n] = (struct report_note){
			.code = "S1", .path = "mail", .raw = json_authentic(found->authentic)
		};
	if (n + flags == 0)
		return;
	json_notes(json_empty(found), all, n + flags);
	item_text(found->item, ITEM_NOTES, found->json->str);
}

/* -- the open report -- */

static void open_clear(struct open_report *open)
{
	g_clear_pointer(&open->place, g_free);
	g_clear_pointer(&open->note_codes, g_hash_table_unref);
	*open = (struct open_report){ 0 };
}

static gboolean open_note(struct open_report *open, const char *code, GError **error)
{
	gint64 *times;

	if (open->note_codes == NULL)
		open->note_codes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	times = g_hash_table_lookup(open->note_codes, code);
	if (times == NULL) {
		if (g_hash_table_size(open->note_codes) == NOTE_CODES_MAX) {
			g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
			    "the parser's answer: more than %d codes of notes", NOTE_CODES_MAX);
			return FALSE;
		}
		times = g_new0(gint64, 1);
		g_hash_table_insert(open->note_codes, g_strdup(code), times);
	}
	(*times)++;
	return TRUE;
}

static gboolean is_pass(const char *result)
{
	return result != NULL && g_str_equal(result, "pass");
}

static gint64 add_count(gint64 sum, gint64 count)
{
	return count > G_MAXINT64 - sum ? G_MAXINT64 : sum + count;
}

/* Count a record of the open report. */
static gboolean open_count(struct open_report *open, const struct aggregate_record *record, GError **error)
{
	open->records++;
	if (record->count > 0) {
		open->messages = add_count(open->messages, record->count);
		if (is_pass(record->dkim) || is_pass(record->spf))
			open->pass = add_count(open->pass, record->count);
	}
	for (gsize i = 0; i < record->n_note; i++)
		if (!open_note(open, record->note[i].code, error))
			return FALSE;
	return TRUE;
}

/* {"V1":3} */
static void item_record_notes(struct found *found, const struct open_report *open)
{
	GString *json = json_empty(found);
	GHashTableIter iter;
	gpointer code, times;

	if (open->note_codes == NULL)
		return;
	json_begin(json, '{');
	g_hash_table_iter_init(&iter, open->note_codes);
	while (g_hash_table_iter_next(&iter, &code, &times))
		json_number_member(json, code, *(gint64 *)times);
	json_end(json, '}');
	item_text(found->item, ITEM_RECORD_NOTES, json->str);
}

/* -- the sink -- */

static gboolean sink_mail(gpointer user, const struct mail_header *header, GError **error)
{
	struct found *found = user;

	(void)error;
	g_free(found->message_id);
	g_free(found->subject);
	g_free(found->header_from);
	found->message_id = g_strdup(header->message_id);
	found->subject = g_strdup(header->subject);
	found->header_from = g_strdup(header->from);
	found->authentic = header->authentic;
	log_field(found, FIELD_MESSAGE_ID, header->message_id);
	log_field(found, FIELD_QUEUE_ID, header->queue_id);
	return TRUE;
}

static gboolean sink_report_begin(gpointer user, const char *place, GError **error)
{
	struct found *found = user;

	(void)error;
	if (turned_away(found))
		return TRUE;
	open_clear(&found->open);
	found->open.place = g_strdup(place);
	found->item_no++;
	return TRUE;
}

static gboolean sink_record(gpointer user, const struct aggregate_record *record, GError **error)
{
	struct found *found = user;

	if (turned_away(found))
		return TRUE;
	return open_count(&found->open, record, error) &&
	       records_add(found->records, found->item_no, record, error);
}

static void item_report_metadata(struct found *found, const struct aggregate_header *header)
{
	struct item *item = found->item;

	item_text(item, ITEM_ORG_NAME, header->org_name);
	item_text(item, ITEM_EMAIL, header->email);
	item_text(item, ITEM_EXTRA_CONTACT_INFO, header->extra_contact_info);
	item_text(item, ITEM_REPORT_ID, header->report_id);
	item_time(item, ITEM_BEGIN, header->begin);
	item_time(item, ITEM_END, header->end);
	json_strings(json_empty(found), header->error, header->n_error);
	item_text(item, ITEM_ERROR, found->json->str);
	item_text(item, ITEM_GENERATOR, header->generator);
}

static void item_policy_published(struct item *item, const struct aggregate_header *header)
{
	item_text(item, ITEM_DOMAIN, header->domain);
	item_text(item, ITEM_ADKIM, header->adkim);
	item_text(item, ITEM_ASPF, header->aspf);
	item_text(item, ITEM_P, header->p);
	item_text(item, ITEM_SP, header->sp);
	item_text(item, ITEM_NP, header->np);
	if (header->pct >= 0)
		item_number(item, ITEM_PCT, header->pct);
	item_text(item, ITEM_FO, header->fo);
	item_text(item, ITEM_TESTING, header->testing);
	item_text(item, ITEM_DISCOVERY_METHOD, header->discovery_method);
}

static void item_records(
    struct item *item, const struct aggregate_header *header, const struct open_report *open)
{
	item_number(item, ITEM_ANNOUNCED, (gint64)MIN(header->records, (guint64)G_MAXINT64));
	item_number(item, ITEM_RECORDS, open->records);
	item_number(item, ITEM_MESSAGES, open->messages);
	item_number(item, ITEM_PASS, open->pass);
}

static gboolean sink_report_end(gpointer user, const struct aggregate_header *header, GError **error)
{
	struct found *found = user;
	struct report_place place = { .item_no = found->item_no, .begin = header->begin };
	struct item *item;

	if (turned_away(found))
		return TRUE;
	item = item_begin(found, "aggregate", found->open.place);
	item_text(item, ITEM_DIALECT, header->dialect);
	item_text(item, ITEM_VERSION, header->version);
	item_text(item, ITEM_XMLNS, header->xmlns);
	item_report_metadata(found, header);
	item_policy_published(item, header);
	item_records(item, header, &found->open);
	item_record_notes(found, &found->open);
	log_field(found, FIELD_REPORT_ID, header->report_id);
	item_hash(item, ITEM_SHA256, header->sha256);
	item_notes(found, header->note, header->n_note);
	item_boolean(item, ITEM_PARTIAL, header->partial);
	open_clear(&found->open);
	g_array_append_val(found->reports, place);
	return item_end(found, error) && records_end(found->records, error);
}

/* Begin a report that is one JSON object, whose members the caller appends. */
static GString *whole_begin(struct found *found, const char *kind, const char *place, const guint8 sha256[32],
    const struct report_note *note, gsize n_note)
{
	struct item *item;

	found->item_no++;
	item = item_begin(found, kind, place);
	item_hash(item, ITEM_SHA256, sha256);
	item_notes(found, note, n_note);
	json_begin(json_empty(found), '{');
	return found->json;
}

static gboolean whole_end(struct found *found, GError **error)
{
	json_end(found->json, '}');
	item_text(found->item, ITEM_CONTENT, found->json->str);
	return item_end(found, error);
}

static gboolean sink_failure(
    gpointer user, const char *place, const struct failure_report *failure, GError **error)
{
	struct found *found = user;

	if (turned_away(found))
		return TRUE;
	json_failure_members(whole_begin(found, json_failure_kind(failure), place, failure->sha256,
				 failure->note, failure->n_note),
	    failure);
	return whole_end(found, error);
}

static gboolean sink_tls(gpointer user, const char *place, const struct tls_report *tls, GError **error)
{
	struct found *found = user;

	if (turned_away(found))
		return TRUE;
	log_field(found, FIELD_REPORT_ID, tls->report_id);
	json_tls_members(whole_begin(found, "tls", place, tls->sha256, tls->note, tls->n_note), tls);
	return whole_end(found, error);
}

static gboolean unreadable_item(struct found *found, const struct unreadable *unreadable, GError **error)
{
	struct item *item = item_begin(found, "unreadable", unreadable->place);

	item_text(item, ITEM_CODE, unreadable->code);
	item_text(item, ITEM_REASON, unreadable->reason);
	return item_end(found, error);
}

static gboolean sink_unreadable(gpointer user, const struct unreadable *unreadable, GError **error)
{
	struct found *found = user;

	if (turned_away(found))
		return TRUE;
	if (found->open.place)
		open_clear(&found->open); /* its records belong to no report */
	else
		found->item_no++;
	return records_end(found->records, error) && unreadable_item(found, unreadable, error);
}

const struct report_sink *found_sink(void)
{
	static const struct report_sink sink = { .mail = sink_mail,
		.report_begin = sink_report_begin,
		.record = sink_record,
		.report_end = sink_report_end,
		.failure = sink_failure,
		.tls = sink_tls,
		.unreadable = sink_unreadable };

	return &sink;
}

/* -- a mail -- */

/* received_at is NULL if that is now. */
static void set_received(struct found *found, const char *received_at)
{
	g_autoptr(GDateTime) received = received_at ? g_date_time_new_from_iso8601(received_at, NULL) : NULL;
	gint64 now = g_get_real_time();

	if (received_at) {
		found->received_at = g_strdup(received_at);
		found->received = received ? g_date_time_to_unix(received) : 0;
		return;
	}
	found->received = now / G_USEC_PER_SEC;
	g_autofree char *seconds = item_time_text(found->received);
	found->received_at = g_strdup_printf("%.19s.%06u+00", seconds, (guint)(now % G_USEC_PER_SEC));
}

struct found *found_new(
    const struct found_options *options, const struct envelope *envelope, const guint8 *document, gsize size)
{
	struct found *found = g_new0(struct found, 1);
	found->options = options;
	found->envelope = envelope;
	found->document = document ? document : (const guint8 *)""; /* of an empty file; NULL is SQL NULL */
	found->size = size;
	set_received(found, envelope->received_at);
	found->sha256 = document_hash(found->document, size);
	found->item = item_new();
	found->json = g_string_new(NULL);
	found->items = spool_new(options->spill_folder);
	found->reports = g_array_new(FALSE, FALSE, sizeof(struct report_place));
	found->records = records_new(options->spill_folder);
	return found;
}

gint64 found_received(const struct found *found)
{
	return found->received;
}

void found_free(struct found *found)
{
	if (!found)
		return;
	open_clear(&found->open);
	item_free(found->item);
	g_string_free(found->json, TRUE);
	spool_free(found->items);
	g_array_unref(found->reports);
	records_free(found->records);
	g_free(found->received_at);
	g_free(found->sha256);
	g_free(found->message_id);
	g_free(found->subject);
	g_free(found->header_from);
	g_free(found);
}

void found_forget(struct found *found)
{
	open_clear(&found->open);
	spool_clear(found->items);
	g_array_set_size(found->reports, 0);
	records_clear(found->records);
	log_forget(found);
	found->item_no = 0;
}

void found_refuse(struct found *found, const char *code, const char *reason, gboolean bare)
{
	g_autofree char *words = g_utf8_make_valid(reason, -1);
	struct unreadable unreadable = { .place = "mail", .code = code, .reason = words };

	found_forget(found);
	found->item_no = 1;
	found->bare = bare;
	if (!unreadable_item(found, &unreadable, NULL))
		g_assert_not_reached(); /* so few bytes stay in memory */
}

guint64 found_size(const struct found *found)
{
	return spool_size(found->items) + records_size(found->records);
}

gboolean found_is_large(const struct found *found)
{
	return spool_in_file(found->items) || records_in_file(found->records);
}

const struct records *found_records(const struct found *found)
{
	return found->records;
}

static gint compare_item_no(gconstpointer a, gconstpointer b)
{
	guint x = ((const struct report_place *)a)->item_no, y = ((const struct report_place *)b)->item_no;

	return (x > y) - (x < y);
}

gboolean found_report_begin(const struct found *found, guint item_no, gint64 *begin)
{
	const struct report_place wanted = { .item_no = item_no };
	guint index;

	if (!g_array_binary_search(found->reports, &wanted, compare_item_no, &index))
		return FALSE;
	*begin = g_array_index(found->reports, struct report_place, index).begin;
	return TRUE;
}

const guint8 *found_document(const struct found *found, gsize *size)
{
	*size = found->size;
	return found->document;
}

gint64 found_again(const struct found *found)
{
	return found->envelope->again;
}

struct intake_counts *found_counts(struct found *found)
{
	return &found->counts;
}

/* -- rows -- */

/* Append text that does not come from the parser and may be invalid UTF-8 (the name of a file). */
static void field_foreign(GString *row, const char *value)
{
	g_autofree char *valid = value ? g_utf8_make_valid(value, -1) : NULL;

	literal_field(row, valid);
}

static void field_recipients(GString *row, const char *const *recipients)
{
	g_autoptr(GString) json = g_string_new(NULL);

	if (recipients)
		json_strings(json, recipients, g_strv_length((char **)recipients));
	literal_field(row, recipients ? json->str : NULL);
}

void found_mail_row(const struct found *found, GString *mails)
{
	static const struct envelope nothing = { 0 };
	const struct envelope *envelope = found->bare ? &nothing : found->envelope;
	g_autofree char *again =
	    found_again(found) ? g_strdup_printf("%" G_GINT64_FORMAT, found_again(found)) : NULL;

	literal_row_begin(mails, again);
	literal_field(mails, found->received_at);
	literal_field(mails, found->envelope->source);
	field_foreign(mails, envelope->name);
	field_foreign(mails, envelope->from);
	field_recipients(mails, envelope->recipients);
	literal_number(mails, (gint64)found->size);
	literal_field(mails, found->sha256);
	literal_field(mails, found->bare ? NULL : found->message_id);
	literal_field(mails, found->bare ? NULL : found->subject);
	literal_field(mails, found->bare ? NULL : found->header_from);
	literal_field(mails, json_authentic(found->authentic));
	literal_row_end(mails);
}

gboolean found_item_rows(const struct found *found, guint mail_no, GString *items, GError **error)
{
	g_autofree char *number = g_strdup_printf("%u", mail_no);
	guint64 at = 0;
	gsize size;

	while (at < spool_size(found->items)) {
		gsize had;

		if (!spool_read(found->items, at, &size, sizeof size, error))
			return FALSE;
		literal_row_begin(items, number);
		had = items->len;
		g_string_set_size(items, had + size);
		if (!spool_read(found->items, at + sizeof size, items->str + had, size, error))
			return FALSE;
		literal_row_end(items);
		at += sizeof size + size;
	}
	return TRUE;
}
