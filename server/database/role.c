#include "server/database/role.h"

#include "parser/error.h"

#define ASSUME                                                                                               \
	"SELECT pg_catalog.set_config('role', $1::text, false) UNION ALL "                                   \
	"SELECT pg_catalog.set_config(split_part(s, '=', 1), substr(s, strpos(s, '=') + 1), false) "         \
	"FROM pg_catalog.pg_roles, unnest(rolconfig) s WHERE rolname = $1::text AND split_part(s, '=', 1) "  \
	"IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout')"

/*
 * The statements that are missing. A member of a role may act as it, but from PostgreSQL 16 on only with the
 * option SET. The login that migrates also uses ruad_owner's tables without SET ROLE, so it must inherit its
 * rights.
 */
#define MISSING                                                                                              \
	"WITH server AS (SELECT current_setting('server_version_num')::integer >= 160000 AS has_options), "  \
	"role AS (SELECT r.name, has_options, "                                                              \
	"pg_has_role(session_user, to_regrole(r.name), CASE WHEN has_options THEN 'SET' ELSE 'MEMBER' END) " \
	"AS may_act, r.name <> 'ruad_owner' OR pg_has_role(session_user, to_regrole(r.name), 'USAGE') AS "   \
	"inherits "                                                                                          \
	"FROM server, unnest($1::text[]) r (name)) "                                                         \
	"SELECT string_agg(CASE WHEN to_regrole(name) IS NULL THEN format('CREATE ROLE %I NOLOGIN; ', "      \
	"name) "                                                                                             \
	"ELSE '' END || CASE WHEN has_options THEN "                                                         \
	"format('GRANT %I TO %I WITH INHERIT TRUE, SET TRUE', name, session_user) "                          \
	"WHEN may_act THEN format('ALTER ROLE %I INHERIT', session_user) "                                   \
	"ELSE format('GRANT %I TO %I', name, session_user) END, '; '), session_user "                        \
	"FROM role WHERE may_act IS NOT TRUE OR inherits IS NOT TRUE"

gboolean role_assume(struct db *db, const char *role, GError **error)
{
	const struct db_value name = DB_TEXT(role);

	return db_exec(db, ASSUME, &name, 1, error);
}

gboolean role_check(struct db *db, const char *const *roles, GError **error)
{
	g_autofree char *joined = g_strjoinv(",", (char **)roles);
	g_autofree char *array = g_strdup_printf("{%s}", joined);
	const struct db_value param = DB_TEXT(array);
	struct db_rows *rows = db_query(db, MISSING, &param, 1, error);
	const char *statements;

	if (rows == NULL)
		return FALSE;
	statements = db_rows_get(rows, 0, 0);
	if (statements != NULL)
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM,
		    "login \"%s\" may not act as the roles of ruad; a superuser must run: %s;",
		    db_rows_get(rows, 0, 1), statements);
	db_rows_free(rows);
	return statements == NULL;
}
