/* The real ruad-parse through the real pool: the result of each kind of document, and that the worker
 * survives. */
#include <string.h>

#include "parser/error.h"
#include "server/worker/pool.h"
#include "tests/unit/worker/cm.h"
#include "tests/unit/worker/sink.h"

static const char *ruad_parse;

#define REPORT                                                                                               \
	"<?xml "                                                                                             \
	"version=\"1.0\"?><feedback><report_metadata><org_name>Example</org_name><email>d@example.com</"     \
	"email>"                                                                                             \
	"<report_id>1</report_id><date_range><begin>1</begin><end>2</end></date_range></report_metadata>"    \
	"<policy_published><domain>a.example</domain><p>none</p></policy_published><record><row>"            \
	"<source_ip>192.0.2.1</source_ip><count>3</count><policy_evaluated><disposition>none</disposition>"  \
	"<dkim>pass</dkim><spf>fail</spf></policy_evaluated></row><identifiers><header_from>a.example</"     \
	"header_from>"                                                                                       \
	"</identifiers><auth_results/></record></feedback>"

static struct pool *make_pool(void)
{
	const struct pool_options options = { .worker = ruad_parse,
		.workers = 1,
		.max_mails = 1000,
		.seconds = 10,
		.max_seconds = 120,
		.memory = G_GUINT64_CONSTANT(1) << 30,
		.limits = PARSER_LIMITS_DEFAULT };
	GError *error = NULL;
	struct pool *pool = pool_new(&options, &error);
	if (pool == NULL)
		fail_msg("%s", error->message);
	return pool;
}

static void run(struct pool *pool, const char *document, gsize size, struct diary *diary)
{
	GError *error = NULL;
	diary_init(diary);
	const struct pool_job job = {
		.document = (const guint8 *)document, .size = size, .sink = diary_sink(), .user = diary
	};
	if (!pool_run(pool, &job, &error))
		fail_msg("%.40s: %s", document, error->message);
}

static void a_report_comes_out_of_the_sandbox(void **state)
{
	(void)state;
	struct pool *pool = make_pool();
	for (int i = 0; i < 3; i++) {
		struct diary diary;
		run(pool, REPORT, strlen(REPORT), &diary);
		assert_non_null(strstr(diary.lines->str, "record 3 192.0.2.1 none pass fail a.example ~ ~"));
		assert_non_null(strstr(diary.lines->str, "end 1 2 pct -1 records 1 "));
		diary_clear(&diary);
	}
	pool_free(pool);
}

static void what_is_no_report_is_unreadable(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		const char *document;
		gsize size;
	} rows[] = {
		{ "nothing", "", 0 },
		{ "a NUL", "\0", 1 },
		{ "words", "Hello", 5 },
		{ "a mail", "From: a@b.example\r\nSubject: x\r\n\r\nHello\r\n", 40 },
		{ "half a gzip", "\x1f\x8b\x08\0\0\0\0\0\0\3\xab", 11 },
		{ "half a report", "<feedback><report_metadata>", 27 },
	};
	struct pool *pool = make_pool();
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct diary diary;
		run(pool, rows[i].document, rows[i].size, &diary);
		if (strstr(diary.lines->str, "unreadable ") == NULL ||
		    strstr(diary.lines->str, "\nend ") != NULL)
			fail_msg("%s: %s", rows[i].name, diary.lines->str);
		diary_clear(&diary);
	}
	pool_free(pool);
}

/* iconv loads its tables from files, which is impossible in the sandbox, so they are loaded before. */
static void character_sets_are_there_inside(void **state)
{
	(void)state;
	static const struct {
		const char *charset;
		const char *bytes;
	} rows[] = { { "windows-1252", "\x80" }, { "iso-8859-15", "\xa4" }, { "utf-8", "\xe2\x82\xac" } };
	struct pool *pool = make_pool();
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct diary diary;
		g_autofree char *document = g_strdup_printf("<?xml version=\"1.0\" encoding=\"%s\"?>%s",
		    rows[i].charset, strstr(REPORT, "<feedback>"));
		char *name = strstr(document, "Example<");
		GString *changed = g_string_new_len(document, name - document);
		g_string_append(changed, rows[i].bytes);
		g_string_append(changed, name + strlen("Example"));
		run(pool, changed->str, changed->len, &diary);
		if (strstr(diary.lines->str, " \xe2\x82\xac d@example.com") == NULL)
			fail_msg("%s: %s", rows[i].charset, diary.lines->str);
		g_string_free(changed, TRUE);
		diary_clear(&diary);
	}
	pool_free(pool);
}

static void a_document_larger_than_its_memory_is_unreadable(void **state)
{
	(void)state;
	enum { size = 300 * 1024 * 1024 };
	const struct pool_options options = { .worker = ruad_parse,
		.workers = 1,
		.max_mails = 1000,
		.seconds = 60,
		.max_seconds = 120,
		.memory = 256 * 1024 * 1024,
		.limits = PARSER_LIMITS_DEFAULT };
	struct diary diary;
#ifdef RUAD_SANITIZED
	print_message("not under sanitizers, where memory is not bounded\n");
	skip();
#endif
	g_autofree char *document = g_malloc0(size);
	struct pool *pool = pool_new(&options, NULL);
	assert_non_null(pool);
	run(pool, document, size, &diary);
	assert_string_equal(diary.lines->str,
	    "unreadable file (limit): 314572800 bytes are more than the memory of a parser holds\n");
	diary_clear(&diary);
	run(pool, REPORT, strlen(REPORT), &diary);
	assert_non_null(strstr(diary.lines->str, "end 1 2 "));
	diary_clear(&diary);
	pool_free(pool);
}

/* Two records through a worker that may read n of them. */
static void limits_reach_the_worker(void **state)
{
	(void)state;
	for (guint n = 1; n <= 3; n++) {
		struct pool_options options = { .worker = ruad_parse,
			.workers = 1,
			.max_mails = 1000,
			.seconds = 10,
			.max_seconds = 120,
			.memory = G_GUINT64_CONSTANT(1) << 30,
			.limits = PARSER_LIMITS_DEFAULT };
		g_autofree char *document = g_strndup(REPORT, strlen(REPORT) - strlen("</feedback>"));
		g_autofree char *two = g_strconcat(document, "<record/></feedback>", NULL);
		struct diary diary;
		options.limits.max_records = n;
		struct pool *pool = pool_new(&options, NULL);
		assert_non_null(pool);
		run(pool, two, strlen(two), &diary);
		assert_int_equal(strstr(diary.lines->str, "more than 1 records") != NULL, n < 2);
		assert_int_equal(strstr(diary.lines->str, "\nend ") != NULL, n >= 2);
		diary_clear(&diary);
		pool_free(pool);
	}
}

static void a_worker_refuses_limits_out_of_range(void **state)
{
	(void)state;
	struct pool_options options = { .worker = ruad_parse,
		.workers = 1,
		.max_mails = 1,
		.seconds = 10,
		.max_seconds = 120,
		.memory = G_GUINT64_CONSTANT(1) << 30,
		.limits = PARSER_LIMITS_DEFAULT };
	g_autoptr(GError) error = NULL;
	options.limits.max_depth = 4;
	assert_null(pool_new(&options, &error));
	assert_int_equal(error->code, RUAD_ERROR_SYSTEM);
	assert_non_null(strstr(error->message, "does not start"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_comes_out_of_the_sandbox),
		cmocka_unit_test(what_is_no_report_is_unreadable),
		cmocka_unit_test(character_sets_are_there_inside),
		cmocka_unit_test(a_document_larger_than_its_memory_is_unreadable),
		cmocka_unit_test(limits_reach_the_worker),
		cmocka_unit_test(a_worker_refuses_limits_out_of_range),
	};
	if (argc != 2)
		return 2;
	ruad_parse = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
