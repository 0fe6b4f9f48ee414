/*
 * spf.h - SPF (RFC 7208): a record into its terms, all of a domain's policy into the networks that it names, and the result
 * for one sender.
 *
 * Look-ups go through a struct dns_source. The limits of section 4.6.4 end an evaluation as they do at a receiver; no record,
 * however hostile, makes more work than SPF_EXPANDED_MAX terms. Void look-ups are counted by terms, as that section has it: a
 * term counts once when its look-up gives nothing. Time is the source's to bound.
 */
#pragma once

#include "server/dns/dns.h"
#include "server/dns/findings.h"
#include "server/dns/ip.h"

#define SPF_LOOKUPS_MAX      10 /* terms that ask the DNS, in all (section 4.6.4) */
#define SPF_VOID_LOOKUPS_MAX 2  /* that may find nothing (the same) */
#define SPF_MX_MAX           10 /* hosts of an mx term (the same) */
#define SPF_PTR_MAX          10 /* names of an address (the same); more are passed over */
#define SPF_EXPANDED_MAX                                                                                     \
	40 /* terms that ask the DNS which an expansion counts, beyond the limit, before it gives up */
#define SPF_RANGES_MAX 2000 /* networks of an expansion; large providers together have some hundreds */
#define SPF_TERMS_MAX  1000 /* of a record; a TXT record of 64 KiB could hold 16,000 */

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
	SPF_REDIRECT, /* from here on they are modifiers */
	SPF_EXP,
	SPF_OTHER, /* a modifier that is not known, and has no effect */
};

struct spf_term {
	enum spf_kind kind;
	char qualifier;          /* '+', '-', '~', '?'; of a mechanism */
	char *text;              /* as written */
	char *domain;            /* the domain-spec, with its macros; NULL: none */
	struct ip_range network; /* ip4, ip6 */
	gboolean host_bits;      /* it was written with bits behind the prefix */
	guint8 bits4, bits6;     /* a, mx: of the prefix */
};

struct spf_record {
	struct spf_term *terms; /* in order */
	guint n_terms;
	const struct spf_term *redirect, *exp; /* among the terms; NULL: there is none */
	const struct spf_term *all;            /* the first one */
};

/* Whether a TXT record is one of SPF (section 4.5): others are passed over. */
gboolean spf_is_record(const char *text);

/* It would be, but for case, blanks, quotes, or a missing blank behind the version. */
gboolean spf_is_near(const char *text);

/* Read text, which is one. RUAD_ERROR_SYNTAX: the term, and what is wrong with it; that makes a permerror. RUAD_ERROR_LIMIT: it has
 * more than SPF_TERMS_MAX terms. */
gboolean spf_record_read(
    const char *text, struct spf_record *record, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void spf_record_clear(struct spf_record *record);

/* -- macros (section 7) -- */

/* What they stand for. Names and texts are borrowed; NULL is not known. */
struct spf_identity {
	const struct ip_range *ip; /* an address */
	const char *local;         /* of the sender, before the '@' */
	const char *sender_domain; /* behind it */
	const char *helo;
};

/* Whether text is a macro-string, all of it. is_exp: also with the macros that only an explanation may have. */
gboolean spf_macro_is_good(const char *text, gboolean is_exp);

/*
 * A domain-spec as a name of at most 253 bytes, for the domain under evaluation; transfer full. validated is what %{p} is (a name of the
 * address, or "unknown"), NULL while nobody has looked. NULL: a value is needed that is not known. text is a macro-string.
 */
char *spf_macro_expand(const char *text, const struct spf_identity *identity, const char *domain,
    const char *validated) G_GNUC_WARN_UNUSED_RESULT;

/* Whether text asks for %{p}. */
gboolean spf_macro_needs_name(const char *text);

/* -- one sender (section 4) -- */

struct spf_verdict {
	enum spf_result result;
	char *term;   /* what decided, as written; NULL: nothing matched */
	char *via;    /* the domain whose record has it */
	char *reason; /* why it is temperror or permerror; NULL else */
	guint lookups, void_lookups;
};

/*
 * check_host() for the mail of sender at domain: identity.ip must be known; local NULL is "postmaster", sender_domain NULL is domain,
 * helo NULL is unknown. domain: lower-case A-labels. *verdict is to be cleared.
 */
void spf_check(const struct dns_source *source, const struct spf_identity *identity, const char *domain,
    struct spf_verdict *verdict);
void spf_verdict_clear(struct spf_verdict *verdict);

/* -- all that a domain allows -- */

/* The first range with the address decides on it, by its qualifier; where none has it, struct spf_policy.all does. */
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
	SPF_STATE_PERMERROR, /* receivers stop at some point: the ranges are those before it */
};

const char *spf_state_word(enum spf_state state); /* "none", "ok", "temperror", "permerror" */

struct spf_policy {
	enum spf_state state;
	char *record;                /* of the domain itself; NULL: none, or several */
	guint lookups, void_lookups; /* of all terms; SPF_EXPANDED_MAX at most */
	char all;       /* the qualifier of what no range has; '\0': not said, which is neutral */
	GArray *ranges; /* struct spf_range, at most SPF_RANGES_MAX */
	GPtrArray
	    *unlisted; /* char *: terms that match by the mail, and so are no ranges (exists, ptr, macros) */
};

/*
 * Expand the policy of domain (lower-case A-labels) as of a sender with that domain. What is wrong is added to findings. *policy is to
 * be cleared.
 */
void spf_expand(const struct dns_source *source, const char *domain, struct spf_policy *policy,
    struct findings *findings);
void spf_policy_clear(struct spf_policy *policy);
