/* The character set of an XML declaration. */
#include "parser/charset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void the_name_is_what_follows_encoding(void **state)
{
	static const char *const ROWS[][2] = {
		{ "<?xml version='1.0'?>", NULL },
		{ "<?xml encoding='utf-8'?>", "utf-8" },
		{ "<?xml encoding = \"ISO_8859-1:1987.x\" ?>", "ISO_8859-1:1987.x" },
		{ "<?xml encoding=latin1>", "latin1" },
		{ "<?xml encoding='a b'?>", "a" },
		{ "<?xml encoding='?>", "" },
		{ "<?xml encoding", "" },
		{ "<?xml encoding='utf-8", "utf-8" },
		{ "encoding='1234567890123456789012345678901234567890'",
		    "1234567890123456789012345678901234567890" },
		{ "encoding='12345678901234567890123456789012345678901'",
		    "1234567890123456789012345678901234567890" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		gsize size = strlen(ROWS[i][0]);
		/* a copy of that size, so that a read beyond it is seen */
		g_autofree char *text = g_memdup2(ROWS[i][0], size);
		g_autofree char *got = charset_declared(text, size);

		if (g_strcmp0(got, ROWS[i][1]) != 0)
			fail_msg("%s: %s", ROWS[i][0], got);
	}
}

static void a_set_is_utf_8_single_bytes_or_another(void **state)
{
	static const struct {
		const char *name;
		enum charset_kind kind;
		guint16 first, e9, last; /* the characters of 0x80, 0xe9 and 0xff; 0: none */
		const char *unknown;
	} SETS[] = {
		{ "", CHARSET_UTF8, 0, 0, 0, "" },
		{ "utf-8", CHARSET_UTF8, 0, 0, 0, NULL },
		{ "Utf8", CHARSET_UTF8, 0, 0, 0, NULL },
		{ "us-ascii", CHARSET_UTF8, 0, 0, 0, NULL },
		{ "windows-1252", CHARSET_SINGLE, 0x20ac, 0xe9, 0xff, NULL },
		{ "iso-8859-1", CHARSET_SINGLE, 0, 0xe9, 0xff, NULL },
		{ "koi8-r", CHARSET_SINGLE, 0x2500, 0x418, 0x42a, NULL },
		{ "shift_jis", CHARSET_OTHER, 0, 0, 0, NULL },
		{ "gb18030", CHARSET_OTHER, 0, 0, 0, NULL },
		{ "utf-16le", CHARSET_UTF8, 0, 0, 0, "utf-16le" },
		{ "ibm037", CHARSET_UTF8, 0, 0, 0, "ibm037" },
		{ "x-no-such", CHARSET_UTF8, 0, 0, 0, "x-no-such" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(SETS); i++) {
		g_autofree char *text = g_strdup_printf("<?xml encoding='%s'?>", SETS[i].name);
		struct charset charset = { .kind = CHARSET_OTHER };

		charset_read(&charset, text, strlen(text));
		if (charset.kind != SETS[i].kind || g_strcmp0(charset.unknown, SETS[i].unknown) != 0)
			fail_msg("%s: kind %d, unknown %s", SETS[i].name, charset.kind, charset.unknown);
		if (charset.kind == CHARSET_SINGLE &&
		    (charset.upper[0] != SETS[i].first || charset.upper[0x69] != SETS[i].e9 ||
			charset.upper[0x7f] != SETS[i].last))
			fail_msg("%s: %x %x %x", SETS[i].name, charset.upper[0], charset.upper[0x69],
			    charset.upper[0x7f]);
		charset_clear(&charset);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_name_is_what_follows_encoding),
		cmocka_unit_test(a_set_is_utf_8_single_bytes_or_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
