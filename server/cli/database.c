#include "server/cli/database.h"

#include <string.h>

#include "parser/error.h"
#include "parser/text.h"
#include "server/cli/commands.h"
#include "server/cli/identity.h"
#include "server/common/log.h"
#include "server/database/migrate.h"
#include "server/database/role.h"

#define SPARE_CONNECTIONS 24 /* for auditors, commands and PostgreSQL's own superusers */
#define JOIN_SECONDS      60 /* for the cluster of a ruad serve that is starting */

/* A lock that no other role can hold. Its transaction does nothing else, so it does not delay VACUUM however
 * long it lasts. */
#define TRY_LOCK                                                                                             \
	"SET idle_in_transaction_session_timeout = 0; BEGIN; "                                               \
	"LOCK TABLE ruad.exclusive_work IN EXCLUSIVE MODE NOWAIT"
#define LOCK_NOT_AVAILABLE "55P03" /* SQLSTATE */

/* Nobody needs the other databases of the private cluster. */
#define CLOSE_DATABASES "REVOKE CONNECT, TEMPORARY ON DATABASE postgres, template1 FROM PUBLIC"

/* The server would log each session that its end, or an administrator, ends as FATAL, although the program
 * in it already knows. Only if it is not set yet: two commands may start at the same time. */
#define QUIET_SESSIONS                                                                                       \
	"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_db_role_setting s "                            \
	"JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase "                                            \
	"WHERE d.datname = '" POSTGRES_DATABASE "' AND s.setrole = 0 "                                       \
	"AND 'log_min_messages=panic' = ANY (s.setconfig)) THEN "                                            \
	"ALTER DATABASE " POSTGRES_DATABASE " SET log_min_messages = panic; END IF; END $$"

#define SET_DOMAINS "SELECT ruad.set_own_domains(string_to_array($1::text, ','))"

#define ALLOW_LOGIN "SELECT ruad.allow_login($1::text, $2::integer)"

struct database {
	const struct settings *settings; /* borrowed */
	struct postgres *postgres;       /* NULL when database.url is set */
	struct db *alone;                /* holds the lock of database_open_alone(), or NULL */
};

/* The roles of ruad that programs act as. */
static const struct role {
	const char *name;
	const char *url_key; /* of the settings: a connection of its own; NULL: database.url */
	guint connections;   /* most in the private cluster */
	gboolean is_web;     /* two more for each of http.threads: ruad-web may be starting again */
} roles[] = {
	{ "ruad_owner", NULL, 16, FALSE },
	{ "ruad_ingest", "database.ingest_url", 32, FALSE },
	{ "ruad_web", "database.web_url", 14, TRUE }, /* 4 downloads, 2 uploads, 1 for /readyz, all twice */
	{ "ruad_editor", "database.edit_url", 4, TRUE },
	{ "ruad_enrich", "database.enrich_url", 4, FALSE },
	{ "ruad_notify", "database.notify_url", 4, FALSE },
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
	db_close(database->alone);
	postgres_free(database->postgres);
	g_free(database);
}

struct postgres *database_private(const struct database *database)
{
	return database->postgres;
}

/* -- connections -- */

char *database_admin_conninfo(const struct database *database)
{
	if (database->postgres != NULL)
		return postgres_conninfo(database->postgres, POSTGRES_ADMIN, POSTGRES_DATABASE);
	return g_strdup(settings_string(database->settings, "database.url"));
}

/* The same connection with another role: libpq's "options", of which the last one counts. */
static char *with_role(const char *url, const char *role)
{
	gboolean is_uri = g_str_has_prefix(url, "postgresql://") || g_str_has_prefix(url, "postgres://");

	if (is_uri)
		return g_strdup_printf(
		    "%s%coptions=-c%%20role%%3D%s", url, strchr(url, '?') != NULL ? '&' : '?', role);
	return g_strdup_printf("%s options='-c role=%s'", url, role);
}

/* The URL in the settings for a role, borrowed; "" if there is none. */
static const char *own_url(const struct database *database, const char *role)
{
	for (gsize i = 0; i < G_N_ELEMENTS(roles); i++)
		if (g_str_equal(roles[i].name, role) && roles[i].url_key != NULL)
			return settings_string(database->settings, roles[i].url_key);
	return "";
}

char *database_role_conninfo(const struct database *database, const char *role)
{
	const char *own = own_url(database, role);

	if (database->postgres != NULL)
		return postgres_conninfo(database->postgres, role, POSTGRES_DATABASE);
	return *own != '\0' ? g_strdup(own)
			    : with_role(settings_string(database->settings, "database.url"), role);
}

struct db *database_open_admin(const struct database *database, const char *program, GError **error)
{
	g_autofree char *conninfo = database_admin_conninfo(database);

	return db_open(conninfo, program, error);
}

struct db *database_open_owner(const struct database *database, const char *program, GError **error)
{
	g_autofree char *conninfo = database_role_conninfo(database, "ruad_owner");
	struct db *db = db_open(conninfo, program, error);

	if (db != NULL && !role_assume(db, "ruad_owner", error))
		g_clear_pointer(&db, db_close);
	return db;
}

/* -- one at a time -- */

static gboolean take_lock(struct db *db, GError **error)
{
	g_autoptr(GError) cause = NULL;

	if (db_exec(db, TRY_LOCK, NULL, 0, &cause))
		return TRUE;
	if (g_str_equal(db_sqlstate(db), LOCK_NOT_AVAILABLE))
		g_set_error_literal(error, RUAD_ERROR, RUAD_ERROR_SYSTEM,
		    "another ruad prune or ruad reprocess is running on this database");
	else
		g_propagate_error(error, g_steal_pointer(&cause));
	return FALSE;
}

struct db *database_open_alone(struct database *database, const char *program, GError **error)
{
	g_assert(database->alone == NULL);
	database->alone = database_open_owner(database, program, error);
	if (database->alone == NULL || !take_lock(database->alone, error))
		return NULL;
	return database_open_owner(database, program, error);
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

static gboolean allow_login(struct db *db, const struct role *role, guint threads, GError **error)
{
	g_autofree char *connections =
	    g_strdup_printf("%u", role->connections + (role->is_web ? 2 * threads : 0));
	const struct db_value params[] = { DB_TEXT(role->name), DB_TEXT(connections) };

	return db_exec(db, ALLOW_LOGIN, params, G_N_ELEMENTS(params), error);
}

/* Peer authentication decides who may use them (pg_hba.conf), so the logins need no passwords. */
static gboolean allow_logins(const struct database *database, GError **error)
{
	g_autofree char *conninfo = postgres_conninfo(database->postgres, POSTGRES_ADMIN, POSTGRES_DATABASE);
	const guint threads = (guint)settings_int(database->settings, "http.threads");
	const struct role auditor = { "ruad_auditor", NULL, 8, FALSE };
	struct db *db = db_open(conninfo, "ruad", error);
	gboolean good = db != NULL && db_exec(db, CLOSE_DATABASES, NULL, 0, error) &&
			db_exec(db, QUIET_SESSIONS, NULL, 0, error) &&
			allow_login(db, &auditor, threads, error);

	for (gsize i = 0; i < G_N_ELEMENTS(roles) && good; i++)
		good = allow_login(db, &roles[i], threads, error);
	db_close(db);
	return good;
}

/* Check that a login may act as its roles; url_key is its setting. */
static gboolean check_login(const char *url_key, const char *url, const char *const *names, GError **error)
{
	struct db *db = db_open(url, "ruad", error);
	gboolean good = db != NULL && role_check(db, names, error);

	if (!good)
		g_prefix_error(error, "%s: ", url_key);
	db_close(db);
	return good;
}

gboolean database_check_logins(const struct database *database, GError **error)
{
	g_autoptr(GPtrArray) shared = g_ptr_array_new(); /* roles that have no login of their own */

	if (database->postgres != NULL)
		return TRUE;
	for (gsize i = 0; i < G_N_ELEMENTS(roles); i++) {
		const char *const one[] = { roles[i].name, NULL };
		const char *url = own_url(database, roles[i].name);

		if (*url == '\0')
			g_ptr_array_add(shared, (gpointer)roles[i].name);
		else if (!check_login(roles[i].url_key, url, one, error))
			return FALSE;
	}
	g_ptr_array_add(shared, NULL);
	return check_login("database.url", settings_string(database->settings, "database.url"),
	    (const char *const *)shared->pdata, error);
}

gboolean database_set_up(const struct database *database, GError **error)
{
	g_autofree char *conninfo = database_admin_conninfo(database);

	if (database->postgres != NULL && !make_database(database->postgres, error))
		return FALSE;
	if (!migrate_run(conninfo, error))
		return FALSE;
	return database->postgres == NULL || allow_logins(database, error);
}

/* A name, or *.NAME, as names are stored. */
static char *domain_pattern(const char *pattern)
{
	gboolean below = g_str_has_prefix(pattern, "*.");
	g_autofree char *name = text_domain_copy(below ? pattern + 2 : pattern);

	return below ? g_strconcat("*.", name, NULL) : g_steal_pointer(&name);
}

gboolean database_store_domains(const struct database *database, GError **error)
{
	const char *const *domains = settings_list(database->settings, "server.domains");
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	g_auto(GStrv) patterns = NULL;
	g_autofree char *list = NULL;
	struct db *db = database_open_owner(database, "ruad", error);
	gboolean good;

	for (gsize i = 0; domains[i] != NULL; i++) {
		g_autofree char *pattern = domain_pattern(domains[i]);

		g_strv_builder_add(builder, pattern);
	}
	patterns = g_strv_builder_end(builder);
	list = g_strjoinv(",", patterns);
	good = db != NULL && db_exec(db, SET_DOMAINS, &DB_TEXT(list), 1, error);
	db_close(db);
	return good;
}

/* -- for a command -- */

/* The cluster of another ruad, which may be starting. */
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

/* Become the user of the cluster and take its lock. */
static gboolean lock_private(
    struct database *database, gboolean keep_reading, gboolean *taken, int *owner, GError **error)
{
	const char *state = settings_string(database->settings, "server.state_dir");
	const char *user = settings_string(database->settings, "server.user");

	return identity_make_folder(state, user, error) && identity_become(user, keep_reading, error) &&
	       postgres_lock(database->postgres, taken, owner, error);
}

static gboolean start_private(struct database *database, gboolean keep_reading, GError **error)
{
	gboolean taken = FALSE;
	int owner = 0;

	if (!lock_private(database, keep_reading, &taken, &owner, error))
		return FALSE;
	if (!taken)
		return join_running(database, owner, error);
	return postgres_start(database->postgres, error) && database_set_up(database, error);
}

gboolean database_hold(struct database *database, GError **error)
{
	gboolean taken = FALSE;
	int owner = 0;

	if (!lock_private(database, FALSE, &taken, &owner, error))
		return FALSE;
	if (!taken)
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM,
		    "another ruad (process %d) uses the database: stop it first", owner);
	return taken;
}

gboolean database_empty(const struct database *database, GError **error)
{
	g_autofree char *conninfo = postgres_conninfo(database->postgres, POSTGRES_ADMIN, "postgres");
	struct db *db = db_open(conninfo, "ruad", error);
	gboolean good = db != NULL &&
			db_exec(db, "DROP DATABASE " POSTGRES_DATABASE " WITH (FORCE)", NULL, 0, error) &&
			db_exec(db, "CREATE DATABASE " POSTGRES_DATABASE, NULL, 0, error);

	db_close(db);
	return good;
}

gboolean database_start(struct database *database, gboolean keep_reading, GError **error)
{
	if (database->postgres != NULL)
		return start_private(database, keep_reading, error);
	return identity_become(settings_string(database->settings, "server.user"), keep_reading, error) &&
	       database_set_up(database, error);
}

int database_run(const struct settings *settings, const char *command, gboolean as_admin, database_work work,
    gpointer user)
{
	g_autofree char *program = g_strconcat("ruad-", command, NULL);
	g_autoptr(GError) error = NULL;
	struct database *database = database_new(settings, &error);
	struct db *db = NULL;
	int code = COMMAND_OK;

	if (database != NULL && database_start(database, FALSE, &error))
		db = (as_admin ? database_open_admin : database_open_owner)(database, program, &error);
	if (db == NULL || !work(db, user, &error))
		code = command_failed(command, error);
	db_close(db);
	database_free(database);
	return code;
}
