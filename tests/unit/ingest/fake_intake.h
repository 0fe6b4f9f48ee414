/*
 * fake_intake.h - an intake that writes down the mails it gets and answers as the test says.
 *
 * It takes the place of intake.c for tests of what stands ahead of it: sessions, and the sockets that they come from.
 */
#pragma once

#include "server/ingest/intake.h"

struct intake {
	GMutex lock;
	GString *mails; /* "lmtp <from> <recipient>...: content|" for each */
	gboolean fails;
	struct intake_counts counts; /* of each mail */
};

struct intake *fake_intake_new(void);
void fake_intake_free(struct intake *intake);

/* What it was given so far, which is then forgotten. Transfer full. */
char *fake_intake_mails(struct intake *intake);
