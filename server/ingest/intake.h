/*
 * intake.h - a document and its envelope in, a committed transaction out: all mail takes this path, whether
 * it is received by LMTP or by ruad import.
 *
 * Each caller's thread has its document parsed (pool.h), and the results are collected (found.h). Then it
 * waits for a writer thread, which commits everything that waits in one transaction (group commit) or, if
 * that fails, one by one; while it commits, another one writes what came meanwhile. Results that do not fit
 * into memory wait in a file for a writer of their own: a small mail does not wait for a large one, and no
 * thread holds a worker while it waits. Every function is thread-safe.
 */
#pragma once

#include "server/common/vitals.h"
#include "server/ingest/envelope.h"
#include "server/ingest/upkeep.h"
#include "server/worker/pool_options.h"

struct intake_options {
	const char *conninfo; /* of a login that may act as ruad_ingest, or for again as ruad_owner */
	struct pool_options pool;
	enum require_authentic require_authentic;
	gboolean again; /* stored mail is read again: every envelope has its id (ruad.ingest_again()) */
	guint64
	    max_raw; /* bytes of mail that are kept at most, because it could not be read; 0: any number */
	guint64 min_free;         /* bytes that spill_folder's disk must have free for that */
	struct vitals *vitals;    /* where to tell whether mail can be stored, borrowed, or NULL */
	const char *spill_folder; /* folder for data that does not fit into memory (spool.h), or NULL */
	struct upkeep *upkeep;    /* is told what was stored, borrowed, or NULL */
};

/* The options in the settings, for intake_new(); strings are borrowed from settings; conninfo and worker are
 * borrowed, too. */
struct intake_options intake_options_of(
    const struct settings *settings, const char *conninfo, const char *worker);

struct intake;

/* Options are copied. Succeeds while the database is unavailable: intake_take() then fails until it is
 * available again. */
struct intake *intake_new(const struct intake_options *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Waits for mail in progress. NULL is allowed. */
void intake_free(struct intake *intake);

/*
 * Parse document[0..size), store its content, and return when it is committed. counts may be NULL.
 *
 * RUAD_ERROR_SYSTEM  nothing was stored, or it is unknown whether it was (the reply to the commit was lost);
 *                    the same document may be sent again and then counts as a duplicate
 * RUAD_ERROR_FULL    nothing was stored: it cannot be read, and no more such mail is kept now
 *
 * With intake_options.again the findings of the stored mail are replaced: counts.unreadable is what is still
 * unreadable.
 */
gboolean intake_take(struct intake *intake, const struct envelope *envelope, const guint8 *document,
    gsize size, struct intake_counts *counts, GError **error) G_GNUC_WARN_UNUSED_RESULT;
