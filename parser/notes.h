/*
 * notes.h - the codes of report_note: what deviates in a report that could still be read.
 *
 *   V1  both the element, as sent: a token (or pct) in another case, empty, or unknown to all dialects; kept,
 *       trimmed and in lower case (pct: -1), except that "hardfail" and the like (values.c) and tokens in
 *       quotes or with '%' or ';' are mapped to the known token. Or row/policy_evaluated/reason, as sent: a
 *       word instead of type and comment, used as the one that it can be
 *   V2  both the element, as sent: a domain that is not in lower-case A-labels without a final dot, with
 *       unseen characters around it (removed), in an address (whose domain counts; empty if it has none), or
 *       several domains, of which the first counts
 *   I1  record row/source_ip, as sent: not an IP address (NULL is stored), one with a port, zone, brackets or
 *       the like (dropped), or an IPv4-mapped one (unmapped); or, as read, one that is not public: private,
 *       loopback, link-local, multicast or reserved (RFC 6890; documentation networks are not noted)
 *   C1  record row/count, as sent, or NULL if absent: not an integer from 0 to REPORT_COUNT_MAX (-1 is
 *       stored, and the record counts no message), with a zero fraction or with ',' between digits
 *   E1  report report_metadata/date_range/begin or end, as sent: a date with a fraction (dropped), in
 *       milliseconds or smaller units, or in the form of RFC 3339 (without any date the report is unreadable)
 *   E2  report report_metadata/date_range/begin or end, as read: begin before 2012 or more than a day after
 *       the mail was received, end not after begin, more than a week after it, or after 2099
 *   F3  both the element: absent, though all dialects require it (a selector: RFC 9990); or auth_results/dkim
 *       or spf without content, which is left out
 *   O1  both the element: after one that must follow it in the schema
 *   O2  both the element, the parent it stands in: in a wrong place, and not read. Or report record, no raw:
 *       inside of an unknown element of feedback, and read. After a feedback inside of feedback, no record is
 *       read: whose it is, is not known
 *   T1  both the element: longer than max_text; the value is its start
 *   T2  both the list (record auth_results/dkim, auth_results/spf or row/policy_evaluated/reason, report
 *       report_metadata/error): has more items than max_record_items, or the values of the record or report
 *       have more bytes than max_record_bytes; the first items are kept
 *   R0  report record: there is none
 *   R1  report feedback, the parser's error: the report is truncated there (header.partial)
 *   R2  report feedback, its first bytes: something follows the end tag, and is not part of the report.
 *       Reports there are read on their own (parse.h)
 *   R3  report report_metadata/report_id, as sent, or NULL if absent: empty; an id is made of the SHA-256
 *   X1  report feedback: a DOCTYPE before the root, which was ignored
 *   X2  report feedback, the namespace: neither that of RFC 9990 nor dmarc.org's. Or report the element, the
 *       namespace: the first in that of another dialect than the root, which is read; or record, the
 *       namespace or a prefix that is bound to none: a record in an unknown one, which is not read
 *   X3  both the element, its name as sent: in another case, or a known misspelling
 *   X4  both the element: several where one is allowed; the first counts
 *   X5  both the element: in it, or in a tag in it, a '<' that does not start a tag, or an '&' that does not
 *       start a reference, read as text; or an entity of HTML, read as its character
 *   X6  both the element, likewise: control characters that XML forbids, or references to them, which are
 *       removed
 *   X7  both the element, likewise: bytes that are invalid in the character set, read as windows-1252. Or
 *       feedback, the character set: unknown, or not the real one; UTF-8 is assumed
 *   X8  report feedback: text or the start of a schema before the root, which is removed; or an XML
 *       declaration that is not well-formed or a second one, likewise
 *   X9  both the element: its end tag is missing, has another name, has no '>' or, of what ended before in
 *       it, comes twice
 *   M1  report mail/subject, the domain or id in it: the Subject has another policy domain or report_id
 *       (hints.h)
 *   M2  report file name, itself: it has another policy domain, begin or end
 *   J1  report policy_published/domain: absent; raw is the domain that Subject and file name agree on, which
 *       is used
 *   K1  report feedback (report in TLS and failure reports), the program: converted from the copy that
 *       another program keeps, which lacks some of what was reported (parsedmarc.h)
 *
 * In TLS reports (RFC 8460) the path consists of its members, with '_' for '-'. V1, V2, T1, X3, X4, K1 mean
 * the same, and
 *
 *   R0  policies: the list is empty
 *   I1  policies/failure_details/sending_mta_ip or receiving_ip, as sent: not an IP address, or an
 *       IPv4-mapped one
 *   C1  a count, as sent, or NULL if absent: as row/count, but up to 2^63-1
 *   E1  date_range/start_datetime or end_datetime, as sent: not in the form of RFC 3339, but unambiguous:
 *       with a fraction (dropped), without seconds, time or zone (UTC is assumed), with a blank for 'T', a
 *       zone without ':', hour 24, or seconds since 1970
 *   J1  policies/policy/policy_domain: absent; raw is the mail's domain, which is used if no policy was
 *       found, or NULL
 *   J2  the member: of another JSON type than in RFC 8460; raw is its value, NULL for an object or array. A
 *       value that cannot be used is left out
 *   J3  report: invalid UTF-8 or control characters were replaced; or it was UTF-16 (raw)
 *   J4  report, the first of them: bytes after the end of its JSON
 *
 * In failure reports (failure.h) paths are members of struct failure_report:
 *
 *   V1, V2, T1, X4  as above
 *   I1  source_ip, as sent: as above, or not in the form of RFC 5321 section 4.1.3
 *   C1  incidents or source_port, as sent: not an integer in its range (-1 is stored)
 *   E1  arrival_date, as sent: not a date (-1 is stored), or without an unambiguous zone
 *   F1  original_headers: there is no third part
 *   F2  arrival_date, the Received-Date as sent: both are present, and Arrival-Date counts
 *   F3  the field: absent, but required
 *   F4  feedback_type: there is no second part; the text was read instead as far as possible
 *   F5  report_type, as sent or NULL: multipart/report has another type than feedback-report, or none
 *
 * Addresses of third parties in raw are masked as in the report itself.
 *
 * "As sent" means that the note's raw has the value; otherwise raw is NULL. "both" means reports and records.
 * Each has a code at most once for a path.
 *
 * How a report contradicts itself (consistency.h); raw is the value at the path, as read. Records before
 * policy_published, where the schema has none, get only I1.
 *
 *   A1  record row/policy_evaluated/dkim or spf: pass, but auth_results have no aligned identifier that
 *       passed
 *   A2  record row/policy_evaluated/dkim or spf: fail, but auth_results have one
 *   A3  record row/policy_evaluated/spf: pass, but only the HELO name passed, and envelope_from is not empty
 *   D1  record row/policy_evaluated/disposition: quarantine or reject, though dkim or spf is pass
 *   D2  record row/policy_evaluated/disposition: none, though both fail and the policy asks for more
 *   D3  record row/policy_evaluated/disposition: stricter than the policy
 *   D4  record row/policy_evaluated/disposition: pass, though both fail, or nothing passed under policy none
 *   P1  record identifiers/header_from: neither the policy's domain nor below it
 *   P2  record row/policy_evaluated/reason/type: sampled_out where pct is 100 or absent, or policy_test_mode
 *       where testing is not y
 *   P3  report policy_published/np, testing or discovery_method outside of RFC 9990's namespace, or pct in it
 *
 * These are not contradictions: D1 and D3 with reason local_policy, other or one that no dialect knows; D2
 * with any reason, with pct below 100, or one step below the policy if testing is y; disposition pass if dkim
 * or spf passed and the policy is not none; and what cannot be decided (consistency.h).
 */
#pragma once

#define NOTE_TOKEN     "V1"
#define NOTE_DOMAIN    "V2"
#define NOTE_ADDRESS   "I1"
#define NOTE_COUNT     "C1"
#define NOTE_DATE      "E1"
#define NOTE_PERIOD    "E2"
#define NOTE_ORDER     "O1"
#define NOTE_PLACE     "O2"
#define NOTE_CUT       "T1"
#define NOTE_LIST_CUT  "T2"
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
#define NOTE_COPY      "K1"

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
