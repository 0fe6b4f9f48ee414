/*
 * imap.h - the few IMAP commands that taking mails out of a mailbox needs (RFC 9051; RFC 2177 IDLE, RFC 4315
 * UIDPLUS, RFC 6851 MOVE where it is older).
 *
 * Knows nothing of what is done with a mail. Any failure but those that a function lists is
 * RUAD_ERROR_SYSTEM (the connection is lost), RUAD_ERROR_SYNTAX (the server says no, or no IMAP) or
 * RUAD_ERROR_LIMIT; the session cannot be used after it.
 */
#pragma once

#include "server/common/spool.h"
#include "server/fetch/account.h"
#include "server/fetch/imap_answer.h"

struct imap;

/* The mailbox that is open. */
struct imap_mailbox {
	guint32 exists;   /* how many mails it has now */
	guint32 validity; /* UIDVALIDITY: UIDs mean the same mails while it is the same */
	guint abilities;  /* of enum imap_ability: IMAP_KEEPS_... */
	gboolean read_only;
};

enum imap_fetched {
	IMAP_FETCHED,
	IMAP_TOO_LARGE, /* more than max bytes */
	IMAP_GONE,      /* somebody else removed it */
	IMAP_REFUSED,   /* the server cannot give it now */
};

/* Connect, sign in, and ask what the server can do. For token see imap_stream_open(). */
struct imap *imap_open(
    const struct account *account, const char *token, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void imap_close(struct imap *imap); /* NULL is allowed */

guint imap_abilities(const struct imap *imap); /* of enum imap_ability: IMAP_CAN_... */

/* Names of mailboxes and sets of flags are as they stand in a command: quoted, and in parentheses. */

gboolean imap_select(struct imap *imap, const char *mailbox, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The mailbox that imap_select() opened. Borrowed; changes with every command. */
const struct imap_mailbox *imap_mailbox(const struct imap *imap);

/* Fails if there is no such mailbox. */
gboolean imap_check(struct imap *imap, const char *mailbox, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Append to uids (of guint32) the mails that meet criteria among the low-th to the high-th of the mailbox. */
gboolean imap_search(struct imap *imap, guint32 low, guint32 high, const char *criteria, GArray *uids,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Put a mail into spool, which is cleared, without changing its flags. Not more than max + 1 bytes are
 * asked for. */
gboolean imap_fetch(struct imap *imap, guint32 uid, guint64 max, struct spool *spool,
    enum imap_fetched *fetched, GError **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean imap_store(
    struct imap *imap, guint32 uid, const char *flags, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* To another mailbox. A server without MOVE copies it and marks the original \Deleted. */
gboolean imap_move(
    struct imap *imap, guint32 uid, const char *mailbox, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Delete this mail only: a server without UIDPLUS marks it \Deleted and keeps it, since EXPUNGE would
 * delete what others have marked. */
gboolean imap_delete(struct imap *imap, guint32 uid, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Wait for new mail, at most for seconds (less than 29 minutes, RFC 2177), or until wake (a descriptor) is
 * readable. Returns at once if new mail was announced since the last imap_search(). */
gboolean imap_idle(struct imap *imap, guint seconds, int wake, GError **error) G_GNUC_WARN_UNUSED_RESULT;
