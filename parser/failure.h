/*
 * failure.h - the parts of a feedback report (RFC 5965, with RFC 6591 and RFC 9991) into a struct
 * failure_report.
 *
 * A report is never refused for its form: deviations become notes (notes.h). Unless failure_bodies is set,
 * the body of the reported message is dropped and third parties are masked (mask.h). Knows nothing of MIME.
 */
#pragma once

#include "parser/mail.h"
#include "parser/parse.h"

/* Whether it reports a failed authentication, not a complaint or the like (RFC 5965 section 7.3). */
static inline gboolean failure_is_authentication(const struct failure_report *failure)
{
	return failure->feedback_type == NULL || *failure->feedback_type == '\0' ||
	       g_str_equal(failure->feedback_type, "auth-failure");
}

/* Whether text begins like the second part of a feedback report. */
gboolean failure_is_fields(const char *text, gsize size);

/* Whether text is a report in prose, as Exim and software built on it send it. */
gboolean failure_is_prose(const char *text, gsize size);

/* A report and its memory. */
struct failure;

/* Read a report; options are borrowed until failure_free(). RUAD_ERROR_LIMIT: more fields or bytes than
 * limits allow. */
struct failure *failure_read(const struct mail_feedback *feedback, const struct parser_options *options,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Borrowed from failure. */
const struct failure_report *failure_report(const struct failure *failure);
void failure_free(struct failure *failure); /* NULL is allowed */
