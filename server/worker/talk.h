/*
 * talk.h - sends documents to a worker process and reads its answers (wire.h), within time limits.
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

#define TALK_MOST 16 /* documents in one exchange */

/* A document that is sent to the process, and the sink for its answer. */
struct talk_request {
	const guint8 *document; /* NULL only if size is 0 */
	gsize size;
	gint64 received; /* seconds since 1970 UTC; 0: now */
	const struct report_sink *sink;
	gpointer user; /* of sink */
};

struct talk_result {
	gsize answered; /* documents, from the first on, whose answers are complete */
	gint64 waited;  /* microseconds that we waited for the process */
	gboolean clean; /* all are answered, nothing was unreadable: the process may read more */
	gboolean slow;  /* bounds->quick was exceeded */
};

/*
 * Send 1 to TALK_MOST documents at once, and pass the frames of the answers to the sinks through reader, on
 * this thread. The timeout of the process is suspended while a sink is busy; bounds hold for each document.
 * Ends after the answer of a document in which something is unreadable.
 *
 * If it fails, the sink of the document that was not answered may have been told something, those of the
 * documents after it nothing. Which document made the process fail is known only if there was one.
 */
gboolean talk_documents(struct process *process, const struct talk_bounds *bounds,
    const struct talk_request *requests, gsize n, struct wire_reader *reader, struct talk_result *result,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;
