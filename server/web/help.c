#include "server/web/help.h"

#include <json-c/json.h>
#include <string.h>

/* Set once by help_init(). */
static char *lmtp_options;

void help_init(const char *lmtp)
{
	g_assert(lmtp_options == NULL);
	if (lmtp == NULL)
		return;
	if (g_str_has_prefix(lmtp, "unix:"))
		lmtp_options = g_strconcat("--socket ", lmtp + strlen("unix:"), NULL);
	else
		lmtp_options = g_strconcat("--server ", lmtp, NULL);
}

/* As a person types it. Transfer full. */
static char *psql_command(const char *database)
{
	g_autofree char *quoted = NULL;

	if (database == NULL)
		return g_strdup("psql");
	if (strpbrk(database, "\"\\$`!") == NULL)
		return g_strdup_printf("psql \"%s\"", database);
	quoted = g_shell_quote(database);
	return g_strconcat("psql ", quoted, NULL);
}

/* Replace the blank in each sample. */
static void fill_samples(json_object *samples)
{
	gsize n = json_object_is_type(samples, json_type_array) ? json_object_array_length(samples) : 0;

	for (gsize i = 0; i < n && lmtp_options != NULL; i++) {
		json_object *sample = json_object_array_get_idx(samples, i);
		const char *text = json_object_get_string(json_object_object_get(sample, "text"));
		g_autoptr(GString) filled = g_string_new(text);

		if (g_string_replace(filled, "{lmtp}", lmtp_options, 0) > 0)
			json_object_object_add(sample, "text", json_object_new_string(filled->str));
	}
}

static json_object *parse(GBytes *document)
{
	json_tokener *tokener = json_tokener_new();
	gsize size;
	const char *text = g_bytes_get_data(document, &size);
	json_object *object = json_tokener_parse_ex(tokener, text, (int)size);

	json_tokener_free(tokener);
	return object;
}

static GBytes *print(json_object *object)
{
	size_t size;
	const char *text = json_object_to_json_string_length(
	    object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &size);

	return g_bytes_new(text, size);
}

GBytes *help_print(GBytes *texts, GBytes *document, const char *database)
{
	g_autofree char *psql = psql_command(database);
	json_object *help = parse(texts);
	json_object *added = parse(document);
	GBytes *printed;

	if (json_object_is_type(added, json_type_object)) {
		fill_samples(json_object_object_get(added, "onboarding_samples"));
		json_object_object_add(added, "psql", json_object_new_string(psql));
		json_object_object_foreach(added, name, value)
		{
			json_object_object_add(help, name, json_object_get(value));
		}
	}
	printed = print(help);
	json_object_put(added);
	json_object_put(help);
	return printed;
}
