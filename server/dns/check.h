/*
 * check.h - the DNS of one domain, as far as mail and its reports need it: the records, their effect, and
 * findings.
 *
 * As a struct, and as a JSON document that is stored and shown. Members of the document are only added, never
 * removed.
 *
 *   domain               as checked: a lower-case A-label name
 *   checked_at           RFC 3339, UTC
 *   ok                   no finding has severity "error"
 *   answered             false: no DNS server answered, and the rest means nothing
 *   findings[]           errors first
 *     code               a word of the table in findings.c
 *     severity           "error", "warning", "info"
 *     place              a DNS name and type, then the place in the record: "_dmarc.example.com TXT: rua"
 *     text, fix         a sentence; the record to publish as in a zone file, or null
 *   dmarc
 *     name               of the record that applies ("_dmarc.example.com"), or null
 *     record             its text, or null
 *     organizational_domain   by the tree walk (RFC 9989 section 4.10)
 *     policy_tag         which of its tags applies to the domain: "p", "sp" or "np"; or null
 *     p sp np adkim aspf fo psd t    values as read, null if absent or invalid; effective has what p, sp and
 *       np amount to
 *     rua[] ruf[]        usable URIs, as written
 *     effective          null if DMARC does not apply, else "none", "quarantine" or "reject" for
 *       domain subdomains nonexistent_subdomains    as published, before the effect of t=y
 *   reports[]            one for each address of rua or ruf
 *     tag uri address host    "rua" or "ruf"
 *     external           the host is of another Organizational Domain
 *     authorised         true, false; null if the look-up failed
 *     override[]         addresses that the host sets instead (RFC 9990 section 4), else empty
 *     expected_record    what the host must publish; null if it is not external
 *     accepts_mail       the host has an MX or address; null if the look-up failed
 *   spf
 *     record             of the domain, or null
 *     result             "none", "ok", "temperror", "permerror"
 *     lookups void_lookups    of all terms (limits 10 and 2)
 *     more_lookups       there are more look-ups: behind an include or redirect that depends on the mail,
 *                        behind a look-up that failed, or beyond the limit of a check
 *     all                the qualifier of addresses in no range: "-", "~", "?", "+"; null: absent, which
 *                        means "?"
 *     ranges[]           the first that contains an address decides
 *       range qualifier  "192.0.2.0/24"; "+", "-", "~", "?"
 *       term via         the term as written, and the domain of its record
 *     tree[]             terms that cost look-ups, each followed by those in the record that it includes
 *       depth            0: of the domain's own record
 *       term via         the term as written, and the domain of its record
 *       lookups          of the term and of all behind it
 *     unlisted[]         terms that depend on the mail, so they have no range
 *   dkim[]               one for each selector
 *     domain selector
 *     record             its text, or null
 *     status             "ok", "missing", "revoked", "invalid", "unknown"
 *     key_type bits      "rsa", "ed25519" or null; 0 if unknown
 *     testing            true, false
 *     probed             tried under a usual name, because no report has it; only usable keys are listed
 *   dkim_selectors       which were looked for: "given" by a person, the "usual" ones only, or those in
 *                        stored "reports" and the usual ones
 *   mx[]                 preference, host, addresses[], as in the zone; host "" is the null MX (RFC 7505)
 *     tlsa[]             DANE for SMTP (RFC 7672), at _25._tcp.HOST:
 *       usage selector matching_type data   as in a zone file; the first three are null and data is the
 *                        complete record if it has fewer fields
 *       usable           for SMTP
 *     tlsa_authentic     the DNS server asked has checked the records by DNSSEC; null: there are none, or
 *                        this server checks nothing or cannot be trusted
 *   ns                   zone: that the domain belongs to, or null; servers[], its name servers:
 *     host addresses[]
 *     answers            for the zone; null: not asked, or no server can be asked from here (ns_blocked)
 *     serial             of the zone, as a text, or null
 *   dnssec               of the zone:
 *     signed             it has a DS in the zone above, or its records were validated; null: unknown
 *     validated          by the DNS server asked; null: this server checks nothing or cannot be trusted
 *   bimi                 record (or null) at default._bimi; location and authority, its l= and a=, or null
 *   tls_rpt              record (or null), rua[]
 *   mta_sts              record and id, or null
 *     policy_host        mta-sts.DOMAIN has an address; null: there is no record, or the look-up failed
 *     policy             mode, max_age in seconds, mx[]; null: not fetched, or invalid
 *   senders[]            the domain's own hosts: its MX, and the addresses and small networks of its own SPF
 *                        record
 *     ip name            name: of its PTR record, or null
 *     confirmed          the name has this address; null if the look-up failed
 *   blocklists[]         one for each list that was asked
 *     zone name url terms  of the list; url and terms may be null
 *     status             "ok"; "refused": it does not answer us; "unusable": it is closed or lists
 *                        everything; "failed": no answer. If it is not "ok", nothing follows from an empty
 *                        found
 *     why                the status in words, or null if it is "ok"
 *     asked              how many addresses and domains it was asked about
 *     found[]            subject (an address, or the domain), codes ("127.0.0.2"), words (what they
 *                        mean), text (what the list says, or null)
 *   elsewhere[]          "TXT example.net": questions that the DNS server does not answer for, so that the
 *                        system's were asked; only for ruad check --resolver
 *
 * Texts come from the DNS, cut to CHECK_TEXT_MAX bytes, and are not trusted.
 */
#pragma once

#include <json-c/json.h>

#include "server/dns/blocklist.h"
#include "server/dns/dkim.h"
#include "server/dns/dmarc.h"
#include "server/dns/resolver.h"
#include "server/dns/spf.h"
#include "server/dns/sts.h"
#include "server/dns/treewalk.h"

#define CHECK_QUESTIONS_MAX 500  /* of one check: ten SPF terms with ten hosts each, and the rest */
#define CHECK_SECONDS_MAX   60   /* for all questions of one check */
#define CHECK_MX_MAX        20   /* hosts of the domain that are checked */
#define CHECK_SERVERS_MAX   8    /* name servers that are examined */
#define CHECK_SENDERS_MAX   32   /* addresses whose names are looked up */
#define CHECK_NETWORK_MAX   16   /* addresses of an SPF network whose names are looked up */
#define CHECK_NAMES_MAX     5    /* names of an address that are checked */
#define CHECK_SELECTORS_MAX 100  /* of DKIM */
#define CHECK_TEXT_MAX      4096 /* bytes of a record in the document */

/* A DKIM key to look for. */
struct check_selector {
	const char *selector;
	const char *domain; /* d=; NULL: the domain checked */
	gboolean probed;    /* a guess: a missing key is not a finding */
};

/* Append the selectors that programs and services usually have, as probed, unless selectors (of struct
 * check_selector) has them for domain; NULL: the domain checked. */
void check_add_usual_selectors(GArray *selectors, const char *domain);

/* Where the selectors come from. */
enum check_selectors_from {
	CHECK_FROM_GIVEN,   /* a person named them */
	CHECK_FROM_USUAL,   /* the usual ones only */
	CHECK_FROM_REPORTS, /* those in stored reports, and the usual ones */
};

/* Fetch a file by HTTPS: see https_get(). */
typedef char *(*check_fetch)(
    const char *host, const char *path, const GPtrArray *addresses, gsize max, char **why);

struct check_options {
	const struct check_selector
	    *selectors; /* borrowed for the call; at most CHECK_SELECTORS_MAX are used */
	gsize n_selectors;
	enum check_selectors_from selectors_from;
	/* struct blocklist: to be asked, which tells them of the domain's hosts; NULL: none */
	const GPtrArray *blocklists;
	check_fetch fetch;   /* for the policy of MTA-STS; NULL: it is not fetched */
	const char *mailbox; /* for the record to publish if there is none; NULL: dmarc-sum@ the domain */
};

/* The answer to a question that needs a look-up. */
enum check_known {
	CHECK_NO,
	CHECK_YES,
	CHECK_UNKNOWN, /* the look-up failed */
};

struct check_dmarc {
	char *name; /* of the record that applies; NULL: none does, and record is empty */
	char *org;
	enum treewalk_tag tag;
	struct dmarc_record record;
	const char *policy;     /* for the domain; these three are static, and NULL if DMARC does not apply */
	const char *subdomains; /* that exist */
	const char *nonexistent; /* subdomains that do not exist */
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
	char *record; /* or NULL */
	struct dkim_key key;
	gboolean probed;
};

/* A TLSA record (RFC 6698 section 2.1). */
struct check_tlsa {
	gboolean complete; /* it has all fields; else usage, selector and matching mean nothing */
	guint8 usage, selector, matching;
	char *data;      /* in hex */
	gboolean usable; /* by senders of mail (RFC 7672 section 3.1) */
};

struct check_mx {
	char *host;
	guint16 preference;
	GPtrArray *addresses;            /* char * */
	GPtrArray *tlsa;                 /* struct check_tlsa; NULL: the null MX */
	enum check_known tlsa_authentic; /* if there are some */
};

struct check_server {
	char *host;
	GPtrArray *addresses; /* char * */
	enum check_known answers;
	char *serial; /* of the zone; or NULL */
};

struct check_sender {
	struct ip_range ip;
	char *host; /* that has this address by MX or SPF, or NULL */
	char *name; /* or NULL */
	enum check_known confirmed;
};

struct check {
	char *domain;
	gint64 checked_at; /* seconds since 1970 */
	gboolean answered; /* a server answered; else the rest is empty */
	struct findings *findings;
	struct check_dmarc dmarc;
	GPtrArray *reports; /* struct check_report */
	struct spf_policy spf;
	GPtrArray *dkim; /* struct check_dkim */
	enum check_selectors_from selectors_from;
	GPtrArray *mx;                /* struct check_mx */
	char *zone;                   /* that the domain belongs to; NULL: unknown */
	GPtrArray *servers;           /* struct check_server: its name servers */
	enum check_known validating;  /* the DNS server validates, and is believed */
	enum check_known is_signed;   /* the zone is, by DNSSEC */
	enum check_known validated;   /* and the DNS server has checked it; UNKNOWN if it is not validating */
	char *bimi;                   /* the record, or NULL */
	char *bimi_location;          /* its l=, or NULL */
	char *bimi_authority;         /* its a=, or NULL */
	char *tls_rpt;                /* the record, or NULL */
	GPtrArray *tls_rua;           /* char * */
	char *sts;                    /* the record of MTA-STS, or NULL */
	char *sts_id;                 /* its id, or NULL */
	enum check_known sts_host;    /* there is a record, and the host of the policy has an address */
	struct sts_policy sts_policy; /* mode NULL: not fetched, or invalid */
	GPtrArray *senders;           /* struct check_sender */
	GPtrArray *blocklists;        /* struct blocklist_result; NULL: none was asked */
	GPtrArray *elsewhere;         /* char *; NULL: none */
};

/*
 * Check domain, as a person may write it. checked_at: now, in seconds since 1970. RUAD_ERROR_SYNTAX: it is
 * not a domain. The source limits the number of questions and their time: see check_with().
 */
struct check *check_run(const struct dns_source *source, const char *domain,
    const struct check_options *options, gint64 checked_at, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same with a resolver, within CHECK_QUESTIONS_MAX and CHECK_SECONDS_MAX. */
struct check *check_with(struct resolver *resolver, const char *domain, const struct check_options *options,
    gint64 checked_at, GError **error) G_GNUC_WARN_UNUSED_RESULT;

void check_free(struct check *check); /* NULL is allowed */

/* The document described above. Transfer full. */
struct json_object *check_json(struct check *check) G_GNUC_WARN_UNUSED_RESULT;

/* Add its member "blocklists" to object. results: struct blocklist_result, or NULL. */
void check_add_blocklists(struct json_object *object, const GPtrArray *results);

const char *check_known_word(enum check_known known);             /* "no", "yes", "unknown" */
const char *check_selectors_word(enum check_selectors_from from); /* "given", "usual", "reports" */
