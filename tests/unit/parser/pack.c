#include "tests/unit/parser/pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <gio/gio.h>
#include <string.h>

static GByteArray *deflate(const void *data, gsize size, GZlibCompressorFormat format)
{
	g_autoptr(GConverter) deflater = G_CONVERTER(g_zlib_compressor_new(format, 9));
	GByteArray *out = g_byte_array_new();
	GConverterResult result;

	g_byte_array_set_size(out, (guint)size + 1024);
	{
		gsize read, written;

		result = g_converter_convert(deflater, data, size, out->data, out->len,
		    G_CONVERTER_INPUT_AT_END, &read, &written, NULL);
		g_assert(result == G_CONVERTER_FINISHED && read == size);
		g_byte_array_set_size(out, (guint)written);
	}
	return out;
}

GByteArray *pack_text(const char *text)
{
	GByteArray *out = g_byte_array_new();

	g_byte_array_append(out, (const guint8 *)text, (guint)strlen(text));
	return out;
}

GByteArray *pack_gzip(const void *data, gsize size)
{
	return deflate(data, size, G_ZLIB_COMPRESSOR_FORMAT_GZIP);
}

GByteArray *pack_zlib(const void *data, gsize size)
{
	return deflate(data, size, G_ZLIB_COMPRESSOR_FORMAT_ZLIB);
}

static void add_member(struct archive *zip, const struct pack_member *member)
{
	struct archive_entry *entry = archive_entry_new();
	gboolean directory = g_str_has_suffix(member->name, "/");

	archive_entry_set_pathname(entry, member->name);
	archive_entry_set_filetype(entry, directory ? AE_IFDIR : AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_size(entry, (la_int64_t)member->size);
	g_assert(archive_write_header(zip, entry) == ARCHIVE_OK);
	if (member->size > 0)
		g_assert(archive_write_data(zip, member->data, member->size) == (la_ssize_t)member->size);
	archive_entry_free(entry);
}

/* to: with its format set; freed. */
static GByteArray *write_members(struct archive *to, const struct pack_member *member, gsize n)
{
	GByteArray *out = g_byte_array_new();
	gsize room = 64 * 1024, used = 0;

	for (gsize i = 0; i < n; i++)
		room += member[i].size + 2048;
	g_byte_array_set_size(out, (guint)room);
	archive_write_set_bytes_in_last_block(to, 1);
	g_assert(archive_write_open_memory(to, out->data, out->len, &used) == ARCHIVE_OK);
	for (gsize i = 0; i < n; i++)
		add_member(to, &member[i]);
	g_assert(archive_write_close(to) == ARCHIVE_OK);
	archive_write_free(to);
	g_byte_array_set_size(out, (guint)used);
	return out;
}

GByteArray *pack_zip(const struct pack_member *member, gsize n)
{
	struct archive *zip = archive_write_new();

	archive_write_set_format_zip(zip);
	return write_members(zip, member, n);
}

GByteArray *pack_tar(const struct pack_member *member, gsize n)
{
	struct archive *tar = archive_write_new();

	archive_write_set_format_ustar(tar);
	return write_members(tar, member, n);
}

GByteArray *pack_7z(const struct pack_member *member, gsize n, const char *compression)
{
	struct archive *archive = archive_write_new();

	archive_write_set_format_7zip(archive);
	g_assert(archive_write_set_format_option(archive, "7zip", "compression", compression) == ARCHIVE_OK);
	return write_members(archive, member, n);
}

/* In little-endian order, and zeros beyond the eighth byte. */
static void put(GByteArray *to, guint64 number, guint bytes)
{
	for (; bytes > 0; bytes--, number >>= 8)
		g_byte_array_append(to, &(guint8){ (guint8)number }, 1);
}

static void put_attribute(GByteArray *to, guint8 level, guint32 id, const void *data, gsize size)
{
	guint sum = 0;

	for (gsize i = 0; i < size; i++)
		sum += ((const guint8 *)data)[i];
	put(to, level, 1);
	put(to, id, 4);
	put(to, size, 4);
	g_byte_array_append(to, data, (guint)size);
	put(to, sum, 2);
}

GByteArray *pack_tnef(const struct pack_member *member, gsize n)
{
	GByteArray *out = g_byte_array_new();

	put(out, 0x223e9f78, 4);
	put(out, 1, 2);
	put_attribute(out, 1, 0x00018004, "Report", 7); /* attSubject */
	for (gsize i = 0; i < n; i++) {
		put_attribute(
		    out, 2, 0x00069002, "\1\0\xff\xff\xff\xff\0\0\0\0\0\0\0\0", 14); /* attAttachRendData */
		put_attribute(out, 2, 0x0006800f, member[i].data, member[i].size);   /* attAttachData */
		put_attribute(
		    out, 2, 0x00018010, member[i].name, strlen(member[i].name) + 1); /* attAttachTitle */
	}
	return out;
}

static guint32 crc32_of(const guint8 *data, gsize size)
{
	guint32 crc = 0xffffffff;

	for (gsize i = 0; i < size; i++) {
		crc ^= data[i];
		for (guint bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
	}
	return ~crc;
}

/* What the head of a member and its entry in the directory have both. */
static void put_member(
    GByteArray *to, const char *name, guint8 method, gsize packed, const void *data, gsize size)
{
	put(to, 63, 2);                   /* version needed */
	put(to, method == 14 ? 2 : 0, 2); /* flags: LZMA has a mark at its end */
	put(to, method, 2);
	put(to, 0x21 << 16, 4); /* time */
	put(to, crc32_of(data, size), 4);
	put(to, packed, 4);
	put(to, size, 4);
	put(to, strlen(name), 2);
	put(to, 0, 2); /* extra field */
}

GByteArray *pack_zip_method(
    const char *name, guint8 method, const GByteArray *packed, const void *data, gsize size)
{
	GByteArray *out = pack_text("PK\3\4");
	guint directory, directory_size;

	put_member(out, name, method, packed->len, data, size);
	g_byte_array_append(out, (const guint8 *)name, (guint)strlen(name));
	pack_append(out, packed);
	directory = out->len;
	g_byte_array_append(out, (const guint8 *)"PK\1\2", 4);
	put(out, 63, 2); /* version made by */
	put_member(out, name, method, packed->len, data, size);
	put(out, 0, 2 + 2 + 2 + 4 + 4); /* comment, disk, attributes, offset of the head */
	g_byte_array_append(out, (const guint8 *)name, (guint)strlen(name));
	directory_size = out->len - directory;
	g_byte_array_append(out, (const guint8 *)"PK\5\6", 4);
	put(out, 0, 4);
	put(out, 1, 2);
	put(out, 1, 2);
	put(out, directory_size, 4);
	put(out, directory, 4);
	put(out, 0, 2);
	return out;
}

GByteArray *pack_zip_lzma(const char *name, const void *data, gsize size)
{
	g_autoptr(GByteArray) alone = pack_filtered(data, size, ARCHIVE_FILTER_LZMA);
	g_autoptr(GByteArray) packed = g_byte_array_new();

	put(packed, 9 | 20 << 8, 2); /* version of the LZMA SDK */
	put(packed, 5, 2);           /* bytes of properties, which are those of a file of the LZMA utils */
	g_byte_array_append(packed, alone->data, 5);
	g_byte_array_append(packed, alone->data + 13, alone->len - 13);
	return pack_zip_method(name, 14, packed, data, size);
}

GByteArray *pack_filtered(const void *data, gsize size, int filter)
{
	const struct pack_member member = { "data", data, size };
	struct archive *raw = archive_write_new();

	g_assert(archive_write_add_filter(raw, filter) == ARCHIVE_OK);
	archive_write_set_format_raw(raw);
	return write_members(raw, &member, 1);
}

void pack_append(GByteArray *to, const GByteArray *more)
{
	g_byte_array_append(to, more->data, more->len);
}
