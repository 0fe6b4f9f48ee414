/* user_name.h - the names of users of the page, as htpasswd, a proxy or a command gives them. */
#pragma once

#include <glib.h>

#define USER_NAME_MAX 255 /* bytes */

/* Returns whether text is a name: UTF-8 of 1 to USER_NAME_MAX bytes without control characters. */
gboolean user_name_is_valid(const char *text);
