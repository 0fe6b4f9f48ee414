#include "server/web/workers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define THREADS 4
#define QUEUE   6
#define SOON    (10 * G_TIME_SPAN_SECOND) /* more than anything here takes */

/* Work that waits until it may end. */
struct task {
	struct work work;
	gboolean begun;
	gboolean interrupted;
	gboolean done;
};

static GMutex lock; /* protects the following members and those of tasks */
static GCond changed;
static gboolean released;   /* tasks may end */
static GHashTable *running; /* GThread -> task */

static void task_run(struct work *work)
{
	struct task *task = (struct task *)work;

	g_mutex_lock(&lock);
	task->begun = TRUE;
	g_hash_table_insert(running, g_thread_self(), task);
	g_cond_broadcast(&changed);
	while (!released && !task->interrupted)
		g_cond_wait(&changed, &lock);
	g_hash_table_remove(running, g_thread_self());
	g_mutex_unlock(&lock);
}

static void task_done(struct work *work)
{
	g_mutex_lock(&lock);
	((struct task *)work)->done = TRUE;
	g_cond_broadcast(&changed);
	g_mutex_unlock(&lock);
}

static void interrupt(GThread *thread)
{
	g_mutex_lock(&lock);
	((struct task *)g_hash_table_lookup(running, thread))->interrupted = TRUE;
	g_cond_broadcast(&changed);
	g_mutex_unlock(&lock);
}

static gboolean push(struct workers *workers, struct task *task, const char *client)
{
	task->work = (struct work){ .client = client, .run = task_run, .done = task_done };
	return workers_push(workers, &task->work, TRUE);
}

/* Wait until the flag is set. */
static void await(const gboolean *flag)
{
	gint64 end = g_get_monotonic_time() + SOON;

	g_mutex_lock(&lock);
	while (!*flag)
		assert_true(g_cond_wait_until(&changed, &lock, end));
	g_mutex_unlock(&lock);
}

static gboolean is_set(const gboolean *flag)
{
	gboolean value;

	g_mutex_lock(&lock);
	value = *flag;
	g_mutex_unlock(&lock);
	return value;
}

static void release(void)
{
	g_mutex_lock(&lock);
	released = TRUE;
	g_cond_broadcast(&changed);
	g_mutex_unlock(&lock);
}

static int set_up(void **state)
{
	released = FALSE;
	running = g_hash_table_new(g_direct_hash, g_direct_equal);
	*state = workers_new(&(struct workers_options){ .threads = THREADS,
	    .share = THREADS / 2,
	    .queue = QUEUE,
	    .queue_share = QUEUE / 2,
	    .interrupt = interrupt });
	return 0;
}

static int tear_down(void **state)
{
	workers_stop(*state);
	workers_free(*state);
	g_hash_table_unref(running);
	return 0;
}

static void a_client_has_its_share_of_the_threads(void **state)
{
	struct task greedy[3] = { 0 };
	struct task other = { 0 };

	for (gsize i = 0; i < G_N_ELEMENTS(greedy); i++)
		assert_true(push(*state, &greedy[i], "192.0.2.1"));
	assert_true(push(*state, &other, "192.0.2.2"));
	await(&greedy[0].begun);
	await(&greedy[1].begun);
	await(&other.begun); /* before greedy[2], which waits */
	assert_false(is_set(&greedy[2].begun));
	release();
	await(&greedy[2].done);
	await(&greedy[0].done);
	await(&greedy[1].done);
	await(&other.done);
}

static void the_queue_is_bounded_in_all_and_for_each_client(void **state)
{
	struct task running_tasks[THREADS] = { 0 };
	struct task waiting[QUEUE] = { 0 };
	struct task extra = { 0 };

	for (gsize i = 0; i < THREADS; i++) {
		assert_true(push(*state, &running_tasks[i], i % 2 ? "a" : "b"));
		await(&running_tasks[i].begun);
	}
	for (gsize i = 0; i < QUEUE / 2; i++)
		assert_true(push(*state, &waiting[i], "a"));
	assert_false(push(*state, &extra, "a"));
	for (gsize i = QUEUE / 2; i < QUEUE; i++)
		assert_true(push(*state, &waiting[i], "b"));
	assert_false(push(*state, &extra, "c"));
	extra.work = (struct work){ .client = "a", .run = task_run, .done = task_done };
	assert_true(workers_push(*state, &extra.work, FALSE)); /* the bound does not apply to it */
	release();
	for (gsize i = 0; i < THREADS; i++)
		await(&running_tasks[i].done);
	for (gsize i = 0; i < QUEUE; i++)
		await(&waiting[i].done);
	await(&extra.done);
}

static void abandoned_work_is_removed_or_interrupted(void **state)
{
	struct task tasks[3] = { 0 };
	struct task next = { 0 };
	struct work_run run;
	struct work_run late;

	for (gsize i = 0; i < G_N_ELEMENTS(tasks); i++)
		assert_true(push(*state, &tasks[i], "a"));
	await(&tasks[0].begun);
	await(&tasks[1].begun);
	assert_true(workers_abandon(*state, &tasks[2].work, &run)); /* it waits */
	assert_true(run.serial == 0);
	workers_interrupt(*state, &run); /* names nothing */
	assert_false(workers_abandon(*state, &tasks[0].work, &late));
	workers_interrupt(*state, &late);
	await(&tasks[0].done);
	assert_true(is_set(&tasks[0].interrupted));
	assert_true(push(*state, &next, "a"));
	await(&next.begun);
	workers_interrupt(*state, &late); /* has ended: its thread's next work goes on */
	assert_false(is_set(&next.interrupted));
	assert_false(is_set(&tasks[1].interrupted));
	assert_false(is_set(&tasks[2].begun) || is_set(&tasks[2].done));
	release();
	await(&tasks[1].done);
	await(&next.done);
}

/* In turns, each would run a quarter. A thread that is not idle yet is no failure. */
static void the_thread_that_ran_last_runs_again(void **state)
{
	struct task tasks[12] = { 0 };
	guint n_runs[THREADS] = { 0 };
	guint most = 0;

	release();
	for (gsize i = 0; i < G_N_ELEMENTS(tasks); i++) {
		assert_true(push(*state, &tasks[i], "a"));
		await(&tasks[i].done);
		n_runs[tasks[i].work.worker]++;
		g_usleep(20 * G_TIME_SPAN_MILLISECOND);
	}
	for (gsize i = 0; i < THREADS; i++)
		most = MAX(most, n_runs[i]);
	assert_true(most > G_N_ELEMENTS(tasks) / 2);
}

static void at_the_end_nothing_goes_on(void **state)
{
	struct task tasks[3] = { 0 };
	struct task late = { 0 };

	for (gsize i = 0; i < G_N_ELEMENTS(tasks); i++)
		assert_true(push(*state, &tasks[i], "a"));
	await(&tasks[0].begun);
	await(&tasks[1].begun);
	workers_stop(*state);
	for (gsize i = 0; i < G_N_ELEMENTS(tasks); i++)
		assert_true(tasks[i].done);
	assert_true(tasks[0].interrupted && tasks[1].interrupted);
	assert_false(tasks[2].begun);
	for (gsize i = 0; i < G_N_ELEMENTS(tasks); i++) {
		struct work_run run;

		assert_false(workers_abandon(*state, &tasks[i].work, &run)); /* done() was called already */
		assert_int_equal(run.serial, 0);
	}
	assert_false(push(*state, &late, "a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_client_has_its_share_of_the_threads, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    the_queue_is_bounded_in_all_and_for_each_client, set_up, tear_down),
		cmocka_unit_test_setup_teardown(abandoned_work_is_removed_or_interrupted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_thread_that_ran_last_runs_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(at_the_end_nothing_goes_on, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
