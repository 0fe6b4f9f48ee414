/*
 * failure.h - the parts of a feedback report (RFC 5965, with RFC 6591 and RFC 9991) into a struct failure_report.
 *
 * A report is never refused for its form: what is odd becomes a note (notes.h). Privacy is here: unless told otherwise
 * nothing of the reported message's body is kept, and third parties are masked (mask.h). Knows nothing of MIME.
 */
#pragma once

#include "parser/mail.h"
#include "parser/parse.h"

/* A failed authentication, not a complaint or the like (RFC 5965 section 7.3). */
static inline gboolean failure_is_authentication(const struct failure_report *failure)
{
	return failure->feedback_type == NULL || *failure->feedback_type == '\0' ||
	       g_str_equal(failure->feedback_type, "auth-failure");
}

/* A text that starts as the second part of a feedback report does, whatever its media type. */
gboolean failure_is_fields(const char *text, gsize size);

/* A text for people in which Exim, and what is built on it, puts all that it has to say. */
gboolean failure_is_prose(const char *text, gsize size);

/* A report that was read, and its memory. */
struct failure;

/* RUAD_ERROR_LIMIT: more fields or bytes than limits allow. */
struct failure *failure_read(const struct mail_feedback *feedback, const struct parser_options *options,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;
const struct failure_report *failure_report(const struct failure *failure);
void failure_free(struct failure *failure); /* NULL is allowed */
