/*
 * trouble.h - a failure that lasts: one line in the log, and longer and longer pauses.
 *
 * A server that refuses a password is asked again after 5 minutes at first, since many lock an account that
 * fails often. One that cannot be reached is asked again after 10 seconds at first.
 */
#pragma once

#include <glib.h>

#define TROUBLE_REFUSED_FIRST 300 /* seconds, doubled with every failure */
#define TROUBLE_REFUSED_MOST  3600
#define TROUBLE_LOST_FIRST    10
#define TROUBLE_LOST_MOST     300

struct trouble {
	char *said;     /* the last line, so that it is not repeated; or NULL */
	guint failures; /* in a row */
};

/* It failed (again): logs error unless it is the same as before. name: of what fails, in the log. Returns the
 * seconds to wait: long ones unless the error is RUAD_ERROR_SYSTEM. */
guint trouble_tell(struct trouble *trouble, const char *name, const GError *error);

/* It works: logs that if it did not before. */
void trouble_over(struct trouble *trouble, const char *name);

void trouble_clear(struct trouble *trouble);
