/*
 * entities.h - the names that HTML 4 has for characters, which some reporters write in XML.
 *
 * Without the five that XML defines itself. Knows nothing of XML.
 */
#pragma once

#include <glib.h>

#define ENTITIES_NAME 8 /* bytes of the longest name */

/* The character of &name;, >= 0xa0; 0 if there is none. */
gunichar entities_find(const guint8 *name, gsize size);
