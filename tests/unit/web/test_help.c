#include "server/web/help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void database_s_members_follow_the_texts(void **state)
{
	static const struct {
		const char *texts;
		const char *document;
		const char *want;
	} rows[] = {
		{ "{\"lang\": \"de\", \"words\": []}", "{\"psql\": \"psql\", \"queries\": [1, 2]}",
		    "{\"lang\":\"de\",\"words\":[],\"psql\":\"psql\",\"queries\":[1,2]}" },
		{ "{\"a\": \"\xc3\xbc\"}", "{\"b\": \"/\"}", "{\"a\":\"\xc3\xbc\",\"b\":\"/\"}" },
		{ "{\"a\": 1}", "{}", "{\"a\":1}" },
		{ "{\"a\": 1}", "[2]", "{\"a\":1}" },
		{ "{\"a\": 1}", "", "{\"a\":1}" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GBytes) texts = g_bytes_new_static(rows[i].texts, strlen(rows[i].texts));
		g_autoptr(GBytes) document = g_bytes_new_static(rows[i].document, strlen(rows[i].document));
		g_autoptr(GBytes) printed = help_print(texts, document);
		gsize size;
		const char *text = g_bytes_get_data(printed, &size);
		g_autofree char *found = g_strndup(text, size);

		if (strcmp(found, rows[i].want) != 0)
			fail_msg("%s and %s give %s", rows[i].texts, rows[i].document, found);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(database_s_members_follow_the_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
