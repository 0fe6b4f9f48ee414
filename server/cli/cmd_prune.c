/*
 * cmd_prune.c - ruad prune: removes data that is older than [retention] allows.
 *
 * ruad.prune() (sql/README.md) defines what belongs to a kind and how it is removed. This command calls it as
 * ruad_owner, who owns the tables and is not a superuser, for one kind after another, in short transactions
 * so that mail does not wait, and prints what was removed.
 */
#include <stdio.h>

#include "parser/error.h"
#include "server/cli/commands.h"
#include "server/cli/database.h"
#include "server/cli/identity.h"
#include "server/cli/progress.h"

#define COMMAND "prune"
#define PRUNE                                                                                                \
	"SELECT coalesce(sum(removed) FILTER (WHERE what IN ('reports', 'mails', 'entries')), 0), "          \
	"coalesce(sum(removed), 0) FROM ruad.prune($1::text, $2::timestamptz, $3::text)"
#define COUNT_REPORTS "SELECT ruad.prunable_reports($1::timestamptz)"

static const struct kind {
	const char *key;   /* of the settings, in days */
	const char *kind;  /* of ruad.prune() */
	const char *words; /* for what it counts */
} kinds[] = {
	{ "retention.reports", "aggregate", "reports" },
	{ "retention.failures", "failure", "failure reports" },
	{ "retention.tls", "tls", "TLS reports" },
	{ "retention.unread", "raw", "unread mails" },
};

/* Last, since the ledger's rows of a mail can only be removed when nothing else of the mail is left. */
static const struct kind ledger = { NULL, "mail", "entries of Intake" };

static const struct kind audit = { "retention.audit", "audit", "entries of the audit log" };

struct prune {
	struct db *db;
	const char *user; /* who typed the command */
	gboolean dry_run;
	GString *removed; /* "12 reports, 3 failure reports" */
	struct progress *progress;
	guint steps; /* kinds that were looked for */
};

/* The time this many days ago; transfer full. */
static char *days_ago(gint64 days)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autoptr(GDateTime) then = g_date_time_add_days(now, -(gint)days);

	return g_date_time_format(then, "%Y-%m-%dT%H:%M:%SZ");
}

/* A kind is one statement, and nobody knows how far that is: no guess at the time left. */
static void show_kind(struct prune *prune, const struct kind *kind)
{
	g_autofree char *words = g_strdup_printf(
	    "step %u of %u: old %s", ++prune->steps, (guint)G_N_ELEMENTS(kinds) + 2, kind->words);

	progress_set(prune->progress, 0, 0, words);
}

/* Add to the text, if there are any. */
static void add_removed(struct prune *prune, const struct kind *kind, gint64 removed)
{
	if (removed > 0)
		g_string_append_printf(prune->removed, "%s%" G_GINT64_FORMAT " %s",
		    prune->removed->len > 0 ? ", " : "", removed, kind->words);
}

/* removed grows by what counts; is_done: there was nothing left. */
static gboolean remove_some(struct prune *prune, const struct kind *kind, const char *before, gint64 *removed,
    gboolean *is_done, GError **error)
{
	const struct db_value params[] = { DB_TEXT(kind->kind), DB_TEXT(before), DB_TEXT(prune->user) };
	struct db_rows *rows = db_query(prune->db, PRUNE, params, G_N_ELEMENTS(params), error);
	gint64 counted = 0;
	gint64 all = 0;
	gboolean good = rows != NULL && db_rows_number(rows, 0, 0, 0, G_MAXINT64, &counted, error) &&
			db_rows_number(rows, 0, 1, 0, G_MAXINT64, &all, error);

	*removed += counted;
	*is_done = all == 0;
	db_rows_free(rows);
	return good;
}

/* What an error leaves removed is in the text, too. */
static gboolean remove_kind(struct prune *prune, const struct kind *kind, gint64 days, GError **error)
{
	g_autofree char *before = days_ago(days);
	gint64 removed = 0;
	gboolean is_done = FALSE;
	gboolean good = TRUE;

	while (good && !is_done)
		good = remove_some(prune, kind, before, &removed, &is_done, error);
	add_removed(prune, kind, removed);
	return good;
}

/* Aggregate reports are counted; locks would be held for all the steps that removing them takes. */
static gboolean count_reports(struct prune *prune, const char *before, gint64 *count, GError **error)
{
	const struct db_value params[] = { DB_TEXT(before) };
	struct db_rows *rows = db_query(prune->db, COUNT_REPORTS, params, G_N_ELEMENTS(params), error);
	gboolean good = rows != NULL && db_rows_number(rows, 0, 0, 0, G_MAXINT64, count, error);

	db_rows_free(rows);
	return good;
}

/* All that a kind would lose: removed, and rolled back. */
static gboolean try_kind(struct prune *prune, const struct kind *kind, gint64 days, GError **error)
{
	g_autofree char *before = days_ago(days);
	gint64 removed = 0;

	if (!g_str_equal(kind->kind, "aggregate"))
		return db_exec(prune->db, "BEGIN", NULL, 0, error) && remove_kind(prune, kind, days, error) &&
		       db_exec(prune->db, "ROLLBACK", NULL, 0, error);
	if (!count_reports(prune, before, &removed, error))
		return FALSE;
	add_removed(prune, kind, removed);
	return TRUE;
}

static gboolean remove_all(struct prune *prune, const struct settings *settings, GError **error)
{
	gboolean (*const remove)(struct prune *, const struct kind *, gint64, GError **) =
	    prune->dry_run ? try_kind : remove_kind;
	gint64 audit_days = settings_days(settings, audit.key);
	gint64 least = 0; /* days, of the kinds that are not 0 */

	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		gint64 days = settings_days(settings, kinds[i].key);

		show_kind(prune, &kinds[i]);
		if (days == 0)
			continue;
		if (!remove(prune, &kinds[i], days, error))
			return FALSE;
		least = least == 0 ? days : MIN(least, days);
	}
	show_kind(prune, &audit);
	if (audit_days > 0 && !remove(prune, &audit, audit_days, error))
		return FALSE;
	show_kind(prune, &ledger);
	return least == 0 || prune->dry_run || remove_kind(prune, &ledger, least, error);
}

static gboolean run(const struct settings *settings, struct database *database, const char *user,
    gboolean dry_run, gboolean quiet, GError **error)
{
	struct prune prune = { .user = user, .dry_run = dry_run };
	gboolean good;

	prune.db = database_open_alone(database, "ruad-prune", error);
	if (prune.db == NULL)
		return FALSE;
	prune.removed = g_string_new(NULL);
	prune.progress = progress_new(quiet, NULL, NULL);
	good = remove_all(&prune, settings, error);
	progress_free(prune.progress);
	if (prune.removed->len > 0)
		printf("%s %s\n", dry_run ? "would remove" : "removed", prune.removed->str);
	else if (good && !quiet)
		puts("nothing is old enough to be removed");
	g_string_free(prune.removed, TRUE);
	db_close(prune.db);
	return good;
}

int command_prune(const struct settings *settings, int argc, char **argv)
{
	gboolean dry_run = FALSE;
	gboolean quiet = FALSE;
	g_autoptr(GError) error = NULL;
	g_autofree char *user = identity_user_name(); /* before the process becomes another user */
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
	    !run(settings, database, user, dry_run, quiet, &error))
		code = command_fail(COMMAND, command_exit_of(error), "%s", error->message);
	database_free(database);
	return code;
}
