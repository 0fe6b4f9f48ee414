#include "parser/unpack.h"

#include "parser/sevenzip.h"
#include "parser/tnef.h"

#include <archive.h>
#include <archive_entry.h>
#include <gio/gio.h>
#include <lzma.h>
#include <string.h>

#define PIECE (64 * 1024) /* bytes handed on at once: large enough that calls do not count */

#define ZIP_HEAD "PK\3\4" /* of a member (APPNOTE 4.3.7) */
#define ZIP_LZMA 14       /* a method (APPNOTE 4.4.5) */

#define LZMA_MEMORY (UNPACK_DICTIONARY + 1024 * 1024) /* with what the decoder takes besides */

typedef struct archive archive_handle;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(archive_handle, archive_read_free)

struct walk {
	struct unpack_budget *budget;
	const struct unpack_visitor *visitor;
	gpointer user;
	const guint8 *archive;
	gsize size;
	guint64 dictionary; /* see zip_dictionary(); G_MAXUINT64: not looked for yet */
	gboolean streamed;  /* a zip without a directory at its end: by the heads of its members */
	gsize junk;         /* bytes before the first of them */
};

static gboolean over_budget(GError **error)
{
	g_set_error(
	    error, RUAD_ERROR, RUAD_ERROR_LIMIT, "unpacks to more bytes than are allowed for one mail");
	return FALSE;
}

static gboolean take_member(struct walk *walk, GError **error)
{
	if (walk->budget->members == 0) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_LIMIT,
		    "has more archive members than are allowed for one mail");
		return FALSE;
	}
	walk->budget->members--;
	return TRUE;
}

/* A piece to the visitor, in the budget. *broken is set when the budget is at its end: no more then. */
static enum unpack_next give(
    struct walk *walk, const guint8 *data, gsize size, GError **broken, GError **error)
{
	if (size > walk->budget->bytes) {
		over_budget(broken);
		return UNPACK_SKIP;
	}
	walk->budget->bytes -= size;
	return size == 0 ? UNPACK_MORE : walk->visitor->piece(walk->user, data, size, error);
}

/* -- gzip -- */

struct gzip {
	const guint8 *at;
	gsize left;
	GConverter *inflate;
};

/* GLib's words for a fault, put into ours. */
static void set_gzip_error(const GError *fault, GError **broken)
{
	if (g_error_matches(fault, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT))
		g_set_error(broken, RUAD_ERROR, RUAD_ERROR_SYNTAX, "gzip or zlib: ends early");
	else
		g_set_error(broken, RUAD_ERROR, RUAD_ERROR_SYNTAX,
		    "gzip or zlib: damaged data or wrong checksum: %s", fault->message);
}

/* Inflate once into out; *got bytes. FALSE with *broken: damaged; *ended: the last member is over. */
static gboolean gzip_step(struct gzip *gzip, guint8 *out, gsize *got, gboolean *ended, GError **broken)
{
	g_autoptr(GError) fault = NULL;
	gsize read = 0;
	GConverterResult result;

	*got = 0;
	*ended = FALSE;
	result = g_converter_convert(
	    gzip->inflate, gzip->at, gzip->left, out, PIECE, G_CONVERTER_INPUT_AT_END, &read, got, &fault);
	if (result == G_CONVERTER_ERROR) {
		set_gzip_error(fault, broken);
		return FALSE;
	}
	gzip->at += read;
	gzip->left -= read;
	if (result != G_CONVERTER_FINISHED)
		return TRUE;
	/* another member only where its three fixed first bytes are; all else is not ours */
	if (gzip->left >= 3 && memcmp(gzip->at, "\x1f\x8b\x08", 3) == 0)
		g_converter_reset(gzip->inflate);
	else
		*ended = TRUE;
	return TRUE;
}

static gboolean gzip_walk(
    struct walk *walk, const guint8 *archive, gsize size, GZlibCompressorFormat format, GError **error)
{
	g_autoptr(GConverter) inflate = G_CONVERTER(g_zlib_decompressor_new(format));
	guint8 out[PIECE]; /* such a block on the heap would make malloc tidy up with each mail */
	g_autoptr(GError) broken = NULL;
	struct gzip gzip = { archive, size, inflate };
	enum unpack_next next = UNPACK_MORE;
	gboolean ended = FALSE;

	if (!take_member(walk, error) || !walk->visitor->begin(walk->user, NULL, error))
		return FALSE;
	while (next == UNPACK_MORE && !ended) {
		gsize got;

		if (!gzip_step(&gzip, out, &got, &ended, &broken))
			break;
		next = give(walk, out, got, &broken, error);
	}
	if (next == UNPACK_FAIL)
		return FALSE;
	return walk->visitor->end(walk->user, broken, error);
}

/* -- xz and lzma -- */

struct lzma {
	lzma_stream stream;
	enum kind kind;
};

static lzma_ret lzma_begin(struct lzma *lzma)
{
	if (lzma->kind == KIND_XZ)
		return lzma_stream_decoder(&lzma->stream, LZMA_MEMORY, 0);
	return lzma_alone_decoder(&lzma->stream, LZMA_MEMORY);
}

static void set_lzma_error(const struct lzma *lzma, lzma_ret result, GError **broken)
{
	if (result == LZMA_MEMLIMIT_ERROR || result == LZMA_MEM_ERROR)
		g_set_error(broken, RUAD_ERROR, RUAD_ERROR_SYNTAX,
		    "%s: takes %" G_GUINT64_FORMAT " MiB of memory to unpack, more than %u",
		    kind_name(lzma->kind), lzma_memusage(&lzma->stream) >> 20, UNPACK_DICTIONARY >> 20);
	else if (result == LZMA_BUF_ERROR)
		g_set_error(broken, RUAD_ERROR, RUAD_ERROR_SYNTAX, "%s: ends early", kind_name(lzma->kind));
	else
		g_set_error(broken, RUAD_ERROR, RUAD_ERROR_SYNTAX, "%s: damaged data or wrong checksum",
		    kind_name(lzma->kind));
}

/* Unpack once into out; *got bytes. As gzip_step(). */
static gboolean lzma_step(struct lzma *lzma, guint8 *out, gsize *got, gboolean *ended, GError **broken)
{
	lzma_stream *stream = &lzma->stream;
	lzma_ret result;

	stream->next_out = out;
	stream->avail_out = PIECE;
	result = lzma_code(stream, LZMA_FINISH);
	*got = PIECE - stream->avail_out;
	*ended = FALSE;
	if (result == LZMA_STREAM_END) {
		/* another stream only where its magic number is; all else is not ours */
		*ended = kind_of(stream->next_in, stream->avail_in) != KIND_XZ || lzma->kind != KIND_XZ;
		result = *ended ? LZMA_OK : lzma_begin(lzma);
	}
	if (result != LZMA_OK)
		set_lzma_error(lzma, result, broken);
	return result == LZMA_OK;
}

static gboolean lzma_walk(
    struct walk *walk, const guint8 *archive, gsize size, enum kind kind, GError **error)
{
	struct lzma lzma = { LZMA_STREAM_INIT, kind };
	g_autofree guint8 *out = g_malloc(PIECE);
	g_autoptr(GError) broken = NULL;
	enum unpack_next next = UNPACK_MORE;
	gboolean ended = FALSE;
	lzma_ret result;

	if (!take_member(walk, error) || !walk->visitor->begin(walk->user, NULL, error))
		return FALSE;
	lzma.stream.next_in = archive;
	lzma.stream.avail_in = size;
	result = lzma_begin(&lzma);
	if (result != LZMA_OK)
		set_lzma_error(&lzma, result, &broken);
	while (broken == NULL && next == UNPACK_MORE && !ended) {
		gsize got;

		if (!lzma_step(&lzma, out, &got, &ended, &broken))
			break;
		next = give(walk, out, got, &broken, error);
	}
	lzma_end(&lzma.stream); /* before an archive inside is unpacked */
	if (next == UNPACK_FAIL)
		return FALSE;
	return walk->visitor->end(walk->user, broken, error);
}

/* -- zip -- */

static gboolean zip_error(archive_handle *zip, GError **error)
{
	const char *words = archive_error_string(zip);

	g_set_error(
	    error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "zip: %s", words != NULL ? words : "cannot be read");
	return FALSE;
}

/* streamed: by the heads of its members, else by the directory at its end. */
static archive_handle *zip_open(const guint8 *archive, gsize size, gboolean streamed, GError **error)
{
	g_autoptr(archive_handle) zip = archive_read_new();

	if ((streamed ? archive_read_support_format_zip_streamable(zip)
		      : archive_read_support_format_zip_seekable(zip)) != ARCHIVE_OK ||
	    archive_read_open_memory(zip, archive, size) != ARCHIVE_OK) {
		zip_error(zip, error);
		return NULL;
	}
	return g_steal_pointer(&zip);
}

static const char *zip_name(struct archive_entry *entry)
{
	const char *name = archive_entry_pathname_utf8(entry);

	return name != NULL ? name : archive_entry_pathname(entry);
}

/*
 * As archive_read_data_block(), but a wrong size in a zip's directory or in a member's head is no error.
 * libarchive compares it last, after the checksum has matched, and the error comes with the last piece of the
 * content.
 */
static int read_block(archive_handle *zip, const void **data, gsize *size)
{
	la_int64_t offset;
	int result;
	const char *words;

	*data = NULL;
	*size = 0;
	result = archive_read_data_block(zip, data, size, &offset);
	if (result == ARCHIVE_OK || result == ARCHIVE_EOF)
		return result;
	words = archive_error_string(zip);
	return words != NULL && g_str_has_prefix(words, "ZIP uncompressed data is wrong size") ? ARCHIVE_OK
											       : result;
}

/* The member's content to the visitor. ARCHIVE_OK: it wants no more; ARCHIVE_EOF: all was read. */
static int zip_read(
    struct walk *walk, archive_handle *zip, enum unpack_next *next, GError **broken, GError **error)
{
	while (*next == UNPACK_MORE && *broken == NULL) {
		const void *data;
		gsize size;
		int result = read_block(zip, &data, &size);

		if (result != ARCHIVE_OK)
			return result;
		*next = give(walk, data, size, broken, error);
	}
	return ARCHIVE_OK;
}

/*
 * Pass over the rest of a member of a zip that is streamed. Its packed size may stand behind it, even when a
 * size is known, and libarchive would inflate it without bound when asked for the next header; here the
 * budget holds.
 */
static int zip_pass_over(struct walk *walk, archive_handle *zip, GError **broken)
{
	const void *data;
	gsize size;
	int result;

	while ((result = read_block(zip, &data, &size)) == ARCHIVE_OK) {
		if (size > walk->budget->bytes) {
			over_budget(broken);
			return ARCHIVE_OK;
		}
		walk->budget->bytes -= size;
	}
	return result;
}

static guint64 largest_dictionary(const struct walk *walk)
{
	const guint8 *end = walk->archive + walk->size, *at = walk->archive;
	guint64 most = 0;

	while (at < end && (at = memmem(at, (gsize)(end - at), ZIP_HEAD, strlen(ZIP_HEAD))) != NULL) {
		const guint8 *head = at;
		gsize left = (gsize)(end - head), skip;

		at += strlen(ZIP_HEAD);
		if (left < 30 || head[8] != ZIP_LZMA) /* libarchive ignores the other byte */
			continue;
		skip = 30 + (gsize)(head[26] | head[27] << 8) + (gsize)(head[28] | head[29] << 8);
		if (left < skip + 9)
			continue;
		head += skip + 5;
		most = MAX(most, (guint64)head[0] | (guint64)head[1] << 8 | (guint64)head[2] << 16 |
				     (guint64)head[3] << 24);
	}
	return most;
}

/*
 * The largest dictionary that a member packed by LZMA asks for (APPNOTE 5.8.8). libarchive does not say where
 * a member is, so all that looks like the head of one counts. Looked for once, since an archive may have many
 * members.
 */
static guint64 zip_dictionary(struct walk *walk)
{
	if (walk->dictionary == G_MAXUINT64)
		walk->dictionary = largest_dictionary(walk);
	return walk->dictionary;
}

/*
 * Whether the current member is packed with a method of bounded memory. PPMd and xz let the archive ask for
 * gigabytes, and so does LZMA, of which this is checked; libarchive names the method only in words.
 */
static gboolean zip_method_allowed(struct walk *walk, archive_handle *zip, GError **broken)
{
	static const char *const ALLOWED[] = { "(uncompressed)", "(deflation)", "(bzip)", "(zstd)" };
	const char *format = archive_format_name(zip);
	gboolean lzma = format != NULL && g_str_has_suffix(format, "(lzma)");
	guint64 dictionary = lzma ? zip_dictionary(walk) : 0;

	for (gsize i = 0; format != NULL && i < G_N_ELEMENTS(ALLOWED); i++)
		if (g_str_has_suffix(format, ALLOWED[i]))
			return TRUE;
	if (lzma && dictionary <= UNPACK_DICTIONARY)
		return TRUE;
	if (lzma)
		g_set_error(broken, RUAD_ERROR, RUAD_ERROR_SYNTAX,
		    "zip: takes %" G_GUINT64_FORMAT " MiB of memory to unpack, more than %u",
		    dictionary >> 20, UNPACK_DICTIONARY >> 20);
	else
		g_set_error(broken, RUAD_ERROR, RUAD_ERROR_SYNTAX,
		    "zip: packed by a method that is not unpacked here: %s",
		    format != NULL ? format : "unknown");
	return FALSE;
}

/* One regular file of the zip. *fatal: nothing after it can be read. */
static gboolean zip_member(
    struct walk *walk, archive_handle *zip, struct archive_entry *entry, gboolean *fatal, GError **error)
{
	g_autoptr(GError) broken = NULL;
	enum unpack_next next = UNPACK_MORE;
	int result = ARCHIVE_OK;

	if (!walk->visitor->begin(walk->user, zip_name(entry), error))
		return FALSE;
	if (zip_method_allowed(walk, zip, &broken))
		result = zip_read(walk, zip, &next, &broken, error);
	if (next == UNPACK_FAIL)
		return FALSE;
	if (next == UNPACK_SKIP && broken == NULL && walk->streamed)
		result = zip_pass_over(walk, zip, &broken);
	/* a wrong checksum or size is only a warning there */
	if (result != ARCHIVE_OK && result != ARCHIVE_EOF)
		zip_error(zip, &broken);
	*fatal = result == ARCHIVE_FATAL || g_error_matches(broken, RUAD_ERROR, RUAD_ERROR_LIMIT);
	return walk->visitor->end(walk->user, broken, error);
}

/* As zip_open(), to its first member. */
static archive_handle *zip_first(const guint8 *archive, gsize size, gboolean streamed,
    struct archive_entry **entry, int *result, GError **error)
{
	g_autoptr(archive_handle) zip = zip_open(archive, size, streamed, error);

	if (zip != NULL)
		*result = archive_read_next_header(zip, entry);
	return g_steal_pointer(&zip);
}

/* The zip and its first member: by its directory, or streamed from the first head on when that is missing or
 * leads nowhere. */
static archive_handle *zip_start(struct walk *walk, const guint8 *archive, gsize size,
    struct archive_entry **entry, int *result, GError **error)
{
	g_autoptr(archive_handle) zip = zip_first(archive, size, FALSE, entry, result, NULL);
	const guint8 *head = size == 0 ? NULL : memmem(archive, size, ZIP_HEAD, strlen(ZIP_HEAD));

	if (zip != NULL && *result >= ARCHIVE_WARN && *result != ARCHIVE_EOF)
		return g_steal_pointer(&zip);
	walk->streamed = TRUE;
	walk->junk = head == NULL ? 0 : (gsize)(head - archive);
	g_clear_pointer(&zip, archive_read_free);
	return zip_first(archive + walk->junk, size - walk->junk, TRUE, entry, result, error);
}

/* Where the next head should be is something else, and no head comes behind it: a directory that is damaged
 * or cut off. */
static gboolean zip_ends_here(const struct walk *walk, archive_handle *zip, const guint8 *archive, gsize size)
{
	la_int64_t at = archive_read_header_position(zip);
	gsize junk = walk->junk + (gsize)MAX(at, 0);

	return walk->streamed && at > 0 && junk <= size &&
	       memmem(archive + junk, size - junk, ZIP_HEAD, strlen(ZIP_HEAD)) == NULL;
}

static gboolean zip_walk(struct walk *walk, const guint8 *archive, gsize size, GError **error)
{
	struct archive_entry *entry;
	int result;
	g_autoptr(archive_handle) zip = zip_start(walk, archive, size, &entry, &result, error);
	gboolean fatal = FALSE;

	if (zip == NULL)
		return FALSE;
	while (result != ARCHIVE_EOF) {
		if (result < ARCHIVE_WARN) /* warnings are about names */
			return zip_ends_here(walk, zip, archive, size) || zip_error(zip, error);
		if (!take_member(walk, error))
			return FALSE;
		if (archive_entry_filetype(entry) == AE_IFREG && !zip_member(walk, zip, entry, &fatal, error))
			return FALSE;
		if (fatal) /* even to ask for the next may inflate the rest of this one */
			break;
		result = archive_read_next_header(zip, &entry);
	}
	return TRUE;
}

/* -- tar, 7z, bzip2, zstd -- */

gboolean unpack_has_names(enum kind kind)
{
	return kind == KIND_TAR || kind == KIND_7Z || kind == KIND_TNEF;
}

static void other_error(archive_handle *other, enum kind kind, GError **error)
{
	const char *words = archive_error_string(other);

	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "%s: %s", kind_name(kind),
	    words != NULL ? words : "cannot be read");
}

/* ARCHIVE_WARN would mean that libarchive runs a program to unpack it. */
static gboolean other_open(archive_handle *other, const guint8 *archive, gsize size, enum kind kind)
{
	int filter = kind == KIND_BZIP2  ? archive_read_support_filter_bzip2(other)
		     : kind == KIND_ZSTD ? archive_read_support_filter_zstd(other)
					 : ARCHIVE_OK;
	int format = kind == KIND_TAR  ? archive_read_support_format_tar(other)
		     : kind == KIND_7Z ? archive_read_support_format_7zip(other)
				       : archive_read_support_format_raw(other);

	return filter == ARCHIVE_OK && format == ARCHIVE_OK &&
	       archive_read_open_memory(other, archive, size) == ARCHIVE_OK;
}

/* One file; *last: nothing after it is to be read. */
static gboolean other_member(struct walk *walk, archive_handle *other, struct archive_entry *entry,
    enum kind kind, gboolean *last, GError **error)
{
	g_autoptr(GError) broken = NULL;
	enum unpack_next next = UNPACK_MORE;
	int result;

	if (!walk->visitor->begin(walk->user, unpack_has_names(kind) ? zip_name(entry) : NULL, error))
		return FALSE;
	result = zip_read(walk, other, &next, &broken, error);
	if (next == UNPACK_FAIL)
		return FALSE;
	/* to ask for the next member would unpack the rest of this one, too */
	if (next == UNPACK_SKIP && broken == NULL && kind == KIND_7Z)
		result = zip_pass_over(walk, other, &broken);
	if (result != ARCHIVE_OK && result != ARCHIVE_EOF)
		other_error(other, kind, &broken);
	*last = !unpack_has_names(kind) || broken != NULL;
	return walk->visitor->end(walk->user, broken, error);
}

static gboolean other_walk(
    struct walk *walk, const guint8 *archive, gsize size, enum kind kind, GError **error)
{
	g_autoptr(archive_handle) other = archive_read_new();
	struct archive_entry *entry;
	gboolean last = FALSE;

	if (kind == KIND_7Z &&
	    !sevenzip_check(archive, size, UNPACK_DICTIONARY, walk->budget->members, error))
		return FALSE;
	if (!other_open(other, archive, size, kind)) {
		other_error(other, kind, error);
		return FALSE;
	}
	while (!last) {
		int result = archive_read_next_header(other, &entry);

		if (result == ARCHIVE_EOF)
			break;
		if (result < ARCHIVE_WARN) {
			other_error(other, kind, error);
			return FALSE;
		}
		if (!take_member(walk, error))
			return FALSE;
		if (archive_entry_filetype(entry) == AE_IFREG &&
		    !other_member(walk, other, entry, kind, &last, error))
			return FALSE;
	}
	return TRUE;
}

/* -- winmail.dat -- */

static gboolean tnef_member(
    struct walk *walk, const struct tnef_file *file, gboolean truncated, GError **error)
{
	g_autoptr(GError) broken = NULL;

	if (!take_member(walk, error) || !walk->visitor->begin(walk->user, file->name, error))
		return FALSE;
	if (give(walk, file->data, file->size, &broken, error) == UNPACK_FAIL)
		return FALSE;
	if (truncated && broken == NULL)
		g_set_error(
		    &broken, RUAD_ERROR, RUAD_ERROR_SYNTAX, "winmail.dat: ends before the end of a file");
	return walk->visitor->end(walk->user, broken, error);
}

static gboolean tnef_walk(struct walk *walk, const guint8 *archive, gsize size, GError **error)
{
	struct tnef tnef;
	struct tnef_file file;
	gboolean good = TRUE, cut = FALSE; /* the last file is not all there */

	tnef_init(&tnef, archive, size);
	while (good && tnef_next(&tnef, &file)) {
		cut = tnef.truncated && file.data + file.size == archive + size;
		good = tnef_member(walk, &file, cut, error);
		g_free(file.name);
	}
	if (!good || cut || !tnef.truncated)
		return good;
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "winmail.dat: ends before the end of an attribute");
	return FALSE;
}

gboolean unpack_walk(const guint8 *archive, gsize size, enum kind kind, struct unpack_budget *budget,
    const struct unpack_visitor *visitor, gpointer user, GError **error)
{
	struct walk walk = {
		.budget = budget,
		.visitor = visitor,
		.user = user,
		.archive = archive,
		.size = size,
		.dictionary = G_MAXUINT64,
	};

	if (kind == KIND_GZIP)
		return gzip_walk(&walk, archive, size, G_ZLIB_COMPRESSOR_FORMAT_GZIP, error);
	if (kind == KIND_ZLIB)
		return gzip_walk(&walk, archive, size, G_ZLIB_COMPRESSOR_FORMAT_ZLIB, error);
	if (kind == KIND_XZ || kind == KIND_LZMA)
		return lzma_walk(&walk, archive, size, kind, error);
	if (kind == KIND_TNEF)
		return tnef_walk(&walk, archive, size, error);
	if (kind == KIND_ZIP)
		return zip_walk(&walk, archive, size, error);
	return other_walk(&walk, archive, size, kind, error);
}
