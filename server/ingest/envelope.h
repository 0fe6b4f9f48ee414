/*
 * envelope.h - what comes with a document, and what becomes of it.
 */
#pragma once

#include <glib.h>

/* What becomes of a mail from LMTP that our own MTA does not call authentic (lmtp.require_authentic). */
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
};

/* What became of a document. */
struct intake_counts {
	guint stored;     /* new reports */
	guint duplicates; /* known already, byte for byte */
	guint conflicts;  /* key known, content other: kept raw */
	guint unreadable; /* quarantined, with the reason */
};
