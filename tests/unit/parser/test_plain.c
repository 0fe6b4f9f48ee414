/* Which elements of a report are plain, and what parts they have. */
#include "parser/plain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MAX_TEXT 20

/* The parts as text: "(record(row[count 1]))", and what follows the element. */
static char *parts_of(const char *xml)
{
	struct plain plain;
	gsize size = strlen(xml), taken = plain_read(&plain, (const guint8 *)xml, size, MAX_TEXT);
	GString *out = g_string_new(NULL);

	for (guint i = 0; taken > 0 && i < plain.n; i++) {
		const struct plain_part *part = &plain.part[i];

		if (part->kind == PLAIN_OPEN)
			g_string_append_printf(out, "(%s", ELEMENTS[part->element].name);
		else if (part->kind == PLAIN_CLOSE)
			g_string_append(out, ")");
		else
			g_string_append_printf(
			    out, "[%s %.*s]", ELEMENTS[part->element].name, (int)part->size, part->text);
	}
	g_string_append(out, taken > 0 ? xml + taken : "not plain");
	return g_string_free(out, FALSE);
}

static const struct {
	const char *name;
	const char *xml;
	const char *want;
} ROWS[] = {
	{ "a leaf", "<version>1.0</version>", "[version 1.0]" },
	{ "white space is trimmed", "<version>\n\t 1.0 \n</version>", "[version 1.0]" },
	{ "what follows is left", "<version>1</version>\n<record>", "[version 1]\n<record>" },
	{ "elements in elements",
	    "<record>\r\n <row><count>1</count></row><identifiers>\n</identifiers></record>",
	    "(record(row[count 1])(identifiers))" },
	{ "names that occur twice are known by their place",
	    "<record><row><policy_evaluated><dkim>pass</dkim></policy_evaluated></row>"
	    "<auth_results><dkim><domain>a</domain></dkim></auth_results></record>",
	    "(record(row(policy_evaluated[dkim pass]))(auth_results(dkim[domain a])))" },
	{ "any order", "<record><auth_results></auth_results><row></row><row></row></record>",
	    "(record(auth_results)(row)(row))" },
	{ "empty elements", "<record><row/><identifiers><envelope_to/></identifiers></record>",
	    "(record(row)(identifiers[envelope_to ]))" },
	{ "an error of the header", "<report_metadata><error>a ] b</error></report_metadata>",
	    "(report_metadata[error a ] b])" },
	{ "the longest text", "<version>12345678901234567890</version>", "[version 12345678901234567890]" },

	{ "a longer text", "<version>123456789012345678901</version>", "not plain" },
	{ "an empty element of the root", "<version/>", "not plain" },
	{ "an unknown element of the root", "<other></other>", "not plain" },
	{ "an extension", "<extension></extension>", "not plain" },
	{ "the root", "<feedback></feedback>", "not plain" },
	{ "an unknown element", "<record><x></x></record>", "not plain" },
	{ "an element in another's place", "<record><count>1</count></record>", "not plain" },
	{ "another spelling", "<Record></Record>", "not plain" },
	{ "a name that begins alike", "<recorder></recorder>", "not plain" },
	{ "a prefix", "<d:record></d:record>", "not plain" },
	{ "an attribute", "<record a='b'></record>", "not plain" },
	{ "an attribute inside", "<record><row a='b'></row></record>", "not plain" },
	{ "a blank in a start tag", "<record ></record>", "not plain" },
	{ "a blank in an end tag", "<record></record >", "not plain" },
	{ "a comment", "<record><!-- a --></record>", "not plain" },
	{ "a comment in a leaf", "<version>1<!-- a --></version>", "not plain" },
	{ "a section", "<version><![CDATA[1]]></version>", "not plain" },
	{ "an instruction", "<record><?a?></record>", "not plain" },
	{ "a reference", "<version>&amp;</version>", "not plain" },
	{ "a '>'", "<version>a > b</version>", "not plain" },
	{ "CR in a text", "<version>1\r\n</version>", "not plain" },
	{ "a control character", "<version>1\x01</version>", "not plain" },
	{ "DEL", "<version>1\x7f</version>", "not plain" },
	{ "beyond ASCII", "<version>\xc3\xa9</version>", "not plain" },
	{ "a text between elements", "<record>a<row></row></record>", "not plain" },
	{ "a reason that is a text",
	    "<record><row><policy_evaluated><reason>x</reason></policy_evaluated></row></record>",
	    "not plain" },
	{ "a missing end tag", "<record><row></record>", "not plain" },
	{ "a missing end tag of a leaf", "<record><row><count>1</row></record>", "not plain" },
	{ "another end tag", "<record><row></identifiers></record>", "not plain" },
	{ "a leaf in a leaf", "<record><row><count><count>1</count></count></row></record>", "not plain" },
	{ "an end tag only", "</record>", "not plain" },
	{ "nothing", "<", "not plain" },
};

static void elements_are_plain_or_not(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		g_autofree char *got = parts_of(ROWS[i].xml);

		if (strcmp(got, ROWS[i].want) != 0)
			fail_msg("%s: %s", ROWS[i].name, got);
	}
}

/* Read from memory of just this size, so that sanitizers see a read beyond it. */
static void an_element_that_does_not_end_is_not_plain(void **state)
{
	static const char XML[] = "<record><row><count>1</count><policy_evaluated/></row></record>";
	struct plain plain;

	(void)state;
	for (gsize size = 1; size <= strlen(XML); size++) {
		g_autofree guint8 *data = g_memdup2(XML, size);

		assert_int_equal(plain_read(&plain, data, size, MAX_TEXT), size < strlen(XML) ? 0 : size);
	}
}

static void an_element_with_too_many_parts_is_not_plain(void **state)
{
	struct plain plain;

	(void)state;
	for (guint parts = PLAIN_PARTS - 1; parts <= PLAIN_PARTS + 1; parts++) {
		GString *xml = g_string_new("<policy_published>");

		for (guint i = 2; i < parts; i++)
			g_string_append(xml, "<p>r</p>");
		g_string_append(xml, "</policy_published>");
		assert_int_equal(plain_read(&plain, (const guint8 *)xml->str, xml->len, MAX_TEXT),
		    parts <= PLAIN_PARTS ? xml->len : 0);
		g_string_free(xml, TRUE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_are_plain_or_not),
		cmocka_unit_test(an_element_that_does_not_end_is_not_plain),
		cmocka_unit_test(an_element_with_too_many_parts_is_not_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
