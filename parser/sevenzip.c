#include "parser/sevenzip.h"

#include <lzma.h>
#include <string.h>

#define SIGNATURE_HEADER 32
#define MAX_HEADER       (1024 * 1024) /* bytes of an unpacked header: 100 names take 50 KB */
#define MAX_CODERS       8             /* of a folder; libarchive reads 4 */

/* The identifiers of properties. */
enum {
	END = 0x00,
	HEADER = 0x01,
	ARCHIVE_PROPERTIES = 0x02,
	MAIN_STREAMS = 0x04,
	FILES = 0x05,
	PACK_INFO = 0x06,
	UNPACK_INFO = 0x07,
	SUBSTREAMS = 0x08,
	SIZES = 0x09,
	DIGESTS = 0x0a,
	FOLDERS = 0x0b,
	UNPACK_SIZES = 0x0c,
	STREAM_COUNTS = 0x0d,
	ENCODED_HEADER = 0x17,
};

enum method {
	METHOD_NONE, /* takes no memory to speak of: copied, deflate, bzip2, filters of machine code */
	METHOD_LZMA,
	METHOD_LZMA2,
	METHOD_PPMD,
	METHOD_CRYPTED,
	METHOD_OTHER,
};

static const struct {
	const char *id;
	guint8 size;
	enum method method;
} METHODS[] = {
	{ "\x00", 1, METHOD_NONE },
	{ "\x03", 1, METHOD_NONE }, /* delta */
	{ "\x04", 1, METHOD_NONE }, /* x86, and for other machines: */
	{ "\x05", 1, METHOD_NONE },
	{ "\x06", 1, METHOD_NONE },
	{ "\x07", 1, METHOD_NONE },
	{ "\x08", 1, METHOD_NONE },
	{ "\x09", 1, METHOD_NONE },
	{ "\x0a", 1, METHOD_NONE },
	{ "\x21", 1, METHOD_LZMA2 },
	{ "\x03\x01\x01", 3, METHOD_LZMA },
	{ "\x03\x04\x01", 3, METHOD_PPMD },
	{ "\x03\x03\x01\x03", 4, METHOD_NONE }, /* x86 */
	{ "\x03\x03\x01\x1b", 4, METHOD_NONE }, /* x86, BCJ2 */
	{ "\x04\x01\x08", 3, METHOD_NONE },     /* deflate */
	{ "\x04\x02\x02", 3, METHOD_NONE },     /* bzip2 */
	{ "\x06\xf1\x07\x01", 4, METHOD_CRYPTED },
};

/* What the last folder read is like. */
struct folder {
	guint coders;
	enum method method; /* of the last coder */
	guint8 properties[5];
	guint outputs; /* streams that come out of all coders, one each but for odd ones */
};

struct reader {
	const guint8 *at;
	gsize left;
	guint64 memory;
	guint members;

	guint64 pack_position;
	guint64 pack_size;   /* of the first stream */
	guint64 unpack_size; /* of the first folder's last output */
	guint n_folders;
	guint n_outputs;
	guint8 *has_digest; /* by folder */
	struct folder first;
};

/* -- numbers -- */

static gboolean damaged(GError **error)
{
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "7z: damaged header");
	return FALSE;
}

static guint64 little(const guint8 *data, guint bytes)
{
	guint64 value = 0;

	for (guint i = bytes; i-- > 0;)
		value = value << 8 | data[i];
	return value;
}

static gboolean take(struct reader *r, gsize n, const guint8 **data, GError **error)
{
	if (n > r->left)
		return damaged(error);
	*data = r->at;
	r->at += n;
	r->left -= n;
	return TRUE;
}

static gboolean take_byte(struct reader *r, guint8 *byte, GError **error)
{
	const guint8 *data;

	if (!take(r, 1, &data, error))
		return FALSE;
	*byte = *data;
	return TRUE;
}

/* The leading 1 bits of the first byte count the bytes that follow; its other bits are the highest. */
static gboolean take_number(struct reader *r, guint64 *number, GError **error)
{
	guint8 first;
	const guint8 *rest;
	guint bytes = 0;

	if (!take_byte(r, &first, error))
		return FALSE;
	while (bytes < 8 && (first & (0x80 >> bytes)) != 0)
		bytes++;
	if (!take(r, bytes, &rest, error))
		return FALSE;
	*number = little(rest, bytes);
	if (bytes < 7)
		*number |= (guint64)(first & (0x7f >> bytes)) << (8 * bytes);
	return TRUE;
}

/* A number of things, each of which takes at least a byte of the header; or of members. */
static gboolean take_count(struct reader *r, gboolean members, guint *count, GError **error)
{
	guint64 number;

	if (!take_number(r, &number, error))
		return FALSE;
	if (members && number > r->members) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_LIMIT,
		    "has more archive members than are allowed for one mail");
		return FALSE;
	}
	if (!members && number > r->left)
		return damaged(error);
	*count = (guint)number;
	return TRUE;
}

static gboolean want(struct reader *r, guint8 id, GError **error)
{
	guint8 got;

	return take_byte(r, &got, error) && (got == id || damaged(error));
}

/* Returns TRUE, and passes over it, if this is next. */
static gboolean comes(struct reader *r, guint8 id)
{
	if (r->left == 0 || *r->at != id)
		return FALSE;
	r->at++;
	r->left--;
	return TRUE;
}

/* Checksums: of all things, or of those whose bits are set. has: per thing, or NULL. */
static gboolean pass_digests(struct reader *r, guint count, guint8 *has, GError **error)
{
	guint8 all;
	const guint8 *bits = NULL;
	guint set = 0;

	if (!take_byte(r, &all, error) || (all == 0 && !take(r, (count + 7) / 8, &bits, error)))
		return FALSE;
	for (guint i = 0; i < count; i++) {
		guint8 one = bits == NULL ? 1 : (bits[i / 8] >> (7 - i % 8)) & 1U;

		set += one;
		if (has != NULL)
			has[i] = one;
	}
	return take(r, (gsize)set * 4, &bits, error);
}

/* -- memory -- */

static gboolean check_memory(const struct reader *r, guint64 needs, GError **error)
{
	if (needs <= r->memory)
		return TRUE;
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
	    "7z: takes %" G_GUINT64_FORMAT " MiB of memory to unpack, more than %" G_GUINT64_FORMAT,
	    needs >> 20, r->memory >> 20);
	return FALSE;
}

/* The dictionary of LZMA2, in one byte: 40 is 4 GiB - 1. */
static guint64 lzma2_dictionary(guint8 code)
{
	return code > 40 ? G_MAXUINT64 : (guint64)(2 | (code & 1)) << (code / 2 + 11);
}

static gboolean check_coder(
    const struct reader *r, enum method method, const guint8 *properties, gsize n, GError **error)
{
	switch (method) {
	case METHOD_NONE:
		return TRUE;
	case METHOD_LZMA:
	case METHOD_PPMD: /* both: a byte, and four of the size */
		return n == 5 ? check_memory(r, little(properties + 1, 4), error) : damaged(error);
	case METHOD_LZMA2:
		return n == 1 ? check_memory(r, lzma2_dictionary(properties[0]), error) : damaged(error);
	case METHOD_CRYPTED:
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "7z: encrypted, cannot be read");
		return FALSE;
	case METHOD_OTHER:
		break;
	}
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "7z: packed by a method that is not unpacked here");
	return FALSE;
}

/* -- folders -- */

static enum method find_method(const guint8 *id, gsize size)
{
	for (gsize i = 0; i < G_N_ELEMENTS(METHODS); i++)
		if (METHODS[i].size == size && memcmp(METHODS[i].id, id, size) == 0)
			return METHODS[i].method;
	return METHOD_OTHER;
}

/* *inputs, *outputs: streams of the coder. */
static gboolean read_coder(
    struct reader *r, struct folder *folder, guint *inputs, guint *outputs, GError **error)
{
	guint8 flags;
	const guint8 *id, *properties = NULL;
	guint n = 0;

	*inputs = *outputs = 1;
	if (!take_byte(r, &flags, error) || !take(r, flags & 0xf, &id, error))
		return FALSE;
	if ((flags & 0xc0) != 0)
		return damaged(error);
	if ((flags & 0x10) != 0 &&
	    (!take_count(r, FALSE, inputs, error) || !take_count(r, FALSE, outputs, error)))
		return FALSE;
	if ((flags & 0x20) != 0 && (!take_count(r, FALSE, &n, error) || !take(r, n, &properties, error)))
		return FALSE;
	folder->method = find_method(id, flags & 0xf);
	if (!check_coder(r, folder->method, properties, n, error))
		return FALSE;
	memcpy(folder->properties, properties != NULL ? properties : id, MIN(n, sizeof folder->properties));
	return TRUE;
}

static gboolean read_folder(struct reader *r, struct folder *folder, GError **error)
{
	guint inputs = 0;
	guint64 number;

	*folder = (struct folder){ 0 };
	if (!take_count(r, FALSE, &folder->coders, error))
		return FALSE;
	if (folder->coders == 0 || folder->coders > MAX_CODERS)
		return damaged(error);
	for (guint i = 0; i < folder->coders; i++) {
		guint in, out;

		if (!read_coder(r, folder, &in, &out, error))
			return FALSE;
		if (in > MAX_CODERS || out > MAX_CODERS)
			return damaged(error);
		inputs += in;
		folder->outputs += out;
	}
	if (folder->outputs == 0 || inputs < folder->outputs - 1)
		return damaged(error);
	for (guint i = 0; i < 2 * (folder->outputs - 1); i++) /* which are bound to which */
		if (!take_number(r, &number, error))
			return FALSE;
	inputs -= folder->outputs - 1;
	for (guint i = 0; inputs > 1 && i < inputs; i++)
		if (!take_number(r, &number, error))
			return FALSE;
	return TRUE;
}

/* -- streams -- */

static gboolean read_pack_info(struct reader *r, GError **error)
{
	guint count;
	guint64 size;

	if (!take_number(r, &r->pack_position, error) || !take_count(r, FALSE, &count, error))
		return FALSE;
	if (comes(r, SIZES))
		for (guint i = 0; i < count; i++)
			if (!take_number(r, i == 0 ? &r->pack_size : &size, error))
				return FALSE;
	if (comes(r, DIGESTS) && !pass_digests(r, count, NULL, error))
		return FALSE;
	return want(r, END, error);
}

static gboolean read_unpack_info(struct reader *r, GError **error)
{
	guint8 external;
	guint64 size;

	if (!want(r, FOLDERS, error) || !take_count(r, TRUE, &r->n_folders, error) ||
	    !take_byte(r, &external, error))
		return FALSE;
	if (external != 0 || r->has_digest != NULL)
		return damaged(error);
	r->has_digest = g_new0(guint8, r->n_folders + 1);
	for (guint i = 0; i < r->n_folders; i++) {
		struct folder folder;

		if (!read_folder(r, &folder, error))
			return FALSE;
		r->n_outputs += folder.outputs;
		if (i == 0)
			r->first = folder;
	}
	if (!want(r, UNPACK_SIZES, error))
		return FALSE;
	for (guint i = 0; i < r->n_outputs; i++)
		if (!take_number(r, i < r->first.outputs ? &r->unpack_size : &size, error))
			return FALSE;
	if (comes(r, DIGESTS) && !pass_digests(r, r->n_folders, r->has_digest, error))
		return FALSE;
	return want(r, END, error);
}

/* How many streams each folder has, and their sizes and checksums. */
static gboolean read_substreams(struct reader *r, GError **error)
{
	gboolean counted = comes(r, STREAM_COUNTS);
	guint sizes = 0, digests = 0;
	guint64 size;

	for (guint i = 0; i < r->n_folders; i++) {
		guint count = 1;

		if (counted && !take_count(r, TRUE, &count, error))
			return FALSE;
		sizes += MAX(count, 1) - 1;
		digests += count == 1 && r->has_digest[i] != 0 ? 0 : count;
	}
	if (comes(r, SIZES))
		for (guint i = 0; i < sizes; i++)
			if (!take_number(r, &size, error))
				return FALSE;
	if (comes(r, DIGESTS) && !pass_digests(r, digests, NULL, error))
		return FALSE;
	return want(r, END, error);
}

static gboolean read_streams(struct reader *r, GError **error)
{
	if (comes(r, PACK_INFO) && !read_pack_info(r, error))
		return FALSE;
	if (comes(r, UNPACK_INFO) && !read_unpack_info(r, error))
		return FALSE;
	if (comes(r, SUBSTREAMS) && !read_substreams(r, error))
		return FALSE;
	return want(r, END, error);
}

/* -- headers -- */

static gboolean read_header(struct reader *r, GError **error)
{
	guint files;

	if (!want(r, HEADER, error))
		return FALSE;
	if (r->left > 0 && *r->at == ARCHIVE_PROPERTIES)
		return damaged(error); /* no program writes any */
	if (comes(r, MAIN_STREAMS) && !read_streams(r, error))
		return FALSE;
	return !comes(r, FILES) || take_count(r, TRUE, &files, error);
}

/* The packed header's bytes by its one coder, LZMA, LZMA2 or none; transfer full, or NULL. */
static guint8 *unpack_header(struct reader *r, const guint8 *archive, gsize size, GError **error)
{
	guint64 room = size - SIGNATURE_HEADER;
	const guint8 *packed = archive + SIGNATURE_HEADER;
	gboolean lzma2 = r->first.method == METHOD_LZMA2;
	lzma_filter filters[2] = {
		{ lzma2 ? LZMA_FILTER_LZMA2 : LZMA_FILTER_LZMA1, NULL },
		{ LZMA_VLI_UNKNOWN, NULL },
	};
	g_autofree guint8 *out = NULL;
	gsize in_at = 0, out_at = 0;
	lzma_ret result;

	if (r->n_folders != 1 || r->first.coders != 1 || r->unpack_size > MAX_HEADER ||
	    r->pack_position > room || r->pack_size > room - r->pack_position ||
	    (r->first.method != METHOD_LZMA && !lzma2 && r->first.method != METHOD_NONE)) {
		damaged(error);
		return NULL;
	}
	packed += r->pack_position;
	out = g_malloc0(r->unpack_size + 1);
	if (r->first.method == METHOD_NONE) {
		memcpy(out, packed, MIN(r->pack_size, r->unpack_size));
		return g_steal_pointer(&out);
	}
	if (lzma_properties_decode(&filters[0], NULL, r->first.properties, lzma2 ? 1 : 5) != LZMA_OK) {
		damaged(error);
		return NULL;
	}
	result =
	    lzma_raw_buffer_decode(filters, NULL, packed, &in_at, r->pack_size, out, &out_at, r->unpack_size);
	free(filters[0].options); /* liblzma's, by malloc() */
	if ((result != LZMA_OK && result != LZMA_BUF_ERROR) || out_at != r->unpack_size) {
		damaged(error);
		return NULL;
	}
	return g_steal_pointer(&out);
}

/* The header at r, and the one that is packed in it. */
static gboolean read_headers(struct reader *r, const guint8 *archive, gsize size, GError **error)
{
	g_autofree guint8 *unpacked = NULL;
	struct reader inner = { .memory = r->memory, .members = r->members };
	gboolean ok;

	if (!comes(r, ENCODED_HEADER))
		return read_header(r, error);
	if (!read_streams(r, error))
		return FALSE;
	unpacked = unpack_header(r, archive, size, error);
	if (unpacked == NULL)
		return FALSE;
	inner.at = unpacked;
	inner.left = r->unpack_size;
	ok = read_header(&inner, error);
	g_free(inner.has_digest);
	return ok;
}

gboolean sevenzip_check(const guint8 *archive, gsize size, guint64 memory, guint members, GError **error)
{
	struct reader r = { .memory = memory, .members = members };
	guint64 room = size < SIGNATURE_HEADER ? 0 : size - SIGNATURE_HEADER, offset;
	gboolean ok;

	if (size < SIGNATURE_HEADER)
		return damaged(error);
	offset = little(archive + 12, 8);
	r.left = little(archive + 20, 8);
	if (offset > room || r.left > MIN(room - offset, MAX_HEADER)) {
		g_set_error(
		    error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "7z: its header is not there, or too large");
		return FALSE;
	}
	if (r.left == 0)
		return TRUE;
	r.at = archive + SIGNATURE_HEADER + offset;
	ok = read_headers(&r, archive, size, error);
	g_free(r.has_digest);
	return ok;
}
