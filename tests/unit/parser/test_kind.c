/* Kinds by magic bytes: assertion 27 of the standards digest, with BOMs, blanks and UTF-16. */
#include "parser/kind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(kinds_are_told_by_the_first_bytes) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
