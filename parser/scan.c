#include "parser/scan.h"

#include "parser/text.h"

/* Behind the comment that begins here; comments nest. */
static void skip_comment(struct scan *scan)
{
	guint depth = 0;

	for (; *scan->at != '\0'; scan->at++) {
		if (*scan->at == '\\' && scan->at[1] != '\0')
			scan->at++;
		else if (*scan->at == '(')
			depth++;
		else if (*scan->at == ')' && --depth == 0) {
			scan->at++;
			return;
		}
	}
	scan->broken = TRUE;
}

void scan_blank(struct scan *scan)
{
	while (*scan->at == '(' || text_is_space(*scan->at)) {
		if (*scan->at == '(')
			skip_comment(scan);
		else
			scan->at++;
	}
}

void scan_quoted(struct scan *scan, GString *text)
{
	for (scan->at++; *scan->at != '\0'; scan->at++) {
		if (*scan->at == '"') {
			scan->at++;
			return;
		}
		if (*scan->at == '\\' && scan->at[1] != '\0')
			scan->at++;
		g_string_append_c(text, *scan->at);
	}
	scan->broken = TRUE;
}
