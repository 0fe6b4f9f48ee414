/*
 * check.h - the DNS of one domain, as far as mail and the reports on it go: what is there, what it amounts to, what is wrong.
 *
 * As a struct, and as a JSON document that is stored and shown: members are only ever added to it.
 *
 *   domain               as checked: a lower-case A-label name
 *   checked_at           RFC 3339, UTC
 *   ok                   there is no finding of severity "error"
 *   answered             false: no DNS server answered, and nothing else here means anything
 *   findings[]           errors first
 *     code               a word of the table in findings.c
 *     severity           "error", "warning", "info"
 *     place              a DNS name and type, then where in the record: "_dmarc.example.com TXT: rua"
 *     text, fix         a sentence; the record to publish as in a zone file, or null
 *   dmarc
 *     name               of the record that applies ("_dmarc.example.com"), null where none does
 *     record             its text, null
 *     organizational_domain   by the tree walk (RFC 9989 section 4.10)
 *     policy_tag         which of its tags is for the domain: "p", "sp" or "np"; null
 *     p sp np adkim aspf fo psd t    values as read, null where absent or of no effect
 *     rua[] ruf[]        URIs that can be used, as written
 *     effective          null where DMARC does not apply, else "none", "quarantine" or "reject" for
 *       domain subdomains nonexistent_subdomains    as asked for, before t=y lessens it
 *   reports[]            an address of rua or ruf each
 *     tag uri address host    "rua" or "ruf"
 *     external           the host is of another Organizational Domain
 *     authorised         true, false; null: could not be looked up
 *     override[]         addresses that the host wants instead (RFC 9990 section 4), else empty
 *     expected_record    what the host must publish; null where it is not external
 *     accepts_mail       the host has an MX or address; null: could not be looked up
 *   spf
 *     record             of the domain, null
 *     result             "none", "ok", "temperror", "permerror"
 *     lookups void_lookups    of all terms (limits 10 and 2)
 *     all                the qualifier of addresses in no range: "-", "~", "?", "+"; null: not said, which is "?"
 *     ranges[]           the first that has an address decides
 *       range qualifier  "192.0.2.0/24"; "+", "-", "~", "?"
 *       term via         the term as written, and the domain whose record has it
 *     unlisted[]         terms that depend on the mail and so are in no range
 *   dkim[]               a selector each
 *     domain selector
 *     status             "ok", "missing", "revoked", "invalid", "unknown"
 *     key_type bits      "rsa", "ed25519", null; 0 where it could not be read
 *     testing            true, false
 *     probed             looked for under a usual name, since no report has it; only keys that can be used are listed
 *   mx[]                 preference, host, addresses[], as the zone has them; a host "" is the null MX (RFC 7505)
 *   tls_rpt              record (null), rua[]
 *   senders[]            the domain's own hosts: its MX, and the addresses and small networks of its own SPF record
 *     ip name            name: of its PTR record, null
 *     confirmed          the name has that address; null: could not be looked up
 *
 * Texts are those of the DNS, cut to CHECK_TEXT_MAX bytes: nothing is to be believed of them.
 */
#pragma once

#include <json-c/json.h>

#include "server/dns/dkim.h"
#include "server/dns/dmarc.h"
#include "server/dns/resolver.h"
#include "server/dns/spf.h"
#include "server/dns/treewalk.h"

#define CHECK_QUESTIONS_MAX 500  /* of one check: ten terms of SPF with ten hosts each, and the rest */
#define CHECK_SECONDS_MAX   60   /* what has no answer by then gets none */
#define CHECK_MX_MAX        20   /* hosts of the domain that are looked at */
#define CHECK_SENDERS_MAX   32   /* addresses whose names are looked up */
#define CHECK_NETWORK_MAX   16   /* addresses of a network of SPF whose names are looked up */
#define CHECK_NAMES_MAX     5    /* names of an address that are looked at */
#define CHECK_SELECTORS_MAX 100  /* of DKIM */
#define CHECK_TEXT_MAX      4096 /* bytes of a record in the document */

/* A DKIM key to look for. */
struct check_selector {
	const char *selector;
	const char *domain; /* d=; NULL: the domain checked */
	gboolean probed;    /* a guess: that there is no key says nothing */
};

struct check_options {
	const struct check_selector
	    *selectors; /* borrowed for the call; those beyond CHECK_SELECTORS_MAX are not looked at */
	gsize n_selectors;
	const char *mailbox; /* for the record to publish where there is none; NULL: dmarc-sum@ the domain */
};

/* What is known of a thing that had to be looked up. */
enum check_known {
	CHECK_NO,
	CHECK_YES,
	CHECK_UNKNOWN, /* the look-up failed */
};

struct check_dmarc {
	char *name; /* where the record that applies was found; NULL: none does, and record is empty */
	char *org;
	enum treewalk_tag tag;
	struct dmarc_record record;
	const char *policy; /* for the domain; these three are static, and NULL where DMARC does not apply */
	const char *subdomains;  /* for those that exist */
	const char *nonexistent; /* for the others */
};

struct check_report {
	const char *tag; /* "rua", "ruf" */
	char *uri, *address, *host;
	gboolean external;
	enum check_known authorised;
	GPtrArray *override; /* char * */
	char *expected_record;
	enum check_known accepts_mail;
};

struct check_dkim {
	char *domain, *selector;
	struct dkim_key key;
	gboolean probed;
};

struct check_mx {
	char *host;
	guint16 preference;
	GPtrArray *addresses; /* char * */
};

struct check_sender {
	struct ip_range ip;
	char *host; /* whose address it is by MX or SPF; NULL: not said */
	char *name; /* NULL: it has none */
	enum check_known confirmed;
};

struct check {
	char *domain;
	gint64 checked_at; /* seconds since 1970 */
	gboolean answered; /* a server did; else all that follows is empty */
	struct findings *findings;
	struct check_dmarc dmarc;
	GPtrArray *reports; /* struct check_report */
	struct spf_policy spf;
	GPtrArray *dkim;    /* struct check_dkim */
	GPtrArray *mx;      /* struct check_mx */
	char *tls_rpt;      /* the record; NULL: none */
	GPtrArray *tls_rua; /* char * */
	GPtrArray *senders; /* struct check_sender */
};

/*
 * Check domain, as a person may write it. checked_at: now. NULL with RUAD_ERROR_SYNTAX: it is no name of a domain. What a source answers
 * is bounded only by the source: see check_with().
 */
struct check *check_run(const struct dns_source *source, const char *domain,
    const struct check_options *options, gint64 checked_at, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same by a resolver, within CHECK_QUESTIONS_MAX and CHECK_SECONDS_MAX. */
struct check *check_with(struct resolver *resolver, const char *domain, const struct check_options *options,
    gint64 checked_at, GError **error) G_GNUC_WARN_UNUSED_RESULT;

void check_free(struct check *check); /* NULL is allowed */

/* The document; transfer full. */
struct json_object *check_json(struct check *check) G_GNUC_WARN_UNUSED_RESULT;

const char *check_known_word(enum check_known known); /* "no", "yes", "unknown" */
