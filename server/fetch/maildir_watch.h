/*
 * maildir_watch.h - takes mails out of Maildirs: each is handed to ruad, and is done only after ruad has
 * stored it.
 *
 * A stored mail is then moved to cur/ with the flag S, or deleted if maildir.after says so. A mail that ruad
 * refuses, or that is larger than lmtp.max_message_size, is moved to cur/ with the flags F and S. New mail is
 * noticed at once by inotify; every minute all is looked at, since not every file system tells.
 */
#pragma once

#include "server/common/errands.h"
#include "server/common/settings.h"
#include "server/fetch/handover.h"

/* Words of maildir.after. */
enum maildir_after { MAILDIR_AFTER_SEEN, MAILDIR_AFTER_DELETE };

struct maildir_watch {
	const char *const *paths; /* NULL-terminated, at least one */
	enum maildir_after after;
	struct handover *handover;
	guint64 max;           /* lmtp.max_message_size */
	const char *folder;    /* for mails that do not fit into memory, or NULL */
	int wake;              /* of wake.h */
	struct errand *errand; /* counts mails and failures, or NULL */
};

/* Never returns. */
void maildir_watch_run(const struct maildir_watch *watch) G_GNUC_NORETURN;
