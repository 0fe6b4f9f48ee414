/*
 * notes.h - the codes of report_note: what was odd about a report that could still be read.
 *
 *   V1  both    the element, as sent: a token (or pct) in another case, empty, or not one that a dialect
 *               knows; kept, trimmed and in lower case (pct: -1), but for "hardfail" and the like (values.c) and for
 *               what has quotes, '%' or ';' around it, which are told. Or row/policy_evaluated/reason, as sent: a word
 *               in place of type and comment, taken for the one that it is
 *   V2  both    the element, as sent: the name of a domain was not a lower-case A-label without final dot, or there
 *               were several: the first counts
 *   I1  record  row/source_ip, as sent: not an IP address (NULL is stored), one with a port, zone, brackets or the like
 *               around it (dropped), or an IPv4-mapped one (unmapped);
 *               or, as read, one that is not of the Internet: private, loopback, link-local, multicast or reserved
 *               (RFC 6890; the networks of documentation are not noted)
 *   C1  record  row/count, as sent or NULL when absent: not a whole number >= 0 (-1 is stored), one with a zero
 *               fraction or with ',' between its digits, or one beyond 64 bits (the largest is stored)
 *   E1  report  report_metadata/date_range/begin or end, as sent: a date with a fraction, which is dropped, in
 *               milliseconds or less, or as RFC 3339 has it (what is no date at all makes the report unreadable)
 *   E2  report  report_metadata/date_range/begin or end, as read: begin before 2012, end not behind begin, more than a
 *               week behind it, or after 2099
 *   F3  both    the element: absent, though all dialects ask for it, or RFC 9990 for a selector; or auth_results/dkim
 *               or spf: one with nothing in it, which is left out
 *   O1  both    the element: stands behind one that the schema has after it
 *   T1  both    the element: longer than max_text; the value is its start
 *   R0  report  record: there is none at all
 *   R1  report  feedback, what the parser met: the report is truncated there (header.partial)
 *   R2  report  feedback, how it begins: something follows the end tag, and was not read
 *   R3  report  report_metadata/report_id, as sent or NULL when absent: there is none; made of the SHA-256
 *   X1  report  feedback: a DOCTYPE stood before the root and was ignored
 *   X2  report  feedback, the namespace: neither that of RFC 9990 nor dmarc.org's
 *   X3  both    the element, its name as sent: in another case, or a misspelling that is known
 *   X4  both    the element: there more than once where one is meant; the first counts
 *   X5  both    the element: in it, or in a tag in it, a '<' that starts no tag, or an '&' that starts no reference;
 *               taken as text
 *   X6  both    the element, likewise: control characters that XML forbids; left out
 *   X7  both    the element, likewise: bytes that are not of the character set; taken as windows-1252. Or feedback, the
 *               character set: one that is not known, or not the real one; taken for UTF-8
 *   X8  report  feedback: text or the start of a schema before the root; left out
 *   X9  report  feedback: its end tag had no '>'
 *   M1  report  mail/subject, the domain or id in it: the Subject says another policy domain or report_id (hints.h)
 *   M2  report  file name, itself: says another policy domain, begin or end
 *
 * On TLS reports (RFC 8460) the path is that of its members, with '_' for '-'; V1, V2, T1, X3, X4 mean the same there, and
 *
 *   I1  policies/failure_details/sending_mta_ip or receiving_ip, as sent: not an IP address, or an IPv4-mapped one
 *   C1  a count, as sent or NULL when absent: as row/count
 *   E1  date_range/start_datetime or end_datetime, as sent: not as RFC 3339 has it, but told: with a fraction
 *       (dropped), without seconds, time or zone (UTC), a blank for 'T', a zone without ':', hour 24, seconds since 1970
 *   J1  policies/policy/policy_domain: not said; raw is the mail's domain, taken where no policy was found, or NULL
 *   J2  the member: of another JSON type than RFC 8460 has; raw is what it was, NULL for an object or array. What is of
 *       no use there is left out
 *   J3  report: bytes that are no UTF-8 or control characters were replaced; or it was UTF-16 (raw)
 *   J4  report, the first of them: bytes behind the end of its JSON
 *
 * On failure reports (failure.h), whose paths are members of struct failure_report:
 *
 *   V1, V2, T1, X4  as above
 *   I1  source_ip, as sent: as above, or not written as RFC 5321 section 4.1.3 has it
 *   C1  incidents or source_port, as sent: not a whole number of its range (-1 is stored)
 *   E1  arrival_date, as sent: no date (-1 is stored), or without a zone that has one meaning
 *   F1  original_headers: there is no third part
 *   F2  arrival_date, the Received-Date as sent: there are both, and Arrival-Date counts
 *   F3  the field: absent, but required
 *   F4  feedback_type: there is no second part; what could be was read from the text
 *   F5  report_type, as sent or NULL: multipart/report says another type than feedback-report, or none
 *
 * What raw has of addresses of third parties is masked like the report itself.
 *
 * "As sent" is the note's raw, else that is NULL; both is on reports and on records. A code stands at most once
 * for a path on each.
 *
 * How a report contradicts itself (consistency.h); raw is the value at the path, as it was read. Made only for
 * records that stand behind policy_published, as the schema has it; I1 for all.
 *
 *   A1  record  row/policy_evaluated/dkim or spf: pass, but auth_results have no aligned identifier that passed
 *   A2  record  row/policy_evaluated/dkim or spf: fail, but auth_results have one
 *   A3  record  row/policy_evaluated/spf: pass, but only the name of HELO passed, and envelope_from is not empty
 *   D1  record  row/policy_evaluated/disposition: quarantine or reject, though dkim or spf is pass
 *   D2  record  row/policy_evaluated/disposition: none, though both fail and the policy asks for more
 *   D3  record  row/policy_evaluated/disposition: stricter than the policy
 *   D4  record  row/policy_evaluated/disposition: pass, though both fail or the policy is none
 *   P1  record  identifiers/header_from: neither the policy's domain nor below it
 *   P2  record  row/policy_evaluated/reason/type: sampled_out where pct is 100 or absent, or policy_test_mode where
 *               testing is not y
 *   P3  report  policy_published/np, testing or discovery_method outside of RFC 9990's namespace, or pct in it
 *
 * No contradiction is: D1 and D3 with reason local_policy, other or one that no dialect knows; D2 with any reason,
 * with pct below 100, or one step below the policy where testing is y; disposition pass where dkim or spf passed
 * under a policy that asks for something; and what cannot be decided (consistency.h).
 */
#pragma once

#define NOTE_TOKEN     "V1"
#define NOTE_DOMAIN    "V2"
#define NOTE_ADDRESS   "I1"
#define NOTE_COUNT     "C1"
#define NOTE_DATE      "E1"
#define NOTE_PERIOD    "E2"
#define NOTE_ORDER     "O1"
#define NOTE_CUT       "T1"
#define NOTE_EMPTY     "R0"
#define NOTE_PARTIAL   "R1"
#define NOTE_AFTER     "R2"
#define NOTE_ID        "R3"
#define NOTE_DOCTYPE   "X1"
#define NOTE_NAMESPACE "X2"
#define NOTE_NAME      "X3"
#define NOTE_REPEATED  "X4"
#define NOTE_MARKUP    "X5"
#define NOTE_CONTROL   "X6"
#define NOTE_CHARSET   "X7"
#define NOTE_JUNK      "X8"
#define NOTE_UNCLOSED  "X9"
#define NOTE_SUBJECT   "M1"
#define NOTE_FILE_NAME "M2"

#define NOTE_NO_DOMAIN "J1"
#define NOTE_TYPE      "J2"
#define NOTE_JSON      "J3"
#define NOTE_REST      "J4"

#define NOTE_NO_MESSAGE   "F1"
#define NOTE_TWO_DATES    "F2"
#define NOTE_FIELD_ABSENT "F3"
#define NOTE_NO_FEEDBACK  "F4"
#define NOTE_REPORT_TYPE  "F5"

#define NOTE_PASS_UNLISTED "A1"
#define NOTE_FAIL_LISTED   "A2"
#define NOTE_PASS_BY_HELO  "A3"
#define NOTE_PASS_STOPPED  "D1"
#define NOTE_NOT_APPLIED   "D2"
#define NOTE_TOO_STRICT    "D3"
#define NOTE_PASS_DISPOSED "D4"
#define NOTE_NOT_WITHIN    "P1"
#define NOTE_REASON        "P2"
#define NOTE_HYBRID        "P3"
