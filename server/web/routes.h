/*
 * routes.h - the table of the API: the SQL function and parameters for each path.
 *
 * The statements of a route are constants; its parameter n is $n in each. openapi.yaml documents them. Knows
 * nothing of HTTP headers, sockets or the database.
 */
#pragma once

#include "server/web/param.h"
#include "server/web/problem.h"
#include "server/web/query.h"

#define ROUTE_PARAMS_MAX 32

enum route_form {
	ROUTE_JSON, /* sql gives one row with one column, a JSON document or NULL (404) */
	ROUTE_ROWS, /* the same; its CSV has all lines, and is streamed */
	ROUTE_XML,  /* the same, of XML, to be saved as a file */
	ROUTE_HELP, /* ROUTE_JSON with texts in the language of the last parameter, which sql does not take */
	ROUTE_AUDIT,  /* ROUTE_JSON, for users who may label */
	ROUTE_ME,     /* no statement: the rights of the user */
	ROUTE_UPLOAD, /* takes mails and reports; sql says what became of those in $1 */
	ROUTE_LABEL,  /* sql writes and gives JSON; $2 to $5 are label and note of the body, user and token */
};

struct route {
	const char *method; /* "GET"; HEAD is answered like it */
	/* "/api/v1/reports/{id}/xml": {name} is one segment, the value of the first parameter */
	const char *path;
	enum route_form form;
	/* of the result, for api.csv() and file names: "sources"; NULL if it cannot be saved */
	const char *name;
	const char *sql;
	/* gives one row with two columns: a text in CSV, and the next page's cursor or NULL. With ROUTE_ROWS
	 * the text is only the header, and an open cursor named csv gives the other lines. NULL: no CSV */
	const char *csv;
	const struct param *params[ROUTE_PARAMS_MAX]; /* in the order of $1, $2, ...; NULL after the last */
};

/* All routes and their number, for tests and lists. */
const struct route *routes_all(gsize *n_routes);

/*
 * The route of method and path, or NULL. *allow is then the list of methods for the path ("GET, HEAD"), or
 * NULL if there is no such path. *segment is the text at {name}, transfer full, or NULL if the pattern has
 * none.
 */
const struct route *routes_find(const char *method, const char *path, char **segment, const char **allow);

/*
 * Returns whether a client that accepts these media types (its header, or NULL) gets CSV: the parameter
 * "format" decides, or else the header. FALSE if the route has no CSV. route_bind() reports an invalid
 * "format".
 */
gboolean route_gives_csv(const struct route *route, const struct query *query, const char *accept);

/*
 * The query with another cursor, percent-encoded, with its '?': a relative reference to the next page.
 * Transfer full.
 */
char *route_next(const struct query *query, const char *cursor) G_GNUC_WARN_UNUSED_RESULT;

/* Returns whether the route shows what belongs to no domain, which users who are limited to domains do not
 * see. */
gboolean route_shows_server(const struct route *route);

/* A file name for the result of the route: "ruad-sources-2026-11-01-2026-12-01.csv"; ASCII without quotes.
 * Transfer full. */
char *route_filename(const struct route *route, const struct query *query, const char *segment,
    const char *extension) G_GNUC_WARN_UNUSED_RESULT;

/*
 * The texts of $1, $2, ... (ROUTE_PARAMS_MAX of them, NULL is SQL NULL; free each with g_free). Returns FALSE
 * with problem set if a parameter is unknown, repeated, missing or not of its type; values are then
 * unchanged.
 */
gboolean route_bind(const struct route *route, const struct query *query, const char *segment,
    char *values[ROUTE_PARAMS_MAX], struct problem *problem) G_GNUC_WARN_UNUSED_RESULT;

/*
 * How many parameters the route has. Its statement takes the same, except that ROUTE_HELP's lacks the
 * language, ROUTE_LABEL's has four more, and ROUTE_UPLOAD's only has one of its own.
 */
guint route_n_params(const struct route *route);

/*
 * Set problem to 400 from what an SQL function raised with SQLSTATE 22023: the first line of message is the
 * detail. parameter: the name in its HINT, or NULL.
 */
void route_refused(
    const struct route *route, const char *message, const char *parameter, struct problem *problem);
