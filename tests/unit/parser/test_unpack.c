/* Archives into members. Numbers in names are those of the assertions in the standards digest. */
#include "parser/unpack.h"
#include "tests/unit/parser/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <archive.h>
#include <cmocka.h>
#include <lzma.h>

/* What the visitor heard: "[name|content]" for each member; "!code" instead of "]" when it broke. */
struct heard {
	GString *text;
	gsize skip_at; /* ask for no more from this many bytes of a member on */
	gsize bytes;
	gboolean fail;
	gboolean told; /* with reasons for codes */
};

static gboolean on_begin(gpointer user, const char *name, GError **error)
{
	struct heard *heard = user;

	(void)error;
	heard->bytes = 0;
	g_string_append_printf(heard->text, "[%s|", name ? name : "");
	return TRUE;
}

static enum unpack_next on_piece(gpointer user, const guint8 *data, gsize size, GError **error)
{
	struct heard *heard = user;

	if (heard->fail) {
		g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC, "full");
		return UNPACK_FAIL;
	}
	heard->bytes += size;
	if (heard->bytes <= 64)
		g_string_append_len(heard->text, (const char *)data, (gssize)size);
	return heard->skip_at != 0 && heard->bytes >= heard->skip_at ? UNPACK_SKIP : UNPACK_MORE;
}

static const char *code_of(const GError *error)
{
	if (error->domain != RUAD_ERROR)
		return "other";
	return error->code == RUAD_ERROR_LIMIT ? "limit" : "syntax";
}

static gboolean on_end(gpointer user, const GError *broken, GError **error)
{
	struct heard *heard = user;

	(void)error;
	if (broken == NULL)
		g_string_append_c(heard->text, ']');
	else
		g_string_append_printf(heard->text, "!%s", heard->told ? broken->message : code_of(broken));
	return TRUE;
}

static const struct unpack_visitor VISITOR = { on_begin, on_piece, on_end };

static char *walk_with(const GByteArray *archive, struct unpack_budget *budget, struct heard *heard)
{
	g_autoptr(GError) error = NULL;
	/* a copy of that size, so that a read beyond it is seen */
	g_autofree guint8 *data = g_memdup2(archive->data, archive->len);

	heard->text = g_string_new(NULL);
	if (!unpack_walk(data, archive->len, kind_of(data, archive->len), budget, &VISITOR, heard, &error))
		g_string_append_printf(
		    heard->text, "FAILED %s", heard->told ? error->message : code_of(error));
	return g_string_free(heard->text, FALSE);
}

/* As walk_with(), with the reasons in place of their codes. */
static char *walk_told(const GByteArray *archive)
{
	struct unpack_budget budget = { 1 << 30, 10 };
	struct heard heard = { .told = TRUE };

	return walk_with(archive, &budget, &heard);
}

static char *walk(const GByteArray *archive)
{
	struct unpack_budget budget = { 1 << 30, 100 };
	struct heard heard = { 0 };

	return walk_with(archive, &budget, &heard);
}

static void check(GByteArray *archive, const char *want)
{
	g_autofree char *got = walk(archive);

	assert_string_equal(got, want);
	g_byte_array_unref(archive);
}

static GByteArray *zip_of_two(void)
{
	const struct pack_member members[] = {
		{ "a/", NULL, 0 },
		{ "a/one.xml", "first", 5 },
		{ "two.xml", "second", 6 },
		{ "empty", "", 0 },
	};

	return pack_zip(members, G_N_ELEMENTS(members));
}

static GByteArray *a_7z(const char *compression)
{
	static const char LONG[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	const struct pack_member members[] = { { "a/", NULL, 0 }, { "a/one.xml", "first", 5 },
		{ "empty", "", 0 }, { LONG, "second", 6 }, { LONG, "third", 5 } };

	return pack_7z(members, G_N_ELEMENTS(members), compression);
}

#define LONG64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define IN_7Z  "[a/one.xml|first][" LONG64 "|second][" LONG64 "|third][empty|]"

static void the_files_of_a_winmail_dat_are_unpacked(void **state)
{
	const struct pack_member members[] = {
		{ "a.xml", "hello", 5 },
		{ "b.gz", "", 0 },
		{ "c.xml", "world", 5 },
	};

	(void)state;
	check(pack_tnef(members, G_N_ELEMENTS(members)), "[a.xml|hello][b.gz|][c.xml|world]");
	check(pack_tnef(members, 1), "[a.xml|hello]");
	check(pack_tnef(NULL, 0), "");
}

/* Only a cut behind an attribute, or in its checksum, cannot be seen. */
static void a_winmail_dat_that_is_cut_says_so(void **state)
{
	const struct pack_member members[] = { { "a.xml", "hello", 5 }, { "c.xml", "world", 5 } };
	g_autoptr(GByteArray) whole = pack_tnef(members, G_N_ELEMENTS(members));
	guint silent = 0;

	(void)state;
	for (guint size = 6; size < whole->len - 2; size++) {
		GByteArray *cut = g_byte_array_new();
		g_autofree char *got = walk(g_byte_array_append(cut, whole->data, size));

		silent += strstr(got, "syntax") == NULL ? 1 : 0;
		assert_true(strstr(got, "world") == NULL || g_str_has_prefix(got, "[a.xml|hello]["));
		g_byte_array_unref(cut);
	}
	assert_int_equal(silent, 1 + 3 * 6); /* before the first of seven attributes, and behind six */
}

static void a_7z_is_unpacked_by_every_method_of_bounded_memory(void **state)
{
	static const char *const METHODS[] = { "lzma1", "lzma2", "ppmd", "bzip2", "deflate", "store" };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(METHODS); i++)
		check(a_7z(METHODS[i]), IN_7Z);
	check(pack_7z(NULL, 0, "store"), "");
}

/* A bit of each byte is changed, or the archive ends there. A member with other content is broken. */
static void a_7z_cut_or_changed_anywhere_gives_no_wrong_member(void **state)
{
	g_autoptr(GByteArray) whole = a_7z("lzma1");

	(void)state;
	for (guint at = 6; at < whole->len; at++)
		for (guint bit = 0; bit < 9; bit++) {
			g_autoptr(GByteArray) other = g_byte_array_new();
			g_autofree char *got = NULL;

			g_byte_array_append(other, whole->data, bit == 8 ? at : whole->len);
			if (bit < 8)
				other->data[at] ^= (guint8)(1 << bit);
			got = walk(other);
			for (const char *from = strchr(got, '|'); from != NULL;
			     from = strchr(from + 1, '|')) {
				const char *end = from + strcspn(from, "]!");

				if (*end == ']' && !g_str_has_prefix(from, "|first]") &&
				    !g_str_has_prefix(from, "|second]") &&
				    !g_str_has_prefix(from, "|third]") && !g_str_has_prefix(from, "|]"))
					fail_msg("changed at %u: %s", at, got);
			}
		}
}

static void streams_of_xz_are_joined_and_bytes_after_them_ignored(void **state)
{
	GByteArray *xz = pack_filtered("hello ", 6, ARCHIVE_FILTER_XZ);
	g_autoptr(GByteArray) more = pack_filtered("world", 5, ARCHIVE_FILTER_XZ);

	(void)state;
	pack_append(xz, more);
	g_byte_array_append(xz, (const guint8 *)"rest", 4);
	check(xz, "[|hello world]");
}

static void a_zip_member_packed_by_lzma_or_zstd_is_unpacked(void **state)
{
	g_autoptr(GByteArray) zstd = pack_filtered("hello", 5, ARCHIVE_FILTER_ZSTD);

	(void)state;
	check(pack_zip_lzma("a.xml", "hello", 5), "[a.xml|hello]");
	check(
	    pack_zip_method("a.xml", 93, zstd, "hello", 5), "[a.xml|hello]"); /* libarchive 3.6.2 or later */
}

/* The numbers of 7z that fit into a byte. */
static void add_numbers(GByteArray *to, const char *bytes, guint n)
{
	g_byte_array_append(to, (const guint8 *)bytes, n);
}

/* A 7z with one file in one folder of one coder: no bytes of it are there. */
static GByteArray *hungry_7z(guint8 id_size, const char *id, guint8 size, const char *properties)
{
	GByteArray *out = g_byte_array_new();
	guint8 flags = id_size | 0x20, header;

	add_numbers(out, "7z\xbc\xaf\x27\x1c\0\4", 8);
	g_byte_array_set_size(out, 32);
	memset(out->data + 8, 0, 24);
	add_numbers(out, "\1\4\6\0\1\x09\1\0", 8); /* header, streams, one packed stream of a byte */
	add_numbers(out, "\7\x0b\1\0\1", 5);       /* one folder, of one coder: */
	g_byte_array_append(out, &flags, 1);
	add_numbers(out, id, id_size);
	g_byte_array_append(out, &size, 1);
	add_numbers(out, properties, size);
	add_numbers(out, "\x0c\1\0\0\5\1\0\0", 8); /* a byte when it is unpacked; one file */
	header = (guint8)(out->len - 32);
	out->data[20] = header;
	return out;
}

/* An xz whose block has a dictionary of 1.5 GiB. */
static GByteArray *hungry_xz(void)
{
	GByteArray *xz = pack_filtered("hello", 5, ARCHIVE_FILTER_XZ);
	guint8 *block = xz->data + 12; /* its size, flags, LZMA2's number, the size of its properties, them */
	gsize size = (block[0] + 1U) * 4;
	guint32 crc;

	assert_int_equal(block[2], 0x21);
	block[4] = 0x25;
	crc = lzma_crc32(block, size - 4, 0);
	for (guint i = 0; i < 4; i++)
		block[size - 4 + i] = (guint8)(crc >> 8 * i);
	return xz;
}

/* The reason of the last member, or of the walk. */
static void check_refused(GByteArray *archive, const char *reason)
{
	g_autofree char *got = walk_told(archive);

	g_byte_array_unref(archive);
	if (strstr(got, reason) == NULL)
		fail_msg("got %s, want %s", got, reason);
}

/* Each asks for a dictionary of 1.5 GiB or more, and for none that is too large. */
static void what_takes_too_much_memory_is_not_unpacked(void **state)
{
	static const guint8 dictionary[] = { 0, 0, 0, 0x60 };
	GByteArray *lzma = pack_filtered("hello", 5, ARCHIVE_FILTER_LZMA);
	GByteArray *zip = pack_zip_lzma("a.xml", "hello", 5);
	GByteArray *second = pack_zip_lzma("a.xml", "hello", 5);

	(void)state;
	memcpy(lzma->data + 1, dictionary, 4);
	check_refused(lzma, "lzma: takes 1536 MiB of memory to unpack, more than 128");
	memcpy(zip->data + 30 + 5 + 5, dictionary, 4);
	check_refused(zip, "zip: takes 1536 MiB of memory to unpack, more than 128");
	memcpy(second->data + 30 + 5 + 5, "\0\0\0\x08", 4);
	check(second, "[a.xml|hello]");
	check_refused(hungry_xz(), "xz: takes 1536 MiB of memory to unpack, more than 128");
	check_refused(hungry_7z(3, "\x03\x01\x01", 5, "\x5d\0\0\0\x60"),
	    "7z: takes 1536 MiB of memory to unpack, more than 128");
	check_refused(
	    hungry_7z(1, "\x21", 1, "\x25"), "7z: takes 1536 MiB of memory to unpack, more than 128");
	check_refused(hungry_7z(3, "\x03\x04\x01", 5, "\x06\0\0\0\x60"),
	    "7z: takes 1536 MiB of memory to unpack, more than 128");
	check_refused(hungry_7z(4, "\x06\xf1\x07\x01", 1, "\x00"), "7z: encrypted, cannot be read");
	check_refused(
	    hungry_7z(3, "\x04\x01\x09", 0, ""), "7z: packed by a method that is not unpacked here");
}

static void the_members_of_a_7z_are_counted_before_it_is_unpacked(void **state)
{
	struct pack_member member[12];

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(member); i++)
		member[i] = (struct pack_member){ "a", "x", 1 };
	for (guint n = 9; n <= 11; n++) {
		g_autoptr(GByteArray) archive = pack_7z(member, n, "lzma1");
		g_autofree char *got = walk_told(archive);

		if (g_str_has_prefix(got, "[a|x]") != (n <= 10) ||
		    g_str_equal(got, "FAILED has more archive members than are allowed for one mail") !=
			(n > 10))
			fail_msg("%u: %s", n, got);
	}
}

static void gzip_is_one_member(void **state)
{
	(void)state;
	check(pack_gzip("hello", 5), "[|hello]");
	check(pack_gzip("", 0), "[|]");
	check(pack_zlib("hello", 5), "[|hello]");
}

static void packed_files_are_unpacked_and_broken_when_truncated(void **state)
{
	static const int FILTERS[] = { ARCHIVE_FILTER_BZIP2, ARCHIVE_FILTER_ZSTD, ARCHIVE_FILTER_XZ,
		ARCHIVE_FILTER_LZMA };
	const struct pack_member members[] = { { "a/", NULL, 0 }, { "a/one.xml", "first", 5 },
		{ "two.xml", "second", 6 } };
	GByteArray *tar = pack_tar(members, G_N_ELEMENTS(members));

	(void)state;
	check(tar, "[a/one.xml|first][two.xml|second]");
	for (gsize i = 0; i < G_N_ELEMENTS(FILTERS); i++) {
		GByteArray *cut = pack_filtered("hello", 5, FILTERS[i]);
		g_autofree char *got = NULL;

		check(pack_filtered("hello", 5, FILTERS[i]), "[|hello]");
		g_byte_array_set_size(cut, cut->len - 5);
		got = walk(cut);
		g_byte_array_unref(cut);
		if (strstr(got, "syntax") == NULL)
			fail_msg("filter %d: %s", FILTERS[i], got);
	}
}

static void assertion_30_gzip_members_are_joined(void **state)
{
	GByteArray *gzip = pack_gzip("hello", 5);
	g_autoptr(GByteArray) empty = pack_gzip("", 0);
	g_autoptr(GByteArray) more = pack_gzip(", world", 7);

	(void)state;
	pack_append(gzip, empty);
	pack_append(gzip, more);
	check(gzip, "[|hello, world]");
}

static void assertion_30_bytes_after_gzip_are_left_alone(void **state)
{
	static const char *const tails[] = { "\r\n", "-- \nThe list's footer", "\x1f", "\x1f\x8b", "PK\3\4" };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(tails); i++) {
		GByteArray *gzip = pack_gzip("hello", 5);

		g_byte_array_append(gzip, (const guint8 *)tails[i], (guint)strlen(tails[i]));
		check(gzip, "[|hello]");
	}
}

static void assertion_30_gzip_cut_anywhere_is_broken(void **state)
{
	g_autoptr(GByteArray) whole = pack_gzip("hello", 5);

	(void)state;
	for (guint size = 3; size < whole->len; size++) {
		g_autoptr(GByteArray) cut = g_byte_array_new();
		g_autofree char *got = NULL;

		g_byte_array_append(cut, whole->data, size);
		got = walk(cut);
		assert_true(g_str_has_suffix(got, "!syntax"));
	}
}

static void assertion_30_gzip_with_a_wrong_checksum_or_length_is_broken(void **state)
{
	(void)state;
	for (guint back = 1; back <= 8; back++) {
		GByteArray *gzip = pack_gzip("hello", 5);

		gzip->data[gzip->len - back] ^= 1;
		check(gzip, "[|!syntax");
	}
}

static void assertion_28_all_files_of_a_zip_and_no_directories(void **state)
{
	(void)state;
	check(zip_of_two(), "[a/one.xml|first][two.xml|second][empty|]");
}

static void zip_behind_junk_is_found(void **state)
{
	GByteArray *archive = g_byte_array_new();
	g_autoptr(GByteArray) zip = zip_of_two();

	(void)state;
	g_byte_array_append(archive, (const guint8 *)"some junk before\r\n", 18);
	pack_append(archive, zip);
	check(archive, "[a/one.xml|first][two.xml|second][empty|]");
}

/* The offset of the directory's first entry of a zip. */
static guint directory_at(const GByteArray *zip)
{
	const guint8 *at = memmem(zip->data, zip->len, "PK\1\2", 4);

	assert_non_null(at);
	return (guint)(at - zip->data);
}

static void zip_whose_directory_is_of_no_use_is_read_by_its_heads(void **state)
{
	GByteArray *damaged = zip_of_two(), *astray = zip_of_two(), *cut = zip_of_two();
	GByteArray *behind_junk = g_byte_array_new();

	(void)state;
	damaged->data[directory_at(damaged)] ^= 1;
	g_byte_array_append(behind_junk, (const guint8 *)"some junk before\r\n", 18);
	pack_append(behind_junk, damaged);
	check(damaged, "[a/one.xml|first][two.xml|second][empty|]");
	check(behind_junk, "[a/one.xml|first][two.xml|second][empty|]");
	/* the places of the members (APPNOTE 4.3.12) */
	for (guint i = directory_at(astray); i + 46 <= astray->len; i++)
		if (memcmp(astray->data + i, "PK\1\2", 4) == 0)
			memset(astray->data + i + 42, 0x77, 4);
	check(astray, "[a/one.xml|first][two.xml|second][empty|]");
	g_byte_array_set_size(cut, directory_at(cut) + 20);
	check(cut, "[a/one.xml|first][two.xml|second][empty|]");
}

/* Names and sizes in the directory are not believed: what was packed and its checksum are. */
static void zip_whose_directory_disagrees_with_its_members_is_read(void **state)
{
	GByteArray *name = zip_of_two(), *small = zip_of_two(), *large = zip_of_two();

	(void)state;
	for (guint i = directory_at(name); i + 46 <= name->len; i++)
		if (memcmp(name->data + i, "PK\1\2", 4) == 0 &&
		    (name->data[i + 46] == 'a' || name->data[i + 46] == 't')) {
			name->data[i + 46] = 'q';
			small->data[i + 24] = 1;
			memset(large->data + i + 24, 0x22, 4);
		}
	check(name, "[a/one.xml|first][two.xml|second][empty|]");
	check(small, "[a/one.xml|first][two.xml|second][empty|]");
	check(large, "[a/one.xml|first][two.xml|second][empty|]");
}

/*
 * The same where the sizes follow the data (APPNOTE 4.4.4 bit 3). Whether pack_zip() writes such a zip
 * depends on the version of libarchive.
 */
static void zip_of_trailing_sizes_whose_directory_disagrees_is_read(void **state)
{
	static const guint8 ZIP[] =
	    "PK\3\4\x14\0\x8\0\x8\0\xd0\x91\x7e\x5d" /* no checksum, no sizes */
	    "\0\0\0\0\0\0\0\0\0\0\0\0\3\0\0\0one"
	    "\x4b\xcb\x2c\x2a\x2e\1\0" /* "first", deflated */
	    "PK\7\x8\x57\xee\x71\x92\7\0\0\0\5\0\0\0"
	    "PK\1\2\x14\3\x14\0\x8\0\x8\0\xd0\x91\x7e\x5d"
	    "\x57\xee\x71\x92\7\0\0\0\5\0\0\0\3\0\0\0\0\0\0\0\0\0\0\0\x80\1\0\0\0\0one"
	    "PK\5\6\0\0\0\0\1\0\1\0\x31\0\0\0\x38\0\0\0\0\0";
	static const struct {
		guint place; /* in the directory's entry (APPNOTE 4.3.12) */
		guint8 bits;
		const char *want;
	} ROWS[] = {
		{ 0, 0, "[one|first]" }, { 24, 5 ^ 1, "[one|first]" }, /* a smaller size */
		{ 27, 0x7f, "[one|first]" },                           /* a larger one */
		{ 16, 1, "[one|!syntax" },                             /* the checksum */
	};

	(void)state;
	for (guint i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		GByteArray *zip = g_byte_array_new();

		g_byte_array_append(zip, ZIP, sizeof ZIP - 1);
		zip->data[directory_at(zip) + ROWS[i].place] ^= ROWS[i].bits;
		check(zip, ROWS[i].want);
	}
}

static void zip_with_a_wrong_checksum_breaks_that_member_only(void **state)
{
	GByteArray *zip = zip_of_two();

	(void)state;
	/* the checksum in the directory's entry (APPNOTE 4.3.12) */
	for (guint i = 0; i + 46 <= zip->len; i++)
		if (memcmp(zip->data + i, "PK\1\2", 4) == 0 && memcmp(zip->data + i + 46, "a/one", 5) == 0)
			zip->data[i + 16] ^= 1;
	check(zip, "[a/one.xml|!syntax[two.xml|second][empty|]");
}

/* A zip of three, with bits of the second's header fields set in both places (APPNOTE 4.3.7, 4.3.12). */
static GByteArray *zip_with_second_set(guint local_offset, guint8 bits)
{
	static const char LONG[] = "too long to be smaller than the twelve bytes before encrypted data";
	const struct pack_member members[] = { { "one", "first", 5 }, { "two", LONG, sizeof LONG },
		{ "three", "third", 5 } };
	GByteArray *zip = pack_zip(members, G_N_ELEMENTS(members));

	for (guint i = 0; i + 50 <= zip->len; i++) {
		if (memcmp(zip->data + i, "PK\3\4", 4) == 0 && memcmp(zip->data + i + 30, "two", 3) == 0)
			zip->data[i + local_offset] |= bits;
		if (memcmp(zip->data + i, "PK\1\2", 4) == 0 && memcmp(zip->data + i + 46, "two", 3) == 0)
			zip->data[i + local_offset + 2] |= bits;
	}
	return zip;
}

static void assertion_28_encrypted_member_is_broken(void **state)
{
	(void)state;
	check(zip_with_second_set(6, 1), "[one|first][two|!syntax[three|third]");
}

/* A zip whose second member says of itself that it is packed otherwise: by its directory, and without. */
static void check_method(guint8 method)
{
	GByteArray *zip = zip_with_second_set(8, 0), *streamed = zip_with_second_set(8, 0);

	for (guint i = 0; i + 50 <= zip->len; i++) {
		if (memcmp(zip->data + i, "PK\3\4", 4) == 0 && memcmp(zip->data + i + 30, "two", 3) == 0)
			zip->data[i + 8] = streamed->data[i + 8] = method;
		if (memcmp(zip->data + i, "PK\1\2", 4) == 0 && memcmp(zip->data + i + 46, "two", 3) == 0)
			zip->data[i + 10] = method;
	}
	g_byte_array_set_size(streamed, directory_at(streamed) + 20);
	check(zip, "[one|first][two|!syntax[three|third]");
	check(streamed, "[one|first][two|!syntax[three|third]");
}

/* Those of xz and PPMd may ask for 4 GiB; the others are of old or unknown to libarchive. */
static void a_method_of_unbounded_memory_is_not_unpacked(void **state)
{
	static const guint8 methods[] = { 1, 6, 9, 16, 19, 94, 95, 98, 99, 200 };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(methods); i++)
		check_method(methods[i]);
}

static void zip_cut_anywhere_gives_no_wrong_member_and_is_broken_before_its_directory(void **state)
{
	g_autoptr(GByteArray) whole = zip_of_two();

	(void)state;
	for (guint size = 4; size < whole->len; size++) {
		g_autoptr(GByteArray) cut = g_byte_array_new();
		g_autofree char *got = NULL;

		g_byte_array_append(cut, whole->data, size);
		got = walk(cut);
		if (size < directory_at(whole) && strchr(got, '!') == NULL &&
		    strstr(got, "]FAILED syntax") == NULL && !g_str_equal(got, "FAILED syntax"))
			fail_msg("cut at %u: %s", size, got);
		for (const char *at = strchr(got, '|'); at != NULL; at = strchr(at + 1, '|')) {
			const char *end = at + strcspn(at, "]!");

			if (*end == ']' && !g_str_has_prefix(at, "|first]") &&
			    !g_str_has_prefix(at, "|second]") && !g_str_has_prefix(at, "|]"))
				fail_msg("cut at %u: %s", size, got);
		}
	}
}

static void the_budget_of_bytes_holds_at_n_minus_1_n_n_plus_1(void **state)
{
	(void)state;
	for (guint64 n = 4; n <= 6; n++) {
		struct unpack_budget budget = { n, 1 };
		struct heard heard = { 0 };
		g_autoptr(GByteArray) gzip = pack_gzip("hello", 5);
		g_autofree char *got = walk_with(gzip, &budget, &heard);

		assert_string_equal(got, n < 5 ? "[|!limit" : "[|hello]");
	}
}

static void the_budget_is_for_all_members_together(void **state)
{
	struct unpack_budget budget = { 10, 100 };
	struct heard heard = { 0 };
	g_autoptr(GByteArray) zip = zip_of_two();
	g_autofree char *got = walk_with(zip, &budget, &heard);

	(void)state;
	assert_string_equal(got, "[a/one.xml|first][two.xml|!limit");
}

static void the_budget_of_members_holds_at_n_minus_1_n_n_plus_1(void **state)
{
	(void)state;
	for (guint n = 3; n <= 5; n++) {
		struct unpack_budget budget = { 1000, n };
		struct heard heard = { 0 };
		g_autoptr(GByteArray) zip = zip_of_two();
		g_autofree char *got = walk_with(zip, &budget, &heard);

		assert_string_equal(got, n < 4 ? "[a/one.xml|first][two.xml|second]FAILED limit"
					       : "[a/one.xml|first][two.xml|second][empty|]");
	}
}

static void assertion_29_a_bomb_is_not_unpacked_beyond_the_budget(void **state)
{
	gsize size = 64 * 1024 * 1024;
	g_autofree guint8 *blanks = g_malloc(size);
	struct unpack_budget budget = { 1024 * 1024, 1 };
	struct heard heard = { 0 };
	g_autoptr(GByteArray) gzip = NULL;
	g_autofree char *got = NULL;

	(void)state;
	memset(blanks, ' ', size);
	gzip = pack_gzip(blanks, size);
	got = walk_with(gzip, &budget, &heard);
	assert_string_equal(got, "[|!limit");
	assert_true(heard.bytes <= 1024 * 1024);
}

static void a_visitor_may_want_no_more_of_a_member(void **state)
{
	struct unpack_budget budget = { 1000, 100 };
	struct heard heard = { .skip_at = 1 };
	g_autoptr(GByteArray) zip = zip_of_two();
	g_autofree char *got = walk_with(zip, &budget, &heard);

	(void)state;
	assert_string_equal(got, "[a/one.xml|first][two.xml|second][empty|]");
}

static void a_visitor_s_error_ends_the_walk(void **state)
{
	struct unpack_budget budget = { 1000, 100 };
	struct heard heard = { .fail = TRUE };
	g_autoptr(GByteArray) zip = zip_of_two();
	g_autofree char *got = walk_with(zip, &budget, &heard);

	(void)state;
	assert_string_equal(got, "[a/one.xml|FAILED other");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gzip_is_one_member),
		cmocka_unit_test(packed_files_are_unpacked_and_broken_when_truncated),
		cmocka_unit_test(the_files_of_a_winmail_dat_are_unpacked),
		cmocka_unit_test(a_winmail_dat_that_is_cut_says_so),
		cmocka_unit_test(a_7z_is_unpacked_by_every_method_of_bounded_memory),
		cmocka_unit_test(a_7z_cut_or_changed_anywhere_gives_no_wrong_member),
		cmocka_unit_test(streams_of_xz_are_joined_and_bytes_after_them_ignored),
		cmocka_unit_test(a_zip_member_packed_by_lzma_or_zstd_is_unpacked),
		cmocka_unit_test(what_takes_too_much_memory_is_not_unpacked),
		cmocka_unit_test(the_members_of_a_7z_are_counted_before_it_is_unpacked),
		cmocka_unit_test(assertion_30_gzip_members_are_joined),
		cmocka_unit_test(assertion_30_bytes_after_gzip_are_left_alone),
		cmocka_unit_test(assertion_30_gzip_cut_anywhere_is_broken),
		cmocka_unit_test(assertion_30_gzip_with_a_wrong_checksum_or_length_is_broken),
		cmocka_unit_test(assertion_28_all_files_of_a_zip_and_no_directories),
		cmocka_unit_test(zip_behind_junk_is_found),
		cmocka_unit_test(zip_whose_directory_is_of_no_use_is_read_by_its_heads),
		cmocka_unit_test(zip_whose_directory_disagrees_with_its_members_is_read),
		cmocka_unit_test(zip_of_trailing_sizes_whose_directory_disagrees_is_read),
		cmocka_unit_test(zip_with_a_wrong_checksum_breaks_that_member_only),
		cmocka_unit_test(assertion_28_encrypted_member_is_broken),
		cmocka_unit_test(a_method_of_unbounded_memory_is_not_unpacked),
		cmocka_unit_test(zip_cut_anywhere_gives_no_wrong_member_and_is_broken_before_its_directory),
		cmocka_unit_test(the_budget_of_bytes_holds_at_n_minus_1_n_n_plus_1),
		cmocka_unit_test(the_budget_is_for_all_members_together),
		cmocka_unit_test(the_budget_of_members_holds_at_n_minus_1_n_n_plus_1),
		cmocka_unit_test(assertion_29_a_bomb_is_not_unpacked_beyond_the_budget),
		cmocka_unit_test(a_visitor_may_want_no_more_of_a_member),
		cmocka_unit_test(a_visitor_s_error_ends_the_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
