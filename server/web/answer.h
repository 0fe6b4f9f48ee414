/*
 * answer.h - the answers that all rooms of the site have in common: documents with validator and coding, problems, refusals.
 *
 * Each fills the response of a visit and is the last word on it. Knows nothing of paths or of the database.
 */
#pragma once

#include "server/web/assets.h"
#include "server/web/auth.h"
#include "server/web/http.h"
#include "server/web/problem.h"
#include "server/web/query.h"

#define ANSWER_JSON    "application/json"
#define ANSWER_READERS "GET, HEAD"

#define ANSWER_RETRY_AWAY 5  /* seconds, for Retry-After: the database is away */
#define ANSWER_RETRY_BUSY 30 /* it has too much to do */

/* A request on its way through the site; all is borrowed. */
struct visit {
	const struct http_request *request;
	struct http_response *response; /* all 0, to be filled */
	const struct query *query;      /* the target, taken apart; NULL when it could not be */
	struct auth *auth;
	const char *user; /* who asks, or NULL */
};

/* GET or HEAD. */
gboolean visit_reads(const struct visit *visit);

/* The problem, which is cleared. cause (or NULL) is for the log, where those of 500 and above are written down. */
void answer_problem(const struct visit *visit, struct problem *problem, const char *cause);

/* A problem with nothing but a status and a sentence. */
void answer_refusal(const struct visit *visit, guint status, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* 405; allow is what the path takes ("GET, HEAD"), a constant. */
void answer_method(const struct visit *visit, const char *allow);

/*
 * 200 or 304 with body (transfer full) of a type that is a constant. by_accept says that the client's Accept chose the form.
 */
void answer_document(const struct visit *visit, GBytes *body, const char *type, gboolean by_accept);

/*
 * The answer of answer_document() is in this language (a constant), which the client's Accept-Language may have chosen.
 */
void answer_language(const struct visit *visit, const char *language);

/* 200 with a stream (its source transfer full) of a type that is a constant; the client's Accept chose the form. It has no validator, and is not
 * packed. */
void answer_stream(const struct visit *visit, const struct http_stream *stream, const char *type);

/* 200 with a short body (transfer full) that is to be asked for each time. */
void answer_fresh(const struct visit *visit, GBytes *body, const char *type);

/* 200 or 304 with an embedded file. */
void answer_asset(const struct visit *visit, const struct asset *asset);
