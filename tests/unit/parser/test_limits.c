/* Every limit of the parser at n - 1, n and n + 1, through the front door. */
#include "parser/parse.h"
#include "tests/unit/parser/collect.h"
#include "tests/unit/parser/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TOP                                                                                                  \
	"<feedback><report_metadata><date_range><begin>1</begin><end>2</end></date_range></report_metadata>" \
	"<policy_published><domain>a.example</domain></policy_published>"
#define REPORT TOP "<record><row><count>3</count></row></record></feedback>"
#define JSON                                                                                                 \
	"{\"date-range\":{\"start-datetime\":\"2024-02-29\",\"end-datetime\":\"2024-02-29\"},\"policies\":[" \
	"{"                                                                                                  \
	"\"policy\":{\"mx-host\":["
#define JSON_END "]}}]}"
#define MIXED    "Subject: s\nContent-Type: multipart/mixed; boundary=b\n\n"

/* A document that asks for size of what the limit bounds. Transfer full. */
typedef GByteArray *(*make_document)(guint size);

struct row {
	const char *member;
	gsize offset, width;
	guint n; /* the value that the limit gets */
	make_document make;
	const char *over; /* is in what the parser tells at n + 1, and not before */
};

/* head, unit n times ('%' in it is a number of its own), tail. */
static GByteArray *repeat(const char *head, const char *unit, guint n, const char *tail)
{
	GByteArray *out = pack_text(head);

	for (guint i = 0; i < n; i++) {
		g_auto(GStrv) pieces = g_strsplit(unit, "%", -1);
		g_autofree char *number = g_strdup_printf("%u", i);
		g_autofree char *text = g_strjoinv(number, pieces);

		g_byte_array_append(out, (const guint8 *)text, (guint)strlen(text));
	}
	g_byte_array_append(out, (const guint8 *)tail, (guint)strlen(tail));
	return out;
}

/* A report of exactly size bytes. */
static GByteArray *report_of(guint size)
{
	guint rest = size - (guint)strlen(REPORT);

	return repeat(TOP, " ", rest, &REPORT[strlen(TOP)]);
}

static GByteArray *gzip_of(GByteArray *inner)
{
	GByteArray *out = pack_gzip(inner->data, inner->len);

	g_byte_array_unref(inner);
	return out;
}

/* A gzip that is size bytes by itself: blanks after the end of gzip are left alone. */
static GByteArray *gzip_padded(guint size)
{
	GByteArray *out = gzip_of(pack_text(REPORT));

	while (out->len < size)
		g_byte_array_append(out, (const guint8 *)"", 1);
	g_assert(out->len == size);
	return out;
}

static GByteArray *unpacks_to(guint size)
{
	return gzip_of(report_of(size));
}

/* 1,000 bytes that unpack to 1,000 * ratio. */
static GByteArray *of_ratio(guint ratio)
{
	GByteArray *out = gzip_of(report_of(1000 * ratio));

	while (out->len < 1000)
		g_byte_array_append(out, (const guint8 *)"", 1);
	g_assert(out->len == 1000);
	return out;
}

static GByteArray *zip_of(guint members)
{
	g_autofree struct pack_member *member = g_new(struct pack_member, members);

	for (guint i = 0; i < members; i++)
		member[i] = (struct pack_member){ "a", REPORT, strlen(REPORT) };
	return pack_zip(member, members);
}

static GByteArray *holds_an_archive_of(guint size)
{
	return gzip_of(gzip_padded(size));
}

static GByteArray *nested(guint depth)
{
	GByteArray *out = pack_text(REPORT);

	for (guint i = 0; i < depth; i++)
		out = gzip_of(out);
	return out;
}

static GByteArray *parts(guint n)
{
	return repeat(MIXED, "--b\n\nx\n", n, "--b--\n");
}

static GByteArray *mails_in_mails(guint depth)
{
	return repeat("", "Content-Type: message/rfc822\n\n", depth - 1, "Subject: x\n\nx");
}

static GByteArray *header(guint size)
{
	return repeat("Subject: ", "x", size - (guint)strlen("Subject: \n"), "\n\nx");
}

static GByteArray *groups(guint n)
{
	return repeat("From: ", "a:", n - 1, "\n\nx");
}

static GByteArray *records(guint n)
{
	return repeat(TOP, "<record/>", n, "</feedback>");
}

static GByteArray *signatures(guint n)
{
	return repeat(TOP "<record><auth_results>", "<dkim><result>pass</result></dkim>", n,
	    "</auth_results></record></feedback>");
}

/* A value of n - 1 bytes and its end, and then a list. */
static GByteArray *record_bytes(guint n)
{
	return repeat(TOP "<record><identifiers><header_from>", "x", n - 1,
	    "</header_from></identifiers><auth_results><dkim><result>pass</result></dkim></auth_results>"
	    "</record></feedback>");
}

/* A comment that the end of a piece leaves size bytes of to read: it is not whole, so libxml2 holds it. */
static GByteArray *tag(guint size)
{
	return repeat(TOP "<!--", "x", size - (guint)strlen("<!--"), "");
}

static GByteArray *attributes(guint n)
{
	return repeat(TOP "<x", " a%=''", n, "/></feedback>");
}

static GByteArray *depth(guint n)
{
	return repeat(TOP, "<x>", n - 1, "");
}

static GByteArray *text(guint n)
{
	return repeat(TOP "<record><identifiers><header_from>", "x", n,
	    "</header_from></identifiers></record></feedback>");
}

/* XML without a record. */
/* A comment of n bytes, and then more of the report's own than the parser reads ahead. */
static GByteArray *foreign(guint n)
{
	g_autofree char *error = g_strnfill(8000, 'e');
	GString *tail = g_string_new("--><report_metadata>");
	GByteArray *out;

	for (guint i = 0; i < 20; i++)
		g_string_append_printf(tail, "<error>%s</error>", error);
	g_string_append(tail, "<date_range><begin>1</begin><end>2</end></date_range></report_metadata>"
			      "<policy_published><domain>a.example</domain></policy_published></feedback>");
	out = repeat("<feedback><!--", "x", n - (guint)strlen("<!---->"), tail->str);
	g_string_free(tail, TRUE);
	return out;
}

static GByteArray *barren(guint n)
{
	return repeat(TOP, " ", n * PARSER_FREE_RECORDS - (guint)strlen(TOP "</feedback>"), "</feedback>");
}

/* Names of which libxml2 knows some from the start: how many is looked for. */
static GByteArray *names(guint n)
{
	return repeat(TOP, "<n%/>", n, "</feedback>");
}

#define SECOND "Subject: s\nContent-Type: message/feedback-report\n\n"

/* A feedback report whose values have n bytes, each with its end. */
static GByteArray *failure(guint n)
{
	return repeat(SECOND "Feedback-Type: abuse\nUser-Agent: ", "x", n - (guint)sizeof "abuse" - 1, "\n");
}

static GByteArray *fields(guint n)
{
	return repeat(SECOND, "X%: 1\n", n, "");
}

/* One record with n of the three notes that it could have, and nothing absent. */
static GByteArray *notes(guint n)
{
	g_autofree char *xml = g_strdup_printf(TOP "<record><row><source_ip>%s</source_ip><count>%s</"
						   "count><policy_evaluated><disposition>none</disposition>"
						   "<dkim>pass</dkim><spf>%s</spf></policy_evaluated></"
						   "row><identifiers><header_from>a.example</header_from>"
						   "</identifiers><auth_results><dkim><domain>a.example</"
						   "domain><result>pass</result></dkim></auth_results>"
						   "</record></feedback>",
	    n > 0 ? "x" : "192.0.2.1", n > 1 ? "y" : "1", n > 2 ? "NOTE" : "fail");

	return pack_text(xml);
}

/* A TLS report of exactly size bytes. */
static GByteArray *json(guint size)
{
	return repeat(JSON, " ", size - (guint)strlen(JSON JSON_END), JSON_END);
}

/* Its list of hosts is the fifth value inside one another. */
static GByteArray *json_depth(guint n)
{
	g_autoptr(GByteArray) open = repeat(JSON, "[", n - 5, ""), close = repeat("", "]", n - 5, JSON_END);

	g_byte_array_append(open, close->data, close->len);
	return g_steal_pointer(&open);
}

/* One policy and the rest hosts. */
static GByteArray *json_items(guint n)
{
	return repeat(JSON "\"a.example\"", ",\"%.example\"", n - 2, JSON_END);
}

#define MEMBER(name)                                                                                         \
#name, G_STRUCT_OFFSET(struct parser_limits, name), sizeof(((const struct parser_limits *)NULL)->name)

static const struct row ROWS[] = {
	{ MEMBER(max_unpacked), 5000, unpacks_to, "limit: file: unpacks to more bytes" },
	{ MEMBER(free_unpacked), 50000, unpacks_to, "limit: file: unpacks to more bytes" },
	{ MEMBER(max_ratio), 50, of_ratio, "limit: file: unpacks to more bytes" },
	{ MEMBER(max_members), 5, zip_of, "limit: file: has more archive members" },
	{ MEMBER(max_inner), 400, holds_an_archive_of, "limit: file: archives in archives of more bytes" },
	{ MEMBER(max_nesting), 3, nested, "limit: file: archives inside one another" },
	{ MEMBER(max_parts), 20, parts, "limit: mail: parts: more than 20" },
	{ MEMBER(max_part_depth), 9, mails_in_mails, "limit: mail: parts inside one another: more than 9" },
	{ MEMBER(max_header_bytes), 100, header, "limit: mail: bytes in a header: more than 100" },
	{ MEMBER(max_groups), 10, groups, "limit: mail: colons in a field of addresses: more than 10" },
	{ MEMBER(max_records), 5, records, "limit: file: more than 5 records" },
	{ MEMBER(max_record_items), 3, signatures, "{T2 auth_results/dkim}" },
	{ MEMBER(max_record_bytes), 200, record_bytes, "{T2 auth_results/dkim}" },
	{ MEMBER(max_tag_bytes), 500, tag,
	    "limit: file: line 1: a tag, comment or the like of more than 500" },
	{ MEMBER(max_attributes), 4, attributes, "limit: file: an element with more than 4 attributes" },
	{ MEMBER(max_names), 0, names, "limit: file: more than" },
	{ MEMBER(max_depth), 10, depth, "limit: file: more than 10 elements inside one another" },
	{ MEMBER(max_record_xml), 10, barren, "limit: file: too many bytes of XML for its records" },
	{ MEMBER(max_foreign), 100, foreign,
	    "limit: file: too many bytes of XML that are none of its records'" },
	{ MEMBER(max_text), 300, text, "{T1 identifiers/header_from}" },
	{ MEMBER(max_notes), 2, notes, NULL },
	{ MEMBER(max_json), 500, json, "limit: file: TLS report: more than 500 bytes" },
	{ MEMBER(max_json_depth), 10, json_depth,
	    "limit: file: TLS report: JSON of more than 10 values inside one another" },
	{ MEMBER(max_json_items), 10, json_items,
	    "limit: file: more than 10 policies, failure details and strings" },
	{ MEMBER(max_failure), 100, failure,
	    "limit: part 1: bytes in the values of a feedback report: more than 100" },
	{ MEMBER(max_fields), 30, fields, "limit: part 1: fields in a feedback report: more than 30" },
};

static void set(struct parser_limits *limits, const struct row *row, guint64 value)
{
	guint32 narrow = (guint32)value;

	if (row->width == sizeof narrow)
		memcpy((guint8 *)limits + row->offset, &narrow, sizeof narrow);
	else
		memcpy((guint8 *)limits + row->offset, &value, sizeof value);
}

/* What the parser tells of a document that asks for size, when the limit is at value. */
static char *run(const struct row *row, guint64 value, guint size)
{
	struct parser_options options = { .limits = PARSER_LIMITS_DEFAULT };
	g_autoptr(GByteArray) document = row->make(size);
	g_autoptr(GError) error = NULL;
	struct collect collect;

	if (g_str_equal(row->member, "max_ratio"))
		options.limits.free_unpacked = 0;
	if (g_str_equal(row->member, "free_unpacked"))
		options.limits.max_ratio = 1;
	set(&options.limits, row, value);
	collect_init(&collect);
	assert_true(parse_document(document->data, document->len, &options, &COLLECT, &collect, &error));
	return g_string_free(collect.lines, FALSE);
}

static void check(const struct row *row, guint64 value, guint size, gboolean over)
{
	g_autofree char *got = run(row, value, size);

	if ((strstr(got, row->over) != NULL) != over)
		fail_msg("%s at %" G_GUINT64_FORMAT ", %u asked for: %s", row->member, value, size, got);
	if (!over && strstr(got, "unreadable limit") != NULL)
		fail_msg("%s: another limit: %s", row->member, got);
}

/* Names: the least limit that n names pass is the one that n + 1 names break. */
static void check_names(const struct row *row)
{
	guint64 limit = 1;
	g_autofree char *got = NULL;

	for (; (got = run(row, limit, 20)) != NULL && strstr(got, row->over) != NULL; limit++)
		g_clear_pointer(&got, g_free);
	assert_true(limit > 20 && limit < 400);
	check(row, limit, 19, FALSE);
	check(row, limit, 20, FALSE);
	check(row, limit, 21, TRUE);
}

/* Notes beyond the limit are left out, and nothing else happens. */
static void check_notes(const struct row *row)
{
	static const char *const listed[] = { "{I1 ", "{C1 ", "{V1 " };

	for (guint n = row->n - 1; n <= row->n + 1; n++) {
		g_autofree char *got = run(row, row->n, n);

		for (guint i = 0; i < G_N_ELEMENTS(listed); i++)
			if ((strstr(got, listed[i]) != NULL) != (i < MIN(n, row->n)))
				fail_msg("max_notes, %u: %s", n, got);
		assert_non_null(strstr(got, "\nend "));
	}
}

static void each_limit_holds_at_n_minus_1_n_n_plus_1(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		const struct row *row = &ROWS[i];

		if (g_str_equal(row->member, "max_names"))
			check_names(row);
		else if (g_str_equal(row->member, "max_notes"))
			check_notes(row);
		else
			for (guint n = row->n - 1; n <= row->n + 1; n++)
				check(row, row->n, n, n > row->n);
	}
}

/* The header is read as text: C cannot list the members of a struct. */
static void every_member_has_a_row(void **state)
{
	g_autofree char *header_text = NULL;
	g_autoptr(GRegex) member = g_regex_new("^\\t\\w+\\s+(\\w+);", G_REGEX_MULTILINE, 0, NULL);
	g_autoptr(GMatchInfo) match = NULL;
	guint found = 0;

	(void)state;
	assert_true(g_file_get_contents(TEST_FOLDER "/../../../parser/limits.h", &header_text, NULL, NULL));
	for (g_regex_match(member, header_text, 0, &match); g_match_info_matches(match); found++) {
		g_autofree char *name = g_match_info_fetch(match, 1);
		gboolean has_row = FALSE;

		for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++)
			has_row |= g_str_equal(ROWS[i].member, name);
		if (!has_row)
			fail_msg("%s has no row", name);
		g_match_info_next(match, NULL);
	}
	assert_int_equal(found, G_N_ELEMENTS(ROWS));
}

static int init(void **state)
{
	(void)state;
	parse_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_limit_holds_at_n_minus_1_n_n_plus_1),
		cmocka_unit_test(every_member_has_a_row),
	};

	return cmocka_run_group_tests(tests, init, NULL);
}
