#include "server/web/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char *print(const char *database)
{
	g_autoptr(GBytes) json = database != NULL ? g_bytes_new(database, strlen(database)) : NULL;
	g_autoptr(GBytes) text = metrics_print(12, json);

	return g_strndup(g_bytes_get_data(text, NULL), g_bytes_get_size(text));
}

/* The name under which HELP and TYPE stand. */
static char *family(const char *line)
{
	static const char *const parts[] = { "_seconds_bucket", "_seconds_sum", "_seconds_count" };
	char *name = g_strndup(line, strcspn(line, "{ "));

	for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
		if (g_str_has_suffix(name, parts[i]))
			name[strlen(name) - strlen(parts[i]) + strlen("_seconds")] = '\0';
	return name;
}

/* The lines without HELP and TYPE; every metric must have both before it. */
static char *samples(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	GString *found = g_string_new(NULL);

	for (gsize i = 0; lines[i] != NULL; i++) {
		g_autofree char *name = family(lines[i]);
		g_autofree char *help = g_strdup_printf("# HELP %s ", name);
		g_autofree char *type = g_strdup_printf("# TYPE %s ", name);

		if (*name == '\0' || *name == '#')
			continue;
		if (strstr(text, help) == NULL || strstr(text, type) == NULL)
			fail_msg("no HELP or TYPE for %s", name);
		g_string_append_printf(found, "%s\n", lines[i]);
	}
	return g_string_free(found, FALSE);
}

#define PROCESS                                                                                              \
	"ruad_build_info{version=\"" RUAD_VERSION "\",schema=\"12\"} 1\n"                                    \
	"ruad_http_requests_total{code=\"1xx\"} 0\n"                                                         \
	"ruad_http_requests_total{code=\"2xx\"} 2\n"                                                         \
	"ruad_http_requests_total{code=\"3xx\"} 1\n"                                                         \
	"ruad_http_requests_total{code=\"4xx\"} 0\n"                                                         \
	"ruad_http_requests_total{code=\"5xx\"} 1\n"

static void numbers_are_printed_as_the_database_has_them(void **state)
{
	static const struct {
		const char *database; /* or NULL: away */
		const char *want;
	} rows[] = {
		{ NULL, PROCESS "ruad_database_up 0\n" },
		{ "{", PROCESS "ruad_database_up 0\n" },
		{ "{\"mails\":5000000000,\"items\":[{\"kind\":\"aggregate\",\"status\":\"stored\",\"n\":3},"
		  "{\"kind\":\"a\\\"\\\\\\nb\",\"status\":\"x\",\"n\":1}],\"addresses\":7,\"addresses_"
		  "waiting\":2,"
		  "\"domains_checked\":4,\"domains_failing\":1,\"oldest_check_at\":1764000001,\"last_prune_"
		  "at\":1764000002,\"last_dump_at\":1764000004,"
		  "\"notices\":[{\"severity\":\"error\",\"n\":2}],\"messages_waiting\":3,"
		  "\"oldest_message_at\":1764000003,"
		  "\"last_reports\":[{\"kind\":\"tls\",\"at\":1764000000}]}",
		    PROCESS "ruad_database_up 1\nruad_mails 5000000000\n"
			    "ruad_last_prune_timestamp_seconds 1764000002\n"
			    "ruad_last_backup_timestamp_seconds 1764000004\nruad_addresses "
			    "7\nruad_addresses_waiting 2\n"
			    "ruad_domains_checked 4\nruad_domains_failing 1\n"
			    "ruad_oldest_domain_check_timestamp_seconds 1764000001\n"
			    "ruad_messages_waiting 3\nruad_oldest_message_timestamp_seconds 1764000003\n"
			    "ruad_items{kind=\"aggregate\",status=\"stored\"} 3\n"
			    "ruad_items{kind=\"a\\\"\\\\\\nb\",status=\"x\"} 1\n"
			    "ruad_notices{severity=\"error\"} 2\n"
			    "ruad_last_report_timestamp_seconds{kind=\"tls\"} 1764000000\n" },
		{ "{\"mails\":0,\"items\":[],\"last_reports\":[],\"last_prune_at\":null}",
		    PROCESS "ruad_database_up 1\nruad_mails 0\n" },
	};

	(void)state;
	metrics_count(200);
	metrics_count(299);
	metrics_count(304);
	metrics_count(503);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *text = print(rows[i].database);
		g_autofree char *got = samples(text);

		assert_string_equal(got, rows[i].want);
		assert_true(g_str_has_suffix(text, "\n"));
	}
}

static void numbers_of_ingest_are_printed(void **state)
{
	int fd = vitals_create(NULL);
	struct vitals *vitals = vitals_open(fd, TRUE, NULL);
	g_autofree char *text = NULL, *got = NULL;

	(void)state;
	assert_non_null(vitals);
	vitals_add(vitals, VITAL_SESSIONS, 3);
	vitals_add(vitals, VITAL_SESSIONS_OPEN, 2);
	vitals_add(vitals, VITAL_SESSIONS_OPEN, -1);
	vitals_add(vitals, VITAL_MAILS_WRITTEN, 9);
	vitals_add(vitals, VITAL_STORED, 8);
	vitals_add(vitals, VITAL_UNREADABLE, 1);
	vitals_add_reply(vitals, 250);
	vitals_add_reply(vitals, 250);
	vitals_add_reply(vitals, 451);
	vitals_add_reply(vitals, 199);
	vitals_add_time(vitals, 5000);
	vitals_add_time(vitals, 5001);
	vitals_add_time(vitals, 31000000);
	metrics_init(vitals, NULL);
	text = print(NULL);
	metrics_init(NULL, NULL);
	got = samples(text);
	assert_string_equal(strstr(got, "ruad_lmtp_sessions_total"),
	    "ruad_lmtp_sessions_total 3\nruad_lmtp_sessions_refused_total 0\nruad_lmtp_sessions 1\n"
	    "ruad_parser_failures_total 0\nruad_mails_waiting 0\nruad_mails_written_total 9\n"
	    "ruad_writes_failed_total 0\nruad_mails_not_stored_seconds 0\n"
	    "ruad_ingested_total{outcome=\"stored\"} 8\nruad_ingested_total{outcome=\"duplicate\"} 0\n"
	    "ruad_ingested_total{outcome=\"conflict\"} 0\nruad_ingested_total{outcome=\"unreadable\"} 1\n"
	    "ruad_lmtp_replies_total{code=\"250\"} 2\nruad_lmtp_replies_total{code=\"451\"} 1\n"
	    "ruad_write_duration_seconds_bucket{le=\"0.005000\"} 1\n"
	    "ruad_write_duration_seconds_bucket{le=\"0.010000\"} 2\n"
	    "ruad_write_duration_seconds_bucket{le=\"0.025000\"} 2\n"
	    "ruad_write_duration_seconds_bucket{le=\"0.050000\"} 2\n"
	    "ruad_write_duration_seconds_bucket{le=\"0.100000\"} 2\n"
	    "ruad_write_duration_seconds_bucket{le=\"0.250000\"} 2\n"
	    "ruad_write_duration_seconds_bucket{le=\"0.500000\"} 2\n"
	    "ruad_write_duration_seconds_bucket{le=\"1.000000\"} 2\n"
	    "ruad_write_duration_seconds_bucket{le=\"5.000000\"} 2\n"
	    "ruad_write_duration_seconds_bucket{le=\"30.000000\"} 2\n"
	    "ruad_write_duration_seconds_bucket{le=\"+Inf\"} 3\n"
	    "ruad_write_duration_seconds_sum 31.010001\nruad_write_duration_seconds_count 3\n"
	    "ruad_database_up 0\n");
	vitals_close(vitals);
}

static void numbers_of_errands_are_printed(void **state)
{
	struct errands *errands = errands_open(errands_create(NULL), TRUE, NULL);
	g_autofree char *empty = NULL, *text = NULL, *got = NULL;
	g_autofree char *want = NULL;

	(void)state;
	assert_non_null(errands);
	metrics_init(NULL, errands);
	empty = print(NULL);
	assert_null(strstr(empty, "ruad_fetch"));
	errands_name(errands, "imap \"1\"");
	errands_name(errands, ERRAND_NOTIFY);
	errands_name(errands, "maildir");
	errand_add(errands_get(errands, 0), ERRAND_DONE, 3);
	errand_add(errands_get(errands, 0), ERRAND_FAILED, 1);
	errand_add(errands_get(errands, 1), ERRAND_DONE, 4);
	errand_add(errands_get(errands, 1), ERRAND_LATER, 5);
	errand_add(errands_get(errands, 2), ERRAND_REFUSED, 6);
	errand_succeed(errands_get(errands, 2));
	text = print(NULL);
	metrics_init(NULL, NULL);
	got = samples(text);
	want =
	    g_strdup_printf("ruad_fetch_mails_total{source=\"imap \\\"1\\\"\"} 3\n"
			    "ruad_fetch_mails_total{source=\"maildir\"} 0\n"
			    "ruad_fetch_mails_refused_total{source=\"imap \\\"1\\\"\"} 0\n"
			    "ruad_fetch_mails_refused_total{source=\"maildir\"} 6\n"
			    "ruad_fetch_mails_later_total{source=\"imap \\\"1\\\"\"} 0\n"
			    "ruad_fetch_mails_later_total{source=\"maildir\"} 0\n"
			    "ruad_fetch_failures_total{source=\"imap \\\"1\\\"\"} 1\n"
			    "ruad_fetch_failures_total{source=\"maildir\"} 0\n"
			    "ruad_fetch_last_success_timestamp_seconds{source=\"maildir\"} %" G_GINT64_FORMAT
			    "\nruad_notify_messages_total 4\nruad_notify_messages_later_total 5\n"
			    "ruad_notify_failures_total 0\nruad_database_up 0\n",
		errand_succeeded_at(errands_get(errands, 2)));
	assert_string_equal(strstr(got, "ruad_fetch_mails_total"), want);
	errands_close(errands);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_printed_as_the_database_has_them),
		cmocka_unit_test(numbers_of_ingest_are_printed),
		cmocka_unit_test(numbers_of_errands_are_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
