/*
 * rows.h - parses the text of an array of a composite type as PostgreSQL does (manual, sections 8.15
 * and 8.16).
 *
 * The names of the columns come from the statement that creates the type, so that a test notices a value in
 * the wrong column. Malformed text, or a row with the wrong number of fields, fails the test.
 */
#pragma once

#include <glib.h>

/* Returns the columns of a type, in order, from a file with CREATE TYPE statements. Transfer full. */
char **rows_columns(const char *path, const char *type);

struct rows;

/* Parse array; columns are borrowed until rows_free(). */
struct rows *rows_read(const char *array, char **columns);
void rows_free(struct rows *rows);

guint rows_count(const struct rows *rows);

/* Returns a value, borrowed, or NULL for SQL NULL; row counts from 0. */
const char *rows_get(const struct rows *rows, guint row, const char *column);

/* Compare a row with want: pairs of column and value, ended by a NULL. Columns that want does not name must
 * be NULL. */
void rows_equal(const struct rows *rows, guint row, const char *const (*want)[2]);
