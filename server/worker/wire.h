/*
 * wire.h - report_sink calls as bytes on a socket and back: what ruad-parse tells its parent.
 *
 * A frame is a type byte, a little-endian 32-bit length and that many bytes of a serialised GVariant of
 * the type's one signature; records travel in chunks. What comes from the worker is input, not
 * truth: frames are bounded, checked to be normal form, and must come in the order report.h names.
 *
 * The request that goes the other way is a little-endian 64-bit length and the document's bytes.
 */
#pragma once

#include "parser/report.h"

#define WIRE_HEAD    5 /* bytes before a frame's content */
#define WIRE_REQUEST 8 /* bytes before a document */
#define WIRE_FRAME_MAX                                                                                       \
	(8 * 1024 *                                                                                          \
	    1024) /* bytes of one frame: max_json of a TLS report and 1.5 MiB of framing and notes; \
			     a chunk closes at 256 KiB, a record is < 4 MiB, max_failure is less */
#define WIRE_ITEMS_MAX                                                                                       \
	1024 /* reasons, signatures, notes, ... in one array: eight times what the parser lets through */
#define WIRE_FIELDS_MAX 4096 /* in a list of a failure report: four times max_fields */
#define WIRE_TLS_ITEMS_MAX                                                                                   \
	32768 /* policies, failure details and strings of a TLS report: twice max_json_items; as JSON in     \
		 memory a detail takes 1.5 KB */
#define WIRE_RECORDS_MAX 16000000 /* records in one answer: 1 GiB of XML cannot hold more */
#define WIRE_REPORTS_MAX 10000    /* reports and unreadables in one answer: members times parts is far less */

/* The greeting of a worker that has given up its rights and waits for a document; its content is
 * RUAD_VERSION. */
#define WIRE_HELLO 'H'

struct wire_writer;

/* A writer onto fd (borrowed). The sink of wire_writer_sink() encodes onto it; write errors fail the sink
 * call with RUAD_ERROR_SYSTEM. */
struct wire_writer *wire_writer_new(int fd) G_GNUC_WARN_UNUSED_RESULT;
void wire_writer_free(struct wire_writer *writer); /* NULL is allowed */

/* The sink to give to parse_document() with the writer as user. */
const struct report_sink *wire_writer_sink(void);

/* Say that the worker is ready: once, before the first answer. */
gboolean wire_writer_hello(struct wire_writer *writer, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* End the answer for this document: flushes the open chunk and writes the closing frame. */
gboolean wire_writer_done(struct wire_writer *writer, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The head of a frame: its content's length in bytes, which may be more than WIRE_FRAME_MAX. */
gsize wire_frame_length(const guint8 head[WIRE_HEAD]);

/* The request's head for a document of size bytes, and back. */
void wire_request_encode(guint8 head[WIRE_REQUEST], guint64 size);
guint64 wire_request_decode(const guint8 head[WIRE_REQUEST]);

struct wire_reader;

/* A reader of one answer that calls sink with what the frames hold; it holds the state of the order of calls.
 */
struct wire_reader *wire_reader_new(const struct report_sink *sink, gpointer user) G_GNUC_WARN_UNUSED_RESULT;
void wire_reader_free(struct wire_reader *reader); /* NULL is allowed */

/* FALSE when a frame so far said that something is unreadable. */
gboolean wire_reader_all_readable(const struct wire_reader *reader);

/*
 * Take one whole frame's content. *done becomes TRUE at the closing frame.
 *
 * RUAD_ERROR_SYNTAX  not a frame of ours: wrong type, not normal form, out of order, out of range
 * any other          the sink's own error
 */
gboolean wire_reader_frame(struct wire_reader *reader, guint8 type, GBytes *content, gboolean *done,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;
