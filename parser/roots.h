/*
 * roots.h - counts the start tags of <feedback> in bytes that are not parsed: in any case, with any prefix,
 * also in UTF-16.
 *
 * So a report that is not read, because of what is around it or before it, is still noticed.
 */
#pragma once

#include <glib.h>

struct roots {
	guint64 n;       /* found so far */
	gboolean in_tag; /* a '<' was read, and then only characters of a name ... */
	guint letters;   /* ... and this many of "feedback" behind the '<' or ':'; more: another name */
};

/* Count in the next bytes; all members are 0 before the first. */
void roots_push(struct roots *roots, const guint8 *data, gsize size);
