/*
 * query.h - splits a request target (RFC 9112 section 3.2) into a path and a list of parameters,
 * percent-decoded.
 *
 * The results are UTF-8 without NUL. Knows nothing of the existing paths or parameters.
 */
#pragma once

#include <glib.h>

#define QUERY_TARGET_MAX 8192 /* bytes of a target: more than 20 names of domains; longer is 414 */
#define QUERY_PAIRS_MAX  128  /* parameters in one query */

struct query_pair {
	char *name;  /* never NULL */
	char *value; /* never NULL; "" when there was no '=' */
};

struct query {
	char *path; /* begins with '/'; no '%' is left to decode */
	GPtrArray
	    *pairs; /* of struct query_pair, in the order of the query; empty pairs ("&&") are ignored */
};

/*
 * Read target, in origin form ("/a?b=c") or absolute form ("http://host/a?b=c").
 *
 * RUAD_ERROR_SYNTAX  neither form; a '%' without two hex digits; %00; not UTF-8; "%2F" in the path
 * RUAD_ERROR_LIMIT   more than QUERY_PAIRS_MAX parameters
 */
struct query *query_parse(const char *target, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void query_free(struct query *query); /* NULL is allowed */
