#include "server/cli/check_seen.h"

#include <string.h>

#include "server/cli/database.h"
#include "server/cli/identity.h"

struct check_seen {
	struct database *database;
	struct db *db;
};

/* Whether there is a server to connect to; a private one is not started for this. */
static gboolean is_running(const struct database *database)
{
	const struct postgres *private = database_private(database);

	return private == NULL || postgres_is_ready(private);
}

/* The first line of an error: the others say where it was raised. Transfer full. */
static char *first_line(const GError *error)
{
	return g_strndup(error->message, strcspn(error->message, "\n"));
}

struct check_seen *check_seen_new(const struct settings *settings, char **why)
{
	g_autoptr(GError) error = NULL;
	struct check_seen *seen = g_new0(struct check_seen, 1);

	seen->database = database_new(settings, &error);
	if (seen->database != NULL && is_running(seen->database) &&
	    identity_assume(settings_string(settings, "server.user"), &error)) {
		seen->db = database_open_owner(seen->database, "ruad-check", &error);
		identity_resume();
	}
	if (seen->db != NULL)
		return seen;
	*why = error != NULL ? first_line(error) : g_strdup("the database is not running");
	check_seen_free(seen);
	return NULL;
}

void check_seen_free(struct check_seen *seen)
{
	if (seen == NULL)
		return;
	db_close(seen->db);
	database_free(seen->database);
	g_free(seen);
}

struct json_object *check_seen_of(struct check_seen *seen, const char *domain)
{
	struct db_rows *rows =
	    db_query(seen->db, "SELECT ruad.dns_selectors($1::text)", &DB_TEXT(domain), 1, NULL);
	struct json_object *selectors = NULL;

	if (rows == NULL)
		return NULL;
	if (db_rows_count(rows) == 1)
		selectors = json_tokener_parse(db_rows_get(rows, 0, 0));
	db_rows_free(rows);
	return selectors;
}
