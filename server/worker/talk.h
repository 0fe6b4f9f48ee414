/*
 * talk.h - sends one document to a worker process and reads its answer (wire.h), within time limits.
 *
 * All errors are RUAD_ERROR_SYNTAX, or the sink's own: the process cannot be used again after them.
 */
#pragma once

#include "server/worker/process.h"
#include "server/worker/wire.h"

struct talk_bounds {
	gint64 silence; /* microseconds without a complete frame while the process must answer */
	gint64 total;   /* microseconds that we wait for it in total */
	gint64 quick;   /* microseconds of its processor time, or 60 times as long to wait, or 0: see *slow */
};

/* Wait for the greeting of a process that was just started. */
gboolean talk_greeting(
    struct process *process, const struct talk_bounds *bounds, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A document that is sent to the process. */
struct talk_request {
	const guint8 *document;
	gsize size;
	gint64 received; /* seconds since 1970 UTC; 0: now */
};

/*
 * Send the document and pass the frames of the answer to reader, on this thread. The timeout of the
 * process is suspended while the reader's sink is busy. Adds to *waited the microseconds that we waited for
 * the process. If bounds->quick is exceeded, *slow is TRUE and the process cannot be used again, as after
 * any other error.
 */
gboolean talk_document(struct process *process, const struct talk_bounds *bounds,
    const struct talk_request *request, struct wire_reader *reader, gint64 *waited, gboolean *slow,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;
