/*
 * cmd_migrate.c - ruad migrate: updates the schema and prints what was done.
 *
 * ruad serve and ruad import do the same when they start. This command is for admins who prefer to migrate
 * with a role that the server does not have.
 */
#include "server/database/migrate.h"

#include <stdio.h>

#include "parser/error.h"
#include "server/cli/commands.h"
#include "server/cli/database.h"
#include "server/cli/identity.h"
#include "server/cli/progress.h"

struct tally {
	gboolean dry_run;
	guint steps;
	guint all; /* steps to run */
	struct progress *progress;
};

static void print_step(const char *what, gpointer user)
{
	struct tally *tally = user;
	g_autofree char *words = g_strdup_printf("step %u of %u: %s", ++tally->steps, tally->all, what);

	progress_clear(tally->progress);
	printf("%s %s\n", tally->dry_run ? "would run" : "running", what);
	fflush(stdout);
	progress_set(tally->progress, 0, 0, words);
}

static void count_step(const char *what, gpointer user)
{
	struct tally *tally = user;

	(void)what;
	tally->all++;
}

static gboolean migrate_as_admin(const struct database *database, struct tally *tally, GError **error)
{
	g_autofree char *conninfo = database_admin_conninfo(database);
	struct db *db = db_open(conninfo, "ruad-migrate", error);
	gboolean good;

	if (db == NULL)
		return FALSE;
	tally->progress = progress_new(tally->dry_run, NULL, NULL);
	good = (tally->dry_run || migrate_apply(db, TRUE, count_step, tally, error)) &&
	       migrate_apply(db, tally->dry_run, print_step, tally, error);
	progress_free(tally->progress);
	db_close(db);
	return good;
}

/* Starting a private cluster sets it up. A dry run starts nothing, so the cluster must be running. */
static gboolean migrate_database(
    const struct settings *settings, struct database *database, struct tally *tally, GError **error)
{
	struct postgres *postgres = database_private(database);

	if (postgres != NULL && !tally->dry_run)
		return database_start(database, FALSE, error);
	if (!identity_become(settings_string(settings, "server.user"), FALSE, error))
		return FALSE;
	if (postgres != NULL && !postgres_is_ready(postgres)) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM,
		    "the private PostgreSQL server is not running: start ruad serve, or omit --dry-run");
		return FALSE;
	}
	return migrate_as_admin(database, tally, error);
}

int command_migrate(const struct settings *settings, int argc, char **argv)
{
	struct tally tally = { 0 };
	g_autoptr(GError) error = NULL;
	struct database *database;
	int code = COMMAND_OK;
	const GOptionEntry entries[] = {
		{ "dry-run", 'n', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &tally.dry_run, NULL, NULL },
		G_OPTION_ENTRY_NULL,
	};

	if (!command_options(entries, &argc, &argv))
		return COMMAND_USAGE;
	if (argc > 1)
		return command_fail("migrate", COMMAND_USAGE, "takes no operands, not \"%s\"", argv[1]);
	database = database_new(settings, &error);
	if (database == NULL || !migrate_database(settings, database, &tally, &error))
		code = command_fail("migrate", command_exit_of(error), "%s", error->message);
	else if (tally.steps == 0 || !tally.dry_run)
		printf("the schema is at version %d\n", migrate_version());
	database_free(database);
	return code;
}
