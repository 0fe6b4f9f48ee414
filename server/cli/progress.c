#include "server/cli/progress.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BAR_WIDTH    20
#define BAR_PERIOD   (G_USEC_PER_SEC / 5)
#define LINE_PERIOD  (30 * G_USEC_PER_SEC)
#define FIRST_GUESS  (2 * G_USEC_PER_SEC) /* before it a guess at the time left says nothing */
#define TAKE_AWAY    "\r\033[K"
#define GREEN        "\033[32m"
#define PLAIN        "\033[0m"
#define COLUMNS      80 /* of a terminal that does not say */
#define LEAST_BAR    40 /* columns; a narrower terminal has no room for a bar */
#define AROUND_A_BAR 4  /* columns: brackets, a space, and the last column, which would begin a new line */

struct progress {
	gboolean is_bar;
	gboolean coloured; /* not if NO_COLOR is set */
	progress_cb measure;
	gpointer user;
	gint64 begun;    /* monotonic microseconds */
	GThread *thread; /* NULL if quiet */

	GMutex mutex; /* of all below */
	GCond changed;
	gboolean ended;
	gboolean drawn;    /* there is a bar to remove */
	gint64 not_before; /* monotonic microseconds: something else is printed until then */
	guint64 done;
	guint64 total;
	char *words;
};

/* -- the text -- */

/* "40 s", "3 min", "2 h 5 min" */
static char *duration(gint64 microseconds)
{
	gint64 seconds = microseconds / G_USEC_PER_SEC;

	if (seconds < 90)
		return g_strdup_printf("%d s", (int)seconds);
	if (seconds < 5400)
		return g_strdup_printf("%d min", (int)((seconds + 30) / 60));
	return g_strdup_printf("%d h %d min", (int)(seconds / 3600), (int)(seconds % 3600 / 60));
}

char *progress_text(guint64 done, guint64 total, gint64 elapsed, const char *words)
{
	guint64 known = MIN(done, total);
	g_autofree char *passed = duration(elapsed);
	g_autofree char *left = NULL;

	if (total == 0)
		return g_strdup_printf("%s  %s", passed, words);
	if (known == 0 || known == total || elapsed < FIRST_GUESS)
		return g_strdup_printf("%3d%%  %s", (int)((double)known / (double)total * 100), words);
	left = duration((gint64)((double)elapsed / (double)known * (double)(total - known)));
	return g_strdup_printf("%3d%%  %s left  %s", (int)((double)known / (double)total * 100), left, words);
}

/* -- the drawing; the mutex is held -- */

static guint columns(void)
{
	struct winsize size = { 0 };

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : COLUMNS;
}

static void draw_bar(struct progress *progress, const char *text)
{
	guint width = columns();
	guint room = width > LEAST_BAR ? width - BAR_WIDTH - AROUND_A_BAR : width - 1;
	guint filled =
	    progress->total == 0
		? 0
		: (guint)((double)MIN(progress->done, progress->total) / (double)progress->total * BAR_WIDTH);
	g_autofree char *full = g_strnfill(filled, '#');
	g_autofree char *empty = g_strnfill(BAR_WIDTH - filled, '-');

	if (progress->total == 0 || width <= LEAST_BAR)
		fprintf(stderr, TAKE_AWAY "%.*s", (int)(width - 1), text);
	else
		fprintf(stderr, TAKE_AWAY "[%s%s%s%s] %.*s", progress->coloured ? GREEN : "", full, empty,
		    progress->coloured ? PLAIN : "", (int)room, text);
	progress->drawn = TRUE;
}

static void draw(struct progress *progress)
{
	g_autofree char *text = NULL;

	if (progress->words == NULL || g_get_monotonic_time() < progress->not_before)
		return;
	text = progress_text(
	    progress->done, progress->total, g_get_monotonic_time() - progress->begun, progress->words);
	if (progress->is_bar)
		draw_bar(progress, text);
	else
		fprintf(stderr, "%s\n", g_strchug(text));
	fflush(stderr);
}

static void take_away(struct progress *progress)
{
	if (progress->drawn)
		fputs(TAKE_AWAY, stderr);
	progress->drawn = FALSE;
}

/* Wait for the end, at most that long. Returns FALSE at the end. */
static gboolean wait_for(struct progress *progress, gint64 microseconds)
{
	gint64 until = g_get_monotonic_time() + microseconds;

	while (!progress->ended && g_cond_wait_until(&progress->changed, &progress->mutex, until))
		;
	return !progress->ended;
}

/* The first bar was drawn by progress_set(); lines begin once the command takes long. */
static gpointer show(gpointer user)
{
	struct progress *progress = user;
	gint64 period = progress->is_bar ? BAR_PERIOD : LINE_PERIOD;

	g_mutex_lock(&progress->mutex);
	while (wait_for(progress, period)) {
		g_mutex_unlock(&progress->mutex);
		if (progress->measure != NULL)
			progress->measure(progress, progress->user);
		g_mutex_lock(&progress->mutex);
		if (!progress->ended)
			draw(progress);
	}
	g_mutex_unlock(&progress->mutex);
	return NULL;
}

/* -- the interface -- */

struct progress *progress_new(gboolean quiet, progress_cb measure, gpointer user)
{
	const char *no_color = g_getenv("NO_COLOR");
	struct progress *progress = g_new0(struct progress, 1);

	progress->is_bar = !quiet && isatty(STDERR_FILENO) && g_strcmp0(g_getenv("TERM"), "dumb") != 0;
	progress->coloured = no_color == NULL || *no_color == '\0';
	progress->measure = measure;
	progress->user = user;
	progress->begun = g_get_monotonic_time();
	g_mutex_init(&progress->mutex);
	g_cond_init(&progress->changed);
	if (progress->is_bar && measure != NULL)
		measure(progress, user);
	if (!quiet)
		progress->thread = g_thread_new("progress", show, progress);
	return progress;
}

void progress_set(struct progress *progress, guint64 done, guint64 total, const char *words)
{
	gboolean is_first;

	g_mutex_lock(&progress->mutex);
	is_first = progress->words == NULL;
	progress->done = done;
	progress->total = total;
	g_free(progress->words);
	progress->words = g_strdup(words);
	if (is_first && progress->is_bar)
		draw(progress);
	g_mutex_unlock(&progress->mutex);
}

void progress_clear(struct progress *progress)
{
	g_mutex_lock(&progress->mutex);
	take_away(progress);
	progress->not_before = g_get_monotonic_time() + BAR_PERIOD / 2;
	g_mutex_unlock(&progress->mutex);
}

void progress_free(struct progress *progress)
{
	if (progress == NULL)
		return;
	g_mutex_lock(&progress->mutex);
	progress->ended = TRUE;
	g_cond_signal(&progress->changed);
	g_mutex_unlock(&progress->mutex);
	if (progress->thread != NULL)
		g_thread_join(progress->thread);
	take_away(progress);
	g_cond_clear(&progress->changed);
	g_mutex_clear(&progress->mutex);
	g_free(progress->words);
	g_free(progress);
}
