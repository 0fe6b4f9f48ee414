/* test_server.c - when a disk is near its end, and when mail is not stored. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <json-c/json.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_disk_is_near_its_end_before_mail_is_not_stored),
		cmocka_unit_test(conditions_are_those_that_are_present),
		cmocka_unit_test(mail_that_just_failed_is_no_condition_yet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
