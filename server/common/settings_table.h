/*
 * settings_table.h - the table of all keys; private to the settings*.c files and setting_value.h.
 */
#pragma once

#include "server/common/settings.h"

enum setting_type {
	SETTING_STRING,
	SETTING_SECRET, /* a string that is never printed */
	SETTING_LIST,   /* words between white space or commas */
	SETTING_INT,
	SETTING_SIZE,    /* bytes; K, M, G for powers of 1024 */
	SETTING_SECONDS, /* s, m, h, d */
	SETTING_DAYS,    /* with or without d; any other unit is an error, not another time */
	SETTING_BOOL,
	SETTING_CHOICE, /* one of setting_words() */
};

struct setting {
	const char *name; /* "section.key" */
	enum setting_type type;
	const char *fallback; /* in the format of the file */
	guint64 min;          /* of a number */
	guint64 max;
	const char *help; /* sentences; one paragraph */
};

extern const struct setting setting_table[];
extern const gsize setting_table_size;

/* The words that a choice allows, separated by spaces. */
const char *setting_words(const struct setting *setting);

/* The value of setting_table[index] as text, in the format of the file. */
const char *settings_text(const struct settings *settings, gsize index);

/* Split "section.key" at its dot: the section (transfer full) and the key (borrowed from name). */
char *setting_section(const struct setting *setting, const char **key);
