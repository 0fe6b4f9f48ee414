/*
 * parse.h - the entry point of the parser: bytes in, typed reports out.
 *
 * The bytes are a mail (RFC 5322) or one that Outlook saved (msg.h), or an XML, JSON or packed file
 * (unpack.h); the content decides (kind.h), never a name or media type. A mail or mbox in an archive is read,
 * too. The parser opens no file, reads no clock and no environment, and logs nothing.
 */
#pragma once

#include "parser/limits.h"
#include "parser/report.h"

/* How a document is to be read; strings are borrowed. */
struct parser_options {
	struct parser_limits limits;
	const char *authserv_id; /* of our own MTA (RFC 8601 section 2.5); NULL: no field is trusted */
	/* report the complete message, with its body and all local parts; by default only its header, with
	 * the local parts of third parties masked */
	gboolean failure_bodies;
	gint64 now; /* of receipt: seconds since 1970 UTC, for note E2 on what begins later; 0: not known */
};

/*
 * Call once per process, before any parse and before privileges are dropped: loads the character sets that
 * reports use and the public suffix list, so that no file has to be opened later.
 */
void parse_init(void);

/*
 * Find every report in document[0..size) and pass it to the sink as a stream: memory does not grow with the
 * number of records. A document without a report gives one unreadable().
 *
 * Nothing vanishes: what begins like a report is passed on, or is unreadable(), or a note of the report
 * around or before it says that it was not read (O2, X2, R1, R2). Several reports in one file are read, up to
 * 1 MiB behind the first and in texts of archives; what is beyond, and XML around a report that hides it, is
 * "xml".
 *
 * Codes of unreadable(): "no-report" (nothing was one), "unrelated" (a mail that was not meant to bring one:
 * spam, a bounce, an automatic reply), "placeholder" (an archive with the word "unused", which Yahoo and AOL
 * send instead of an empty report), "xml" (not well-formed, or forbidden: DTD subset), "archive" (truncated,
 * wrong checksum, encrypted), "incomplete" (no policy domain, no date range, or two of them; likewise in a
 * TLS report), "json" (a TLS report that is not JSON, or ambiguous), "limit" (more than limits allow), "mime"
 * (a fragment of a mail), "encrypted" (a part, by S/MIME or OpenPGP).
 *
 * Fails only if the sink fails, with the sink's error.
 */
gboolean parse_document(const guint8 *document, gsize size, const struct parser_options *options,
    const struct report_sink *sink, gpointer user, GError **error) G_GNUC_WARN_UNUSED_RESULT;
