#include "server/cli/database.h"

#include <string.h>

#include "parser/error.h"
#include "server/cli/commands.h"
#include "server/cli/identity.h"
#include "server/common/log.h"
#include "server/common/migrate.h"

#define SPARE_CONNECTIONS 24 /* for auditors, commands and PostgreSQL's own superusers */
#define JOIN_SECONDS      60 /* for the cluster of a ruad serve that is just starting */

/* 'keep' in ASCII. */
#define TRY_LOCK "SELECT pg_catalog.pg_try_advisory_lock(1801807216)"

struct database {
	const struct settings *settings; /* borrowed */
	struct postgres *postgres;       /* NULL when database.url is set */
};

struct database *database_new(const struct settings *settings, GError **error)
{
	struct database *database = g_new0(struct database, 1);
	gint64 connections =
	    settings_int(settings, "http.threads") + settings_int(settings, "lmtp.max_connections");

	database->settings = settings;
	if (*settings_string(settings, "database.url") != '\0')
		return database;
	database->postgres = postgres_new(settings_string(settings, "server.state_dir"),
	    (guint)connections + SPARE_CONNECTIONS, command_verbose(), error);
	if (database->postgres == NULL)
		g_clear_pointer(&database, database_free);
	return database;
}

void database_free(struct database *database)
{
	if (database == NULL)
		return;
	postgres_free(database->postgres);
	g_free(database);
}

struct postgres *database_private(const struct database *database)
{
	return database->postgres;
}

/* -- who connects as what -- */

char *database_admin_conninfo(const struct database *database)
{
	if (database->postgres != NULL)
		return postgres_conninfo(database->postgres, POSTGRES_ADMIN, POSTGRES_DATABASE);
	return g_strdup(settings_string(database->settings, "database.url"));
}

/* The same connection, acting as role: libpq's "options", where the last one given counts. */
static char *with_role(const char *url, const char *role)
{
	gboolean is_uri = g_str_has_prefix(url, "postgresql://") || g_str_has_prefix(url, "postgres://");

	if (is_uri)
		return g_strdup_printf(
		    "%s%coptions=-c%%20role%%3D%s", url, strchr(url, '?') != NULL ? '&' : '?', role);
	return g_strdup_printf("%s options='-c role=%s'", url, role);
}

char *database_role_conninfo(const struct database *database, const char *role)
{
	const char *url = settings_string(database->settings, "database.url");
	const char *own = "";

	if (database->postgres != NULL)
		return postgres_conninfo(database->postgres, role, POSTGRES_DATABASE);
	if (g_str_equal(role, "ruad_ingest"))
		own = settings_string(database->settings, "database.ingest_url");
	else if (g_str_equal(role, "ruad_web"))
		own = settings_string(database->settings, "database.web_url");
	else if (g_str_equal(role, "ruad_editor"))
		own = settings_string(database->settings, "database.edit_url");
	else if (g_str_equal(role, "ruad_enrich"))
		own = settings_string(database->settings, "database.enrich_url");
	return *own != '\0' ? g_strdup(own) : with_role(url, role);
}

/* -- one at a time -- */

static gboolean take_lock(struct db *db, GError **error)
{
	struct db_rows *rows = db_query(db, TRY_LOCK, NULL, 0, error);
	gboolean taken;

	if (rows == NULL)
		return FALSE;
	taken = g_strcmp0(db_rows_get(rows, 0, 0), "t") == 0;
	db_rows_free(rows);
	if (!taken)
		g_set_error_literal(error, RUAD_ERROR, RUAD_ERROR_SYSTEM,
		    "another ruad prune or ruad reprocess is at work on this database");
	return taken;
}

struct db *database_open_alone(const struct database *database, const char *program, GError **error)
{
	g_autofree char *conninfo = database_role_conninfo(database, "ruad_owner");
	struct db *db = db_open(conninfo, program, error);

	if (db != NULL && !take_lock(db, error))
		g_clear_pointer(&db, db_close);
	return db;
}

/* -- setting up -- */

static gboolean make_database(const struct postgres *postgres, GError **error)
{
	g_autofree char *conninfo = postgres_conninfo(postgres, POSTGRES_ADMIN, "postgres");
	struct db *db = NULL;
	struct db_rows *rows = NULL;
	gboolean good;

	if (!postgres_is_ready(postgres)) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "the PostgreSQL server is not ready");
		return FALSE;
	}
	db = db_open(conninfo, "ruad", error);
	if (db == NULL)
		return FALSE;
	rows = db_query(
	    db, "SELECT FROM pg_catalog.pg_database WHERE datname = '" POSTGRES_DATABASE "'", NULL, 0, error);
	good = rows != NULL &&
	       (db_rows_count(rows) > 0 || db_exec(db, "CREATE DATABASE " POSTGRES_DATABASE, NULL, 0, error));
	if (rows != NULL)
		db_rows_free(rows);
	db_close(db);
	return good;
}

/* Peer authentication decides who may use them (pg_ident.conf), so the log-ins need no passwords. */
static gboolean allow_logins(const struct postgres *postgres, GError **error)
{
	g_autofree char *conninfo = postgres_conninfo(postgres, POSTGRES_ADMIN, POSTGRES_DATABASE);
	struct db *db = db_open(conninfo, "ruad", error);
	gboolean good;

	if (db == NULL)
		return FALSE;
	good = db_exec(db,
	    "ALTER ROLE ruad_ingest LOGIN; ALTER ROLE ruad_web LOGIN; ALTER ROLE ruad_auditor LOGIN; "
	    "ALTER ROLE ruad_owner LOGIN; ALTER ROLE ruad_editor LOGIN; ALTER ROLE ruad_enrich LOGIN",
	    NULL, 0, error);
	db_close(db);
	return good;
}

gboolean database_set_up(const struct database *database, GError **error)
{
	g_autofree char *conninfo = database_admin_conninfo(database);

	if (database->postgres != NULL && !make_database(database->postgres, error))
		return FALSE;
	if (!migrate_run(conninfo, error))
		return FALSE;
	return database->postgres == NULL || allow_logins(database->postgres, error);
}

/* -- for a command -- */

/* The cluster of another ruad, which may be just starting. */
static gboolean join_running(const struct database *database, int owner, GError **error)
{
	for (int i = 0; i < JOIN_SECONDS; i++) {
		if (postgres_is_ready(database->postgres))
			return database_set_up(database, error);
		g_usleep(G_USEC_PER_SEC);
	}
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM,
	    "the PostgreSQL server of the running ruad (process %d) is not ready", owner);
	return FALSE;
}

static gboolean start_private(struct database *database, gboolean keep_reading, GError **error)
{
	const char *state = settings_string(database->settings, "server.state_dir");
	const char *user = settings_string(database->settings, "server.user");
	gboolean taken = FALSE;
	int owner = 0;

	if (!identity_make_folder(state, user, error) || !identity_become(user, keep_reading, error) ||
	    !postgres_lock(database->postgres, &taken, &owner, error))
		return FALSE;
	if (!taken)
		return join_running(database, owner, error);
	return postgres_start(database->postgres, error) && database_set_up(database, error);
}

gboolean database_start(struct database *database, gboolean keep_reading, GError **error)
{
	if (database->postgres != NULL)
		return start_private(database, keep_reading, error);
	return identity_become(settings_string(database->settings, "server.user"), keep_reading, error) &&
	       database_set_up(database, error);
}
