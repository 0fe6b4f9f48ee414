#include "server/web/inflow.h"

#define LOOK_EVERY (200 * G_TIME_SPAN_MILLISECOND) /* at stopping */

enum inflow_state {
	INFLOW_IDLE, /* the user works */
	INFLOW_WANTED,
	INFLOW_FULL, /* piece is the next one */
	INFLOW_ENDED,
	INFLOW_FAILED,
};

struct inflow {
	void (*want)(gpointer user);
	gpointer user;
	const gint *stopping;
	GMutex lock; /* protects the following members */
	GCond changed;
	enum inflow_state state;
	GBytes *piece;
};

struct inflow *inflow_new(void (*want)(gpointer user), gpointer user, const gint *stopping)
{
	struct inflow *inflow = g_new0(struct inflow, 1);

	inflow->want = want;
	inflow->user = user;
	inflow->stopping = stopping;
	g_mutex_init(&inflow->lock);
	g_cond_init(&inflow->changed);
	return inflow;
}

void inflow_free(struct inflow *inflow)
{
	if (inflow == NULL)
		return;
	g_clear_pointer(&inflow->piece, g_bytes_unref);
	g_mutex_clear(&inflow->lock);
	g_cond_clear(&inflow->changed);
	g_free(inflow);
}

/* Returns FALSE after the end. */
static gboolean ask(struct inflow *inflow)
{
	gboolean more;

	g_mutex_lock(&inflow->lock);
	more = inflow->state == INFLOW_IDLE;
	if (more)
		inflow->state = INFLOW_WANTED;
	g_mutex_unlock(&inflow->lock);
	if (more)
		inflow->want(inflow->user);
	return more;
}

GBytes *inflow_next(struct inflow *inflow, gboolean *failed)
{
	gboolean asked = ask(inflow);
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&inflow->lock);

	while (asked && inflow->state == INFLOW_WANTED) {
		(void)g_cond_wait_until(&inflow->changed, &inflow->lock, g_get_monotonic_time() + LOOK_EVERY);
		if (inflow->state == INFLOW_WANTED && g_atomic_int_get(inflow->stopping))
			inflow->state = INFLOW_FAILED;
	}
	*failed = inflow->state == INFLOW_FAILED;
	if (inflow->state == INFLOW_FULL)
		inflow->state = INFLOW_IDLE;
	return g_steal_pointer(&inflow->piece);
}

static void change(struct inflow *inflow, enum inflow_state state, GBytes *piece)
{
	g_mutex_lock(&inflow->lock);
	g_clear_pointer(&inflow->piece, g_bytes_unref);
	if (inflow->state != INFLOW_ENDED && inflow->state != INFLOW_FAILED) {
		inflow->state = state;
		inflow->piece = g_steal_pointer(&piece);
	}
	g_cond_signal(&inflow->changed);
	g_mutex_unlock(&inflow->lock);
	g_clear_pointer(&piece, g_bytes_unref);
}

void inflow_put(struct inflow *inflow, GBytes *piece)
{
	change(inflow, INFLOW_FULL, piece);
}

void inflow_end(struct inflow *inflow)
{
	change(inflow, INFLOW_ENDED, NULL);
}

void inflow_fail(struct inflow *inflow)
{
	change(inflow, INFLOW_FAILED, NULL);
}
