/*
 * rows.h - what PostgreSQL reads from the text of an array of a composite type (manual, sections 8.15 and 8.16).
 *
 * The names of the columns come from the statement that creates the type, so a test sees a value in the wrong place. Knows
 * nothing of how literal.h writes such a text. A text that is not of that form, or a row with another number of
 * fields, fails the test.
 */
#pragma once

#include <glib.h>

/* The columns of a type in a file of CREATE TYPE statements, in their order. Transfer full. */
char **rows_columns(const char *path, const char *type);

struct rows;

/* columns are borrowed until rows_free(). */
struct rows *rows_read(const char *array, char **columns);
void rows_free(struct rows *rows);

guint rows_count(const struct rows *rows);

/* NULL for SQL NULL. Borrowed. row counts from 0. */
const char *rows_get(const struct rows *rows, guint row, const char *column);

/* Fail the test unless exactly the columns named in want, NULL-terminated pairs of column and value, are not NULL. */
void rows_equal(const struct rows *rows, guint row, const char *const (*want)[2]);
