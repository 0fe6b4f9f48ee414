/*
 * spf.h - SPF (RFC 7208): a record into its terms, a domain's policy into networks, and the result for one
 * sender.
 *
 * Look-ups go through a struct dns_source, which limits their time. The limits of section 4.6.4 end an
 * evaluation as at a receiver; a hostile record causes at most SPF_EXPANDED_MAX look-up terms. Void look-ups
 * are counted by terms (section 4.6.4): a term counts once if its look-up gives nothing.
 */
#pragma once

#include "server/dns/dns.h"
#include "server/dns/findings.h"
#include "server/dns/ip.h"

#define SPF_LOOKUPS_MAX      10   /* terms with look-ups, in total (section 4.6.4) */
#define SPF_VOID_LOOKUPS_MAX 2    /* terms whose look-up finds nothing (section 4.6.4) */
#define SPF_MX_MAX           10   /* hosts of an mx term (section 4.6.4) */
#define SPF_PTR_MAX          10   /* names of an address (section 4.6.4); others are ignored */
#define SPF_EXPANDED_MAX     40   /* terms with look-ups that an expansion counts before it gives up */
#define SPF_RANGES_MAX       2000 /* networks of an expansion; several large providers have hundreds */
#define SPF_TERMS_MAX        1000 /* of a record; a TXT record of 64 KiB could hold 16,000 */

enum spf_result {
	SPF_NONE,
	SPF_NEUTRAL,
	SPF_PASS,
	SPF_FAIL,
	SPF_SOFTFAIL,
	SPF_TEMPERROR,
	SPF_PERMERROR,
};

const char *spf_result_word(enum spf_result result); /* "none", "neutral", ... */

/* -- a record -- */

enum spf_kind {
	SPF_ALL,
	SPF_INCLUDE,
	SPF_A,
	SPF_MX,
	SPF_PTR,
	SPF_IP4,
	SPF_IP6,
	SPF_EXISTS,
	SPF_REDIRECT, /* the rest are modifiers */
	SPF_EXP,
	SPF_OTHER, /* an unknown modifier, which has no effect */
};

struct spf_term {
	enum spf_kind kind;
	char qualifier;          /* '+', '-', '~', '?'; of a mechanism */
	char *text;              /* as written */
	char *domain;            /* the domain-spec, with its macros; or NULL */
	struct ip_range network; /* ip4, ip6 */
	gboolean host_bits;      /* it was written with bits after the prefix */
	guint8 bits4, bits6;     /* a, mx: length of the prefix */
};

struct spf_record {
	struct spf_term *terms; /* in order */
	guint n_terms;
	const struct spf_term *redirect, *exp; /* among the terms; or NULL */
	const struct spf_term *all;            /* the first one */
};

/* Whether a TXT record is an SPF record (section 4.5); others are ignored. */
gboolean spf_is_record(const char *text);

/* Whether text only fails to be one by case, blanks, quotes, or a missing blank after the version. */
gboolean spf_is_near(const char *text);

/* The record that text, which is one or nearly one, was meant to be, with each of its terms. NULL if that is
 * unknown. Transfer full. */
char *spf_fix(const char *text) G_GNUC_WARN_UNUSED_RESULT;

/* Read text, which is an SPF record. RUAD_ERROR_SYNTAX: the term and what is wrong with it, which means
 * permerror. RUAD_ERROR_LIMIT: more than SPF_TERMS_MAX terms. */
gboolean spf_record_read(
    const char *text, struct spf_record *record, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void spf_record_clear(struct spf_record *record);

/* -- macros (section 7) -- */

/* What macros expand to. All is borrowed; NULL means unknown. */
struct spf_identity {
	const struct ip_range *ip; /* an address */
	const char *local;         /* of the sender, before the '@' */
	const char *sender_domain; /* after it */
	const char *helo;
};

/* Whether all of text is a macro-string. is_exp: allow the macros of explanations too. */
gboolean spf_macro_is_good(const char *text, gboolean is_exp);

/*
 * Expand text, which is a macro-string, to a name of at most 253 bytes for the domain that is evaluated.
 * validated: the value of %{p} (a name of the address, or "unknown"), or NULL if it was not looked up.
 * Transfer full; NULL if an unknown value is needed.
 */
char *spf_macro_expand(const char *text, const struct spf_identity *identity, const char *domain,
    const char *validated) G_GNUC_WARN_UNUSED_RESULT;

/* Whether text contains %{p}. */
gboolean spf_macro_needs_name(const char *text);

/* -- one sender (section 4) -- */

struct spf_verdict {
	enum spf_result result;
	char *term;   /* the term that decided, as written; NULL: none matched */
	char *via;    /* the domain whose record has it */
	char *reason; /* why it is temperror or permerror; else NULL */
	guint lookups, void_lookups;
};

/*
 * check_host() of RFC 7208 for a mail of identity at domain (lower-case A-labels). identity.ip must be set;
 * local NULL means "postmaster", sender_domain NULL means domain, helo NULL means unknown. *verdict must be
 * cleared.
 */
void spf_check(const struct dns_source *source, const struct spf_identity *identity, const char *domain,
    struct spf_verdict *verdict);
void spf_verdict_clear(struct spf_verdict *verdict);

/* -- all that a domain allows -- */

/* The qualifier of the first range that contains an address decides; if none does, spf_policy.all does. */
struct spf_range {
	struct ip_range range;
	char qualifier;
	char *term; /* as written */
	char *via;  /* the domain whose record has it */
};

enum spf_state {
	SPF_STATE_NONE, /* no record */
	SPF_STATE_OK,
	SPF_STATE_TEMPERROR, /* a name could not be looked up */
	SPF_STATE_PERMERROR, /* receivers stop at an error: the ranges are those before it */
};

const char *spf_state_word(enum spf_state state); /* "none", "ok", "temperror", "permerror" */

/* A term that costs look-ups, and what is behind it. */
struct spf_branch {
	guint depth;   /* 0: of the domain's own record */
	char *term;    /* as written */
	char *via;     /* the domain whose record has it */
	guint lookups; /* of the term and of all terms behind it */
};

struct spf_policy {
	enum spf_state state;
	char *record;                /* of the domain itself; NULL: none or several */
	guint lookups, void_lookups; /* of all terms; SPF_EXPANDED_MAX at most */
	gboolean more_lookups;       /* there are more, behind a macro of the mail or a look-up that failed */
	char all;        /* the qualifier of addresses in no range; '\0': absent, which means neutral */
	GArray *ranges;  /* struct spf_range, at most SPF_RANGES_MAX */
	GPtrArray *tree; /* struct spf_branch, at most SPF_EXPANDED_MAX: each, then those behind it */
	GPtrArray *
	    unlisted; /* char *: terms that depend on the mail, so they have no range (exists, ptr, macros) */
};

/*
 * Expand the policy of domain (lower-case A-labels) for a sender with this domain, and add findings. *policy
 * must be cleared.
 */
void spf_expand(const struct dns_source *source, const char *domain, struct spf_policy *policy,
    struct findings *findings);
void spf_policy_clear(struct spf_policy *policy);
