/*
 * jobs.h - stores documents through the intake, several at once, and shows progress: shared by import and
 * reprocess.
 *
 * The caller's thread reads documents and pushes them; the threads of a pool parse and store them, so that
 * many are committed together. The number and bytes of documents that are not stored yet are bounded. Knows
 * nothing of where documents come from.
 */
#pragma once

#include "server/ingest/intake.h"

#define JOBS_MOST 64
#define JOBS_DEFAULT                                                                                         \
	64 /* a job mostly waits: documents that are parsed while a batch commits form the next batch */

/* A document was stored; called by any thread, one call at a time. */
typedef void (*jobs_stored_cb)(
    const struct envelope *envelope, const struct intake_counts *counts, gpointer user);

struct jobs_options {
	struct intake *intake; /* borrowed */
	guint threads;         /* 1 .. JOBS_MOST */
	gboolean quiet;        /* no progress */
	guint64 total_bytes;   /* of all documents, for the progress; 0 if unknown */
	jobs_stored_cb stored; /* or NULL */
	gpointer user;
};

/* Sums over all documents. */
struct jobs_sum {
	guint mails; /* documents stored */
	struct intake_counts counts;
};

struct jobs;

struct jobs *jobs_new(const struct jobs_options *options);

/*
 * Queue document to be stored under envelope; waits while too much is in progress. document is transfer full;
 * so is owner, which holds what envelope points to and is passed to free_owner afterwards. Returns FALSE if
 * storing failed: nothing more will be stored, and jobs_finish() returns the error.
 */
gboolean jobs_push(struct jobs *jobs, const struct envelope *envelope, GBytes *document, gpointer owner,
    GDestroyNotify free_owner) G_GNUC_WARN_UNUSED_RESULT;

/* Remove the bar before anything else is printed; it is drawn again later. */
void jobs_clear_bar(struct jobs *jobs);

/*
 * Wait for everything that was pushed, and free jobs. *sum is also set after an error.
 *
 * RUAD_ERROR_SYSTEM  the database is unavailable, or no worker can be started: what was not counted was not
 * stored
 */
gboolean jobs_finish(struct jobs *jobs, struct jobs_sum *sum, GError **error) G_GNUC_WARN_UNUSED_RESULT;
