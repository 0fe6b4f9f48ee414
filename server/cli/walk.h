/*
 * walk.h - the paths of a command line as the list of files to import.
 *
 * A file is itself, a folder all files below it, a Maildir those in its cur/ and new/ and in its subfolders. In a
 * folder only what by its first bytes may be a mail, an mbox, XML, JSON, gzip or zip is taken; links to folders are not followed.
 */
#pragma once

#include <glib.h>

struct walk {
	GPtrArray *files; /* of char *, in the order of the operands, folders sorted; "-" is standard input */
	guint64 bytes;    /* of all files together, as far as known */
	guint skipped;    /* files of folders that are nothing to import */
	guint failed;     /* that could not be looked at; each was said on standard error */
};

void walk_init(struct walk *walk);
void walk_clear(struct walk *walk);

/* Add what is at path. */
void walk_add(struct walk *walk, const char *path);
