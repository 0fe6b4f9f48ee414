#include "server/enrich/services.h"

#include <json-c/json.h>
#include <string.h>

#include "parser/error.h"
#include "server/dns/dns.h"

#define SETUP_MAX 300 /* bytes */

static const char *const rules[] = { "rdns", "spf", "dkim", "asn" };
static const char *const known[] = { "name", "type", "rdns", "spf", "dkim", "asn", "switch", "records",
	"aligns", "manual", NULL };

/* Returns whether word consists of lower-case letters, digits and characters in others. */
static gboolean is_made_of(const char *word, const char *others)
{
	for (const char *c = word; *c != '\0'; c++)
		if (!g_ascii_islower(*c) && !g_ascii_isdigit(*c) && strchr(others, *c) == NULL)
			return FALSE;
	return *word != '\0';
}

static gboolean is_asn(const char *word)
{
	return g_ascii_string_to_unsigned(word, 10, 0, G_MAXUINT32, NULL, NULL) &&
	       (*word != '0' || word[1] == '\0');
}

/* A top-level domain would match far too many names. */
static gboolean is_domain(const char *word)
{
	return dns_name_is_host(word) && strchr(word, '.') != NULL;
}

/* The values of one rule, or NULL with error set; an absent rule has none. */
static json_object *read_rule(GKeyFile *file, const char *service, const char *rule, GError **error)
{
	g_autofree char *value = g_key_file_get_value(file, service, rule, NULL);
	g_auto(GStrv) words = g_strsplit_set(value != NULL ? value : "", " \t,", -1);
	gboolean is_number = g_str_equal(rule, "asn");
	json_object *list = json_object_new_array();

	for (gsize i = 0; words[i] != NULL; i++) {
		g_autofree char *word = g_ascii_strdown(words[i], -1);

		if (*word == '\0')
			continue;
		if (is_number ? !is_asn(word) : !is_domain(word)) {
			g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "[%s] %s: \"%s\" is not %s",
			    service, rule, words[i],
			    is_number ? "the number of an autonomous system"
				      : "a domain below a top-level domain");
			json_object_put(list);
			return NULL;
		}
		json_object_array_add(list, json_object_new_string(word));
	}
	return list;
}

/* The value of a required key, transfer full. */
static char *read_needed(GKeyFile *file, const char *service, const char *key, GError **error)
{
	char *value = g_key_file_get_string(file, service, key, NULL);

	if (value != NULL && *value != '\0' && g_utf8_validate(value, -1, NULL))
		return value;
	g_free(value);
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "[%s] %s: missing", service, key);
	return NULL;
}

static gboolean keys_are_known(GKeyFile *file, const char *service, GError **error)
{
	g_auto(GStrv) keys = g_key_file_get_keys(file, service, NULL, NULL);

	for (gsize i = 0; keys != NULL && keys[i] != NULL; i++)
		if (!g_strv_contains(known, keys[i])) {
			g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
			    "[%s] %s: unknown key; known are name, type, rdns, spf, dkim, asn, "
			    "switch, records, aligns, manual",
			    service, keys[i]);
			return FALSE;
		}
	return TRUE;
}

static gboolean add_rules(GKeyFile *file, const char *service, json_object *object, GError **error)
{
	gsize n = 0;

	for (gsize i = 0; i < G_N_ELEMENTS(rules); i++) {
		json_object *list = read_rule(file, service, rules[i], error);

		if (list == NULL)
			return FALSE;
		n += json_object_array_length(list);
		json_object_object_add(object, rules[i], list);
	}
	if (n > 0)
		return TRUE;
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
	    "[%s]: no rule; at least one of rdns, spf, dkim, asn is needed", service);
	return FALSE;
}

/* Returns whether value is dkim, spf or both, separated by a blank. */
static gboolean is_alignment(const char *value)
{
	static const char *const alignments[] = { "dkim", "spf", "dkim spf", NULL };

	return g_strv_contains(alignments, value);
}

/* Add one member of what makes mail pass; an absent one is left out. */
static gboolean add_setup_member(
    GKeyFile *file, const char *service, const char *key, json_object *setup, GError **error)
{
	g_autofree char *value = g_key_file_get_string(file, service, key, NULL);
	const char *wrong = NULL;

	if (value == NULL)
		return TRUE;
	if (*value == '\0' || strlen(value) > SETUP_MAX || !g_utf8_validate(value, -1, NULL))
		wrong = "a text of 1 to " G_STRINGIFY(SETUP_MAX) " bytes";
	else if (g_str_equal(key, "manual") && !g_str_has_prefix(value, "https://"))
		wrong = "an address that begins with https://";
	else if (g_str_equal(key, "aligns") && !is_alignment(value))
		wrong = "dkim, spf or dkim spf";
	if (wrong != NULL) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "[%s] %s: is not %s", service, key, wrong);
		return FALSE;
	}
	json_object_object_add(setup, key, json_object_new_string(value));
	return TRUE;
}

/* Add what makes mail of the service pass, if the file says where its settings have it. */
static gboolean add_setup(GKeyFile *file, const char *service, json_object *object, GError **error)
{
	static const char *const keys[] = { "switch", "records", "aligns", "manual" };
	json_object *setup = json_object_new_object();
	gboolean good = TRUE;

	for (gsize i = 0; good && i < G_N_ELEMENTS(keys); i++)
		good = add_setup_member(file, service, keys[i], setup, error);
	if (good && json_object_object_length(setup) > 0 &&
	    !json_object_object_get_ex(setup, "switch", NULL)) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
		    "[%s] switch: missing; records, aligns and manual go with it", service);
		good = FALSE;
	}
	if (good && json_object_object_length(setup) > 0)
		json_object_object_add(object, "setup", setup);
	else
		json_object_put(setup);
	return good;
}

/* One service, or NULL with error set. */
static json_object *read_service(GKeyFile *file, const char *service, GError **error)
{
	g_autofree char *name = NULL;
	g_autofree char *type = NULL;
	json_object *object;

	if (!is_made_of(service, "-") || *service == '-') {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
		    "[%s]: a service's key is made of a-z, 0-9 and -", service);
		return NULL;
	}
	if (!keys_are_known(file, service, error) ||
	    (name = read_needed(file, service, "name", error)) == NULL ||
	    (type = read_needed(file, service, "type", error)) == NULL)
		return NULL;
	for (const char *c = type; *c != '\0'; c++)
		if (!g_ascii_islower(*c) && *c != '_') {
			g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
			    "[%s] type: \"%s\" is not one word of a-z and _", service, type);
			return NULL;
		}
	object = json_object_new_object();
	json_object_object_add(object, "key", json_object_new_string(service));
	json_object_object_add(object, "name", json_object_new_string(name));
	json_object_object_add(object, "type", json_object_new_string(type));
	if (!add_setup(file, service, object, error) || !add_rules(file, service, object, error)) {
		json_object_put(object);
		return NULL;
	}
	return object;
}

char *services_read(const char *text, const char *where, GError **error)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autoptr(GError) cause = NULL;
	g_auto(GStrv) names = NULL;
	json_object *list = json_object_new_array();
	char *json = NULL;

	if (g_key_file_load_from_data(file, text, strlen(text), G_KEY_FILE_NONE, &cause)) {
		names = g_key_file_get_groups(file, NULL);
		for (gsize i = 0; names[i] != NULL; i++) {
			json_object *service = read_service(file, names[i], &cause);

			if (service == NULL)
				break;
			json_object_array_add(list, service);
		}
	}
	if (cause == NULL)
		json = g_strdup(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN));
	else
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "%s: %s", where, cause->message);
	json_object_put(list);
	return json;
}
