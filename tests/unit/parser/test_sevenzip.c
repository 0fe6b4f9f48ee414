/* The headers of 7z, byte by byte: what unpacking would take is known before it is tried. */
#include "parser/sevenzip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define DAMAGED     "7z: damaged header"
#define MEMBERS     "has more archive members than are allowed for one mail"
#define ABSENT      "7z: its header is not there, or too large"
#define BYTES(text) text, sizeof(text) - 1

static void put64(guint8 *at, guint64 value)
{
	for (guint i = 0; i < 8; i++)
		at[i] = (guint8)(value >> (8 * i));
}

/* An archive of packed bytes and a header behind them, of which the start header says the place and size. */
static GByteArray *archive_of(
    const char *packed, gsize packed_size, const char *header, gsize size, guint64 offset, guint64 said)
{
	GByteArray *out = g_byte_array_new();
	guint8 start[32] = "7z\xbc\xaf\x27\x1c\0\4";

	put64(start + 12, offset);
	put64(start + 20, said);
	g_byte_array_append(out, start, sizeof start);
	g_byte_array_append(out, (const guint8 *)packed, (guint)packed_size);
	g_byte_array_append(out, (const guint8 *)header, (guint)size);
	return out;
}

/* What is wrong, or NULL; archive is freed. */
static char *fault_of(GByteArray *archive, guint64 memory, guint members)
{
	/* a copy of that size, so that a read beyond it is seen */
	g_autofree guint8 *data = g_memdup2(archive->data, archive->len);
	g_autoptr(GError) error = NULL;
	gboolean ok = sevenzip_check(data, archive->len, memory, members, &error);

	assert_int_equal(ok, error == NULL);
	g_byte_array_unref(archive);
	return error == NULL ? NULL : g_strdup(error->message);
}

static char *fault_of_header(const char *header, gsize size, guint64 memory, guint members)
{
	return fault_of(archive_of("", 0, header, size, 0, size), memory, members);
}

/* Two folders: one of BCJ2 and LZMA with a dictionary of 1 MiB, one that is copied; four files. */
#define STREAMS                                                                                              \
	"\x06\x00\x02\x09\x05\x06\x0a\x01"                                                                   \
	"aaaabbbb\x00"                                                                                       \
	"\x07\x0b\x02\x00"                                                                                   \
	"\x02\x11\x00\x02\x01\x23\x03\x01\x01\x05\x5d\x00\x00\x10\x00\x01\x00\x00\x02"                       \
	"\x01\x01\x00"                                                                                       \
	"\x0c\x07\x08\x09\x0a\x00\x40"                                                                       \
	"cccc\x00"                                                                                           \
	"\x08\x0d\x03\x01\x09\x01\x01\x0a\x01"                                                               \
	"ddddeeeeffff\x00\x00"
static const char WHOLE[] = "\x01\x04" STREAMS "\x05\x04";

static void a_header_cut_anywhere_is_damaged(void **state)
{
	const gsize size = sizeof WHOLE - 1, streams = size - 2;

	(void)state;
	for (gsize cut = 0; cut <= size; cut++) {
		g_autofree char *got = fault_of_header(WHOLE, cut, 1 << 20, 4);
		/* no header, a header of nothing, and one without files are complete */
		gboolean complete = cut <= 1 || cut == streams || cut == size;

		if (g_strcmp0(got, complete ? NULL : DAMAGED) != 0)
			fail_msg("cut at %zu: %s", cut, got);
	}
}

static void memory_and_members_are_counted_to_their_limits(void **state)
{
	g_autofree char *memory = fault_of_header(BYTES(WHOLE), (1 << 20) - 1, 4);
	g_autofree char *members = fault_of_header(BYTES(WHOLE), 1 << 20, 3);

	(void)state;
	assert_string_equal(memory, "7z: takes 1 MiB of memory to unpack, more than 0");
	assert_string_equal(members, MEMBERS);
}

/* The header of one folder, and what follows its coders. */
#define FOLDER(coders)    "\x01\x04\x07\x0b\x01\x00" coders "\x0c"
#define END_OF_STREAMS    "\x00\x00"
#define COPY              "\x01\x00"
#define ONE(coder)        FOLDER("\x01" coder) "\x05" END_OF_STREAMS
#define LZMA2(code)       ONE("\x21\x21\x01" code)
#define EIGHT_TIMES(text) text text text text text text text text
#define GIBI4             (G_GUINT64_CONSTANT(1) << 32)

static const struct {
	const char *name;
	const char *header;
	gsize size;
	guint64 memory;
	guint members;
	const char *want; /* NULL: nothing is wrong */
} ROWS[] = {
	{ "one coder", BYTES(ONE(COPY)), 0, 1, NULL },
	{ "one folder more than members", BYTES(ONE(COPY)), 0, 0, MEMBERS },
	{ "a header of another kind", BYTES("\x03"), 0, 9, DAMAGED },
	{ "properties of the archive", BYTES("\x01\x02"), 0, 9, DAMAGED },
	{ "no coder", BYTES(FOLDER("\x00") END_OF_STREAMS), 0, 9, DAMAGED },
	{ "eight coders",
	    BYTES(FOLDER("\x08" EIGHT_TIMES(COPY) "bindingstofour") EIGHT_TIMES("\x05") END_OF_STREAMS), 0, 9,
	    NULL },
	{ "nine coders",
	    BYTES(FOLDER("\x09" EIGHT_TIMES(COPY) COPY "bindingstosixteen")
		    EIGHT_TIMES("\x05") "\x05" END_OF_STREAMS),
	    0, 9, DAMAGED },
	{ "flags that have no meaning", BYTES(ONE("\x41\x00")), 0, 9, DAMAGED },
	{ "more of them", BYTES(ONE("\x81\x00")), 0, 9, DAMAGED },
	{ "folders elsewhere", BYTES("\x01\x04\x07\x0b\x01\x01\x01" COPY "\x0c\x05" END_OF_STREAMS), 0, 9,
	    DAMAGED },
	{ "eight inputs", BYTES(ONE("\x11\x00\x08\x01" EIGHT_TIMES("\x01"))), 0, 9, NULL },
	{ "nine inputs", BYTES(ONE("\x11\x00\x09\x01" EIGHT_TIMES("\x01") "\x01")), 0, 9, DAMAGED },
	{ "eight outputs of eight inputs",
	    BYTES(FOLDER("\x01\x11\x00\x08\x08"
			 "bindingstofour") EIGHT_TIMES("\x05") END_OF_STREAMS),
	    0, 9, NULL },
	{ "nine outputs of eight inputs",
	    BYTES(FOLDER("\x01\x11\x00\x08\x09"
			 "bindingsto sixteen") EIGHT_TIMES("\x05") "\x05" END_OF_STREAMS),
	    0, 9, DAMAGED },
	{ "no output", BYTES(FOLDER("\x01\x11\x00\x01\x00") END_OF_STREAMS "aaaaaaaa"), 0, 9, DAMAGED },
	{ "no input", BYTES(ONE("\x11\x00\x00\x01")), 0, 9, NULL },
	{ "two outputs of one input",
	    BYTES(FOLDER("\x01\x11\x00\x01\x02"
			 "ab") "\x05\x05" END_OF_STREAMS),
	    0, 9, NULL },
	{ "two outputs of no input",
	    BYTES(FOLDER("\x01\x11\x00\x00\x02"
			 "ab") "\x05\x05" END_OF_STREAMS),
	    0, 9, DAMAGED },
	{ "LZMA with four bytes of properties", BYTES(ONE("\x23\x03\x01\x01\x04\x5d\0\0\0")), GIBI4, 9,
	    DAMAGED },
	{ "LZMA2 with two bytes of properties", BYTES(ONE("\x21\x21\x02\x00\x00")), GIBI4, 9, DAMAGED },
	{ "LZMA2, the smallest dictionary", BYTES(LZMA2("\x00")), 4096, 9, NULL },
	{ "LZMA2, and a byte less", BYTES(LZMA2("\x00")), 4095, 9,
	    "7z: takes 0 MiB of memory to unpack, more than 0" },
	{ "LZMA2, an odd code", BYTES(LZMA2("\x01")), 6144, 9, NULL },
	{ "LZMA2, an odd code, and a byte less", BYTES(LZMA2("\x01")), 6143, 9,
	    "7z: takes 0 MiB of memory to unpack, more than 0" },
	{ "LZMA2, the largest dictionary", BYTES(LZMA2("\x28")), GIBI4, 9, NULL },
	{ "LZMA2, and less memory", BYTES(LZMA2("\x28")), GIBI4 - 1, 9,
	    "7z: takes 4096 MiB of memory to unpack, more than 4095" },
	{ "LZMA2, a code that has no meaning", BYTES(LZMA2("\x29")), G_MAXUINT64 - 1, 9,
	    "7z: takes 17592186044415 MiB of memory to unpack, more than 17592186044415" },
	{ "deflate", BYTES(ONE("\x03\x04\x01\x08")), 0, 9, NULL },
	{ "bzip2", BYTES(ONE("\x03\x04\x02\x02")), 0, 9, NULL },
	{ "the filter of PowerPC", BYTES(ONE("\x01\x05")), 0, 9, NULL },
	{ "the filter of IA-64", BYTES(ONE("\x01\x06")), 0, 9, NULL },
	{ "the filter of ARM", BYTES(ONE("\x01\x07")), 0, 9, NULL },
	{ "the filter of Thumb", BYTES(ONE("\x01\x08")), 0, 9, NULL },
	{ "the filter of SPARC", BYTES(ONE("\x01\x09")), 0, 9, NULL },
	{ "the filter of ARM64", BYTES(ONE("\x01\x0a")), 0, 9, NULL },
	{ "the filter of x86, by its short name", BYTES(ONE("\x01\x04")), 0, 9, NULL },
	{ "more coders than bytes", BYTES(FOLDER("\x60")), 0, 9, DAMAGED },
	{ "eight checksums by their bits",
	    BYTES("\x01\x04\x06\x00\x08\x0a\x00\xff" EIGHT_TIMES("aaaa") END_OF_STREAMS), 0, 0, NULL },
	{ "nine, of which the last is not there",
	    BYTES("\x01\x04\x06\x00\x09\x0a\x00\xff\x00" EIGHT_TIMES("aaaa") END_OF_STREAMS), 0, 0, NULL },
	{ "delta", BYTES(ONE("\x21\x03\x01\x00")), 0, 9, NULL },
	{ "the filter of x86", BYTES(ONE("\x04\x03\x03\x01\x03")), 0, 9, NULL },
	{ "a known method with a byte more", BYTES(ONE("\x02\x00\x00")), 0, 9,
	    "7z: packed by a method that is not unpacked here" },
	/* numbers of more bytes, as those of files */
	{ "a number of one byte", BYTES("\x01\x05\x7f"), 0, 127, NULL },
	{ "and less members", BYTES("\x01\x05\x7f"), 0, 126, MEMBERS },
	{ "a number of two bytes", BYTES("\x01\x05\x81\x04"), 0, 260, NULL },
	{ "of two, and less members", BYTES("\x01\x05\x81\x04"), 0, 259, MEMBERS },
	{ "a number of three bytes", BYTES("\x01\x05\xc1\x02\x00"), 0, 65538, NULL },
	{ "of three, and less members", BYTES("\x01\x05\xc1\x02\x00"), 0, 65537, MEMBERS },
	{ "a number of eight bytes", BYTES("\x01\x05\xfe\x05\0\0\0\0\0\0"), 0, 5, NULL },
	{ "of eight, and less members", BYTES("\x01\x05\xfe\x05\0\0\0\0\0\0"), 0, 4, MEMBERS },
	{ "a number of nine bytes", BYTES("\x01\x05\xff\x05\0\0\0\0\0\0\0"), 0, 5, NULL },
	{ "of nine, and less members", BYTES("\x01\x05\xff\x05\0\0\0\0\0\0\0"), 0, 4, MEMBERS },
	{ "of nine, the last counts", BYTES("\x01\x05\xff\0\0\0\0\0\0\0\x01"), 0, 9, MEMBERS },
};

static void each_part_of_a_header_has_its_bounds(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		g_autofree char *got =
		    fault_of_header(ROWS[i].header, ROWS[i].size, ROWS[i].memory, ROWS[i].members);

		if (g_strcmp0(got, ROWS[i].want) != 0)
			fail_msg("%s: got %s, want %s", ROWS[i].name, got, ROWS[i].want);
	}
}

/* The header says where the packed one is, and how large: packed, unpacked. */
#define PACKED_AT(at, packed, unpacked, coders)                                                              \
	"\x17\x06" at "\x01\x09" packed "\x00\x07\x0b\x01\x00" coders "\x0c" unpacked END_OF_STREAMS
#define INNER "\x01\x05\x04" /* four files */

static void a_header_that_is_packed_is_read_where_it_is(void **state)
{
	static const struct {
		const char *name;
		const char *header;
		gsize size;
		const char *want; /* with four members; NULL: nothing is wrong */
	} rows[] = {
		{ "stored", BYTES(PACKED_AT("\x01", "\x03", "\x03", "\x01" COPY)), NULL },
		{ "larger than what is there", BYTES(PACKED_AT("\x01", "\x03", "\x04", "\x01" COPY)), NULL },
		{ "cut", BYTES(PACKED_AT("\x01", "\x03", "\x02", "\x01" COPY)), DAMAGED },
		{ "at another place", BYTES(PACKED_AT("\x00", "\x03", "\x03", "\x01" COPY)), DAMAGED },
		{ "of the largest size", BYTES(PACKED_AT("\x01", "\x03", "\xd0\x00\x00", "\x01" COPY)),
		    NULL },
		{ "and a byte more", BYTES(PACKED_AT("\x01", "\x03", "\xd0\x01\x00", "\x01" COPY)), DAMAGED },
		/* there are 4 bytes, and the header's own 18 */
		{ "to the end", BYTES(PACKED_AT("\x01", "\x15", "\x03", "\x01" COPY)), NULL },
		{ "beyond the end", BYTES(PACKED_AT("\x01", "\x16", "\x03", "\x01" COPY)), DAMAGED },
		{ "behind the end", BYTES(PACKED_AT("\x17", "\x00", "\x03", "\x01" COPY)), DAMAGED },
		{ "by two coders", BYTES(PACKED_AT("\x01", "\x03", "\x03\x03", "\x02" COPY COPY "ab")),
		    DAMAGED },
		{ "by LZMA, damaged",
		    BYTES(PACKED_AT("\x01", "\x03", "\x03", "\x01\x23\x03\x01\x01\x05\x5d\0\0\1\0")),
		    DAMAGED },
		{ "by LZMA with invalid properties",
		    BYTES(PACKED_AT("\x01", "\x03", "\x03", "\x01\x23\x03\x01\x01\x05\xff\0\0\1\0")),
		    DAMAGED },
		{ "by another method",
		    BYTES(PACKED_AT("\x01", "\x03", "\x03", "\x01\x23\x03\x04\x01\x05\x06\0\0\1\0")),
		    DAMAGED },
		{ "in no folder", BYTES("\x17\x06\x01\x01\x09\x03\x00\x07\x0b\x00\x00\x0c" END_OF_STREAMS),
		    DAMAGED },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		for (guint members = 3; members <= 4; members++) {
			const char *want = rows[i].want == NULL && members == 3 ? MEMBERS : rows[i].want;
			g_autofree char *got =
			    fault_of(archive_of("x" INNER, 4, rows[i].header, rows[i].size, 4, rows[i].size),
				1 << 20, members);

			if (g_strcmp0(got, want) != 0)
				fail_msg("%s, %u members: got %s, want %s", rows[i].name, members, got, want);
		}
}

static void the_start_says_where_the_header_is(void **state)
{
	g_autofree char *large = g_malloc0((1 << 20) + 1);
	const struct {
		gsize size; /* of the header that is there */
		guint64 offset, said;
		const char *want;
	} rows[] = {
		{ 0, 0, 0, NULL },
		{ 2, 2, 0, NULL },
		{ 2, 3, 0, ABSENT },
		{ 2, 1, 1, DAMAGED },
		{ 2, 1, 2, ABSENT },
		{ 2, G_MAXUINT64, 2, ABSENT },
		{ 2, G_GUINT64_CONSTANT(1) << 56, 2, ABSENT },
		{ 2, 0, G_GUINT64_CONSTANT(1) << 56, ABSENT },
		{ 1 << 20, 0, 1 << 20, NULL },
		{ (1 << 20) + 1, 0, (1 << 20) + 1, ABSENT },
	};
	GByteArray *cut = archive_of("", 0, "", 0, 0, 0);
	g_autofree char *got = NULL;

	(void)state;
	large[0] = 1;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *fault =
		    fault_of(archive_of("", 0, large, rows[i].size, rows[i].offset, rows[i].said), 0, 0);

		if (g_strcmp0(fault, rows[i].want) != 0)
			fail_msg("row %zu: got %s, want %s", i, fault, rows[i].want);
	}
	g_byte_array_set_size(cut, 31);
	got = fault_of(cut, 0, 0);
	assert_string_equal(got, DAMAGED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_cut_anywhere_is_damaged),
		cmocka_unit_test(memory_and_members_are_counted_to_their_limits),
		cmocka_unit_test(each_part_of_a_header_has_its_bounds),
		cmocka_unit_test(a_header_that_is_packed_is_read_where_it_is),
		cmocka_unit_test(the_start_says_where_the_header_is),
	};

	/* an error that is set over another one: what failed went on */
	g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
