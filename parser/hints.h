/*
 * hints.h - what the Subject of a mail and the name of a file say about the report inside.
 *
 * Subject: RFC 7489 section 7.2.1.1, RFC 9990 section 3.5, RFC 8460 section 5.3. Words are in any case, with
 * any prefix ("Fwd: ", "[Preview] ", "DMARC Aggregate "); values are bare or in <>, {}, [] or quotes,
 * separated by ',' or ';'. File name: receiver "!" policy-domain "!" begin "!" end ["!" unique-id], with or
 * without a path; what follows the digits of end is ignored, but does not begin with a letter. Other forms
 * say nothing, nor does a Subject of more than 990 bytes or a file name of more than 190: it may have been
 * cut.
 *
 * Both are for people; the report's own values count. Knows nothing of mails and archives.
 */
#pragma once

#include "parser/report.h"
#include "parser/values.h"

/* What is around a report. Strings are borrowed. */
struct hints {
	const char *subject; /* of the mail around it, decoded, if it is about no other report; or NULL */
	const char *name;    /* of the innermost file with a name of its own; or NULL */
	const char *domain;  /* TLS-Report-Domain (RFC 8460 section 5.3) of the mail around it; or NULL */
	gint64 now;          /* when it was received (parse.h), or 0 */
	const char *copy_of; /* the program from whose copy it was converted (note K1), or NULL */
};

/* What one of them says; NULL and -1 for what it does not say. */
struct hint {
	char *domain;    /* the policy domain, as written */
	char *report_id; /* without brackets */
	gint64 begin;    /* seconds since 1970 UTC */
	gint64 end;
};

/* Read a Subject. Returns FALSE if it does not have the form; *hint is then untouched. Otherwise domain is
 * set, and report_id may be. */
gboolean hint_read_subject(const char *subject, struct hint *hint);

/* Read a file name. Returns FALSE if it does not have the form; *hint is then untouched. Otherwise domain,
 * begin and end are set. */
gboolean hint_read_name(const char *name, struct hint *hint);

void hint_clear(struct hint *hint);

/* The policy domain of TLS-Report-Domain, else of the file name, else of the Subject, as a lower-case A-label
 * name; or NULL. Transfer full. */
char *hints_domain(const struct hints *hints) G_GNUC_WARN_UNUSED_RESULT;

/* The policy domain that both the Subject and the file name say, as a lower-case A-label name, or NULL.
 * Transfer full. */
char *hints_agreed_domain(const struct hints *hints) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Add notes M1 and M2 to a complete aggregate report: mail or file name have another policy domain, begin,
 * end or report_id. Add K1 if it was converted.
 *
 * Case, a final "@" and domain, blanks from folding, "<" and ">" do not make a report_id differ, nor does
 * text behind a blank in the Subject ("1234 (1 of 2)"). The unique-id of a file name is not compared: it may
 * have only letters and digits, and RFC 7489 does not say that it is the report_id. Neither is the submitter,
 * which is the reporter's domain in one place and its name in the other.
 */
void hints_note(const struct hints *hints, const struct aggregate_header *header, struct values *notes);
