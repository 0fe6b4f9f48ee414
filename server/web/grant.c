#include "server/web/grant.h"

#include <json-c/json.h>
#include <string.h>

#include "parser/error.h"

static const char *const roles[] = { NULL, "viewer", "editor", "admin" }; /* of enum grant_role */

static enum grant_role role_of(const char *word)
{
	for (guint i = GRANT_VIEWER; i < G_N_ELEMENTS(roles); i++)
		if (g_strcmp0(roles[i], word) == 0)
			return (enum grant_role)i;
	return GRANT_NONE;
}

/* The texts of an array, transfer full. */
static char **texts_of(json_object *array)
{
	GStrvBuilder *builder = g_strv_builder_new();
	gsize n = json_object_array_length(array);
	char **texts;

	for (gsize i = 0; i < n; i++)
		g_strv_builder_add(builder, json_object_get_string(json_object_array_get_idx(array, i)));
	texts = g_strv_builder_end(builder);
	g_strv_builder_unref(builder);
	return texts;
}

/* Returns FALSE if object is not a grant. */
static gboolean read_object(json_object *object, struct grant *grant)
{
	json_object *role = NULL;
	json_object *domains = NULL;

	if (!json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, "role", &role) ||
	    !json_object_object_get_ex(object, "domains", &domains))
		return FALSE;
	grant->role = role_of(json_object_get_string(role));
	if (json_object_is_type(domains, json_type_array))
		grant->domains = texts_of(domains);
	return grant->role != GRANT_NONE && (domains == NULL || grant->domains != NULL);
}

gboolean grant_read(GBytes *document, struct grant *grant, GError **error)
{
	json_tokener *tokener;
	json_object *object;
	gsize size;
	const char *text;
	gboolean good;

	*grant = (struct grant){ GRANT_NONE, NULL };
	if (document == NULL)
		return TRUE;
	tokener = json_tokener_new();
	text = g_bytes_get_data(document, &size);
	object = json_tokener_parse_ex(tokener, text, (int)size);
	good = read_object(object, grant);
	json_object_put(object);
	json_tokener_free(tokener);
	if (!good) {
		grant_clear(grant);
		g_set_error_literal(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "the grant of the user is invalid");
	}
	return good;
}

void grant_clear(struct grant *grant)
{
	g_clear_pointer(&grant->domains, g_strfreev);
	grant->role = GRANT_NONE;
}

gboolean grant_is_limited(const struct grant *grant)
{
	return grant->domains != NULL;
}

gboolean grant_edits(const struct grant *grant, gboolean is_editor)
{
	return grant->role == GRANT_NONE ? is_editor : grant->role >= GRANT_EDITOR;
}
