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

/* The lines without HELP and TYPE; every metric must have both before it. */
static char *samples(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	GString *found = g_string_new(NULL);

	for (gsize i = 0; lines[i] != NULL; i++) {
		g_autofree char *name = g_strndup(lines[i], strcspn(lines[i], "{ "));
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
		  "{\"kind\":\"a\\\"\\\\\\nb\",\"status\":\"x\",\"n\":1}],\"last_report_at\":1764000000}",
		    PROCESS "ruad_database_up 1\nruad_mails_total 5000000000\n"
			    "ruad_items_total{kind=\"aggregate\",status=\"stored\"} 3\n"
			    "ruad_items_total{kind=\"a\\\"\\\\\\nb\",status=\"x\"} 1\n"
			    "ruad_last_report_timestamp_seconds 1764000000\n" },
		{ "{\"mails\":0,\"items\":[],\"last_report_at\":null}",
		    PROCESS "ruad_database_up 1\nruad_mails_total 0\n" },
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_printed_as_the_database_has_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
