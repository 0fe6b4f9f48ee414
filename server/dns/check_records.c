/* check_records.c - SPF and DKIM of a domain. */
#include "server/dns/check_parts.h"

#include <string.h>

#include "parser/text.h"

/* -- SPF -- */

/* A domain that neither takes nor sends mail should say so everywhere. */
static void judge_parked(struct check *check)
{
	g_autofree char *place = g_strdup_printf("_dmarc.%s TXT", check->domain);
	const struct spf_policy *spf = &check->spf;

	if (check_takes_mail(check) || spf->state != SPF_STATE_OK || spf->all != '-' ||
	    spf->ranges->len > 0 || spf->unlisted->len > 0)
		return;
	if (g_strcmp0(check->dmarc.policy, "reject") == 0 &&
	    g_strcmp0(check->dmarc.subdomains, "reject") == 0)
		return;
	findings_add(check->findings, FINDING_PARKED, place, NULL,
	    "no host may send mail of %s, and none takes any: \"p=reject; sp=reject\" would say so to all",
	    check->domain);
}

void check_spf(const struct dns_source *source, struct check *check)
{
	g_autofree char *place = g_strdup_printf("%s TXT", check->domain);

	spf_expand(source, check->domain, &check->spf, check->findings);
	if (findings_have(check->findings, FINDING_DOMAIN_MISSING))
		return;
	if (check->spf.state == SPF_STATE_NONE && !findings_have(check->findings, FINDING_SPF_IGNORED))
		findings_add(check->findings, FINDING_SPF_MISSING, place,
		    finding_txt_record(
			check->domain, check_takes_mail(check) ? "v=spf1 mx ~all" : "v=spf1 -all"),
		    "there is no SPF record: nothing says which hosts may send as %s", check->domain);
	judge_parked(check);
}

/* -- DKIM -- */

/* Selectors that programs and services are set up with, to find keys that no report has. */
static const char *const USUAL_SELECTORS[] = { "default", "google", "selector1", "selector2", "s1", "s2",
	"k1", "k2", "k3", "mail", "dkim", "smtp", "mandrill", "mxvault", "fm1", "fm2", "fm3", "zoho",
	"protonmail", "protonmail2", "protonmail3" };

static gboolean has_selector(const GArray *selectors, const char *domain, const char *selector)
{
	for (guint i = 0; i < selectors->len; i++) {
		const struct check_selector *one = &g_array_index(selectors, struct check_selector, i);

		if (g_strcmp0(one->domain, domain) == 0 && strcmp(one->selector, selector) == 0)
			return TRUE;
	}
	return FALSE;
}

void check_add_usual_selectors(GArray *selectors, const char *domain)
{
	for (gsize i = 0; i < G_N_ELEMENTS(USUAL_SELECTORS); i++) {
		struct check_selector usual = { .selector = USUAL_SELECTORS[i], .probed = TRUE };

		if (!has_selector(selectors, domain, usual.selector))
			g_array_append_val(selectors, usual);
	}
}

static void free_dkim(gpointer data)
{
	struct check_dkim *dkim = data;

	g_free(dkim->domain);
	g_free(dkim->selector);
	g_free(dkim->record);
	g_free(dkim);
}

static void read_key(
    struct check *check, struct check_dkim *dkim, const char *name, const struct dns_answer *answer)
{
	g_autofree char *place = g_strdup_printf("%s TXT", name);
	const char *text = NULL;
	guint keys = 0;

	for (guint i = 0; i < answer->n_records; i++)
		if (dkim_is_key(answer->records[i].text) && keys++ == 0)
			text = answer->records[i].text;
	if (keys > 1)
		findings_add(check->findings, FINDING_DKIM_SEVERAL, place, NULL,
		    "there are several keys: verifiers may take any of them (RFC 6376 section 3.6.2.2)");
	if (text == NULL && answer->n_records > 0)
		text = answer->records[0].text;
	dkim->record = g_strdup(text);
	if (text != NULL)
		dkim->key = dkim_read(name, text, check->findings);
	else if (dns_failed(answer))
		findings_add_failed(check->findings, DNS_TXT, name, answer);
	else {
		dkim->key.status = DKIM_MISSING;
		findings_add(check->findings, FINDING_DKIM_MISSING, place, NULL,
		    "there is no key: signatures with selector \"%s\" of %s fail (%s)", dkim->selector,
		    dkim->domain, dns_status_words(answer->status));
	}
}

/* Whether a key that was guessed is there. A wildcard may answer with anything. */
static gboolean is_usable(const char *name, const struct dns_answer *answer)
{
	for (guint i = 0; i < answer->n_records; i++)
		if (dkim_is_key(answer->records[i].text) &&
		    dkim_read(name, answer->records[i].text, NULL).status == DKIM_OK)
			return TRUE;
	return FALSE;
}

void check_dkim(const struct dns_source *source, const struct check_options *options, struct check *check)
{
	gsize n = MIN(options->n_selectors, CHECK_SELECTORS_MAX);
	gboolean silent = FALSE; /* a guess had no answer: the others would cost their time-outs, too */

	check->dkim = g_ptr_array_new_with_free_func(free_dkim);
	for (gsize i = 0; i < n; i++) {
		const struct check_selector *selector = &options->selectors[i];
		struct check_dkim *dkim;
		const struct dns_answer *answer;
		g_autofree char *name = NULL;

		if (selector->probed && silent)
			continue;
		dkim = g_new0(struct check_dkim, 1);
		dkim->selector = text_domain_copy(selector->selector);
		dkim->domain = text_domain_copy(selector->domain != NULL ? selector->domain : check->domain);
		dkim->probed = selector->probed;
		name = dkim_name(dkim->selector, dkim->domain);
		answer = dns_look_up(source, DNS_TXT, name);
		silent = silent || (selector->probed && dns_failed(answer));
		if (selector->probed && !is_usable(name, answer)) {
			free_dkim(dkim);
			continue;
		}
		g_ptr_array_add(check->dkim, dkim);
		read_key(check, dkim, name, answer);
	}
}
