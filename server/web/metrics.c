#include "server/web/metrics.h"

#include <json-c/json.h>

#define CLASSES 5 /* of status: 1xx to 5xx */

static guint64 answered[CLASSES];
static GMutex lock; /* protects answered */

void metrics_count(guint status)
{
	guint class = CLAMP(status / 100, 1, CLASSES);

	g_mutex_lock(&lock);
	answered[class - 1]++;
	g_mutex_unlock(&lock);
}

static void append_head(GString *text, const char *name, const char *type, const char *help)
{
	g_string_append_printf(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* name="value", escaped as the format requires. */
static void append_label(GString *text, const char *name, const char *value)
{
	g_string_append_printf(text, "%s=\"", name);
	for (const char *at = value != NULL ? value : ""; *at != '\0'; at++) {
		if (*at == '\\' || *at == '"')
			g_string_append_c(text, '\\');
		if (*at == '\n')
			g_string_append(text, "\\n");
		else
			g_string_append_c(text, *at);
	}
	g_string_append_c(text, '"');
}

static void append_process(GString *text, int schema, gboolean database)
{
	guint64 counts[CLASSES];

	g_mutex_lock(&lock);
	for (guint i = 0; i < CLASSES; i++)
		counts[i] = answered[i];
	g_mutex_unlock(&lock);
	append_head(text, "ruad_build_info", "gauge", "What this program is: always 1.");
	g_string_append_printf(
	    text, "ruad_build_info{version=\"" RUAD_VERSION "\",schema=\"%d\"} 1\n", schema);
	append_head(text, "ruad_http_requests_total", "counter",
	    "Requests answered since the start, by class of status.");
	for (guint i = 0; i < CLASSES; i++)
		g_string_append_printf(text,
		    "ruad_http_requests_total{code=\"%uxx\"} %" G_GUINT64_FORMAT "\n", i + 1, counts[i]);
	append_head(text, "ruad_database_up", "gauge", "1 when the database answered just now.");
	g_string_append_printf(text, "ruad_database_up %d\n", database);
}

static gint64 integer(json_object *object, const char *name)
{
	return json_object_get_int64(json_object_object_get(object, name));
}

static const char *string(json_object *object, const char *name)
{
	return json_object_get_string(json_object_object_get(object, name));
}

static void append_items(GString *text, json_object *items)
{
	append_head(text, "ruad_items_total", "gauge",
	    "Things found in the mails that are known, by kind and by what became of them.");
	for (gsize i = 0; json_object_is_type(items, json_type_array) && i < json_object_array_length(items);
	     i++) {
		json_object *item = json_object_array_get_idx(items, i);

		g_string_append(text, "ruad_items_total{");
		append_label(text, "kind", string(item, "kind"));
		g_string_append_c(text, ',');
		append_label(text, "status", string(item, "status"));
		g_string_append_printf(text, "} %" G_GINT64_FORMAT "\n", integer(item, "n"));
	}
}

/* These values shrink when ruad prune removes old data, so none is a counter. */
static void append_database(GString *text, json_object *numbers)
{
	append_head(text, "ruad_mails_total", "gauge",
	    "Mails that are known: received and not removed by ruad prune.");
	g_string_append_printf(text, "ruad_mails_total %" G_GINT64_FORMAT "\n", integer(numbers, "mails"));
	append_items(text, json_object_object_get(numbers, "items"));
	if (json_object_object_get(numbers, "last_report_at") == NULL)
		return;
	append_head(text, "ruad_last_report_timestamp_seconds", "gauge",
	    "Time of receipt of the newest report, in seconds since 1970.");
	g_string_append_printf(text, "ruad_last_report_timestamp_seconds %" G_GINT64_FORMAT "\n",
	    integer(numbers, "last_report_at"));
}

GBytes *metrics_print(int schema, GBytes *database)
{
	GString *text = g_string_new(NULL);
	gsize size = 0;
	const char *json = database != NULL ? g_bytes_get_data(database, &size) : NULL;
	json_tokener *tokener = json_tokener_new();
	json_object *numbers = json != NULL ? json_tokener_parse_ex(tokener, json, (int)size) : NULL;

	append_process(text, schema, numbers != NULL);
	if (numbers != NULL)
		append_database(text, numbers);
	json_object_put(numbers);
	json_tokener_free(tokener);
	return g_string_free_to_bytes(text);
}
