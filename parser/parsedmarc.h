/*
 * parsedmarc.h - a report in the JSON that parsedmarc writes, in the form in which it was sent: an aggregate
 * report as XML of RFC 7489 or RFC 9990, a TLS report as JSON of RFC 8460, a failure report as the parts of
 * RFC 5965.
 *
 * For those who move from parsedmarc to ruad and no longer have the mails. That JSON lacks some of what was
 * reported. Aggregate reports: parsedmarc shortens org_name to its organisational domain and report_id to
 * what precedes "@", splits long periods into days, and has defaults for absent values: "none" for selector
 * and disposition, "mfrom" for scope, "fail" for policy_evaluated. Its begin_date is in local time; only the
 * intervals of records are in UTC. Failure reports have only the fields that parsedmarc knows, with defaults
 * for Delivery-Result and Auth-Failure. Unknown elements, members and fields, and the text of XML are lost.
 *
 * Reports of dmarc-srg (server/cli/srg.h) have the form of parsedmarc's, with lists as texts of JSON.
 *
 * Knows nothing of files and mails.
 */
#pragma once

#include "parser/limits.h"

enum parsedmarc_kind {
	PARSEDMARC_NONE, /* no report of parsedmarc */
	PARSEDMARC_AGGREGATE,
	PARSEDMARC_TLS,
	PARSEDMARC_FAILURE,
};

struct parsedmarc {
	enum parsedmarc_kind kind;
	const char *program; /* whose copy it is (note K1): "parsedmarc", or "dmarc-srg" (server/cli/srg.h) */
	GString *text;       /* the XML, the JSON, or the fields of the failure report */
	GString *message;    /* of a failure report: the message or its header; NULL if there is none */
	gsize items;         /* how many names and values the JSON has */
};

/*
 * Read json[0..size) into copy. PARSEDMARC_NONE, an object that is no such report, is not an error.
 *
 * RUAD_ERROR_LIMIT   more bytes, depth, names or values than limits allow
 * RUAD_ERROR_SYNTAX  not JSON, or ambiguous
 */
gboolean parsedmarc_read(const guint8 *json, gsize size, const struct parser_limits *limits,
    struct parsedmarc *copy, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void parsedmarc_clear(struct parsedmarc *copy);
