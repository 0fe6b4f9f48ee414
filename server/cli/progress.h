/*
 * progress.h - shows how far a command is and how long it will still take, on standard error.
 *
 * On a terminal it is one line with a bar. The first progress_set() draws it, and a thread of its own draws
 * it again several times a second, so that the command may wait for a statement or a program meanwhile.
 * Elsewhere it is a line every half minute. Knows nothing of what is done.
 */
#pragma once

#include <glib.h>

struct progress;

/* Called by progress_new() if there is a bar, and by the thread before it draws, to set what is done so far
 * (progress_set()). */
typedef void (*progress_cb)(struct progress *progress, gpointer user);

/* quiet: show nothing. measure may be NULL; all that it reads must be ready. */
struct progress *progress_new(gboolean quiet, progress_cb measure, gpointer user);

/* done of total units (total 0: unknown), and words for it; any thread may call this. */
void progress_set(struct progress *progress, guint64 done, guint64 total, const char *words);

/* Remove the bar before anything else is printed; it is drawn again later. */
void progress_clear(struct progress *progress);

/* End the thread and remove the bar. NULL is allowed. */
void progress_free(struct progress *progress);

/* "42%  3 min left  words": elapsed is in microseconds since 0 units were done. Without a total it is "3 min
 * words". Transfer full. */
char *progress_text(guint64 done, guint64 total, gint64 elapsed, const char *words);
