/*
 * postgres.h - the private PostgreSQL cluster in the state directory: its files, and how to start its server.
 *
 *   STATE/postgres   the data directory, made by initdb at the first start
 *   STATE/run        the Unix socket, accessible to group ruad
 *   STATE/lock       held by the one ruad that runs the cluster
 *   STATE/postgresql.local.conf   the administrator's settings, if any (postgres_settings.h)
 *
 * The server does not listen on TCP. postgres_access.h says who may connect as which role. It runs as the
 * calling user, who must not be root. Knows nothing of the schema.
 */
#pragma once

#include <glib.h>

#include "server/database/postgres_access.h"
#include "server/database/postgres_program.h"

struct postgres;

/* Only computes paths. RUAD_ERROR_SYNTAX: state_dir is not absolute, or too long for a socket. connections:
 * how many the server allows. verbose: the server logs more than what ends it. */
struct postgres *postgres_new(
    const char *state_dir, guint connections, gboolean verbose, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Stops the server if postgres_start() started it, and releases the lock. NULL is allowed. */
void postgres_free(struct postgres *postgres);

/* Take the lock. *taken is FALSE if another process holds it; *owner is then its process ID, or 0 if
 * unknown. */
gboolean postgres_lock(
    struct postgres *postgres, gboolean *taken, int *owner, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Prepare the cluster to start; the lock must be held. Runs initdb if there is no cluster, finds the programs
 * of its version, writes access rules and settings, and removes what a killed server left behind. Takes some
 * seconds the first time.
 *
 * RUAD_ERROR_SYNTAX  the administrator has to fix something: PostgreSQL is not installed, the cluster has
 *                    another version or owner, or PostgreSQL refuses the settings
 * RUAD_ERROR_SYSTEM  disk, initdb
 */
gboolean postgres_prepare(struct postgres *postgres, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* How to run the server, after postgres_prepare(): arguments, environment and working directory. SIGINT stops
 * it cleanly. Borrowed. */
const char *const *postgres_argv(const struct postgres *postgres);
const char *const *postgres_envp(const struct postgres *postgres);
const char *postgres_folder(const struct postgres *postgres);

/* Whether the running server is the program that is installed now, as postgres_program_compare(). */
enum postgres_program postgres_program(const struct postgres *postgres, guint64 *inode);

/* Whether the running server accepts connections, by its own file: a connection that is too early would fill
 * its log. */
gboolean postgres_is_ready(const struct postgres *postgres);

/* End the backends of a server that was killed, before it is started again: while one is busy no other
 * server can start. Takes at most some seconds. RUAD_ERROR_SYSTEM: its PID file cannot be removed. */
gboolean postgres_end_backends(const struct postgres *postgres, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Run one of PostgreSQL's client programs (pg_dump) of the cluster's version, as its superuser, and wait
 * for its end. arguments is NULL-terminated. in and out become its standard input and output; -1 is
 * /dev/null.
 *
 * RUAD_ERROR_SYNTAX  the version is not installed
 * RUAD_ERROR_SYSTEM  the program failed, with what it says
 */
gboolean postgres_run(struct postgres *postgres, const char *program, const char *const *arguments, int in,
    int out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Work on a new cluster beside the present one, of the newest version, which no other program opens; the
 * lock must be held. What an earlier, interrupted attempt left is removed.
 */
gboolean postgres_begin_new(struct postgres *postgres, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Stop the new cluster and put it in the place of the present one. That one, if any, stays in *kept
 * (transfer full, else NULL). */
gboolean postgres_finish_new(
    struct postgres *postgres, char **kept, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether there is a cluster, of whatever version. */
gboolean postgres_exists(const struct postgres *postgres);

/* The major version of the cluster, and the newest that is installed as Debian does; 0 if there is none. */
guint postgres_version(const struct postgres *postgres);
guint postgres_newest_version(void);

/* How to connect, as a libpq conninfo; transfer full. */
char *postgres_conninfo(const struct postgres *postgres, const char *role, const char *database);

/* For commands that need the cluster while ruad serve does not run: start the server and wait until it
 * accepts connections. */
gboolean postgres_start(struct postgres *postgres, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Stop the server, if postgres_start() started it. */
void postgres_stop(struct postgres *postgres);

/* The folder of the socket, for psql's -h. Borrowed. */
const char *postgres_socket_folder(const struct postgres *postgres);
