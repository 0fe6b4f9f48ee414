/*
 * notes.h - the codes of report_note: what was odd about a report that could still be read.
 *
 *   V1  both    the element, as sent: a token (or pct) in another case, empty, or not one that a dialect
 *               knows; kept, trimmed and in lower case (pct: -1)
 *   V2  both    the element, as sent: the name of a domain was not a lower-case A-label without final dot
 *   I1  record  row/source_ip, as sent: not an IP address (NULL is stored), or an IPv4-mapped one (unmapped)
 *   C1  record  row/count, as sent or NULL when absent: not a whole number >= 0 (-1 is stored), or one with a
 *               zero fraction
 *   E1  report  report_metadata/date_range/begin or end, as sent: a date with a fraction, which is dropped
 *               (what is no date at all makes the report unreadable)
 *   T1  both    the element: longer than max_text; the value is its start
 *   R0  report  record: there is none at all
 *   X1  report  feedback: a DOCTYPE stood before the root and was ignored
 *   X2  report  feedback, the namespace: neither that of RFC 9990 nor dmarc.org's
 *   X3  both    the element, its name as sent: in another case, or a misspelling that is known
 *   X4  both    the element: there more than once where one is meant; the first counts
 *
 * "As sent" is the note's raw, else that is NULL; both is on reports and on records. A code stands at most once
 * for a path on each. Notes on how a report contradicts itself (A1, D1, P1, ...) are not made here.
 */
#pragma once

#define NOTE_TOKEN     "V1"
#define NOTE_DOMAIN    "V2"
#define NOTE_ADDRESS   "I1"
#define NOTE_COUNT     "C1"
#define NOTE_DATE      "E1"
#define NOTE_CUT       "T1"
#define NOTE_EMPTY     "R0"
#define NOTE_DOCTYPE   "X1"
#define NOTE_NAMESPACE "X2"
#define NOTE_NAME      "X3"
#define NOTE_REPEATED  "X4"
