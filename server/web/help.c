#include "server/web/help.h"

#include <json-c/json.h>

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

GBytes *help_print(GBytes *texts, GBytes *document)
{
	json_object *help = parse(texts);
	json_object *added = parse(document);
	GBytes *printed;

	if (json_object_is_type(added, json_type_object)) {
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
