/*
 * services_file.h - the administrator's list of services, as JSON, read again when its file changes.
 *
 * services.h has the form of the file. Knows no database.
 */
#pragma once

#include <glib.h>
#include <sys/stat.h>

struct services_file {
	const char *path; /* borrowed; "": there is no file, and the list is empty */
	char *json;       /* what ruad.enrich_services() takes; NULL before the first refresh */
	struct stat seen; /* the file that was read, or tried; all 0: there was none */
};

/*
 * Read the file unless it was read before and is the same. *is_new: json was replaced. Returns FALSE with
 * RUAD_ERROR_SYNTAX if it cannot be used; json then stays, and the file is not tried again until it changes.
 */
gboolean services_file_refresh(
    struct services_file *file, gboolean *is_new, GError **error) G_GNUC_WARN_UNUSED_RESULT;

void services_file_clear(struct services_file *file);
