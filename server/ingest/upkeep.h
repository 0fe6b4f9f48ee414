/*
 * upkeep.h - a thread that maintains sums of records and partitions of months.
 *
 * Every ten seconds it calls ruad.sum_up() until nothing is left, and ruad.make_months(), which it also calls
 * after much was stored, on its own connection (sql/retention/sums.sql and months.sql). No mail waits for it,
 * and readers get correct results without it, only more slowly. Several processes may run it at once: the
 * database lets one of them work. Knows nothing of mail.
 */
#pragma once

#include <glib.h>

struct upkeep;

/* Start the thread. conninfo, for a login that may act as ruad_ingest, is copied. */
struct upkeep *upkeep_new(const char *conninfo);

/* So many bytes of rows were stored. A month gets its partitions before its rows are so many that moving them
 * takes long. NULL is allowed. Any thread may call it. */
void upkeep_notice(struct upkeep *upkeep, guint64 bytes);

/* Stop the thread. With finish it first does all pending work, unless the database is unavailable. NULL is
 * allowed. */
void upkeep_free(struct upkeep *upkeep, gboolean finish);
