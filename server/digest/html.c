#include "server/digest/html.h"

#include <string.h>

#define FONT       "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;"
#define TEXT_STYLE "color:#1a1f29;font-size:14px;line-height:20px;"
#define SOFT_STYLE "color:#5b6575;font-size:13px;line-height:18px;"

/* What a client that honours it needs on dark; elsewhere the styles of the elements hold. */
static const char head[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<meta name=\"supported-color-schemes\" content=\"light dark\">\n"
    "<title>%s</title>\n"
    "<style>\n"
    ":root { color-scheme: light dark; supported-color-schemes: light dark; }\n"
    "@media (prefers-color-scheme: dark) {\n"
    "  .back { background: #101318 !important; }\n"
    "  .card { background: #181c23 !important; border-color: #2b313c !important; }\n"
    "  .line { border-color: #2b313c !important; }\n"
    "  .text { color: #e6e9ef !important; }\n"
    "  .soft { color: #a0a9b8 !important; }\n"
    "  .link { color: #8fadff !important; }\n"
    "}\n"
    "@media (max-width: 480px) {\n"
    "  .card > tbody > tr > td { padding-left: 16px !important; padding-right: 16px !important; }\n"
    "  .wide .heads { display: none !important; }\n"
    "  .wide tr { display: block !important; padding: 6px 0 !important; }\n"
    "  .wide td { display: inline-block !important; padding: 0 10px 0 0 !important; border: 0 !important; }\n"
    "  .wide .first { display: block !important; }\n"
    "  .wide .label { display: inline !important; }\n"
    "}\n"
    "</style>\n</head>\n"
    "<body class=\"back\" style=\"margin:0;padding:0;background:#f3f5f8\">\n"
    "<table role=\"presentation\" class=\"back\" width=\"100%%\" cellpadding=\"0\" cellspacing=\"0\" "
    "style=\"background:#f3f5f8\"><tr><td align=\"center\" style=\"padding:16px 8px\">\n"
    "<table role=\"presentation\" class=\"card\" width=\"600\" cellpadding=\"0\" cellspacing=\"0\" "
    "style=\"width:100%%;max-width:600px;background:#ffffff;border:1px solid #dfe3ea;border-radius:8px;" FONT
    "\">\n";

static const char foot[] =
    "<tr><td style=\"padding:0 0 20px\"></td></tr>\n</table>\n</td></tr></table>\n</body>\n</html>\n";

static const char *const colours[] = {
	[MOOD_SO] = "#b98a1b",
	[MOOD_GOOD] = "#3f9a82",
	[MOOD_BAD] = "#c93b50",
	[MOOD_INFO] = "#6f86c9",
};

struct printer {
	GString *out;
	const char *host; /* of Content-IDs, or NULL */
	guint n_charts;
};

/* Append text, escaped, which has a direction of its own. */
static void put(GString *out, const char *text)
{
	g_autofree char *escaped = g_markup_escape_text(text, -1);

	g_string_append_printf(out, "<bdi>%s</bdi>", escaped);
}

/* Append a row of the card with a paragraph. */
static void put_paragraph(GString *out, const char *class, const char *style, const char *text)
{
	g_string_append_printf(out, "<tr><td class=\"%s\" style=\"%s\">", class, style);
	put(out, text);
	g_string_append(out, "</td></tr>\n");
}

static void put_heading(GString *out, const char *text)
{
	g_autofree char *escaped = g_markup_escape_text(text, -1);

	g_string_append_printf(out,
	    "<tr><td style=\"padding:22px 24px 6px\"><h2 class=\"text line\" style=\"margin:0;padding:0 0 "
	    "6px;"
	    "border-bottom:1px solid "
	    "#dfe3ea;color:#1a1f29;font-size:15px;line-height:20px;font-weight:600\">%s"
	    "</h2></td></tr>\n",
	    escaped);
}

static void put_subject(GString *out, const struct block *block)
{
	g_string_append(out,
	    "<tr><td style=\"padding:12px 24px 0\"><h3 class=\"text\" style=\"margin:0;" TEXT_STYLE
	    "font-weight:600;word-break:break-word\">");
	put(out, block->title);
	g_string_append(out, " <span class=\"soft\" style=\"" SOFT_STYLE "font-weight:400\">");
	put(out, block->text);
	g_string_append(out, "</span></h3></td></tr>\n");
}

/* -- what to do, and lists -- */

/* Begin a row with the mark of a mood; what follows is in the cell beside it. */
static void begin_marked(GString *out, enum mood mood, guint above)
{
	g_string_append_printf(out,
	    "<tr><td style=\"padding:%upx 24px 0\"><table role=\"presentation\" width=\"100%%\" "
	    "cellpadding=\"0\" "
	    "cellspacing=\"0\"><tr><td width=\"4\" style=\"width:4px;background:%s;border-radius:2px\"></td>"
	    "<td class=\"text\" style=\"padding:0 0 0 12px;" TEXT_STYLE "word-break:break-word\">",
	    above, colours[mood]);
}

static void end_marked(GString *out)
{
	g_string_append(out, "</td></tr></table></td></tr>\n");
}

static void put_note(GString *out, const char *note)
{
	if (note == NULL)
		return;
	g_string_append(out, "<div class=\"soft\" style=\"padding:2px 0 0;" SOFT_STYLE "\">");
	put(out, note);
	g_string_append(out, "</div>");
}

static void put_link(GString *out, const char *text, const char *address)
{
	g_autofree char *escaped = g_markup_escape_text(address, -1);

	g_string_append_printf(out,
	    "<div style=\"padding:2px 0 0;font-size:13px;line-height:18px\"><a class=\"link\" "
	    "href=\"%s\" style=\"color:#2c53c4\">",
	    escaped);
	put(out, text);
	g_string_append(out, "</a></div>");
}

static void put_point(GString *out, const struct block *block)
{
	begin_marked(out, block->mood, 12);
	g_string_append(out, "<div style=\"font-weight:600\">");
	put(out, block->title);
	g_string_append(out, "</div><div>");
	put(out, block->text);
	g_string_append(out, "</div>");
	put_note(out, block->note);
	if (block->link != NULL)
		put_link(out, block->link, block->address);
	end_marked(out);
}

static void put_item(GString *out, const struct block *block)
{
	begin_marked(out, block->mood, 8);
	put(out, block->text);
	put_note(out, block->note);
	end_marked(out);
}

/* -- tables -- */

/* The name of a number's column, which is shown beside it where there are no columns. */
static void put_label(GString *out, const char *label)
{
	g_autofree char *escaped = g_markup_escape_text(label, -1);

	g_string_append_printf(
	    out, "<span class=\"label soft\" style=\"display:none;mso-hide:all\">%s </span>", escaped);
}

static void put_cell(GString *out, const char *cell, const char *label, guint column, gboolean is_text)
{
	gboolean is_head = label == NULL;

	g_string_append_printf(out,
	    "<%s class=\"%s line%s\" align=\"%s\" style=\"padding:%s;border-bottom:1px solid #e8ebf0;%s"
	    "font-weight:400;%s\">",
	    is_head ? "th" : "td", is_head ? "soft" : "text", column == 0 ? " first" : "",
	    is_text ? "left" : "right", column == 0 ? "4px 0" : "4px 0 4px 12px",
	    is_head ? SOFT_STYLE : TEXT_STYLE, is_text ? "min-width:80px;overflow-wrap:break-word" : "");
	if (!is_text && !is_head)
		put_label(out, label);
	put(out, cell);
	g_string_append_printf(out, "</%s>", is_head ? "th" : "td");
}

/* A table with several columns of text is too wide for a telephone: there, a client that honours the style of
 * the head shows each row as lines. */
static void put_table(GString *out, const GPtrArray *rows, guint n_texts)
{
	char **heads = rows->pdata[0];

	g_string_append_printf(out,
	    "<tr><td style=\"padding:4px 24px 0\"><table%s width=\"100%%\" cellpadding=\"0\" "
	    "cellspacing=\"0\" style=\"border-collapse:collapse\">\n",
	    n_texts > 1 ? " class=\"wide\"" : "");
	for (guint i = 0; i < rows->len; i++) {
		char **row = rows->pdata[i];

		g_string_append(out, i == 0 ? "<tr class=\"heads\">" : "<tr class=\"line\">");
		for (guint k = 0; row[k] != NULL; k++)
			put_cell(out, row[k], i == 0 ? NULL : heads[k], k, k < n_texts);
		g_string_append(out, "</tr>\n");
	}
	g_string_append(out, "</table></td></tr>\n");
}

/* -- charts -- */

char *html_cid(guint n, const char *host)
{
	return g_strdup_printf("chart%u@%s", n, host);
}

/* The picture's address: a part of the mail, or the picture itself. */
static char *address_of(struct printer *printer, const struct chart *chart)
{
	g_autoptr(GBytes) png = NULL;
	g_autofree char *coded = NULL;
	g_autofree char *cid = NULL;
	const guint8 *data;
	gsize size;

	printer->n_charts++;
	if (printer->host != NULL) {
		cid = html_cid(printer->n_charts, printer->host);
		return g_strconcat("cid:", cid, NULL);
	}
	png = chart_png(chart);
	data = g_bytes_get_data(png, &size);
	coded = g_base64_encode(data, size);
	return g_strconcat("data:image/png;base64,", coded, NULL);
}

/* What is below the picture: its days, and what its colours are. */
static void put_legend(GString *out, const struct chart *chart)
{
	const struct chart_day *first = &g_array_index(chart->days, struct chart_day, 0);
	const struct chart_day *last = &g_array_index(chart->days, struct chart_day, chart->days->len - 1);
	g_autofree char *first_day = g_markup_escape_text(first->day, -1);
	g_autofree char *last_day = g_markup_escape_text(last->day, -1);

	g_string_append_printf(out,
	    "<table role=\"presentation\" width=\"100%%\" cellpadding=\"0\" cellspacing=\"0\"><tr>"
	    "<td class=\"soft\" align=\"left\" style=\"" SOFT_STYLE "\">%s</td>"
	    "<td class=\"soft\" align=\"center\" style=\"" SOFT_STYLE
	    "\"><span style=\"color:%s\">&#9632;</span> passed "
	    "&nbsp; <span style=\"color:%s\">&#9632;</span> failed</td>"
	    "<td class=\"soft\" align=\"right\" style=\"" SOFT_STYLE "\">%s</td></tr></table>",
	    first_day, colours[MOOD_GOOD], colours[MOOD_BAD], last_day);
}

static void put_chart(struct printer *printer, const struct chart *chart)
{
	g_autofree char *address = address_of(printer, chart);
	g_autofree char *words = chart_words(chart);
	g_autofree char *alternative = g_markup_escape_text(words, -1);

	g_string_append_printf(printer->out,
	    "<tr><td style=\"padding:10px 24px 4px\"><img src=\"%s\" width=\"%d\" height=\"%d\" alt=\"%s\" "
	    "class=\"soft\" style=\"display:block;width:100%%;max-width:%dpx;height:auto;border:0;" SOFT_STYLE
	    "\">",
	    address, CHART_WIDTH, CHART_HEIGHT, alternative, CHART_WIDTH);
	put_legend(printer->out, chart);
	g_string_append(printer->out, "</td></tr>\n");
}

/* -- blocks -- */

static void put_block(struct printer *printer, const struct block *block)
{
	switch (block->kind) {
	case BLOCK_HEADING:
		put_heading(printer->out, block->text);
		break;
	case BLOCK_SUBJECT:
		put_subject(printer->out, block);
		break;
	case BLOCK_TEXT:
		put_paragraph(printer->out, "text", "padding:4px 24px 0;" TEXT_STYLE, block->text);
		break;
	case BLOCK_NOTE:
		put_paragraph(printer->out, "soft", "padding:8px 24px 0;" SOFT_STYLE, block->text);
		break;
	case BLOCK_POINT:
		put_point(printer->out, block);
		break;
	case BLOCK_ITEM:
		put_item(printer->out, block);
		break;
	case BLOCK_TABLE:
		put_table(printer->out, block->rows, block->n_texts);
		break;
	case BLOCK_CHART:
		put_chart(printer, block->chart);
		break;
	}
}

char *html_print(const struct content *content, const char *host)
{
	struct printer printer = { .out = g_string_new(NULL), .host = host };
	g_autofree char *title = g_markup_escape_text(content->subject, -1);

	g_string_append_printf(printer.out, head, title);
	g_string_append(printer.out,
	    "<tr><td style=\"padding:20px 24px 0\"><h1 class=\"text\" style=\"margin:0;"
	    "color:#1a1f29;font-size:20px;line-height:26px;font-weight:600;"
	    "word-break:break-word\">");
	put(printer.out, content->title);
	g_string_append(printer.out, "</h1></td></tr>\n");
	put_paragraph(printer.out, "text", "padding:4px 24px 0;" TEXT_STYLE, content->lead);
	for (guint i = 0; i < content->blocks->len; i++)
		put_block(&printer, content->blocks->pdata[i]);
	g_string_append(printer.out, foot);
	return g_string_free(printer.out, FALSE);
}
