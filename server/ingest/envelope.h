/*
 * envelope.h - the data that accompanies a document, and the result of storing it.
 */
#pragma once

#include "server/common/log.h"

/* Fields of the line in the log about a mail. */
#define FIELD_MAIL       "RUAD_MAIL"       /* its number in dmarc.mails */
#define FIELD_QUEUE_ID   "RUAD_QUEUE_ID"   /* of the mail server that passed it on, see parser/received.h */
#define FIELD_MESSAGE_ID "RUAD_MESSAGE_ID" /* MESSAGE_ID is the journal's own */
#define FIELD_REPORT_ID  "RUAD_REPORT_ID"
#define FIELD_KIND       "RUAD_KIND"    /* of its items: "aggregate", "tls", "unreadable" ... */
#define FIELD_OUTCOME    "RUAD_OUTCOME" /* of its items: the counts of intake_counts that are not 0 */

/* What to do with mail received by LMTP that our own MTA does not consider authentic
 * (lmtp.require_authentic). */
enum require_authentic {
	REQUIRE_AUTHENTIC_OFF,
	REQUIRE_AUTHENTIC_FLAG,       /* its reports get the note S1 */
	REQUIRE_AUTHENTIC_QUARANTINE, /* it is one unreadable item with code "unauthentic" */
};

struct envelope {
	const char *source;            /* "lmtp" or "import" */
	const char *name;              /* file path of an import, or NULL */
	const char *from;              /* reverse-path, "" for <>, NULL for an import */
	const char *const *recipients; /* NULL-terminated, or NULL */
	gint64 again;                  /* id of the stored mail that is read again; 0 for a new one */
	const char *received_at;       /* of that mail, as the database gave it; NULL is now */
	struct log_fields *fields;     /* get what is found in the mail; NULL: no line is written about it */
};

/* The result of a document. */
struct intake_counts {
	guint stored;     /* new reports */
	guint duplicates; /* already stored with the same content */
	guint conflicts;  /* key already stored with other content: quarantined */
	guint unreadable; /* quarantined, with the reason */
	gint64 mail;      /* not a count: the number of the document's mail in dmarc.mails */
};
