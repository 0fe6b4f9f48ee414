/*
 * cmd_token.c - ruad token: tokens by which programs sign in as a user of the page.
 *
 * The token is printed once; the database gets its hash (server/common/token.h). ruad.token_add() and
 * ruad.token_remove() (sql/roles/tokens.sql) log who called them. server/web/auth.h says what a token
 * allows.
 */
#include <stdio.h>
#include <string.h>

#include "server/cli/commands.h"
#include "server/cli/database.h"
#include "server/cli/identity.h"
#include "server/common/token.h"
#include "server/common/user_name.h"
#include "server/common/visible.h"

#define COMMAND "token"
#define ADD                                                                                                  \
	"SELECT ruad.token_add($1::text, $2::text, $3::text, $4::boolean, "                                  \
	"$5::integer * interval '1 day', $6::text)"
#define REMOVE         "SELECT ruad.token_remove($1::text, $2::text)"
#define MOMENT(column) "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
#define LIST                                                                                                 \
	"SELECT name, user_name, CASE WHEN may_write THEN 'reads and writes' ELSE 'reads' END, "             \
	"CASE WHEN expires_at IS NULL THEN 'never expires' WHEN expires_at <= now() THEN 'expired ' "        \
	"ELSE 'expires ' END || coalesce(" MOMENT(                                                           \
	    "expires_at") ", ''), "                                                                          \
			  "coalesce('used ' || " MOMENT(                                                     \
			      "used_at") ", 'never used') FROM dmarc.tokens ORDER BY name"

#define NAME_MOST 63 /* characters, as in the table */
#define DAYS_MOST 36500

/* The request of the command line. */
struct wish {
	const char *verb;
	const char *name; /* or NULL: list */
	char *user;
	char *expires; /* as typed, or NULL: the default */
	gboolean write;
	char *days; /* of expires; NULL: never */
	char *by;   /* who made the request */
};

/* -- the change -- */

static gboolean add(struct db *db, const struct wish *wish, GError **error)
{
	g_autofree char *token = token_new(error);
	g_autofree char *hash = NULL;

	if (token == NULL)
		return FALSE;
	hash = token_hash(token);
	if (!db_exec(db, ADD,
		(const struct db_value[]){ DB_TEXT(wish->name), DB_TEXT(wish->user), DB_TEXT(hash),
		    DB_TEXT(wish->write ? "true" : "false"), DB_TEXT(wish->days), DB_TEXT(wish->by) },
		6, error))
		return FALSE;
	puts(token);
	explicit_bzero(token, strlen(token));
	return TRUE;
}

static gboolean take_away(struct db *db, const struct wish *wish, GError **error)
{
	return db_exec(
	    db, REMOVE, (const struct db_value[]){ DB_TEXT(wish->name), DB_TEXT(wish->by) }, 2, error);
}

static gboolean list(struct db *db, const struct wish *wish, GError **error)
{
	struct db_rows *rows = db_query(db, LIST, NULL, 0, error);

	(void)wish;
	if (rows == NULL)
		return FALSE;
	for (gsize i = 0; i < db_rows_count(rows); i++) {
		g_autofree char *user = visible_text(db_rows_get(rows, i, 1));

		printf("%s: %s, %s, %s, %s\n", db_rows_get(rows, i, 0), user, db_rows_get(rows, i, 2),
		    db_rows_get(rows, i, 3), db_rows_get(rows, i, 4));
	}
	db_rows_free(rows);
	return TRUE;
}

static const struct verb {
	const char *name;
	gboolean (*run)(struct db *db, const struct wish *wish, GError **error);
} verbs[] = {
	{ "add", add },
	{ "remove", take_away },
	{ "list", list },
};

static const struct verb *find_verb(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(verbs) && name != NULL; i++)
		if (g_str_equal(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

/* -- the command -- */

static gboolean fulfil(struct db *db, gpointer user, GError **error)
{
	const struct wish *wish = user;

	return find_verb(wish->verb)->run(db, wish, error);
}

static int run(const struct settings *settings, struct wish *wish)
{
	wish->by = identity_user_name(); /* before the process becomes another user */
	return database_run(settings, COMMAND, FALSE, fulfil, wish);
}

static gboolean is_name(const char *name)
{
	gsize size = strlen(name);

	return size <= NAME_MOST && g_ascii_isalnum(*name) &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == size;
}

/* Read "90d" or "never". */
static gboolean read_expires(struct wish *wish)
{
	const char *words = wish->expires != NULL ? wish->expires : "90d";
	gsize size = strlen(words);
	guint64 days;

	if (g_str_equal(words, "never"))
		return TRUE;
	if (size < 2 || words[size - 1] != 'd')
		return FALSE;
	wish->days = g_strndup(words, size - 1);
	return g_ascii_string_to_unsigned(wish->days, 10, 1, DAYS_MOST, &days, NULL);
}

/* Returns what is wrong with the options of add, or NULL. */
static const char *objection_to_options(struct wish *wish)
{
	if (wish->user == NULL || !user_name_is_valid(wish->user))
		return "add needs --user=USER, the user whose rights the token has";
	if (!read_expires(wish))
		return "--expires is a number of days, such as 90d, or never";
	return NULL;
}

/* Returns what is wrong with the arguments, or NULL. */
static const char *objection(struct wish *wish, int argc)
{
	const struct verb *verb = find_verb(wish->verb);

	if (verb == NULL)
		return "say add, remove or list";
	if (argc != (verb->run == list ? 2 : 3))
		return verb->run == list ? "list takes no name" : "add and remove take one name";
	if (verb->run != add && (wish->user != NULL || wish->expires != NULL || wish->write))
		return "--user, --write and --expires go with add";
	if (verb->run == list)
		return NULL;
	if (wish->name == NULL || !is_name(wish->name))
		return "a token's name has up to 63 letters, digits, dots, hyphens and underscores";
	return verb->run == add ? objection_to_options(wish) : NULL;
}

int command_token(const struct settings *settings, int argc, char **argv)
{
	struct wish wish = { 0 };
	const char *wrong;
	int code = COMMAND_USAGE;
	const GOptionEntry entries[] = {
		{ "user", 0, 0, G_OPTION_ARG_STRING, &wish.user, NULL, NULL },
		{ "expires", 0, 0, G_OPTION_ARG_STRING, &wish.expires, NULL, NULL },
		{ "write", 0, 0, G_OPTION_ARG_NONE, &wish.write, NULL, NULL },
		G_OPTION_ENTRY_NULL,
	};

	if (command_options(entries, &argc, &argv)) {
		wish.verb = argc > 1 ? argv[1] : NULL;
		wish.name = argc > 2 ? argv[2] : NULL;
		wrong = objection(&wish, argc);
		code =
		    wrong != NULL ? command_fail(COMMAND, COMMAND_USAGE, "%s", wrong) : run(settings, &wish);
	}
	g_free(wish.user);
	g_free(wish.expires);
	g_free(wish.days);
	g_free(wish.by);
	return code;
}
