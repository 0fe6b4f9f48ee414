/*
 * setting_value.h - the text of a setting, as a person writes it, into its typed value.
 *
 * Quotes around a value and a comment after it, which other formats have, are errors: here they would be part
 * of the value. Knows nothing of where texts come from.
 */
#pragma once

#include "server/common/settings_table.h"

struct setting_value {
	char *text;     /* without white space around it */
	char **list;    /* SETTING_LIST, else NULL */
	guint64 number; /* SETTING_INT, _SIZE, _SECONDS, _DAYS, _BOOL, _CHOICE (which word, from 0), else 0 */
};

/*
 * Replace value, which is all 0 at first, by raw. For messages: name of the key, which may be in a named
 * section, and place, where raw comes from. RUAD_ERROR_SYNTAX: what to write; value is then unchanged.
 */
gboolean setting_value_read(const struct setting *setting, const char *name, const char *place,
    const char *raw, struct setting_value *value, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void setting_value_clear(struct setting_value *value);

/* Whether text has the same quote, ' or ", at both ends. */
gboolean setting_value_is_quoted(const char *text);
