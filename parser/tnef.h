/*
 * tnef.h - the files in a winmail.dat, as Outlook sends attachments to others than Exchange (MS-OXTNEF).
 *
 * Reads the attributes for names and contents of attachments, and passes over all others: the text of the
 * mail, and mails that are attached as properties. Checksums are not verified. Allocates nothing but names.
 */
#pragma once

#include <glib.h>

struct tnef {
	const guint8 *at; /* borrowed */
	gsize left;
	gboolean truncated; /* the last attribute is not all there */
};

/* A file: its name, perhaps not UTF-8, or NULL; transfer full. data is borrowed. */
struct tnef_file {
	char *name;
	const guint8 *data;
	gsize size;
};

/* Whether data[0..size) begins like a TNEF. */
gboolean tnef_begins(const guint8 *data, gsize size);

/* Begin to read one: tnef_begins() is true. */
void tnef_init(struct tnef *tnef, const guint8 *data, gsize size);

/* The next file; FALSE if there are no more. */
gboolean tnef_next(struct tnef *tnef, struct tnef_file *file);
