/*
 * A body in pieces between two threads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/web/inflow.h"

/* A receiver that has so many pieces, and then ends or fails. */
struct receiver {
	struct inflow *inflow;
	guint pieces, given;
	gboolean fails, silent;
	gint stopping;
	GAsyncQueue *wanted;
};

static void on_want(gpointer user)
{
	struct receiver *receiver = user;

	g_async_queue_push(receiver->wanted, receiver);
}

static gpointer receive(gpointer user)
{
	struct receiver *receiver = user;

	while (g_async_queue_pop(receiver->wanted) != NULL && !receiver->silent) {
		if (receiver->given < receiver->pieces) {
			receiver->given++;
			inflow_put(receiver->inflow, g_bytes_new("piece", 5));
			continue;
		}
		if (receiver->fails)
			inflow_fail(receiver->inflow);
		else
			inflow_end(receiver->inflow);
		break;
	}
	return NULL;
}

static void check(struct receiver receiver, guint want)
{
	GThread *thread;
	gboolean failed = FALSE;
	guint n = 0;
	GBytes *piece;

	receiver.wanted = g_async_queue_new();
	receiver.inflow = inflow_new(on_want, &receiver, &receiver.stopping);
	thread = g_thread_new("receiver", receive, &receiver);
	while ((piece = inflow_next(receiver.inflow, &failed)) != NULL) {
		assert_false(failed);
		assert_int_equal(receiver.given, ++n); /* none is received before it is wanted */
		g_bytes_unref(piece);
	}
	assert_int_equal(n, want);
	assert_int_equal(failed, receiver.fails || receiver.silent);
	assert_null(inflow_next(receiver.inflow, &failed));
	assert_int_equal(failed, receiver.fails || receiver.silent);
	g_thread_join(thread);
	inflow_free(receiver.inflow);
	g_async_queue_unref(receiver.wanted);
}

static void pieces_come_one_by_one_until_the_end(void **state G_GNUC_UNUSED)
{
	for (guint n = 0; n < 3; n++)
		check((struct receiver){ .pieces = n }, n);
	check((struct receiver){ .pieces = 10000 }, 10000);
}

static void an_early_end_is_a_failure(void **state G_GNUC_UNUSED)
{
	for (guint n = 0; n < 3; n++)
		check((struct receiver){ .pieces = n, .fails = TRUE }, n);
}

static void who_stops_waits_for_no_more(void **state G_GNUC_UNUSED)
{
	check((struct receiver){ .silent = TRUE, .stopping = 1 }, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_come_one_by_one_until_the_end),
		cmocka_unit_test(an_early_end_is_a_failure),
		cmocka_unit_test(who_stops_waits_for_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
