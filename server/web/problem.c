#include "server/web/problem.h"

#include <json-c/json.h>
#include <string.h>

#define TEXT_MAX 200 /* bytes of a string from a client */

static const struct {
	guint status;
	const char *phrase;
} phrases[] = {
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 411, "Length Required" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 421, "Misdirected Request" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 503, "Service Unavailable" },
};

static const char *phrase(guint status)
{
	for (gsize i = 0; i < G_N_ELEMENTS(phrases); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	g_assert_not_reached();
}

void problem_clear(struct problem *problem)
{
	g_free(problem->detail);
	if (problem->invalid != NULL)
		g_ptr_array_unref(problem->invalid);
	memset(problem, 0, sizeof *problem);
}

void problem_set(struct problem *problem, guint status, const char *format, ...)
{
	va_list args;

	g_free(problem->detail);
	problem->status = status;
	va_start(args, format);
	problem->detail = g_strdup_vprintf(format, args);
	va_end(args);
}

void problem_add_invalid(struct problem *problem, const char *name, const char *format, ...)
{
	va_list args;

	if (problem->invalid == NULL)
		problem->invalid = g_ptr_array_new_with_free_func(g_free);
	g_ptr_array_add(problem->invalid, g_strdup(name));
	va_start(args, format);
	g_ptr_array_add(problem->invalid, g_strdup_vprintf(format, args));
	va_end(args);
}

void problem_conclude(struct problem *problem)
{
	if (problem->status != 0)
		return;
	if (problem->invalid->len == 2)
		problem_set(problem, 400, "parameter \"%s\" %s",
		    (const char *)g_ptr_array_index(problem->invalid, 0),
		    (const char *)g_ptr_array_index(problem->invalid, 1));
	else
		problem_set(problem, 400, "%u parameters are invalid", problem->invalid->len / 2);
}

/* text as a JSON string, truncated at the end of a character. */
static json_object *string(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	gsize size = strlen(valid);

	if (size > TEXT_MAX)
		size = (gsize)(g_utf8_find_prev_char(valid, valid + TEXT_MAX + 1) - valid);
	return json_object_new_string_len(valid, (int)size);
}

static json_object *invalid_params(const GPtrArray *invalid)
{
	json_object *list = json_object_new_array();

	for (guint i = 0; i + 1 < invalid->len; i += 2) {
		json_object *item = json_object_new_object();

		json_object_object_add(item, "name", string(g_ptr_array_index(invalid, i)));
		json_object_object_add(item, "reason", string(g_ptr_array_index(invalid, i + 1)));
		json_object_array_add(list, item);
	}
	return list;
}

GBytes *problem_print(const struct problem *problem)
{
	json_object *document = json_object_new_object();
	const char *text;
	gsize size;
	GBytes *bytes;

	json_object_object_add(document, "type", json_object_new_string("about:blank"));
	json_object_object_add(document, "title", json_object_new_string(phrase(problem->status)));
	json_object_object_add(document, "status", json_object_new_int((int)problem->status));
	if (problem->detail != NULL)
		json_object_object_add(document, "detail", string(problem->detail));
	if (problem->invalid != NULL)
		json_object_object_add(document, "invalid_params", invalid_params(problem->invalid));
	text = json_object_to_json_string_length(
	    document, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &size);
	bytes = g_bytes_new(text, size);
	json_object_put(document);
	return bytes;
}
