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
	{ "not zlib: too short", ROW("\x78\x9c\0\0\0\0\0"), KIND_OTHER, KIND_MAIL, FALSE },
	{ "not zlib: a dictionary", ROW("\x78\xbb\0\0\0\0\0\0"), KIND_OTHER, KIND_MAIL, FALSE },
	{ "zip in one of several volumes", ROW("PK00PK\3\4"), KIND_ZIP, KIND_ZIP, FALSE },
	{ "the shortest bzip2", ROW("BZh91AY&SY"), KIND_BZIP2, KIND_BZIP2, FALSE },
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
	{ "not lzma: too short", ROW("\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff"), KIND_OTHER, KIND_MAIL,
	    FALSE },
	{ "lzma, with a dictionary of 1 byte", ROW("\x5d\1\0\0\0\0\0\1\0\0\0\0\0\0"), KIND_LZMA, KIND_LZMA,
	    FALSE },
	{ "lzma, with a dictionary of 3 bytes", ROW("\x5d\3\0\0\0\0\0\1\0\0\0\0\0\0"), KIND_LZMA, KIND_LZMA,
	    FALSE },
	{ "lzma, with a dictionary of 4 bytes", ROW("\x5d\4\0\0\0\0\0\1\0\0\0\0\0\0"), KIND_LZMA, KIND_LZMA,
	    FALSE },
	{ "not lzma: a dictionary of 5 bytes", ROW("\x5d\5\0\0\0\0\0\1\0\0\0\0\0\0"), KIND_OTHER, KIND_MAIL,
	    FALSE },
	{ "lzma, of 256 GiB less one byte", ROW("\x5d\0\0\x80\0\xff\xff\xff\xff\x3f\0\0\0\0"), KIND_LZMA,
	    KIND_LZMA, FALSE },
	{ "not lzma: 256 GiB", ROW("\x5d\0\0\x80\0\0\0\0\0\x40\0\0\0\0"), KIND_OTHER, KIND_MAIL, FALSE },
	{ "not lzma: its first byte", ROW("\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff\1"), KIND_OTHER,
	    KIND_MAIL, FALSE },
	{ "empty zip", ROW(EOCD), KIND_ZIP, KIND_ZIP, FALSE },
	{ "zip behind junk", ROW("junk\n" EOCD), KIND_ZIP, KIND_ZIP, FALSE },
	{ "zip behind a header is a mail", ROW("Subject: x\n\n" EOCD), KIND_ZIP, KIND_MAIL, FALSE },
	{ "zip behind a quoted mbox line is a mail", ROW(">From x\n" EOCD), KIND_ZIP, KIND_MAIL, FALSE },
	{ "zip behind a name with a blank is a mail", ROW("Subject : x\n" EOCD), KIND_ZIP, KIND_MAIL, FALSE },
	{ "zip behind a name with a tab is a mail", ROW("Subject\t: x\n" EOCD), KIND_ZIP, KIND_MAIL, FALSE },
	{ "zip behind a name of all characters", ROW("!a~: x\n" EOCD), KIND_ZIP, KIND_MAIL, FALSE },
	{ "zip behind a character that no name has", ROW("a\x7f: x\n" EOCD), KIND_ZIP, KIND_ZIP, FALSE },
	{ "not zip: the end lacks a byte", ROW("junk\nPK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), KIND_OTHER,
	    KIND_MAIL, FALSE },
	{ "zip behind a colon, which begins no header", ROW(": x\n" EOCD), KIND_ZIP, KIND_ZIP, FALSE },
	{ "zip with a comment", ROW("junk" EOCD "comment"), KIND_ZIP, KIND_ZIP, FALSE },
	{ "declaration", ROW("<?xml version='1.0'?>"), KIND_XML, KIND_XML, TRUE },
	{ "root", ROW("<feedback>"), KIND_XML, KIND_XML, TRUE },
	{ "prefixed root", ROW("<d:feedback xmlns:d='x'>"), KIND_XML, KIND_XML, TRUE },
	{ "a root that ends with its name", ROW("<feedback"), KIND_XML, KIND_XML, TRUE },
	{ "a prefixed root that ends with its name", ROW("<d:feedback"), KIND_XML, KIND_XML, TRUE },
	{ "a root that ends in its name", ROW("<feedbac"), KIND_XML, KIND_XML, FALSE },
	{ "a declaration that ends with its name", ROW("<?xml"), KIND_XML, KIND_XML, TRUE },
	{ "a declaration that ends in its name", ROW("<?xm"), KIND_XML, KIND_XML, FALSE },
	{ "an instruction of a like name", ROW("<?xmx"), KIND_XML, KIND_XML, FALSE },
	{ "a colon behind the root's name", ROW("<feedback a:b='c'>"), KIND_XML, KIND_XML, TRUE },
	{ "a colon behind the root", ROW("<feedback>a:b"), KIND_XML, KIND_XML, TRUE },
	{ "our name as an attribute of another", ROW("<a b:feedback='c'>"), KIND_XML, KIND_XML, FALSE },
	{ "our name behind another root", ROW("<a>b:feedback"), KIND_XML, KIND_XML, FALSE },
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

/* The comment behind zip's end has a size of 16 bits. */
static void the_end_of_a_zip_is_sought_as_far_as_its_comment_may_go(void **state)
{
	(void)state;
	for (gsize comment = 65535; comment <= 65536; comment++) {
		const gsize size = 5 + sizeof EOCD - 1 + comment;
		g_autofree guint8 *data = g_malloc(size);

		memset(data, 'x', size);
		memcpy(data + 5, EOCD, sizeof EOCD - 1);
		assert_int_equal(kind_of(data, size), comment == 65535 ? KIND_ZIP : KIND_OTHER);
	}
}

static void every_kind_has_a_name_and_may_contain_others(void **state)
{
	static const struct {
		enum kind kind;
		const char *name;
		gboolean archive, container;
	} KINDS[] = {
		{ KIND_OTHER, "bytes", FALSE, FALSE },
		{ KIND_GZIP, "gzip", TRUE, TRUE },
		{ KIND_ZLIB, "zlib", TRUE, TRUE },
		{ KIND_ZIP, "zip", TRUE, TRUE },
		{ KIND_TAR, "tar", TRUE, TRUE },
		{ KIND_BZIP2, "bzip2", TRUE, TRUE },
		{ KIND_ZSTD, "zstd", TRUE, TRUE },
		{ KIND_XZ, "xz", TRUE, TRUE },
		{ KIND_LZMA, "lzma", TRUE, TRUE },
		{ KIND_7Z, "7z", TRUE, TRUE },
		{ KIND_TNEF, "winmail.dat", TRUE, TRUE },
		{ KIND_OLE2, "OLE2", FALSE, TRUE },
		{ KIND_XML, "XML", FALSE, FALSE },
		{ KIND_JSON, "JSON", FALSE, FALSE },
		{ KIND_MAIL, "a mail", FALSE, FALSE },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(KINDS); i++) {
		assert_string_equal(kind_name(KINDS[i].kind), KINDS[i].name);
		assert_int_equal(kind_is_archive(KINDS[i].kind), KINDS[i].archive);
		assert_int_equal(kind_is_container(KINDS[i].kind), KINDS[i].container);
	}
}

/* One file's header of size bytes, with other bytes before its checksum, and with so much added to it. */
static enum kind kind_of_named_tar(const char *name, const char *before, guint more, gsize size)
{
	guint8 header[512] = { 0 };
	guint sum = 8 * ' ' + more;
	g_autofree char *digits = NULL;

	g_strlcpy((char *)header, name, sizeof header);
	memcpy(header + 100, "0000644", 8);
	header[156] = '0';
	for (gsize i = 0; i < sizeof header; i++)
		sum += header[i];
	digits = g_strdup_printf("%s%05o", before, sum);
	for (gsize i = 0; i < 8 && digits[i] != '\0'; i++)
		header[148 + i] = (guint8)digits[i];
	return kind_of(header, size);
}

static enum kind kind_of_tar(const char *before, guint more, gsize size)
{
	return kind_of_named_tar("report.xml", before, more, size);
}

static void a_tar_is_told_by_the_checksum_of_its_first_header(void **state)
{
	(void)state;
	assert_int_equal(kind_of_tar("0", 0, 512), KIND_TAR);
	assert_int_equal(kind_of_tar("  ", 0, 512), KIND_TAR);
	assert_int_equal(kind_of_tar("0", 0, 511), KIND_OTHER);
	assert_int_equal(kind_of_tar("0", 1, 512), KIND_OTHER);
	assert_int_equal(kind_of_tar("1", 0, 512), KIND_OTHER);
	assert_int_equal(kind_of_named_tar("", "0", 0, 512), KIND_OTHER);
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
		cmocka_unit_test(the_end_of_a_zip_is_sought_as_far_as_its_comment_may_go),
		cmocka_unit_test(every_kind_has_a_name_and_may_contain_others),
		cmocka_unit_test(a_tar_is_told_by_the_checksum_of_its_first_header),
		cmocka_unit_test(a_report_starts_with_a_declaration_or_its_tag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
