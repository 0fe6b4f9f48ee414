#include "server/digest/digest.h"

#include <json-c/json.h>

#include "parser/error.h"
#include "server/digest/content.h"
#include "server/digest/html.h"
#include "server/digest/plain_text.h"

#define ASK                                                                                                  \
	"SELECT api.digest($1::text, $2::date, "                                                             \
	"CASE WHEN $3::json IS NOT NULL THEN ARRAY(SELECT json_array_elements_text($3::json)) END, "         \
	"$4::text) FROM api.gate"

struct digest {
	struct content *content;
};

/* The names as a JSON array, as which they need no quoting of ours; NULL if there are none. Transfer full. */
static char *array_of(const char *const *names)
{
	struct json_object *array;
	char *text;

	if (names == NULL)
		return NULL;
	array = json_object_new_array();
	for (; *names != NULL; names++)
		json_object_array_add(array, json_object_new_string(*names));
	text = g_strdup(json_object_to_json_string(array));
	json_object_put(array);
	return text;
}

struct digest *digest_fetch(struct db *db, const struct digest_wish *wish, GError **error)
{
	g_autofree char *domains = array_of(wish->domains);
	const struct db_value params[] = { DB_TEXT(wish->period), DB_TEXT(wish->until), DB_TEXT(domains),
		DB_TEXT(wish->user) };
	struct db_rows *rows = db_query(db, ASK, params, G_N_ELEMENTS(params), error);
	struct digest *digest;

	if (rows == NULL)
		return NULL;
	digest = digest_read(db_rows_get(rows, 0, 0), error);
	db_rows_free(rows);
	return digest;
}

struct digest *digest_read(const char *answer, GError **error)
{
	struct json_object *object = json_tokener_parse(answer);
	struct digest *digest;

	if (!json_object_is_type(object, json_type_object)) {
		json_object_put(object);
		g_set_error(
		    error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "the answer of api.digest() is not an object");
		return NULL;
	}
	digest = g_new0(struct digest, 1);
	digest->content = content_new(object);
	json_object_put(object);
	return digest;
}

void digest_free(struct digest *digest)
{
	if (digest == NULL)
		return;
	content_free(digest->content);
	g_free(digest);
}

char *digest_text(const struct digest *digest)
{
	return plain_text_print(digest->content);
}

char *digest_html(const struct digest *digest)
{
	return html_print(digest->content, NULL);
}

GBytes *digest_message(const struct digest *digest, const struct mime_envelope *envelope, GError **error)
{
	return mime_print(digest->content, envelope, error);
}
