#include "server/dns/tags.h"

#include <string.h>

#include "parser/text.h"

static gboolean is_name(const char *text, gsize size)
{
	if (size == 0 || !g_ascii_isalpha(*text))
		return FALSE;
	for (gsize i = 1; i < size; i++)
		if (!g_ascii_isalnum(text[i]) && text[i] != '_')
			return FALSE;
	return TRUE;
}

static gboolean is_value(const char *text, gsize size)
{
	for (gsize i = 0; i < size; i++)
		if (!g_ascii_isprint(text[i]) && !text_is_space(text[i]))
			return FALSE;
	return TRUE;
}

static struct tag read_tag(const char *text, gsize size)
{
	const char *equals = memchr(text, '=', size);
	struct tag tag = { .name = text, .value = text, .value_size = size };

	if (equals == NULL)
		return tag;
	tag.name = text;
	tag.name_size = text_trim(&tag.name, (gsize)(equals - text));
	tag.value = equals + 1;
	tag.value_size = text_trim(&tag.value, (gsize)(text + size - tag.value));
	tag.clean = is_name(tag.name, tag.name_size) && is_value(tag.value, tag.value_size);
	return tag;
}

gboolean tag_next(const char **at, struct tag *tag)
{
	while (**at != '\0') {
		const char *text = *at;
		gsize size = strcspn(text, ";");

		*at += size + (text[size] == ';');
		size = text_trim(&text, size);
		if (size > 0) {
			*tag = read_tag(text, size);
			return TRUE;
		}
	}
	return FALSE;
}

gboolean tag_is(const struct tag *tag, const char *name)
{
	return strlen(name) == tag->name_size && g_ascii_strncasecmp(tag->name, name, tag->name_size) == 0;
}

char *tag_name(const struct tag *tag)
{
	return g_strndup(tag->name, tag->name_size);
}

char *tag_value(const struct tag *tag)
{
	return g_strndup(tag->value, tag->value_size);
}

const char *tag_lost(const struct tag *tag)
{
	const char *end = tag->value + tag->value_size;

	for (const char *at = tag->value; at < end; at++) {
		const char *word = at + 1;

		if (!text_is_space(*at))
			continue;
		while (word < end && g_ascii_isalpha(*word))
			word++;
		if (word > at + 1 && word < end && *word == '=')
			return at + 1;
	}
	return NULL;
}
