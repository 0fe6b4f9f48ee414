/*
 * aggregate.h - the bytes of an aggregate report's XML, in pieces of any size, into calls of a report_sink.
 *
 * RFC 9990 section 3.1 and appendix A, RFC 7489 appendix C and the drafts before, read by local name, in any
 * namespace and order, and with elements missing. An element in a foreign namespace (neither none, nor the
 * root's, nor that of a dialect) is skipped with its content, as is an unknown element, except for records
 * inside of one below the root. Values are kept as the report has them; an absent value differs from
 * an empty one. notes.h lists what is noted. If an element that may occur once occurs several times, the
 * first counts.
 *
 * The dialect is "rfc9990" if the root is in urn:ietf:params:xml:ns:dmarc-2.0, or if there is np, testing,
 * discovery_method, generator or extension. Otherwise it is "draft" if there is no version, no namespace, and
 * none of envelope_from, selector, scope and fo; otherwise "rfc7489".
 *
 * XML that ends early or stops being well-formed after report_metadata, policy_published and at least one
 * record were complete gives a report of the complete records, marked partial. Before that, or if something
 * is forbidden or over a limit, the report is unreadable. A missing '>' of </feedback> at the end is repaired
 * (repair.h). What follows the root is noted and not read.
 *
 * xmlstream.h says which XML is refused. Memory does not grow with the report. Knows nothing of archives and
 * mail.
 */
#pragma once

#include "parser/hints.h"
#include "parser/limits.h"
#include "parser/report.h"

struct aggregate;

enum aggregate_verdict {
	AGGREGATE_REPORT,     /* report_end() was called */
	AGGREGATE_OTHER,      /* XML with another root than <feedback>: the sink was not called */
	AGGREGATE_UNREADABLE, /* see aggregate_code(); report_end() was not called */
	AGGREGATE_FAILED,     /* the sink failed */
};

/* All arguments are borrowed until aggregate_free(). */
struct aggregate *aggregate_new(
    const struct parser_limits *limits, const char *place, const struct report_sink *sink, gpointer user);
void aggregate_free(struct aggregate *aggregate); /* NULL is allowed */

/* What mail and file name say about the report, for notes M1 and M2. The strings are borrowed until
 * aggregate_end(). */
void aggregate_hint(struct aggregate *aggregate, const struct hints *hints);

/* Parse the next bytes. Returns FALSE once the rest is not needed; aggregate_end() says why. */
gboolean aggregate_push(struct aggregate *aggregate, const guint8 *data, gsize size);

/* Stop: the report becomes AGGREGATE_UNREADABLE with code "limit" and this reason. */
void aggregate_refuse(struct aggregate *aggregate, const char *reason);

/* How many records the sink has got. */
guint64 aggregate_records(const struct aggregate *aggregate);

/* Roughly how many bytes so far are not part of a report: foreign and repeated elements, empty results,
 * attributes, comments, instructions, text outside values, and a cost for text in many pieces. White space
 * does not count. */
guint64 aggregate_foreign(const struct aggregate *aggregate);

/* There are no more bytes. Call once. error is set for AGGREGATE_FAILED only, to the sink's error. */
enum aggregate_verdict aggregate_end(struct aggregate *aggregate, GError **error);

/* TRUE once report_begin() was called. */
gboolean aggregate_begun(const struct aggregate *aggregate);

/* After AGGREGATE_UNREADABLE: the code ("xml", "incomplete", "limit") and the reason for unreadable(). */
const char *aggregate_code(const struct aggregate *aggregate);
const char *aggregate_reason(const struct aggregate *aggregate);

/* After AGGREGATE_UNREADABLE: something is forbidden or over a limit, so it is reported even if it did not
 * look like a report. */
gboolean aggregate_forbidden(const struct aggregate *aggregate);

/* Whether it is known that the bytes do not begin with a report: aggregate_push() takes no more. */
gboolean aggregate_is_none(const struct aggregate *aggregate);

/* After AGGREGATE_REPORT: how many other reports follow, which were not read. */
guint64 aggregate_others(const struct aggregate *aggregate);

/* After AGGREGATE_REPORT: what follows it, up to AGGREGATE_AFTER_MAX bytes; borrowed. */
#define AGGREGATE_AFTER_MAX (1 << 20)
const guint8 *aggregate_after(const struct aggregate *aggregate, gsize *size);
