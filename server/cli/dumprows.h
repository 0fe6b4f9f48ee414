/*
 * dumprows.h - the rows in a dump of MySQL or MariaDB (mysqldump, mariadb-dump), byte by byte.
 *
 * Reads CREATE TABLE, for the names of columns, and INSERT with or without such a list; skips all other
 * statements and comments. Values are texts with MySQL's escapes, numbers, NULL, and binary ones as 0x... or
 * _binary '...'. Only values of tables that the caller wants are kept in memory. A value of more than
 * DUMPROWS_VALUE_MAX bytes, which no column of these tables can hold, is NULL. Knows nothing of reports.
 */
#pragma once

#include <glib.h>

#define DUMPROWS_COLUMNS   64 /* that a table may have; further ones are passed over */
#define DUMPROWS_VALUE_MAX (256 * 1024)

/* A row: its values by the names of the columns. */
struct dumprow;

/* The value of a column as bytes with a NUL behind them; NULL if it is NULL or there is no such column. size
 * may be NULL. Borrowed until the callback returns. */
const char *dumprow_value(const struct dumprow *row, const char *column, gsize *size);

/* Whether rows of a table with these columns (NULL-terminated) are wanted: what *kind of the row callback
 * is, or 0 for no. */
typedef guint (*dumprows_table_cb)(gpointer user, const char *const *columns);
typedef void (*dumprows_row_cb)(gpointer user, guint kind, const struct dumprow *row);

struct dumprows;

struct dumprows *dumprows_new(dumprows_table_cb table, dumprows_row_cb row, gpointer user);
void dumprows_free(struct dumprows *rows); /* NULL is allowed */

/* The next byte of the dump. */
void dumprows_next(struct dumprows *rows, char byte);
