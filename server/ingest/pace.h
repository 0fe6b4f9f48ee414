/*
 * pace.h - makes heavy work give way to small mails.
 *
 * A large mail and the sums of its records each occupy a processor of the database for seconds, and its
 * disk. A low priority does not help: a backend that waits for a processor keeps the locks that all others
 * need. And a process that wakes up on a busy processor waits until the next tick of the scheduler (4 ms).
 * So heavy work consists of pieces of a few milliseconds. One piece is done at a time, in the order in which
 * they were asked for, and after each there is a rest while small mails are under way: heavy work then gets
 * a third of one processor. NULL as pace has no effect. All functions are thread-safe.
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

/* Begin a piece; waits for its turn, and if pace_busy() for the rest after the piece before it. */
void pace_begin(struct pace *pace);

/* End a piece. The rest after it is PACE_REST times as long, up to PACE_REST_MAX. */
void pace_end(struct pace *pace);

#define PACE_REST     2
#define PACE_REST_MAX (200 * G_TIME_SPAN_MILLISECOND) /* usual pieces are shorter */
