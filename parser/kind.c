#include "parser/kind.h"

#include "parser/cfb.h"
#include "parser/text.h"
#include "parser/tnef.h"

#include <string.h>

#define JUNK_MAX  32 /* bytes before a report that are passed over: a mangled mark, a quote */
#define EOCD_SIZE 22 /* zip's end of central directory record ... */
#define EOCD_TAIL (EOCD_SIZE + 65535) /* ... has a comment of up to 65,535 bytes after it */

static gboolean starts(const guint8 *data, gsize size, const char *magic, gsize n)
{
	return size >= n && memcmp(data, magic, n) == 0;
}

gsize kind_blank(const guint8 *data, gsize size)
{
	gsize at = 0;

	if (starts(data, size, "\xef\xbb\xbf", 3))
		at = 3;
	while (at < size && text_is_space((char)data[at]))
		at++;
	return at;
}

/* The tag may have any case and prefix. */
gboolean kind_is_report_start(const guint8 *data, gsize size)
{
	gsize at = 1;

	if (size == 0 || data[0] != '<')
		return FALSE;
	if (size > 5 && g_ascii_strncasecmp((const char *)data, "<?xml", 5) == 0)
		return text_is_space((char)data[5]);
	while (at < size && (g_ascii_isalnum(data[at]) || data[at] == '-' || data[at] == '_'))
		at++;
	at = at < size && data[at] == ':' ? at + 1 : 1;
	return size > at + 8 && g_ascii_strncasecmp((const char *)data + at, "feedback", 8) == 0 &&
	       (text_is_space((char)data[at + 8]) || data[at + 8] == '>');
}

gsize kind_lead(const guint8 *data, gsize size)
{
	gsize blank = kind_blank(data, size), at = blank;
	gboolean words = FALSE;

	while (at < size && at - blank < JUNK_MAX && data[at] != '<') {
		words |= g_ascii_isalnum(data[at]);
		if (data[at] == '{' || data[at] == '[') /* JSON */
			return blank;
		at++;
	}
	if (at == size || !kind_is_report_start(data + at, size - at))
		return blank;
	return words && data[at + 1] != '?' ? blank : at; /* words before a tag are text about it */
}

/* The first characters without NUL bytes, as ASCII: enough to recognise tags in UTF-8 and UTF-16. */
static gsize first_letters(const guint8 *data, gsize size, char *letters, gsize max)
{
	gsize n = 0, at = 0;

	if (starts(data, size, "\xff\xfe", 2) || starts(data, size, "\xfe\xff", 2))
		at = 2;
	else
		at = kind_lead(data, size);
	for (; at < size && n < max; at++)
		if (data[at] != 0 && (n > 0 || !text_is_space((char)data[at])))
			letters[n++] = (char)data[at];
	return n;
}

/* UTF-16 text has a byte order mark, or its first character's other byte is 0. */
static gboolean may_be_text(const guint8 *data, gsize size)
{
	gsize at = kind_lead(data, size);

	if (at == size)
		return FALSE;
	if (data[at] != 0)
		return TRUE;
	return at == 0 && size >= 4 && (data[1] == '<' || data[1] == '{') && data[2] == 0;
}

static gboolean has_zip_end(const guint8 *data, gsize size)
{
	gsize last = size < EOCD_SIZE ? 0 : size - EOCD_SIZE + 1;
	gsize first = size > EOCD_TAIL ? size - EOCD_TAIL : 0;

	for (gsize at = last; at-- > first;)
		if (data[at] == 'P' && memcmp(data + at, "PK\5\6", 4) == 0)
			return TRUE;
	return FALSE;
}

/* Deflate with the usual window, the header's check bits right, and no dictionary. */
static gboolean is_zlib(const guint8 *data, gsize size)
{
	return size >= 8 && data[0] == 0x78 && (data[0] << 8 | data[1]) % 31 == 0 && (data[1] & 0x20) == 0;
}

/* The header's octal checksum at 148 is the sum of its bytes, with blanks in its own place. */
static gboolean is_tar(const guint8 *data, gsize size)
{
	guint sum = 8 * ' ', want = 0;
	gsize at = 148;

	if (size < 512 || data[0] == 0)
		return FALSE;
	for (gsize i = 0; i < 512; i++)
		sum += i < 148 || i >= 156 ? data[i] : 0U;
	while (at < 156 && data[at] == ' ')
		at++;
	for (; at < 156 && data[at] >= '0' && data[at] <= '7'; at++)
		want = want * 8 + (guint)(data[at] - '0');
	return want == sum;
}

/* The header has no magic number: the usual properties, a dictionary of 2^n or 3 * 2^n bytes, a size that is
 * unknown or below 256 GiB, then the first byte of a range coder. */
static gboolean is_lzma(const guint8 *data, gsize size)
{
	guint32 dictionary;
	guint64 unpacked;

	if (size < 14 || data[0] != 0x5d || data[13] != 0)
		return FALSE;
	memcpy(&dictionary, data + 1, 4);
	memcpy(&unpacked, data + 5, 8);
	dictionary = GUINT32_FROM_LE(dictionary);
	unpacked = GUINT64_FROM_LE(unpacked);
	while (dictionary > 3 && dictionary % 2 == 0)
		dictionary /= 2;
	return dictionary >= 1 && dictionary <= 3 &&
	       (unpacked == G_MAXUINT64 || unpacked < G_GUINT64_CONSTANT(1) << 38);
}

const char *kind_name(enum kind kind)
{
	static const char *const NAMES[] = { [KIND_OTHER] = "bytes",
		[KIND_GZIP] = "gzip",
		[KIND_ZLIB] = "zlib",
		[KIND_ZIP] = "zip",
		[KIND_TAR] = "tar",
		[KIND_BZIP2] = "bzip2",
		[KIND_ZSTD] = "zstd",
		[KIND_XZ] = "xz",
		[KIND_LZMA] = "lzma",
		[KIND_7Z] = "7z",
		[KIND_TNEF] = "winmail.dat",
		[KIND_OLE2] = "OLE2",
		[KIND_XML] = "XML",
		[KIND_JSON] = "JSON",
		[KIND_MAIL] = "a mail" };

	return NAMES[kind];
}

gboolean kind_is_archive(enum kind kind)
{
	return kind == KIND_GZIP || kind == KIND_ZLIB || kind == KIND_ZIP || kind == KIND_TAR ||
	       kind == KIND_BZIP2 || kind == KIND_ZSTD || kind == KIND_XZ || kind == KIND_LZMA ||
	       kind == KIND_7Z || kind == KIND_TNEF;
}

gboolean kind_is_container(enum kind kind)
{
	return kind_is_archive(kind) || kind == KIND_OLE2;
}

static enum kind kind_of_start(const guint8 *data, gsize size)
{
	char first = 0;

	if (starts(data, size, "\x1f\x8b", 2))
		return KIND_GZIP;
	if (starts(data, size, "PK\3\4", 4) || starts(data, size, "PK\5\6", 4) ||
	    starts(data, size, "PK00PK", 6))
		return KIND_ZIP;
	if (is_zlib(data, size))
		return KIND_ZLIB;
	if (size >= 10 && memcmp(data, "BZh", 3) == 0 && memcmp(data + 4, "1AY&SY", 6) == 0)
		return KIND_BZIP2;
	if (starts(data, size, "\x28\xb5\x2f\xfd", 4))
		return KIND_ZSTD;
	if (starts(data, size,
		"\xfd"
		"7zXZ\0",
		6))
		return KIND_XZ;
	if (starts(data, size, "7z\xbc\xaf\x27\x1c", 6))
		return KIND_7Z;
	if (tnef_begins(data, size))
		return KIND_TNEF;
	if (cfb_begins(data, size))
		return KIND_OLE2;
	if (is_lzma(data, size))
		return KIND_LZMA;
	if (is_tar(data, size))
		return KIND_TAR;
	if (!may_be_text(data, size) || first_letters(data, size, &first, 1) == 0)
		return KIND_OTHER;
	return first == '<' ? KIND_XML : first == '{' ? KIND_JSON : KIND_OTHER;
}

enum kind kind_of(const guint8 *data, gsize size)
{
	enum kind kind = kind_of_start(data, size);

	return kind == KIND_OTHER && has_zip_end(data, size) ? KIND_ZIP : kind;
}

/* "Name:" or mbox's "From " (RFC 5322 section 2.2: printable but ':'). */
gboolean kind_is_field(const guint8 *data, gsize size)
{
	gsize at = 0;

	if (starts(data, size, "From ", 5) || starts(data, size, ">From ", 6))
		return TRUE;
	while (at < size && data[at] > ' ' && data[at] < 0x7f && data[at] != ':')
		at++;
	while (at > 0 && at < size && (data[at] == ' ' || data[at] == '\t'))
		at++;
	return at > 0 && at < size && data[at] == ':';
}

enum kind kind_of_document(const guint8 *data, gsize size)
{
	enum kind kind = kind_of_start(data, size);

	if (kind == KIND_XML && kind_lead(data, size) > kind_blank(data, size) && kind_is_field(data, size))
		return KIND_MAIL;
	if (kind != KIND_OTHER)
		return kind;
	if (!kind_is_field(data, size) && has_zip_end(data, size))
		return KIND_ZIP;
	return KIND_MAIL;
}

gboolean kind_is_report_like(const guint8 *data, gsize size)
{
	char letters[64];
	gsize n = first_letters(data, size, letters, sizeof letters);
	gsize at = 1;

	if (n >= 5 && g_ascii_strncasecmp(letters, "<?xml", 5) == 0)
		return TRUE;
	while (at < n && letters[at] != ':' && letters[at] != '>' && !text_is_space(letters[at]))
		at++;
	at = at < n && letters[at] == ':' ? at + 1 : 1;
	return n >= at + 8 && g_ascii_strncasecmp(letters + at, "feedback", 8) == 0;
}
