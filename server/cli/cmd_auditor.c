/*
 * cmd_auditor.c - ruad auditor: logins that may read the views of schema dmarc, one for each auditor.
 *
 * ruad.auditor_add() and its neighbours (sql/roles/logins.sql) create and remove them, with the rights of the
 * login that migrates. In the private cluster the operating system authenticates auditors, elsewhere a
 * password does.
 */
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "parser/error.h"
#include "server/cli/auditor_name.h"
#include "server/cli/commands.h"
#include "server/cli/database.h"
#include "server/cli/identity.h"
#include "server/common/visible.h"

#define COMMAND       "auditor"
#define LIST          "SELECT * FROM ruad.auditors()"
#define ADD           "SELECT ruad.auditor_add($1::text, $2::text, $3::text)"
#define REMOVE        "SELECT ruad.auditor_remove($1::text, $2::text)"
#define PASSWORD_MOST 1024 /* bytes; a longer file contains no password */

/* The request of the command line. */
struct wish {
	const char *verb;
	const char *name;    /* or NULL: list */
	char *password_file; /* "-": standard input; or NULL */
	char *password;      /* or NULL */
	char *user;          /* who made the request */
};

/* -- the password -- */

/* Read the file's only line. */
static gboolean read_password(struct wish *wish, GError **error)
{
	const gboolean is_stdin = g_str_equal(wish->password_file, "-");
	g_autofree char *content = g_malloc0(PASSWORD_MOST + 2);
	FILE *file = is_stdin ? stdin : fopen(wish->password_file, "re");
	gsize size;

	if (file == NULL) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "cannot open \"%s\"", wish->password_file);
		return FALSE;
	}
	size = fread(content, 1, PASSWORD_MOST + 1, file);
	if (!is_stdin)
		fclose(file);
	if (size > 0 && content[size - 1] == '\n')
		content[--size] = '\0';
	if (size == 0 || size > PASSWORD_MOST || strlen(content) != size || strchr(content, '\n') != NULL) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
		    "\"%s\" does not contain exactly one line with a password", wish->password_file);
		return FALSE;
	}
	wish->password = g_steal_pointer(&content);
	return TRUE;
}

/* -- the change -- */

/* Print how the auditor connects. */
static void explain(const struct database *database, const struct wish *wish)
{
	const struct postgres *postgres = database_private(database);

	if (postgres != NULL) {
		printf("user %s: psql \"host=%s dbname=" POSTGRES_DATABASE "\"\n", wish->name,
		    postgres_socket_folder(postgres));
		if (getpwnam(wish->name) == NULL)
			printf("this machine has no user %s yet\n", wish->name);
	} else if (wish->password == NULL) {
		printf("if %s signs in by a password, set it in psql: \\password \"%s\"\n", wish->name,
		    wish->name);
	}
}

static gboolean add(struct db *db, const struct database *database, const struct wish *wish, GError **error)
{
	g_autofree char *verifier = NULL;
	struct db_value params[3] = { DB_TEXT(wish->name), DB_TEXT(NULL), DB_TEXT(wish->user) };

	if (wish->password != NULL) {
		verifier = db_password_verifier(db, wish->name, wish->password, error);
		if (verifier == NULL)
			return FALSE;
		params[1] = DB_TEXT(verifier);
	}
	if (!db_exec(db, ADD, params, G_N_ELEMENTS(params), error))
		return FALSE;
	explain(database, wish);
	return TRUE;
}

static gboolean take_away(
    struct db *db, const struct database *database, const struct wish *wish, GError **error)
{
	const struct db_value params[] = { DB_TEXT(wish->name), DB_TEXT(wish->user) };

	(void)database;
	return db_exec(db, REMOVE, params, G_N_ELEMENTS(params), error);
}

static gboolean list(struct db *db, const struct database *database, const struct wish *wish, GError **error)
{
	struct db_rows *rows = db_query(db, LIST, NULL, 0, error);

	(void)database;
	(void)wish;
	if (rows == NULL)
		return FALSE;
	for (gsize i = 0; i < db_rows_count(rows); i++) {
		g_autofree char *name = visible_text(db_rows_get(rows, i, 0));

		puts(name);
	}
	db_rows_free(rows);
	return TRUE;
}

static const struct verb {
	const char *name;
	gboolean (*run)(
	    struct db *db, const struct database *database, const struct wish *wish, GError **error);
	gboolean has_name;
} verbs[] = {
	{ "add", add, TRUE },
	{ "remove", take_away, TRUE },
	{ "list", list, FALSE },
};

static const struct verb *find_verb(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(verbs) && name != NULL; i++)
		if (g_str_equal(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

/* -- the command -- */

static gboolean fulfil(const struct database *database, const struct wish *wish, GError **error)
{
	struct db *db = database_open_admin(database, "ruad-auditor", error);
	gboolean good = db != NULL && find_verb(wish->verb)->run(db, database, wish, error);

	db_close(db);
	return good;
}

static int run(const struct settings *settings, struct wish *wish)
{
	g_autoptr(GError) error = NULL;
	struct database *database = NULL;
	int code = COMMAND_OK;

	/* before the process becomes a user who may not read the file, or whom nobody knows */
	wish->user = identity_user_name();
	if (wish->password_file != NULL && !read_password(wish, &error))
		return command_failed(COMMAND, error);
	database = database_new(settings, &error);
	if (database == NULL)
		return command_failed(COMMAND, error);
	if (wish->password != NULL && database_private(database) != NULL)
		code = command_fail(COMMAND, COMMAND_USAGE,
		    "--password-file is for database.url: in the private cluster the operating system says "
		    "who an auditor is");
	else if (!database_start(database, FALSE, &error) || !fulfil(database, wish, &error))
		code = command_failed(COMMAND, error);
	database_free(database);
	return code;
}

/* Returns what is wrong with the arguments, or NULL. */
static const char *objection(const struct wish *wish, int argc)
{
	const struct verb *verb = find_verb(wish->verb);

	if (verb == NULL)
		return "say add, remove or list";
	if (argc != (verb->has_name ? 3 : 2))
		return verb->has_name ? "add and remove take one name" : "list takes no name";
	if (wish->password_file != NULL && verb->run != add)
		return "--password-file goes with add";
	return verb->has_name ? auditor_name_objection(wish->name) : NULL;
}

int command_auditor(const struct settings *settings, int argc, char **argv)
{
	struct wish wish = { 0 };
	const char *wrong;
	int code;
	const GOptionEntry entries[] = {
		{ "password-file", 0, 0, G_OPTION_ARG_FILENAME, &wish.password_file, NULL, NULL },
		G_OPTION_ENTRY_NULL,
	};

	if (!command_options(entries, &argc, &argv))
		return COMMAND_USAGE;
	wish.verb = argc > 1 ? argv[1] : NULL;
	wish.name = argc > 2 ? argv[2] : NULL;
	wrong = objection(&wish, argc);
	code = wrong != NULL ? command_fail(COMMAND, COMMAND_USAGE, "%s", wrong) : run(settings, &wish);
	g_free(wish.password_file);
	g_free(wish.password);
	g_free(wish.user);
	return code;
}
