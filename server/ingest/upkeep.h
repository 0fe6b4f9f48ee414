/*
 * upkeep.h - a thread that keeps what mail leaves behind in order: sums of records, and partitions of months.
 *
 * Every ten seconds it calls ruad.sum_up() until nothing is left, and ruad.make_months(), on a connection of its own
 * (sql/retention/sums.sql and months.sql). No mail waits for it, and readers are right without it, only slower. Several sessions may run
 * at once: the database lets one of them work. Knows nothing of mail.
 */
#pragma once

#include <glib.h>

struct upkeep;

/* Start the thread. conninfo, of a login that may act as ruad_ingest, is copied. */
struct upkeep *upkeep_new(const char *conninfo);

/* Stop the thread. With finish it first does all that is left, unless the database is away. NULL is allowed. */
void upkeep_free(struct upkeep *upkeep, gboolean finish);
