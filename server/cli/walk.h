/*
 * walk.h - turns the paths of a command line into a list of files to import.
 *
 * A file is itself, a folder all files below it, a Maildir those in its cur/ and new/ and in its subfolders.
 * In a folder only files whose first bytes may be those of a mail, an mbox, XML, JSON, a dump of
 * MySQL or a packed file are listed; links to folders are not followed.
 */
#pragma once

#include <glib.h>

struct walk {
	GPtrArray *files; /* of char *, in the order of the operands, folders sorted; "-" is standard input */
	guint64 bytes;    /* of all files, as far as known */
	guint skipped;    /* files in folders that cannot be imported */
	guint failed;     /* could not be read; each was reported on standard error */
};

void walk_init(struct walk *walk);
void walk_clear(struct walk *walk);

/* Add the files at path. */
void walk_add(struct walk *walk, const char *path);
