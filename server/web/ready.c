#include "server/web/ready.h"

#include <json-c/json.h>
#include <string.h>

#include "server/common/disk.h"
#include "server/common/log.h"
#include "server/database/migrate.h"
#include "server/web/connection.h"

#define NOT_READY "{\"ready\": false}"
#define NO_ROOM   "{\"ready\": false, \"storage\": \"full\"}"
#define NO_INTAKE "{\"ready\": false, \"intake\": \"failing\"}"
#define MIB       (G_GUINT64_CONSTANT(1) << 20)
#define READY_SQL "SELECT api.ready(p_schema_version => $1::int, p_definitions => $2)"

#define ASK_EVERY  (2 * G_TIME_SPAN_SECOND)
#define WAIT_MOST  (300 * G_TIME_SPAN_MILLISECOND) /* /readyz must answer within half a second */
#define SILENT_FOR (5 * G_TIME_SPAN_SECOND)        /* a busy machine may need a second; this is a fault */

static struct {
	GThread *thread;
	struct ready_options options;

	GMutex lock; /* protects the following members */
	GCond changed;
	gboolean ending;
	guint64 wanted;  /* the number of the question that somebody waits for */
	guint64 begun;   /* of the last question that was begun */
	guint64 ended;   /* and that was answered */
	gint64 begun_at; /* monotonic times */
	gint64 ended_at;
	gboolean ready; /* the last answer */
	GBytes *document;
	gint logged; /* what the log said last; -1: nothing */
} state = { .logged = -1 };

/* Log once when the site becomes ready or unready, from the first time on that somebody wanted to know:
 * before, the database may be under construction. Called with the lock. */
static void log_ready(gboolean ready, const char *cause)
{
	if (state.logged == ready)
		return;
	state.logged = ready;
	if (ready)
		log_info("ready");
	else
		log_warning("not ready: %s", cause);
}

/* The result of api.ready(): {"ready": true, ...} */
static gboolean says_ready(GBytes *document)
{
	json_tokener *tokener = json_tokener_new();
	gsize size;
	const char *text = g_bytes_get_data(document, &size);
	json_object *object = json_tokener_parse_ex(tokener, text, (int)size);
	gboolean ready = json_object_get_boolean(json_object_object_get(object, "ready"));

	json_object_put(object);
	json_tokener_free(tokener);
	return ready;
}

static GBytes *not_ready(void)
{
	return g_bytes_new_static(NOT_READY, strlen(NOT_READY));
}

/* Ask the database. *document is transfer full; *cause, too, if it is not ready. */
static gboolean ask_database(GBytes **document, char **cause)
{
	g_autofree char *version = g_strdup_printf("%d", migrate_version());
	char *params[] = { version, (char *)migrate_definitions() };
	g_autoptr(GError) error = NULL;
	gboolean ready;

	*document = NULL;
	if (connection_document(NULL, READY_SQL, params, G_N_ELEMENTS(params), document, NULL, NULL,
		&error) != CONNECTION_ROWS ||
	    *document == NULL)
		*document = not_ready();
	ready = says_ready(*document);
	if (!ready)
		*cause =
		    g_strdup(error != NULL ? error->message : "the database's schema is not this program's");
	return ready;
}

/* Returns whether PostgreSQL can store mail. A disk with faults is mounted read-only by the kernel. */
static gboolean has_room(char **cause)
{
	g_autoptr(GError) error = NULL;
	struct disk disk;

	if (state.options.storage == NULL)
		return TRUE;
	if (!disk_ask(state.options.storage, &disk, &error)) {
		*cause = g_strdup(error->message);
		return FALSE;
	}
	if (disk.read_only)
		*cause = g_strdup_printf("the disk of %s can only be read", state.options.storage);
	else if (disk.available < state.options.min_free)
		*cause = g_strdup_printf("the disk of %s has %" G_GUINT64_FORMAT
					 " MiB left; mail needs %" G_GUINT64_FORMAT " MiB (server.min_free)",
		    state.options.storage, disk.available / MIB, state.options.min_free / MIB);
	return *cause == NULL;
}

/* Returns whether the last mail was stored, or none came for long. */
static gboolean stores_mail(char **cause)
{
	gint64 seconds = vitals_failing(state.options.vitals);

	if (seconds < 0)
		return TRUE;
	*cause = g_strdup_printf(
	    "mail is not stored since %" G_GINT64_FORMAT " s; ruad-ingest logs the cause", seconds);
	return FALSE;
}

/* Ask the database, and look at its disk and at the intake; as ask_database(). */
static gboolean ask(GBytes **document, char **cause)
{
	const char *fault;

	if (!ask_database(document, cause))
		return FALSE;
	fault = !has_room(cause) ? NO_ROOM : !stores_mail(cause) ? NO_INTAKE : NULL;
	if (fault == NULL)
		return TRUE;
	g_bytes_unref(*document);
	*document = g_bytes_new_static(fault, strlen(fault));
	return FALSE;
}

/* Ask and store the answer; called and returns with the lock. */
static void question(void)
{
	g_autofree char *cause = NULL;
	GBytes *document;
	gboolean ready;

	state.begun++;
	state.begun_at = g_get_monotonic_time();
	g_mutex_unlock(&state.lock);
	ready = ask(&document, &cause);
	g_mutex_lock(&state.lock);
	g_clear_pointer(&state.document, g_bytes_unref);
	state.document = document;
	state.ready = ready;
	state.ended = state.begun;
	state.ended_at = g_get_monotonic_time();
	if (!state.ending && (state.logged >= 0 || state.wanted > 0))
		log_ready(ready, cause);
	g_cond_broadcast(&state.changed);
}

static gpointer ready_main(gpointer data)
{
	g_mutex_lock(&state.lock);
	while (!state.ending) {
		gint64 next = state.ended_at + ASK_EVERY;

		if (state.begun < state.wanted || g_get_monotonic_time() >= next)
			question();
		else
			(void)g_cond_wait_until(&state.changed, &state.lock, next);
	}
	g_mutex_unlock(&state.lock);
	return data;
}

void ready_start(const struct ready_options *options)
{
	g_assert(state.thread == NULL);
	state.options = *options;
	state.thread = g_thread_new("ready", ready_main, NULL);
}

void ready_stop(void)
{
	g_mutex_lock(&state.lock);
	state.ending = TRUE;
	g_cond_broadcast(&state.changed);
	g_mutex_unlock(&state.lock);
	connection_interrupt(state.thread);
	g_clear_pointer(&state.thread, g_thread_join);
	g_clear_pointer(&state.document, g_bytes_unref);
}

/* Wait for a new answer. A question in progress that already took too long is not waited for, so that the
 * requests behind this one are answered, too. */
static void wait_for_answer(void)
{
	guint64 mine = state.begun + 1;
	gint64 since = state.begun > state.ended ? state.begun_at : g_get_monotonic_time();

	state.wanted = mine;
	g_cond_broadcast(&state.changed);
	while (state.ended < mine && !state.ending &&
	       g_cond_wait_until(&state.changed, &state.lock, since + WAIT_MOST))
		continue;
}

gboolean ready_ask(GBytes **document)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&state.lock);
	gboolean silent;

	wait_for_answer();
	silent = state.begun > state.ended && g_get_monotonic_time() - state.begun_at > SILENT_FOR;
	if (silent)
		log_ready(FALSE, "the database does not answer");
	if (silent || state.document == NULL) {
		*document = not_ready();
		return FALSE;
	}
	*document = g_bytes_ref(state.document);
	return state.ready;
}
