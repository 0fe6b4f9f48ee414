#include "server/ingest/store.h"

#include <string.h>

#include "parser/error.h"
#include "server/common/json.h"

#define STREAM_PIECE (64 * 1024) /* bytes of rows that a stream gathers before they are sent */

#define COPY_MAIL                                                                                            \
	"COPY stage_mail (mail_no, received_at, source, name, envelope_from, recipients, size, sha256, "     \
	"message_id, subject, header_from, authentic, again) FROM STDIN"
#define COPY_ITEM                                                                                            \
	"COPY stage_item (mail_no, item_no, kind, place, code, reason, dialect, version, xmlns, org_name, "  \
	"email, extra_contact_info, report_id, begin, \"end\", error, generator, domain, adkim, aspf, p, "   \
	"sp, np, pct, fo, testing, discovery_method, records, sha256, notes, partial, content) FROM STDIN"
#define COPY_RECORD                                                                                          \
	"COPY stage_record (mail_no, item_no, record_no, source_ip, count, disposition, dkim, spf, reason, " \
	"header_from, envelope_from, envelope_to, auth_results, notes) FROM STDIN"
#define RESULT                "SELECT mail_no, stored, duplicates, conflicts, unreadable, mail_id, keep_raw FROM "
#define INGEST                RESULT "ruad.ingest()"
#define INGEST_AGAIN          RESULT "ruad.ingest_again()"
#define ITEM_REASON_TO_SHA256 22 /* columns of stage_item between reason and sha256 */
#define KEEP_RAW              "SELECT ruad.keep_raw($1::bigint, $2::bytea)"

/* What the connection of a stream takes now. */
enum copying { COPY_NONE, COPY_RECORDS, COPY_ITEMS };

/* The rows lack their first column, mail_no: it is known when the batch is. */
struct store_mail {
	const struct intake_options *options;
	const struct envelope *envelope;
	const guint8 *document;
	gsize size;
	char *received_at;
	char *sha256; /* of document, as bytea text */
	char *message_id, *subject, *header_from;
	enum authentic authentic;
	gboolean bare;

	GString *items;
	GString *records;
	guint item_no;
	gint64 record_no;
	char *place;        /* of the report that is open */
	gsize report_start; /* in records, where the open report begins */
	gboolean streaming; /* some of its rows are gone already */
	enum copying copying;
	store_spill_cb spill;
	gpointer user;

	struct intake_counts counts;
};

/* Fields of a COPY row; field_last() ends the row. */

static void field(GString *row, const char *value)
{
	db_copy_field(row, value, FALSE);
}

static void field_last(GString *row, const char *value)
{
	db_copy_field(row, value, TRUE);
}

static void field_number(GString *row, gint64 value)
{
	g_string_append_printf(row, "%" G_GINT64_FORMAT "\t", value);
}

/* A JSON column; object is transfer full. */
static void field_json(GString *row, struct json_object *object)
{
	field(row, json_text(object, NULL));
	json_object_put(object);
}

/* A number that is -1 when unknown. */
static void field_known(GString *row, gint64 value)
{
	if (value < 0)
		field(row, NULL);
	else
		field_number(row, value);
}

/* Text from outside the parser, which need not be UTF-8 (a file's name). */
static void field_foreign(GString *row, const char *value)
{
	g_autofree char *valid = value ? g_utf8_make_valid(value, -1) : NULL;

	field(row, valid);
}

/* A time that the parser promised to be within range; any other is the database's to refuse. */
static void field_time(GString *row, gint64 seconds)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);
	g_autofree char *text = time ? g_date_time_format(time, "%Y-%m-%d %H:%M:%S+00") : NULL;

	field(row, text ? text : "out of range");
}

static char *hex_bytea(const guint8 *bytes, gsize size)
{
	GString *text = g_string_new("\\x");

	for (gsize i = 0; i < size; i++)
		g_string_append_printf(text, "%02x", bytes[i]);
	return g_string_free(text, FALSE);
}

static char *document_hash(const guint8 *document, gsize size)
{
	g_autofree char *hex = g_compute_checksum_for_data(G_CHECKSUM_SHA256, document, size);

	return g_strconcat("\\x", hex, NULL);
}

/* The notes on an item or record, NULL where there are none. */
static void field_notes(GString *row, const struct report_note *note, gsize n, gboolean last)
{
	struct json_object *notes = n > 0 ? json_notes(note, n) : NULL;

	db_copy_field(row, notes ? json_text(notes, NULL) : NULL, last);
	json_object_put(notes);
}

static void field_nulls(GString *row, guint n)
{
	for (guint i = 0; i < n; i++)
		field(row, NULL);
}

/* Authenticity. */

/* What is asked of this mail and not there. What came by hand or lay in a mailbox was no MTA's to judge. */
static enum require_authentic unmet(const struct store_mail *mail)
{
	if (mail->authentic == AUTHENTIC_PASS || g_strcmp0(mail->envelope->source, "lmtp") != 0)
		return REQUIRE_AUTHENTIC_OFF;
	return mail->options->require_authentic;
}

static gboolean is_flagged(const struct store_mail *mail)
{
	return unmet(mail) == REQUIRE_AUTHENTIC_FLAG;
}

/* Transfer full. */
static char *why_unauthentic(const struct store_mail *mail)
{
	const char *ours = mail->options->pool.authserv_id;

	if (ours == NULL || *ours == '\0')
		return g_strdup("no mail is authentic while lmtp.authserv_id is not set");
	if (mail->authentic == AUTHENTIC_NONE)
		return g_strdup_printf(
		    "no Authentication-Results of \"%s\" says whether a domain aligned with From "
		    "authenticated it (RFC 9990 section 3.5)",
		    ours);
	return g_strdup_printf(
	    "\"%s\" found that no domain aligned with From authenticated it (RFC 9990 section 3.5)", ours);
}

/* TRUE when nothing that is found in the mail counts: it is one unreadable item. */
static gboolean turned_away(struct store_mail *mail)
{
	g_autofree char *reason = NULL;

	if (unmet(mail) != REQUIRE_AUTHENTIC_QUARANTINE)
		return FALSE;
	if (mail->item_no == 0) {
		reason = why_unauthentic(mail);
		store_mail_refuse(mail, "unauthentic", reason, FALSE);
	}
	return TRUE;
}

/* The sink. */

static gboolean sink_mail(gpointer user, const struct mail_header *header, GError **error)
{
	struct store_mail *mail = user;

	(void)error;
	g_free(mail->message_id);
	g_free(mail->subject);
	g_free(mail->header_from);
	mail->message_id = g_strdup(header->message_id);
	mail->subject = g_strdup(header->subject);
	mail->header_from = g_strdup(header->from);
	mail->authentic = header->authentic;
	return TRUE;
}

static gboolean sink_report_begin(gpointer user, const char *place, GError **error)
{
	struct store_mail *mail = user;

	(void)error;
	if (turned_away(mail))
		return TRUE;
	g_free(mail->place);
	mail->place = g_strdup(place);
	mail->item_no++;
	mail->record_no = 0;
	mail->report_start = mail->records->len;
	return TRUE;
}

static void record_row(GString *row, guint item_no, gint64 record_no, const struct aggregate_record *record)
{
	field_number(row, item_no);
	field_number(row, record_no);
	field(row, record->source_ip);
	field_known(row, record->count);
	field(row, record->disposition);
	field(row, record->dkim);
	field(row, record->spf);
	field_json(row, json_reason(record));
	field(row, record->header_from);
	field(row, record->envelope_from);
	field(row, record->envelope_to);
	field_json(row, json_auth_results(record));
	field_notes(row, record->note, record->n_note, TRUE);
}

/* Rows that wait are handed on once they are too many. */
static gboolean may_spill(struct store_mail *mail, GError **error)
{
	gsize limit = mail->streaming ? STREAM_PIECE : INTAKE_SMALL;

	return store_mail_bytes(mail) <= limit || mail->spill(mail->user, mail, error);
}

static gboolean sink_record(gpointer user, const struct aggregate_record *record, GError **error)
{
	struct store_mail *mail = user;

	if (turned_away(mail))
		return TRUE;
	record_row(mail->records, mail->item_no, ++mail->record_no, record);
	return may_spill(mail, error);
}

static void item_report_metadata(GString *row, const struct aggregate_header *header)
{
	field(row, header->org_name);
	field(row, header->email);
	field(row, header->extra_contact_info);
	field(row, header->report_id);
	field_time(row, header->begin);
	field_time(row, header->end);
	field_json(row, json_strings(header->error, header->n_error));
	field(row, header->generator);
}

static void item_policy_published(GString *row, const struct aggregate_header *header)
{
	field(row, header->domain);
	field(row, header->adkim);
	field(row, header->aspf);
	field(row, header->p);
	field(row, header->sp);
	field(row, header->np);
	field_known(row, header->pct);
	field(row, header->fo);
	field(row, header->testing);
	field(row, header->discovery_method);
}

/* The columns before those of aggregate reports. */
static void item_head(GString *row, guint item_no, const char *kind, const char *place)
{
	field_number(row, item_no);
	field(row, kind);
	field(row, place);
}

/* The notes of a report, and that on the mail around it. */
static void item_notes(GString *row, const struct store_mail *mail, const struct report_note *note, gsize n)
{
	g_autofree struct report_note *all = NULL;

	if (!is_flagged(mail)) {
		field_notes(row, note, n, FALSE);
		return;
	}
	all = g_new(struct report_note, n + 1);
	if (n > 0)
		memcpy(all, note, n * sizeof *note);
	all[n] = (struct report_note){ .code = "S1", .path = "mail", .raw = json_authentic(mail->authentic) };
	field_notes(row, all, n + 1, FALSE);
}

static gboolean sink_report_end(gpointer user, const struct aggregate_header *header, GError **error)
{
	struct store_mail *mail = user;
	GString *row = mail->items;
	g_autofree char *sha256 = hex_bytea(header->sha256, sizeof header->sha256);

	if (turned_away(mail))
		return TRUE;
	item_head(row, mail->item_no, "aggregate", mail->place);
	field_nulls(row, 2); /* code, reason */
	field(row, header->dialect);
	field(row, header->version);
	field(row, header->xmlns);
	item_report_metadata(row, header);
	item_policy_published(row, header);
	g_string_append_printf(row, "%" G_GUINT64_FORMAT "\t", header->records);
	field(row, sha256);
	item_notes(row, mail, header->note, header->n_note);
	field(row, header->partial ? "t" : "f");
	field_last(row, NULL); /* content */
	g_clear_pointer(&mail->place, g_free);
	return may_spill(mail, error);
}

/* A report that is one JSON object (transfer full). */
static void whole_row(struct store_mail *mail, const char *kind, const char *place, const guint8 sha256[32],
    const struct report_note *note, gsize n_note, struct json_object *content)
{
	GString *row = mail->items;
	g_autofree char *hash = hex_bytea(sha256, 32);

	item_head(row, ++mail->item_no, kind, place);
	field_nulls(row, ITEM_REASON_TO_SHA256 + 2); /* and code, reason */
	field(row, hash);
	item_notes(row, mail, note, n_note);
	field(row, NULL); /* partial */
	field_last(row, json_text(content, NULL));
	json_object_put(content);
}

static gboolean sink_failure(
    gpointer user, const char *place, const struct failure_report *failure, GError **error)
{
	struct store_mail *mail = user;

	if (turned_away(mail))
		return TRUE;
	whole_row(mail, json_failure_kind(failure), place, failure->sha256, failure->note, failure->n_note,
	    json_failure(failure));
	return may_spill(mail, error);
}

static gboolean sink_tls(gpointer user, const char *place, const struct tls_report *tls, GError **error)
{
	struct store_mail *mail = user;

	if (turned_away(mail))
		return TRUE;
	whole_row(mail, "tls", place, tls->sha256, tls->note, tls->n_note, json_tls(tls));
	return may_spill(mail, error);
}

static void unreadable_row(GString *row, guint item_no, const struct unreadable *unreadable)
{
	item_head(row, item_no, "unreadable", unreadable->place);
	field(row, unreadable->code);
	field(row, unreadable->reason);
	field_nulls(row, ITEM_REASON_TO_SHA256 + 3); /* and sha256, notes, partial */
	field_last(row, NULL);
}

static gboolean sink_unreadable(gpointer user, const struct unreadable *unreadable, GError **error)
{
	struct store_mail *mail = user;

	if (turned_away(mail))
		return TRUE;
	if (mail->place) {
		/* takes back the open report; records that were streamed are ignored by the database */
		g_string_truncate(mail->records, MIN(mail->report_start, mail->records->len));
		g_clear_pointer(&mail->place, g_free);
	} else {
		mail->item_no++;
	}
	unreadable_row(mail->items, mail->item_no, unreadable);
	return may_spill(mail, error);
}

const struct report_sink *store_sink(void)
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

/* A mail. */

struct store_mail *store_mail_new(const struct intake_options *options, const struct envelope *envelope,
    const guint8 *document, gsize size, store_spill_cb spill, gpointer user)
{
	struct store_mail *mail = g_new0(struct store_mail, 1);
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();

	mail->options = options;
	mail->envelope = envelope;
	mail->document = document;
	mail->size = size;
	mail->received_at = envelope->received_at ? g_strdup(envelope->received_at)
						  : g_date_time_format(now, "%Y-%m-%d %H:%M:%S.%f+00");
	mail->sha256 = document_hash(document, size);
	mail->items = g_string_new(NULL);
	mail->records = g_string_new(NULL);
	mail->spill = spill;
	mail->user = user;
	return mail;
}

void store_mail_free(struct store_mail *mail)
{
	if (!mail)
		return;
	g_string_free(mail->items, TRUE);
	g_string_free(mail->records, TRUE);
	g_free(mail->received_at);
	g_free(mail->sha256);
	g_free(mail->message_id);
	g_free(mail->subject);
	g_free(mail->header_from);
	g_free(mail->place);
	g_free(mail);
}

void store_mail_refuse(struct store_mail *mail, const char *code, const char *reason, gboolean bare)
{
	g_autofree char *words = g_utf8_make_valid(reason, -1);
	struct unreadable unreadable = { .place = "mail", .code = code, .reason = words };

	g_string_truncate(mail->items, 0);
	g_string_truncate(mail->records, 0);
	g_clear_pointer(&mail->place, g_free);
	mail->streaming = FALSE;
	mail->copying = COPY_NONE;
	mail->item_no = 1;
	mail->bare = bare;
	unreadable_row(mail->items, mail->item_no, &unreadable);
}

gsize store_mail_bytes(const struct store_mail *mail)
{
	return mail->items->len + mail->records->len;
}

const struct intake_counts *store_mail_counts(const struct store_mail *mail)
{
	return &mail->counts;
}

static void field_recipients(GString *row, const char *const *recipients)
{
	if (recipients)
		field_json(row, json_strings(recipients, g_strv_length((char **)recipients)));
	else
		field(row, NULL);
}

static void mail_row(GString *row, const struct store_mail *mail)
{
	static const struct envelope nothing = { 0 };
	const struct envelope *envelope = mail->bare ? &nothing : mail->envelope;

	field(row, mail->received_at);
	field(row, mail->envelope->source);
	field_foreign(row, envelope->name);
	field_foreign(row, envelope->from);
	field_recipients(row, envelope->recipients);
	g_string_append_printf(row, "%" G_GSIZE_FORMAT "\t", mail->size);
	field(row, mail->sha256);
	field(row, mail->bare ? NULL : mail->message_id);
	field(row, mail->bare ? NULL : mail->subject);
	field(row, mail->bare ? NULL : mail->header_from);
	field(row, json_authentic(mail->authentic));
	if (mail->envelope->again == 0)
		field_last(row, NULL);
	else
		g_string_append_printf(row, "%" G_GINT64_FORMAT "\n", mail->envelope->again);
}

/* Writing. */

gboolean store_open(struct db *db, gboolean again, GError **error)
{
	/* 250 means durable, whatever somebody set for this role or database */
	return db_exec(db, again ? "SET ROLE ruad_owner" : "SET ROLE ruad_ingest", NULL, 0, error) &&
	       db_exec(db,
		   "SELECT set_config('synchronous_commit', 'on', false)"
		   " WHERE current_setting('synchronous_commit') = 'off'",
		   NULL, 0, error) &&
	       db_exec(db, "SELECT ruad.stage_open()", NULL, 0, error);
}

/* rows with mail_no before each; a LF within a field is escaped, so that each LF ends a row. */
static void append_numbered(GString *out, guint mail_no, const GString *rows)
{
	const char *row = rows->str, *end = rows->str + rows->len;

	while (row < end) {
		const char *next = (const char *)memchr(row, '\n', (gsize)(end - row)) + 1;
		g_string_append_printf(out, "%u\t", mail_no);
		g_string_append_len(out, row, next - row);
		row = next;
	}
}

static gboolean copy(struct db *db, const char *sql, const GString *rows, GError **error)
{
	if (rows->len == 0)
		return TRUE;
	return db_copy_begin(db, sql, error) && db_copy_put(db, rows->str, rows->len, error) &&
	       db_copy_end(db, error);
}

static gboolean copy_mails(struct db *db, struct store_mail *const *mails, guint n, GError **error)
{
	g_autoptr(GString) rows = g_string_new(NULL);
	g_autoptr(GString) row = g_string_new(NULL);

	for (guint i = 0; i < n; i++) {
		g_string_truncate(row, 0);
		mail_row(row, mails[i]);
		append_numbered(rows, i + 1, row);
	}
	return copy(db, COPY_MAIL, rows, error);
}

static gboolean copy_items(struct db *db, struct store_mail *const *mails, guint n, GError **error)
{
	g_autoptr(GString) rows = g_string_new(NULL);

	for (guint i = 0; i < n; i++)
		append_numbered(rows, i + 1, mails[i]->items);
	return copy(db, COPY_ITEM, rows, error);
}

static gboolean copy_records(struct db *db, struct store_mail *const *mails, guint n, GError **error)
{
	g_autoptr(GString) rows = g_string_new(NULL);

	for (guint i = 0; i < n; i++)
		append_numbered(rows, i + 1, mails[i]->records);
	return copy(db, COPY_RECORD, rows, error);
}

static guint row_uint(const struct db_rows *rows, gsize row, guint column)
{
	const char *text = db_rows_get(rows, row, column);
	guint64 value = 0;

	if (!text || !g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT, &value, NULL))
		return 0;
	return (guint)value;
}

static gboolean keep_raw(struct db *db, const char *mail_id, const struct store_mail *mail, GError **error)
{
	const struct db_value params[] = { DB_TEXT(mail_id), DB_BYTES(mail->document, mail->size) };

	return db_exec(db, KEEP_RAW, params, G_N_ELEMENTS(params), error);
}

/* One row of ruad.ingest(): what became of a mail. */
static gboolean ingested(struct db *db, const struct db_rows *rows, gsize row,
    struct store_mail *const *mails, guint n, GError **error)
{
	guint mail_no = row_uint(rows, row, 0);
	const char *raw = db_rows_get(rows, row, 6);
	struct store_mail *mail;

	if (mail_no < 1 || mail_no > n) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM,
		    "database: ruad.ingest() speaks of mail %u of %u", mail_no, n);
		return FALSE;
	}
	mail = mails[mail_no - 1];
	mail->counts = (struct intake_counts){ .stored = row_uint(rows, row, 1),
		.duplicates = row_uint(rows, row, 2),
		.conflicts = row_uint(rows, row, 3),
		.unreadable = row_uint(rows, row, 4) };
	return !raw || *raw != 't' || keep_raw(db, db_rows_get(rows, row, 5), mail, error);
}

static gboolean ingest(struct db *db, struct store_mail *const *mails, guint n, GError **error)
{
	const char *sql = mails[0]->envelope->again != 0 ? INGEST_AGAIN : INGEST;
	struct db_rows *rows = db_query(db, sql, NULL, 0, error);
	gboolean good = rows != NULL;

	if (rows && db_rows_count(rows) != n) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM,
		    "database: ruad.ingest() speaks of %" G_GSIZE_FORMAT " mails of %u", db_rows_count(rows),
		    n);
		good = FALSE;
	}
	for (guint i = 0; good && i < n; i++)
		good = ingested(db, rows, i, mails, n, error);
	if (rows)
		db_rows_free(rows);
	return good;
}

/* Leave the transaction; what is on a connection that cannot is lost with it. */
static void rollback(struct db *db)
{
	g_autoptr(GError) ignored = NULL;

	if (db_alive(db) && !db_exec(db, "ROLLBACK", NULL, 0, &ignored))
		g_debug("rollback: %s", ignored->message);
}

/* COMMIT where all before was good, else ROLLBACK. */
static gboolean finish(struct db *db, gboolean good, gboolean *in_doubt, GError **error)
{
	*in_doubt = FALSE;
	if (good && db_exec(db, "COMMIT", NULL, 0, error))
		return TRUE;
	*in_doubt = good && !db_alive(db);
	rollback(db);
	return FALSE;
}

gboolean store_write(
    struct db *db, struct store_mail *const *mails, guint n, gboolean *in_doubt, GError **error)
{
	gboolean good = db_exec(db, "BEGIN", NULL, 0, error) && copy_mails(db, mails, n, error) &&
			copy_items(db, mails, n, error) && copy_records(db, mails, n, error) &&
			ingest(db, mails, n, error);

	return finish(db, good, in_doubt, error);
}

gboolean store_stream_begin(struct db *db, GError **error)
{
	return db_exec(db, "BEGIN", NULL, 0, error);
}

/* The connection takes only one kind of rows at a time. */
static gboolean stream_switch(struct db *db, struct store_mail *mail, enum copying copying, GError **error)
{
	static const char *const sql[] = { [COPY_RECORDS] = COPY_RECORD, [COPY_ITEMS] = COPY_ITEM };

	if (mail->copying == copying)
		return TRUE;
	if (mail->copying != COPY_NONE && !db_copy_end(db, error))
		return FALSE;
	mail->copying = COPY_NONE;
	if (copying == COPY_NONE)
		return TRUE;
	if (!db_copy_begin(db, sql[copying], error))
		return FALSE;
	mail->copying = copying;
	return TRUE;
}

/* Send rows and forget them. */
static gboolean stream_rows(
    struct db *db, struct store_mail *mail, enum copying copying, GString *waiting, GError **error)
{
	g_autoptr(GString) rows = NULL;

	if (waiting->len == 0)
		return TRUE;
	if (!stream_switch(db, mail, copying, error))
		return FALSE;
	rows = g_string_sized_new(waiting->len + waiting->len / 8);
	append_numbered(rows, 1, waiting);
	g_string_truncate(waiting, 0);
	return db_copy_put(db, rows->str, rows->len, error);
}

/* Items are few where records are many: they wait until they are worth a switch. */
static gboolean stream_put(struct db *db, struct store_mail *mail, gsize items_wait, GError **error)
{
	mail->streaming = TRUE;
	mail->report_start = 0;
	if (stream_rows(db, mail, COPY_RECORDS, mail->records, error) &&
	    (mail->items->len <= items_wait || stream_rows(db, mail, COPY_ITEMS, mail->items, error)))
		return TRUE;
	rollback(db);
	return FALSE;
}

gboolean store_stream_put(struct db *db, struct store_mail *mail, GError **error)
{
	return stream_put(db, mail, STREAM_PIECE / 2, error);
}

gboolean store_stream_end(struct db *db, struct store_mail *mail, gboolean *in_doubt, GError **error)
{
	gboolean good;

	*in_doubt = FALSE;
	if (!stream_put(db, mail, 0, error))
		return FALSE;
	good = stream_switch(db, mail, COPY_NONE, error) && copy_mails(db, &mail, 1, error) &&
	       ingest(db, &mail, 1, error);
	return finish(db, good, in_doubt, error);
}

void store_stream_abort(struct db *db, struct store_mail *mail)
{
	if (db_alive(db) && mail->copying != COPY_NONE)
		db_copy_abort(db, "the mail could not be read to its end");
	mail->copying = COPY_NONE;
	rollback(db);
}
