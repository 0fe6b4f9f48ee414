/*
 * mail.h - the bytes of a mail (RFC 5322, RFC 2045 ff.) into its header and its leaf parts, decoded.
 *
 * GMime 3 parses a view of the mail that bounds what it takes (mailview.h). Two of its functions that may
 * loop for ever are not called: g_mime_content_type_encode and g_mime_multipart_get_boundary (GMime issue
 * 165). The bytes of parts are read from the mail itself (mailpart.h). A message/rfc822 is walked into, and
 * so is a mail or an mbox that is attached as a file or a text; files inside a text are leaves, too
 * (embedded.h). So are parts behind a closing boundary or with another one than is declared, and the mails of
 * an mbox after the first (mailsplit.h). The mail in an S/MIME signature is walked into (cms.h).
 *
 * The parts of a feedback report (RFC 5965) are put together here, because only the tree says which message
 * belongs to which report (feedback.h). What they contain is for failure.h. Knows nothing of archives and
 * other reports.
 */
#pragma once

#include "parser/error.h"
#include "parser/limits.h"
#include "parser/report.h"

/* The media type of a file that ruad has put into a mail, to pass it on (server/common/report_mail.h): it is
 * read like a file that is no mail. */
#define MAIL_FILE_TYPE "application/vnd.ruad.file"

struct mail_part {
	guint number;     /* of the leaf, from 1, in the order of the mail */
	const char *name; /* file name on one line, at most 200 bytes of UTF-8, or NULL */
	const char *type; /* media type in lower case: "application/gzip" */
	/* Subject of the innermost mail around it, if that mail has no other part that may be a report; or
	 * NULL */
	const char *subject;
	const char *tls_domain; /* TLS-Report-Domain (RFC 8460 section 5.3) of the mail around it, or NULL */
	const guint8 *data;     /* decoded */
	gsize size;
	gboolean declared;     /* inside of a multipart that says it is a feedback report */
	const char *encrypted; /* by what: "S/MIME" or "OpenPGP"; NULL: it is not */
};

enum mail_feedback_form {
	MAIL_FEEDBACK_FIELDS, /* as in RFC 5965, whatever the media type is */
	MAIL_FEEDBACK_PROSE,  /* a report in prose (Exim) */
	MAIL_FEEDBACK_NONE,   /* no second part: a declared report with a message only */
};

/* A feedback report: its second and third part, decoded. */
struct mail_feedback {
	guint number; /* of the leaf with the fields or the text, else of the message */
	enum mail_feedback_form form;
	const guint8 *fields; /* or the text; or NULL */
	gsize fields_size;
	const guint8 *message; /* or its header; or NULL */
	gsize message_size;
	const char *report_type; /* of the multipart around it, in lower case, or NULL */
	const char *copy_of;     /* the program from whose copy it was converted (note K1), or NULL */
};

struct mail_visitor {
	/* The header of the mail; first, and once. Returning FALSE with error set ends the walk, also
	 * below. */
	gboolean (*header)(gpointer user, const struct mail_header *mail, GError **error);
	/* A leaf part. */
	gboolean (*part)(gpointer user, const struct mail_part *part, GError **error);
	/* A feedback report; its parts are not given as leaves. */
	gboolean (*feedback)(gpointer user, const struct mail_feedback *feedback, GError **error);
};

/* Whether the file is a mail or an mbox: its header, at the start, has a field that mails have. */
gboolean mail_is_file(const guint8 *data, gsize size);

/*
 * Walk the parts of mail[0..size), a mail or an mbox. Bytes that are not a mail have no parts and no header.
 * authserv_id: of our own MTA, or NULL; mail_header.authentic is then AUTHENTIC_NONE.
 *
 * RUAD_ERROR_SYNTAX  a fragment of a mail (message/partial)
 * RUAD_ERROR_LIMIT   more parts, depth or header bytes than limits allow
 * any other          the visitor's own error
 */
gboolean mail_walk(const guint8 *mail, gsize size, const struct parser_limits *limits,
    const char *authserv_id, const struct mail_visitor *visitor, gpointer user,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;
