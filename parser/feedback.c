#include "parser/feedback.h"

#include "parser/failure.h"

#include <string.h>

gboolean feedback_is_report(const struct feedback_part *part)
{
	return part->role == FEEDBACK_FIELDS || part->role == FEEDBACK_PROSE;
}

enum feedback_role feedback_alone(const char *type, const guint8 *data, gsize size)
{
	if (strcmp(type, "message/feedback-report") == 0)
		return FEEDBACK_FIELDS;
	if (strcmp(type, "text/plain") == 0 && failure_is_prose((const char *)data, size))
		return FEEDBACK_PROSE;
	return FEEDBACK_OTHER;
}

/* The third part: message/rfc822, text/rfc822-headers, and how else they are spelled. */
static gboolean is_message_type(const char *type)
{
	static const char *const NAMES[] = { "rfc822", "rfc822header", "rfc822headers", "rfc2822",
		"rfc2822headers", "global", "globalheaders" };
	g_autoptr(GString) name = g_string_new(NULL);

	if (g_str_has_prefix(type, "message/"))
		type += strlen("message/");
	else if (g_str_has_prefix(type, "text/"))
		type += strlen("text/");
	else
		return FALSE;
	for (; *type != '\0'; type++)
		if (*type != '-')
			g_string_append_c(name, *type);
	for (gsize i = 0; i < G_N_ELEMENTS(NAMES); i++)
		if (strcmp(name->str, NAMES[i]) == 0)
			return TRUE;
	return FALSE;
}

/* The role that the media type declares. */
static enum feedback_role declared_role(const char *type)
{
	if (strcmp(type, "message/feedback-report") == 0)
		return FEEDBACK_FIELDS;
	return is_message_type(type) ? FEEDBACK_MESSAGE : FEEDBACK_OTHER;
}

/* Types under which the fields of a report are sent, besides their own. */
static gboolean may_be_report(const char *type)
{
	if (strcmp(type, "text/html") == 0)
		return FALSE;
	return g_str_has_prefix(type, "text/") || g_str_has_prefix(type, "message/") ||
	       strcmp(type, "application/octet-stream") == 0;
}

/* The role by the first bytes, where the media type allows another than it declares. */
static enum feedback_role role_by_content(
    const struct feedback_part *part, guint i, feedback_head_cb head, gpointer user)
{
	enum feedback_role declared = declared_role(part[i].type);
	const guint8 *data;
	gsize size;

	if (declared == FEEDBACK_FIELDS || !may_be_report(part[i].type) || !head(user, i, &data, &size))
		return declared;
	if (failure_is_fields((const char *)data, size))
		return FEEDBACK_FIELDS;
	return declared == FEEDBACK_OTHER && failure_is_prose((const char *)data, size) ? FEEDBACK_PROSE
											: declared;
}

static guint count_roles(const struct feedback_part *part, guint n, enum feedback_role role)
{
	guint count = 0;

	for (guint i = 0; i < n; i++)
		count += part[i].role == role;
	return count;
}

/* A report is about the next message before the next report; the last, if it has none, about the nearest
 * before it. */
static void assign_messages(struct feedback_part *part, guint n)
{
	struct feedback_part *open = NULL, *spare = NULL;

	for (guint i = 0; i < n; i++) {
		if (feedback_is_report(&part[i])) {
			open = &part[i];
		} else if (part[i].role == FEEDBACK_MESSAGE && open != NULL && open->message == NULL) {
			open->message = &part[i];
			part[i].reported = TRUE;
		} else if (part[i].role == FEEDBACK_MESSAGE) {
			spare = &part[i];
		}
	}
	if (open != NULL && open->message == NULL && spare != NULL && spare < open) {
		open->message = spare;
		spare->reported = TRUE;
	}
}

gboolean feedback_find(
    struct feedback_part *part, guint n, const char *report_type, feedback_head_cb head, gpointer user)
{
	gboolean declared = report_type != NULL && g_str_has_prefix(report_type, "feedback");

	for (guint i = 0; i < n; i++)
		part[i].role = declared_role(part[i].type);
	if (count_roles(part, n, FEEDBACK_FIELDS) == 0 &&
	    (declared || count_roles(part, n, FEEDBACK_MESSAGE) > 0))
		for (guint i = 0; i < n; i++)
			part[i].role = role_by_content(part, i, head, user);
	if (count_roles(part, n, FEEDBACK_FIELDS) > 0) {
		for (guint i = 0; i < n; i++)
			if (part[i].role == FEEDBACK_PROSE)
				part[i].role = FEEDBACK_OTHER;
	} else if (count_roles(part, n, FEEDBACK_PROSE) == 0 &&
		   !(declared && count_roles(part, n, FEEDBACK_MESSAGE) > 0)) {
		return FALSE;
	}
	assign_messages(part, n);
	return TRUE;
}
