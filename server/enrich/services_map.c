#include "server/enrich/services_map.h"

#include <json-c/json.h>
#include <string.h>

#include "parser/error.h"
#include "server/dns/dns.h"

#define HEADING       "base_reverse_dns,name,type"
#define COLUMNS       3
#define KEY_SIZE_MAX  60  /* bytes of a service's key */
#define NAME_SIZE_MAX 200 /* bytes of its name */

/* Types of the map, in lower case, that send mail for others or lend hosts to others. */
static const struct {
	const char *theirs, *ours;
} types[] = {
	{ "email provider", "mailbox" },
	{ "email security", "security" },
	{ "iaas", "hosting" },
	{ "isp", "hosting" },
	{ "marketing", "marketing" },
	{ "msp", "hosting" },
	{ "mssp", "hosting" },
	{ "paas", "hosting" },
	{ "saas", "business" },
	{ "social media", "social" },
	{ "web host", "hosting" },
};

struct map {
	GHashTable *keys;    /* lower-case name of one of ruad's services, or its key: its JSON, borrowed */
	GHashTable *rules;   /* rdns values of ruad's own list */
	GHashTable *objects; /* key: the JSON of a service in list, borrowed */
	json_object *list;
};

gboolean services_map_is(const char *text)
{
	gsize size = strlen(HEADING);

	if (g_str_has_prefix(text, "\xef\xbb\xbf"))
		text += 3;
	return strncmp(text, HEADING, size) == 0 &&
	       (text[size] == '\n' || text[size] == '\r' || text[size] == '\0');
}

/* -- rows -- */

/* One field, transfer full, with *at at its end: a comma, a line's end or the end. NULL if a quote does not
 * end. */
static char *read_field(const char **at)
{
	GString *field = g_string_new(NULL);
	const char *c = *at;
	gboolean quoted = *c == '"';

	for (c += quoted; *c != '\0'; c++) {
		if (quoted && c[0] == '"' && c[1] == '"')
			c++;
		else if (quoted ? *c == '"' : strchr(",\r\n", *c) != NULL)
			break;
		g_string_append_c(field, *c);
	}
	if (quoted && *c != '"') {
		g_string_free(field, TRUE);
		return NULL;
	}
	*at = c + quoted;
	return g_string_free(field, FALSE);
}

/* The fields of a row, with *at behind its line's end; NULL with wrong set. */
static char **read_row(const char **at, const char **wrong)
{
	g_auto(GStrv) fields = g_new0(char *, COLUMNS + 1);

	for (guint i = 0; i < COLUMNS; i++) {
		if (i > 0 && *(*at)++ != ',') {
			*wrong = "less than three columns";
			return NULL;
		}
		fields[i] = read_field(at);
		if (fields[i] == NULL) {
			*wrong = "a quote that does not end";
			return NULL;
		}
	}
	if (**at != '\0' && strchr("\r\n", **at) == NULL) {
		*wrong = "more than three columns";
		return NULL;
	}
	*at += strspn(*at, "\r\n");
	return g_steal_pointer(&fields);
}

/* -- services -- */

static const char *type_of(const char *theirs)
{
	g_autofree char *lower = g_ascii_strdown(theirs, -1);

	for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
		if (g_str_equal(types[i].theirs, lower))
			return types[i].ours;
	return "organisation";
}

/* "Acme Mail & Co." is "acme-mail-co"; transfer full, "" if nothing is left. */
static char *key_of(const char *name)
{
	GString *key = g_string_new(NULL);

	for (const char *c = name; *c != '\0' && key->len < KEY_SIZE_MAX; c++)
		if (g_ascii_isalnum(*c))
			g_string_append_c(key, g_ascii_tolower(*c));
		else if (key->len > 0 && key->str[key->len - 1] != '-')
			g_string_append_c(key, '-');
	while (key->len > 0 && key->str[key->len - 1] == '-')
		g_string_truncate(key, key->len - 1);
	return g_string_free(key, FALSE);
}

static const char *member(json_object *object, const char *name)
{
	return json_object_get_string(json_object_object_get(object, name));
}

/* A service of the map that ruad's own list lacks. */
static json_object *new_service(const char *key, const char *name, const char *type)
{
	json_object *object = json_object_new_object();

	json_object_object_add(object, "key", json_object_new_string(key));
	json_object_object_add(object, "name", json_object_new_string(name));
	json_object_object_add(object, "type", json_object_new_string(type_of(type)));
	json_object_object_add(object, "rdns", json_object_new_array());
	return object;
}

/* The service of a row: one of ruad's own, one of an earlier row, or a new one; NULL if its name gives no
 * key. */
static json_object *service_of(struct map *map, const char *name, const char *type)
{
	g_autofree char *key = key_of(name);
	json_object *own = g_hash_table_lookup(map->keys, key);
	json_object *object = NULL;

	if (own != NULL) {
		g_free(key);
		key = g_strdup(member(own, "key"));
	}
	object = g_hash_table_lookup(map->objects, key);
	if (object != NULL || *key == '\0' || strlen(name) > NAME_SIZE_MAX)
		return object;
	if (own == NULL || json_object_deep_copy(own, &object, NULL) != 0)
		object = new_service(key, name, type);
	json_object_array_add(map->list, object);
	g_hash_table_insert(map->objects, g_steal_pointer(&key), object);
	return object;
}

static void add_row(struct map *map, char **fields)
{
	g_autofree char *domain = g_ascii_strdown(fields[0], -1);
	json_object *service;

	if (!dns_name_is_host(domain) || strchr(domain, '.') == NULL ||
	    g_hash_table_contains(map->rules, domain))
		return;
	service = service_of(map, fields[1], fields[2]);
	if (service == NULL)
		return;
	json_object_array_add(json_object_object_get(service, "rdns"), json_object_new_string(domain));
	g_hash_table_add(map->rules, g_steal_pointer(&domain));
}

/* -- the map -- */

/* Index ruad's own list by key, by what a name of the map would give, and by reverse names. */
static void index_own(struct map *map, json_object *own)
{
	for (gsize i = 0; i < json_object_array_length(own); i++) {
		json_object *service = json_object_array_get_idx(own, i);
		json_object *rdns = json_object_object_get(service, "rdns");

		g_hash_table_insert(map->keys, g_strdup(member(service, "key")), service);
		g_hash_table_insert(map->keys, key_of(member(service, "name")), service);
		for (gsize r = 0; r < json_object_array_length(rdns); r++)
			g_hash_table_add(
			    map->rules, g_strdup(json_object_get_string(json_object_array_get_idx(rdns, r))));
	}
}

static gboolean read_rows(struct map *map, const char *text, const char *where, GError **error)
{
	const char *at = strchr(text, '\n');

	at = at != NULL ? at + strspn(at, "\r\n") : "";
	for (guint line = 2; *at != '\0'; line++) {
		const char *wrong = NULL;
		g_auto(GStrv) fields = read_row(&at, &wrong);

		if (fields == NULL) {
			g_set_error(
			    error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "%s: row %u: %s", where, line, wrong);
			return FALSE;
		}
		add_row(map, fields);
	}
	return TRUE;
}

char *services_map_read(const char *text, const char *own, const char *where, GError **error)
{
	json_object *services = json_tokener_parse(own);
	struct map map = {
		.keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
		.rules = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
		.objects = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
		.list = json_object_new_array(),
	};
	char *json = NULL;

	index_own(&map, services);
	if (!g_utf8_validate(text, -1, NULL))
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "%s: is not UTF-8", where);
	else if (read_rows(&map, text, where, error))
		json = g_strdup(json_object_to_json_string_ext(map.list, JSON_C_TO_STRING_PLAIN));
	json_object_put(map.list);
	g_hash_table_unref(map.objects);
	g_hash_table_unref(map.rules);
	g_hash_table_unref(map.keys);
	json_object_put(services);
	return json;
}
