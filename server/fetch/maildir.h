/*
 * maildir.h - the mails of a Maildir that are not marked, and how they are marked.
 *
 * These are all files in new/, and those in cur/ without the flags S (seen) and T (trashed): a mail client
 * may have moved a mail there without anybody having read it. tmp/ is never looked at: what is there is not
 * complete. Only regular files are read, and no symbolic link is followed, not even in place of new/ or cur/.
 */
#pragma once

#include "server/common/spool.h"

struct maildir;

struct maildir_mail {
	char *name;      /* of the file */
	gboolean is_new; /* in new/, otherwise in cur/ */
};

enum maildir_got {
	MAILDIR_GOT,
	MAILDIR_TOO_LARGE, /* more than max bytes */
	MAILDIR_GONE,      /* somebody else moved or removed it */
	MAILDIR_NO_FILE,   /* a folder, a link, a device, or not for us to read */
};

/* Open new/ and cur/ of the folder. RUAD_ERROR_SYSTEM if one is missing or cannot be written to, since then
 * no mail could be marked. */
struct maildir *maildir_open(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void maildir_close(struct maildir *maildir); /* NULL is allowed */

/* At most max mails (struct maildir_mail, transfer full), sorted by name: about the order of arrival. */
GPtrArray *maildir_list(struct maildir *maildir, guint max, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Put a mail into spool, which is cleared. RUAD_ERROR_SYSTEM if the spool has no room. */
gboolean maildir_read(const struct maildir *maildir, const struct maildir_mail *mail, guint64 max,
    struct spool *spool, enum maildir_got *got, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Move a mail to cur/ with these flags beside its own. It is not a failure if it is gone. */
gboolean maildir_mark(const struct maildir *maildir, const struct maildir_mail *mail, const char *flags,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;

gboolean maildir_delete(
    const struct maildir *maildir, const struct maildir_mail *mail, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* -- names -- */

/* Whether a file with this name is to be taken, if it is one. */
gboolean maildir_wants(const char *name, gboolean is_new);

/* The name in cur/ with these flags beside its own, in the order of ASCII. Transfer full. */
char *maildir_marked_name(const char *name, const char *flags) G_GNUC_WARN_UNUSED_RESULT;
