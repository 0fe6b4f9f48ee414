/*
 * routes.h - the table of the API: which path is answered by which SQL function with which parameters.
 *
 * A route's statements are constants; its parameter n is $n in each. openapi.yaml says what they take and give. Knows nothing of HTTP
 * headers, sockets or the database.
 */
#pragma once

#include "server/web/param.h"
#include "server/web/problem.h"
#include "server/web/query.h"

#define ROUTE_PARAMS_MAX 32

enum route_form {
	ROUTE_JSON,  /* sql gives one row with one column, a JSON document or NULL (404) */
	ROUTE_ROWS,  /* the same; its CSV has as many lines as there are, and is streamed */
	ROUTE_XML,   /* the same, of XML, to be saved as a file */
	ROUTE_ME,    /* no statement: what the one who asks may do */
	ROUTE_LABEL, /* sql writes and gives JSON; $2, $3, $4 are label and note of the body, and the user */
};

struct route {
	const char *method; /* "GET"; HEAD is answered like it */
	const char *
	    path; /* "/api/v1/reports/{id}/xml": {name} stands for one segment, the value of the first parameter */
	enum route_form form;
	const char
	    *name; /* of what it gives, for api.csv() and for a file: "sources"; NULL where it is not saved */
	const char *sql;
	const char *
	    csv; /* gives one row with two columns, a text in CSV and the next page's cursor or NULL; of ROUTE_ROWS the header and that
		    cursor, and opens the cursor csv for the other lines; NULL: no CSV */
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
 * Whether a client that accepts these media types (its header, or NULL) gets CSV: as parameter "format" says, or else the header.
 * FALSE where the route has none. route_bind() reports what is wrong with "format".
 */
gboolean route_gives_csv(const struct route *route, const struct query *query, const char *accept);

/*
 * The query with another cursor, percent-encoded, with its '?': a reference to the next page that is relative to this
 * one. Transfer full.
 */
char *route_next(const struct query *query, const char *cursor) G_GNUC_WARN_UNUSED_RESULT;

/* The name of a file for what the route gives: "ruad-sources-2026-11-01-2026-12-01.csv"; ASCII without quotes. Transfer full. */
char *route_filename(const struct route *route, const struct query *query, const char *segment,
    const char *extension) G_GNUC_WARN_UNUSED_RESULT;

/*
 * The texts of $1, $2, ... (ROUTE_PARAMS_MAX of them, NULL is SQL NULL; free each with g_free). FALSE with
 * problem set when a parameter is unknown, repeated, missing or not of its type; values are then untouched.
 */
gboolean route_bind(const struct route *route, const struct query *query, const char *segment,
    char *values[ROUTE_PARAMS_MAX], struct problem *problem) G_GNUC_WARN_UNUSED_RESULT;

/* How many parameters the route's statement has. */
guint route_n_params(const struct route *route);

/*
 * Set problem 400 from what a route's SQL function raised with SQLSTATE 22023: the first line of message is the detail.
 * parameter: the name that its HINT has, or NULL.
 */
void route_refused(
    const struct route *route, const char *message, const char *parameter, struct problem *problem);
