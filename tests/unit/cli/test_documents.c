/*
 * Splitting files into documents: an mbox, a list of JSON and a dump of MySQL are split, any other file is
 * one document.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "parser/error.h"
#include "server/cli/documents.h"

/* Tables of dmarc-srg: one report with one record, in any order of the statements. */
#define SRG_CREATE                                                                                           \
	"CREATE TABLE `domains` (\n  `id` int(10) unsigned NOT NULL,\n  `fqdn` varchar(255) DEFAULT "        \
	"'`,',\n  "                                                                                          \
	"`active` tinyint(1) NOT NULL,\n  PRIMARY KEY (`id`),\n  UNIQUE KEY `fqdn` (`fqdn`)\n) "             \
	"ENGINE=InnoDB;\n"                                                                                   \
	"CREATE TABLE `reports` (`id` int, `domain_id` int, `begin_time` datetime, `org` text, "             \
	"`external_id` "                                                                                     \
	"text);\n"                                                                                           \
	"CREATE TABLE `rptrecords` (`id` int, `report_id` int, `ip` varbinary(16), `rcount` int, "           \
	"`disposition` tinyint, `dkim_auth` text, `dkim_align` tinyint, `spf_align` tinyint);\n"
#define SRG_DOMAIN      "INSERT INTO `domains` VALUES (7,'a.example',1);\n"
#define SRG_REPORT      "INSERT INTO `reports` VALUES (3,7,'2026-01-01 00:00:00','O\\'R \xff;--','x');\n"
#define SRG_DKIM(value) "INSERT INTO `rptrecords` VALUES (1,3,0xC0000201,5,0," value ",2,1);\n"
#define SRG_RECORD      SRG_DKIM("'[{\\\"a\\\":1}]'")
#define SRG_HEAD                                                                                             \
	"{\"copy_of\":\"dmarc-srg\",\"report_metadata\":{\"org_name\":\"O'R "                                \
	"\xef\xbf\xbd;--\",\"org_email\":null,"                                                              \
	"\"org_extra_contact_info\":null,\"report_id\":\"x\",\"interval_begin\":\"2026-01-01 00:00:00\","    \
	"\"interval_end\":null,\"errors\":null},\"policy_published\":{\"adkim\":null,\"aspf\":null,\"p\":"   \
	"null,"                                                                                              \
	"\"sp\":null,\"np\":null,\"pct\":null,\"fo\":null,\"domain\":"
#define SRG_WANT_OF(dkim)                                                                                    \
	SRG_HEAD                                                                                             \
	"\"a.example\"},\"records\":[{\"source\":{\"ip_address\":\"192.0.2.1\"},\"count\":\"5\","            \
	"\"policy_evaluated\":{\"disposition\":\"reject\",\"dkim\":\"pass\",\"spf\":null,"                   \
	"\"policy_override_reasons\":null},\"identifiers\":{\"header_from\":null,\"envelope_from\":null,"    \
	"\"envelope_to\":null},\"auth_results\":{\"dkim\":" dkim ",\"spf\":null}}]}"
#define SRG_WANT SRG_WANT_OF("\"[{\\\"a\\\":1}]\"")

/* All columns, two records, and values that are none. */
#define SRG_ALL                                                                                              \
	"CREATE TABLE `domains` (`id` int, `fqdn` text, `active` int);\n"                                    \
	"CREATE TABLE `reports` (`id` int, `domain_id` int, `begin_time` datetime, `end_time` datetime, "    \
	"`org` text, `email` text, `extra_contact_info` text, `external_id` text, `error_string` text, "     \
	"`policy_adkim` text, `policy_aspf` text, `policy_p` text, `policy_sp` text, `policy_np` text, "     \
	"`policy_pct` text, `policy_fo` text);\n"                                                            \
	"CREATE TABLE `rptrecords` (`id` int, `report_id` int, `ip` varbinary(16), `rcount` int, "           \
	"`disposition` int, `reason` text, `dkim_auth` text, `spf_auth` text, `dkim_align` int, "            \
	"`spf_align` int, `header_from` text, `envelope_from` text, `envelope_to` text);\n"                  \
	"INSERT INTO `domains` VALUES (7,'old.example',1),(7,'a.example',1);\n"                              \
	"INSERT INTO `reports` VALUES (3,7,'b','e','o','m','c','x','r','s','t','u','v','w','y','z');\n"      \
	"INSERT INTO `rptrecords` VALUES "                                                                   \
	"(1,3,0x20010DB8000000000000000000000001,5,1,'why','d','f',0,2,'h','i','j'),"                        \
	"(2,3,0xC00002,6,2,NULL,'','f',2,3,'h','i','j'),(3,3,NULL,7,10,'','d','f',1,'',"                     \
	"NULL,NULL,NULL);\n"
#define SRG_ALL_WANT                                                                                         \
	"{\"copy_of\":\"dmarc-srg\",\"report_metadata\":{\"org_name\":\"o\",\"org_email\":\"m\","            \
	"\"org_extra_contact_info\":\"c\",\"report_id\":\"x\",\"interval_begin\":\"b\",\"interval_end\":"    \
	"\"e\","                                                                                             \
	"\"errors\":\"r\"},\"policy_published\":{\"adkim\":\"s\",\"aspf\":\"t\",\"p\":\"u\",\"sp\":\"v\","   \
	"\"np\":\"w\",\"pct\":\"y\",\"fo\":\"z\",\"domain\":\"a.example\"},\"records\":["                    \
	"{\"source\":{\"ip_address\":\"2001:db8::1\"},\"count\":\"5\",\"policy_evaluated\":{"                \
	"\"disposition\":"                                                                                   \
	"\"quarantine\",\"dkim\":\"fail\",\"spf\":\"pass\",\"policy_override_reasons\":\"why\"},"            \
	"\"identifiers\":{\"header_from\":\"h\",\"envelope_from\":\"i\",\"envelope_to\":\"j\"},"             \
	"\"auth_results\":{\"dkim\":\"d\",\"spf\":\"f\"}},"                                                  \
	"{\"source\":{\"ip_address\":null},\"count\":\"6\",\"policy_evaluated\":{\"disposition\":\"none\","  \
	"\"dkim\":\"pass\",\"spf\":null,\"policy_override_reasons\":null},"                                  \
	"\"identifiers\":{\"header_from\":\"h\",\"envelope_from\":\"i\",\"envelope_to\":\"j\"},"             \
	"\"auth_results\":{\"dkim\":null,\"spf\":\"f\"}},"                                                   \
	"{\"source\":{\"ip_address\":null},\"count\":\"7\",\"policy_evaluated\":{\"disposition\":null,"      \
	"\"dkim\":null,\"spf\":null,\"policy_override_reasons\":null},"                                      \
	"\"identifiers\":{\"header_from\":null,\"envelope_from\":null,\"envelope_to\":null},"                \
	"\"auth_results\":{\"dkim\":\"d\",\"spf\":\"f\"}}]}"

#define DUMP "-- MySQL dump 10.13  Distrib 8.0.36\n--\n-- Host: localhost    Database: dmarc\n"

static const struct {
	const char *name;
	const char *content;
	const char *want[4];
} rows[] = {
	{ "no mbox", "Subject: x\n\nFrom me\n", { "Subject: x\n\nFrom me\n" } },
	{ "one mail", "From a@b Mon\nSubject: x\n\nhello\n", { "Subject: x\n\nhello\n" } },
	{ "two mails", "From a\nA: 1\n\none\n\nFrom b\nB: 2\n\ntwo\n", { "A: 1\n\none\n", "B: 2\n\ntwo\n" } },
	{ "CRLF", "From a\r\nA: 1\r\n\r\none\r\n\r\nFrom b\r\nB: 2\r\n\r\ntwo\r\n",
	    { "A: 1\r\n\r\none\r\n", "B: 2\r\n\r\ntwo\r\n" } },
	{ "From without an empty line before it is text", "From a\nA: 1\n\none\nFrom here\n",
	    { "A: 1\n\none\nFrom here\n" } },
	{ "quoted From loses one arrow", "From a\nA: 1\n\n>From x\n>>From y\n> From z\n>Fromage\n",
	    { "A: 1\n\nFrom x\n>From y\n> From z\n>Fromage\n" } },
	{ "quoted From at the head of an mbox is text", ">From a\n", { ">From a\n" } },
	{ "no newline at the end", "From a\nA: 1\n\none", { "A: 1\n\none" } },
	{ "separator alone at the end", "From a\nA: 1\n\none\n\nFrom b\n", { "A: 1\n\none\n", "" } },
	{ "empty mail between", "From a\n\nFrom b\nB: 2\n", { "\n", "B: 2\n" } },
	{ "empty lines inside stay", "From a\nA: 1\n\n\n\none\n", { "A: 1\n\n\n\none\n" } },
	{ "From without a time is text if the first has one",
	    "From a@b Mon Nov 30 13:00:00 2026\nA: 1\n\nDear all,\n\nFrom now on\n",
	    { "A: 1\n\nDear all,\n\nFrom now on\n" } },
	{ "From with a time is none",
	    "From a@b Mon Nov 30 13:00:00 2026\nA: 1\n\nFrom c Mon Nov 30 13:00 2026\nB: 2\n",
	    { "A: 1\n", "B: 2\n" } },
	{ "From with a time that precedes no field is text",
	    "From a@b Mon Nov 30 13:00:00 2026\nA: 1\n\nDear all,\n\nFrom 13:00 on\nwe are away\n",
	    { "A: 1\n\nDear all,\n\nFrom 13:00 on\nwe are away\n" } },
	{ "From with a time at the end is text", "From a@b Mon Nov 30 13:00:00 2026\nA: 1\n\nFrom 13:00 on",
	    { "A: 1\n\nFrom 13:00 on" } },
	{ "empty file", "", { "" } },
	{ "a list", "[{\"a\": 1},\n {\"b\": {\"c\": 2}}]\n", { "{\"a\": 1}", "{\"b\": {\"c\": 2}}" } },
	{ "an empty list", " [ ]", { NULL } },
	{ "braces and quotes in texts", "[{\"a\\\"}{\": \"}\"},{}]", { "{\"a\\\"}{\": \"}\"}", "{}" } },
	{ "a list that ends early", "[{\"a\": 1}, {\"b\"", { "{\"a\": 1}", "{\"b\"" } },
	{ "braces that close too much", "[{\"a\": 1}}}, {}]", { "{\"a\": 1}", "{}" } },
	{ "a list of something else is one document", "[1, {}]", { "[1, {}]" } },
	{ "the lists of parsedmarc", "{ \"aggregate_reports\": [{\"a\": 1}],\n\"failure_reports\": [{}]}",
	    { "{\"a\": 1}", "{}" } },
	{ "an object is one document", "{\"a\": [{}, {}]}\n{}", { "{\"a\": [{}, {}]}\n{}" } },
	{ "a dump",
	    DUMP "INSERT INTO `report` VALUES (1,'a','<?xml version=\\\"1.0\\\"?>\\n<feedback>x</feedback>'),"
		 "(2,'it\\'s','<feedback a=\\'b\\'>');\n",
	    { "<?xml version=\"1.0\"?>\n<feedback>x</feedback>", "<feedback a='b'>" } },
	{ "a dump with packed reports", DUMP "INSERT INTO `report` VALUES (1,'H4sIQUJD');\n",
	    { "\x1f\x8b\x08"
	      "ABC" } },
	{ "a dump without reports", DUMP "INSERT INTO `report` VALUES (1,'<a@b>','H4','<b>',NULL,'');\n",
	    { NULL } },
	{ "quotes in comments of a dump",
	    DUMP "-- it's `x`\n--\nINSERT INTO `report` VALUES ('<feedback>');\n", { "<feedback>" } },
	{ "a dump that ends in a report", DUMP "INSERT INTO `report` VALUES ('<feedback>x",
	    { "<feedback>x" } },
	{ "a dump of MariaDB",
	    "/*M!999999\\- enable the sandbox mode */\nINSERT INTO `report` VALUES ('<feedback>');",
	    { "<feedback>" } },
	{ "a dump of dmarc-srg", DUMP SRG_CREATE SRG_DOMAIN SRG_REPORT SRG_RECORD, { SRG_WANT } },
	{ "all columns of dmarc-srg", DUMP SRG_ALL, { SRG_ALL_WANT } },
	{ "two reports in their order",
	    DUMP SRG_CREATE "INSERT INTO `reports` VALUES (4,7,'2026-01-01 00:00:00','O\\'R \xff;--','x'),"
			    "(3,7,'2026-01-01 00:00:00','O\\'R \xff;--','x');\n" SRG_DOMAIN SRG_RECORD,
	    { SRG_HEAD "\"a.example\"},\"records\":[]}", SRG_WANT } },
	{ "tables that lack a column are others",
	    DUMP "CREATE TABLE `domains` (`id` int, `fqdn` text);\nCREATE TABLE `reports` (`id` int, "
		 "`domain_id` int, "
		 "`begin_time` int);\n" SRG_DOMAIN SRG_REPORT,
	    { NULL } },
	{ "NULL has no text", DUMP SRG_CREATE SRG_DOMAIN SRG_REPORT SRG_DKIM("NULL"),
	    { SRG_WANT_OF("null") } },
	{ "a text that says NULL", DUMP SRG_CREATE SRG_DOMAIN SRG_REPORT SRG_DKIM("'NULL'"),
	    { SRG_WANT_OF("\"NULL\"") } },
	{ "records before reports", DUMP SRG_CREATE SRG_RECORD SRG_REPORT SRG_DOMAIN, { SRG_WANT } },
	{ "records without their report", DUMP SRG_CREATE SRG_DOMAIN SRG_RECORD, { NULL } },
	{ "a report without its domain and records", DUMP SRG_CREATE SRG_REPORT,
	    { SRG_HEAD "null},\"records\":[]}" } },
	{ "an id twice counts once", DUMP SRG_CREATE SRG_DOMAIN SRG_REPORT SRG_REPORT SRG_RECORD,
	    { SRG_WANT } },
	{ "rows before their table are none", DUMP SRG_REPORT SRG_CREATE, { NULL } },
	{ "comments in a dump of dmarc-srg",
	    DUMP "/*!40101 SET NAMES 'utf8' */;\n" SRG_CREATE
		 "-- INSERT INTO `reports` VALUES (9,9,'','','');\n"
		 "# it's one\n/* '; ** */" SRG_DOMAIN SRG_REPORT SRG_RECORD,
	    { SRG_WANT } },
	{ "From cut off", "From", { "From" } },
};

static FILE *open_text(const char *content, gsize size)
{
	FILE *file = tmpfile();

	assert_non_null(file);
	assert_int_equal(fwrite(content, 1, size, file), size);
	rewind(file);
	return file;
}

static void an_mbox_is_split_at_from_lines_after_empty_lines(void **state G_GNUC_UNUSED)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		FILE *file = open_text(rows[i].content, strlen(rows[i].content));
		struct documents *documents = documents_new(file);

		for (gsize n = 0;; n++) {
			GBytes *document = NULL;
			g_autoptr(GBytes) want = NULL;

			assert_true(documents_next(documents, &document, NULL));
			if ((document == NULL) != (rows[i].want[n] == NULL))
				fail_msg("%s: document %zu %s", rows[i].name, n,
				    document == NULL ? "is missing" : "is too many");
			if (document == NULL || rows[i].want[n] == NULL)
				break;
			want = g_bytes_new_static(rows[i].want[n], strlen(rows[i].want[n]));
			if (!g_bytes_equal(document, want))
				fail_msg("%s: document %zu differs", rows[i].name, n);
			g_bytes_unref(document);
		}
		documents_free(documents);
		fclose(file);
	}
}

/* Lines around the size of a piece (65,536 bytes), and a From line that is longer. */
static void long_lines_make_no_difference(void **state G_GNUC_UNUSED)
{
	for (gsize length = 65530; length <= 65542; length++) {
		g_autoptr(GString) content = g_string_new("From ");
		g_autofree char *line = g_strnfill(length, 'x');
		GBytes *first = NULL;
		GBytes *second = NULL;
		GBytes *third = NULL;
		struct documents *documents;
		FILE *file;

		g_string_append_printf(content, "%s\nA: 1\n\n%s\n>From y\n\nFrom b\nB: 2\n", line, line);
		file = open_text(content->str, content->len);
		documents = documents_new(file);
		assert_true(documents_next(documents, &first, NULL));
		assert_true(documents_next(documents, &second, NULL));
		assert_true(documents_next(documents, &third, NULL));
		assert_int_equal(g_bytes_get_size(first), strlen("A: 1\n\n") + length + strlen("\nFrom y\n"));
		assert_int_equal(g_bytes_get_size(second), strlen("B: 2\n"));
		assert_null(third);
		g_bytes_unref(first);
		g_bytes_unref(second);
		documents_free(documents);
		fclose(file);
	}
}

/* A dump that ends anywhere, and one whose every byte is a quote, parenthesis or backslash in turn. */
static void a_damaged_dump_ends(void **state G_GNUC_UNUSED)
{
	static const char dump[] = DUMP SRG_CREATE SRG_DOMAIN SRG_REPORT SRG_RECORD;
	static const char marks[] = "'`()\\,;-/*";

	for (gsize i = 0; i < 2 * (sizeof(dump) - 1); i++) {
		g_autofree char *damaged = g_strdup(dump);
		struct documents *documents;
		GBytes *document = NULL;
		FILE *file;
		guint n = 0;

		damaged[i / 2] = i % 2 == 0 ? '\0' : marks[i / 2 % (sizeof(marks) - 1)];
		file = open_text(damaged, i % 2 == 0 ? i / 2 : sizeof(dump) - 1);
		documents = documents_new(file);
		while (documents_next(documents, &document, NULL) && document != NULL) {
			g_bytes_unref(document);
			n++;
		}
		if (n > 2)
			fail_msg("damage at %zu makes %u documents", i / 2, n);
		documents_free(documents);
		fclose(file);
	}
}

static void a_document_over_the_limit_is_passed_over_and_the_next_is_read(void **state G_GNUC_UNUSED)
{
	static const char content[] = "From a\n123456789\n\nFrom b\n1234567890\n\nFrom c\n12345678\n";
	FILE *file = open_text(content, strlen(content));
	struct documents *documents = documents_new(file);
	g_autoptr(GError) error = NULL;
	GBytes *document = NULL;

	documents_limit(documents, 11);
	assert_true(documents_next(
	    documents, &document, NULL)); /* 10 bytes, and the empty line that is then dropped */
	assert_int_equal(g_bytes_get_size(document), 10);
	g_clear_pointer(&document, g_bytes_unref);
	assert_false(documents_next(documents, &document, &error)); /* 12 */
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_LIMIT));
	assert_true(documents_next(documents, &document, NULL));
	assert_int_equal(g_bytes_get_size(document), 9);
	g_clear_pointer(&document, g_bytes_unref);
	documents_free(documents);
	fclose(file);
}

static void bytes_of_any_value_come_through(void **state G_GNUC_UNUSED)
{
	static const char content[] = "PK\003\004\0\0\n\nFrom \0\377";
	FILE *file = open_text(content, sizeof(content));
	struct documents *documents = documents_new(file);
	GBytes *document = NULL;

	assert_true(documents_next(documents, &document, NULL));
	assert_int_equal(g_bytes_get_size(document), sizeof(content));
	assert_memory_equal(g_bytes_get_data(document, NULL), content, sizeof(content));
	assert_null(documents_part(documents));
	g_bytes_unref(document);
	documents_free(documents);
	fclose(file);
}

static void the_parts_of_a_file_have_a_name(void **state G_GNUC_UNUSED)
{
	static const struct {
		const char *content, *part;
	} parts[] = { { "From a\nA: 1\n", "mail" }, { "[{}]", "report" }, { DUMP, "report" },
		{ "<feedback>", NULL } };

	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
		FILE *file = open_text(parts[i].content, strlen(parts[i].content));
		struct documents *documents = documents_new(file);
		GBytes *document = NULL;

		assert_true(documents_next(documents, &document, NULL));
		assert_int_equal(g_strcmp0(documents_part(documents), parts[i].part), 0);
		g_clear_pointer(&document, g_bytes_unref);
		documents_free(documents);
		fclose(file);
	}
}

/* What is not taken does not count for the limit of what is. */
static void a_limit_is_that_of_each_document(void **state G_GNUC_UNUSED)
{
	static const struct {
		const char *content;
		guint n; /* documents of eleven bytes */
	} files[] = {
		{ "[{\"a\": 1234},{\"a\": 1234}]", 2 },
		{ DUMP
		    "INSERT INTO `report` VALUES ('a long text that is no report','<feedback>x','no report "
		    "either',"
		    "'<feedback>x');",
		    2 },
		{ "0123456789a", 1 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
		for (guint limit = 10; limit <= 11; limit++) {
			FILE *file = open_text(files[i].content, strlen(files[i].content));
			struct documents *documents = documents_new(file);
			GBytes *document = NULL;
			g_autoptr(GError) error = NULL;
			guint n = 0;

			documents_limit(documents, limit);
			while (documents_next(documents, &document, limit == 11 ? NULL : &error) &&
			       document != NULL) {
				assert_int_equal(g_bytes_get_size(document), 11);
				g_clear_pointer(&document, g_bytes_unref);
				n++;
			}
			assert_int_equal(n, limit == 11 ? files[i].n : 0);
			if (limit == 10)
				assert_string_equal(error->message, "larger than 10 bytes");
			documents_free(documents);
			fclose(file);
		}
}

/* A file whose disk fails after this text. */
struct failing {
	const char *text;
	gsize left;
};

static ssize_t read_failing(void *cookie, char *buffer, size_t size)
{
	struct failing *failing = cookie;
	gsize n = MIN(size, failing->left);

	if (n == 0) {
		errno = EIO;
		return -1;
	}
	memcpy(buffer, failing->text, n);
	failing->text += n;
	failing->left -= n;
	return (ssize_t)n;
}

/* The documents before it are given, then the error, and nothing after that. */
static void a_disk_that_fails_ends_the_file_with_an_error(void **state G_GNUC_UNUSED)
{
	static const struct {
		const char *begin;
		guint n;
	} files[] = {
		{ "", 0 },
		{ "From a\nA: 1\n\n", 0 },
		{ "From a\nA: 1\n\nFrom b\nB: 2\n\n", 1 },
		{ "[{},{},", 2 },
		{ DUMP, 0 },
		{ "<feedback>", 0 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
		/* more than is read at once, so that the first pieces are whole */
		g_autofree char *rest = g_strnfill(*files[i].begin == '\0' ? 0 : 200000, '\n');
		g_autofree char *text = g_strconcat(files[i].begin, rest, NULL);
		struct failing failing = { text, strlen(text) };
		FILE *file = fopencookie(&failing, "r", (cookie_io_functions_t){ .read = read_failing });
		struct documents *documents = documents_new(file);
		GBytes *document = NULL;
		g_autoptr(GError) error = NULL;
		guint n = 0;

		while (documents_next(documents, &document, &error) && document != NULL) {
			g_clear_pointer(&document, g_bytes_unref);
			n++;
		}
		assert_int_equal(n, files[i].n);
		assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYSTEM));
		assert_string_equal(error->message, "cannot read: Input/output error");
		assert_true(documents_next(documents, &document, NULL));
		assert_null(document);
		documents_free(documents);
		fclose(file);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_mbox_is_split_at_from_lines_after_empty_lines),
		cmocka_unit_test(long_lines_make_no_difference),
		cmocka_unit_test(a_damaged_dump_ends),
		cmocka_unit_test(a_document_over_the_limit_is_passed_over_and_the_next_is_read),
		cmocka_unit_test(the_parts_of_a_file_have_a_name),
		cmocka_unit_test(a_limit_is_that_of_each_document),
		cmocka_unit_test(a_disk_that_fails_ends_the_file_with_an_error),
		cmocka_unit_test(bytes_of_any_value_come_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
