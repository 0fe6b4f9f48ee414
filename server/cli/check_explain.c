#include "server/cli/check_explain.h"

#include <string.h>

#include "server/dns/spf.h"
#include "server/dns/tags.h"

/* -- records of tags -- */

/* The first row with the tag's name and value applies. */
static const struct row {
	enum explain_kind kind;
	const char *name;
	const char *value; /* NULL: any */
	const char *words;
} ROWS[] = {
	{ EXPLAIN_DMARC, "v", NULL, "this is a DMARC record" },
	{ EXPLAIN_DMARC, "p", "none", "mail that fails is delivered as usual" },
	{ EXPLAIN_DMARC, "p", "quarantine", "mail that fails is suspicious, as for a spam folder" },
	{ EXPLAIN_DMARC, "p", "reject", "mail that fails is refused" },
	{ EXPLAIN_DMARC, "sp", NULL, "the same for subdomains that exist, in place of p" },
	{ EXPLAIN_DMARC, "np", NULL, "the same for subdomains that do not exist, in place of sp" },
	{ EXPLAIN_DMARC, "adkim", "s", "the domain of the DKIM signature must be the one in From" },
	{ EXPLAIN_DMARC, "adkim", "r", "the DKIM signature may be by any domain of the same organization" },
	{ EXPLAIN_DMARC, "aspf", "s", "the domain that passes SPF must be the one in From" },
	{ EXPLAIN_DMARC, "aspf", "r", "SPF may pass for any domain of the same organization" },
	{ EXPLAIN_DMARC, "rua", NULL, "where aggregate reports are sent, once a day" },
	{ EXPLAIN_DMARC, "ruf", NULL, "where reports on single messages are sent; few receivers send them" },
	{ EXPLAIN_DMARC, "fo", NULL,
	    "when a report on a message is wanted: 0 if nothing passes, 1 if DKIM or SPF does not, "
	    "d if a signature fails, s if SPF fails" },
	{ EXPLAIN_DMARC, "psd", "y", "this is a public suffix: each name below it is an organization" },
	{ EXPLAIN_DMARC, "psd", "n", "this is the domain of an organization, even below another one" },
	{ EXPLAIN_DMARC, "psd", "u", "the records above say whether this is a public suffix" },
	{ EXPLAIN_DMARC, "t", "y", "a test: reject acts as quarantine, and quarantine as none" },
	{ EXPLAIN_DMARC, "t", "n", "no test: the policy applies as written" },
	{ EXPLAIN_DMARC, "pct", NULL,
	    "the share of failing mail to which old receivers (RFC 7489) apply the policy" },
	{ EXPLAIN_DMARC, "rf", NULL, "no effect: of RFC 7489" },
	{ EXPLAIN_DMARC, "ri", NULL, "no effect: of RFC 7489" },
	{ EXPLAIN_DKIM, "v", NULL, "this is a DKIM key" },
	{ EXPLAIN_DKIM, "k", NULL, "the kind of key" },
	{ EXPLAIN_DKIM, "p", "", "the key is revoked: signatures with it fail" },
	{ EXPLAIN_DKIM, "p", NULL, "the public key" },
	{ EXPLAIN_DKIM, "h", NULL, "the hash algorithms that signatures may use" },
	{ EXPLAIN_DKIM, "s", NULL, "what the key may sign: email, or * for anything" },
	{ EXPLAIN_DKIM, "t", NULL,
	    "y: a test, verifiers act as if there were no signature; s: no signatures for subdomains" },
	{ EXPLAIN_DKIM, "n", NULL, "a note for people" },
	{ EXPLAIN_TLSRPT, "v", NULL, "this is a TLS reporting record" },
	{ EXPLAIN_TLSRPT, "rua", NULL, "where reports on failed TLS are sent, once a day" },
	{ EXPLAIN_MTA_STS, "v", NULL,
	    "this is an MTA-STS record: there is a policy on TLS for mail to the domain" },
	{ EXPLAIN_MTA_STS, "id", NULL, "changes with the policy, so that senders fetch it again" },
	{ EXPLAIN_BIMI, "v", NULL, "this is a BIMI record: a logo for mail programs to show" },
	{ EXPLAIN_BIMI, "l", "", "there is no logo" },
	{ EXPLAIN_BIMI, "l", NULL, "where the logo is" },
	{ EXPLAIN_BIMI, "a", "", "there is no evidence" },
	{ EXPLAIN_BIMI, "a", NULL, "where the evidence is that the logo may be used: a mark certificate" },
	{ EXPLAIN_BIMI, "avp", NULL, "which picture is preferred: brand, or personal" },
	{ EXPLAIN_BIMI, "lps", NULL, "which local parts of addresses have a logo of their own" },
};

static const char *words_of(enum explain_kind kind, const char *name, const char *value)
{
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++)
		if (ROWS[i].kind == kind && g_ascii_strcasecmp(ROWS[i].name, name) == 0 &&
		    (ROWS[i].value == NULL || g_ascii_strcasecmp(ROWS[i].value, value) == 0))
			return ROWS[i].words;
	return "no such tag or value: it has no effect";
}

static void explain_tags(enum explain_kind kind, const char *record, explain_told told, gpointer user)
{
	struct tag tag;

	while (tag_next(&record, &tag)) {
		g_autofree char *name = tag_name(&tag);
		g_autofree char *value = tag_value(&tag);
		g_autofree char *written = g_strdup_printf("%s=%s", name, value);

		told(user, tag.name_size == 0 ? value : written, words_of(kind, name, value));
	}
}

/* -- TLSA -- */

char *explain_tlsa(guint usage, guint selector, guint matching)
{
	static const char *const USAGES[] = { "for the web only", "for the web only",
		"an authority that signs the host's certificate", "the host itself" };
	static const char *const SELECTORS[] = { "its certificate", "its public key" };
	static const char *const MATCHINGS[] = { "in full", "by SHA-256", "by SHA-512" };

	if (usage >= G_N_ELEMENTS(USAGES) || selector >= G_N_ELEMENTS(SELECTORS) ||
	    matching >= G_N_ELEMENTS(MATCHINGS))
		return g_strdup("no such values: it has no effect");
	return g_strdup_printf("%s: %s, %s", USAGES[usage], SELECTORS[selector], MATCHINGS[matching]);
}

/* -- SPF -- */

/* What the address of the sender is compared with. Transfer full. */
static char *senders_of(const struct spf_term *term)
{
	const char *domain = term->domain == NULL ? "this domain" : term->domain;

	switch (term->kind) {
	case SPF_ALL:
		return g_strdup("all others");
	case SPF_INCLUDE:
		return g_strdup_printf("those that the SPF record of %s lets pass", domain);
	case SPF_A:
		return g_strdup_printf("the addresses of %s", domain);
	case SPF_MX:
		return g_strdup_printf("the mail servers (MX) of %s", domain);
	case SPF_PTR:
		return g_strdup_printf("hosts whose name ends in %s; not to be used", domain);
	case SPF_EXISTS:
		return g_strdup_printf("those for which %s is in the DNS", domain);
	default:
		return g_strdup("these addresses");
	}
}

static const char *result_words(char qualifier)
{
	switch (qualifier) {
	case '-':
		return "fail";
	case '~':
		return "fail softly";
	case '?':
		return "neither pass nor fail";
	default:
		return "pass";
	}
}

/* Transfer full. */
static char *term_words(const struct spf_term *term)
{
	g_autofree char *senders = NULL;

	switch (term->kind) {
	case SPF_REDIRECT:
		return g_strdup_printf("for all others, the SPF record of %s decides", term->domain);
	case SPF_EXP:
		return g_strdup_printf("the explanation for senders that fail is at %s", term->domain);
	case SPF_OTHER:
		return g_strdup("no effect: there is no such modifier");
	default:
		senders = senders_of(term);
		return g_strdup_printf("%s: %s", result_words(term->qualifier), senders);
	}
}

static void explain_terms(const char *text, explain_told told, gpointer user)
{
	struct spf_record record;

	if (!spf_record_read(text, &record, NULL))
		return;
	for (guint i = 0; i < record.n_terms; i++) {
		g_autofree char *words = term_words(&record.terms[i]);

		told(user, record.terms[i].text, words);
	}
	spf_record_clear(&record);
}

void explain_record(enum explain_kind kind, const char *record, explain_told told, gpointer user)
{
	if (kind == EXPLAIN_SPF)
		explain_terms(record, told, user);
	else
		explain_tags(kind, record, told, user);
}
