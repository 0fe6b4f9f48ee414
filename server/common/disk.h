/*
 * disk.h - how much is free on the disk of a folder.
 */
#pragma once

#include <glib.h>

struct disk {
	guint64 available; /* bytes, for users that are not root */
	gboolean read_only;
};

/* RUAD_ERROR_SYSTEM with the name of the folder if the disk cannot be asked. */
gboolean disk_ask(const char *folder, struct disk *disk, GError **error) G_GNUC_WARN_UNUSED_RESULT;
