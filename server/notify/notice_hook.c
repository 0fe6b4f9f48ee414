#include "server/notify/notice_hook.h"

#include <json-c/json.h>
#include <string.h>

static void add_string(json_object *object, const char *name, const char *value)
{
	json_object_object_add(object, name, value != NULL ? json_object_new_string(value) : NULL);
}

/* -- generic -- */

static json_object *generic_notice(const struct notice *notice)
{
	json_object *object = json_object_new_object();

	add_string(object, "event", notice->event);
	add_string(object, "key", notice->key);
	add_string(object, "kind", notice->kind);
	add_string(object, "domain", notice->domain);
	add_string(object, "source", notice->source);
	add_string(object, "severity", notice->severity);
	add_string(object, "title", notice->title);
	add_string(object, "evidence", notice->evidence);
	add_string(object, "action", notice->action);
	add_string(object, "since", *notice->since != '\0' ? notice->since : NULL);
	add_string(object, "gone_since", notice->gone_since);
	return object;
}

static json_object *generic(const struct notices *notices)
{
	json_object *object = json_object_new_object();
	json_object *array = json_object_new_array();
	g_autofree char *subject = notice_subject(notices);

	for (gsize i = 0; i < notices->n; i++)
		json_object_array_add(array, generic_notice(&notices->notice[i]));
	add_string(object, "program", "ruad " RUAD_VERSION);
	add_string(object, "host", notices->host);
	add_string(object, "subject", subject);
	json_object_object_add(object, "notices", array);
	return object;
}

/* -- chats -- */

/* The paragraphs of a message: what it is, a line for each notice, and how many are left out. */
static GStrv paragraphs_of(const struct notices *notices)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	g_autofree char *subject = notice_subject(notices);
	g_autofree char *head = g_strdup_printf("ruad on %s: %s", notices->host, subject);

	g_strv_builder_add(builder, head);
	for (gsize i = 0; i < MIN(notices->n, NOTICE_HOOK_MOST); i++) {
		g_autofree char *line = notice_line(&notices->notice[i]);

		g_strv_builder_add(builder, line);
	}
	if (notices->n > NOTICE_HOOK_MOST) {
		g_autofree char *rest =
		    g_strdup_printf("%zu more: see ruad notify --list", notices->n - NOTICE_HOOK_MOST);

		g_strv_builder_add(builder, rest);
	}
	return g_strv_builder_end(builder);
}

/* Replace each of a few characters or words, in one pass. */
static char *replaced(const char *text, const char *const (*pairs)[2], gsize n)
{
	GString *out = g_string_new(NULL);

	while (*text != '\0') {
		gsize i = 0;

		while (i < n && !g_str_has_prefix(text, pairs[i][0]))
			i++;
		if (i < n)
			g_string_append(out, pairs[i][1]);
		else
			g_string_append_c(out, *text);
		text += i < n ? strlen(pairs[i][0]) : 1;
	}
	return g_string_free(out, FALSE);
}

/* Mentions and links are in angle brackets, also in plain text. */
static char *for_slack(const char *text)
{
	static const char *const pairs[][2] = { { "&", "&amp;" }, { "<", "&lt;" }, { ">", "&gt;" } };

	return replaced(text, pairs, G_N_ELEMENTS(pairs));
}

/* A run of text is not Markdown, but {{DATE(...)}} is a function everywhere in a card. */
static char *for_teams(const char *text)
{
	static const char *const pairs[][2] = { { "{{", "{ {" } };

	return replaced(text, pairs, G_N_ELEMENTS(pairs));
}

static json_object *slack_block(const char *paragraph)
{
	json_object *block = json_object_new_object(), *text = json_object_new_object();
	g_autofree char *escaped = for_slack(paragraph);

	add_string(text, "type", "plain_text");
	add_string(text, "text", escaped);
	json_object_object_add(text, "emoji", json_object_new_boolean(FALSE));
	add_string(block, "type", "section");
	json_object_object_add(block, "text", text);
	return block;
}

/* text is what notifications show; the blocks are the message. */
static json_object *slack(const struct notices *notices)
{
	json_object *object = json_object_new_object(), *blocks = json_object_new_array();
	g_auto(GStrv) paragraphs = paragraphs_of(notices);
	g_autofree char *head = for_slack(paragraphs[0]);

	for (gsize i = 0; paragraphs[i] != NULL; i++)
		json_object_array_add(blocks, slack_block(paragraphs[i]));
	add_string(object, "text", head);
	json_object_object_add(object, "mrkdwn", json_object_new_boolean(FALSE));
	json_object_object_add(object, "unfurl_links", json_object_new_boolean(FALSE));
	json_object_object_add(object, "unfurl_media", json_object_new_boolean(FALSE));
	json_object_object_add(object, "blocks", blocks);
	return object;
}

static json_object *teams_block(const char *paragraph, gboolean is_head)
{
	json_object *block = json_object_new_object(), *runs = json_object_new_array();
	json_object *run = json_object_new_object();
	g_autofree char *escaped = for_teams(paragraph);

	add_string(run, "type", "TextRun");
	add_string(run, "text", escaped);
	if (is_head)
		add_string(run, "weight", "Bolder");
	json_object_array_add(runs, run);
	add_string(block, "type", "RichTextBlock");
	json_object_object_add(block, "inlines", runs);
	return block;
}

static json_object *teams_card(const struct notices *notices)
{
	json_object *card = json_object_new_object(), *body = json_object_new_array();
	g_auto(GStrv) paragraphs = paragraphs_of(notices);

	for (gsize i = 0; paragraphs[i] != NULL; i++)
		json_object_array_add(body, teams_block(paragraphs[i], i == 0));
	add_string(card, "$schema", "http://adaptivecards.io/schemas/adaptive-card.json");
	add_string(card, "type", "AdaptiveCard");
	add_string(card, "version", "1.2"); /* the first with RichTextBlock */
	json_object_object_add(card, "body", body);
	return card;
}

static json_object *teams(const struct notices *notices)
{
	json_object *object = json_object_new_object(), *attachments = json_object_new_array();
	json_object *attachment = json_object_new_object();

	add_string(attachment, "contentType", "application/vnd.microsoft.card.adaptive");
	json_object_object_add(attachment, "content", teams_card(notices));
	json_object_array_add(attachments, attachment);
	add_string(object, "type", "message");
	json_object_object_add(object, "attachments", attachments);
	return object;
}

/* body is plain text, and no mention is meant (m.mentions is empty). */
static json_object *matrix(const struct notices *notices)
{
	json_object *object = json_object_new_object();
	g_auto(GStrv) paragraphs = paragraphs_of(notices);
	g_autofree char *body = g_strjoinv("\n\n", paragraphs);

	add_string(object, "msgtype", "m.text");
	add_string(object, "body", body);
	json_object_object_add(object, "m.mentions", json_object_new_object());
	return object;
}

GBytes *notice_hook(const struct notices *notices, enum webhook_format format)
{
	static json_object *(*const makers[])(const struct notices *notices) = {
		[WEBHOOK_GENERIC] = generic,
		[WEBHOOK_SLACK] = slack,
		[WEBHOOK_TEAMS] = teams,
		[WEBHOOK_MATRIX] = matrix,
	};
	json_object *object = makers[format](notices);
	const char *text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
	GBytes *bytes = g_bytes_new(text, strlen(text));

	json_object_put(object);
	return bytes;
}
