/*
 * consistency.h - a record and the policy that was applied to it, into notes on contradictions.
 *
 * Alignment is computed from auth_results (RFC 7489 section 3.1, RFC 9990 section 3.1.1). notes.h has the
 * codes, and what does not count as a contradiction. Only certain contradictions are noted. These cases
 * cannot be decided from the report, and give no note:
 *
 *   - invalid names (blanks, '@', more than 253 bytes), and a scope that no dialect knows;
 *   - 100 signatures or more, or a list that was shortened (T2), because an aligned one may be missing (RFC
 *     9990 section 3.1.3);
 *   - relaxed alignment where the report says "treewalk", unless the names are equal, or one is above the
 *     other and the public suffix list agrees: it depends on DNS records of that day.
 *
 * All policies that could apply are tried, because the report does not say whether a name below the policy's
 * domain existed (np or sp). Statistics do not depend on these notes. Knows nothing of XML.
 */
#pragma once

#include "parser/report.h"
#include "parser/values.h"

/* Organizational Domains, kept from record to record. */
struct consistency;

struct consistency *consistency_new(void) G_GNUC_WARN_UNUSED_RESULT;
void consistency_free(struct consistency *consistency); /* NULL is allowed */

/* Add the notes on record: I1, and if policy is not NULL A1 A2 A3 D1 D2 D3 D4 P1 P2. Only the members of
 * policy_published are used of policy. */
void consistency_record(struct consistency *consistency, const struct aggregate_header *policy,
    const struct aggregate_record *record, struct values *notes);

/* A public address: not private, loopback, link-local, multicast or reserved (RFC 6890). */
gboolean consistency_is_global(const char *address);

/* Add the notes on the report around the records: E2, P3. now: see parse.h. */
void consistency_report(const struct aggregate_header *header, gint64 now, struct values *notes);
