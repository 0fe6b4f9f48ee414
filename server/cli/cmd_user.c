/*
 * cmd_user.c - ruad user: the roles of users, and the domains that they see.
 *
 * ruad.user_set() and its neighbours (sql/roles/users.sql) check and store them, with the rights of the login
 * that migrates, since a login of an auditor may change with its user.
 */
#include <stdio.h>
#include <string.h>

#include "server/cli/commands.h"
#include "server/cli/database.h"
#include "server/cli/identity.h"
#include "server/common/user_name.h"
#include "server/common/visible.h"

#define COMMAND "user"
#define SET                                                                                                  \
	"SELECT ruad.user_set($1::text, $2::boolean, $3::text, string_to_array($4::text, ','), "             \
	"$5::text)"
#define REMOVE "SELECT ruad.user_remove($1::text, $2::text)"
#define LIST                                                                                                 \
	"SELECT name, role, coalesce(array_to_string(domains, ','), '*') FROM ruad.user_grant "              \
	"ORDER BY name"

static const char *const roles[] = { "viewer", "editor", "admin", NULL };

/* The request of the command line. */
struct wish {
	const char *verb;
	const char *name; /* or NULL: list */
	char *role;       /* or NULL */
	char *domains;    /* separated by commas, or NULL */
	char *user;       /* who made the request */
};

static gboolean set(struct db *db, const struct wish *wish, GError **error)
{
	const gboolean is_new = g_str_equal(wish->verb, "add");
	const struct db_value params[] = { DB_TEXT(wish->name), DB_TEXT(is_new ? "true" : "false"),
		DB_TEXT(wish->role), DB_TEXT(wish->domains), DB_TEXT(wish->user) };

	return db_exec(db, SET, params, G_N_ELEMENTS(params), error);
}

static gboolean take_away(struct db *db, const struct wish *wish, GError **error)
{
	const struct db_value params[] = { DB_TEXT(wish->name), DB_TEXT(wish->user) };

	return db_exec(db, REMOVE, params, G_N_ELEMENTS(params), error);
}

static gboolean list(struct db *db, const struct wish *wish, GError **error)
{
	struct db_rows *rows = db_query(db, LIST, NULL, 0, error);

	(void)wish;
	if (rows == NULL)
		return FALSE;
	for (gsize i = 0; i < db_rows_count(rows); i++) {
		g_autofree char *name = visible_text(db_rows_get(rows, i, 0));

		printf("%-20s %-6s %s\n", name, db_rows_get(rows, i, 1), db_rows_get(rows, i, 2));
	}
	db_rows_free(rows);
	return TRUE;
}

static const struct verb {
	const char *name;
	gboolean (*run)(struct db *db, const struct wish *wish, GError **error);
	gboolean has_name;
} verbs[] = {
	{ "add", set, TRUE },
	{ "set", set, TRUE },
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

static gboolean fulfil(struct db *db, gpointer user, GError **error)
{
	const struct wish *wish = user;

	return find_verb(wish->verb)->run(db, wish, error);
}

static int run(const struct settings *settings, struct wish *wish)
{
	wish->user = identity_user_name(); /* before the process becomes another user */
	return database_run(settings, COMMAND, TRUE, fulfil, wish);
}

/* Returns what is wrong with the options, or NULL. */
static const char *objection_to_options(const struct wish *wish)
{
	if (find_verb(wish->verb)->run != set)
		return wish->role != NULL || wish->domains != NULL
			   ? "--role and --domains go with add and set"
			   : NULL;
	if (wish->role == NULL && g_str_equal(wish->verb, "add"))
		return "add needs --role";
	if (wish->role == NULL && wish->domains == NULL)
		return "set needs --role or --domains";
	if (wish->role != NULL && !g_strv_contains(roles, wish->role))
		return "a role is viewer, editor or admin";
	if (wish->domains != NULL && *wish->domains == '\0')
		return "--domains names at least one domain; * is all of them";
	return NULL;
}

/* Returns what is wrong with the arguments, or NULL. */
static const char *objection(const struct wish *wish, int argc)
{
	const struct verb *verb = find_verb(wish->verb);

	if (verb == NULL)
		return "say add, set, remove or list";
	if (argc != (verb->has_name ? 3 : 2))
		return verb->has_name ? "add, set and remove take one name" : "list takes no name";
	if (verb->has_name && (*wish->name == '\0' || strlen(wish->name) > USER_NAME_MAX))
		return "a name has 1 to 255 bytes";
	return objection_to_options(wish);
}

int command_user(const struct settings *settings, int argc, char **argv)
{
	struct wish wish = { 0 };
	const char *wrong;
	int code;
	const GOptionEntry entries[] = {
		{ "role", 0, 0, G_OPTION_ARG_STRING, &wish.role, NULL, NULL },
		{ "domains", 0, 0, G_OPTION_ARG_STRING, &wish.domains, NULL, NULL },
		G_OPTION_ENTRY_NULL,
	};

	if (!command_options(entries, &argc, &argv))
		return COMMAND_USAGE;
	wish.verb = argc > 1 ? argv[1] : NULL;
	wish.name = argc > 2 ? argv[2] : NULL;
	wrong = objection(&wish, argc);
	code = wrong != NULL ? command_fail(COMMAND, COMMAND_USAGE, "%s", wrong) : run(settings, &wish);
	g_free(wish.role);
	g_free(wish.domains);
	g_free(wish.user);
	return code;
}
