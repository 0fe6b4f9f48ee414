#include "server/notify/server.h"

#include <json-c/json.h>

#define MIB (G_GUINT64_CONSTANT(1) << 20)

/* Add a condition; kind is its key, too. */
static void add(json_object *array, const char *kind, guint level, const char *title, const char *evidence,
    const char *action)
{
	json_object *object = json_object_new_object();

	json_object_object_add(object, "key", json_object_new_string(kind));
	json_object_object_add(object, "kind", json_object_new_string(kind));
	json_object_object_add(object, "level", json_object_new_int((int)level));
	json_object_object_add(object, "severity", json_object_new_string(level > 1 ? "error" : "warning"));
	json_object_object_add(object, "title", json_object_new_string(title));
	json_object_object_add(object, "evidence", json_object_new_string(evidence));
	json_object_object_add(object, "action", json_object_new_string(action));
	json_object_array_add(array, object);
}

guint server_disk_level(const struct server_watch *watch, const struct disk *disk)
{
	if (disk->read_only || disk->available < watch->min_free)
		return 2;
	return disk->available < MAX(2 * watch->min_free, watch->min_free_raw) ? 1 : 0;
}

static void add_disk(json_object *array, const struct server_watch *watch)
{
	g_autofree char *evidence = NULL;
	struct disk disk;
	guint level;

	if (watch->storage == NULL || !disk_ask(watch->storage, &disk, NULL))
		return;
	level = server_disk_level(watch, &disk);
	if (level == 0)
		return;
	evidence = disk.read_only
		       ? g_strdup_printf("The disk of %s can only be read.", watch->storage)
		       : g_strdup_printf("The disk of %s has %" G_GUINT64_FORMAT
					 " MiB left; ruad is not ready with less than %" G_GUINT64_FORMAT
					 " MiB (server.min_free).",
			     watch->storage, disk.available / MIB, watch->min_free / MIB);
	add(array, "disk", level, level > 1 ? "The disk is full" : "The disk is nearly full", evidence,
	    "Make room on the disk, move server.state_dir, or lower [retention].");
}

static void add_intake(json_object *array, const struct server_watch *watch)
{
	gint64 seconds = vitals_failing(watch->vitals);
	g_autofree char *evidence = NULL;

	if (seconds < SERVER_FAILING)
		return;
	evidence = g_strdup_printf(
	    "No mail could be stored for %" G_GINT64_FORMAT " s; the mail server keeps it.", seconds);
	add(array, "intake", 2, "Mail is not stored", evidence,
	    "ruad-ingest logs the cause: see the log of ruad.");
}

char *server_conditions(const struct server_watch *watch)
{
	json_object *array = json_object_new_array();
	char *text;

	add_disk(array, watch);
	add_intake(array, watch);
	text = g_strdup(json_object_to_json_string_ext(array, JSON_C_TO_STRING_PLAIN));
	json_object_put(array);
	return text;
}
