/*
 * literal.h - rows as the text of an array of a composite type: {"(1,abc,\"d e\",)","(2,,\"\",)"}.
 *
 * PostgreSQL reads such a parameter with array_in() and record_in() (manual, sections 8.15.6 and 8.16.6): an
 * empty field is NULL, a quoted one is text. Values are UTF-8 without NUL. Knows nothing of columns or
 * connections.
 */
#pragma once

#include <glib.h>

/*
 * Append ",value" to the fields of a row; NULL is SQL NULL. Fields that are collected separately, before the
 * first fields of the row are known, are copied unchanged between literal_row_begin() and literal_row_end().
 */
void literal_field(GString *fields, const char *value);
void literal_number(GString *fields, gint64 value);

/* Begin a row of array with its first field, and end it. array is empty before its first row. */
void literal_row_begin(GString *array, const char *first);
void literal_row_end(GString *array);

/* End array, which may have no rows. */
void literal_end(GString *array);
