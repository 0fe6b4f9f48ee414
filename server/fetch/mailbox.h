/*
 * mailbox.h - takes mails out of an IMAP mailbox: each is handed to ruad, and is done only after ruad has
 * stored it.
 *
 * What is done is known by the mailbox alone, never by a memory of ours: by a keyword ($RuadStored), by the
 * flag \Seen where the server keeps no keywords, or by the mail's absence after it was moved or deleted.
 * Fetching changes no flag (BODY.PEEK[]), and the mark is set after the 250. So a crash or a lost connection
 * at any moment costs at most a second fetch of one mail, which ruad recognises as a duplicate; the other
 * order would lose it. Not \Seen where there are keywords: a person who opens a mail would hide it from ruad.
 *
 * A mail that ruad refuses (5xx), or that is larger than lmtp.max_message_size, stays where it is, with the
 * keyword $RuadRefused or the flag \Flagged, so that it is not fetched again. It is tried again when somebody
 * removes that mark.
 */
#pragma once

#include "server/common/errands.h"
#include "server/fetch/account.h"
#include "server/fetch/handover.h"

/* Never returns. max: lmtp.max_message_size; folder: for mails that do not fit into memory, or NULL. wake: of
 * wake.h. errand: counts mails and failures, or NULL. */
void mailbox_run(const struct account *account, struct handover *handover, guint64 max, const char *folder,
    int wake, struct errand *errand) G_GNUC_NORETURN;
