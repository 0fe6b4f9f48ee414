#include "server/cli/auditor_name.h"

#include <string.h>

#include "server/database/postgres.h"

#define NAME_BYTES_MOST 63 /* PostgreSQL truncates longer names (NAMEDATALEN) */

/* Names of roles with a special meaning in ruad, in PostgreSQL or in the access rules of the private
 * cluster. */
static const char *const taken[] = { POSTGRES_ADMIN, "public", "none", "current_role", "current_user",
	"session_user", "all", "replication" };
static const char *const taken_prefixes[] = { "ruad_", "pg_" };

static gboolean is_taken(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(taken); i++)
		if (g_ascii_strcasecmp(taken[i], name) == 0)
			return TRUE;
	for (gsize i = 0; i < G_N_ELEMENTS(taken_prefixes); i++)
		if (g_ascii_strncasecmp(taken_prefixes[i], name, strlen(taken_prefixes[i])) == 0)
			return TRUE;
	return FALSE;
}

const char *auditor_name_objection(const char *name)
{
	if (strlen(name) > NAME_BYTES_MOST)
		return "a name has at most 63 bytes";
	if (!g_ascii_isalpha(*name) && *name != '_')
		return "a name begins with a letter or _";
	for (const char *c = name; *c != '\0'; c++)
		if (!g_ascii_isalnum(*c) && strchr("_.@-", *c) == NULL)
			return "a name has only the letters a to z, digits and _ . @ -";
	return is_taken(name) ? "this name is reserved" : NULL;
}
