/*
 * routes_table.h - every route that there is: inside information of the routes*.c files.
 */
#pragma once

#include "server/web/routes.h"

extern const struct route routes_table[];
extern const gsize routes_table_size;

/* "format", which every route with CSV takes: none of its statement's parameters, it chooses the statement. */
extern const struct param routes_format;
