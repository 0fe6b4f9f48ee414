#include "server/database/migrate.h"

#include "parser/error.h"
#include "server/common/log.h"
#include "server/database/role.h"

/*
 * Whoever migrates holds a lock on a table that no outsider may lock. Before the first migration there is no
 * such table: then it is an advisory lock ('ruad' in ASCII), which others can hold, so nobody waits for it
 * for ever.
 */
#define LOCK_SQL "LOCK TABLE ruad.schema_version IN EXCLUSIVE MODE"
#define FIRST_LOCK_SQL                                                                                       \
	"SET LOCAL lock_timeout = '60s'; SELECT pg_catalog.pg_advisory_xact_lock(1920295268); "              \
	"SET LOCAL lock_timeout = DEFAULT"

/* Before the first migration there is no table. */
#define EXISTS_SQL                                                                                           \
	"SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "        \
	"WHERE n.nspname = 'ruad' AND c.relname = 'schema_version'"
#define APPLIED_SQL "SELECT version, name, checksum FROM ruad.schema_version ORDER BY version"
#define RECORD_SQL                                                                                           \
	"INSERT INTO ruad.schema_version (version, name, checksum, app_version) VALUES ($1, $2, $3, $4)"

#define DEFINED_SQL "SELECT checksum FROM ruad.definitions"
#define RECORD_DEFINED_SQL                                                                                   \
	"INSERT INTO ruad.definitions (checksum, app_version) VALUES ($1, $2) ON CONFLICT (the_row) "        \
	"DO UPDATE SET checksum = excluded.checksum, app_version = excluded.app_version, applied_at = now()"

gint migrate_version(void)
{
	return migrations[n_migrations - 1].number;
}

const char *migrate_definitions(void)
{
	static char *checksum;

	if (g_once_init_enter(&checksum)) {
		char *fresh = g_compute_checksum_for_data(
		    G_CHECKSUM_SHA256, (const guchar *)definitions.text, definitions.size);

		g_once_init_leave(&checksum, fresh);
	}
	return checksum;
}

static char *checksum_of(const struct migration *migration)
{
	return g_compute_checksum_for_data(
	    G_CHECKSUM_SHA256, (const guchar *)migration->text, migration->size);
}

/* Compare a row of schema_version with its migration. */
static gboolean check_row(const struct db_rows *rows, gsize row, GError **error)
{
	const char *version = db_rows_get(rows, row, 0);
	g_autofree char *ours = NULL;

	if (row >= n_migrations) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
		    "the database has migration %s \"%s\", and this ruad (%s) knows only %d: a newer ruad "
		    "migrated it",
		    version, db_rows_get(rows, row, 1), RUAD_VERSION, migrate_version());
		return FALSE;
	}
	ours = checksum_of(&migrations[row]);
	if (g_ascii_strtoll(version, NULL, 10) == migrations[row].number &&
	    g_str_equal(db_rows_get(rows, row, 2), ours))
		return TRUE;
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
	    "migration %s \"%s\" of the database is not migration %d \"%s\" of this ruad (%s): their texts "
	    "differ",
	    version, db_rows_get(rows, row, 1), migrations[row].number, migrations[row].name, RUAD_VERSION);
	return FALSE;
}

/* *begun says whether the first migration was run. */
static gboolean check_begun(struct db *db, gboolean *begun, GError **error)
{
	struct db_rows *rows = db_query(db, EXISTS_SQL, NULL, 0, error);

	if (rows == NULL)
		return FALSE;
	*begun = db_rows_count(rows) > 0;
	db_rows_free(rows);
	return TRUE;
}

/* How many migrations the database has, all of them ours; -1 with error set. */
static gint64 count_applied(struct db *db, GError **error)
{
	gboolean begun = FALSE;
	struct db_rows *rows;
	gint64 applied;

	if (!check_begun(db, &begun, error))
		return -1;
	if (!begun)
		return 0;
	rows = db_query(db, APPLIED_SQL, NULL, 0, error);
	if (rows == NULL)
		return -1;
	applied = (gint64)db_rows_count(rows);
	for (gsize row = 0; row < db_rows_count(rows) && applied >= 0; row++)
		if (!check_row(rows, row, error))
			applied = -1;
	db_rows_free(rows);
	return applied;
}

static gboolean record(struct db *db, const struct migration *migration, GError **error)
{
	g_autofree char *number = g_strdup_printf("%d", migration->number);
	g_autofree char *checksum = checksum_of(migration);
	struct db_value params[] = { DB_TEXT(number), DB_TEXT(migration->name), DB_TEXT(checksum),
		DB_TEXT(RUAD_VERSION) };

	return db_exec(db, RECORD_SQL, params, G_N_ELEMENTS(params), error);
}

/* Run SQL of ours in the transaction that is open; a lock that somebody holds for long makes it fail. */
static gboolean run(struct db *db, const char *text, GError **error)
{
	return db_exec(db, "SET LOCAL lock_timeout = '10s'", NULL, 0, error) &&
	       db_exec(db, text, NULL, 0, error);
}

/* Run the next missing migration, in a transaction and under the lock. *done: there is none. */
static gboolean apply_next(struct db *db, migrate_cb step, gpointer user, gboolean *done, GError **error)
{
	g_autofree char *what = NULL;
	gint64 applied;

	applied =
	    count_applied(db, error); /* again: another ruad may have been at work until we had the lock */
	if (applied < 0)
		return FALSE;
	*done = (gsize)applied == n_migrations;
	if (*done)
		return TRUE;
	what = g_strdup_printf("%04d %s", migrations[applied].number, migrations[applied].name);
	if (step != NULL)
		step(what, user);
	if (run(db, migrations[applied].text, error) && record(db, &migrations[applied], error))
		return TRUE;
	g_prefix_error(error, "migration %d \"%s\": ", migrations[applied].number, migrations[applied].name);
	return FALSE;
}

/* *ours says whether the functions and views of the database are those of this program. */
static gboolean check_definitions(struct db *db, gboolean *ours, GError **error)
{
	struct db_rows *rows = db_query(db, DEFINED_SQL, NULL, 0, error);

	if (rows == NULL)
		return FALSE;
	*ours = db_rows_count(rows) == 1 && g_str_equal(db_rows_get(rows, 0, 0), migrate_definitions());
	db_rows_free(rows);
	return TRUE;
}

/* Replace the functions and views, inside a transaction and under the lock, unless they are ours; always
 * *done. */
static gboolean apply_definitions(
    struct db *db, migrate_cb step, gpointer user, gboolean *done, GError **error)
{
	const struct db_value params[] = { DB_TEXT(migrate_definitions()), DB_TEXT(RUAD_VERSION) };
	gboolean ours = FALSE;

	*done = TRUE;
	if (!check_definitions(db, &ours, error))
		return FALSE;
	if (ours)
		return TRUE;
	if (step != NULL)
		step(MIGRATE_DEFINITIONS, user);
	if (run(db, definitions.text, error) &&
	    db_exec(db, RECORD_DEFINED_SQL, params, G_N_ELEMENTS(params), error))
		return TRUE;
	g_prefix_error(error, MIGRATE_DEFINITIONS ": ");
	return FALSE;
}

/* An aborted transaction has nothing to lose; its first error is the one to report. */
static void roll_back(struct db *db)
{
	g_autoptr(GError) ignored = NULL;

	if (!db_exec(db, "ROLLBACK", NULL, 0, &ignored))
		log_debug("ROLLBACK: %s", ignored->message);
}

/* Until the end of the transaction that is open. */
static gboolean take_lock(struct db *db, GError **error)
{
	gboolean begun = FALSE;

	if (!check_begun(db, &begun, error))
		return FALSE;
	if (!begun && (!db_exec(db, FIRST_LOCK_SQL, NULL, 0, error) || !check_begun(db, &begun, error)))
		return FALSE;
	return !begun || db_exec(db, LOCK_SQL, NULL, 0, error);
}

/* One step of some kind in a transaction of its own, under the lock. */
typedef gboolean (*apply_cb)(struct db *db, migrate_cb step, gpointer user, gboolean *done, GError **error);

static gboolean apply_until_done(
    struct db *db, apply_cb apply, migrate_cb step, gpointer user, GError **error)
{
	gboolean done = FALSE;

	while (!done) {
		if (!db_exec(db, "BEGIN", NULL, 0, error))
			return FALSE;
		if (!take_lock(db, error) || !apply(db, step, user, &done, error)) {
			roll_back(db);
			return FALSE;
		}
		if (!db_exec(db, "COMMIT", NULL, 0, error))
			return FALSE;
	}
	return TRUE;
}

/* Call step for what would be run. */
static gboolean rehearse(struct db *db, gsize applied, migrate_cb step, gpointer user, GError **error)
{
	gboolean ours = FALSE;

	for (gsize i = applied; i < n_migrations; i++) {
		g_autofree char *what = g_strdup_printf("%04d %s", migrations[i].number, migrations[i].name);

		step(what, user);
	}
	if (applied > 0 && !check_definitions(db, &ours, error))
		return FALSE;
	if (!ours)
		step(MIGRATE_DEFINITIONS, user);
	return TRUE;
}

gboolean migrate_apply(struct db *db, gboolean dry_run, migrate_cb step, gpointer user, GError **error)
{
	static const char *const owner[] = { "ruad_owner", NULL };
	gboolean begun = FALSE;
	gboolean ours = FALSE;
	gint64 applied;

	/* the first migration gives the login the rights that are missing, or names them */
	if (!check_begun(db, &begun, error) || (begun && !role_check(db, owner, error)))
		return FALSE;
	applied = count_applied(db, error);
	if (applied < 0)
		return FALSE;
	if (dry_run)
		return rehearse(db, (gsize)applied, step, user, error);
	if ((gsize)applied == n_migrations && !check_definitions(db, &ours, error))
		return FALSE;
	return ours || (apply_until_done(db, apply_next, step, user, error) &&
			   apply_until_done(db, apply_definitions, step, user, error));
}

static void log_step(const char *what, gpointer user)
{
	(void)user;
	log_info("migrating the database: %s", what);
}

gboolean migrate_run(const char *conninfo, GError **error)
{
	struct db *db = db_open(conninfo, "ruad-migrate", error);
	gboolean good;

	if (db == NULL)
		return FALSE;
	good = migrate_apply(db, FALSE, log_step, NULL, error);
	db_close(db);
	return good;
}
