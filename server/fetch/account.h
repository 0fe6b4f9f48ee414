/*
 * account.h - [imap] or [imap NAME] of the settings: where mail is, how to sign in, and what becomes of a
 * stored mail.
 *
 * settings are those of one section, as settings_sections() returns them.
 */
#pragma once

#include "server/common/settings.h"

/* What is done with a mail once ruad has stored it. */
enum account_after {
	AFTER_MARK,   /* it keeps its place, and gets flags */
	AFTER_MOVE,   /* to folder */
	AFTER_DELETE, /* from the server */
};

struct account {
	char *url; /* without user and path, for libcurl */
	char *host;
	char *name; /* for the log: the user at the host */
	char *user;
	char *password;       /* or NULL */
	char **token_command; /* or NULL: prints an access token */
	char *mailbox;        /* a quoted string of IMAP, as folder */
	enum account_after after;
	char *folder;   /* AFTER_MOVE, otherwise NULL */
	char *ca_file;  /* NULL: the certification authorities of the system */
	gboolean plain; /* no TLS: only to this machine */
	guint poll;     /* seconds between looks */
};

/* Whether there is an account: [imap] has a URL, or the section has a name. */
gboolean account_is_set(const struct settings *settings);

/* RUAD_ERROR_SYNTAX names the section if it has a name, the key, and what to write. */
struct account *account_new(const struct settings *settings, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void account_free(struct account *account); /* NULL is allowed */
