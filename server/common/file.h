/* file.h - detects by stat() whether a file was replaced or changed since it was read. */
#pragma once

#include <glib.h>
#include <sys/stat.h>

/* An all-zero struct stands for a file that does not exist. */
gboolean file_is_same(const struct stat *one, const struct stat *other);
