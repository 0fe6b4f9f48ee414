#include "server/digest/plain_text.h"

#include <string.h>

#define WIDTH 76

static const char *const bullets[] = {
	[MOOD_SO] = "* ",
	[MOOD_GOOD] = "+ ",
	[MOOD_BAD] = "! ",
	[MOOD_INFO] = "* ",
};

/* -- paragraphs -- */

/* Append words, wrapped; each line begins with as many spaces as first has characters, but the first with
 * first. A word that is too long has a line of its own. */
static void wrap(GString *out, const char *first, const char *text)
{
	g_auto(GStrv) words = g_strsplit(text, " ", -1);
	const glong indent = g_utf8_strlen(first, -1);
	glong column = indent;

	g_string_append(out, first);
	for (guint i = 0; words[i] != NULL; i++) {
		const glong size = g_utf8_strlen(words[i], -1);

		if (column > indent && column + 1 + size > WIDTH) {
			g_string_append_printf(out, "\n%*s", (int)indent, "");
			column = indent;
		}
		g_string_append_printf(out, "%s%s", column > indent ? " " : "", words[i]);
		column += size + (column > indent ? 1 : 0);
	}
	g_string_append_c(out, '\n');
}

/* Append a line below which it is drawn. */
static void underline(GString *out, const char *text, char line)
{
	g_string_append_printf(out, "\n%s\n", text);
	for (glong i = g_utf8_strlen(text, -1); i > 0; i--)
		g_string_append_c(out, line);
	g_string_append_c(out, '\n');
}

static void print_point(GString *out, const struct block *block)
{
	g_autofree char *first = g_strconcat(bullets[block->mood], block->title, NULL);

	g_string_append_printf(out, "%s\n", first);
	wrap(out, "  ", block->text);
	if (block->note != NULL)
		wrap(out, "  ", block->note);
	if (block->link != NULL)
		g_string_append_printf(out, "  %s: %s\n", block->link, block->address);
}

static void print_item(GString *out, const struct block *block)
{
	wrap(out, bullets[block->mood], block->text);
	if (block->note != NULL)
		wrap(out, "  ", block->note);
}

/* -- tables -- */

static GArray *widths_of(const GPtrArray *rows)
{
	GArray *widths = g_array_new(FALSE, TRUE, sizeof(glong));

	for (guint i = 0; i < rows->len; i++) {
		char **row = rows->pdata[i];

		for (guint k = 0; row[k] != NULL; k++) {
			if (k >= widths->len)
				g_array_set_size(widths, k + 1);
			g_array_index(widths, glong, k) =
			    MAX(g_array_index(widths, glong, k), g_utf8_strlen(row[k], -1));
		}
	}
	return widths;
}

static void print_table(GString *out, const GPtrArray *rows, guint n_texts)
{
	g_autoptr(GArray) widths = widths_of(rows);

	for (guint i = 0; i < rows->len; i++) {
		char **row = rows->pdata[i];

		for (guint k = 0; row[k] != NULL; k++) {
			const int pad = (int)(g_array_index(widths, glong, k) - g_utf8_strlen(row[k], -1));

			g_string_append_printf(out, "%s%*s%s%*s", k > 0 ? "  " : "", k < n_texts ? 0 : pad,
			    "", row[k], k < n_texts ? pad : 0, "");
		}
		g_string_append_c(out, '\n');
	}
}

/* -- blocks -- */

static void print_block(GString *out, const struct block *block)
{
	switch (block->kind) {
	case BLOCK_HEADING:
		underline(out, block->text, '-');
		break;
	case BLOCK_SUBJECT:
		g_string_append_printf(out, "\n%s (%s)\n", block->title, block->text);
		break;
	case BLOCK_TEXT:
	case BLOCK_NOTE:
		wrap(out, "", block->text);
		break;
	case BLOCK_POINT:
		print_point(out, block);
		break;
	case BLOCK_ITEM:
		print_item(out, block);
		break;
	case BLOCK_TABLE:
		print_table(out, block->rows, block->n_texts);
		break;
	case BLOCK_CHART:
		break; /* the totals say it */
	}
}

char *plain_text_print(const struct content *content)
{
	GString *out = g_string_new(NULL);

	if (content->is_brief) {
		g_autofree char *line = g_strconcat(content->title, ". ", content->lead, NULL);

		g_string_append_printf(out, "%s\n", line);
	} else {
		g_string_append_printf(out, "%s\n\n", content->title);
		wrap(out, "", content->lead);
	}
	for (guint i = 0; i < content->blocks->len; i++)
		print_block(out, content->blocks->pdata[i]);
	return g_string_free(out, FALSE);
}
