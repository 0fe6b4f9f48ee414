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

/* What the visitor heard: "[name|content]" for each member; "!code" instead of "]" when it broke. */
struct heard {
	GString *text;
	gsize skip_at; /* ask for no more from this many bytes of a member on */
	gsize bytes;
	gboolean fail;
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
		g_string_append_printf(heard->text, "!%s", code_of(broken));
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
		g_string_append_printf(heard->text, "FAILED %s", code_of(error));
	return g_string_free(heard->text, FALSE);
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

static void gzip_is_one_member(void **state)
{
	(void)state;
	check(pack_gzip("hello", 5), "[|hello]");
	check(pack_gzip("", 0), "[|]");
	check(pack_zlib("hello", 5), "[|hello]");
}

static void tar_bzip2_and_zstd_are_unpacked_and_broken_when_truncated(void **state)
{
	static const int FILTERS[] = { ARCHIVE_FILTER_BZIP2, ARCHIVE_FILTER_ZSTD };
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

/* LZMA's dictionary may be of 4 GiB; the others are of old or unknown to libarchive. */
static void a_method_of_unbounded_memory_is_not_unpacked(void **state)
{
	static const guint8 methods[] = { 1, 6, 9, 14, 16, 19, 93, 94, 95, 98, 99, 200 };

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
		cmocka_unit_test(tar_bzip2_and_zstd_are_unpacked_and_broken_when_truncated),
		cmocka_unit_test(assertion_30_gzip_members_are_joined),
		cmocka_unit_test(assertion_30_bytes_after_gzip_are_left_alone),
		cmocka_unit_test(assertion_30_gzip_cut_anywhere_is_broken),
		cmocka_unit_test(assertion_30_gzip_with_a_wrong_checksum_or_length_is_broken),
		cmocka_unit_test(assertion_28_all_files_of_a_zip_and_no_directories),
		cmocka_unit_test(zip_behind_junk_is_found),
		cmocka_unit_test(zip_whose_directory_is_of_no_use_is_read_by_its_heads),
		cmocka_unit_test(zip_whose_directory_disagrees_with_its_members_is_read),
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
