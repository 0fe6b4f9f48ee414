#include "server/enrich/services_file.h"

#include "parser/error.h"
#include "server/common/file.h"
#include "server/enrich/services.h"
#include "server/enrich/services_map.h"

/* The services of a file's text as JSON, transfer full: an INI file, or a map in CSV. */
static char *services_in(const char *text, const char *path, GError **error)
{
	g_autofree char *own = NULL;

	if (!services_map_is(text))
		return services_read(text, path, error);
	own = services_read(services_own, "ruad's services.ini", error);
	return own != NULL ? services_map_read(text, own, path, error) : NULL;
}

/* The services in the file at path as JSON, transfer full; "[]" if path is "". */
static char *services_of(const char *path, GError **error)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) cause = NULL;

	if (*path == '\0')
		return g_strdup("[]");
	if (g_file_get_contents(path, &text, NULL, &cause))
		return services_in(text, path, error);
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "enrich.services: %s", cause->message);
	return NULL;
}

gboolean services_file_refresh(struct services_file *file, gboolean *is_new, GError **error)
{
	struct stat now = { 0 };
	char *json;

	*is_new = FALSE;
	if (stat(file->path, &now) != 0)
		now = (struct stat){ 0 };
	if (file->json != NULL && file_is_same(&now, &file->seen))
		return TRUE;
	file->seen = now;
	json = services_of(file->path, error);
	if (json == NULL)
		return FALSE;
	g_free(file->json);
	file->json = json;
	*is_new = TRUE;
	return TRUE;
}

void services_file_clear(struct services_file *file)
{
	g_clear_pointer(&file->json, g_free);
}
