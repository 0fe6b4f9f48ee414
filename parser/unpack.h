/*
 * unpack.h - the members of a zip, gzip or zlib archive, one after another, in pieces.
 *
 * zip is read by libarchive with its zip format only, by its directory, or by the heads of its members where the
 * directory is missing or leads nowhere; directories and the like are passed over, bytes before the archive are
 * allowed. gzip (RFC 1952) is inflated by GLib's GZlibDecompressor, because libarchive does
 * not compare the checksum of gzip; its members are joined to one, as section 2.2 says, and bytes after the
 * last one are left alone. zlib (RFC 1950) is read as a gzip of one member. Knows nothing of mail or reports,
 * and touches no file.
 */
#pragma once

#include "parser/error.h"
#include "parser/kind.h"

/* What may still be unpacked; one for a whole mail, counted down by each walk. */
struct unpack_budget {
	guint64 bytes;
	guint members; /* entries of a zip, directories too; a gzip or zlib file is one */
};

enum unpack_next {
	UNPACK_MORE,
	UNPACK_SKIP, /* the rest of this member is of no use; end() is called with broken NULL */
	UNPACK_FAIL, /* error is set: the walk ends with it */
};

struct unpack_visitor {
	/* A member begins. name: as in the archive, valid UTF-8 or not, or NULL. FALSE ends the walk. */
	gboolean (*begin)(gpointer user, const char *name, GError **error);
	/* A piece of its content, borrowed for the call; size > 0. */
	enum unpack_next (*piece)(gpointer user, const guint8 *data, gsize size, GError **error);
	/* It is over; broken says why before its end (codes as below), or is NULL. FALSE ends the walk. */
	gboolean (*end)(gpointer user, const GError *broken, GError **error);
};

/*
 * Walk the members of archive[0..size), for which kind_is_archive(kind). What is wrong with one member goes
 * to its end(); the walk goes on with the next, where that can be found. What is wrong outside of members
 * fails the walk:
 *
 * RUAD_ERROR_SYNTAX  truncated, wrong checksum, encrypted, not an archive
 * RUAD_ERROR_LIMIT   more than the budget allows; nothing further was unpacked
 * any other          the visitor's own error
 */
gboolean unpack_walk(const guint8 *archive, gsize size, enum kind kind, struct unpack_budget *budget,
    const struct unpack_visitor *visitor, gpointer user, GError **error) G_GNUC_WARN_UNUSED_RESULT;
