#include "server/notify/notice.h"

#include "server/common/message.h"

#define FOOTER                                                                                               \
	"-- \nSent by ruad on %s. Each notice comes once: when it is new, worse or resolved.\n"              \
	"\"ruad notify --list\" lists all notices, \"ruad notify --silence=KEY\" silences one.\n"

const struct notice notice_of_test = {
	.event = "test",
	.key = "test",
	.kind = "test",
	.severity = "info",
	.title = "Test of notices",
	.evidence = "Somebody ran \"ruad notify --test\", and this message arrived.",
	.action = "Nothing.",
	.since = "",
};

/* How an event begins a line. */
static const struct {
	const char *event, *heading, *prefix;
} events[] = {
	{ "new", "New", "" },
	{ "worse", "Worse", "Worse: " },
	{ "resolved", "Resolved", "Resolved: " },
	{ "test", "Test", "" },
};

static gsize event_of(const struct notice *notice)
{
	for (gsize i = 0; i < G_N_ELEMENTS(events); i++)
		if (g_str_equal(events[i].event, notice->event))
			return i;
	return 0;
}

static gboolean is_resolved(const struct notice *notice)
{
	return g_str_equal(notice->event, "resolved");
}

char *notice_subject(const struct notices *notices)
{
	const struct notice *first = &notices->notice[0];
	const char *prefix = events[event_of(first)].prefix;

	if (notices->n == 1)
		return g_strconcat(prefix, first->title, NULL);
	return g_strdup_printf("%s%s, and %zu more", prefix, first->title, notices->n - 1);
}

/* "Present from 2026-01-01T... to ..." */
static char *resolved_words(const struct notice *notice)
{
	return g_strdup_printf("Present from %s to %s, and not since then.", notice->since,
	    notice->gone_since != NULL ? notice->gone_since : "now");
}

static void append_notice(GString *text, const struct notice *notice)
{
	if (is_resolved(notice)) {
		g_autofree char *words = resolved_words(notice);

		g_string_append_printf(text, "* %s\n  %s\n  Key: %s\n\n", notice->title, words, notice->key);
		return;
	}
	g_string_append_printf(text, "* %s (%s)\n  %s\n  What to do: %s\n", notice->title, notice->severity,
	    notice->evidence, notice->action);
	if (*notice->since != '\0')
		g_string_append_printf(text, "  Since: %s. Key: %s\n", notice->since, notice->key);
	g_string_append_c(text, '\n');
}

char *notice_text(const struct notices *notices)
{
	GString *text = g_string_new(NULL);

	for (gsize i = 0; i < notices->n; i++) {
		const struct notice *notice = &notices->notice[i];

		if (i == 0 || !g_str_equal(notice->event, notices->notice[i - 1].event))
			g_string_append_printf(text, "%s\n\n", events[event_of(notice)].heading);
		append_notice(text, notice);
	}
	g_string_append_printf(text, FOOTER, notices->host);
	return g_string_free(text, FALSE);
}

char *notice_line(const struct notice *notice)
{
	g_autofree char *words = NULL;

	if (!is_resolved(notice))
		return g_strdup_printf("%s%s (%s). %s What to do: %s", events[event_of(notice)].prefix,
		    notice->title, notice->severity, notice->evidence, notice->action);
	words = resolved_words(notice);
	return g_strdup_printf("%s%s. %s", events[event_of(notice)].prefix, notice->title, words);
}

GBytes *notice_message(const struct settings *settings, const struct notices *notices)
{
	g_autofree char *from = message_sender(settings);
	g_autofree char *id = message_id(from);
	g_autofree char *subject = notice_subject(notices);
	g_autofree char *marked = g_strconcat("[ruad] ", subject, NULL);
	g_autofree char *text = notice_text(notices);

	return message_make(&(struct message){ .from = from,
	    .to = settings_list(settings, "notify.mail_to"),
	    .id = id,
	    .date = g_get_real_time() / G_USEC_PER_SEC,
	    .subject = marked,
	    .text = text });
}
