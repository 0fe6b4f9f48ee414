#include "server/ingest/upkeep.h"

#include "server/common/log.h"
#include "server/database/db.h"
#include "server/database/role.h"

#define PROGRAM       "ruad-upkeep"
#define PAUSE         G_TIME_SPAN_SECOND        /* between checks of the clock */
#define SUMS_PAUSE    (10 * G_TIME_SPAN_SECOND) /* many reports cost little more than one */
#define SUMS_PATIENCE (50 * G_TIME_SPAN_SECOND) /* longer than that, while small mails are under way */
#define MONTHS_PAUSE  (15 * G_TIME_SPAN_SECOND) /* between looks at what partitions are wanted */
#define MUCH          15000                     /* records: then it looks at partitions at once */
#define AWAY_PAUSE    (5 * G_TIME_SPAN_SECOND)  /* after a failure */
#define CONFLICT      "40001"                   /* another session changed the rows first: nothing was done */

struct upkeep {
	char *conninfo;
	struct pace *pace;
	GThread *thread;
	gint64 sums_due; /* monotonic time; used only by the thread, as are the next four */
	gboolean more;   /* another full piece of sums is left */
	gint64 months_due;
	char *months_left; /* the last result of ruad.make_months(); the same again: a lock is held */
	gboolean failing;  /* the last attempt failed */
	char *failure;     /* the last one logged */

	GMutex lock; /* protects this group */
	GCond wake;
	struct db *db;   /* set only by the thread; others may cancel its statement */
	gboolean gentle; /* its statement rests now and then */
	guint64 stored;  /* records since the last look at partitions */
	guint64 tail;    /* and of those that are not summed, of this process since its start */
	gboolean stopping;
	gboolean finish;
};

/* Log a failure once, not at each attempt, and only if it lasts: at the first start the schema is being
 * made. */
static void failed(struct upkeep *upkeep, const GError *error)
{
	gboolean lasts = upkeep->failing;

	upkeep->failing = TRUE;
	if (!lasts || g_strcmp0(upkeep->failure, error->message) == 0)
		return;
	log_warning("sums and partitions wait: %s", error->message);
	g_free(upkeep->failure);
	upkeep->failure = g_strdup(error->message);
}

static void succeeded(struct upkeep *upkeep)
{
	upkeep->failing = FALSE;
	g_clear_pointer(&upkeep->failure, g_free);
}

/* Replace the connection by db (NULL is none). */
static void use(struct upkeep *upkeep, struct db *db)
{
	struct db *old;

	g_mutex_lock(&upkeep->lock);
	old = upkeep->db;
	upkeep->db = db;
	g_mutex_unlock(&upkeep->lock);
	db_close(old);
}

static gboolean connected(struct upkeep *upkeep, GError **error)
{
	struct db *db;

	if (upkeep->db && db_alive(upkeep->db))
		return TRUE;
	db = db_open(upkeep->conninfo, PROGRAM, error);
	if (db && !role_assume(db, "ruad_ingest", error))
		g_clear_pointer(&db, db_close);
	use(upkeep, db);
	return db != NULL;
}

/* Run a statement in a separate transaction; parameter is its $1, or NULL. *answer is its text, transfer
 * full. */
static gboolean ask(
    struct db *db, const char *begin, const char *sql, const char *parameter, char **answer, GError **error)
{
	const struct db_value params[] = { DB_TEXT(parameter) };
	struct db_rows *rows = NULL;

	if (!db_exec(db, begin, NULL, 0, error))
		return FALSE;
	rows = db_query(db, sql, params, parameter ? 1 : 0, error);
	if (rows && db_rows_count(rows) == 1)
		*answer = g_strdup(db_rows_get(rows, 0, 0));
	db_rows_free(rows);
	if (rows && db_exec(db, "COMMIT", NULL, 0, error))
		return TRUE;
	if (db_alive(db) && !db_exec(db, "ROLLBACK", NULL, 0, NULL))
		g_debug("rollback failed");
	return FALSE;
}

/* Whether to sum now; then *tail is what this process has stored and not summed. */
static gboolean sums_are_due(struct upkeep *upkeep, gint64 now, guint64 *tail)
{
	g_autoptr(GMutexLocker) G_GNUC_UNUSED locker = g_mutex_locker_new(&upkeep->lock);

	*tail = upkeep->tail;
	if (upkeep->more || upkeep->stopping || upkeep->tail >= UPKEEP_TAIL)
		return TRUE;
	return now >= upkeep->sums_due &&
	       (now >= upkeep->sums_due + SUMS_PATIENCE || !pace_busy(upkeep->pace));
}

static void shorten_tail(struct upkeep *upkeep, guint64 records)
{
	g_autoptr(GMutexLocker) G_GNUC_UNUSED locker = g_mutex_locker_new(&upkeep->lock);

	upkeep->tail -= records;
}

static void set_gentle(struct upkeep *upkeep, gboolean gentle)
{
	g_autoptr(GMutexLocker) G_GNUC_UNUSED locker = g_mutex_locker_new(&upkeep->lock);

	upkeep->gentle = gentle;
}

/* Sum up one piece, if it is due. After a conflict the next one is due as usual. */
static gboolean sum_up(struct upkeep *upkeep, GError **error)
{
	g_autofree char *answer = NULL;
	gint64 now = g_get_monotonic_time();
	gboolean good, gentle;
	guint64 tail;

	if (!sums_are_due(upkeep, now, &tail))
		return TRUE;
	pace_begin(upkeep->pace);
	gentle = pace_busy(upkeep->pace);
	set_gentle(upkeep, gentle);
	good = ask(upkeep->db, "BEGIN ISOLATION LEVEL REPEATABLE READ",
	    "SELECT ruad.sum_up($1) AND ruad.sum_more()", gentle ? G_STRINGIFY(PACE_REST) : "0", &answer,
	    error);
	set_gentle(upkeep, FALSE);
	pace_end(upkeep->pace);
	if (!good && !g_str_equal(db_sqlstate(upkeep->db), CONFLICT)) {
		upkeep->more = TRUE; /* it stays due, so that not being due does not look like success */
		return FALSE;
	}
	upkeep->more = good && g_strcmp0(answer, "t") == 0;
	upkeep->sums_due = now + SUMS_PAUSE;
	if (!upkeep->more)
		shorten_tail(upkeep, tail);
	g_clear_error(error);
	return TRUE;
}

/* Whether to look at partitions now; then what was stored before counts no more. */
static gboolean months_are_due(struct upkeep *upkeep, gint64 now)
{
	g_autoptr(GMutexLocker) G_GNUC_UNUSED locker = g_mutex_locker_new(&upkeep->lock);

	if (now < upkeep->months_due && upkeep->stored < MUCH)
		return FALSE;
	upkeep->stored = 0;
	return TRUE;
}

static gboolean make_months(struct upkeep *upkeep, GError **error)
{
	g_autofree char *answer = NULL;
	gint64 now = g_get_monotonic_time();

	if (!months_are_due(upkeep, now))
		return TRUE;
	upkeep->months_due = now + MONTHS_PAUSE;
	if (!ask(upkeep->db, "BEGIN", "SELECT ruad.make_months()", NULL, &answer, error))
		return FALSE;
	if (g_strcmp0(answer, "0") != 0 && g_strcmp0(answer, upkeep->months_left) != 0)
		upkeep->months_due = now + PAUSE; /* one was created, and more are needed */
	g_free(upkeep->months_left);
	upkeep->months_left = g_steal_pointer(&answer);
	return TRUE;
}

/* Do a piece of all pending work; *rest is the time to wait after it. Moving rows to partitions is no piece:
 * it may take a while, and rests by itself. */
static gboolean work(struct upkeep *upkeep, gint64 *rest, GError **error)
{
	gboolean good = connected(upkeep, error) && make_months(upkeep, error) && sum_up(upkeep, error);

	if (!good)
		*rest = AWAY_PAUSE;
	else
		*rest = upkeep->more ? 0 : PAUSE;
	return good;
}

/* Wait before the next check, with early at most until much is new; returns FALSE if the thread must end. */
static gboolean pause_for(struct upkeep *upkeep, gint64 time, gboolean early)
{
	g_autoptr(GMutexLocker) G_GNUC_UNUSED locker = g_mutex_locker_new(&upkeep->lock);
	gint64 end = g_get_monotonic_time() + time;

	while (!upkeep->stopping && !(early && upkeep->stored >= MUCH) &&
	       g_cond_wait_until(&upkeep->wake, &upkeep->lock, end))
		;
	return !upkeep->stopping;
}

static gpointer upkeep_main(gpointer user)
{
	struct upkeep *upkeep = user;
	gboolean good = TRUE;
	gint64 rest = 0;

	do {
		g_autoptr(GError) error = NULL;

		good = work(upkeep, &rest, &error);
		if (!good)
			failed(upkeep, error);
		else
			succeeded(upkeep);
	} while (pause_for(upkeep, rest, good && !upkeep->more));
	if (upkeep->finish)
		do
			good = work(upkeep, &rest, NULL);
		while (good && upkeep->more);
	use(upkeep, NULL);
	return NULL;
}

struct upkeep *upkeep_new(const char *conninfo)
{
	struct upkeep *upkeep = g_new0(struct upkeep, 1);

	upkeep->conninfo = g_strdup(conninfo);
	upkeep->pace = pace_new();
	upkeep->sums_due = g_get_monotonic_time();
	g_mutex_init(&upkeep->lock);
	g_cond_init(&upkeep->wake);
	upkeep->thread = g_thread_new("upkeep", upkeep_main, upkeep);
	return upkeep;
}

struct pace *upkeep_pace(const struct upkeep *upkeep)
{
	return upkeep ? upkeep->pace : NULL;
}

void upkeep_notice(struct upkeep *upkeep, guint64 records)
{
	if (!upkeep)
		return;
	g_mutex_lock(&upkeep->lock);
	upkeep->stored += records;
	upkeep->tail += records;
	if (upkeep->stored >= MUCH)
		g_cond_signal(&upkeep->wake);
	g_mutex_unlock(&upkeep->lock);
}

void upkeep_free(struct upkeep *upkeep, gboolean finish)
{
	if (!upkeep)
		return;
	g_mutex_lock(&upkeep->lock);
	upkeep->stopping = TRUE;
	upkeep->finish = finish;
	if (upkeep->db && (!finish || upkeep->gentle))
		db_cancel(upkeep->db); /* with finish it is done again, without rests */
	g_cond_signal(&upkeep->wake);
	g_mutex_unlock(&upkeep->lock);
	g_thread_join(upkeep->thread);
	g_mutex_clear(&upkeep->lock);
	g_cond_clear(&upkeep->wake);
	g_free(upkeep->months_left);
	g_free(upkeep->failure);
	g_free(upkeep->conninfo);
	pace_free(upkeep->pace);
	g_free(upkeep);
}
