/*
 * vitals.h - the state of ruad-ingest, in memory that it writes and ruad-web, ruad-notify and ruad serve
 * read: whether mail can be stored, and the numbers that /metrics shows.
 *
 * The database cannot hold it: what keeps mail from being stored usually keeps the news of it from being
 * stored, too. Lock-free; the writer may be killed at any time. NULL as vitals has no effect and reads as 0.
 */
#pragma once

#include <glib.h>

enum vital {
	VITAL_SESSIONS,         /* connections that were accepted */
	VITAL_SESSIONS_REFUSED, /* and those that were answered 421 at once */
	VITAL_SESSIONS_OPEN,    /* now */
	VITAL_PARSER_FAILURES,  /* documents whose parser ended, hung, or answered wrongly */
	VITAL_MAILS_WAITING,    /* now: parsed, and not yet in the database */
	VITAL_MAILS_WRITTEN,    /* in transactions that were committed */
	VITAL_WRITES_FAILED,    /* transactions that were not */
	VITAL_STORED,           /* reports that were new, in the mails written */
	VITAL_DUPLICATES,       /* reports that were stored before */
	VITAL_CONFLICTS,        /* reports that contradict a stored one: quarantined */
	VITAL_UNREADABLE,       /* what could not be read: quarantined */
	VITAL_LAST_STORED_AT,   /* seconds since 1970, when the last of VITAL_STORED was; 0: none yet */
	VITALS                  /* their number */
};

#define VITALS_CODE_MIN 200 /* of an SMTP reply */
#define VITALS_CODE_MAX 599

#define VITALS_BOUNDS 10 /* of the histogram of times, see vitals_bound() */

struct vitals;

/* Make the memory. Returns a descriptor for vitals_open(), close-on-exec, or -1. */
int vitals_create(GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Use the memory of a descriptor, which is closed; to write it or only to read it. A writer begins with
 * nothing counted, but does not forget whether mail could be stored. NULL if it is not such memory. */
struct vitals *vitals_open(int fd, gboolean writable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

void vitals_close(struct vitals *vitals);

/* -- whether mail can be stored -- */

/* A mail was stored, or could not be stored although nothing is wrong with it. */
void vitals_tell(struct vitals *vitals, gboolean stored);

/* Returns for how many seconds every mail has failed, or -1 if the last one was stored, or no mail came for
 * VITALS_VALID seconds: a probe that keeps mail away must not keep it away forever. NULL: -1. */
gint64 vitals_failing(const struct vitals *vitals);

#define VITALS_VALID 300

/* -- numbers -- */

void vitals_add(struct vitals *vitals, enum vital vital, gint64 n); /* n may be negative for what is "now" */
void vitals_set(struct vitals *vitals, enum vital vital, gint64 value);
gint64 vitals_get(const struct vitals *vitals, enum vital vital);

/* A reply with this code was sent to a client; another number than a code has no effect. */
void vitals_add_reply(struct vitals *vitals, guint code);
gint64 vitals_replies(const struct vitals *vitals, guint code);

/* A transaction with mails took this long, in microseconds, from its first statement to its end. */
void vitals_add_time(struct vitals *vitals, gint64 time);

/* The upper bound of a class of times in microseconds; i in 0 .. VITALS_BOUNDS - 1. */
gint64 vitals_bound(guint i);

/* How many times were at most the i-th bound, or all of them if i is VITALS_BOUNDS; and the sum of all. */
gint64 vitals_times(const struct vitals *vitals, guint i);
gint64 vitals_times_sum(const struct vitals *vitals);
