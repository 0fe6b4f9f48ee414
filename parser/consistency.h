/*
 * consistency.h - a record and the policy it was judged by, into notes on where they contradict each other.
 *
 * Alignment is computed anew from auth_results (RFC 7489 section 3.1, RFC 9990 section 3.1.1): the codes and what
 * is no contradiction are in notes.h. Only what contradicts for sure is noted; what cannot be decided from the
 * report gives none:
 *
 *   - names that are none (blanks, '@', more than 253 bytes), and a scope that no dialect knows;
 *   - a list of 100 signatures or more, from which an aligned one may be missing (RFC 9990 section 3.1.3);
 *   - relaxed alignment where the report says "treewalk", unless the names are equal or one is above the other and
 *     the public suffix list agrees: it hangs on DNS records of that day.
 *
 * Of policies, each that could have been meant is tried: whether a name below the policy's domain existed (np or
 * sp) is not in the report. Statistics do not depend on these notes. Knows nothing of XML.
 */
#pragma once

#include "parser/report.h"
#include "parser/values.h"

/* What is remembered from record to record: Organizational Domains. */
struct consistency;

struct consistency *consistency_new(void) G_GNUC_WARN_UNUSED_RESULT;
void consistency_free(struct consistency *consistency); /* NULL is allowed */

/* Notes on record: I1, and where policy is not NULL A1 A2 A3 D1 D2 D3 D4 P1 P2. Of policy, only what is in
 * policy_published is looked at. */
void consistency_record(struct consistency *consistency, const struct aggregate_header *policy,
    const struct aggregate_record *record, struct values *notes);

/* An address of the Internet: not private, loopback, link-local, multicast or reserved (RFC 6890). */
gboolean consistency_is_global(const char *address);

/* Notes on the report around the records: E2, P3. */
void consistency_report(const struct aggregate_header *header, struct values *notes);
