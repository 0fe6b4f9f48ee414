/*
 * handover.h - hands mails to ruad's own LMTP socket, and says what became of each.
 *
 * The connection is kept from mail to mail. Knows nothing of where a mail comes from.
 */
#pragma once

#include "server/common/spool.h"

enum handed {
	HANDED_STORED,  /* 250: the mail is in the database */
	HANDED_LATER,   /* 4xx, or no server: to be tried again; pause before the next mail */
	HANDED_REFUSED, /* 5xx to its size or content: it will never be stored */
};

struct handover;

/* address: of net.h, what ruad-ingest listens on. recipient: a pattern of lmtp.recipients. Both are copied.
 * The handover lives as long as the process. */
struct handover *handover_new(const char *address, const char *recipient) G_GNUC_WARN_UNUSED_RESULT;

enum handed handover_mail(struct handover *handover, const struct spool *mail);

/* Why the last mail was not stored: the server's words, fit for the log. Borrowed. */
const char *handover_reason(const struct handover *handover);

/* Seconds to wait after HANDED_LATER: 1, doubled each time up to 60, until a mail is stored or refused. */
guint handover_pause(const struct handover *handover);

/* Close the connection before a long pause; the next mail opens another. */
void handover_rest(struct handover *handover);
