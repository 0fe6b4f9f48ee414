#include "server/web/tokens.h"

#include "server/common/log.h"
#include "server/web/connection.h"

#define FIND "SELECT name, user_name, may_write, is_stale FROM api.token($1::text)"
#define USED "SELECT api.token_used($1::text)"

static gboolean is_true(const struct db_rows *rows, guint column)
{
	return *db_rows_get(rows, 0, column) == 't';
}

static void record_use(char *const params[])
{
	g_autoptr(GError) error = NULL;

	if (!connection_write(USED, params, 1, &error))
		log_warning("the use of a token was not recorded: %s", error->message);
}

gboolean tokens_find(const char *hash, struct auth_token *token, GError **error)
{
	char *const params[] = { (char *)hash };
	struct db_rows *rows = connection_rows(FIND, params, 1, error);
	gboolean stale = FALSE;

	if (rows == NULL)
		return FALSE;
	if (db_rows_count(rows) > 0) {
		*token = (struct auth_token){ .name = g_strdup(db_rows_get(rows, 0, 0)),
			.user = g_strdup(db_rows_get(rows, 0, 1)),
			.may_write = is_true(rows, 2) };
		stale = is_true(rows, 3);
	}
	db_rows_free(rows);
	if (stale)
		record_use(params);
	return TRUE;
}
