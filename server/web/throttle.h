/*
 * throttle.h - slows down guessing: after some failures under a key, each further one doubles the time until
 * the next attempt.
 *
 * Knows a bounded number of keys; the one that failed longest ago is forgotten first. Thread-safe. Knows
 * nothing of passwords; reads no clock.
 */
#pragma once

#include <glib.h>

struct throttle_options {
	guint free;   /* failures without a delay */
	gint64 first; /* microseconds: the delay after the next one */
	gint64 most;  /* the longest delay */
	gint64 keep;  /* after this time without a failure a key is forgotten */
	guint keys;   /* at most */
};

struct throttle;

struct throttle *throttle_new(const struct throttle_options *options);
void throttle_free(struct throttle *throttle); /* NULL is allowed */

/* Microseconds until an attempt is allowed under key; 0: now. Times are monotonic. */
gint64 throttle_wait(struct throttle *throttle, const char *key, gint64 now);

/* An attempt failed, or succeeded: then the key is forgotten. */
void throttle_failed(struct throttle *throttle, const char *key, gint64 now);
void throttle_passed(struct throttle *throttle, const char *key);
