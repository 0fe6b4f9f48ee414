/*
 * Bytes of damaged XML into repaired ones: each row whole, byte by byte and in sevens. What was repaired is
 * put before it as "{code}"; rows of want NULL come out as they go in.
 */
#include "parser/repair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct row {
	const char *name;
	const char *xml;
	const char *want;
};

#define IN(text)   "<feedback>" text "</feedback>"
#define META(text) IN("<report_metadata>" text "</report_metadata>")

#define DECLARED "<?xml version='1.0' encoding='utf-8'?>"
#define PLAIN    "<?xml version=\"1.0\"?>"

static const struct row ROWS[] = {
	/* untouched */
	{ "nothing", "", NULL },
	{ "well-formed, all that XML has",
	    "\xef\xbb\xbf\n<?xml version='1.0' encoding='utf-8'?>\n<!-- & < a --><!DOCTYPE feedback SYSTEM "
	    "'[>'>\n"
	    "<feedback a='&amp; >' b = \"'\" ><x/><y:z /><![CDATA[ & < "
	    "]]]]>&lt;&#38;&#x26;&a.b;\xc3\xb1\xe2\x82\xac"
	    "\xf0\x9f\x98\x80<?p & < ?><!-- & --- < --></feedback >\r\n\t<!-- end -->",
	    NULL },
	{ "another root", "<?xml version='1.0'?><html>a & b < c \x01\xff</html>", NULL },
	{ "another root behind junk", "<?xml version='1.0'?>\"<html><feedback>&</feedback>", NULL },
	{ "another charset",
	    "<?xml version='1.0' encoding=\"Shift_JIS\"?><feedback>\x83\x41 & < \x01</feedback", NULL },
	{ "another root in a set of single bytes",
	    "<?xml version='1.0' encoding='koi8-r'?><html>\xc1&\x01</html>",
	    "<?xml version='1.0' encoding='koi8-r'?><html>\xd0\xb0&\x01</html>" },
	{ "an internal subset", "<!DOCTYPE a [<!ENTITY b '&c;'>]><feedback>& < \x01</feedback", NULL },
	{ "an internal subset behind junk", "<?xml version='1.0'?>\"<!DOCTYPE a []><feedback>& <</feedback>",
	    NULL },
	{ "a declaration before the root", "<!ENTITY a 'b'><feedback>&</feedback>", NULL },
	{ "a report in CDATA", "<![CDATA[<feedback>]]><feedback>&</feedback>", NULL },
	{ "names that only start like ours", "<feedbacks>&</feedbacks>", NULL },
	{ "no root", "<?xml version='1.0'?>\" & <", NULL },
	{ "an end tag first", "</feedback><feedback>&</feedback>", NULL },
	{ "three bytes are too few to tell the character set", "\x01<a", NULL },
	{ "four bytes are enough", "\x01<a>", "{X6}<a>" },
	{ "a mark of UTF-16, and no character of ASCII after it", "\xff\xfe\x2d\x4e\x01&", NULL },
	{ "the mark of the other byte order", "\xfe\xff\x4e\x2d\x01&", NULL },
	{ "EBCDIC", "\x4c\x6f\xa7\x94\x93\x01&", NULL },
	{ "a declaration that does not end", "<?xml version='1.0'", NULL },
	{ "cut off in a tag", "<feedback><record><row><count>1</cou", NULL },
	{ "cut off in a reference", "<feedback>&am", NULL },
	{ "cut off in an attribute", "<feedback><a b='&", NULL },
	/* ampersands */
	{ "ampersands", IN("a & b && c&d &1; &; &#; &#x; &#xg; &#1a; &a b; &"),
	    IN("a {X5}&amp; b {X5}&amp;{X5}&amp; c{X5}&amp;d {X5}&amp;1; {X5}&amp;; {X5}&amp;#; {X5}&amp;#x; "
	       "{X5}&amp;#xg; {X5}&amp;#1a; {X5}&amp;a b; {X5}&amp;") },
	{ "an ampersand in an attribute", IN("<a b='1&2;&amp;'/>"), IN("<a b='1{X5}&amp;2;&amp;'/>") },
	{ "an entity of one's own stays one", IN("&xxe;"), NULL },
	/* tags that are none */
	{ "an address", IN("<user@host>"), IN("{X5}&lt;user@host>") },
	{ "a name and an address", IN("<Jo Doe <jo@doe>>"), IN("{X5}&lt;Jo Doe {X5}&lt;jo@doe>>") },
	{ "a number", IN("a < 5 <5 <= <>"), IN("a {X5}&lt; 5 {X5}&lt;5 {X5}&lt;= {X5}&lt;>") },
	{ "before a tag", IN("<p>a<b</p>"), IN("<p>a{X5}&lt;b</p>") },
	{ "before the last tag", IN("<<"), IN("{X5}&lt;{X5}&lt;") },
	{ "like an end tag", IN("</ </1> </a b>"), IN("{X5}&lt;/ {X5}&lt;/1> {X5}&lt;/a b>") },
	{ "like an attribute", IN("<a b> <a b=c> <a b='<'> <a/b> <a b='&c'@>"),
	    IN("{X5}&lt;a b> {X5}&lt;a b=c> {X5}&lt;a b='{X5}&lt;'> {X5}&lt;a/b> {X5}&lt;a "
	       "b='{X5}&amp;c'@>") },
	{ "like a comment or CDATA", IN("<!- <![CDAT <!x"), IN("{X5}&lt;!- {X5}&lt;![CDAT {X5}&lt;!x") },
	/* bytes */
	{ "control characters",
	    IN("<a\x01>\x02\x1f&am\x03p;</\x04"
	       "a>\x0b"),
	    IN("{X6}<a>{X6}{X6}{X6}&amp;{X6}</a>{X6}") },
	{ "references to control characters", IN("a&#0;b&#x1f;&#13;&#x20;<a b='&#1;'/>"),
	    IN("a{X6}b{X6}&#13;&#x20;<a b='{X6}'/>") },
	{ "in a comment and CDATA", IN("<!-- \x01\xff --><![CDATA[\x01\xff]]>"),
	    IN("<!-- {X6}{X7}\xc3\xbf --><![CDATA[{X6}{X7}\xc3\xbf]]>") },
	{ "windows-1252", IN("Sue\xf1o \x80\x91\x81\xa0"),
	    IN("Sue{X7}\xc3\xb1o {X7}\xe2\x82\xac{X7}\xe2\x80\x98{X7}\xc2\x81{X7}\xc2\xa0") },
	{ "sequences that end too early", IN("\xc3<a/>\xe2\x82 \xf0\x9f\x98\xc3\xb1"),
	    IN("{X7}\xc3\x83<a/>{X7}\xc3\xa2{X7}\xe2\x80\x9a {X7}\xc3\xb0{X7}\xc5\xb8{X7}\xcb\x9c\xc3\xb1") },
	{ "overlong, surrogate, beyond Unicode", IN("\xc0\xbc \xed\xa0\x80 \xf4\x90\x80\x80"),
	    IN("{X7}\xc3\x80{X7}\xc2\xbc {X7}\xc3\xad{X7}\xc2\xa0{X7}\xe2\x82\xac "
	       "{X7}\xc3\xb4{X7}\xc2\x90{X7}\xe2\x82\xac{X7}\xe2\x82\xac") },
	{ "a sequence that the end cuts", IN("") "\xe2\x82", IN("") "{X7}\xc3\xa2{X7}\xe2\x80\x9a" },
	{ "a set of single bytes",
	    "<?xml version='1.0' encoding=\"windows-1252\"?><feedback>\xf1 & \x80 < \x01</feedback",
	    "<?xml version='1.0' encoding=\"windows-1252\"?><feedback>\xc3\xb1 {X5}&amp; \xe2\x82\xac "
	    "{X5}&lt; "
	    "{X6}</feedback{X9}>" },
	{ "a byte that the set has not", "<?xml version='1.0' encoding='windows-1253'?><feedback>\xe1\xd2",
	    "<?xml version='1.0' encoding='windows-1253'?><feedback>\xce\xb1{X7}\xc3\x92" },
	{ "controls of ISO 8859", "<?xml version='1.0' encoding='iso-8859-1'?><feedback>\x93\xe9",
	    "<?xml version='1.0' encoding='iso-8859-1'?><feedback>{X7}\xe2\x80\x9c\xc3\xa9" },
	{ "a set that cannot be", "<?xml version='1.0' encoding='utf-16'?><feedback>\xc3\xb1& ",
	    "<?xml version='1.0' encoding='utf-16'?><feedback>\xc3\xb1{X5}&amp; " },
	{ "a set that is not known", "<?xml version='1.0' encoding='x-no-such'?><feedback>\xf1",
	    "<?xml version='1.0' encoding='x-no-such'?><feedback>{X7}\xc3\xb1" },
	{ "ASCII that is none", "<?xml version='1.0' encoding='us-ascii'?><feedback>\xc3\xb1\xf1",
	    "<?xml version='1.0' encoding='us-ascii'?><feedback>\xc3\xb1{X7}\xc3\xb1" },
	/* around the root */
	{ "a quote before the declaration",
	    "\xef\xbb\xbf\n\"<?xml version='1.0' encoding='iso-8859-2'?><feedback>\xe8",
	    "\xef\xbb\xbf\n{X8}<?xml version='1.0' encoding='iso-8859-2'?><feedback>\xc4\x8d" },
	{ "words before the declaration", "b'<?xml version='1.0'?><feedback/>",
	    "{X8}<?xml version='1.0'?><feedback/>" },
	{ "a quote", "<?xml version='1.0'?>\n \"\n<feedback/>", "<?xml version='1.0'?>\n {X8}<feedback/>" },
	{ "words with < and &", "<?xml version='1.0'?>a < b & c<d@e><F:FEEDBACK\n></F:FEEDBACK>",
	    "<?xml version='1.0'?>{X8}<F:FEEDBACK\n></F:FEEDBACK>" },
	{ "a schema",
	    "<?xml version='1.0'?> <xs:schema a='>'>\n<xs:element/></xs:x><!-- <feedback> --><feedback/>",
	    "<?xml version='1.0'?> {X8}<feedback/>" },
	/* declarations */
	{ "a declaration twice", DECLARED "\n" DECLARED "\n<feedback/>", "{X8}" PLAIN "\n<feedback/>" },
	{ "the second names the character set",
	    "<?xml version='1.0'?><?xml version='1.0' encoding='iso-8859-2'?><feedback>\xe8",
	    "{X8}" PLAIN "<feedback>\xc4\x8d" },
	{ "two character sets", "<?xml version='1.0' encoding='utf-8'?><?xml encoding='koi8-r'?><feedback/>",
	    NULL },
	{ "a version of 1", "<?xml version=\"1\" encoding=\"UTF-8\"?>\n<feedback/>",
	    "{X8}" PLAIN "\n<feedback/>" },
	{ "no version", "<?xml encoding='iso-8859-2'?><feedback>\xe8", "{X8}" PLAIN "<feedback>\xc4\x8d" },
	{ "no quotes", "<?xml version=1.0 encoding=UTF-8?><feedback/>", "{X8}" PLAIN "<feedback/>" },
	{ "other quotes",
	    "<?xml version=\xe2\x80\x9c"
	    "1.0\xe2\x80\x9d?><feedback/>",
	    "{X8}" PLAIN "<feedback/>" },
	{ "capitals", "<?XML VERSION='1.0'?><feedback/>", "{X8}" PLAIN "<feedback/>" },
	{ "a blank before xml", "<? xml version='1.0' ?><feedback/>", "{X8}" PLAIN "<feedback/>" },
	{ "no ? at its end", "<?xml version='1.0'>\n<feedback/>", "{X8}" PLAIN "\n<feedback/>" },
	{ "no ?> at its end", "<?xml version='1.0'\n<feedback/>", "{X8}" PLAIN "<feedback/>" },
	{ "a version of 1.10", "<?xml version='1.10'?><feedback/>", NULL },
	{ "a version of 1.x", "<?xml version='1.x'?><feedback/>", "{X8}" PLAIN "<feedback/>" },
	{ "a version of 1 and a dot", "<?xml version='1.'?><feedback/>", "{X8}" PLAIN "<feedback/>" },
	{ "a version of 2.0", "<?xml version='2.0'?><feedback/>", "{X8}" PLAIN "<feedback/>" },
	{ "a character set that begins with a digit", "<?xml version='1.0' encoding='1utf'?><feedback/>",
	    "{X8}" PLAIN "<feedback/>" },
	{ "no name of a character set", "<?xml version='1.0' encoding=''?><feedback/>",
	    "{X8}" PLAIN "<feedback/>" },
	{ "all characters that names of them have", "<?xml version='1.0' encoding='utf_8-.1'?><feedback/>",
	    NULL },
	{ "one that they have not", "<?xml version='1.0' encoding='utf:8'?><feedback/>",
	    "{X8}" PLAIN "<feedback/>" },
	{ "UTF-8 without hyphen", "<?xml version='1.0' encoding='utf8'?><feedback>\xc3\xb1</feedback>",
	    NULL },
	{ "a standalone of no", "<?xml version='1.0' standalone='no'?><feedback/>", NULL },
	{ "a standalone of ye", "<?xml version='1.0' standalone='ye'?><feedback/>",
	    "{X8}" PLAIN "<feedback/>" },
	{ "a standalone of yet", "<?xml version='1.0' standalone='yet'?><feedback/>",
	    "{X8}" PLAIN "<feedback/>" },
	{ "no = behind version", "<?xml version '1.0'?><feedback/>", "{X8}" PLAIN "<feedback/>" },
	{ "nothing behind version", "<?xml version?><feedback/>", "{X8}" PLAIN "<feedback/>" },
	{ "no quote at the end", "<?xml version='1.0?><feedback/>", "{X8}" PLAIN "<feedback/>" },
	{ "two kinds of quotes", "<?xml version='1.0\"?><feedback/>", "{X8}" PLAIN "<feedback/>" },
	{ "a word at the end", "<?xml version='1.0' x?><feedback/>", "{X8}" PLAIN "<feedback/>" },
	{ "no blank before encoding", "<?xml version='1.0'encoding='utf-8'?><feedback/>",
	    "{X8}" PLAIN "<feedback/>" },
	{ "encoding behind standalone", "<?xml version='1.0' standalone='no' encoding='utf-8'?><feedback/>",
	    "{X8}" PLAIN "<feedback/>" },
	{ "a declaration of nothing", "<?xml?><feedback/>", "{X8}" PLAIN "<feedback/>" },
	{ "another instruction", "<?xmlversion='1.0'?><feedback/>", NULL },
	{ "none of a name", "<? version='1.0'?><feedback/>", NULL },
	{ "attributes in another order", "<?xml encoding='utf-8' version='1.0'?><feedback/>",
	    "{X8}" PLAIN "<feedback/>" },
	{ "a wrong standalone", "<?xml version='1.0' standalone='maybe'?><feedback/>",
	    "{X8}" PLAIN "<feedback/>" },
	{ "all that a declaration may have",
	    "<?xml\tversion = '1.1' encoding=\"utf-8\" standalone = 'yes' ?><?xml-stylesheet x?><feedback/>",
	    NULL },
	{ "a wrong one of several bytes a character", "<?xml encoding='shift_jis'?><feedback>\x83\x41&",
	    NULL },
	/* entities of HTML */
	{ "HTML entities", IN("Caf&eacute;&nbsp;&copy; &Eacute;&zwj;<a b='&hearts;'/>"),
	    IN("Caf{X5}\xc3\xa9{X5}\xc2\xa0{X5}\xc2\xa9 {X5}\xc3\x89{X5}\xe2\x80\x8d<a "
	       "b='{X5}\xe2\x99\xa5'/>") },
	{ "what HTML has not", IN("&EACUTE;&eacut;&eacutes;&thetasyms;"), NULL },
	{ "an entity that a DTD may declare", "<!DOCTYPE feedback SYSTEM 'a.dtd'>" IN("&eacute;"), NULL },
	/* end tags */
	{ "a wrong end tag of a leaf", META("<email>a</mail><report_id>b</begin>"),
	    META("<email>a{X9}</email><report_id>b{X9}</report_id>") },
	{ "in another case, prefix or spelling", IN("<d:Row><source_ip>a</Source-IP></row>"),
	    IN("<d:Row><source_ip>a{X9}</source_ip>{X9}</d:Row>") },
	{ "of the root", "<Feedback><record></RECORD></feedback>",
	    "<Feedback><record>{X9}</record>{X9}</Feedback>" },
	{ "of a parent", META("<date_range><begin>1</begin></range>"),
	    META("<date_range><begin>1</begin>{X9}</date_range>") },
	{ "of an element that is not known", META("<a>b</c><email>d</email>"),
	    META("<a>b{X9}</a><email>d</email>") },
	{ "of a record", IN("<record><row></row></x>"), NULL },
	{ "a known word that ends nothing", META("<email>a</email>b</report_id>"), NULL },
	{ "an end tag twice", META("<email>a</email></email >\n<date_range></date_range></date_range>"),
	    META("<email>a</email>{X9}\n<date_range></date_range>{X9}") },
	{ "wrong, then right", META("<email>a</b></email>"), META("<email>a{X9}</email>{X9}") },
	{ "a word between them", META("<email>a</b> c</email>"), META("<email>a{X9}</email> c</email>") },
	{ "missing before the next leaf", META("<email>a\n<report_id>b</report_id>"),
	    META("<email>a\n{X9}</email><report_id>b</report_id>") },
	{ "missing in a row", META("<org_name>a<email>b<report_id><error/>"),
	    META("<org_name>a{X9}</org_name><email>b{X9}</email><report_id>{X9}</report_id><error/>") },
	{ "missing before the parent's end", IN("<record><row><count>1</row></record>"),
	    IN("<record><row><count>1{X9}</count></row></record>") },
	{ "missing twice", META("<date_range><begin>1<end>2"),
	    META("<date_range><begin>1{X9}</begin><end>2{X9}</end>{X9}</date_range>") },
	{ "missing behind a range", META("<date_range><end>2</end><email>a</email>"),
	    META("<date_range><end>2</end>{X9}</date_range><email>a</email>") },
	{ "missing of the metadata",
	    IN("<report_metadata><email>a</email>\n<policy_published><p>none</p></policy_published>"),
	    IN("<report_metadata><email>a</email>\n{X9}</report_metadata><policy_published><p>none</p>"
	       "</policy_published>") },
	{ "missing of both parts of the header",
	    IN("<report_metadata><email>a</email><policy_published><p>none</p><record></record>"),
	    IN("<report_metadata><email>a</email>{X9}</report_metadata><policy_published><p>none</p>{X9}"
	       "</policy_published><record></record>") },
	{ "missing of a part of the header and of what is in it",
	    IN("<report_metadata><date_range><end>2</end><policy_published></policy_published>"), NULL },
	{ "a part of the header with a record in it",
	    IN("<policy_published><p>none</p><record></record></policy_published>"), NULL },
	{ "a start tag in place of the end tag", META("<email>a<email><report_id>b</report_id>"),
	    META("<email>a{X9}</email><email>{X9}</email><report_id>b</report_id>") },
	{ "other repairs behind a missing one",
	    META("<email>a<report_id>\x01"
		 "b & c</report_id>"),
	    META("<email>a{X9}</email><report_id>{X6}b {X5}&amp; c</report_id>") },
	{ "without >", META("<email>a</email\n<report_id>b</report_id"),
	    META("<email>a{X9}</email\n><report_id>b{X9}</report_id>") },
	{ "without <", META("<email>a/email><report_id>b</report_id>"), NULL },
	{ "without < before the parent's end", META("<email>a/email>"), NULL },
	{ "a leaf with elements in it", META("<email>a<report_id>b</report_id>c<error/></email>"), NULL },
	{ "and raw markup", META("<email>a<report_id>b & \x01</report_id></email>"),
	    META("<email>a{X6}<report_id>b {X5}&amp; </report_id></email>") },
	{ "a range with other elements in it", META("<date_range><begin/><email/></date_range>"), NULL },
	{ "missing in a leaf with elements in it", META("<email>a<report_id>b</email>"), NULL },
	{ "missing of what is no sibling", META("<email>a<row>b</row>"), NULL },
	{ "missing of a parent in a record", IN("<record><row><count>1</count></record>"), NULL },
	{ "missing, then cut off", IN("<report_metadata><email>a<report_id>b</report_id>") "", NULL },
	{ "the last >", "<feedback>a</feedback", "<feedback>a</feedback{X9}>" },
	{ "the last >, then blanks", "<d:feedback>a</d:feedback \n", "<d:feedback>a</d:feedback \n{X9}>" },
};

static void on_bytes(gpointer user, const guint8 *data, gsize size)
{
	g_string_append_len(user, (const char *)data, (gssize)size);
}

static void on_repaired(gpointer user, const char *code)
{
	g_string_append_printf(user, "{%s}", code);
}

static const struct repair_visitor VISITOR = { on_bytes, on_repaired, NULL };

static GString *run(const struct parser_limits *limits, const char *xml, gsize size, gsize step)
{
	GString *out = g_string_new(NULL);
	struct repair *repair = repair_new(limits, &VISITOR, out);

	for (gsize at = 0; at < size; at += step) {
		g_autofree guint8 *piece = g_memdup2(xml + at, MIN(step, size - at));

		repair_push(repair, piece, MIN(step, size - at));
	}
	repair_end(repair);
	repair_free(repair);
	return out;
}

static GString *without_codes(const GString *text)
{
	GString *out = g_string_new(NULL);

	for (const char *at = text->str; *at != '\0'; at++)
		if (at[0] == '{' && at[1] == 'X' && at[3] == '}')
			at += 3;
		else
			g_string_append_c(out, *at);
	return out;
}

static void rows_whole_and_byte_by_byte(void **state)
{
	static const struct parser_limits LIMITS = PARSER_LIMITS_DEFAULT;
	static const gsize STEPS[] = { G_MAXSIZE / 2, 1, 7 };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++)
		for (gsize j = 0; j < G_N_ELEMENTS(STEPS); j++) {
			const struct row *row = &ROWS[i];
			const char *want = row->want != NULL ? row->want : row->xml;
			GString *got = run(&LIMITS, row->xml, strlen(row->xml), STEPS[j]);

			if (strcmp(got->str, want) != 0)
				fail_msg(
				    "%s, step %zu:\ngot  %s\nwant %s", row->name, STEPS[j], got->str, want);
			g_string_free(got, TRUE);
		}
}

/* Nothing is left to repair in what was repaired, wherever the document ends. */
static void what_was_repaired_is_left_alone(void **state)
{
	static const struct parser_limits LIMITS = PARSER_LIMITS_DEFAULT;

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		if (strstr(ROWS[i].xml, "encoding=") != NULL)
			continue; /* it is no longer what it declares */
		GString *once = run(&LIMITS, ROWS[i].xml, strlen(ROWS[i].xml), 3);
		GString *plain = without_codes(once);
		GString *twice = run(&LIMITS, plain->str, plain->len, 3);

		if (strcmp(twice->str, plain->str) != 0)
			fail_msg("%s:\nonce  %s\ntwice %s", ROWS[i].name, plain->str, twice->str);
		g_string_free(once, TRUE);
		g_string_free(plain, TRUE);
		g_string_free(twice, TRUE);
	}
}

static void nul_bytes_are_left_out(void **state)
{
	static const struct parser_limits LIMITS = PARSER_LIMITS_DEFAULT;
	static const char XML[] = "<feedback>\0a\0</feed\0back>\0";
	static const char FIFTH[] = "<fee\0dback>";

	(void)state;
	for (gsize step = 1; step < sizeof XML; step++) {
		static const char CUT[] = "<feedback>\xe7\0\0\0\0\0\0\0\xe7\0";
		GString *cut = run(&LIMITS, CUT, sizeof CUT - 1, step);
		GString *got = run(&LIMITS, XML, sizeof XML - 1, step);
		GString *fifth = run(&LIMITS, FIFTH, sizeof FIFTH - 1, step);

		assert_string_equal(fifth->str, "{X6}<feedback>");
		g_string_free(fifth, TRUE);
		assert_string_equal(
		    cut->str, "<feedback>{X7}\xc3\xa7{X6}{X6}{X6}{X6}{X6}{X6}{X6}{X7}\xc3\xa7{X6}");
		g_string_free(cut, TRUE);

		assert_string_equal(got->str, "<feedback>{X6}a{X6}{X6}</feedback>{X6}");
		g_string_free(got, TRUE);
	}
}

static void utf_16_is_left_alone(void **state)
{
	static const struct parser_limits LIMITS = PARSER_LIMITS_DEFAULT;
	static const struct {
		const char *xml;
		gsize size;
	} rows[] = {
		{ "\xff\xfe<\0f\0e\0\1\1&\0", 12 },
		{ "\xfe\xff\0<\0f\0e\1\1\0&", 12 },
		{ "<\0f\0e\0\1\1&\0", 10 },
		{ "\0<\0f\0e\1\1\0&", 10 },
		{ "\x2d\x4e<\0\1\1&\0", 8 },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		for (gsize step = 1; step <= 12; step += 11) {
			GString *got = run(&LIMITS, rows[i].xml, rows[i].size, step);

			assert_int_equal(got->len, rows[i].size);
			assert_memory_equal(got->str, rows[i].xml, rows[i].size);
			g_string_free(got, TRUE);
		}
}

/* -- documents that are well-formed -- */

static guint32 draw(GRand *rand, guint32 n)
{
	return (guint32)g_rand_int_range(rand, 0, (gint32)n);
}

static void add_element(GString *xml, GRand *rand, guint depth)
{
	static const char *const NAMES[] = { "email", "report_id", "date_range", "begin", "end", "record",
		"row", "count", "spf", "dkim", "report_metadata", "d:email", "Email", "x", "feedback" };
	static const char *const TEXTS[] = { "", "a", " \n", "a>", "&amp;", "&#233;", "/email>",
		"<![CDATA[</a>]]>", "<!-- </email> -->", "\xc3\xa9", "<?p </row> ?>" };
	const char *name = NAMES[draw(rand, G_N_ELEMENTS(NAMES))];

	if (draw(rand, 8) == 0) {
		g_string_append_printf(xml, "<%s a='>'/>", name);
		return;
	}
	g_string_append_printf(xml, "<%s>%s", name, TEXTS[draw(rand, G_N_ELEMENTS(TEXTS))]);
	for (guint n = depth == 0 ? 0 : draw(rand, 4); n > 0; n--)
		add_element(xml, rand, depth - 1);
	g_string_append_printf(
	    xml, "%s</%s%s>", TEXTS[draw(rand, G_N_ELEMENTS(TEXTS))], name, draw(rand, 8) == 0 ? " " : "");
}

/* Elements of reports in any place, with bounds that what is held reaches. */
static void well_formed_documents_are_not_changed(void **state)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(14);

	(void)state;
	for (guint i = 0; i < 20000; i++) {
		struct parser_limits limits = PARSER_LIMITS_DEFAULT;
		GString *xml = g_string_new("<feedback>");
		GString *got;

		limits.max_tag_bytes = draw(rand, 2) == 0 ? limits.max_tag_bytes : 40 + draw(rand, 200);
		for (guint n = draw(rand, 4) + 1; n > 0; n--)
			add_element(xml, rand, 5);
		g_string_append(xml, "</feedback>");
		got = run(&limits, xml->str, xml->len, 1 + draw(rand, 50));
		if (!g_string_equal(got, xml))
			fail_msg("%u:\nis  %s\ngot %s", i, xml->str, got->str);
		g_string_free(got, TRUE);
		g_string_free(xml, TRUE);
	}
}

/* What may be missing is held up to half of max_tag_bytes; behind more than that, all stays as it is. */
static void a_doubt_ends_at_its_limit(void **state)
{
	struct parser_limits limits = PARSER_LIMITS_DEFAULT;

	(void)state;
	limits.max_tag_bytes = 200;
	for (guint held = 99; held <= 101; held++) {
		const guint others = (guint)strlen("<report_id></report_id></report_metadata>") - 1;
		g_autofree char *fill = g_strnfill(held - others, 'x');
		g_autofree char *xml = g_strdup_printf(META("<email>a<report_id>%s</report_id>"), fill);
		g_autofree char *want =
		    g_strdup_printf(META("<email>a{X9}</email><report_id>%s</report_id>"), fill);
		GString *got = run(&limits, xml, strlen(xml), 1);

		assert_string_equal(got->str, held > 100 ? xml : want);
		g_string_free(got, TRUE);
	}
}

/* At max_tag_bytes and one more: what is longer is passed on, and all after it, unrepaired. */
static void what_is_held_ends_at_its_limit(void **state)
{
	static const struct {
		const char *name, *head, *tail, *repaired;
	} rows[] = {
		/* what is held is 20 bytes, with an x for each that is missing */
		{ "a tag", "<feedback><a b='", "'/>&</feedback>", "'/>{X5}&amp;</feedback>" },
		{ "a reference", "<feedback>&", ";&</feedback>", ";{X5}&amp;</feedback>" },
	};
	struct parser_limits limits = PARSER_LIMITS_DEFAULT;

	(void)state;
	limits.max_tag_bytes = 20;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		for (gsize held = 19; held <= 21; held++) {
			g_autofree char *fill = g_strnfill(held - (i == 0 ? 9 : 2), 'x');
			g_autofree char *xml = g_strconcat(rows[i].head, fill, rows[i].tail, NULL);
			g_autofree char *want = g_strconcat(
			    rows[i].head, fill, held > 20 ? rows[i].tail : rows[i].repaired, NULL);
			GString *got = run(&limits, xml, strlen(xml), 1);

			if (strcmp(got->str, want) != 0)
				fail_msg("%s, %zu:\ngot  %s\nwant %s", rows[i].name, held, got->str, want);
			g_string_free(got, TRUE);
		}
}

static void junk_ends_at_its_limit(void **state)
{
	struct parser_limits limits = PARSER_LIMITS_DEFAULT;

	(void)state;
	limits.max_tag_bytes = 20;
	for (gsize size = 19; size <= 21; size++) {
		g_autofree char *fill = g_strnfill(size, 'x');
		g_autofree char *xml = g_strconcat("<?xml version='1.0'?>", fill, "<feedback>&", NULL);
		GString *got = run(&limits, xml, strlen(xml), 1);

		assert_string_equal(got->str, size > 20 ? xml : "<?xml version='1.0'?>{X8}<feedback>&");
		g_string_free(got, TRUE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_whole_and_byte_by_byte),
		cmocka_unit_test(what_was_repaired_is_left_alone),
		cmocka_unit_test(nul_bytes_are_left_out),
		cmocka_unit_test(well_formed_documents_are_not_changed),
		cmocka_unit_test(a_doubt_ends_at_its_limit),
		cmocka_unit_test(utf_16_is_left_alone),
		cmocka_unit_test(what_is_held_ends_at_its_limit),
		cmocka_unit_test(junk_ends_at_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
