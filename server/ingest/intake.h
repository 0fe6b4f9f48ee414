/*
 * intake.h - a document and its envelope in, a committed transaction out: the one way that mail takes,
 * whether it came by LMTP or by ruad import.
 *
 * Each caller's thread has its document parsed (pool.h); what was found is turned into COPY rows. Small
 * answers wait for the writer thread, which commits all that wait in one transaction (group commit) and, when
 * that fails, one by one. An answer that outgrows INTAKE_SMALL streams into a transaction of its own instead,
 * so memory stays bounded. Every function is thread-safe.
 */
#pragma once

#include "server/common/pool.h"

#define INTAKE_SMALL (1024 * 1024) /* bytes of COPY rows that may wait for the group commit */

struct intake_options {
	const char *conninfo; /* of a login that may act as ruad_ingest */
	struct pool_options pool;
};

struct envelope {
	const char *source;            /* "lmtp" or "import" */
	const char *name;              /* file path of an import, or NULL */
	const char *from;              /* reverse-path, "" for <>, NULL for an import */
	const char *const *recipients; /* NULL-terminated, or NULL */
};

/* What became of a document. */
struct intake_counts {
	guint stored;     /* new reports */
	guint duplicates; /* known already, byte for byte */
	guint conflicts;  /* key known, content other: kept raw */
	guint unreadable; /* set aside raw, with the reason */
};

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
 */
gboolean intake_take(struct intake *intake, const struct envelope *envelope, const guint8 *document,
    gsize size, struct intake_counts *counts, GError **error) G_GNUC_WARN_UNUSED_RESULT;
