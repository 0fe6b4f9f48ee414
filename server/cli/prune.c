/*
 * prune.c - ruad prune: remove what is older than [retention] says.
 *
 * What that is stands in ruad.prune(). This asks for it as ruad_owner, who owns the tables and is no superuser, and says what was removed.
 */
#include <stdio.h>

#include "parser/error.h"
#include "server/cli/commands.h"
#include "server/cli/database.h"

#define COMMAND "prune"
#define PRUNE                                                                                                \
	"SELECT what, removed FROM ruad.prune($1::interval, $2::interval, $3::interval, $4::interval, "      \
	"$5::boolean)"

/* A key of [retention] as an interval, or NULL for ever; transfer full. */
static char *interval_of(const struct settings *settings, const char *key)
{
	gint64 days = settings_days(settings, key);

	return days == 0 ? NULL : g_strdup_printf("%" G_GINT64_FORMAT " days", days);
}

/* "removed 12 reports, 3 failures" */
static void print_removed(const struct db_rows *rows, gboolean dry_run, gboolean quiet)
{
	g_autoptr(GString) words = g_string_new(NULL);

	for (gsize i = 0; i < db_rows_count(rows); i++)
		if (!g_str_equal(db_rows_get(rows, i, 1), "0"))
			g_string_append_printf(words, "%s%s %s", words->len > 0 ? ", " : "",
			    db_rows_get(rows, i, 1), db_rows_get(rows, i, 0));
	if (words->len > 0)
		printf("%s %s\n", dry_run ? "would remove" : "removed", words->str);
	else if (!quiet)
		printf("nothing is old enough to be removed\n");
}

static gboolean prune(const struct settings *settings, const struct database *database, gboolean dry_run,
    gboolean quiet, GError **error)
{
	g_autofree char *reports = interval_of(settings, "retention.reports");
	g_autofree char *failures = interval_of(settings, "retention.failures");
	g_autofree char *tls = interval_of(settings, "retention.tls");
	g_autofree char *unread = interval_of(settings, "retention.unread");
	const struct db_value params[] = { DB_TEXT(reports), DB_TEXT(failures), DB_TEXT(tls), DB_TEXT(unread),
		DB_TEXT(dry_run ? "true" : "false") };
	struct db *db = database_open_alone(database, "ruad-prune", error);
	struct db_rows *rows = NULL;

	if (db != NULL)
		rows = db_query(db, PRUNE, params, G_N_ELEMENTS(params), error);
	if (rows != NULL) {
		print_removed(rows, dry_run, quiet);
		db_rows_free(rows);
	}
	db_close(db);
	return rows != NULL;
}

int command_prune(const struct settings *settings, int argc, char **argv)
{
	gboolean dry_run = FALSE;
	gboolean quiet = FALSE;
	g_autoptr(GError) error = NULL;
	struct database *database;
	int code = COMMAND_OK;
	const GOptionEntry entries[] = {
		{ "dry-run", 'n', 0, G_OPTION_ARG_NONE, &dry_run, NULL, NULL },
		{ "quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, NULL, NULL },
		G_OPTION_ENTRY_NULL,
	};

	if (!command_options(entries, &argc, &argv))
		return COMMAND_USAGE;
	if (argc > 1)
		return command_fail(COMMAND, COMMAND_USAGE, "takes no operands, not \"%s\"", argv[1]);
	database = database_new(settings, &error);
	if (database == NULL || !database_start(database, FALSE, &error) ||
	    !prune(settings, database, dry_run, quiet, &error))
		code = command_fail(COMMAND, command_exit_of(error), "%s", error->message);
	database_free(database);
	return code;
}
