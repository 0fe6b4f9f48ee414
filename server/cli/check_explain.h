/*
 * check_explain.h - what each tag of a record does, in words for people who have not read the RFC.
 */
#pragma once

#include <glib.h>

enum explain_kind {
	EXPLAIN_DMARC,
	EXPLAIN_SPF,
	EXPLAIN_DKIM,
	EXPLAIN_TLSRPT,
	EXPLAIN_MTA_STS,
	EXPLAIN_BIMI,
};

/* Called for each tag or term, in order: as written, and what it does. */
typedef void (*explain_told)(gpointer user, const char *tag, const char *words);

/* record: of this kind; what cannot be read is passed over. */
void explain_record(enum explain_kind kind, const char *record, explain_told told, gpointer user);

/* What the first three fields of a TLSA record mean. Transfer full. */
char *explain_tlsa(guint usage, guint selector, guint matching) G_GNUC_WARN_UNUSED_RESULT;
