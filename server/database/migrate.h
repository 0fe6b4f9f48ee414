/*
 * migrate.h - bring a database's schema up to the one this program was built with.
 *
 * Each migration of sql/embedded.h runs in a transaction of its own, under a lock (several ruad may start at once), and is
 * recorded in ruad.schema_version with the SHA-256 of its text. Nothing is ever run twice. A database that a newer ruad
 * has migrated, or whose recorded text is another than ours, is refused. Then all functions and views are replaced in one transaction,
 * under the same lock, unless the SHA-256 of their text is the one in ruad.definitions.
 */
#pragma once

#include "server/database/db.h"
#include "sql/embedded.h"

#define MIGRATE_DEFINITIONS "functions and views"

/* Called before something is run (or would be): "0002 tables", or MIGRATE_DEFINITIONS. */
typedef void (*migrate_cb)(const char *what, gpointer user);

/*
 * Run what is missing, in order. dry_run only calls step for each. What was done before a failure stays done.
 * step may be NULL unless it is a dry run.
 *
 * RUAD_ERROR_SYSTEM  the database is away, refuses a statement (it holds other things, the login lacks rights: the message has the statements
 *                    that give it them), or another session holds a lock: try again, perhaps after fixing it
 * RUAD_ERROR_SYNTAX  the database is newer than this program, or its migrations are not ours
 */
gboolean migrate_apply(struct db *db, gboolean dry_run, migrate_cb step, gpointer user,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for the database that conninfo names; what is run is logged. */
gboolean migrate_run(const char *conninfo, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The version that this program needs: the number of its last migration. */
gint migrate_version(void);

/* The functions and views that this program needs: SHA-256 of their text, in hex. */
const char *migrate_definitions(void);
