#include "server/web/label.h"

#include <json-c/json.h>
#include <string.h>

#include "parser/jsontext.h"
#include "server/web/origin.h"

#define DEPTH_MAX 3 /* of the JSON: an object, and one level more for good error messages */

static const char *const labels[] = { "mine", "forwarder", "not_mine", NULL };

static gboolean is_json(const char *content_type)
{
	static const char json[] = "application/json";
	gsize size = content_type != NULL ? strcspn(content_type, "; \t") : 0;

	return size == strlen(json) && g_ascii_strncasecmp(content_type, json, size) == 0;
}

/* Check whether the body may be read at all. */
static gboolean may_be_read(const struct http_request *request, struct problem *problem)
{
	if (!origin_is_ours(request))
		problem_set(problem, 403, "a request from another site must not set a label");
	else if (request->body == HTTP_BODY_LARGE)
		problem_set(problem, 413, "the body is larger than %d bytes", HTTP_BODY_MAX);
	else if (request->body == HTTP_BODY_UNMEASURED)
		problem_set(problem, 411, "exactly one Content-Length must give the size of the body");
	else if (!is_json(request->content_type))
		problem_set(problem, 415, "the body must be application/json");
	return problem->status == 0;
}

/* -- content -- */

static gboolean is_blank(const char *text, gsize size)
{
	while (size > 0 && g_ascii_isspace(text[size - 1]))
		size--;
	return size == 0;
}

/* The object that the body is, or NULL. */
static json_object *parse(GBytes *content)
{
	json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	gsize size = 0;
	const char *text = content != NULL ? g_bytes_get_data(content, &size) : "";
	g_autoptr(GString) ascii = jsontext_ascii(text, size);
	json_object *object;
	gsize end;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, ascii->str, (int)ascii->len);
	end = json_tokener_get_parse_end(tokener);
	if (!json_object_is_type(object, json_type_object) || !is_blank(ascii->str + end, ascii->len - end)) {
		json_object_put(object);
		object = NULL;
	}
	json_tokener_free(tokener);
	return object;
}

static void read_label(json_object *value, char **label, struct problem *problem)
{
	if (value == NULL)
		return;
	if (!json_object_is_type(value, json_type_string) ||
	    !g_strv_contains(labels, json_object_get_string(value)))
		problem_add_invalid(problem, "label", "must be mine, forwarder, not_mine or null");
	else
		*label = g_strdup(json_object_get_string(value));
}

/* Line feeds are the only control characters that users type on purpose. */
static gboolean is_text(const char *text, gsize size)
{
	if (strlen(text) != size || g_utf8_strlen(text, -1) > LABEL_NOTE_MAX)
		return FALSE;
	for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at))
		if (*at != '\n' && g_unichar_iscntrl(g_utf8_get_char(at)))
			return FALSE;
	return TRUE;
}

static void read_note(json_object *value, char **note, struct problem *problem)
{
	if (value == NULL)
		return;
	if (!json_object_is_type(value, json_type_string) ||
	    !is_text(json_object_get_string(value), (gsize)json_object_get_string_len(value)))
		problem_add_invalid(problem, "note",
		    "must be null or a text of at most %d characters without control characters",
		    LABEL_NOTE_MAX);
	else if (json_object_get_string_len(value) > 0)
		*note = g_strdup(json_object_get_string(value));
}

static void read_members(json_object *object, char **label, char **note, struct problem *problem)
{
	if (!json_object_object_get_ex(object, "label", NULL))
		problem_add_invalid(problem, "label", "is required");
	json_object_object_foreach(object, name, value)
	{
		if (strcmp(name, "label") == 0)
			read_label(value, label, problem);
		else if (strcmp(name, "note") == 0)
			read_note(value, note, problem);
		else
			problem_add_invalid(problem, name, "is not a member of a label");
	}
}

gboolean label_read(const struct http_request *request, char **label, char **note, struct problem *problem)
{
	g_autofree char *found_label = NULL;
	g_autofree char *found_note = NULL;
	json_object *object;

	if (!may_be_read(request, problem))
		return FALSE;
	object = parse(request->content);
	if (object == NULL) {
		problem_set(problem, 400, "the body must be one JSON object with \"label\" and \"note\"");
		return FALSE;
	}
	read_members(object, &found_label, &found_note, problem);
	json_object_put(object);
	if (problem->invalid != NULL) {
		problem_conclude(problem);
		return FALSE;
	}
	*label = g_steal_pointer(&found_label);
	*note = g_steal_pointer(&found_note);
	return TRUE;
}
