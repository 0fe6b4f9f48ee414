/*
 * digest.h - the digest of a week or month: what to do, what changed and the totals, as text, HTML or a mail.
 *
 * api.digest() has the content. block.h describes what becomes of it; this header is what programs use.
 */
#pragma once

#include <glib.h>

#include "server/database/db.h"
#include "server/digest/mime.h"

struct digest;

/* Which digest is wanted. */
struct digest_wish {
	const char *period; /* "week": the last whole one, which begins on Monday; or "month" */
	const char *until;  /* the last day that it may end on, YYYY-MM-DD; NULL: yesterday */
	const char *const
	    *domains;     /* names and patterns (*.example.org), NULL-terminated; NULL: all that count */
	const char *user; /* instead of domains: those that ruad user gives this user; or NULL */
};

/*
 * Ask the database, with a session that may call functions of schema api. Transfer full.
 *
 * RUAD_ERROR_SYNTAX  until is not a day, or the user has no role
 * RUAD_ERROR_SYSTEM  the database is unavailable
 */
struct digest *digest_fetch(
    struct db *db, const struct digest_wish *wish, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same from the answer of api.digest(). RUAD_ERROR_SYSTEM if it is not an object. Transfer full. */
struct digest *digest_read(const char *answer, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void digest_free(struct digest *digest); /* NULL is allowed */

/* Text for a terminal, and a document of HTML that contains its pictures. Transfer full. */
char *digest_text(const struct digest *digest) G_GNUC_WARN_UNUSED_RESULT;
char *digest_html(const struct digest *digest) G_GNUC_WARN_UNUSED_RESULT;

/* mime_print() of it. */
GBytes *digest_message(const struct digest *digest, const struct mime_envelope *envelope,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;
