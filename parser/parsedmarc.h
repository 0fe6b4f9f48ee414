/*
 * parsedmarc.h - an aggregate report in the JSON that parsedmarc writes, as XML of RFC 7489 or RFC 9990.
 *
 * For those who move from parsedmarc to ruad and no longer have the mails. That JSON lacks some of what was
 * reported: parsedmarc shortens org_name to its organisational domain and report_id to what precedes "@",
 * splits long periods into days, and has defaults for absent values: "none" for selector and disposition,
 * "mfrom" for scope, "fail" for policy_evaluated. Its begin_date is in local time; only the intervals of
 * records are in UTC. Unknown elements and the text of the XML are lost.
 *
 * Knows nothing of files and mails.
 */
#pragma once

#include "parser/limits.h"

/*
 * The XML of a report that is json[0..size). *xml is NULL, without an error, if it is no such report; else
 * transfer full. items: how many names and values the JSON has.
 *
 * RUAD_ERROR_LIMIT   more bytes, depth, names or values than limits allow
 * RUAD_ERROR_SYNTAX  not JSON, or ambiguous
 */
gboolean parsedmarc_read(const guint8 *json, gsize size, const struct parser_limits *limits, GString **xml,
    gsize *items, GError **error) G_GNUC_WARN_UNUSED_RESULT;
