/* test_server.c - when a disk is near its end, and when mail is not stored. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <json-c/json.h>
#include <sys/mman.h>

#include "server/notify/server.h"

static void a_disk_is_near_its_end_before_mail_is_not_stored(void **state G_GNUC_UNUSED)
{
	static const struct {
		const char *name;
		guint64 min_free, min_free_raw, available;
		gboolean read_only;
		guint want;
	} rows[] = {
		{ "much", 64, 256, 1000, FALSE, 0 },
		{ "enough for quarantined mail", 64, 256, 256, FALSE, 0 },
		{ "too little for quarantined mail", 64, 256, 255, FALSE, 1 },
		{ "just enough", 64, 256, 64, FALSE, 1 },
		{ "too little", 64, 256, 63, FALSE, 2 },
		{ "nothing", 64, 256, 0, FALSE, 2 },
		{ "twice what is needed", 64, 0, 128, FALSE, 0 },
		{ "less than twice", 64, 0, 127, FALSE, 1 },
		{ "no limits", 0, 0, 0, FALSE, 0 },
		{ "read-only", 0, 0, 1000, TRUE, 2 },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const struct server_watch watch = { .min_free = rows[i].min_free,
			.min_free_raw = rows[i].min_free_raw };
		const struct disk disk = { rows[i].available, rows[i].read_only };

		if (server_disk_level(&watch, &disk) != rows[i].want)
			fail_msg("%s", rows[i].name);
	}
}

static void conditions_are_those_that_are_present(void **state G_GNUC_UNUSED)
{
	const struct server_watch none = { .storage = NULL };
	const struct server_watch enough = { .storage = "/", .min_free = 1 };
	const struct server_watch full = { .storage = "/", .min_free = G_GUINT64_CONSTANT(1) << 62 };
	g_autofree char *nothing = server_conditions(&none);
	g_autofree char *well = server_conditions(&enough);
	g_autofree char *bad = server_conditions(&full);
	json_object *array = json_tokener_parse(bad);
	json_object *one = json_object_array_get_idx(array, 0);

	assert_string_equal(nothing, "[]");
	assert_string_equal(well, "[]");
	assert_int_equal(json_object_array_length(array), 1);
	assert_string_equal(json_object_get_string(json_object_object_get(one, "kind")), "disk");
	assert_int_equal(json_object_get_int(json_object_object_get(one, "level")), 2);
	json_object_put(array);
}

/* A condition without its evidence, which has numbers of this machine. Transfer full. */
static char *only_condition(const struct server_watch *watch, char **evidence)
{
	g_autofree char *words = server_conditions(watch);
	json_object *array = json_tokener_parse(words), *one = json_object_array_get_idx(array, 0);
	char *rest;

	assert_int_equal(json_object_array_length(array), 1);
	*evidence = g_strdup(json_object_get_string(json_object_object_get(one, "evidence")));
	json_object_object_del(one, "evidence");
	rest = g_strdup(json_object_to_json_string_ext(one, JSON_C_TO_STRING_PLAIN));
	json_object_put(array);
	return rest;
}

#define ACTION "\"action\":\"Make room on the disk, move server.state_dir, or lower [retention].\"}"

static void a_full_disk_is_an_error_and_a_nearly_full_one_a_warning(void **state G_GNUC_UNUSED)
{
	struct server_watch watch = { .storage = "/", .min_free = G_GUINT64_CONSTANT(1) << 50 };
	g_autofree char *full = NULL, *nearly = NULL, *evidence = NULL, *less = NULL;
	struct disk disk;

	full = only_condition(&watch, &evidence);
	assert_string_equal(full, "{\"key\":\"disk\",\"kind\":\"disk\",\"level\":2,\"severity\":\"error\","
				  "\"title\":\"The disk is full\"," ACTION);
	assert_true(g_str_has_prefix(evidence, "The disk of / has "));
	assert_true(g_str_has_suffix(
	    evidence, " MiB left; ruad is not ready with less than 1073741824 MiB (server.min_free)."));
	assert_true(disk_ask("/", &disk, NULL));
	watch.min_free = disk.available / 3 * 2;
	nearly = only_condition(&watch, &less);
	assert_string_equal(nearly,
	    "{\"key\":\"disk\",\"kind\":\"disk\",\"level\":1,\"severity\":\"warning\","
	    "\"title\":\"The disk is nearly full\"," ACTION);
}

static void mail_that_just_failed_is_no_condition_yet(void **state G_GNUC_UNUSED)
{
	struct vitals *vitals = vitals_open(vitals_create(NULL), TRUE, NULL);
	const struct server_watch watch = { .vitals = vitals };
	g_autofree char *words = NULL;

	vitals_tell(vitals, FALSE);
	words = server_conditions(&watch);
	assert_string_equal(words, "[]");
	vitals_close(vitals);
}

/* What vitals_failing() says, so that no test has to wait for a minute. */
static void mail_that_fails_for_a_minute_is_a_condition(void **state G_GNUC_UNUSED)
{
	int fd = vitals_create(NULL);
	gint64 *times = mmap(NULL, 2 * sizeof(gint64), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	struct vitals *vitals = vitals_open(fd, TRUE, NULL);
	const struct server_watch watch = { .vitals = vitals };
	g_autofree char *words = NULL, *evidence = NULL, *before = NULL;

	assert_true(times != MAP_FAILED);
	times[1] = g_get_monotonic_time();
	times[0] = times[1] - (SERVER_FAILING - 2) * G_TIME_SPAN_SECOND;
	if (times[0] > 0) {
		before = server_conditions(&watch);
		assert_string_equal(before, "[]");
	}
	times[0] = times[1] - SERVER_FAILING * G_TIME_SPAN_SECOND;
	if (times[0] > 0) {
		words = only_condition(&watch, &evidence);
		assert_string_equal(words,
		    "{\"key\":\"intake\",\"kind\":\"intake\",\"level\":2,\"severity\":\"error\","
		    "\"title\":\"Mail is not stored\","
		    "\"action\":\"ruad-ingest logs the cause: see the log of ruad.\"}");
		assert_true(g_str_has_prefix(evidence, "No mail could be stored for 6"));
		assert_true(g_str_has_suffix(evidence, " s; the mail server keeps it."));
	}
	munmap(times, 2 * sizeof(gint64));
	vitals_close(vitals);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_disk_is_near_its_end_before_mail_is_not_stored),
		cmocka_unit_test(conditions_are_those_that_are_present),
		cmocka_unit_test(a_full_disk_is_an_error_and_a_nearly_full_one_a_warning),
		cmocka_unit_test(mail_that_fails_for_a_minute_is_a_condition),
		cmocka_unit_test(mail_that_just_failed_is_no_condition_yet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
