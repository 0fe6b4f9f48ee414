/*
 * quota.h - how many look-ups a round and a day have, how long a round pauses afterwards, and for how long
 * answers are kept.
 *
 * enrich.lookups bounds the look-ups of a minute, so that a mailbox full of old reports does not become a
 * flood of questions. Reads no settings and no clock.
 */
#pragma once

#include "server/enrich/names.h"

/* How a round ended (enrich.h). */
enum enrich_outcome {
	ENRICH_DONE,   /* nothing is left to do, or the budget of the day is spent */
	ENRICH_MORE,   /* the budget of this round is spent */
	ENRICH_FAILED, /* the database is unavailable, or no DNS server answers; logged once */
};

#define QUOTA_BATCH  100            /* addresses looked up at once */
#define QUOTA_DAY    (24 * 60 * 60) /* seconds */
#define QUOTA_FAILED (60 * 60) /* seconds to keep an address or domain for which the DNS did not answer */
#define QUOTA_SILENT (5 * 60)  /* the same, while no DNS server answers anything */

/* Look-ups in one round; lookups: a minute, or 0 for no bound. */
gint64 quota_lookups(gint64 lookups);

/* Seconds until the next round. */
guint quota_pause(gint64 lookups, enum enrich_outcome outcome);

/* What today's budget still allows. */
enum quota_budget {
	QUOTA_ALL,
	QUOTA_OWN,   /* only domains that asked for reports to be sent here: half of the budget is theirs */
	QUOTA_SPENT, /* nothing until the next day */
};

/* spent: questions asked today; budget: enrich.questions. */
enum quota_budget quota_budget(gint64 spent, gint64 budget);

/*
 * Seconds to keep what was found of an address: its TTL, but a day at least and most (seconds) at most. If
 * the DNS did not answer, QUOTA_FAILED or, while no server answers, QUOTA_SILENT.
 */
gint64 quota_keep(const struct name *name, gint64 most, gboolean is_silent);
