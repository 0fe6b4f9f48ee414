/*
 * upkeep.h - a thread that maintains sums of records and partitions of months.
 *
 * On its own connection it calls ruad.sum_up() every ten seconds, until nothing is left, and
 * ruad.make_months() every 15 seconds and after much was stored (sql/retention/sums.sql, months.sql). Sums
 * give way to small mails (pace.h): then they wait for a minute, or until UPKEEP_TAIL is not summed, and rest
 * after each few records. No mail waits for them, and readers get correct results without them, only more
 * slowly. Several processes may run it at once: the database lets one of them work.
 */
#pragma once

#include "server/ingest/pace.h"

struct upkeep;

/* Records that readers must sum themselves, at most, while small mails are stored: that takes them half a
 * second. */
#define UPKEEP_TAIL 50000

/* Start the thread. conninfo, for a login that may act as ruad_ingest, is copied. */
struct upkeep *upkeep_new(const char *conninfo);

/* The pace of the thread, to be shared with other heavy work; valid until upkeep_free(). NULL gives NULL. */
struct pace *upkeep_pace(const struct upkeep *upkeep);

/* So many records were stored. A month gets its partitions before it has many rows that must be moved. NULL
 * is allowed. Any thread may call it. */
void upkeep_notice(struct upkeep *upkeep, guint64 records);

/* Stop the thread. With finish it first does all pending work, unless the database is unavailable. NULL is
 * allowed. */
void upkeep_free(struct upkeep *upkeep, gboolean finish);
