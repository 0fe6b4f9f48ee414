/*
 * migrate.h - updates the schema of a database to the one that this program was built with.
 *
 * Each migration of sql/embedded.h runs once, in its own transaction, under a lock, because several ruad may
 * start at the same time. It is recorded in ruad.schema_version with the SHA-256 of its text. A database is
 * refused if a newer ruad migrated it, or if a recorded checksum differs from ours. Then all functions and
 * views are replaced in one transaction, under the same lock, unless ruad.definitions has the SHA-256 of
 * their text.
 */
#pragma once

#include "server/database/db.h"
#include "sql/embedded.h"

#define MIGRATE_DEFINITIONS "functions and views"

/* Called before a step runs, or would run: "0002 tables", or MIGRATE_DEFINITIONS. */
typedef void (*migrate_cb)(const char *what, gpointer user);

/*
 * Run the missing steps, in order. dry_run: only call step for each. Steps before a failure stay done. step
 * may be NULL unless it is a dry run.
 *
 * RUAD_ERROR_SYSTEM  the database is away, another session holds a lock, or a statement fails (other objects
 *                    are in the way, or the login lacks rights: the message has the statements that grant
 *                    them): try again, perhaps after a fix
 * RUAD_ERROR_SYNTAX  the database is newer than this program, or its migrations are not ours
 */
gboolean migrate_apply(struct db *db, gboolean dry_run, migrate_cb step, gpointer user,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for the database of conninfo; steps are logged. */
gboolean migrate_run(const char *conninfo, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The version that this program needs: the number of its last migration. */
gint migrate_version(void);

/* The functions and views that this program needs: SHA-256 of their text, in hex. Static. */
const char *migrate_definitions(void);
