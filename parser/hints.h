/*
 * hints.h - what the Subject of a mail and the name of a file say of the report in them.
 *
 * Subject: RFC 7489 section 7.2.1.1, RFC 9990 section 3.5, RFC 8460 section 5.3. Words in any case, with anything
 * before them ("Fwd: ", "[Preview] ", "DMARC Aggregate "), the values bare or in <>, {}, [] or quotes, parted by
 * ',' or ';'. File name: receiver "!" policy-domain "!" begin "!" end ["!" unique-id], whatever follows the digits of
 * end, after a path or none. What is not of that form says nothing.
 *
 * Both are for people; the report itself decides. Knows nothing of mails and archives.
 */
#pragma once

#include "parser/report.h"
#include "parser/values.h"

/* What stands around a report. Strings are borrowed. */
struct hints {
	const char *subject; /* decoded, of the mail around it, when it is about no other report; or NULL */
	const char *name;    /* of the innermost file with a name of its own; or NULL */
	const char *domain;  /* TLS-Report-Domain (RFC 8460 section 5.3) of the mail around it; or NULL */
};

/* What one of them said; NULL and -1 where it did not. */
struct hint {
	char *domain;    /* the policy domain, as it was said */
	char *report_id; /* without brackets */
	gint64 begin;    /* seconds since 1970 UTC */
	gint64 end;
};

/* FALSE: not of the form, *hint is untouched. TRUE: domain is there, report_id may be. */
gboolean hint_read_subject(const char *subject, struct hint *hint);

/* FALSE: not of the form, *hint is untouched. TRUE: domain, begin and end are there. */
gboolean hint_read_name(const char *name, struct hint *hint);

void hint_clear(struct hint *hint);

/* The policy domain that TLS-Report-Domain, else the file name, else the Subject says, as a lower-case A-label name; NULL: none does.
 * Transfer full. */
char *hints_domain(const struct hints *hints) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Notes M1 and M2 on an aggregate report that is complete: another policy domain, begin, end or report_id is said.
 *
 * A report_id is the same in other case, with "@" and a domain behind it, and whatever blanks folding brought. The
 * unique-id of a file name is not compared: it may hold no more than letters and digits, and RFC 7489 does not say
 * that it is the report_id. Nor is the submitter, which is the reporter's domain in one place and its name in the
 * other.
 */
void hints_note(const struct hints *hints, const struct aggregate_header *header, struct values *notes);
