/*
 * dmarc.h - a DMARC record (RFC 9989 sections 4.7 and 4.8), and its findings.
 *
 * Tags and syntax that only RFC 7489 has (pct, rf, ri, sizes after addresses) give findings and have no
 * effect. Knows nothing of look-ups, nor of where records are found (treewalk.h).
 */
#pragma once

#include "server/dns/findings.h"

#define DMARC_URIS_MAX 20 /* addresses of a tag that are kept; few reporters send to more than two */

/* An address for reports. */
struct dmarc_uri {
	char *uri;     /* as written, without a size */
	char *address; /* that of a mailto, decoded */
	char *host;    /* after its last '@', in lower-case A-labels */
};

/* Values are in lower case, and NULL if the tag is absent or its value is invalid; p is "none" then. fo has
 * only its valid options. */
struct dmarc_record {
	char *text;
	char *p, *sp, *np;
	char *adkim, *aspf;
	char *fo;
	char *psd, *t;
	GPtrArray *rua, *ruf; /* struct dmarc_uri: mailto only; other URIs give findings */
	gboolean applies;     /* it has a policy: that in it, or "none" because of a rua (section 4.10.1) */
	/* p is absent, or p, sp or np is invalid: if it applies, the record acts as "p=none" */
	gboolean invalid;
};

/*
 * Read text, which is a record (treewalk_is_record()). name: where it was found ("_dmarc.example.com"), for
 * the findings. findings may be NULL. record is always filled, and must be cleared. Tags after the 64th are
 * not read.
 */
void dmarc_read(const char *name, const char *text, struct dmarc_record *record, struct findings *findings);
void dmarc_clear(struct dmarc_record *record);

/*
 * The record to publish instead of text, which need not be a record. It has each policy and address of text
 * and enforces no more than its author did: pct below 100 gets t=y beside it, for receivers that ignore pct
 * (RFC 9989), and stays for those that ignore t (RFC 7489). NULL if this is not possible, e.g. because a
 * policy is misspelt. Transfer full.
 */
char *dmarc_fix(const char *text) G_GNUC_WARN_UNUSED_RESULT;

/* Parse "mailto:a@b.example!10m". Returns FALSE if it cannot be used; *why is then the reason (static).
 * *size: it has a size. */
gboolean dmarc_uri_read(const char *text, struct dmarc_uri *uri, gboolean *size, const char **why);
void dmarc_uri_clear(struct dmarc_uri *uri);

/* Whether text only fails to be a record by case, blanks, a ';' or the like ("V=dmarc1", " v=DMARC1"), or has
 * no version ("p=reject"); receivers ignore it. */
gboolean dmarc_is_near(const char *text);
