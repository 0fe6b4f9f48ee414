/*
 * notes.h - the codes of report_note: what was odd about a report that could still be read.
 *
 *   code  on      path                      raw                       meaning
 *   V1    both    the element               the value as sent         a token (or pct) in another case,
 * empty, or not one that a dialect knows; kept, trimmed and in lower case (pct: -1) V2    both    the element
 * the value as sent         the name of a domain was not a lower-case A-label without final dot I1    record
 * row/source_ip             the value as sent         not an IP address (NULL is stored), or an IPv4-mapped
 * one (unmapped) C1    record  row/count                 the value, NULL: absent   not a whole number >= 0
 * (-1 is stored), or one with a zero fraction E1    report  report_metadata/          the value as sent a
 * date with a fraction, which is dropped (what is no date makes date_range/begin or end the report
 * unreadable) T1    both    the element               NULL                      longer than max_text; the
 * value is its start R0    report  record                    NULL                      no record at all X1
 * report  feedback                  NULL                      a DOCTYPE stood before the root and was ignored
 *   X2    report  feedback                  the namespace             a namespace that is neither of RFC 9990
 * nor of dmarc.org X3    both    the element               the name as sent          a name in another case,
 * or a known misspelling of ours X4    both    the element               NULL                      there more
 * than once where one is meant; the first counts
 *
 * A code stands at most once for a path on each report or record. Notes on how a report contradicts itself
 * (A1, D1, P1, ...) are not made here.
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
