/*
 * cmd_exclude.c - ruad exclude and ruad include: take reports out of every number, and back.
 *
 * ruad.set_excluded() (sql/retention/exclusion.sql) does it and logs who did it. Each report of the command
 * line is a transaction of its own.
 */
#include <stdio.h>

#include "server/cli/commands.h"
#include "server/cli/database.h"
#include "server/cli/identity.h"
#include "server/cli/moment.h"
#include "server/common/visible.h"

#define SET                                                                                                  \
	"SELECT reports, messages FROM ruad.set_excluded($1::boolean, $2::bigint, $3::text, "                \
	"$4::timestamptz, $5::text, $6::text)"
#define LOG                                                                                                  \
	"SELECT to_char(set_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), CASE WHEN excluded "   \
	"THEN 'excluded' ELSE 'included' END, reports, coalesce('report ' || report, org_name || "           \
	"' since ' || to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')), "                \
	"coalesce(set_by, 'unknown'), reason FROM dmarc.exclusion_log ORDER BY id"

/* The request of the command line. */
struct wish {
	const char *command; /* "exclude" or "include" */
	gboolean excluded;
	char **reports; /* numbers of reports, NULL-terminated; or none, and reporter and since */
	char *reporter;
	char *since_text;
	char *since;
	char *reason;
	gboolean log;
	char *user; /* who made the request */
	guint64 changed;
	guint64 messages;
};

static gboolean set(struct db *db, struct wish *wish, const char *report, GError **error)
{
	const struct db_value params[] = { DB_TEXT(wish->excluded ? "true" : "false"), DB_TEXT(report),
		DB_TEXT(report == NULL ? wish->reporter : NULL), DB_TEXT(report == NULL ? wish->since : NULL),
		DB_TEXT(wish->reason), DB_TEXT(wish->user) };
	struct db_rows *rows = db_query(db, SET, params, G_N_ELEMENTS(params), error);

	if (rows == NULL)
		return FALSE;
	wish->changed += g_ascii_strtoull(db_rows_get(rows, 0, 0), NULL, 10);
	wish->messages += g_ascii_strtoull(db_rows_get(rows, 0, 1), NULL, 10);
	db_rows_free(rows);
	return TRUE;
}

static gboolean show_log(struct db *db, GError **error)
{
	struct db_rows *rows = db_query(db, LOG, NULL, 0, error);

	if (rows == NULL)
		return FALSE;
	for (gsize i = 0; i < db_rows_count(rows); i++) {
		const char *reason = db_rows_get(rows, i, 5);
		g_autofree char *words = g_strdup_printf("%s %s %s: %s (%s)%s%s", db_rows_get(rows, i, 0),
		    db_rows_get(rows, i, 1), db_rows_get(rows, i, 2), db_rows_get(rows, i, 3),
		    db_rows_get(rows, i, 4), reason == NULL ? "" : ": ", reason == NULL ? "" : reason);
		g_autofree char *visible = visible_text(words);

		puts(visible);
	}
	db_rows_free(rows);
	return TRUE;
}

static gboolean fulfil(struct db *db, struct wish *wish, GError **error)
{
	if (wish->log)
		return show_log(db, error);
	if (wish->reporter != NULL)
		return set(db, wish, NULL, error);
	for (char **report = wish->reports; *report != NULL; report++)
		if (!set(db, wish, *report, error))
			return FALSE;
	return TRUE;
}

/* "excluded 2 reports with 120 messages" */
static void print_changed(const struct wish *wish)
{
	printf("%sd %" G_GUINT64_FORMAT " report%s with %" G_GUINT64_FORMAT " message%s\n", wish->command,
	    wish->changed, wish->changed == 1 ? "" : "s", wish->messages, wish->messages == 1 ? "" : "s");
}

static int run(const struct settings *settings, struct wish *wish)
{
	g_autoptr(GError) error = NULL;
	struct database *database = database_new(settings, &error);
	struct db *db = NULL;
	int code = COMMAND_OK;

	wish->user = identity_user_name(); /* before the process becomes another user */
	if (database != NULL && database_start(database, FALSE, &error))
		db = database_open_alone(database, "ruad-exclude", &error);
	if (db == NULL || !fulfil(db, wish, &error))
		code = command_failed(wish->command, error);
	if (!wish->log && (code == COMMAND_OK || wish->changed > 0))
		print_changed(wish);
	db_close(db);
	database_free(database);
	return code;
}

static gboolean are_numbers(char **words)
{
	guint64 number;

	for (; *words != NULL; words++)
		if (!g_ascii_string_to_unsigned(*words, 10, 1, G_MAXINT64, &number, NULL))
			return FALSE;
	return TRUE;
}

/* Returns what is wrong with the arguments, or NULL. */
static const char *objection(struct wish *wish)
{
	gboolean has_reports = *wish->reports != NULL;

	if (has_reports + (wish->reporter != NULL) + wish->log != 1)
		return "needs numbers of reports, or --reporter and --since, or --log";
	if (!are_numbers(wish->reports))
		return "a report is its number, as in the address of its page";
	if ((wish->reporter != NULL) != (wish->since_text != NULL))
		return "--reporter and --since belong together";
	if (wish->since_text != NULL && (wish->since = moment_read(wish->since_text)) == NULL)
		return "--since is neither YYYY-MM-DD nor a time such as 2026-11-20T12:00:00Z";
	return NULL;
}

static int command(const struct settings *settings, struct wish *wish, int argc, char **argv)
{
	const char *wrong;
	int code = COMMAND_USAGE;
	const GOptionEntry entries[] = {
		{ "reporter", 0, 0, G_OPTION_ARG_STRING, &wish->reporter, NULL, NULL },
		{ "since", 0, 0, G_OPTION_ARG_STRING, &wish->since_text, NULL, NULL },
		{ "reason", 0, 0, G_OPTION_ARG_STRING, &wish->reason, NULL, NULL },
		{ "log", 0, 0, G_OPTION_ARG_NONE, &wish->log, NULL, NULL },
		G_OPTION_ENTRY_NULL,
	};

	if (command_options(entries, &argc, &argv)) {
		wish->reports = argv + 1;
		wrong = objection(wish);
		code = wrong != NULL ? command_fail(wish->command, COMMAND_USAGE, "%s", wrong)
				     : run(settings, wish);
	}
	g_free(wish->reporter);
	g_free(wish->since_text);
	g_free(wish->since);
	g_free(wish->reason);
	g_free(wish->user);
	return code;
}

int command_exclude(const struct settings *settings, int argc, char **argv)
{
	return command(settings, &(struct wish){ .command = "exclude", .excluded = TRUE }, argc, argv);
}

int command_include(const struct settings *settings, int argc, char **argv)
{
	return command(settings, &(struct wish){ .command = "include" }, argc, argv);
}
