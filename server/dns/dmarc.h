/*
 * dmarc.h - a DMARC record (RFC 9989 sections 4.7 and 4.8), and what is wrong with it.
 *
 * What RFC 7489 had beyond it (pct, rf, ri, sizes behind addresses) is named, and not used. Knows nothing of where records
 * are looked for (server/dns/treewalk.h), nor of the DNS.
 */
#pragma once

#include "server/dns/findings.h"

#define DMARC_URIS_MAX 20 /* addresses of a tag that are kept; few reporters send to more than two */

/* An address that reports are wanted at. */
struct dmarc_uri {
	char *uri;     /* as written, without a size */
	char *address; /* that of a mailto, decoded */
	char *host;    /* behind its last '@': a lower-case A-label name */
};

/* Values are in small letters, and NULL where the tag is absent or has no value that counts. */
struct dmarc_record {
	char *text;
	char *p, *sp, *np;
	char *adkim, *aspf;
	char *fo;
	char *psd, *t;
	GPtrArray *rua, *ruf; /* struct dmarc_uri that can be used: mailto; others are findings only */
	gboolean applies; /* it has a policy: p is valid, or p is "none" because of a rua (section 4.10.1) */
};

/*
 * Read text, which is a record (treewalk_is_record()). name: where it was found ("_dmarc.example.com"), for the findings;
 * findings may be NULL. record is filled whatever the text is, and to be cleared.
 */
void dmarc_read(const char *name, const char *text, struct dmarc_record *record, struct findings *findings);
void dmarc_clear(struct dmarc_record *record);

/* The record as it should be: what counts of it, in order. Transfer full. */
char *dmarc_print(const struct dmarc_record *record) G_GNUC_WARN_UNUSED_RESULT;

/* "mailto:a@b.example!10m" into an address. FALSE: it is of no use, and *why says so (static). *size: it has a size. */
gboolean dmarc_uri_read(const char *text, struct dmarc_uri *uri, gboolean *size, const char **why);
void dmarc_uri_clear(struct dmarc_uri *uri);

/* TRUE when text would be a record but for case, blanks, a ';' or the like ("V=dmarc1", " v=DMARC1"): it is ignored. */
gboolean dmarc_is_near(const char *text);
