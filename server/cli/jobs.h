/*
 * jobs.h - documents through the intake, several at once, with a progress bar: what import and reprocess share.
 *
 * The caller's thread reads documents and pushes them; threads of a pool have each parsed and stored, so that many are
 * committed together. What is read and not yet stored is bounded in number and bytes. Knows nothing of where
 * documents come from.
 */
#pragma once

#include "server/ingest/intake.h"

#define JOBS_MOST 64
#define JOBS_DEFAULT                                                                                         \
	64 /* most of a job's time is waiting: what is parsed while one batch commits makes the next */

/* A document was stored; called by any thread, one at a time. */
typedef void (*jobs_stored_cb)(
    const struct envelope *envelope, const struct intake_counts *counts, gpointer user);

struct jobs_options {
	struct intake *intake; /* borrowed */
	guint threads;         /* 1 .. JOBS_MOST */
	gboolean quiet;        /* no progress bar */
	guint64 total_bytes;   /* of all documents, for the bar; 0 when not known */
	jobs_stored_cb stored; /* or NULL */
	gpointer user;
};

/* All documents together. */
struct jobs_sum {
	guint mails; /* documents stored */
	struct intake_counts counts;
};

struct jobs;

struct jobs *jobs_new(const struct jobs_options *options);

/*
 * Have document stored under envelope; returns before it is, but waits while too much is under way. document
 * is transfer full; so is owner, which holds what envelope points to and goes to free_owner afterwards. FALSE: something
 * could not be stored, nothing more will be, and jobs_finish() says why.
 */
gboolean jobs_push(struct jobs *jobs, const struct envelope *envelope, GBytes *document, gpointer owner,
    GDestroyNotify free_owner) G_GNUC_WARN_UNUSED_RESULT;

/* Take the bar away, before anything else is printed; it comes back. */
void jobs_clear_bar(struct jobs *jobs);

/*
 * Wait for all that was pushed, and free jobs. *sum is filled in also after an error.
 *
 * RUAD_ERROR_SYSTEM  the database is away, or no worker can be started: what was not counted was not stored
 */
gboolean jobs_finish(struct jobs *jobs, struct jobs_sum *sum, GError **error) G_GNUC_WARN_UNUSED_RESULT;
