/*
 * fake_intake.h - an intake that records the mails it gets, and fails if the test says so.
 *
 * It replaces intake.c in tests of the code that calls it: sessions and listening sockets.
 */
#pragma once

#include "server/ingest/intake.h"

struct intake {
	GMutex lock;
	GString *mails; /* "lmtp <from> <recipient>...: content|" for each */
	gboolean fails;
	struct intake_counts counts;       /* of each mail */
	const char *queue_id, *message_id; /* in the header of each mail, or NULL */
};

struct intake *fake_intake_new(void);
void fake_intake_free(struct intake *intake);

/* Returns the mails since the last call. Transfer full. */
char *fake_intake_mails(struct intake *intake);
