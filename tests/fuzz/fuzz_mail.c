/* Splits a mail into its parts, with limits so low that they are reached. */
#include <string.h>

#include "parser/mail.h"
#include "parser/parse.h"
#include "parser/received.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

struct seen {
	const struct parser_limits *limits;
	guint headers, parts; /* the number of the last leaf */
	guint8 sum;           /* so that every byte is read */
};

static void read_bytes(struct seen *seen, const guint8 *data, gsize size)
{
	for (gsize i = 0; i < size; i++)
		seen->sum ^= data[i];
}

static void check_text(const char *text, gsize max)
{
	g_assert(text == NULL || (g_utf8_validate(text, -1, NULL) && strlen(text) <= max));
}

static gboolean on_header(gpointer user, const struct mail_header *header, GError **error)
{
	struct seen *seen = user;

	(void)error;
	g_assert(seen->headers++ == 0 && seen->parts == 0);
	check_text(header->message_id, 1000);
	check_text(header->subject, 1000);
	check_text(header->from, 1000);
	check_text(header->queue_id, RECEIVED_ID_MAX);
	return TRUE;
}

/* Leaves that belong to a report's message are counted, but not passed on. */
static void check_number(struct seen *seen, guint number)
{
	g_assert(seen->headers == 1 && number > seen->parts);
	g_assert(number <= seen->limits->max_parts);
	seen->parts = number;
}

static gboolean on_part(gpointer user, const struct mail_part *part, GError **error)
{
	struct seen *seen = user;

	(void)error;
	check_number(seen, part->number);
	check_text(part->name, 200);
	check_text(part->type, 200);
	g_assert(part->type != NULL);
	read_bytes(seen, part->data, part->size);
	return TRUE;
}

static gboolean on_feedback(gpointer user, const struct mail_feedback *feedback, GError **error)
{
	struct seen *seen = user;

	(void)error;
	check_number(seen, feedback->number);
	check_text(feedback->report_type, 200);
	g_assert(feedback->form != MAIL_FEEDBACK_PROSE || feedback->fields != NULL);
	g_assert(feedback->fields != NULL || feedback->fields_size == 0);
	g_assert(feedback->message != NULL || feedback->message_size == 0);
	read_bytes(seen, feedback->fields, feedback->fields_size);
	read_bytes(seen, feedback->message, feedback->message_size);
	return TRUE;
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	static const struct mail_visitor VISITOR = { on_header, on_part, on_feedback };
	struct parser_limits limits = PARSER_LIMITS_DEFAULT;
	struct seen seen = { .limits = &limits };
	g_autoptr(GError) error = NULL;

	parse_init();
	limits.max_header_bytes = 128;
	limits.max_parts = 8;
	limits.max_part_depth = 6;
	limits.max_groups = 8;
	g_assert(
	    mail_walk(data, size, &limits, "mx.example.net", &VISITOR, &seen, &error) == (error == NULL));
	g_assert(error == NULL || error->domain == RUAD_ERROR);
	return 0;
}
