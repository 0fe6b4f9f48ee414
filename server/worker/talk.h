/*
 * talk.h - one document to a worker process and its answer back (wire.h), within bounds of time.
 *
 * All errors are RUAD_ERROR_SYNTAX, or the sink's own: the process is then of no more use.
 */
#pragma once

#include "server/worker/process.h"
#include "server/worker/wire.h"

struct talk_bounds {
	gint64 silence; /* microseconds without a whole frame while the process owes us one */
	gint64 total;   /* microseconds that we wait for it in all */
};

/* Wait for the greeting of a process that was just started. */
gboolean talk_greeting(
    struct process *process, const struct talk_bounds *bounds, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Hand over document[0..size) and give the answer's frames to reader, on this thread. While the reader's sink is busy no
 * time passes for the process. Adds to *waited the microseconds that we waited for it.
 */
gboolean talk_document(struct process *process, const struct talk_bounds *bounds, const guint8 *document,
    gsize size, struct wire_reader *reader, gint64 *waited, GError **error) G_GNUC_WARN_UNUSED_RESULT;
