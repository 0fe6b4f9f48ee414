/* CMS structures in all forms of BER into what they enclose; each is also cut and has each byte changed. */
#include "parser/cms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ID(last)   "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07" last
#define DATA       ID("\x01")
#define SIGNED     ID("\x02")
#define AUTH       "\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17"
#define ROW(bytes) bytes, sizeof(bytes) - 1
#define END        "\0\0"

static const struct {
	const char *name;
	const char *data;
	gsize size;
	enum cms_kind kind;
	const char *content;
} ROWS[] = {
	{ "DER",
	    ROW("\x30\x29" SIGNED "\xa0\x1c\x30\x1a\x02\x01\x01\x31\x00\x30\x13" DATA "\xa0\x06\x04\x04mail"
		"\x31"),
	    CMS_SIGNED, "mail" },
	{ "lengths of several bytes",
	    ROW("\x30\x81\x2f" SIGNED "\xa0\x82\x00\x20\x30\x81\x1d\x02\x01\x01\x31\x00\x30\x83\0\0\x13" DATA
		"\xa0\x06\x04\x04mail"),
	    CMS_SIGNED, "mail" },
	{ "indefinite lengths, and the string in pieces",
	    ROW("\x30\x80" SIGNED
		"\xa0\x80\x30\x80\x02\x01\x01\x31\x0b\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\0"
		"\x30\x80" DATA "\xa0\x80\x24\x80\x04\x02ma\x04\x00\x04\x02il" END END END
		"\xa0\0" END END END),
	    CMS_SIGNED, "mail" },
	{ "a definite string in pieces",
	    ROW("\x30\x80" SIGNED "\xa0\x80\x30\x80\x02\x01\x01\x31\x00\x30\x80" DATA
		"\xa0\x80\x24\x08\x04\x02ma\x04\x02il" END),
	    CMS_SIGNED, "mail" },
	{ "pieces of pieces",
	    ROW("\x30\x80" SIGNED "\xa0\x80\x30\x80\x02\x01\x01\x31\x00\x30\x80" DATA
		"\xa0\x80\x24\x80\x24\x80\x04\x01m" END "\x24\x03\x04\x01"
		"a\x24\x80\x04\x02il" END END END),
	    CMS_SIGNED, "mail" },
	{ "a set of indefinite length",
	    ROW("\x30\x80" SIGNED "\xa0\x80\x30\x80\x02\x01\x01\x31\x80\x30\x80\x06\x01\x01" END END
		"\x30\x80" DATA "\xa0\x80\x04\x04mail" END),
	    CMS_SIGNED, "mail" },
	{ "no content: the signature stands alone",
	    ROW("\x30\x21" SIGNED "\xa0\x14\x30\x12\x02\x01\x01\x31\x00\x30\x0b" DATA), CMS_NONE, NULL },
	{ "cut off in the content",
	    ROW("\x30\x80" SIGNED "\xa0\x80\x30\x80\x02\x01\x01\x31\x00\x30\x80" DATA
		"\xa0\x80\x24\x80\x04\x09mail"),
	    CMS_SIGNED, "mail" },
	{ "enveloped", ROW("\x30\x80" ID("\x03") "\xa0\x80\x30\x80"), CMS_ENCRYPTED, NULL },
	{ "signed and enveloped", ROW("\x30\x80" ID("\x04") "\xa0\x80\x30\x80"), CMS_ENCRYPTED, NULL },
	{ "encrypted", ROW("\x30\x80" ID("\x06") "\xa0\x80\x30\x80"), CMS_ENCRYPTED, NULL },
	{ "enveloped and authenticated", ROW("\x30\x80" AUTH "\xa0\x80\x30\x80"), CMS_ENCRYPTED, NULL },
	{ "enveloped, then signed",
	    ROW("\x30\x80" SIGNED
		"\xa0\x80\x30\x80\x02\x01\x01\x31\x00\x30\x80" ID("\x03") "\xa0\x80\x04\x01m"),
	    CMS_ENCRYPTED, NULL },
	{ "plain data", ROW("\x30\x0f" DATA "\xa0\x02\x04\x00"), CMS_NONE, NULL },
	{ "text", ROW("0 is a number"), CMS_NONE, NULL },
	{ "nothing", ROW(""), CMS_NONE, NULL },
};

struct found {
	enum cms_kind kind;
	char *content;
};

static struct found find(const guint8 *data, gsize size)
{
	/* a copy of that size, so that a read beyond it is seen */
	g_autofree guint8 *copy = g_memdup2(data, size);
	g_autoptr(GByteArray) joined = NULL;
	const guint8 *content = NULL;
	gsize content_size = 0;
	struct found found = { cms_read(copy, size, &content, &content_size, &joined), NULL };

	if (found.kind == CMS_SIGNED)
		found.content = g_strndup((const char *)content, content_size);
	return found;
}

static void what_is_enclosed_is_found_in_all_forms(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		struct found found = find((const guint8 *)ROWS[i].data, ROWS[i].size);

		if (found.kind != ROWS[i].kind || g_strcmp0(found.content, ROWS[i].content) != 0)
			fail_msg("%s: kind %d, %s", ROWS[i].name, found.kind, found.content);
		g_free(found.content);
	}
}

static void damage_reads_no_byte_beyond_the_end(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++)
		for (gsize at = 0; at < ROWS[i].size; at++) {
			g_autofree guint8 *data = g_memdup2(ROWS[i].data, ROWS[i].size);

			g_free(find(data, at).content);
			for (guint bit = 0; bit < 8; bit++) {
				data[at] ^= (guint8)(1 << bit);
				g_free(find(data, ROWS[i].size).content);
				data[at] ^= (guint8)(1 << bit);
			}
		}
}

/* A hundred thousand strings in one another, and sets likewise. */
static void depth_is_bounded(void **state)
{
	static const char HEAD[] =
	    "\x30\x80" SIGNED "\xa0\x80\x30\x80\x02\x01\x01\x31\x00\x30\x80" DATA "\xa0\x80";
	static const char SETS[] = "\x30\x80" SIGNED "\xa0\x80\x30\x80\x02\x01\x01";
	GString *deep = g_string_new_len(HEAD, sizeof HEAD - 1),
		*sets = g_string_new_len(SETS, sizeof SETS - 1);

	(void)state;
	for (guint i = 0; i < 100000; i++) {
		g_string_append_len(deep, "\x24\x80", 2);
		g_string_append_len(sets, "\x31\x80", 2);
	}
	assert_int_equal(find((const guint8 *)deep->str, deep->len).kind, CMS_NONE);
	assert_int_equal(find((const guint8 *)sets->str, sets->len).kind, CMS_NONE);
	g_string_free(deep, TRUE);
	g_string_free(sets, TRUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_enclosed_is_found_in_all_forms),
		cmocka_unit_test(damage_reads_no_byte_beyond_the_end),
		cmocka_unit_test(depth_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
