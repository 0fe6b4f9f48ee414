/*
 * remainder.h - what a mail in which no report was found consists of, and whether it was meant to bring one.
 *
 * Spam, bounces and automatic replies reach report mailboxes, too. They have texts, pictures and delivery
 * reports only, and no Subject of a report; whoever sends a report attaches a file. Knows nothing of how
 * reports are read.
 */
#pragma once

#include "parser/mail.h"

struct remainder {
	GString *parts;        /* by type, name and size, with what was tried: the first ones */
	guint n;               /* of all */
	gboolean is_candidate; /* a part, or the Subject, is like that of a report */
};

void remainder_init(struct remainder *remainder);
void remainder_clear(struct remainder *remainder);

/* subject may be NULL. */
void remainder_subject(struct remainder *remainder, const char *subject);

/* A part that was read. */
void remainder_add(struct remainder *remainder, const struct mail_part *part);

/* The reason, for people. Transfer full. */
char *remainder_words(const struct remainder *remainder) G_GNUC_WARN_UNUSED_RESULT;
