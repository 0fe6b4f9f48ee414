#include "parser/roots.h"

#include "parser/text.h"

#include <string.h>

static const char NAME[] = "feedback";

#define NAME_SIZE (sizeof NAME - 1)

static void push_name(struct roots *roots, char c)
{
	if (c == ':')
		roots->letters = 0;
	else if (roots->letters < NAME_SIZE && g_ascii_tolower(c) == NAME[roots->letters])
		roots->letters++;
	else
		roots->letters = NAME_SIZE + 1;
}

void roots_push(struct roots *roots, const guint8 *data, gsize size)
{
	for (gsize at = 0; at < size; at++) {
		char c = (char)data[at];

		if (!roots->in_tag) {
			const guint8 *next = memchr(data + at, '<', size - at);

			if (next == NULL)
				return;
			at = (gsize)(next - data);
			roots->in_tag = TRUE;
			roots->letters = 0;
		} else if (g_ascii_isalnum(c) || c == ':' || c == '-' || c == '_' || c == '.') {
			push_name(roots, c);
		} else if (c != '\0') { /* a byte of UTF-16 */
			if (roots->letters == NAME_SIZE && (text_is_space(c) || c == '>' || c == '/'))
				roots->n++;
			roots->in_tag = c == '<';
			roots->letters = 0;
		}
	}
}
