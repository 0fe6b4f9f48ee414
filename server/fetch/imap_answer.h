/*
 * imap_answer.h - what one answer of an IMAP server says (RFC 9051 section 7; RFC 3501 where it is older).
 *
 * Pure: text in, a value out. An answer that is not needed here is IMAP_OTHER, whatever it contains; one that
 * is used must have its exact form. Literals are already replaced by "{}" (imap_reader.h).
 */
#pragma once

#include <glib.h>

enum imap_kind {
	IMAP_OTHER,
	IMAP_DONE,     /* the tagged end of a command */
	IMAP_CONTINUE, /* "+": the server waits for more of the command */
	IMAP_BYE,      /* the server closes the connection */
	IMAP_EXISTS,   /* number of mails in the mailbox */
	IMAP_EXPUNGED, /* one of them is gone */
	IMAP_SEARCH,   /* UIDs */
	IMAP_FETCH,    /* a mail */
	IMAP_CAPABLE,  /* what the server can do */
	IMAP_FLAGS,    /* which flags the mailbox keeps */
	IMAP_VALIDITY, /* UIDVALIDITY */
};

enum imap_result {
	IMAP_OK,
	IMAP_NO,  /* refused */
	IMAP_BAD, /* not understood */
};

/* What CAPABILITY and PERMANENTFLAGS list. */
enum imap_ability {
	IMAP_CAN_IDLE = 1 << 0,
	IMAP_CAN_MOVE = 1 << 1,
	IMAP_CAN_UIDPLUS = 1 << 2, /* UID EXPUNGE */
	IMAP_KEEPS_SEEN = 1 << 3,  /* \Seen, \Deleted and \Flagged */
	IMAP_KEEPS_DELETED = 1 << 4,
	IMAP_KEEPS_FLAGGED = 1 << 5,
	IMAP_KEEPS_KEYWORDS = 1 << 6, /* any keyword */
};

enum imap_body {
	IMAP_BODY_NONE,    /* the answer has no BODY[] */
	IMAP_BODY_LITERAL, /* it came as a literal */
	IMAP_BODY_EMPTY,   /* it is "" */
	IMAP_BODY_NIL,     /* the server has none */
};

struct imap_answer {
	enum imap_kind kind;
	enum imap_result result; /* IMAP_DONE */
	const char *text;        /* IMAP_DONE, IMAP_BYE: the server's words, borrowed from the line */
	guint32 number;          /* IMAP_EXISTS, IMAP_VALIDITY; IMAP_FETCH: the UID, 0 if there is none */
	guint abilities;         /* IMAP_CAPABLE, IMAP_FLAGS; IMAP_DONE: those of its code */
	gboolean read_only;      /* IMAP_DONE: the mailbox is */
	enum imap_body body;     /* IMAP_FETCH */
};

/*
 * Parse a line; tag is that of the command in progress. UIDs of IMAP_SEARCH are appended to uids (of guint32;
 * NULL: they are not of interest).
 *
 * RUAD_ERROR_SYNTAX  neither an untagged answer, a continuation nor the tag; or a wrong form
 */
gboolean imap_answer_parse(const char *line, const char *tag, struct imap_answer *answer, GArray *uids,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the beginning of an answer is a FETCH whose next value is the whole mail: "* 3 FETCH (... BODY[] "
 * or BODY[]<0>. */
gboolean imap_answer_awaits_body(const char *line);

/* text as a quoted string for a command (RFC 9051 section 4.3), or NULL if it cannot be one: it has control
 * bytes or bytes beyond ASCII. Transfer full. */
char *imap_quote(const char *text) G_GNUC_WARN_UNUSED_RESULT;
