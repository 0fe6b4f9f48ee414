/*
 * aggregate.h - the bytes of an aggregate report's XML, in pieces of any size, into calls of a report_sink.
 *
 * RFC 9990 section 3.1 and appendix A, RFC 7489 appendix C and the drafts before, read by local name whatever
 * the namespace, the order or what is missing. An element in a foreign namespace (neither none nor the
 * root's) is passed over with all in it. Values are taken as the report has them, absent apart from empty;
 * notes.h lists what is noted. Of an element that is there more than once where one is meant, the first
 * counts.
 *
 * The dialect is "rfc9990" when the root is in urn:ietf:params:xml:ns:dmarc-2.0 or one of np, testing,
 * discovery_method, generator and extension is there; else "draft" when there is no version, no namespace,
 * and none of envelope_from, selector, scope and fo; else "rfc7489".
 *
 * XML that ends early or is no longer well-formed, after report_metadata and policy_published were complete
 * and at least one record was, is a report of the complete records, marked partial; without those, or where
 * something was forbidden or over a limit, it is unreadable. Only the '>' of </feedback> is not missed (repair.h). What follows the root is noted
 * and not read.
 *
 * A DOCTYPE is passed over with a note; a declaration inside it is refused, as is every entity but the five
 * of XML. Memory does not grow with the report. Knows nothing of archives and mail.
 */
#pragma once

#include "parser/hints.h"
#include "parser/limits.h"
#include "parser/report.h"

struct aggregate;

enum aggregate_verdict {
	AGGREGATE_REPORT,     /* report_end() was called */
	AGGREGATE_OTHER,      /* XML with another root than <feedback>: the sink was not called */
	AGGREGATE_UNREADABLE, /* see aggregate_code(); when report_begin() was called, report_end() was not */
	AGGREGATE_FAILED,     /* the sink failed */
};

/* All is borrowed until aggregate_free(). */
struct aggregate *aggregate_new(
    const struct parser_limits *limits, const char *place, const struct report_sink *sink, gpointer user);
void aggregate_free(struct aggregate *aggregate); /* NULL is allowed */

/* What stands around it, to be held against it (notes M1, M2); borrowed until aggregate_end(). */
void aggregate_hint(struct aggregate *aggregate, const struct hints *hints);

/* The next bytes. FALSE once the rest is of no use; aggregate_end() says why. */
gboolean aggregate_push(struct aggregate *aggregate, const guint8 *data, gsize size);

/* The caller wants no more of it: from now on it is AGGREGATE_UNREADABLE with code "limit" and that reason. */
void aggregate_refuse(struct aggregate *aggregate, const char *reason);

/* Records given to the sink so far. */
guint64 aggregate_records(const struct aggregate *aggregate);

/* Bytes met so far, about, that are none of a report's: elements that are foreign, repeated or empty results, attributes,
 * comments, instructions, text beside values, and what makes many pieces of one text. White space is not among them. */
guint64 aggregate_foreign(const struct aggregate *aggregate);

/* There are no more bytes. error: only for AGGREGATE_FAILED, the sink's own. To be called once. */
enum aggregate_verdict aggregate_end(struct aggregate *aggregate, GError **error);

/* TRUE once report_begin() was called. */
gboolean aggregate_begun(const struct aggregate *aggregate);

/* After AGGREGATE_UNREADABLE: the code ("xml", "incomplete", "limit") and the reason for unreadable(). */
const char *aggregate_code(const struct aggregate *aggregate);
const char *aggregate_reason(const struct aggregate *aggregate);

/* After AGGREGATE_UNREADABLE: something was forbidden rather than merely no XML, so it is worth telling
 * whatever it looked like. */
gboolean aggregate_forbidden(const struct aggregate *aggregate);

/* After AGGREGATE_REPORT: behind it began something that looks like another report, and was not read. */
gboolean aggregate_has_another(const struct aggregate *aggregate);
