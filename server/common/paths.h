/*
 * paths.h - finds the helper programs.
 */
#pragma once

#include <glib.h>

/*
 * The path of helper program ("ruad-parse"), transfer full: in the folder of RUAD_LIBEXEC if that is set;
 * else in ../libexec/ruad relative to the running executable if it is there (a build folder), or if access is
 * denied, so that a later error names the right path; else in the installed folder.
 */
char *paths_libexec(const char *program) G_GNUC_WARN_UNUSED_RESULT;
