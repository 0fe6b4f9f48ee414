/*
 * routes.h - the table of the API: which path is answered by which SQL function with which parameters.
 *
 * A route's statement is a constant; its parameter n is $n. Knows nothing of HTTP headers, sockets or the
 * database.
 */
#pragma once

#include "server/web/param.h"
#include "server/web/problem.h"
#include "server/web/query.h"

#define ROUTE_PARAMS_MAX 12

struct route {
	const char *method; /* "GET"; HEAD is answered like it */
	const char *path;   /* "/api/v1/reports/{id}": {name} stands for one segment */
	const char *sql;    /* gives one row with one column, a JSON document or NULL (404) */
	const struct param *params[ROUTE_PARAMS_MAX]; /* in the order of $1, $2, ...; NULL after the last */
};

/* All routes, and how many they are; for tests and lists. */
const struct route *routes_all(gsize *n_routes);

/*
 * The route of method and path, or NULL. Then *allow is what the path would take ("GET, HEAD"), or NULL when
 * there is no such path. *segment is what stands at {name}, transfer full, NULL where the pattern has none.
 */
const struct route *routes_find(const char *method, const char *path, char **segment, const char **allow);

/*
 * The texts of $1, $2, ... (ROUTE_PARAMS_MAX of them, NULL is SQL NULL; free each with g_free). FALSE with
 * problem set when a parameter is unknown, repeated or not of its type; values are then untouched.
 */
gboolean route_bind(const struct route *route, const struct query *query, const char *segment,
    char *values[ROUTE_PARAMS_MAX], struct problem *problem) G_GNUC_WARN_UNUSED_RESULT;

/* How many parameters the route's statement has. */
guint route_n_params(const struct route *route);

/*
 * problem 400 from words that a route's SQL function raised with SQLSTATE 22023, as the server gives them
 * ("ERROR:  words\nHINT:  cursor\nCONTEXT: ..."): the first line is the detail, the hint names the parameter.
 */
void route_refused(const struct route *route, const char *words, struct problem *problem);
