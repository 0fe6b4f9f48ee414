#include "server/enrich/quota.h"

#define ROUNDS_A_MINUTE 6  /* while there is more to do */
#define PAUSE_DONE      60 /* seconds */
#define PAUSE_FAILED    15

/* With fewer look-ups a minute than ROUNDS_A_MINUTE each round has one. */
static gint64 rounds_a_minute(gint64 lookups)
{
	return lookups > 0 ? MIN(lookups, ROUNDS_A_MINUTE) : ROUNDS_A_MINUTE;
}

gint64 quota_lookups(gint64 lookups)
{
	return lookups > 0 ? lookups / rounds_a_minute(lookups) : G_MAXINT64;
}

guint quota_pause(gint64 lookups, enum enrich_outcome outcome)
{
	switch (outcome) {
	case ENRICH_MORE:
		return (guint)(60 / rounds_a_minute(lookups));
	case ENRICH_FAILED:
		return PAUSE_FAILED;
	default:
		return PAUSE_DONE;
	}
}

enum quota_budget quota_budget(gint64 spent, gint64 budget)
{
	if (spent >= budget)
		return QUOTA_SPENT;
	return spent < (budget + 1) / 2 ? QUOTA_ALL : QUOTA_OWN;
}

gint64 quota_keep(const struct name *name, gint64 most, gboolean is_silent)
{
	if (name->status == NAME_UNKNOWN)
		return is_silent ? QUOTA_SILENT : QUOTA_FAILED;
	return CLAMP((gint64)name->ttl, MIN(QUOTA_DAY, most), most);
}
