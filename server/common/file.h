/* file.h - whether a file is another one than was read before, by what stat() says. */
#pragma once

#include <glib.h>
#include <sys/stat.h>

/* An all-zero struct stands for a file that is not there. */
gboolean file_is_same(const struct stat *one, const struct stat *other);
