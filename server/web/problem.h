/*
 * problem.h - an error document (RFC 9457, application/problem+json).
 *
 * Texts are UTF-8 and may come from a client: they are truncated to 200 bytes and escaped by json-c.
 */
#pragma once

#include <glib.h>

#define PROBLEM_TYPE "application/problem+json"

struct problem {
	guint status;       /* HTTP status code; its phrase is the title (type "about:blank") */
	char *detail;       /* a sentence, or NULL */
	GPtrArray *invalid; /* pairs name, reason (char *); NULL if no parameter is invalid */
};

/* Free the content of problem and set it to 0. */
void problem_clear(struct problem *problem);

/* Set status and detail; the previous detail is freed. */
void problem_set(struct problem *problem, guint status, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Add a parameter that is invalid, and why. */
void problem_add_invalid(struct problem *problem, const char *name, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* Set status 400 and a detail from the invalid parameters, of which there must be at least one; a status that
 * is already set stays. */
void problem_conclude(struct problem *problem);

/* The document. */
GBytes *problem_print(const struct problem *problem) G_GNUC_WARN_UNUSED_RESULT;
