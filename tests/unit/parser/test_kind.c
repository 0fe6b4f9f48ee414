/* Kinds by magic bytes: assertion 27 of the standards digest, with BOMs, blanks and UTF-16. */
#include "parser/kind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define EOCD      "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define ROW(text) text, sizeof(text) - 1

static const struct {
	const char *name;
	const char *data;
	gsize size;
	enum kind part, document;
	gboolean report_like;
} ROWS[] = {
	{ "nothing", ROW(""), KIND_OTHER, KIND_MAIL, FALSE },
	{ "gzip", ROW("\x1f\x8b\x08rest"), KIND_GZIP, KIND_GZIP, FALSE },
	{ "zlib", ROW("\x78\x9c\0\0\0\0\0\0"), KIND_ZLIB, KIND_ZLIB, FALSE },
	{ "not zlib: check bits", ROW("xylophones"), KIND_OTHER, KIND_MAIL, FALSE },
	{ "zip", ROW("PK\3\4rest"), KIND_ZIP, KIND_ZIP, FALSE },
	{ "bzip2", ROW("BZh91AY&SYrest"), KIND_BZIP2, KIND_BZIP2, FALSE },
	{ "not bzip2: no block", ROW("BZh9 is a word"), KIND_OTHER, KIND_MAIL, FALSE },
	{ "zstd", ROW("\x28\xb5\x2f\xfdrest"), KIND_ZSTD, KIND_ZSTD, FALSE },
	{ "xz",
	    ROW("\xfd"
		"7zXZ\0rest"),
	    KIND_XZ, KIND_XZ, FALSE },
	{ "OLE2", ROW("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest"), KIND_OLE2, KIND_OLE2, FALSE },
	{ "winmail.dat", ROW("\x78\x9f\x3e\x22\1\0"), KIND_TNEF, KIND_TNEF, FALSE },
	{ "7z", ROW("7z\xbc\xaf\x27\x1crest"), KIND_7Z, KIND_7Z, FALSE },
	{ "lzma, of unknown size", ROW("\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff\0"), KIND_LZMA,
	    KIND_LZMA, FALSE },
	{ "lzma, of 64 KiB, with a dictionary of 12 KiB", ROW("\x5d\0\x30\0\0\0\0\1\0\0\0\0\0\0"), KIND_LZMA,
	    KIND_LZMA, FALSE },
	{ "not lzma: the dictionary", ROW("\x5d\0\0\x81\0\xff\xff\xff\xff\xff\xff\xff\xff\0"), KIND_OTHER,
	    KIND_MAIL, FALSE },
	{ "not lzma: no dictionary", ROW("\x5d\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0"), KIND_OTHER,
	    KIND_MAIL, FALSE },
	{ "not lzma: the size", ROW("\x5d\0\0\x80\0\0\0\0\0\0\1\0\0\0"), KIND_OTHER, KIND_MAIL, FALSE },
	{ "not lzma: its first byte", ROW("\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff\1"), KIND_OTHER,
	    KIND_MAIL, FALSE },
	{ "empty zip", ROW(EOCD), KIND_ZIP, KIND_ZIP, FALSE },
	{ "zip behind junk", ROW("junk\n" EOCD), KIND_ZIP, KIND_ZIP, FALSE },
	{ "zip behind a header is a mail", ROW("Subject: x\n\n" EOCD), KIND_ZIP, KIND_MAIL, FALSE },
	{ "zip behind a colon, which begins no header", ROW(": x\n" EOCD), KIND_ZIP, KIND_ZIP, FALSE },
	{ "zip with a comment", ROW("junk" EOCD "comment"), KIND_ZIP, KIND_ZIP, FALSE },
	{ "declaration", ROW("<?xml version='1.0'?>"), KIND_XML, KIND_XML, TRUE },
	{ "root", ROW("<feedback>"), KIND_XML, KIND_XML, TRUE },
	{ "prefixed root", ROW("<d:feedback xmlns:d='x'>"), KIND_XML, KIND_XML, TRUE },
	{ "BOM", ROW("\xef\xbb\xbf<feedback>"), KIND_XML, KIND_XML, TRUE },
	{ "blanks", ROW("\r\n \t<feedback>"), KIND_XML, KIND_XML, TRUE },
	{ "BOM and blanks", ROW("\xef\xbb\xbf\n<feedback>"), KIND_XML, KIND_XML, TRUE },
	{ "UTF-16LE with BOM", ROW("\xff\xfe<\0?\0x\0m\0l\0"), KIND_XML, KIND_XML, TRUE },
	{ "UTF-16BE with BOM", ROW("\xfe\xff\0<\0?\0x\0m\0l"), KIND_XML, KIND_XML, TRUE },
	{ "UTF-16LE without", ROW("<\0?\0x\0m\0l\0"), KIND_XML, KIND_XML, TRUE },
	{ "UTF-16BE without", ROW("\0<\0?\0x\0m\0l"), KIND_XML, KIND_XML, TRUE },
	{ "HTML", ROW("<html>"), KIND_XML, KIND_XML, FALSE },
	{ "doctype", ROW("<!DOCTYPE html>"), KIND_XML, KIND_XML, FALSE },
	{ "a longer name", ROW("<x:y>"), KIND_XML, KIND_XML, FALSE },
	{ "JSON in UTF-16LE", ROW("{\0\"\0a\0"), KIND_JSON, KIND_JSON, FALSE },
	{ "JSON in UTF-16BE", ROW("\0{\0\"\0a"), KIND_JSON, KIND_JSON, FALSE },
	{ "JSON", ROW(" {\"a\":1}"), KIND_JSON, KIND_JSON, FALSE },
	{ "mail", ROW("Received: by x\n\n<feedback>"), KIND_OTHER, KIND_MAIL, FALSE },
	{ "mbox", ROW("From x@y Thu\n"), KIND_OTHER, KIND_MAIL, FALSE },
	{ "NULs", ROW("\0\0\0\0<feedback>"), KIND_XML, KIND_XML, TRUE },
	{ "NULs before another root", ROW("\0\0\0\0<html>"), KIND_OTHER, KIND_MAIL, FALSE },
	{ "a quote before the declaration", ROW("\"<?xml version='1.0'?>"), KIND_XML, KIND_XML, TRUE },
	{ "words before the declaration", ROW("b'<?xml version='1.0'?>"), KIND_XML, KIND_XML, TRUE },
	{ "a mark that was encoded twice", ROW("\xc3\xaf\xc2\xbb\xc2\xbf<d:Feedback\n>"), KIND_XML, KIND_XML,
	    TRUE },
	{ "as much junk as may be", ROW("\"===============================<feedback>"), KIND_XML, KIND_XML,
	    TRUE },
	{ "more junk than that", ROW("\"================================<feedback>"), KIND_OTHER, KIND_MAIL,
	    FALSE },
	{ "words about the tag", ROW("Our <feedback> is"), KIND_OTHER, KIND_MAIL, FALSE },
	{ "another name behind junk", ROW("\"<feedbacks>"), KIND_OTHER, KIND_MAIL, FALSE },
	{ "JSON about XML", ROW("{\"<?xml \":1}"), KIND_JSON, KIND_JSON, FALSE },
	{ "a header about XML", ROW("Subject: <?xml version='1.0'?>"), KIND_XML, KIND_MAIL, TRUE },
	{ "blanks only", ROW("   \n"), KIND_OTHER, KIND_MAIL, FALSE },
};

static void kinds_are_told_by_the_first_bytes(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		/* a copy of that size, so that a read beyond it is seen */
		g_autofree guint8 *data = g_memdup2(ROWS[i].data, ROWS[i].size);
		enum kind part = kind_of(data, ROWS[i].size);
		enum kind document = kind_of_document(data, ROWS[i].size);
		gboolean like = part == KIND_XML && kind_is_report_like(data, ROWS[i].size);

		if (part != ROWS[i].part || document != ROWS[i].document || like != ROWS[i].report_like)
			fail_msg("%s: part %d, document %d, like %d", ROWS[i].name, part, document, like);
	}
}

/* One file's header of size bytes, with other bytes before its checksum, and with so much added to it. */
static enum kind kind_of_tar(const char *before, guint more, gsize size)
{
	guint8 header[512] = "report.xml";
	guint sum = 8 * ' ' + more;
	g_autofree char *digits = NULL;

	memcpy(header + 100, "0000644", 8);
	for (gsize i = 0; i < sizeof header; i++)
		sum += header[i];
	digits = g_strdup_printf("%s%05o", before, sum);
	for (gsize i = 0; i < 8 && digits[i] != '\0'; i++)
		header[148 + i] = (guint8)digits[i];
	return kind_of(header, size);
}

static void a_tar_is_told_by_the_checksum_of_its_first_header(void **state)
{
	(void)state;
	assert_int_equal(kind_of_tar("0", 0, 512), KIND_TAR);
	assert_int_equal(kind_of_tar("  ", 0, 512), KIND_TAR);
	assert_int_equal(kind_of_tar("0", 0, 511), KIND_OTHER);
	assert_int_equal(kind_of_tar("0", 1, 512), KIND_OTHER);
	assert_int_equal(kind_of_tar("1", 0, 512), KIND_OTHER);
}

static void a_report_starts_with_a_declaration_or_its_tag(void **state)
{
	static const struct {
		const char *text;
		gboolean want;
	} STARTS[] = {
		{ "<?xml version='1.0'?>", TRUE },
		{ "<?XML\n", TRUE },
		{ "<?xml", FALSE },
		{ "<?xml-stylesheet ", FALSE },
		{ "<feedback>", TRUE },
		{ "<Feedback xmlns='x'>", TRUE },
		{ "<a-b_1:feedback>", TRUE },
		{ "<feedback", FALSE },
		{ "<feedbacks>", FALSE },
		{ "<feedbac>", FALSE },
		{ "<a.b:feedback>", FALSE },
		{ "(feedback>", FALSE },
		{ ":feedback ", FALSE },
		{ " <feedback>", FALSE },
		{ "<", FALSE },
		{ "", FALSE },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(STARTS); i++) {
		gsize size = strlen(STARTS[i].text);
		/* a copy of that size, so that a read beyond it is seen */
		g_autofree guint8 *data = g_memdup2(STARTS[i].text, size);

		if (kind_is_report_start(data, size) != STARTS[i].want)
			fail_msg("%s", STARTS[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_are_told_by_the_first_bytes),
		cmocka_unit_test(a_tar_is_told_by_the_checksum_of_its_first_header),
		cmocka_unit_test(a_report_starts_with_a_declaration_or_its_tag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
