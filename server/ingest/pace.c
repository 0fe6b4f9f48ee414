#include "server/ingest/pace.h"

#define MOMENT (100 * G_TIME_SPAN_MILLISECOND) /* until a client sends the next mail */

struct pace {
	GMutex lock;     /* protects all following members */
	GCond turn;      /* current changed */
	GCond rested;    /* never signalled */
	guint64 current; /* number of the piece that may be done, and of the next one that is asked for */
	guint64 next;
	gint64 began; /* monotonic time of the current piece, as are the next two */
	gint64 rest;  /* until then no piece begins while small mails are under way */
	gint64 ended; /* of the last small mail; 0: none */
	guint small;  /* mails that are under way */
};

struct pace *pace_new(void)
{
	struct pace *pace = g_new0(struct pace, 1);

	g_mutex_init(&pace->lock);
	g_cond_init(&pace->turn);
	g_cond_init(&pace->rested);
	return pace;
}

void pace_free(struct pace *pace)
{
	if (!pace)
		return;
	g_mutex_clear(&pace->lock);
	g_cond_clear(&pace->turn);
	g_cond_clear(&pace->rested);
	g_free(pace);
}

void pace_small(struct pace *pace, int change)
{
	if (!pace)
		return;
	g_mutex_lock(&pace->lock);
	pace->small += (guint)change;
	if (change < 0)
		pace->ended = g_get_monotonic_time();
	g_mutex_unlock(&pace->lock);
}

static gboolean is_busy(const struct pace *pace, gint64 now)
{
	return pace->small > 0 || (pace->ended != 0 && now - pace->ended < MOMENT);
}

gboolean pace_busy(struct pace *pace)
{
	gboolean busy;

	if (!pace)
		return FALSE;
	g_mutex_lock(&pace->lock);
	busy = is_busy(pace, g_get_monotonic_time());
	g_mutex_unlock(&pace->lock);
	return busy;
}

void pace_begin(struct pace *pace)
{
	guint64 mine;

	if (!pace)
		return;
	g_mutex_lock(&pace->lock);
	mine = pace->next++;
	while (pace->current != mine)
		g_cond_wait(&pace->turn, &pace->lock);
	while (is_busy(pace, g_get_monotonic_time()) &&
	       g_cond_wait_until(&pace->rested, &pace->lock, pace->rest))
		;
	pace->began = g_get_monotonic_time();
	g_mutex_unlock(&pace->lock);
}

void pace_end(struct pace *pace)
{
	gint64 now = g_get_monotonic_time();

	if (!pace)
		return;
	g_mutex_lock(&pace->lock);
	pace->rest = now + MIN(PACE_REST * (now - pace->began), PACE_REST_MAX);
	pace->current++;
	g_cond_broadcast(&pace->turn);
	g_mutex_unlock(&pace->lock);
}
