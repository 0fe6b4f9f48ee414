/*
 * routes_table.h - the table of all routes; private to the routes*.c files.
 */
#pragma once

#include "server/web/routes.h"

extern const struct route routes_table[];
extern const gsize routes_table_size;

/* The paths of the routes that show what belongs to no domain; NULL-terminated. */
extern const char *const routes_of_server[];

/* "format", a parameter of every route with CSV: it is not passed to the statement but chooses it. */
extern const struct param routes_format;
