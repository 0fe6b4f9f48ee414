#include "server/cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#define BAR_WIDTH 30
#define PERIOD    (G_USEC_PER_SEC / 10)
#define TAKE_AWAY "\r\033[K"

void progress_init(struct progress *progress, gboolean quiet)
{
	const char *no_color = g_getenv("NO_COLOR");

	*progress = (struct progress){
		.shown = !quiet && isatty(STDERR_FILENO) && g_strcmp0(g_getenv("TERM"), "dumb") != 0,
		.coloured = no_color == NULL || *no_color == '\0',
	};
}

void progress_show(struct progress *progress, guint64 done, guint64 total, const char *words)
{
	gint64 now = g_get_monotonic_time();
	guint filled = total == 0 ? 0 : (guint)(MIN(done, total) * BAR_WIDTH / total);
	char bar[BAR_WIDTH + 1];

	if (!progress->shown || now - progress->drawn < PERIOD)
		return;
	progress->drawn = now;
	for (guint i = 0; i < BAR_WIDTH; i++)
		bar[i] = i < filled ? '#' : '-';
	bar[BAR_WIDTH] = '\0';
	if (total == 0)
		fprintf(stderr, TAKE_AWAY "%s", words);
	else
		fprintf(stderr, TAKE_AWAY "[%s%s%s] %3u%%  %s", progress->coloured ? "\033[32m" : "", bar,
		    progress->coloured ? "\033[0m" : "", (guint)(MIN(done, total) * 100 / total), words);
	fflush(stderr);
}

void progress_clear(struct progress *progress)
{
	if (progress->shown && progress->drawn != 0)
		fputs(TAKE_AWAY, stderr);
	progress->drawn = 0;
}
