/*
 * cmd_label.c - ruad label: sets and lists the labels of sources, and shows the log of changes.
 *
 * ruad.set_label() (sql/enrich/labels.sql) defines sources and labels and logs the change. Like the page,
 * this command calls it through api.set_label(), but as ruad_owner.
 */
#include <stdio.h>
#include <string.h>

#include "server/cli/commands.h"
#include "server/cli/database.h"
#include "server/cli/identity.h"
#include "server/common/visible.h"

#define COMMAND "label"
#define SET                                                                                                  \
	"SELECT FROM api.set_label(p_source => $1::text, p_label => $2::text, p_note => $3::text, "          \
	"p_user => $4::text, p_via => 'cli')"
#define KNOWN                                                                                                \
	"SELECT api.source_is_known($1::text) OR EXISTS (SELECT FROM dmarc.services s "                      \
	"WHERE 'service:' || s.key = $1::text)"
#define COLUMNS                                                                                              \
	"source, coalesce(label, 'none'), to_char(set_at AT TIME ZONE 'UTC', "                               \
	"'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), set_by, set_via, note"
#define LIST                                                                                                 \
	"SELECT " COLUMNS " FROM dmarc.labels WHERE $1::text IS NULL OR source = $1::text ORDER BY source"
#define LOG "SELECT " COLUMNS " FROM dmarc.label_log WHERE $1::text IS NULL OR source = $1::text ORDER BY id"

/* The request of the command line. */
struct wish {
	const char *source; /* or NULL: all */
	const char *label;  /* as typed, or NULL: set none */
	char *note;
	char *user; /* who made the request */
	gboolean log;
};

static const struct {
	const char *typed;
	const char *label; /* NULL removes it */
} labels[] = {
	{ "mine", "mine" },
	{ "forwarder", "forwarder" },
	{ "not-mine", "not_mine" },
	{ "not_mine", "not_mine" },
	{ "none", NULL },
};

static gboolean find_label(const char *typed, const char **label)
{
	for (gsize i = 0; i < G_N_ELEMENTS(labels); i++)
		if (g_str_equal(labels[i].typed, typed)) {
			*label = labels[i].label;
			return TRUE;
		}
	return FALSE;
}

/* Find whether a report is about the source, or ruad knows the service. */
static gboolean find_known(struct db *db, const struct wish *wish, gboolean *known, GError **error)
{
	const struct db_value source = DB_TEXT(wish->source);
	struct db_rows *rows = db_query(db, KNOWN, &source, 1, error);

	if (rows == NULL)
		return FALSE;
	*known = strcmp(db_rows_get(rows, 0, 0), "t") == 0;
	db_rows_free(rows);
	return TRUE;
}

/* Set the label, and warn if its source may be misspelt: a label makes it known. */
static gboolean set(struct db *db, const struct wish *wish, GError **error)
{
	const char *label = NULL;
	gboolean known = TRUE;

	(void)find_label(wish->label, &label);
	if (!find_known(db, wish, &known, error) ||
	    !db_exec(db, SET,
		(const struct db_value[]){
		    DB_TEXT(wish->source), DB_TEXT(label), DB_TEXT(wish->note), DB_TEXT(wish->user) },
		4, error))
		return FALSE;
	if (!known && label != NULL)
		fprintf(stderr, "ruad label: no report is about %s yet; the label is for when one comes\n",
		    wish->source);
	return TRUE;
}

/* Print text, made visible, on one line in at least width columns. */
static void print_text(const char *text, int width)
{
	g_autofree char *visible = visible_text(text);

	printf("%-*s", width, visible);
}

static gboolean show(struct db *db, const struct wish *wish, GError **error)
{
	const struct db_value source = DB_TEXT(wish->source);
	struct db_rows *rows = db_query(db, wish->log ? LOG : LIST, &source, 1, error);

	if (rows == NULL)
		return FALSE;
	for (gsize i = 0; i < db_rows_count(rows); i++) {
		print_text(db_rows_get(rows, i, 0), 40);
		printf(" %-9s %s ", db_rows_get(rows, i, 1), db_rows_get(rows, i, 2));
		print_text(db_rows_get(rows, i, 3), 0);
		printf(" (%s)", db_rows_get(rows, i, 4));
		if (db_rows_get(rows, i, 5) != NULL) {
			fputs(": ", stdout);
			print_text(db_rows_get(rows, i, 5), 0);
		}
		putchar('\n');
	}
	db_rows_free(rows);
	return TRUE;
}

static gboolean fulfil(struct db *db, gpointer user, GError **error)
{
	const struct wish *wish = user;

	return (wish->label != NULL ? set : show)(db, wish, error);
}

static int run(const struct settings *settings, struct wish *wish)
{
	wish->user = identity_user_name(); /* before the process becomes another user */
	return database_run(settings, COMMAND, FALSE, fulfil, wish);
}

/* Returns what is wrong with the arguments, or NULL. */
static const char *objection(const struct wish *wish, int argc)
{
	const char *label;

	if (argc > 3)
		return "takes a source and a label, no more";
	if (wish->label != NULL && !find_label(wish->label, &label))
		return "a label is mine, forwarder, not-mine or none";
	if (wish->label != NULL && wish->log)
		return "--log goes with no label";
	if (wish->label == NULL && wish->note != NULL)
		return "--note goes with a label";
	return NULL;
}

int command_label(const struct settings *settings, int argc, char **argv)
{
	struct wish wish = { 0 };
	const char *wrong;
	int code;
	const GOptionEntry entries[] = {
		{ "note", 0, 0, G_OPTION_ARG_STRING, &wish.note, NULL, NULL },
		{ "log", 0, 0, G_OPTION_ARG_NONE, &wish.log, NULL, NULL },
		G_OPTION_ENTRY_NULL,
	};

	if (!command_options(entries, &argc, &argv))
		return COMMAND_USAGE;
	wish.source = argc > 1 ? argv[1] : NULL;
	wish.label = argc > 2 ? argv[2] : NULL;
	wrong = objection(&wish, argc);
	code = wrong != NULL ? command_fail(COMMAND, COMMAND_USAGE, "%s", wrong) : run(settings, &wish);
	g_free(wish.note);
	g_free(wish.user);
	return code;
}
