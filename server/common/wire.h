/*
 * wire.h - report_sink calls as bytes on a socket and back: what ruad-parse tells its parent.
 *
 * A frame is a type byte, a little-endian 32-bit length and that many bytes of a serialised GVariant of
 * the type's one signature; records travel in chunks. What comes from the worker is input, not
 * truth: frames are bounded, checked to be normal form, and must come in the order report.h names.
 */
#pragma once

#include "parser/report.h"

#define WIRE_FRAME_MAX (4 * 1024 * 1024) /* bytes of one frame; a chunk closes at 256 KiB, a record is < 4 MiB */

struct wire_writer;

/* A writer onto fd (borrowed). The sink of wire_writer_sink() encodes onto it; write errors fail the sink call
 * with RUAD_ERROR_SYSTEM. */
struct wire_writer *wire_writer_new(int fd);
void wire_writer_free(struct wire_writer *writer);
const struct report_sink *wire_writer_sink(void);

/* End the answer for this document: flushes the open chunk and writes the closing frame. */
gboolean wire_writer_done(struct wire_writer *writer, GError **error) G_GNUC_WARN_UNUSED_RESULT;

struct wire_reader;

/* A reader that calls sink with what the frames hold; it holds the state of the order of calls. */
struct wire_reader *wire_reader_new(const struct report_sink *sink, gpointer user);
void wire_reader_free(struct wire_reader *reader);

/*
 * Take one whole frame's content. *done becomes TRUE at the closing frame.
 *
 * RUAD_ERROR_SYNTAX  not a frame of ours: wrong type, not normal form, out of order, out of range
 * any other          the sink's own error
 */
gboolean wire_reader_frame(struct wire_reader *reader, guint8 type, GBytes *content, gboolean *done,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;
