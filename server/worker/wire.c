#include "server/worker/wire.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "parser/error.h"
#include "server/worker/wire_tables.h"

/*
 * Types of frames, and their content. Records travel many in one frame, since they are most of all bytes.
 */
#define FRAME_MAIL       'M' /* struct mail_header */
#define FRAME_BEGIN      'B' /* place */
#define FRAME_RECORDS    'R' /* struct aggregate_record, one or more */
#define FRAME_END        'E' /* struct aggregate_header */
#define FRAME_FAILURE    'F' /* place, struct failure_report */
#define FRAME_TLS        'T' /* place, struct tls_report */
#define FRAME_UNREADABLE 'U' /* struct unreadable */
#define FRAME_DONE       'D' /* nothing */

#define CHUNK_MAX (256 * 1024) /* bytes of records at which their frame ends */

/* -- writing -- */

struct wire_writer {
	int fd;
	GByteArray *out;      /* frames to be sent; the last one may be open */
	guint start;          /* of the open frame, or of the last one */
	gboolean has_records; /* the open frame is one of records */
};

struct wire_writer *wire_writer_new(int fd)
{
	struct wire_writer *writer = g_new0(struct wire_writer, 1);
	writer->fd = fd;
	writer->out = g_byte_array_new();
	return writer;
}

void wire_writer_free(struct wire_writer *writer)
{
	if (writer == NULL)
		return;
	g_byte_array_unref(writer->out);
	g_free(writer);
}

gsize wire_writer_waiting(const struct wire_writer *writer)
{
	return writer->out->len;
}

gboolean wire_writer_flush(struct wire_writer *writer, GError **error)
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

static gsize frame_size(const struct wire_writer *writer)
{
	return writer->out->len - writer->start - WIRE_HEAD;
}

/* Begin a frame, whose length is set at its end. */
static GByteArray *begin_frame(struct wire_writer *writer, guint8 type)
{
	static const guint8 no_length[WIRE_HEAD - 1] = { 0 };
	writer->start = writer->out->len;
	g_byte_array_append(writer->out, &type, 1);
	g_byte_array_append(writer->out, no_length, sizeof(no_length));
	return writer->out;
}

static gboolean end_frame(struct wire_writer *writer, GError **error)
{
	gsize size = frame_size(writer);
	guint32 length = GUINT32_TO_LE((guint32)size);
	if (size > WIRE_FRAME_MAX) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM,
		    "a frame of %" G_GSIZE_FORMAT " bytes is too large", size);
		return FALSE;
	}
	memcpy(writer->out->data + writer->start + 1, &length, sizeof(length));
	return TRUE;
}

static gboolean put_frame(
    struct wire_writer *writer, guint8 type, const struct wire_type *of, const void *value, GError **error)
{
	wire_put(begin_frame(writer, type), of, value);
	return end_frame(writer, error);
}

static gboolean end_records(struct wire_writer *writer, GError **error)
{
	if (!writer->has_records)
		return TRUE;
	writer->has_records = FALSE;
	return end_frame(writer, error);
}

static gboolean write_mail(gpointer user, const struct mail_header *mail, GError **error)
{
	return put_frame(user, FRAME_MAIL, &wire_mail_header, mail, error);
}

static gboolean write_begin(gpointer user, const char *place, GError **error)
{
	wire_put_text(begin_frame(user, FRAME_BEGIN), place);
	return end_frame(user, error);
}

static gboolean write_record(gpointer user, const struct aggregate_record *record, GError **error)
{
	struct wire_writer *writer = user;
	if (!writer->has_records)
		begin_frame(writer, FRAME_RECORDS);
	writer->has_records = TRUE;
	wire_put(writer->out, &wire_aggregate_record, record);
	if (frame_size(writer) < CHUNK_MAX)
		return TRUE;
	return end_records(writer, error) && wire_writer_flush(writer, error);
}

static gboolean write_end(gpointer user, const struct aggregate_header *header, GError **error)
{
	return end_records(user, error) && put_frame(user, FRAME_END, &wire_aggregate_header, header, error);
}

/* The records since report_begin() are discarded: those that still wait need not be sent. */
static gboolean write_unreadable(gpointer user, const struct unreadable *u, GError **error)
{
	struct wire_writer *writer = user;
	if (writer->has_records)
		g_byte_array_set_size(writer->out, writer->start);
	writer->has_records = FALSE;
	return put_frame(writer, FRAME_UNREADABLE, &wire_unreadable, u, error);
}

/* Send a frame with a complete report. One that is too large for a frame is quarantined; the mail's other
 * reports are kept. */
static gboolean write_whole(struct wire_writer *writer, guint8 type, const struct wire_type *of,
    const char *place, const void *report, GError **error)
{
	GByteArray *out = begin_frame(writer, type);
	wire_put_text(out, place);
	wire_put(out, of, report);
	gsize size = frame_size(writer);
	if (size <= WIRE_FRAME_MAX)
		return end_frame(writer, error) && wire_writer_flush(writer, error);
	g_byte_array_set_size(out, writer->start);
	g_autofree char *reason =
	    g_strdup_printf("the report takes %" G_GSIZE_FORMAT " bytes, more than %d", size, WIRE_FRAME_MAX);
	const struct unreadable too_large = { .place = place, .code = "limit", .reason = reason };
	return write_unreadable(writer, &too_large, error);
}

static gboolean write_failure(
    gpointer user, const char *place, const struct failure_report *failure, GError **error)
{
	return write_whole(user, FRAME_FAILURE, &wire_failure_report, place, failure, error);
}

static gboolean write_tls(gpointer user, const char *place, const struct tls_report *tls, GError **error)
{
	return write_whole(user, FRAME_TLS, &wire_tls_report, place, tls, error);
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
	g_byte_array_append(
	    begin_frame(writer, WIRE_HELLO), (const guint8 *)RUAD_VERSION, (guint)strlen(RUAD_VERSION));
	return end_frame(writer, error) && wire_writer_flush(writer, error);
}

gboolean wire_writer_done(struct wire_writer *writer, GError **error)
{
	if (!end_records(writer, error))
		return FALSE;
	begin_frame(writer, FRAME_DONE);
	return end_frame(writer, error);
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
	guint64 in_report;        /* records of the open report */
	guint64 records;          /* of the answer */
	guint reports;            /* reports and unreadables of the answer */
	gboolean unreadable;      /* there was one */
	struct wire_arena *arena; /* lists of the current structure */
};

struct wire_reader *wire_reader_new(void)
{
	struct wire_reader *reader = g_new0(struct wire_reader, 1);
	reader->arena = wire_arena_new();
	return reader;
}

void wire_reader_begin(struct wire_reader *reader, const struct report_sink *sink, gpointer user)
{
	*reader = (struct wire_reader){ .sink = sink, .user = user, .arena = reader->arena };
}

void wire_reader_free(struct wire_reader *reader)
{
	if (reader == NULL)
		return;
	wire_arena_free(reader->arena);
	g_free(reader);
}

gboolean wire_reader_all_readable(const struct wire_reader *reader)
{
	return !reader->unreadable;
}

static gboolean take_record(struct wire_reader *reader, struct wire_cursor *cursor, GError **error)
{
	struct aggregate_record record;

	wire_arena_reset(reader->arena);
	cursor->items = 0;
	if (!wire_take(cursor, &wire_aggregate_record, &record, error))
		return FALSE;
	reader->in_report++;
	if (++reader->records > WIRE_RECORDS_MAX)
		return wire_refuse(error, "more than %d records", WIRE_RECORDS_MAX);
	return reader->sink->record(reader->user, &record, error);
}

static gboolean take_records(struct wire_reader *reader, struct wire_cursor *cursor, GError **error)
{
	do {
		if (!take_record(reader, cursor, error))
			return FALSE;
	} while (cursor->at < cursor->end);
	return TRUE;
}

/* The only structure of a frame. */
static gboolean take_only(
    struct wire_cursor *cursor, const struct wire_type *type, void *value, GError **error)
{
	return wire_take(cursor, type, value, error) && wire_take_end(cursor, error);
}

static gboolean take_mail(struct wire_reader *reader, struct wire_cursor *cursor, GError **error)
{
	struct mail_header mail;
	return take_only(cursor, &wire_mail_header, &mail, error) &&
	       reader->sink->mail(reader->user, &mail, error);
}

static gboolean count_report(struct wire_reader *reader, GError **error)
{
	return ++reader->reports <= WIRE_REPORTS_MAX ||
	       wire_refuse(error, "more than %d reports", WIRE_REPORTS_MAX);
}

static gboolean take_begin(struct wire_reader *reader, struct wire_cursor *cursor, GError **error)
{
	const char *place;
	if (!wire_take_text(cursor, "place", &place, error) || !wire_take_end(cursor, error) ||
	    !count_report(reader, error))
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
	return h->records == reader->in_report ||
	       wire_refuse(error, "%" G_GUINT64_FORMAT " records were announced, %" G_GUINT64_FORMAT " came",
		   h->records, reader->in_report);
}

static gboolean take_end(struct wire_reader *reader, struct wire_cursor *cursor, GError **error)
{
	struct aggregate_header header;
	return take_only(cursor, &wire_aggregate_header, &header, error) &&
	       check_header(reader, &header, error) && reader->sink->report_end(reader->user, &header, error);
}

static gboolean take_failure(struct wire_reader *reader, struct wire_cursor *cursor, GError **error)
{
	struct failure_report failure;
	const char *place;
	return count_report(reader, error) && wire_take_text(cursor, "place", &place, error) &&
	       take_only(cursor, &wire_failure_report, &failure, error) &&
	       reader->sink->failure(reader->user, place, &failure, error);
}

static gboolean take_tls(struct wire_reader *reader, struct wire_cursor *cursor, GError **error)
{
	struct tls_report tls;
	const char *place;
	return count_report(reader, error) && wire_take_text(cursor, "place", &place, error) &&
	       take_only(cursor, &wire_tls_report, &tls, error) &&
	       reader->sink->tls(reader->user, place, &tls, error);
}

/* It may end an open report or stand alone: only then it is counted. */
static gboolean take_unreadable(struct wire_reader *reader, struct wire_cursor *cursor, GError **error)
{
	struct unreadable u;
	if (!take_only(cursor, &wire_unreadable, &u, error))
		return FALSE;
	if (*u.code == '\0' || *u.reason == '\0')
		return wire_refuse(error, "an unreadable without code or reason");
	if (reader->state != STATE_IN_REPORT && !count_report(reader, error))
		return FALSE;
	reader->unreadable = TRUE;
	return reader->sink->unreadable(reader->user, &u, error);
}

/* A document that gave neither a report nor a reason would be lost. */
static gboolean take_done(struct wire_reader *reader, struct wire_cursor *cursor, GError **error)
{
	return wire_take_end(cursor, error) && (reader->reports > 0 || wire_refuse(error, "it says nothing"));
}

/* The frames, the states in which they may arrive, and the following state: the grammar of report.h. */
static const struct frame {
	guint8 type;
	guint allowed; /* bits of enum state */
	enum state next;
	gboolean (*take)(struct wire_reader *reader, struct wire_cursor *cursor, GError **error);
} frames[] = {
	{ FRAME_MAIL, 1 << STATE_START, STATE_BETWEEN, take_mail },
	{ FRAME_BEGIN, 1 << STATE_START | 1 << STATE_BETWEEN, STATE_IN_REPORT, take_begin },
	{ FRAME_RECORDS, 1 << STATE_IN_REPORT, STATE_IN_REPORT, take_records },
	{ FRAME_END, 1 << STATE_IN_REPORT, STATE_BETWEEN, take_end },
	{ FRAME_FAILURE, 1 << STATE_START | 1 << STATE_BETWEEN, STATE_BETWEEN, take_failure },
	{ FRAME_TLS, 1 << STATE_START | 1 << STATE_BETWEEN, STATE_BETWEEN, take_tls },
	{ FRAME_UNREADABLE, 1 << STATE_START | 1 << STATE_BETWEEN | 1 << STATE_IN_REPORT, STATE_BETWEEN,
	    take_unreadable },
	{ FRAME_DONE, 1 << STATE_START | 1 << STATE_BETWEEN, STATE_DONE, take_done },
};

static const struct frame *find_frame(guint8 type)
{
	for (gsize i = 0; i < G_N_ELEMENTS(frames); i++) {
		if (frames[i].type == type)
			return &frames[i];
	}
	return NULL;
}

gboolean wire_reader_frame(struct wire_reader *reader, guint8 type, const guint8 *content, gsize size,
    gboolean *done, GError **error)
{
	const struct frame *frame = find_frame(type);
	struct wire_cursor cursor = {
		.at = (const char *)content, .end = (const char *)content + size, .arena = reader->arena
	};

	if (frame == NULL)
		return wire_refuse(error, "no frame has type %u", type);
	if ((frame->allowed & (1u << reader->state)) == 0)
		return wire_refuse(error, "frame '%c' out of order", type);
	if (size > WIRE_FRAME_MAX)
		return wire_refuse(error, "frame '%c' is too long", type);
	wire_arena_reset(reader->arena);
	if (!frame->take(reader, &cursor, error))
		return FALSE;
	reader->state = frame->next;
	*done = frame->next == STATE_DONE;
	return TRUE;
}
