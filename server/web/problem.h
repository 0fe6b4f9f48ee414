/*
 * problem.h - an error document (RFC 9457, application/problem+json) from what went wrong.
 *
 * Texts are UTF-8 and may be a stranger's: they are cut to 200 bytes and escaped by json-c.
 */
#pragma once

#include <glib.h>

#define PROBLEM_TYPE "application/problem+json"

struct problem {
	guint status;       /* HTTP status code; its phrase is the title (type "about:blank") */
	char *detail;       /* a sentence, or NULL */
	GPtrArray *invalid; /* pairs name, reason (char *); NULL when no parameter is to blame */
};

/* Free what problem holds and make it all 0. */
void problem_clear(struct problem *problem);

/* Set status and detail; a former detail is freed. */
void problem_set(struct problem *problem, guint status, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* One more parameter that is wrong, and why. */
void problem_add_invalid(struct problem *problem, const char *name, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* Status 400 and a detail from the wrong parameters, of which there is one at least; a status that is set already stays. */
void problem_conclude(struct problem *problem);

/* The document. */
GBytes *problem_print(const struct problem *problem) G_GNUC_WARN_UNUSED_RESULT;
