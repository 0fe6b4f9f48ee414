/* test_notice.c - notices as texts and as documents of webhooks; names in reports are hostile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <json-c/json.h>
#include <string.h>

#include "server/notify/notice_hook.h"

#define HOSTILE "<!channel> *a* [x](https://evil.example) {{DATE(2026-01-01)}} <@U1> & \"\\"

static const struct notice fails = {
	.event = "new",
	.key = "fails:example.com:ip:192.0.2.1",
	.kind = "fails",
	.domain = "example.com",
	.source = "ip:192.0.2.1",
	.severity = "error",
	.title = "A host fails",
	.evidence = "3 of 5 messages failed.",
	.action = "Sign them.",
	.since = "2026-11-30T01:00:00Z",
};

static const struct notice over = {
	.event = "resolved",
	.key = "disk",
	.kind = "disk",
	.severity = "warning",
	.title = "The disk is nearly full",
	.evidence = "e",
	.action = "a",
	.since = "2026-11-28T01:00:00Z",
	.gone_since = "2026-11-29T01:00:00Z",
};

static const struct notice hostile = {
	.event = "worse",
	.key = "k",
	.kind = "fails",
	.domain = HOSTILE,
	.severity = "error",
	.title = HOSTILE,
	.evidence = HOSTILE,
	.action = HOSTILE,
	.since = "s",
};

static json_object *document(const struct notices *notices, enum webhook_format format)
{
	g_autoptr(GBytes) bytes = notice_hook(notices, format);
	gsize size;
	const char *data = g_bytes_get_data(bytes, &size);
	g_autofree char *text = g_strndup(data, size);
	json_object *object = json_tokener_parse(text);

	assert_non_null(object);
	return object;
}

/* The value at a path such as "blocks.0.text"; borrowed. */
static json_object *at(json_object *object, const char *path)
{
	g_auto(GStrv) members = g_strsplit(path, ".", -1);

	for (gsize i = 0; members[i] != NULL; i++)
		object =
		    json_object_is_type(object, json_type_array)
			? json_object_array_get_idx(object, (gsize)g_ascii_strtoull(members[i], NULL, 10))
			: json_object_object_get(object, members[i]);
	return object;
}

static const char *text_at(json_object *object, const char *path)
{
	return json_object_get_string(at(object, path));
}

static void the_text_groups_notices_by_event(void **state G_GNUC_UNUSED)
{
	const struct notice list[] = { fails, fails, over };
	const struct notices notices = { list, G_N_ELEMENTS(list), "host.example" };
	g_autofree char *text = notice_text(&notices);

	assert_true(
	    g_str_has_prefix(text, "New\n\n"
				   "* A host fails (error)\n"
				   "  3 of 5 messages failed.\n"
				   "  What to do: Sign them.\n"
				   "  Since: 2026-11-30T01:00:00Z. Key: fails:example.com:ip:192.0.2.1\n"
				   "\n"
				   "* A host fails (error)\n"));
	assert_non_null(
	    strstr(text, "\nResolved\n\n* The disk is nearly full\n"
			 "  Present from 2026-11-28T01:00:00Z to 2026-11-29T01:00:00Z, and not since then.\n"
			 "  Key: disk\n"));
	assert_null(strstr(strstr(text, "New") + 1, "New\n"));
}

static void the_subject_names_the_worst_and_counts_the_others(void **state G_GNUC_UNUSED)
{
	const struct notice list[] = { fails, over };
	const struct {
		gsize first, n;
		const char *want;
	} rows[] = {
		{ 0, 1, "A host fails" },
		{ 1, 1, "Resolved: The disk is nearly full" },
		{ 0, 2, "A host fails, and 1 more" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const struct notices notices = { &list[rows[i].first], rows[i].n, "host" };
		g_autofree char *subject = notice_subject(&notices);

		assert_string_equal(subject, rows[i].want);
	}
}

static void the_text_ends_with_who_sent_it_and_a_test_has_no_key(void **state G_GNUC_UNUSED)
{
	const struct notices notices = { &notice_of_test, 1, "host.example" };
	g_autofree char *text = notice_text(&notices);

	assert_string_equal(text,
	    "Test\n\n"
	    "* Test of notices (info)\n"
	    "  Somebody ran \"ruad notify --test\", and this message arrived.\n"
	    "  What to do: Nothing.\n"
	    "\n"
	    "-- \n"
	    "Sent by ruad on host.example. Each notice comes once: when it is new, worse or resolved.\n"
	    "\"ruad notify --list\" lists all notices, \"ruad notify --silence=KEY\" silences one.\n");
}

static void a_line_says_what_to_do_or_how_long_it_was_present(void **state G_GNUC_UNUSED)
{
	struct notice until_now = over;
	g_autofree char *present = notice_line(&fails), *gone = notice_line(&over), *now = NULL;

	until_now.gone_since = NULL;
	now = notice_line(&until_now);
	assert_string_equal(present, "A host fails (error). 3 of 5 messages failed. What to do: Sign them.");
	assert_string_equal(gone, "Resolved: The disk is nearly full. Present from 2026-11-28T01:00:00Z to "
				  "2026-11-29T01:00:00Z, and not since then.");
	assert_string_equal(now, "Resolved: The disk is nearly full. Present from 2026-11-28T01:00:00Z to "
				 "now, and not since then.");
}

/* Documents are compared as texts: a member that is missing, new or in another place is a change for a
 * receiver. */
static void assert_document(const struct notices *notices, enum webhook_format format, const char *want)
{
	g_autoptr(GBytes) bytes = notice_hook(notices, format);
	gsize size;
	const char *data = g_bytes_get_data(bytes, &size);
	g_autofree char *text = g_strndup(data, size);

	assert_string_equal(text, want);
}

static void the_generic_document_has_all_members(void **state G_GNUC_UNUSED)
{
	const struct notice list[] = { fails, over, notice_of_test };
	const struct notices notices = { list, G_N_ELEMENTS(list), "host.example" };

	assert_document(&notices, WEBHOOK_GENERIC,
	    "{\"program\":\"ruad " RUAD_VERSION "\",\"host\":\"host.example\","
	    "\"subject\":\"A host fails, and 2 more\",\"notices\":["
	    "{\"event\":\"new\",\"key\":\"fails:example.com:ip:192.0.2.1\",\"kind\":\"fails\","
	    "\"domain\":\"example.com\",\"source\":\"ip:192.0.2.1\",\"severity\":\"error\","
	    "\"title\":\"A host fails\",\"evidence\":\"3 of 5 messages failed.\","
	    "\"action\":\"Sign them.\",\"since\":\"2026-11-30T01:00:00Z\",\"gone_since\":null},"
	    "{\"event\":\"resolved\",\"key\":\"disk\",\"kind\":\"disk\",\"domain\":null,"
	    "\"source\":null,\"severity\":\"warning\",\"title\":\"The disk is nearly full\","
	    "\"evidence\":\"e\",\"action\":\"a\",\"since\":\"2026-11-28T01:00:00Z\","
	    "\"gone_since\":\"2026-11-29T01:00:00Z\"},"
	    "{\"event\":\"test\",\"key\":\"test\",\"kind\":\"test\",\"domain\":null,\"source\":null,"
	    "\"severity\":\"info\",\"title\":\"Test of notices\","
	    "\"evidence\":\"Somebody ran \\\"ruad notify --test\\\", and this message arrived.\","
	    "\"action\":\"Nothing.\",\"since\":null,\"gone_since\":null}]}");
}

static void chats_get_a_head_and_a_paragraph_for_each_notice(void **state G_GNUC_UNUSED)
{
	const struct notices notices = { &fails, 1, "h" };

	assert_document(&notices, WEBHOOK_SLACK,
	    "{\"text\":\"ruad on h: A host fails\",\"mrkdwn\":false,\"unfurl_links\":false,"
	    "\"unfurl_media\":false,\"blocks\":["
	    "{\"type\":\"section\",\"text\":{\"type\":\"plain_text\","
	    "\"text\":\"ruad on h: A host fails\",\"emoji\":false}},"
	    "{\"type\":\"section\",\"text\":{\"type\":\"plain_text\","
	    "\"text\":\"A host fails (error). 3 of 5 messages failed. What to do: Sign them.\","
	    "\"emoji\":false}}]}");
	assert_document(&notices, WEBHOOK_TEAMS,
	    "{\"type\":\"message\",\"attachments\":["
	    "{\"contentType\":\"application\\/vnd.microsoft.card.adaptive\",\"content\":"
	    "{\"$schema\":\"http:\\/\\/adaptivecards.io\\/schemas\\/adaptive-card.json\","
	    "\"type\":\"AdaptiveCard\",\"version\":\"1.2\",\"body\":["
	    "{\"type\":\"RichTextBlock\",\"inlines\":["
	    "{\"type\":\"TextRun\",\"text\":\"ruad on h: A host fails\",\"weight\":\"Bolder\"}]},"
	    "{\"type\":\"RichTextBlock\",\"inlines\":[{\"type\":\"TextRun\","
	    "\"text\":\"A host fails (error). 3 of 5 messages failed. What to do: Sign them.\"}]}]}}]}");
}

static void slack_gets_no_mention_and_no_markup(void **state G_GNUC_UNUSED)
{
	const struct notices notices = { &hostile, 1, "host" };
	json_object *object = document(&notices, WEBHOOK_SLACK);

	assert_string_equal(text_at(object, "blocks.1.text.type"), "plain_text");
	assert_true(g_str_has_prefix(
	    text_at(object, "blocks.1.text.text"), "Worse: &lt;!channel&gt; *a* [x](https://evil.example)"));
	assert_null(strchr(text_at(object, "text"), '<'));
	assert_non_null(strstr(text_at(object, "text"), "&amp; \""));
	assert_false(json_object_get_boolean(at(object, "mrkdwn")));
	json_object_put(object);
}

static void teams_gets_runs_of_text_without_functions(void **state G_GNUC_UNUSED)
{
	const struct notices notices = { &hostile, 1, "host" };
	json_object *object = document(&notices, WEBHOOK_TEAMS);

	assert_string_equal(
	    text_at(object, "attachments.0.contentType"), "application/vnd.microsoft.card.adaptive");
	assert_string_equal(text_at(object, "attachments.0.content.type"), "AdaptiveCard");
	assert_string_equal(text_at(object, "attachments.0.content.body.1.type"), "RichTextBlock");
	assert_string_equal(text_at(object, "attachments.0.content.body.1.inlines.0.type"), "TextRun");
	assert_null(strstr(json_object_to_json_string(object), "{{"));
	assert_non_null(strstr(text_at(object, "attachments.0.content.body.1.inlines.0.text"), "{ {DATE("));
	json_object_put(object);
}

static void matrix_gets_plain_text_that_mentions_nobody(void **state G_GNUC_UNUSED)
{
	const struct notices notices = { &hostile, 1, "host" };
	json_object *object = document(&notices, WEBHOOK_MATRIX);

	assert_string_equal(text_at(object, "msgtype"), "m.text");
	assert_non_null(strstr(text_at(object, "body"), HOSTILE));
	assert_null(at(object, "formatted_body"));
	assert_int_equal(json_object_object_length(json_object_object_get(object, "m.mentions")), 0);
	json_object_put(object);
}

static void a_chat_gets_a_bounded_number_of_notices(void **state G_GNUC_UNUSED)
{
	for (gsize n = NOTICE_HOOK_MOST - 1; n <= NOTICE_HOOK_MOST + 1; n++) {
		g_autofree struct notice *list = g_new(struct notice, n);
		const struct notices notices = { list, n, "host" };
		json_object *object;
		gsize blocks;

		for (gsize i = 0; i < n; i++)
			list[i] = fails;
		object = document(&notices, WEBHOOK_SLACK);
		blocks = json_object_array_length(at(object, "blocks"));
		assert_int_equal(blocks, n > NOTICE_HOOK_MOST ? NOTICE_HOOK_MOST + 2 : n + 1);
		if (n > NOTICE_HOOK_MOST)
			assert_non_null(strstr(json_object_to_json_string(object), "1 more: see"));
		json_object_put(object);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_text_groups_notices_by_event),
		cmocka_unit_test(the_subject_names_the_worst_and_counts_the_others),
		cmocka_unit_test(the_text_ends_with_who_sent_it_and_a_test_has_no_key),
		cmocka_unit_test(a_line_says_what_to_do_or_how_long_it_was_present),
		cmocka_unit_test(the_generic_document_has_all_members),
		cmocka_unit_test(chats_get_a_head_and_a_paragraph_for_each_notice),
		cmocka_unit_test(slack_gets_no_mention_and_no_markup),
		cmocka_unit_test(teams_gets_runs_of_text_without_functions),
		cmocka_unit_test(matrix_gets_plain_text_that_mentions_nobody),
		cmocka_unit_test(a_chat_gets_a_bounded_number_of_notices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
