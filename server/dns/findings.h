/*
 * findings.h - what is wrong with the DNS of a domain, or could be better, and what to do about it.
 *
 * Codes never change, because they are stored and shown; each has one severity. The table in findings.c
 * explains them.
 */
#pragma once

#include <glib.h>

#include "server/dns/dns.h"

enum finding_severity {
	FINDING_ERROR,   /* it does not work as intended */
	FINDING_WARNING, /* it works only in part, or only for some */
	FINDING_INFO,    /* it works; it could be better, or this is good to know */
};

enum finding_code {
	/* the DNS itself */
	FINDING_DNS_FAILED,
	FINDING_DOMAIN_MISSING,
	/* _dmarc */
	FINDING_DMARC_MISSING,
	FINDING_DMARC_SEVERAL,
	FINDING_DMARC_IGNORED,
	FINDING_DMARC_MISPLACED,
	FINDING_DMARC_UNRELATED,
	FINDING_DMARC_INHERITED,
	FINDING_DMARC_SYNTAX,
	FINDING_DMARC_SEPARATOR,
	FINDING_DMARC_DUPLICATE_TAG,
	FINDING_DMARC_UNKNOWN_TAG,
	FINDING_DMARC_REMOVED_TAG,
	FINDING_DMARC_VALUE,
	FINDING_DMARC_NO_POLICY,
	FINDING_DMARC_AS_NONE,
	FINDING_DMARC_P_MISSING,
	FINDING_DMARC_P_NOT_SECOND,
	FINDING_DMARC_P_NONE,
	FINDING_DMARC_SUBDOMAINS_NONE,
	FINDING_DMARC_SUBDOMAINS_UNUSED,
	FINDING_DMARC_TESTING,
	FINDING_DMARC_PSD,
	FINDING_DMARC_FO,
	FINDING_DMARC_RUA_MISSING,
	FINDING_DMARC_URI,
	FINDING_DMARC_URI_SIZE,
	FINDING_DMARC_URI_MANY,
	/* where reports go */
	FINDING_REPORT_UNAUTHORISED,
	FINDING_REPORT_MISPLACED,
	FINDING_REPORT_OVERRIDE,
	FINDING_REPORT_HOST,
	/* SPF */
	FINDING_SPF_MISSING,
	FINDING_SPF_SEVERAL,
	FINDING_SPF_IGNORED,
	FINDING_SPF_SENDER_ID,
	FINDING_SPF_SYNTAX,
	FINDING_SPF_MODIFIER,
	FINDING_SPF_WIDE,
	FINDING_SPF_PRIVATE,
	FINDING_SPF_LOOKUPS,
	FINDING_SPF_VOID_LOOKUPS,
	FINDING_SPF_VOID,
	FINDING_SPF_VOID_IPV6,
	FINDING_SPF_LOOP,
	FINDING_SPF_INCLUDE,
	FINDING_SPF_MX_MANY,
	FINDING_SPF_DUPLICATE,
	FINDING_SPF_PTR,
	FINDING_SPF_ALL_PASS,
	FINDING_SPF_ALL_NEUTRAL,
	FINDING_SPF_ALL_MISSING,
	FINDING_SPF_AFTER_ALL,
	FINDING_SPF_EXP,
	FINDING_SPF_HOST_BITS,
	FINDING_SPF_LONG,
	FINDING_SPF_UNLISTED,
	FINDING_SPF_MANY_RANGES,
	/* DKIM */
	FINDING_DKIM_MISSING,
	FINDING_DKIM_SEVERAL,
	FINDING_DKIM_INVALID,
	FINDING_DKIM_REVOKED,
	FINDING_DKIM_SHORT,
	FINDING_DKIM_WEAK,
	FINDING_DKIM_TESTING,
	/* MX */
	FINDING_MX_MISSING,
	FINDING_MX_HOST,
	FINDING_MX_ALIAS,
	FINDING_PARKED,
	/* NS */
	FINDING_NS_HOST,
	FINDING_NS_SILENT,
	FINDING_NS_SINGLE,
	FINDING_NS_SERIAL,
	FINDING_NS_BLOCKED,
	/* DNSSEC */
	FINDING_DNSSEC_BROKEN,
	/* _smtp._tls */
	FINDING_TLSRPT_MISSING,
	FINDING_TLSRPT_INVALID,
	FINDING_TLSRPT_HOST,
	FINDING_TLSRPT_TAG,
	/* _mta-sts */
	FINDING_MTA_STS_INVALID,
	FINDING_MTA_STS_TAG,
	FINDING_MTA_STS_HOST,
	FINDING_MTA_STS_POLICY,
	FINDING_MTA_STS_MX,
	/* TLSA of the MX hosts */
	FINDING_TLSA_INVALID,
	FINDING_TLSA_INSECURE,
	FINDING_TLSA_FAILED,
	FINDING_TLSA_MX,
	FINDING_TLSA_PARTIAL,
	/* default._bimi */
	FINDING_BIMI_INVALID,
	FINDING_BIMI_POLICY,
	FINDING_BIMI_TAG,
	FINDING_BIMI_EVIDENCE,
	/* the domain's own hosts */
	FINDING_SENDER_NAMELESS,
	FINDING_SENDER_UNCONFIRMED,
	FINDING_BLOCKLISTED,
	FINDING_BLOCKLIST_SILENT,
	FINDING_CODES, /* how many there are */
};

#define FINDINGS_MAX 100 /* of each severity; others are dropped */

struct finding {
	enum finding_code code;
	char *place; /* a DNS name and type, then the place in the record: "_dmarc.example.com TXT: rua" */
	char *text;  /* a sentence without period */
	char *fix;   /* the record to publish, as in a zone file; NULL if the text says what to do */
};

struct findings;

struct findings *findings_new(void) G_GNUC_WARN_UNUSED_RESULT;
void findings_free(struct findings *findings);

/* Add a finding, unless its severity has FINDINGS_MAX, or the same code, place and text is there already.
 * place is copied; fix: transfer full, or NULL. */
void findings_add(struct findings *findings, enum finding_code code, const char *place, char *fix,
    const char *format, ...) G_GNUC_PRINTF(5, 6);

/* Add FINDING_DNS_FAILED: name could not be looked up. */
void findings_add_failed(
    struct findings *findings, enum dns_type type, const char *name, const struct dns_answer *answer);

guint findings_count(const struct findings *findings);
guint findings_count_of(const struct findings *findings, enum finding_severity severity);
/* The i-th finding: errors first, then in the order in which they were added. Borrowed until the next is
 * added. */
const struct finding *findings_get(struct findings *findings, guint i);

/* Whether there is one with this code. */
gboolean findings_have(const struct findings *findings, enum finding_code code);
gboolean findings_have_error(const struct findings *findings);

const char *finding_code_word(enum finding_code code); /* "dmarc_missing" */
enum finding_severity finding_severity_of(enum finding_code code);
const char *finding_severity_word(enum finding_severity severity); /* "error", "warning", "info" */

/* A TXT record as it stands in a zone file: 'name. TXT "text"', in pieces of at most 255 bytes. Transfer
 * full. */
char *finding_txt_record(const char *name, const char *text) G_GNUC_WARN_UNUSED_RESULT;
