/*
 * parse.h - the parser's front door: bytes in, typed reports out.
 *
 * The bytes are a mail (RFC 5322) or a bare gzip, zip or XML file; the first bytes decide, never
 * a name or media type. The parser opens no file, reads no clock or environment, logs nothing.
 */
#pragma once

#include "parser/limits.h"
#include "parser/report.h"

/* How a document is to be read; strings are borrowed. */
struct parser_options {
	struct parser_limits limits;
	const char *authserv_id; /* of our own MTA (RFC 8601 section 2.5), or NULL: no field is believed */
	gboolean failure_bodies; /* tell the reported message whole, local parts and body too; by default its
				    header alone is told, and the local parts of third parties are masked */
};

/*
 * Once per process, before any parse and before rights are given up: loads the character
 * set tables that reports use and the public suffix list, so that none has to be opened later.
 */
void parse_init(void);

/*
 * Find every report in document[0..size) and hand it to the sink, as a stream: memory does not
 * grow with the number of records. A document in which nothing is a report gives one unreadable().
 *
 * Codes of unreadable(): "no-report" (nothing looked like one), "placeholder" (an archive of the word
 * "unused", as Yahoo and AOL send it for no report: no cause for alarm), "xml" (not well-formed, or
 * forbidden: DTD subset), "archive" (truncated, wrong checksum, encrypted), "incomplete" (no policy domain,
 * no date range, or two of them; a TLS report's likewise), "json" (a TLS report that is no JSON, or ambiguous),
 * "limit" (more than limits allow), "mime".
 *
 * Fails only when the sink failed, with the sink's error.
 */
gboolean parse_document(const guint8 *document, gsize size, const struct parser_options *options,
    const struct report_sink *sink, gpointer user, GError **error) G_GNUC_WARN_UNUSED_RESULT;
