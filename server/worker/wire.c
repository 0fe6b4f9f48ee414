#include "server/worker/wire.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "parser/error.h"
#include "server/worker/wire_reports.h"

/*
 * One frame type, one signature. Records are most of all bytes, so their chunk is two flat arrays that
 * GVariant checks and hands out without a copy: per record the numbers
 *
 *   count, n_reason, n_auth_dkim, n_auth_spf, n_note
 *
 * and its strings in the order of report.h, each with its NUL, the last filled up with NULs to a multiple of
 * eight; an absent one is the byte 0xFF, which no UTF-8 holds.
 *
 * Measured, a record of 660 bytes of XML that takes libxml2 3.7 us: as an array of tuples, built and read
 * value by value, 18 us; as two arrays 0.3 us to write and 0.3 us to read, but 1.5 us to read when the text
 * is "ay", whose bytes g_variant_is_normal_form() looks at one by one. Hence words.
 */
#define FRAME_MAIL       'M'
#define FRAME_BEGIN      'B'
#define FRAME_RECORDS    'R'
#define FRAME_END        'E'
#define FRAME_FAILURE    'F'
#define FRAME_TLS        'T'
#define FRAME_UNREADABLE 'U'
#define FRAME_DONE       'D'

#define MAIL_TYPE    "(msmsmsy)"
#define BEGIN_TYPE   "(s)"
#define RECORDS_TYPE "(axat)"
#define END_TYPE                                                                                             \
	"(smsms"                                                                                             \
	"msmsmsms"                                                                                           \
	"xx"                                                                                                 \
	"as"                                                                                                 \
	"ms"                                                                                                 \
	"s"                                                                                                  \
	"msmsmsmsms"                                                                                         \
	"i"                                                                                                  \
	"msmsms"                                                                                             \
	"bt"                                                                                                 \
	"ay" WIRE_NOTES_TYPE ")"

#define UNREADABLE_TYPE "(sss)"
#define DONE_TYPE       "()"

#define ABSENT    "\xff"
#define NUMBERS   5            /* in a chunk for each record */
#define WORD      8            /* bytes of an element of a chunk's text */
#define CHUNK_MAX (256 * 1024) /* bytes at which a chunk closes */

/* -- writing -- */

struct wire_writer {
	int fd;
	GByteArray *out;  /* complete frames to be sent */
	GArray *numbers;  /* gint64, of the open chunk */
	GByteArray *text; /* strings of the open chunk */
};

struct wire_writer *wire_writer_new(int fd)
{
	struct wire_writer *writer = g_new0(struct wire_writer, 1);
	writer->fd = fd;
	writer->out = g_byte_array_new();
	writer->numbers = g_array_new(FALSE, FALSE, sizeof(gint64));
	writer->text = g_byte_array_new();
	return writer;
}

void wire_writer_free(struct wire_writer *writer)
{
	if (writer == NULL)
		return;
	g_byte_array_unref(writer->out);
	g_array_unref(writer->numbers);
	g_byte_array_unref(writer->text);
	g_free(writer);
}

static gboolean write_out(struct wire_writer *writer, GError **error)
{
	const guint8 *data = writer->out->data;
	gsize left = writer->out->len;
	while (left > 0) {
		ssize_t n = write(writer->fd, data, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "could not write to the parent: %s",
			    g_strerror(errno));
			return FALSE;
		}
		data += n;
		left -= (gsize)n;
	}
	g_byte_array_set_size(writer->out, 0);
	return TRUE;
}

static void append_head(GByteArray *out, guint8 type, gsize size)
{
	guint32 length = GUINT32_TO_LE((guint32)size);
	g_byte_array_append(out, &type, 1);
	g_byte_array_append(out, (const guint8 *)&length, sizeof(length));
}

/* Append one frame; value is consumed if floating. */
static gboolean append_frame(struct wire_writer *writer, guint8 type, GVariant *value, GError **error)
{
	g_autoptr(GVariant) owned = g_variant_ref_sink(value);
	gsize size = g_variant_get_size(owned);
	if (size > WIRE_FRAME_MAX) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM,
		    "a frame of %" G_GSIZE_FORMAT " bytes is too large", size);
		return FALSE;
	}
	append_head(writer->out, type, size);
	g_byte_array_append(writer->out, g_variant_get_data(owned), (guint)size);
	return TRUE;
}

static gboolean close_chunk(struct wire_writer *writer, GError **error)
{
	if (writer->numbers->len == 0)
		return TRUE;
	GVariant *numbers = g_variant_new_fixed_array(
	    G_VARIANT_TYPE_INT64, writer->numbers->data, writer->numbers->len, sizeof(gint64));
	static const guint8 fill[WORD] = { 0 };
	g_byte_array_append(writer->text, fill, (WORD - writer->text->len % WORD) % WORD);
	GVariant *text = g_variant_new_fixed_array(
	    G_VARIANT_TYPE_UINT64, writer->text->data, writer->text->len / WORD, WORD);
	gboolean ok = append_frame(writer, FRAME_RECORDS, g_variant_new("(@ax@at)", numbers, text), error);
	g_array_set_size(writer->numbers, 0);
	g_byte_array_set_size(writer->text, 0);
	return ok;
}

static gsize chunk_size(const struct wire_writer *writer)
{
	return writer->text->len + writer->numbers->len * sizeof(gint64);
}

static void put_text(GByteArray *text, const char *value)
{
	if (value == NULL)
		value = ABSENT;
	g_byte_array_append(text, (const guint8 *)value, (guint)strlen(value) + 1);
}

static gboolean write_mail(gpointer user, const struct mail_header *mail, GError **error)
{
	return append_frame(user, FRAME_MAIL,
	    g_variant_new(MAIL_TYPE, mail->message_id, mail->subject, mail->from, (guchar)mail->authentic),
	    error);
}

static gboolean write_begin(gpointer user, const char *place, GError **error)
{
	return append_frame(user, FRAME_BEGIN, g_variant_new(BEGIN_TYPE, place), error);
}

#define TEXT_OF(name) r->name,

static void put_record(struct wire_writer *writer, const struct aggregate_record *r)
{
	const gint64 numbers[NUMBERS] = { r->count, (gint64)r->n_reason, (gint64)r->n_auth_dkim,
		(gint64)r->n_auth_spf, (gint64)r->n_note };
	const char *const fixed[] = { r->source_ip,
		AGGREGATE_EVALUATED(TEXT_OF) AGGREGATE_IDENTIFIERS(TEXT_OF) };
	GByteArray *text = writer->text;

	g_array_append_vals(writer->numbers, numbers, NUMBERS);
	for (gsize i = 0; i < G_N_ELEMENTS(fixed); i++)
		put_text(text, fixed[i]);
	for (gsize i = 0; i < r->n_reason; i++) {
		put_text(text, r->reason[i].type);
		put_text(text, r->reason[i].comment);
	}
	for (gsize i = 0; i < r->n_auth_dkim; i++) {
		put_text(text, r->auth_dkim[i].domain);
		put_text(text, r->auth_dkim[i].selector);
		put_text(text, r->auth_dkim[i].result);
		put_text(text, r->auth_dkim[i].human_result);
	}
	for (gsize i = 0; i < r->n_auth_spf; i++) {
		put_text(text, r->auth_spf[i].domain);
		put_text(text, r->auth_spf[i].scope);
		put_text(text, r->auth_spf[i].result);
		put_text(text, r->auth_spf[i].human_result);
	}
	for (gsize i = 0; i < r->n_note; i++) {
		put_text(text, r->note[i].code);
		put_text(text, r->note[i].path);
		put_text(text, r->note[i].raw);
	}
}

static gboolean write_record(gpointer user, const struct aggregate_record *record, GError **error)
{
	struct wire_writer *writer = user;
	put_record(writer, record);
	if (chunk_size(writer) < CHUNK_MAX)
		return TRUE;
	return close_chunk(writer, error) && write_out(writer, error);
}

static GVariant *encode_header(const struct aggregate_header *h)
{
	GVariant *error = g_variant_new_strv(h->error, (gssize)h->n_error);
	GVariant *sha256 = g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, h->sha256, sizeof(h->sha256), 1);
	return g_variant_new("(smsmsmsmsmsmsxx@asmssmsmsmsmsmsimsmsmsbt@ay@" WIRE_NOTES_TYPE ")", h->dialect,
	    h->version, h->xmlns, h->org_name, h->email, h->extra_contact_info, h->report_id, h->begin,
	    h->end, error, h->generator, h->domain, h->adkim, h->aspf, h->p, h->sp, h->np, h->pct, h->fo,
	    h->testing, h->discovery_method, h->partial, h->records, sha256,
	    wire_notes_encode(h->note, h->n_note));
}

static gboolean write_end(gpointer user, const struct aggregate_header *header, GError **error)
{
	return close_chunk(user, error) && append_frame(user, FRAME_END, encode_header(header), error);
}

/* The records since report_begin() are discarded: those that still wait need not be sent. */
static gboolean write_unreadable(gpointer user, const struct unreadable *u, GError **error)
{
	struct wire_writer *writer = user;
	g_array_set_size(writer->numbers, 0);
	g_byte_array_set_size(writer->text, 0);
	return append_frame(
	    writer, FRAME_UNREADABLE, g_variant_new(UNREADABLE_TYPE, u->place, u->code, u->reason), error);
}

/* Send a frame with a complete report. One that is too large for a frame is quarantined; the mail's other
 * reports are kept. */
static gboolean write_whole(
    struct wire_writer *writer, guint8 type, const char *place, GVariant *value, GError **error)
{
	g_autoptr(GVariant) owned = g_variant_ref_sink(value);
	gsize size = g_variant_get_size(owned);
	if (size <= WIRE_FRAME_MAX)
		return append_frame(writer, type, owned, error) && write_out(writer, error);
	g_autofree char *reason =
	    g_strdup_printf("the report takes %" G_GSIZE_FORMAT " bytes, more than %d", size, WIRE_FRAME_MAX);
	const struct unreadable too_large = { .place = place, .code = "limit", .reason = reason };
	return write_unreadable(writer, &too_large, error);
}

static gboolean write_failure(
    gpointer user, const char *place, const struct failure_report *failure, GError **error)
{
	return write_whole(user, FRAME_FAILURE, place, wire_failure_encode(place, failure), error);
}

static gboolean write_tls(gpointer user, const char *place, const struct tls_report *tls, GError **error)
{
	return write_whole(user, FRAME_TLS, place, wire_tls_encode(place, tls), error);
}

const struct report_sink *wire_writer_sink(void)
{
	static const struct report_sink sink = { .mail = write_mail,
		.report_begin = write_begin,
		.record = write_record,
		.report_end = write_end,
		.failure = write_failure,
		.tls = write_tls,
		.unreadable = write_unreadable };
	return &sink;
}

gboolean wire_writer_hello(struct wire_writer *writer, GError **error)
{
	append_head(writer->out, WIRE_HELLO, strlen(RUAD_VERSION));
	g_byte_array_append(writer->out, (const guint8 *)RUAD_VERSION, (guint)strlen(RUAD_VERSION));
	return write_out(writer, error);
}

gboolean wire_writer_done(struct wire_writer *writer, GError **error)
{
	return close_chunk(writer, error) &&
	       append_frame(writer, FRAME_DONE, g_variant_new(DONE_TYPE), error) && write_out(writer, error);
}

gsize wire_frame_length(const guint8 head[WIRE_HEAD])
{
	guint32 length;
	memcpy(&length, head + 1, sizeof(length));
	return GUINT32_FROM_LE(length);
}

void wire_request_encode(guint8 head[WIRE_REQUEST], struct wire_request request)
{
	guint64 length = GUINT64_TO_LE(request.size);
	gint64 received = GINT64_TO_LE(request.received);
	memcpy(head, &length, sizeof(length));
	memcpy(head + sizeof(length), &received, sizeof(received));
}

struct wire_request wire_request_decode(const guint8 head[WIRE_REQUEST])
{
	guint64 length;
	gint64 received;
	memcpy(&length, head, sizeof(length));
	memcpy(&received, head + sizeof(length), sizeof(received));
	return (struct wire_request){ GUINT64_FROM_LE(length), GINT64_FROM_LE(received) };
}

/* -- reading -- */

enum state { STATE_START, STATE_BETWEEN, STATE_IN_REPORT, STATE_DONE };

struct wire_reader {
	const struct report_sink *sink;
	gpointer user;
	enum state state;
	guint64 in_report;                  /* records of the open report */
	guint64 records;                    /* of the answer */
	guint reports;                      /* reports and unreadables of the answer */
	gboolean unreadable;                /* there was one */
	GArray *reason, *dkim, *spf, *note; /* of the current record, reused */
};

struct wire_reader *wire_reader_new(const struct report_sink *sink, gpointer user)
{
	struct wire_reader *reader = g_new0(struct wire_reader, 1);
	reader->sink = sink;
	reader->user = user;
	reader->reason = g_array_new(FALSE, FALSE, sizeof(struct aggregate_reason));
	reader->dkim = g_array_new(FALSE, FALSE, sizeof(struct auth_result_dkim));
	reader->spf = g_array_new(FALSE, FALSE, sizeof(struct auth_result_spf));
	reader->note = g_array_new(FALSE, FALSE, sizeof(struct report_note));
	return reader;
}

void wire_reader_free(struct wire_reader *reader)
{
	if (reader == NULL)
		return;
	g_array_unref(reader->reason);
	g_array_unref(reader->dkim);
	g_array_unref(reader->spf);
	g_array_unref(reader->note);
	g_free(reader);
}

gboolean wire_reader_all_readable(const struct wire_reader *reader)
{
	return !reader->unreadable;
}

/* The strings of a chunk, one after another. */
struct cursor {
	const char *at;
	const char *end; /* after the last string's NUL */
};

/* The next string, borrowed, or NULL for an absent one. */
static gboolean next_text(struct cursor *cursor, const char **value, GError **error)
{
	if (cursor->at == cursor->end)
		return wire_refuse(error, "strings are missing");
	const char *text = cursor->at, *stop;
	if (text[0] == ABSENT[0] && text[1] == '\0') {
		*value = NULL;
		cursor->at += 2;
		return TRUE;
	}
	if (!g_utf8_validate(text, -1, &stop))
		return wire_refuse(error, "a string is not UTF-8");
	*value = text;
	cursor->at = stop + 1;
	return TRUE;
}

static gboolean next_texts(struct cursor *cursor, const char ***values, gsize n, GError **error)
{
	for (gsize i = 0; i < n; i++) {
		if (!next_text(cursor, values[i], error))
			return FALSE;
	}
	return TRUE;
}

#define NEXT(cursor, error, ...)                                                                             \
	next_texts(cursor, (const char **[]){ __VA_ARGS__ },                                                 \
	    sizeof((const char **[]){ __VA_ARGS__ }) / sizeof(const char **), error)

static gboolean check_count(gint64 n, GError **error)
{
	return n >= 0 ? wire_check_items((guint64)n, WIRE_ITEMS_MAX, error)
		      : wire_refuse(error, "%" G_GINT64_FORMAT " items in a list", n);
}

static gboolean check_notes(const struct report_note *note, gsize n, GError **error)
{
	for (gsize i = 0; i < n; i++) {
		if (note[i].code == NULL || note[i].path == NULL)
			return wire_refuse(error, "a note without code or path");
	}
	return TRUE;
}

static gboolean read_reasons(struct wire_reader *reader, struct cursor *cursor, gsize n, GError **error)
{
	g_array_set_size(reader->reason, (guint)n);
	for (gsize i = 0; i < n; i++) {
		struct aggregate_reason *reason = &g_array_index(reader->reason, struct aggregate_reason, i);
		if (!NEXT(cursor, error, &reason->type, &reason->comment))
			return FALSE;
	}
	return TRUE;
}

static gboolean read_dkim(struct wire_reader *reader, struct cursor *cursor, gsize n, GError **error)
{
	g_array_set_size(reader->dkim, (guint)n);
	for (gsize i = 0; i < n; i++) {
		struct auth_result_dkim *dkim = &g_array_index(reader->dkim, struct auth_result_dkim, i);
		if (!NEXT(cursor, error, &dkim->domain, &dkim->selector, &dkim->result, &dkim->human_result))
			return FALSE;
	}
	return TRUE;
}

static gboolean read_spf(struct wire_reader *reader, struct cursor *cursor, gsize n, GError **error)
{
	g_array_set_size(reader->spf, (guint)n);
	for (gsize i = 0; i < n; i++) {
		struct auth_result_spf *spf = &g_array_index(reader->spf, struct auth_result_spf, i);
		if (!NEXT(cursor, error, &spf->domain, &spf->scope, &spf->result, &spf->human_result))
			return FALSE;
	}
	return TRUE;
}

static gboolean read_notes(struct wire_reader *reader, struct cursor *cursor, gsize n, GError **error)
{
	g_array_set_size(reader->note, (guint)n);
	for (gsize i = 0; i < n; i++) {
		struct report_note *note = &g_array_index(reader->note, struct report_note, i);
		if (!NEXT(cursor, error, &note->code, &note->path, &note->raw))
			return FALSE;
	}
	return check_notes((const struct report_note *)(void *)reader->note->data, n, error);
}

#define PLACE_OF(name) &r->name,

/* The record of numbers[0..NUMBERS) and the next strings; its arrays belong to the reader. */
static gboolean decode_record(struct wire_reader *reader, const gint64 *numbers, struct cursor *cursor,
    struct aggregate_record *r, GError **error)
{
	for (gsize i = 1; i < NUMBERS; i++) {
		if (!check_count(numbers[i], error))
			return FALSE;
	}
	*r = (struct aggregate_record){ .count = numbers[0],
		.n_reason = (gsize)numbers[1],
		.n_auth_dkim = (gsize)numbers[2],
		.n_auth_spf = (gsize)numbers[3],
		.n_note = (gsize)numbers[4] };
	if (r->count < -1)
		return wire_refuse(error, "count %" G_GINT64_FORMAT, r->count);
	if (!NEXT(cursor, error, &r->source_ip,
		AGGREGATE_EVALUATED(PLACE_OF) AGGREGATE_IDENTIFIERS(PLACE_OF)) ||
	    !wire_check_address("source_ip", r->source_ip, error) ||
	    !read_reasons(reader, cursor, r->n_reason, error) ||
	    !read_dkim(reader, cursor, r->n_auth_dkim, error) ||
	    !read_spf(reader, cursor, r->n_auth_spf, error) || !read_notes(reader, cursor, r->n_note, error))
		return FALSE;
	r->reason = (const void *)reader->reason->data;
	r->auth_dkim = (const void *)reader->dkim->data;
	r->auth_spf = (const void *)reader->spf->data;
	r->note = (const void *)reader->note->data;
	return TRUE;
}

/* Only NULs may follow the last string, to fill its word. */
static gboolean check_fill(const struct cursor *cursor, GError **error)
{
	static const char fill[WORD] = { 0 };
	gsize left = (gsize)(cursor->end - cursor->at);
	return (left < WORD && memcmp(cursor->at, fill, left) == 0) ||
	       wire_refuse(error, "strings are left over");
}

static gboolean read_records(
    struct wire_reader *reader, const gint64 *numbers, gsize n, struct cursor *cursor, GError **error)
{
	struct aggregate_record record;
	for (gsize i = 0; i < n; i++) {
		if (!decode_record(reader, numbers + i * NUMBERS, cursor, &record, error) ||
		    !reader->sink->record(reader->user, &record, error))
			return FALSE;
	}
	return check_fill(cursor, error);
}

static gboolean take_records(struct wire_reader *reader, GVariant *value, GError **error)
{
	g_autoptr(GVariant) numbers = g_variant_get_child_value(value, 0);
	g_autoptr(GVariant) text = g_variant_get_child_value(value, 1);
	gsize n_numbers, words;
	const gint64 *number = g_variant_get_fixed_array(numbers, &n_numbers, sizeof(gint64));
	const char *bytes = g_variant_get_fixed_array(text, &words, WORD);
	gsize size = words * WORD;

	if (n_numbers == 0 || n_numbers % NUMBERS != 0 || size == 0 || bytes[size - 1] != '\0')
		return wire_refuse(error, "a chunk is not made of records");
	gsize n = n_numbers / NUMBERS;
	reader->in_report += n;
	reader->records += n;
	if (reader->records > WIRE_RECORDS_MAX)
		return wire_refuse(error, "more than %d records", WIRE_RECORDS_MAX);
	struct cursor cursor = { .at = bytes, .end = bytes + size };
	return read_records(reader, number, n, &cursor, error);
}

static gboolean take_mail(struct wire_reader *reader, GVariant *value, GError **error)
{
	struct mail_header mail;
	guchar authentic;
	g_variant_get(value, "(m&sm&sm&sy)", &mail.message_id, &mail.subject, &mail.from, &authentic);
	if (authentic > AUTHENTIC_FAIL)
		return wire_refuse(error, "an unknown verdict");
	mail.authentic = authentic;
	return reader->sink->mail(reader->user, &mail, error);
}

static gboolean count_report(struct wire_reader *reader, GError **error)
{
	return ++reader->reports <= WIRE_REPORTS_MAX ||
	       wire_refuse(error, "more than %d reports", WIRE_REPORTS_MAX);
}

static gboolean take_begin(struct wire_reader *reader, GVariant *value, GError **error)
{
	const char *place;
	g_variant_get(value, "(&s)", &place);
	if (!count_report(reader, error))
		return FALSE;
	reader->in_report = 0;
	return reader->sink->report_begin(reader->user, place, error);
}

static gboolean check_header(
    const struct wire_reader *reader, const struct aggregate_header *h, GError **error)
{
	static const char *const dialects[] = { "rfc9990", "rfc7489", "draft", NULL };
	if (!g_strv_contains(dialects, h->dialect))
		return wire_refuse(error, "an unknown dialect");
	if (*h->domain == '\0')
		return wire_refuse(error, "a report without policy domain");
	if (h->begin < 0 || h->begin > REPORT_TIME_MAX || h->end < 0 || h->end > REPORT_TIME_MAX)
		return wire_refuse(error, "date_range is out of range");
	if (h->pct < -1 || h->pct > 100)
		return wire_refuse(error, "pct %d", h->pct);
	if (h->records != reader->in_report)
		return wire_refuse(error,
		    "%" G_GUINT64_FORMAT " records were announced, %" G_GUINT64_FORMAT " came", h->records,
		    reader->in_report);
	return TRUE;
}

static gboolean take_end(struct wire_reader *reader, GVariant *value, GError **error)
{
	struct aggregate_header h = { 0 };
	g_autoptr(GVariant) errors = NULL;
	g_autoptr(GVariant) sha256 = NULL;
	g_autoptr(GVariant) notes = NULL;
	g_autofree const char **strings = NULL;
	g_autofree struct report_note *note = NULL;

	g_variant_get(value,
	    "(&sm&sm&sm&sm&sm&sm&sxx@asm&s&sm&sm&sm&sm&sm&sim&sm&sm&sbt@ay@" WIRE_NOTES_TYPE ")", &h.dialect,
	    &h.version, &h.xmlns, &h.org_name, &h.email, &h.extra_contact_info, &h.report_id, &h.begin,
	    &h.end, &errors, &h.generator, &h.domain, &h.adkim, &h.aspf, &h.p, &h.sp, &h.np, &h.pct, &h.fo,
	    &h.testing, &h.discovery_method, &h.partial, &h.records, &sha256, &notes);
	if (!check_header(reader, &h, error) ||
	    !wire_strings_decode(errors, WIRE_ITEMS_MAX, &strings, &h.n_error, error) ||
	    !wire_sha256_decode(sha256, h.sha256, error) ||
	    !wire_notes_decode(notes, &note, &h.n_note, error))
		return FALSE;
	h.error = strings;
	h.note = note;
	return reader->sink->report_end(reader->user, &h, error);
}

static gboolean take_failure(struct wire_reader *reader, GVariant *value, GError **error)
{
	return count_report(reader, error) && wire_failure_decode(value, reader->sink, reader->user, error);
}

static gboolean take_tls(struct wire_reader *reader, GVariant *value, GError **error)
{
	return count_report(reader, error) && wire_tls_decode(value, reader->sink, reader->user, error);
}

/* It may end an open report or stand alone: only then it is counted. */
static gboolean take_unreadable(struct wire_reader *reader, GVariant *value, GError **error)
{
	struct unreadable u;
	g_variant_get(value, "(&s&s&s)", &u.place, &u.code, &u.reason);
	if (*u.code == '\0' || *u.reason == '\0')
		return wire_refuse(error, "an unreadable without code or reason");
	if (reader->state != STATE_IN_REPORT && !count_report(reader, error))
		return FALSE;
	reader->unreadable = TRUE;
	return reader->sink->unreadable(reader->user, &u, error);
}

/* A document that gave neither a report nor a reason would be lost. */
static gboolean take_done(struct wire_reader *reader, GVariant *value G_GNUC_UNUSED, GError **error)
{
	return reader->reports > 0 || wire_refuse(error, "it says nothing");
}

/* The frames, the states in which they may arrive, and the following state: the grammar of report.h. */
static const struct frame {
	guint8 type;
	const char *signature;
	guint allowed; /* bits of enum state */
	enum state next;
	gboolean (*take)(struct wire_reader *reader, GVariant *value, GError **error);
} frames[] = {
	{ FRAME_MAIL, MAIL_TYPE, 1 << STATE_START, STATE_BETWEEN, take_mail },
	{ FRAME_BEGIN, BEGIN_TYPE, 1 << STATE_START | 1 << STATE_BETWEEN, STATE_IN_REPORT, take_begin },
	{ FRAME_RECORDS, RECORDS_TYPE, 1 << STATE_IN_REPORT, STATE_IN_REPORT, take_records },
	{ FRAME_END, END_TYPE, 1 << STATE_IN_REPORT, STATE_BETWEEN, take_end },
	{ FRAME_FAILURE, WIRE_FAILURE_TYPE, 1 << STATE_START | 1 << STATE_BETWEEN, STATE_BETWEEN,
	    take_failure },
	{ FRAME_TLS, WIRE_TLS_TYPE, 1 << STATE_START | 1 << STATE_BETWEEN, STATE_BETWEEN, take_tls },
	{ FRAME_UNREADABLE, UNREADABLE_TYPE, 1 << STATE_START | 1 << STATE_BETWEEN | 1 << STATE_IN_REPORT,
	    STATE_BETWEEN, take_unreadable },
	{ FRAME_DONE, DONE_TYPE, 1 << STATE_START | 1 << STATE_BETWEEN, STATE_DONE, take_done },
};

static const struct frame *find_frame(guint8 type)
{
	for (gsize i = 0; i < G_N_ELEMENTS(frames); i++) {
		if (frames[i].type == type)
			return &frames[i];
	}
	return NULL;
}

gboolean wire_reader_frame(
    struct wire_reader *reader, guint8 type, GBytes *content, gboolean *done, GError **error)
{
	const struct frame *frame = find_frame(type);
	if (frame == NULL)
		return wire_refuse(error, "no frame has type %u", type);
	if ((frame->allowed & (1u << reader->state)) == 0)
		return wire_refuse(error, "frame '%c' out of order", type);
	if (g_bytes_get_size(content) > WIRE_FRAME_MAX)
		return wire_refuse(error, "frame '%c' is too long", type);

	g_autoptr(GVariant) value =
	    g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE(frame->signature), content, FALSE));
	if (!g_variant_is_normal_form(value))
		return wire_refuse(error, "frame '%c' is not in normal form", type);
	if (!frame->take(reader, value, error))
		return FALSE;
	reader->state = frame->next;
	*done = frame->next == STATE_DONE;
	return TRUE;
}
