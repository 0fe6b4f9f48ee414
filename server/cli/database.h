/*
 * database.h - the database of the settings, as the commands see it: the admin's own, or the private cluster.
 *
 * Knows who connects with which role; postgres.h runs the private cluster, migrate.h knows the schema.
 */
#pragma once

#include "server/common/settings.h"
#include "server/database/db.h"
#include "server/database/postgres.h"

struct database;

/* Touches and starts nothing. */
struct database *database_new(const struct settings *settings, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Stops the private cluster if database_start() started it. NULL is allowed. */
void database_free(struct database *database);

/* The private cluster, borrowed; NULL when database.url is set. */
struct postgres *database_private(const struct database *database);

/* A conninfo for the role that may migrate, and for one that may only act as role ("ruad_ingest", "ruad_web",
 * ...; role.h). Transfer full. */
char *database_admin_conninfo(const struct database *database);
char *database_role_conninfo(const struct database *database, const char *role);

/* A connection as the role that may migrate, for commands; program names the session.
 * RUAD_ERROR_SYSTEM  the database is unavailable */
struct db *database_open_admin(
    const struct database *database, const char *program, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A connection as ruad_owner, for commands; program names the session.
 * RUAD_ERROR_SYSTEM  the database is unavailable */
struct db *database_open_owner(
    const struct database *database, const char *program, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * The same for commands that change stored data (prune, reprocess): only one at a time, until
 * database_free(). Call it once for each struct database.
 *
 * RUAD_ERROR_SYSTEM  the database is unavailable, or another such command is running
 */
struct db *database_open_alone(
    struct database *database, const char *program, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Update the schema; in the private cluster also create the database itself and the logins. The server must
 * be running. RUAD_ERROR_SYSTEM if it cannot be reached.
 */
gboolean database_set_up(const struct database *database, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Store server.domains, for the SQL that decides what counts. The database must be set up.
 * RUAD_ERROR_SYSTEM if it cannot be reached.
 */
gboolean database_store_domains(const struct database *database, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Check that the logins of the settings may act as the roles of ruad's programs. In the private cluster they
 * may. RUAD_ERROR_SYSTEM if one may not (the message has the statements that grant the right), or if the
 * database is unavailable.
 */
gboolean database_check_logins(const struct database *database, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * For commands other than serve: become the right user (keep_reading as in identity_become()), make sure that
 * the private cluster runs (that of a running ruad serve, or one started until database_free()), and set up
 * the database. With database.url only set up.
 */
gboolean database_start(
    struct database *database, gboolean keep_reading, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What a command does in the database. */
typedef gboolean (*database_work)(struct db *db, gpointer user, GError **error);

/*
 * All of a command that needs nothing but a session: start the database (database_start()), call work with a
 * session of the role that may migrate (as_admin) or of ruad_owner, named after the command, and report the
 * error. Returns the exit code.
 */
int database_run(const struct settings *settings, const char *command, gboolean as_admin, database_work work,
    gpointer user);

/*
 * For commands that replace the private cluster: become the right user and hold the cluster's lock until
 * database_free(), without starting its server. RUAD_ERROR_SYSTEM if another ruad holds it.
 */
gboolean database_hold(struct database *database, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Replace the database of the private cluster by an empty one; the roles stay. */
gboolean database_empty(const struct database *database, GError **error) G_GNUC_WARN_UNUSED_RESULT;
