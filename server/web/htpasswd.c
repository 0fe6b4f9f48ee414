#include "server/web/htpasswd.h"

#include <crypt.h>
#include <nettle/memops.h>
#include <string.h>

/* The methods of crypt(5) that are still used for new passwords. */
static const char *const methods[] = { "$2y$", "$2b$", "$2a$", "$y$", "$gy$", "$7$", "$6$" };

#define METHODS "take bcrypt (htpasswd -B), yescrypt or SHA-512 (mkpasswd)"

/* Returns why hash cannot be used, transfer full, or NULL. */
static char *refusal(const char *hash)
{
	for (gsize i = 0; i < G_N_ELEMENTS(methods); i++)
		if (g_str_has_prefix(hash, methods[i]))
			return NULL;
	if (g_str_has_prefix(hash, "$apr1$"))
		return g_strdup("$apr1$ (MD5) is not supported: " METHODS);
	return g_strdup("not a hash that is supported: " METHODS);
}

/* Read one line of the file; returns what is wrong with it, transfer full, or NULL. */
static char *take_line(GHashTable *users, char *line)
{
	char *colon = strchr(line, ':');
	char *wrong;

	if (*line == '\0' || *line == '#')
		return NULL;
	if (colon == NULL || colon == line || !g_utf8_validate(line, colon - line, NULL))
		return g_strdup("not NAME:HASH");
	*colon = '\0';
	if (g_hash_table_contains(users, line))
		return g_strdup_printf("\"%s\" occurs twice", line);
	wrong = refusal(colon + 1);
	if (wrong == NULL)
		g_hash_table_insert(users, g_strdup(line), g_strdup(colon + 1));
	return wrong;
}

GHashTable *htpasswd_parse(const char *text, GPtrArray **problems)
{
	GHashTable *users = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

	*problems = g_ptr_array_new_with_free_func(g_free);
	for (gsize i = 0; lines[i] != NULL; i++) {
		g_autofree char *wrong = take_line(users, g_strchomp(lines[i]));

		if (wrong != NULL)
			g_ptr_array_add(
			    *problems, g_strdup_printf("line %" G_GSIZE_FORMAT ": %s", i + 1, wrong));
	}
	return users;
}

gboolean htpasswd_check(const char *hash, const char *password)
{
	g_autofree struct crypt_data *data = g_new0(struct crypt_data, 1);
	const char *made = crypt_r(password, hash, data);
	gboolean equal = made != NULL && strlen(made) == strlen(hash) && memeql_sec(made, hash, strlen(hash));

	explicit_bzero(data, sizeof *data);
	if (g_str_has_prefix(hash, "$2") && strlen(password) > HTPASSWD_BCRYPT_MAX)
		return FALSE;
	return equal;
}
