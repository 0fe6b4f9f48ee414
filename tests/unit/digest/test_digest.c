#include "server/digest/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <gmime/gmime.h>
#include <libxml/HTMLparser.h>
#include <libxml/xpath.h>

#include <cmocka.h>

#include "parser/error.h"
#include "server/digest/html.h"

#define CONTROL "a\\u000d\\u000aBcc: victim@x.example\\u000d\\u000a\\u000d\\u000a\\u202e\\u0000\\u001b[2J"

static const char *const admin[] = { "admin@own.example", NULL };
static const char *const nobody[] = { NULL };
static const struct mime_envelope envelope = { "ruad@mail.example", admin, FALSE };

/* answer.json with names of that domain, source and reporter, as they are in JSON. */
static struct digest *read_answer(const char *domain, const char *source, const char *reporter)
{
	g_autofree char *content = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(GString) answer = NULL;
	struct digest *digest;

	if (!g_file_get_contents(TEST_FOLDER "/answer.json", &content, NULL, &error))
		fail_msg("%s", error->message);
	answer = g_string_new(content);
	g_string_replace(answer, "DOMAIN", domain, 0);
	g_string_replace(answer, "SOURCE", source, 0);
	g_string_replace(answer, "REPORTER", reporter, 0);
	digest = digest_read(answer->str, &error);
	if (digest == NULL)
		fail_msg("%s", error->message);
	return digest;
}

static struct digest *plain(void)
{
	return read_answer("own.example", "relay.example", "Yahoo");
}

static char *text_of(const char *answer)
{
	g_autoptr(GError) error = NULL;
	struct digest *digest = digest_read(answer, &error);
	char *text = digest != NULL ? digest_text(digest) : NULL;

	digest_free(digest);
	return text;
}

/* -- text -- */

#define WINDOW  "\"window\": {\"from\": \"2020-11-23\", \"to\": \"2020-11-30\"}"
#define NO_MAIL "{" WINDOW ", \"totals\": {\"messages\": 0}"
#define NO_NEWS(before)                                                                                      \
	"{" WINDOW ", \"totals\": {\"messages\": 10, \"pass\": 9}, \"previous\": {" before                   \
	"}, \"advice\": {\"items\": [], \"total\": 0, \"reports_until\": \"2020-11-29T23:59:59Z\"}, "        \
	"\"changes\": {}"
#define AS_BEFORE     "\"messages\": 10, \"pass\": 9"
#define TEN_MESSAGES  "All domains, 23 Nov 2020 – 29 Nov 2020. 10 messages reported, 90.0% passed DMARC"
#define NOTHING_TO_DO ".\nNothing to do, according to the reports until 29 Nov 2020.\n"

static void what_has_nothing_to_say_is_short(void **state)
{
	static const struct {
		const char *answer, *want;
	} rows[] = {
		{ NO_MAIL "}", "All domains, 23 Nov 2020 – 29 Nov 2020. No report covers these days.\n" },
		{ NO_MAIL ", \"named\": true, \"domains\": {\"items\": [{\"name\": \"a.example\"}]}}",
		    "a.example, 23 Nov 2020 – 29 Nov 2020. No report covers these days.\n" },
		{ NO_NEWS(AS_BEFORE) "}", TEN_MESSAGES " (as before)" NOTHING_TO_DO },
		{ NO_NEWS("\"messages\": 10, \"pass\": 8") "}",
		    TEN_MESSAGES " (▲ 10.0 points)" NOTHING_TO_DO },
		{ NO_NEWS("\"messages\": 0, \"pass\": 0") "}", TEN_MESSAGES NOTHING_TO_DO },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = text_of(rows[i].answer);

		if (g_strcmp0(text, rows[i].want) != 0)
			fail_msg("%s gives \"%s\"", rows[i].answer, text);
	}
}

#define MAIL_OF(pass, before, rest)                                                                          \
	"{" WINDOW ", \"totals\": {\"messages\": 10000, \"pass\": " pass                                     \
	"}, \"previous\": {\"messages\": 10000, "                                                            \
	"\"pass\": " before "}" rest "}"
#define UNREAD     ", \"unread\": {\"quarantined\": 0, \"conflict\": 1}"
#define SAME(rest) MAIL_OF("9000", "9000", rest)
#define FAILS                                                                                                \
	"{\"code\": \"own_rejected\", \"mood\": \"bad\", \"name\": \"relay\", \"domain\": \"a.example\", "   \
	"\"messages\": 1, \"of\": 2}"
#define SOURCE(w)  "{\"name\": \"s\", \"messages\": 3, \"pass\": 3, \"whose\": \"" w "\"}"
#define SILENT(n)  "{\"name\": \"" n "\", \"code\": \"silent_reporter\", \"until\": \"2020-11-01T00:00:00Z\"}"
#define DOMAIN_(n) "{\"name\": \"" n "\", \"totals\": {\"messages\": 1, \"pass\": 1}}"

/* What a digest has, and what it has not. */
static const struct {
	const char *answer, *has, *lacks;
} PARTS[] = {
	{ SAME(UNREAD), "Unread mail\n-----------\n0 quarantined and 1 in conflict, 0 before.", "more" },
	{ SAME(UNREAD), "\nWhat to do\n----------\nNothing to do, according to the reports until –.\n",
	    "pretended" },
	{ SAME(UNREAD),
	    "\nWhat changed\n------------\n* 90.0% passed, 90.0% before.\n* 10,000 messages, 10,000 "
	    "before.\n\nTotals",
	    "new source" },
	{ MAIL_OF("9004", "9000", UNREAD), "passed DMARC (as before).", "▲" },
	{ MAIL_OF("9004", "9000", UNREAD), "* 90.0% passed, 90.0% before.", "+ 90" },
	{ MAIL_OF("9006", "9000", UNREAD), "passed DMARC (▲ 0.1 points).", "before)." },
	{ MAIL_OF("9006", "9000", UNREAD), "+ 90.1% passed, 90.0% before.", "* 90" },
	{ MAIL_OF("8994", "9000", UNREAD), "passed DMARC (▼ 0.1 points).", "▲" },
	{ MAIL_OF("8994", "9000", UNREAD), "! 89.9% passed, 90.0% before.", "* 89" },
	{ "{" WINDOW ", \"totals\": {\"messages\": 1, \"pass\": 1}" UNREAD "}", "\nTotals\n",
	    "What changed" },
	{ "{" WINDOW ", \"totals\": {\"messages\": 1, \"pass\": 1}, \"sources\": {\"total\": 2, "
	  "\"new\": 2}" UNREAD "}",
	    "* Reports begin in this window, so every source is new to it.\n", "new source" },
	{ "{" WINDOW ", \"totals\": {\"messages\": 1, \"pass\": 1}, \"sources\": {\"total\": 2, \"new\": 1}, "
	  "\"changes\": {\"sources\": [" SOURCE("own") "]}}",
	    "* 1 new source: s (3 messages, 100% passed).\n", "Reports begin" },
	{ SAME(", \"sources\": {\"total\": 2, \"new\": 2}, \"changes\": {\"sources\": [" SOURCE(
	      "own") ", " SOURCE("own") "]}"),
	    "* 2 new sources: s (3 messages, 100% passed), s (3 messages, 100% passed).\n", "more" },
	{ SAME(", \"failing\": [" FAILS "], \"failing_total\": 1"), "\nYour sources that fail\n", "more" },
	{ SAME(", \"failing\": [" FAILS "], \"failing_total\": 2"), "\n1 more.\n", "Silent" },
	{ SAME(", \"advice\": {\"items\": [" FAILS "], \"total\": 1}"),
	    "\nWhat to do\n----------\n! a.example\n", "Nothing to do" },
	{ SAME(", \"advice\": {\"items\": [" FAILS "], \"total\": 2}"), "\n1 more, less urgent.\n",
	    "pretended" },
	{ SAME(", \"changes\": {\"resolved\": [" FAILS "]}"), "\nTotals\n", "Silent" },
	{ SAME(", \"changes\": {\"policies\": [{\"domain\": \"a\", \"since\": \"2020-11-24\", "
	       "\"tags\": []}]}"),
	    "* a: , reported since 24 Nov 2020.\n", "→" },
	{ SAME(", \"changes\": {\"dns\": [{\"domain\": \"a\", \"name\": \"a\", \"since\": "
	       "\"2020-11-24\"}]}"),
	    "\n  none → none\n", "Silent" },
	{ SAME(", \"silent\": [" SILENT("Yahoo") ", " SILENT("Google") "]"),
	    "\nSilent reporters\n----------------\n* Yahoo has stopped reporting", "Unread" },
	{ SAME(", \"silent\": [" SILENT("Yahoo") ", " SILENT(
	      "Google") "], \"advice\": {\"items\": [" FAILS ", " SILENT("Yahoo") "], \"total\": 2}"),
	    "\nSilent reporters\n----------------\n* Google has stopped reporting", "* Yahoo has" },
	{ SAME(", \"silent\": [" SILENT("Yahoo") "], \"advice\": {\"items\": [" SILENT(
	      "Yahoo") "], \"total\": 1}"),
	    "Yahoo has stopped reporting", "Silent reporters" },
	{ SAME(UNREAD ", \"domains\": {\"items\": [" DOMAIN_("a") "], \"total\": 1}"), "All domains, ",
	    "Domains" },
	{ SAME(UNREAD ", \"domains\": {\"items\": [" DOMAIN_("a") ", " DOMAIN_("b") "], \"total\": 2}"),
	    "\nDomains\n-------\n", "more" },
	{ SAME(UNREAD ", \"named\": true, \"domains\": {\"items\": [" DOMAIN_("a") ", " DOMAIN_(
	      "b") "], \"total\": 2}"),
	    "2 domains, 23 Nov 2020", "All domains" },
	{ SAME(", \"changes\": {\"sources\": [" SOURCE("stranger") "]}"), "Nothing to do, ", "Totals" },
	{ SAME(", \"changes\": {\"sources\": [" SOURCE("forwarder") "]}"), "Nothing to do, ", "Totals" },
	{ SAME(", \"changes\": {\"sources\": [" SOURCE("service") "]}"), "Totals", "Silent" },
	{ SAME(", \"advice\": {\"items\": [" FAILS
	       "], \"total\": 1, \"forwarders\": {\"senders\": 2, \"messages\": 4, "
	       "\"fail\": 2, \"rejected\": 1, \"quarantined\": 1}}"),
	    "\n2 addresses of forwarders and lists passed on 4 messages, of which 2 fail.", "pretended" },
};

static void each_part_is_there_if_there_is_something_to_say(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(PARTS); i++) {
		g_autofree char *text = text_of(PARTS[i].answer);

		if (text == NULL || strstr(text, PARTS[i].has) == NULL ||
		    strstr(text, PARTS[i].lacks) != NULL)
			fail_msg("%" G_GSIZE_FORMAT ": \"%s\" is missing or \"%s\" is there: %s", i,
			    PARTS[i].has, PARTS[i].lacks, text);
	}
}

static void the_heading_of_silent_reporters_stands_once(void **state)
{
	g_autofree char *text = text_of(SAME(", \"silent\": [" SILENT("Yahoo") ", " SILENT("Google") "]"));
	const char *heading = strstr(text, "Silent reporters");

	(void)state;
	assert_non_null(strstr(heading, "* Google has stopped reporting"));
	assert_null(strstr(heading + 1, "Silent reporters"));
}

static void long_texts_are_cut(void **state)
{
	static const struct {
		guint most;
		const char *begin, *end;
	} rows[] = {
		{ 60, "{\"name\": \"", "\", \"text\": \"t\"}" },
		{ 400, "{\"name\": \"a\", \"text\": \"", "\"}" },
		{ 400, "{\"name\": \"a\", \"code\": \"own_rejected\", \"fix\": \"", "\"}" },
		{ 400,
		    "{\"name\": \"a\", \"code\": \"own_rejected\", \"setup\": {\"manual\": "
		    "\"https://",
		    "\"}}" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		for (guint more = 0; more <= 1; more++) {
			g_autofree char *word = g_strnfill(rows[i].most - (i == 3 ? 8 : 0) + more, 'x');
			g_autofree char *point = g_strconcat(rows[i].begin, word, rows[i].end, NULL);
			g_autofree char *answer = g_strdup_printf(
			    "{" WINDOW ", \"totals\": {\"messages\": 1}, \"advice\": {\"items\": [%s]}}",
			    point);
			g_autofree char *text = text_of(answer);

			if ((strstr(text, word) != NULL) != (more == 0))
				fail_msg("%" G_GSIZE_FORMAT ", %u: %s", i, more, text);
		}
}

static void mail_that_nobody_can_read_is_told_even_without_reports(void **state)
{
	g_autofree char *text = text_of(NO_MAIL ", \"unread\": {\"quarantined\": 3, \"conflict\": 0}}");

	(void)state;
	assert_non_null(
	    strstr(text, "\nUnread mail\n-----------\n3 quarantined and 0 in conflict, 0 before."));
}

static void what_is_no_object_is_refused(void **state)
{
	g_autoptr(GError) error = NULL;

	(void)state;
	assert_null(digest_read("[]", &error));
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYSTEM));
}

static void parts_are_in_their_order(void **state)
{
	static const char *const parts[] = {
		"All domains, 23 Nov 2020 – 29 Nov 2020\n\n1,234 messages reported, "
		"97.2% passed DMARC (▼ "
		"2.8 "
		"points).\n",
		"\nWhat to do\n----------\n! relay.example\n  12 messages from your own relay.example are "
		"being "
		"rejected.\n  Sign its mail with DKIM with a key of own.example, and list its address in\n  "
		"the "
		"SPF record of own.example.\n",
		"\n  To make it pass, go to Settings > Mail at relay.example. Publish below\n  your domain: "
		"TXT "
		"a._domainkey. relay.example shows the values. Its mail\n  passes by DKIM only: "
		"relay.example uses a return path of its own.\n  Manual of relay.example: "
		"https://esp.example/?a=\"&b=<c>\n",
		"\n  relay.example sent mail as own.example.\n  Add ip4:192.0.2.1 to the SPF record of "
		"own.example.\n",
		"\n* own.example\n  Nothing blocks the next step of own.example: ",
		"\n  Publish the record that the page of the domain shows.\n",
		"\n2 more, less urgent.\n1 address pretended to be you: 10 messages, 90.0% rejected or ",
		"\nWhat changed\n------------\n! 97.2% passed, 100% before.\n* 1,234 messages, 1,000 "
		"before.\n",
		"\n* 3 new sources: relay.example (30 messages, 100% passed), and 2 more.\n",
		"\n+ Fixed: relay.example failed until 24 Nov 2020, and newer reports ",
		"\n* own.example: p=none → p=quarantine, sp=– → sp=relay.example,",
		"\n* The record at own.example changed. The check of 24 Nov 2020 noticed it.\n  none → "
		"v=spf1 "
		"relay.example -all\n",
		"\nTotals\n------\n",
		"\nMessages                          1,234                      1,000\n",
		"\nQuarantined                           4                          0\n",
		"\n7 reports from 1 reporter.\n",
		"\nYour sources that fail\n----------------------\nSource         Domain       Failed  of  "
		"Quarantined  Rejected\nrelay.example  own.example      12  34            0        12\n1 "
		"more.\n",
		"\nSilent reporters\n----------------\n* Yahoo has stopped reporting: its reports end on 1 "
		"Nov "
		"2020",
		"\nUnread mail\n-----------\n2 quarantined and 1 in conflict, 1 before.",
		"\nDomains\n-------\n\nown.example (p=none)\n1,200 messages reported, "
		"99.2% passed DMARC (▼ "
		"0.8 "
		"points).\n! 12 messages from your own relay.example are being rejected.\n",
		"\nDomain         Policy  Messages  Passed  before\n"
		"b.own.example  –             34   29.4%  "
		"     "
		"–\n1 more.\n",
	};
	struct digest *digest = plain();
	g_autofree char *text = digest_text(digest);
	const char *at = text;

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
		const char *found = strstr(at, parts[i]);

		if (found == NULL)
			fail_msg("lacks \"%s\" in its place:\n%s", parts[i], text);
		at = found != NULL ? found + 1 : "";
	}
	digest_free(digest);
}

/* -- HTML -- */

/* The number of nodes that an XPath finds. */
static int count_nodes(xmlDoc *document, const char *path)
{
	xmlXPathContext *context = xmlXPathNewContext(document);
	xmlXPathObject *found = xmlXPathEvalExpression((const xmlChar *)path, context);
	int n = found->nodesetval != NULL ? found->nodesetval->nodeNr : 0;

	xmlXPathFreeObject(found);
	xmlXPathFreeContext(context);
	return n;
}

static void hostile_names_are_text_in_html(void **state)
{
	static const char script[] =
	    "<script src=//x.example></script><img src=http://x.example onerror=a()>\\\"'>&amp;";
	struct digest *digest = read_answer(script, script, script);
	g_autofree char *html = digest_html(digest);
	xmlDoc *document =
	    htmlReadDoc((const xmlChar *)html, NULL, "utf-8", HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING);

	(void)state;
	assert_non_null(document);
	assert_int_equal(
	    count_nodes(document, "//script | //iframe | //link | //object | //form | //base"), 0);
	assert_int_equal(count_nodes(document, "//@*[starts-with(name(), 'on')]"), 0);
	assert_int_equal(count_nodes(document, "//img"), 2);
	assert_int_equal(count_nodes(document, "//img[starts-with(@src, 'data:image/png;base64,')]"), 2);
	assert_int_equal(count_nodes(document, "//a"), 1);
	assert_int_equal(count_nodes(document, "//a[@href = 'https://esp.example/?a=\"&b=<c>']"), 1);
	assert_int_equal(count_nodes(document, "//bdi[contains(., '<script src=//x.example>')]"),
	    count_nodes(document, "//*[self::bdi][contains(., 'script')]"));
	assert_non_null(strstr(html, "&lt;script src=//x.example&gt;"));
	xmlFreeDoc(document);
	digest_free(digest);
}

/* The whole document but for the bytes of its pictures, which zlib decides: digest.html, as it was looked at
 * in a browser. After a wanted change, take what the test prints. */
static void the_document_is_as_it_was_looked_at(void **state)
{
	struct digest *digest = plain();
	g_autofree char *html = digest_html(digest), *want = NULL;
	g_autoptr(GRegex) pictures = g_regex_new("base64,[^\"]+", 0, 0, NULL);
	g_autofree char *got = g_regex_replace_literal(pictures, html, -1, 0, "base64,", 0, NULL);

	(void)state;
	assert_true(g_file_get_contents(TEST_FOLDER "/digest.html", &want, NULL, NULL));
	if (strcmp(got, want) != 0)
		puts(got);
	assert_string_equal(got, want);
	digest_free(digest);
}

static void pictures_have_words_in_their_place(void **state)
{
	struct digest *digest = plain();
	g_autofree char *html = digest_html(digest);

	(void)state;
	assert_non_null(strstr(html,
	    "alt=\"Messages that passed and failed by day: 23 Nov 2020 100 and 3, 24 Nov 2020 200 and 3.\""));
	assert_null(strstr(html, "http://"));
	digest_free(digest);
}

/* On a telephone a row with several texts is shown as lines, in which numbers need their names. */
static void wide_tables_name_their_numbers(void **state)
{
	struct digest *digest = plain();
	g_autofree char *html = digest_html(digest);
	const char *totals = strstr(html, ">Totals</h2>");
	const char *failing = strstr(html, ">Your sources that fail</h2>");

	(void)state;
	assert_true(totals != NULL && failing != NULL && totals < failing);
	assert_ptr_equal(g_strstr_len(totals, failing - totals, "class=\"wide\""), NULL);
	assert_non_null(strstr(failing, "<table class=\"wide\""));
	assert_non_null(strstr(failing, "display:none;mso-hide:all\">Rejected </span><bdi>12</bdi></td>"));
	digest_free(digest);
}

static void a_manual_is_a_link_only_by_https(void **state)
{
	static const char *const manuals[] = { "javascript:alert(1)", "http://a.example/", "https:/a.example",
		"" };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(manuals); i++) {
		g_autofree char *answer = g_strdup_printf(
		    NO_NEWS(AS_BEFORE) ", \"failing\": [{}], \"advice\": {\"items\": [{\"code\": "
				       "\"review\", \"setup\": {\"manual\": \"%s\"}}]}}",
		    manuals[i]);
		struct digest *digest = digest_read(answer, NULL);
		g_autofree char *html = digest_html(digest);

		assert_null(strstr(html, "href"));
		digest_free(digest);
	}
}

/* -- the mail -- */

static GMimeMessage *read_message(GBytes *bytes)
{
	gsize size;
	const char *data = g_bytes_get_data(bytes, &size);
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(data, size);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);

	g_object_unref(parser);
	g_object_unref(stream);
	assert_non_null(message);
	return message;
}

static GMimeMessage *message_of(const struct digest *digest)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = digest_message(digest, &envelope, &error);

	if (bytes == NULL)
		fail_msg("%s", error->message);
	return read_message(bytes);
}

static GMimeObject *part_at(GMimeObject *multipart, int i, const char *type, const char *subtype)
{
	GMimeObject *part = g_mime_multipart_get_part(GMIME_MULTIPART(multipart), i);

	assert_non_null(part);
	assert_true(g_mime_content_type_is_type(g_mime_object_get_content_type(part), type, subtype));
	return part;
}

static void a_mail_has_text_and_html_with_its_pictures(void **state)
{
	struct digest *digest = plain();
	GMimeMessage *message = message_of(digest);
	g_autofree char *text = digest_text(digest);
	GMimeObject *body = g_mime_message_get_mime_part(message);
	GMimeObject *related = part_at(body, 1, "multipart", "related");
	g_autofree char *plain_part =
	    g_mime_text_part_get_text(GMIME_TEXT_PART(part_at(body, 0, "text", "plain")));
	g_autofree char *html =
	    g_mime_text_part_get_text(GMIME_TEXT_PART(part_at(related, 0, "text", "html")));

	(void)state;
	assert_true(
	    g_mime_content_type_is_type(g_mime_object_get_content_type(body), "multipart", "alternative"));
	assert_string_equal(plain_part, text);
	assert_int_equal(g_mime_multipart_get_count(GMIME_MULTIPART(related)), 3);
	for (guint i = 1; i <= 2; i++) {
		g_autofree char *cid = html_cid(i, "mail.example");
		g_autofree char *source = g_strdup_printf("src=\"cid:%s\"", cid);
		GMimeObject *picture = part_at(related, (int)i, "image", "png");

		assert_string_equal(g_mime_object_get_content_id(picture), cid);
		assert_string_equal(g_mime_object_get_disposition(picture), "inline");
		assert_non_null(strstr(html, source));
	}
	g_object_unref(message);
	digest_free(digest);
}

static void a_mail_says_who_made_it(void **state)
{
	struct digest *digest = plain();
	GMimeMessage *message = message_of(digest);
	GMimeObject *object = GMIME_OBJECT(message);

	(void)state;
	assert_string_equal(g_mime_object_get_header(object, "Auto-Submitted"), "auto-generated");
	assert_string_equal(g_mime_message_get_subject(message),
	    "DMARC digest: All domains, 23 Nov 2020 – 29 Nov 2020, 97.2% passed, 6 to do");
	assert_string_equal(g_mime_object_get_header(object, "To"), "admin@own.example");
	assert_true(g_str_has_suffix(g_mime_message_get_message_id(message), "@mail.example"));
	assert_non_null(g_mime_message_get_date(message));
	g_object_unref(message);
	digest_free(digest);
}

static void the_subject_counts_what_is_to_do(void **state)
{
	static const struct {
		const char *answer, *want;
	} rows[] = {
		{ NO_MAIL "}", "DMARC digest: All domains, 23 Nov 2020 – 29 Nov 2020, no report" },
		{ SAME(""),
		    "DMARC digest: All domains, 23 Nov 2020 – 29 Nov 2020, 90.0% passed, nothing to do" },
		{ SAME(", \"advice\": {\"total\": 1}"),
		    "DMARC digest: All domains, 23 Nov 2020 – 29 Nov 2020, 90.0% passed, 1 to do" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct digest *digest = digest_read(rows[i].answer, NULL);
		g_autoptr(GBytes) bytes = digest_message(digest, &envelope, NULL);
		GMimeMessage *message = read_message(bytes);

		assert_string_equal(g_mime_message_get_subject(message), rows[i].want);
		g_object_unref(message);
		digest_free(digest);
	}
}

static void hostile_names_add_no_header_and_no_escape_sequence(void **state)
{
	g_autoptr(GError) error = NULL;
	struct digest *digest = digest_read(
	    NO_MAIL ", \"named\": true, \"domains\": {\"items\": [{\"name\": \"" CONTROL "\"}]}}", &error);
	GMimeMessage *message = message_of(digest);
	InternetAddressList *recipients = g_mime_message_get_all_recipients(message);
	g_autofree char *text = digest_text(digest);

	(void)state;
	assert_null(g_mime_object_get_header(GMIME_OBJECT(message), "Bcc"));
	assert_int_equal(internet_address_list_length(recipients), 1);
	assert_null(strchr(text, '\x1b'));
	assert_null(strstr(text, "\xe2\x80\xae"));
	assert_non_null(strstr(text, "a\\u000d\\u000aBcc: victim@x.example\\u000d\\u000a"));
	g_object_unref(recipients);
	g_object_unref(message);
	digest_free(digest);
}

static void addresses_that_are_none_are_refused(void **state)
{
	static const char *const one_word[] = { "admin@own.example", "nobody", NULL };
	static const char *const empty[] = { "", NULL };
	static const char *const group[] = { "x: a@b.example, c@d.example;", NULL };
	static const char *const two_lines[] = { "a@b.example\r\nBcc: c@d.example", NULL };
	static const struct mime_envelope wrong[] = {
		{ "ruad", nobody, FALSE },
		{ "", nobody, FALSE },
		{ "ruad <a@b.example>", nobody, FALSE },
		{ "a@b.example", one_word, FALSE },
		{ "a@b.example", empty, FALSE },
		{ "a@b.example", group, FALSE },
		{ "a@b.example", two_lines, FALSE },
	};
	struct digest *digest = plain();

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(GBytes) bytes = digest_message(digest, &wrong[i], &error);

		if (bytes != NULL || !g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX))
			fail_msg("%" G_GSIZE_FORMAT ": from \"%s\" is not refused", i, wrong[i].from);
	}
	digest_free(digest);
}

static void lines_end_in_crlf_for_smtp(void **state)
{
	static const struct mime_envelope smtp = { "ruad@mail.example", admin, TRUE };
	struct digest *digest = plain();
	g_autoptr(GBytes) bytes = digest_message(digest, &smtp, NULL);
	gsize size;
	const char *data = g_bytes_get_data(bytes, &size);

	(void)state;
	for (gsize i = 0; i < size; i++)
		if ((data[i] == '\n') != (i > 0 && data[i - 1] == '\r'))
			fail_msg("byte %" G_GSIZE_FORMAT " is half of a line end", i);
	digest_free(digest);
}

static void a_mail_without_recipient_or_pictures_is_a_mail(void **state)
{
	static const struct mime_envelope open = { "ruad@mail.example", nobody, FALSE };
	struct digest *digest = digest_read(NO_MAIL "}", NULL);
	g_autoptr(GBytes) bytes = digest_message(digest, &open, NULL);
	GMimeMessage *message = read_message(bytes);

	(void)state;
	assert_null(g_mime_object_get_header(GMIME_OBJECT(message), "To"));
	assert_null(memchr(g_bytes_get_data(bytes, NULL), '\r', g_bytes_get_size(bytes)));
	g_object_unref(message);
	digest_free(digest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wide_tables_name_their_numbers),
		cmocka_unit_test(what_has_nothing_to_say_is_short),
		cmocka_unit_test(each_part_is_there_if_there_is_something_to_say),
		cmocka_unit_test(the_heading_of_silent_reporters_stands_once),
		cmocka_unit_test(long_texts_are_cut),
		cmocka_unit_test(the_subject_counts_what_is_to_do),
		cmocka_unit_test(mail_that_nobody_can_read_is_told_even_without_reports),
		cmocka_unit_test(what_is_no_object_is_refused),
		cmocka_unit_test(parts_are_in_their_order),
		cmocka_unit_test(hostile_names_are_text_in_html),
		cmocka_unit_test(the_document_is_as_it_was_looked_at),
		cmocka_unit_test(pictures_have_words_in_their_place),
		cmocka_unit_test(a_manual_is_a_link_only_by_https),
		cmocka_unit_test(a_mail_has_text_and_html_with_its_pictures),
		cmocka_unit_test(a_mail_says_who_made_it),
		cmocka_unit_test(hostile_names_add_no_header_and_no_escape_sequence),
		cmocka_unit_test(addresses_that_are_none_are_refused),
		cmocka_unit_test(lines_end_in_crlf_for_smtp),
		cmocka_unit_test(a_mail_without_recipient_or_pictures_is_a_mail),
	};

	g_mime_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
