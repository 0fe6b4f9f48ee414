/*
 * assets.h - the page and its files, embedded in the program by embed.cmake.
 *
 * The table is generated; it contains both forms of each file.
 */
#pragma once

#include <glib.h>

struct asset {
	const char *path;   /* below the page's folder: "index.html", "assets/app-3KX4QZ7A.js" */
	const char *type;   /* Content-Type */
	const char *etag;   /* with quotes: SHA-256 of the identity form */
	gboolean immutable; /* the name changes with the content: may be cached forever */
	const guint8 *data;
	const guint8 *data_end;
	const guint8 *gzip; /* NULL if compression gains nothing */
	const guint8 *gzip_end;
};

extern const struct asset assets[]; /* sorted by path */
extern const gsize n_assets;
