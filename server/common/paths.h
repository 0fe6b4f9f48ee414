/*
 * paths.h - where the helper programs are.
 */
#pragma once

#include <glib.h>

/*
 * The path of helper program ("ruad-parse"), transfer full: in the folder that RUAD_LIBEXEC names; else in
 * ../libexec/ruad beside the running executable, if it is there (a build folder), or if one may
 * not look there: then what fails names the right place; else where it is installed.
 */
char *paths_libexec(const char *program) G_GNUC_WARN_UNUSED_RESULT;
