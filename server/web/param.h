/*
 * param.h - converts the value of a query parameter to a typed PostgreSQL parameter, in text form.
 *
 * The types are stricter than those of PostgreSQL: it would read "today", "10.1" or " 7", which are more
 * likely mistakes than intended. Knows nothing of routes or SQL statements.
 */
#pragma once

#include <glib.h>

enum param_type {
	PARAM_TEXT,    /* text: min (at least 1) .. max characters, none of them a control character */
	PARAM_DATE,    /* date: YYYY-MM-DD, 1970 .. 9999 */
	PARAM_NETWORK, /* inet: an IPv4 or IPv6 address, or a network (address/bits) */
	PARAM_INT,     /* bigint: decimal digits, min .. max */
	PARAM_BOOL,    /* boolean: 0 or 1 */
	PARAM_CHOICE,  /* text: one of the choices */
	PARAM_ASN,     /* text: the number of an autonomous system, or "none" */
	PARAM_COUNTRY, /* text: two letters (ISO 3166), or "none" */
};

#define PARAM_LIST_MAX 100 /* values of one list; also bounded by QUERY_TARGET_MAX */

struct param {
	const char *name;
	enum param_type type;
	gboolean required;          /* a query without it is rejected */
	gboolean list;              /* an array of the type: may be repeated, at most PARAM_LIST_MAX times */
	gint64 min;                 /* PARAM_INT: least value; PARAM_TEXT: characters */
	gint64 max;                 /* PARAM_INT: greatest value; PARAM_TEXT: characters */
	const char *const *choices; /* PARAM_CHOICE: NULL-terminated */
};

/*
 * Read one value: the text for PostgreSQL, transfer full, or NULL with RUAD_ERROR_SYNTAX, whose message is
 * for the client ("must be a date like 2026-11-24").
 */
char *param_read(const struct param *param, const char *value, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * The values of a list as a PostgreSQL array literal (manual section 8.15.2), transfer full: every element is
 * quoted, so that none is read as NULL, a brace or a comma.
 */
char *param_array(const char *const *values, gsize n_values) G_GNUC_WARN_UNUSED_RESULT;
