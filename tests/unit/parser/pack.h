/*
 * pack.h - archives for tests, made in memory.
 */
#pragma once

#include <glib.h>

/* The bytes of text. Transfer full. */
GByteArray *pack_text(const char *text);

/* One gzip member (RFC 1952), or one zlib stream (RFC 1950). Transfer full. */
GByteArray *pack_gzip(const void *data, gsize size);
GByteArray *pack_zlib(const void *data, gsize size);

struct pack_member {
	const char *name; /* ending in '/': a directory */
	const void *data;
	gsize size;
};

/* A zip of the members, deflated. Transfer full. */
GByteArray *pack_zip(const struct pack_member *member, gsize n);

/* A tar of the members. Transfer full. */
GByteArray *pack_tar(const struct pack_member *member, gsize n);

/* A 7z of the members; compression: "lzma1", "lzma2", "ppmd", "bzip2", "deflate" or "store". Transfer full.
 */
GByteArray *pack_7z(const struct pack_member *member, gsize n, const char *compression);

/* A winmail.dat of the members, with a subject before them; each has its checksums. Transfer full. */
GByteArray *pack_tnef(const struct pack_member *member, gsize n);

/* A zip of one member, whose bytes are packed already by this method (APPNOTE 4.4.5). Transfer full. */
GByteArray *pack_zip_method(
    const char *name, guint8 method, const GByteArray *packed, const void *data, gsize size);

/* Data by LZMA as a zip has it: method 14. Transfer full. */
GByteArray *pack_zip_lzma(const char *name, const void *data, gsize size);

/* Data behind a filter of libarchive: ARCHIVE_FILTER_BZIP2 or the like. Transfer full. */
GByteArray *pack_filtered(const void *data, gsize size, int filter);

void pack_append(GByteArray *to, const GByteArray *more);
