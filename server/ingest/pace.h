/*
 * pace.h - makes heavy work give way to small mails.
 *
 * A large mail and the sums of its records each occupy a processor of the database for seconds, and its
 * disk. A low priority does not help: a backend that waits for a processor keeps the locks that all others
 * need. So heavy work consists of pieces. One piece is done at a time, in the order in which they were
 * asked for, and after each its thread rests while small mails are under way. NULL as pace has no effect.
 * All functions are thread-safe.
 */
#pragma once

#include <glib.h>

struct pace;

struct pace *pace_new(void) G_GNUC_WARN_UNUSED_RESULT;
void pace_free(struct pace *pace);

/* A small mail begins (1) or ends (-1). */
void pace_small(struct pace *pace, int change);

/* Returns TRUE if a small mail is under way, or was a moment ago. */
gboolean pace_busy(struct pace *pace);

/* Begin a piece; waits for its turn. */
void pace_begin(struct pace *pace);

/* End a piece. Returns for how many microseconds its thread must rest before the next one: as long as the
 * piece took, up to PACE_REST_MAX, and 0 unless pace_busy(). */
gint64 pace_end(struct pace *pace) G_GNUC_WARN_UNUSED_RESULT;

/* Microseconds. Usual pieces are shorter; one that takes longer waits for a processor itself. */
#define PACE_REST_MAX (200 * G_TIME_SPAN_MILLISECOND)
