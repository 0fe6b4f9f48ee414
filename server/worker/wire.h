/*
 * wire.h - encodes report_sink calls as bytes on a socket and decodes them: the answers of ruad-parse to its
 * parent.
 *
 * A frame is a type byte, a little-endian 32-bit length and so many bytes: structures of report.h, as
 * wire_fields.h and wire_tables.h write them; records are sent in chunks. Data from the worker is untrusted:
 * it must be within the bounds below, and arrive in the order that report.h defines.
 *
 * A request, in the other direction, is two little-endian 64-bit numbers, the length of the document and the
 * time of its receipt, and the document's bytes. Requests may be sent before earlier ones are answered; the
 * answers have their order.
 */
#pragma once

#include "parser/report.h"

#define WIRE_HEAD    5  /* bytes before a frame's content */
#define WIRE_REQUEST 16 /* bytes before a document */
#define WIRE_FRAME_MAX                                                                                       \
	(8 * 1024 *                                                                                          \
	    1024) /* bytes of one frame: max_json of a TLS report and 1.5 MiB of framing and notes; \
			     a chunk closes at 256 KiB, a record is < 4 MiB, max_failure is less */
#define WIRE_ITEMS_MAX                                                                                       \
	1024 /* reasons, signatures, notes, ... in one array: eight times the limit of the parser */
#define WIRE_FIELDS_MAX 4096 /* in a list of a failure report: four times max_fields */
#define WIRE_ITEMS_TOTAL                                                                                     \
	32768 /* in all lists of a report, or of a record; policies, failure details and strings of a TLS    \
		 report are at most half as many (max_json_items) */
#define WIRE_RECORDS_MAX 16000000 /* records in one answer: 1 GiB of XML cannot contain more */
#define WIRE_REPORTS_MAX 10000    /* reports and unreadables in one answer: members times parts is far less */

/* The greeting of a worker that has dropped its rights and waits for a document; its content is
 * RUAD_VERSION. */
#define WIRE_HELLO 'H'

struct wire_writer;

/* A writer to fd (borrowed). The sink of wire_writer_sink() encodes to it; write errors fail the sink call
 * with RUAD_ERROR_SYSTEM. */
struct wire_writer *wire_writer_new(int fd) G_GNUC_WARN_UNUSED_RESULT;
void wire_writer_free(struct wire_writer *writer); /* NULL is allowed */

/* The sink for parse_document(), with the writer as user. */
const struct report_sink *wire_writer_sink(void);

/* Announce that the worker is ready: once, before the first answer. */
gboolean wire_writer_hello(struct wire_writer *writer, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* End the answer for this document with the closing frame. It need not be sent yet, so that several small
 * answers are sent together. */
gboolean wire_writer_done(struct wire_writer *writer, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Bytes that are not sent yet; send them. */
gsize wire_writer_waiting(const struct wire_writer *writer);
gboolean wire_writer_flush(struct wire_writer *writer, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The length in the head of a frame: bytes of its content, which may be more than WIRE_FRAME_MAX. */
gsize wire_frame_length(const guint8 head[WIRE_HEAD]);

/* The head of a request. */
struct wire_request {
	guint64 size;    /* of the document */
	gint64 received; /* seconds since 1970 UTC; 0: now */
};

/* Encode the head of a request, and decode it. */
void wire_request_encode(guint8 head[WIRE_REQUEST], struct wire_request request);
struct wire_request wire_request_decode(const guint8 head[WIRE_REQUEST]);

struct wire_reader;

/* A reader of answers, one after another. */
struct wire_reader *wire_reader_new(void) G_GNUC_WARN_UNUSED_RESULT;
void wire_reader_free(struct wire_reader *reader); /* NULL is allowed */

/* Begin an answer: sink is called with the content of its frames, whose order is checked. */
void wire_reader_begin(struct wire_reader *reader, const struct report_sink *sink, gpointer user);

/* Returns FALSE if a frame of the answer said that something is unreadable. */
gboolean wire_reader_all_readable(const struct wire_reader *reader);

/*
 * Process content[0..size), that of one complete frame; the sink borrows from it. *done becomes TRUE at the
 * closing frame.
 *
 * RUAD_ERROR_SYNTAX  an invalid frame: wrong type, not of its structures, out of order, out of range
 * any other          the sink's own error
 */
gboolean wire_reader_frame(struct wire_reader *reader, guint8 type, const guint8 *content, gsize size,
    gboolean *done, GError **error) G_GNUC_WARN_UNUSED_RESULT;
