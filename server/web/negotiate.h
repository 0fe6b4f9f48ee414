/*
 * negotiate.h - content negotiation that does not depend on the resource: media type, content coding,
 * language, validators.
 *
 * RFC 9110 sections 8.8.3 (ETag), 12.5.1 (Accept), 12.5.3 (Accept-Encoding), 12.5.4 (Accept-Language), 13.1.2
 * (If-None-Match). Header values are the client's bytes, or NULL if absent.
 */
#pragma once

#include <glib.h>

/* Returns TRUE if the client accepts gzip: it names gzip, x-gzip or '*' with a weight that is not 0. */
gboolean negotiate_gzip(const char *accept_encoding);

/* Returns TRUE if the client prefers CSV to JSON: it names text/csv with a higher weight than JSON, or with
 * the same weight if JSON matches only a wildcard. */
gboolean negotiate_csv(const char *accept);

/*
 * The language that the client prefers, out of languages (NULL-terminated; the first is the default, for
 * clients that name none of them). "de-AT" asks for "de", too. Of two languages with the same weight, the
 * client gets the one that it names first.
 */
const char *negotiate_language(const char *accept_language, const char *const *languages);

/* The entity tag of body, quotes included, transfer full: its SHA-256, so that equal bodies have equal tags.
 */
char *negotiate_etag(GBytes *body) G_GNUC_WARN_UNUSED_RESULT;

/* Returns TRUE if if_none_match is '*' or lists etag (weak comparison): the client has the document. */
gboolean negotiate_matches(const char *if_none_match, const char *etag);

/* body compressed with gzip, transfer full. */
GBytes *negotiate_compress(GBytes *body) G_GNUC_WARN_UNUSED_RESULT;
