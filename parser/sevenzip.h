/*
 * sevenzip.h - what unpacking a 7z archive would take, from its headers (7zFormat.txt of the LZMA SDK).
 *
 * libarchive reads 7z without a limit: it allocates what the headers ask for, such as a dictionary of 4 GiB.
 * The headers, which may be packed themselves, are read here first. Names and contents are left to
 * libarchive.
 */
#pragma once

#include "parser/error.h"

/*
 * Check archive[0..size), which begins like a 7z: each coder is one whose memory is known and at most memory
 * bytes, and there are at most members streams and members files.
 *
 * RUAD_ERROR_SYNTAX  damaged, encrypted, packed by another method, or takes more memory
 * RUAD_ERROR_LIMIT   more members
 */
gboolean sevenzip_check(const guint8 *archive, gsize size, guint64 memory, guint members,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;
