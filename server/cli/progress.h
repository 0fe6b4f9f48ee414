/*
 * progress.h - a progress bar on standard error, drawn only if that is a terminal.
 *
 * Not thread-safe: one thread draws.
 */
#pragma once

#include <glib.h>

struct progress {
	gboolean shown;
	gboolean coloured; /* not if NO_COLOR is set */
	gint64 drawn;      /* monotonic microseconds of the last drawing */
};

void progress_init(struct progress *progress, gboolean quiet);

/* Draw at most ten times a second: done of total (0: unknown), and words after the bar. */
void progress_show(struct progress *progress, guint64 done, guint64 total, const char *words);

/* Remove the bar before anything else is printed. */
void progress_clear(struct progress *progress);
