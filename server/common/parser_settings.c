#include "server/common/parser_settings.h"

#include <string.h>

#include "parser/error.h"

#define ROW(member, type, fallback, min, max, help)                                                          \
	{ #member, G_STRUCT_OFFSET(struct parser_limits, member),                                            \
		sizeof(((const struct parser_limits *)NULL)->member), min, max },

const struct parser_setting parser_setting_table[] = { PARSER_SETTINGS(ROW) };
const gsize parser_setting_table_size = G_N_ELEMENTS(parser_setting_table);

guint64 parser_setting_get(const struct parser_setting *setting, const struct parser_limits *limits)
{
	const guint8 *member = (const guint8 *)limits + setting->offset;
	guint32 narrow;
	guint64 wide;

	if (setting->width == sizeof wide) {
		memcpy(&wide, member, sizeof wide);
		return wide;
	}
	memcpy(&narrow, member, sizeof narrow);
	return narrow;
}

void parser_setting_set(const struct parser_setting *setting, struct parser_limits *limits, guint64 value)
{
	guint8 *member = (guint8 *)limits + setting->offset;
	guint32 narrow = (guint32)value;

	g_assert(value >= setting->min && value <= setting->max);
	g_assert(setting->width == sizeof value || (setting->width == sizeof narrow && narrow == value));
	if (setting->width == sizeof value)
		memcpy(member, &value, sizeof value);
	else
		memcpy(member, &narrow, sizeof narrow);
}

gboolean parser_setting_parse(
    const struct parser_setting *setting, struct parser_limits *limits, const char *text, GError **error)
{
	guint64 value = 0;

	if (!g_ascii_string_to_unsigned(text, 10, setting->min, setting->max, &value, NULL)) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
		    "%s \"%s\": not a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT, setting->name,
		    text, setting->min, setting->max);
		return FALSE;
	}
	parser_setting_set(setting, limits, value);
	return TRUE;
}
