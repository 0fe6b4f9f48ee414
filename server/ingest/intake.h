/*
 * intake.h - a document and its envelope in, a committed transaction out: the one way that mail takes,
 * whether it came by LMTP or by ruad import.
 *
 * Each caller's thread has its document parsed (pool.h); what was found is collected (found.h). Then it waits for a writer
 * thread, which commits all that waits in one transaction (group commit) and, when that fails, one by one. What outgrows
 * memory waits in a file, for a writer of its own: a small mail does not wait for a large one, and nobody waits with a worker in hand.
 * Every function is thread-safe.
 */
#pragma once

#include "server/ingest/envelope.h"
#include "server/worker/pool_options.h"

struct intake_options {
	const char *conninfo; /* of a login that may act as ruad_ingest, or for again as ruad_owner */
	struct pool_options pool;
	enum require_authentic require_authentic;
	gboolean again; /* stored mails are read again: every envelope says which (ruad.ingest_again()) */
	const char *spill_folder; /* where what outgrows memory goes (spool.h), or NULL */
};

/* What the settings say, for intake_new(); strings are borrowed from settings, and so are conninfo and worker. */
struct intake_options intake_options_of(
    const struct settings *settings, const char *conninfo, const char *worker);

struct intake;

/* Options are copied. Succeeds while the database is away: intake_take() then fails until it is back. */
struct intake *intake_new(const struct intake_options *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Waits for what is under way. NULL is allowed. */
void intake_free(struct intake *intake);

/*
 * Parse document[0..size), store what is in it, and return once it is committed. counts may be NULL.
 *
 * RUAD_ERROR_SYSTEM is the only error: nothing was stored, or it is not known (the commit's answer was lost);
 * the same document may be sent again and is then found to be a duplicate.
 *
 * For intake_options.again it is the same, but the stored mail's findings are replaced: counts.unreadable is what
 * is still unreadable.
 */
gboolean intake_take(struct intake *intake, const struct envelope *envelope, const guint8 *document,
    gsize size, struct intake_counts *counts, GError **error) G_GNUC_WARN_UNUSED_RESULT;
