/*
 * unpack.h - the members of an archive, or the content of a packed file, one after another, in pieces.
 *
 * zip is read by libarchive, limited to its zip format: by the central directory, or by the headers of the
 * members if the directory is missing or wrong. Folders and the like are skipped, and bytes before the
 * archive are allowed. gzip (RFC 1952) is inflated by GLib's GZlibDecompressor, because libarchive does not
 * verify the checksum of gzip; its members are joined (section 2.2), and bytes after the last one are
 * ignored. zlib (RFC 1950) is read as a gzip of one member. xz and lzma are read by liblzma itself, whose
 * memory libarchive does not bound enough; the streams of xz are joined like the members of gzip. tar, 7z,
 * bzip2 and zstd are read by libarchive, and Outlook's winmail.dat by tnef.h.
 *
 * An archive may ask for a dictionary of UNPACK_DICTIONARY at most; what needs more is broken. zstd has
 * that bound itself. A zip's members may be stored, or packed by deflate, bzip2, LZMA or zstd. Knows
 * nothing of mail or reports, and touches no file.
 */
#pragma once

#include "parser/error.h"
#include "parser/kind.h"

#define UNPACK_DICTIONARY (128 * 1024 * 1024) /* bytes: xz -9 takes 64 MiB; a worker has 1 GiB */

/* What may still be unpacked. One for each mail; each walk counts it down. */
struct unpack_budget {
	guint64 bytes;
	guint members; /* entries of a zip, tar, 7z or winmail.dat, directories too; any other file is one */
};

enum unpack_next {
	UNPACK_MORE,
	UNPACK_SKIP, /* skip the rest of this member; end() is called with broken NULL */
	UNPACK_FAIL, /* error is set: the walk ends with it */
};

struct unpack_visitor {
	/* A member begins. name: as in the archive, perhaps not UTF-8, or NULL. Returning FALSE ends the
	 * walk, also below. */
	gboolean (*begin)(gpointer user, const char *name, GError **error);
	/* A piece of its content, borrowed for the call; size > 0. */
	enum unpack_next (*piece)(gpointer user, const guint8 *data, gsize size, GError **error);
	/* The member ends. broken: why it is incomplete (codes as below), or NULL. */
	gboolean (*end)(gpointer user, const GError *broken, GError **error);
};

/* Whether a file of this kind, which is not a zip, has members with names. */
gboolean unpack_has_names(enum kind kind);

/*
 * Walk the members of archive[0..size), for which kind_is_archive(kind). An error in one member goes to its
 * end(), and the walk continues with the next member if it can be found. An error outside members ends the
 * walk:
 *
 * RUAD_ERROR_SYNTAX  truncated, wrong checksum, encrypted, not an archive
 * RUAD_ERROR_LIMIT   more than the budget allows; nothing further was unpacked
 * any other          the visitor's own error
 */
gboolean unpack_walk(const guint8 *archive, gsize size, enum kind kind, struct unpack_budget *budget,
    const struct unpack_visitor *visitor, gpointer user, GError **error) G_GNUC_WARN_UNUSED_RESULT;
