#include "server/common/setting_value.h"

#include <string.h>

#include "parser/error.h"

/* The factor of a unit letter, or 0 if the type has no such unit. */
static guint64 unit(enum setting_type type, const char *letters)
{
	static const struct {
		enum setting_type type;
		const char *letters;
		guint64 factor;
	} units[] = {
		{ SETTING_SIZE, "K", 1 << 10 },
		{ SETTING_SIZE, "M", 1 << 20 },
		{ SETTING_SIZE, "G", 1 << 30 },
		{ SETTING_SECONDS, "s", 1 },
		{ SETTING_SECONDS, "m", 60 },
		{ SETTING_SECONDS, "h", 60 * 60 },
		{ SETTING_SECONDS, "d", 24 * 60 * 60 },
		{ SETTING_DAYS, "d", 1 },
	};

	if (*letters == '\0')
		return 1;
	for (gsize i = 0; i < G_N_ELEMENTS(units); i++)
		if (units[i].type == type && g_ascii_strcasecmp(units[i].letters, letters) == 0)
			return units[i].factor;
	return 0;
}

static gboolean parse_number(const struct setting *setting, const char *text, guint64 *number)
{
	g_autofree char *digits = g_strndup(text, strspn(text, "0123456789"));
	guint64 factor = unit(setting->type, text + strlen(digits));
	guint64 product = 0;

	if (factor == 0 || !g_ascii_string_to_unsigned(digits, 10, 0, G_MAXINT64, number, NULL))
		return FALSE;
	if (!g_uint64_checked_mul(&product, *number, factor) || product < setting->min ||
	    product > setting->max)
		return FALSE;
	*number = product;
	return TRUE;
}

static gboolean parse_bool(const char *text, guint64 *number)
{
	static const char *const words[][2] = { { "off", "on" }, { "no", "yes" }, { "false", "true" },
		{ "0", "1" } };

	for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
		for (guint64 j = 0; j < 2; j++)
			if (g_ascii_strcasecmp(words[i][j], text) == 0) {
				*number = j;
				return TRUE;
			}
	return FALSE;
}

static gboolean parse_choice(const struct setting *setting, const char *text, guint64 *number)
{
	g_auto(GStrv) words = g_strsplit(setting_words(setting), " ", -1);

	for (guint64 i = 0; words[i] != NULL; i++)
		if (g_ascii_strcasecmp(words[i], text) == 0) {
			*number = i;
			return TRUE;
		}
	return FALSE;
}

static char **parse_list(const char *text)
{
	g_auto(GStrv) pieces = g_strsplit_set(text, " \t\r\n,", -1);
	g_autoptr(GStrvBuilder) words = g_strv_builder_new();

	for (gsize i = 0; pieces[i] != NULL; i++)
		if (pieces[i][0] != '\0')
			g_strv_builder_add(words, pieces[i]);
	return g_strv_builder_end(words);
}

static gboolean bad_number(
    const struct setting *setting, const char *name, const char *place, const char *text, GError **error)
{
	static const char *const forms[] = {
		[SETTING_INT] = "a number",
		[SETTING_SIZE] = "a size such as 50M",
		[SETTING_SECONDS] = "a time such as 300s or 5m",
		[SETTING_DAYS] = "days such as 90",
	};

	return ruad_error_at(error, place,
	    "%s \"%s\": not %s from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT, name, text,
	    forms[setting->type], setting->min, setting->max);
}

/* -- what other formats write, and this one does not -- */

gboolean setting_value_is_quoted(const char *text)
{
	gsize size = strlen(text);

	return size >= 2 && (*text == '"' || *text == '\'') && text[size - 1] == *text;
}

/* The first word of the text that stands in quotes, or is a quote's beginning or end; or NULL. Transfer
 * full. */
static char *quoted_word(const char *text)
{
	g_auto(GStrv) words = parse_list(text);

	for (gsize i = 0; words[i] != NULL; i++)
		if (strchr("\"'", words[i][0]) != NULL ||
		    strchr("\"'", words[i][strlen(words[i]) - 1]) != NULL)
			return g_strdup(words[i]);
	return NULL;
}

/* A comment after a value: white space and then # or ;, to the end of the text. Borrowed; NULL if there is
 * none. */
static const char *trailing_comment(const char *text)
{
	for (const char *c = text; *c != '\0'; c++)
		if ((*c == '#' || *c == ';') && (c == text || g_ascii_isspace(c[-1])))
			return c;
	return NULL;
}

/* Reject quotes and comments, which would be part of the value. A conninfo may have both inside. */
static gboolean check_plain(
    enum setting_type type, const char *name, const char *place, const char *text, GError **error)
{
	g_autofree char *word = type == SETTING_LIST ? quoted_word(text) : NULL;
	const char *comment = type == SETTING_SECRET ? NULL : trailing_comment(text);

	if (type == SETTING_SECRET && setting_value_is_quoted(text))
		return ruad_error_at(error, place, "%s: write the value without quotes", name);
	if (comment != NULL)
		return ruad_error_at(error, place,
		    "%s: \"%s\" would be part of the value: write the comment on a line of its own", name,
		    comment);
	if (word != NULL || setting_value_is_quoted(text)) {
		g_autofree char *bare = g_strdelimit(g_strdup(word != NULL ? word : text), "\"'", ' ');

		return ruad_error_at(error, place, "%s: write %s without quotes", name, g_strstrip(bare));
	}
	return TRUE;
}

/* -- the interface -- */

gboolean setting_value_read(const struct setting *setting, const char *name, const char *place,
    const char *raw, struct setting_value *value, GError **error)
{
	g_autofree char *text = g_strstrip(g_strdup(raw));
	guint64 number = 0;

	if (!check_plain(setting->type, name, place, text, error))
		return FALSE;
	switch (setting->type) {
	case SETTING_STRING:
	case SETTING_SECRET:
		break;
	case SETTING_LIST:
		g_strfreev(value->list);
		value->list = parse_list(text);
		break;
	case SETTING_INT:
	case SETTING_SIZE:
	case SETTING_SECONDS:
	case SETTING_DAYS:
		if (!parse_number(setting, text, &number))
			return bad_number(setting, name, place, text, error);
		break;
	case SETTING_BOOL:
		if (!parse_bool(text, &number))
			return ruad_error_at(error, place, "%s \"%s\": neither on nor off", name, text);
		break;
	case SETTING_CHOICE:
		if (!parse_choice(setting, text, &number))
			return ruad_error_at(
			    error, place, "%s \"%s\": none of: %s", name, text, setting_words(setting));
		break;
	}
	value->number = number;
	g_free(value->text);
	value->text = g_steal_pointer(&text);
	return TRUE;
}

void setting_value_clear(struct setting_value *value)
{
	g_free(value->text);
	g_strfreev(value->list);
}
