#include "parser/mailview.h"

#include "parser/text.h"

#include <string.h>

/* "--" and something that may be a boundary; not "-->" of XML, not "-- " of signatures. */
static gboolean is_boundary_like(const guint8 *line, gsize size)
{
	return size > 2 && line[0] == '-' && line[1] == '-' && line[2] > ' ' && line[2] != '>';
}

/* A field that GMime parses as addresses (RFC 5322 section 3.6.2 f., 3.6.6). */
static gboolean is_address_field(const guint8 *line, gsize size)
{
	static const char *const NAMES[] = { "from", "sender", "reply-to", "to", "cc", "bcc" };
	const char *name = (const char *)line;

	if (size > 7 && g_ascii_strncasecmp(name, "resent-", 7) == 0) {
		name += 7;
		size -= 7;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(NAMES); i++) {
		gsize n = strlen(NAMES[i]);

		if (size > n && g_ascii_strncasecmp(name, NAMES[i], n) == 0 &&
		    (name[n] == ':' || text_is_space(name[n])))
			return TRUE;
	}
	return FALSE;
}

/*
 * GMime reads groups of addresses ("name: a, b;") in groups by calling itself, without an end. Looks at every
 * line, because headers of inner mails stand anywhere.
 */
static gboolean check_groups(
    const guint8 *mail, gsize mail_size, const struct parser_limits *limits, GError **error)
{
	gsize at = 0, colons = 0;
	gboolean in_field = FALSE;

	while (at < mail_size) {
		const guint8 *line = mail + at;
		gsize size = text_line_size((const char *)line, mail_size - at);

		if (!in_field || (line[0] != ' ' && line[0] != '\t')) {
			in_field = is_address_field(line, size);
			colons = 0;
		}
		for (gsize i = 0; in_field && i < size; i++)
			colons += line[i] == ':';
		if (colons > limits->max_groups) {
			g_set_error(error, RUAD_ERROR, RUAD_ERROR_LIMIT,
			    "colons in a field of addresses: more than %u", limits->max_groups);
			return FALSE;
		}
		at += size;
	}
	return TRUE;
}

/*
 * Put a blank line in, so that what stands from block on ends in the line at that place, before it is longer
 * than max; where the next block begins. No boundary comes of it.
 */
static gsize cut(struct mailview *view, gsize block, gsize at, gsize size, gsize max)
{
	gsize next;

	if (view->copy == NULL)
		view->bytes = view->copy = g_memdup2(view->bytes, view->size);
	if (at > block) {
		next = at + 1;
	} else {
		next = at + MIN(max, size - 2) + 2;
		view->copy[next - 2] = '\n';
	}
	view->copy[next - 1] = '\n';
	if (next < at + size && view->copy[next] == '-')
		view->copy[next] = ' ';
	g_array_append_val(view->cuts, next);
	return next;
}

static void bound(struct mailview *view, const struct parser_limits *limits)
{
	gsize at = 0, block = 0, boundaries = 0;
	gsize max = MAX(limits->max_header_bytes, 2);

	while (at < view->size) {
		const guint8 *line = view->bytes + at;
		gsize size = text_line_size((const char *)line, view->size - at);

		if (is_boundary_like(line, size)) {
			if (++boundaries > mailview_max_boundaries(limits)) {
				view->size = at;
				view->shortened = TRUE;
				return;
			}
			at = block = at + size;
		} else if (text_is_blank_line((const char *)line, size)) {
			at = block = at + size;
		} else if (at + size - block > max) {
			at = block = cut(view, block, at, size, max);
		} else {
			at += size;
		}
	}
}

gboolean mailview_init(
    struct mailview *view, const guint8 *mail, gsize size, const struct parser_limits *limits, GError **error)
{
	if (!check_groups(mail, size, limits, error))
		return FALSE;
	*view = (struct mailview){
		.bytes = mail, .size = size, .cuts = g_array_new(FALSE, FALSE, sizeof(gsize))
	};
	bound(view, limits);
	return TRUE;
}

void mailview_drop_bytes(struct mailview *view)
{
	view->bytes = NULL;
	g_clear_pointer(&view->copy, g_free);
}

void mailview_clear(struct mailview *view)
{
	mailview_drop_bytes(view);
	g_clear_pointer(&view->cuts, g_array_unref);
}

gboolean mailview_is_cut(const struct mailview *view, gsize begin)
{
	for (guint i = 0; i < view->cuts->len; i++)
		if (g_array_index(view->cuts, gsize, i) == begin)
			return TRUE;
	return FALSE;
}

gsize mailview_max_boundaries(const struct parser_limits *limits)
{
	return 2 * (gsize)limits->max_parts + 2;
}
