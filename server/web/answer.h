/*
 * answer.h - the responses that all parts of the site share: documents with validator and coding, problems,
 * refusals.
 *
 * Each function completes the response of a visit. Knows nothing of paths or of the database.
 */
#pragma once

#include "server/web/assets.h"
#include "server/web/auth.h"
#include "server/web/grant.h"
#include "server/web/http.h"
#include "server/web/problem.h"
#include "server/web/query.h"

#define ANSWER_JSON    "application/json"
#define ANSWER_READERS "GET, HEAD"
#define ANSWER_AWAY    "the database is unavailable" /* for answer_away() */

#define ANSWER_RETRY_AWAY 5  /* seconds, for Retry-After: the database is unavailable */
#define ANSWER_RETRY_BUSY 30 /* the database is overloaded */

/* A request in progress; everything is borrowed. */
struct visit {
	const struct http_request *request;
	struct http_response *response; /* all 0, to be filled */
	const struct query *query;      /* the parsed target; NULL if it is invalid */
	struct auth *auth;
	const char *const *hosts;       /* of struct site */
	const char *user;               /* the authenticated user, or NULL */
	const struct auth_token *token; /* that identified the user, or NULL */
	const struct grant *grant;      /* that user's; NULL until api_answer() has found it */
};

/* GET or HEAD. */
gboolean visit_reads(const struct visit *visit);

/* Answer with the problem, which is cleared. cause (or NULL) is for the log, which records problems with
 * status 500 and above. */
void answer_problem(const struct visit *visit, struct problem *problem, const char *cause);

/* Answer with a problem that has only a status and a sentence. */
void answer_refusal(const struct visit *visit, guint status, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Answer 503 with Retry-After, without a line in the log; detail is a sentence. */
void answer_busy(const struct visit *visit, const char *detail);

/* The same with a line in the log: the database is unavailable. cause is for the log. */
void answer_away(const struct visit *visit, const char *detail, const char *cause);

/* Answer 405; allow lists the allowed methods ("GET, HEAD") and is a constant. */
void answer_method(const struct visit *visit, const char *allow);

/*
 * Answer 200 or 304 with body (transfer full); its type is a constant. by_accept: the client's Accept chose
 * the form.
 */
void answer_document(const struct visit *visit, GBytes *body, const char *type, gboolean by_accept);

/* Say that the body of answer_document() is in this language (a constant), which Accept-Language may have
 * chosen. */
void answer_language(const struct visit *visit, const char *language);

/* Answer 200 with a stream (its source transfer full); its type is a constant, and the client's Accept chose
 * the form. It has no validator, and is not compressed. */
void answer_stream(const struct visit *visit, const struct http_stream *stream, const char *type);

/* Answer 200 with a short body (transfer full) that must not be cached. */
void answer_fresh(const struct visit *visit, GBytes *body, const char *type);

/* Answer 200 or 304 with an embedded file. */
void answer_asset(const struct visit *visit, const struct asset *asset);
