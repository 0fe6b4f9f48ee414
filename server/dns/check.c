#include "server/dns/check.h"

#include "parser/error.h"
#include "parser/text.h"
#include "server/dns/check_parts.h"

/* All that will be needed at once, so that it is asked at once. */
static void expect_all(const struct dns_source *source, const char *domain)
{
	static const char *const PREFIXES[] = { "", "_dmarc.", "_smtp._tls.", "_mta-sts.", "default._bimi." };

	dns_expect(source, DNS_MX, domain);
	dns_expect(source, DNS_NS, domain);
	for (gsize i = 0; i < G_N_ELEMENTS(PREFIXES); i++) {
		g_autofree char *name = g_strconcat(PREFIXES[i], domain, NULL);

		dns_expect(source, DNS_TXT, name);
	}
}

static gboolean is_silence(const struct dns_answer *answer)
{
	return answer->status == DNS_TIMEOUT || answer->status == DNS_UNREACHABLE ||
	       answer->status == DNS_BUDGET;
}

/* Whether there is a server that says anything; it is not waited for longer than for one of these. */
static gboolean is_answered(const struct dns_source *source, const char *domain)
{
	g_autofree char *dmarc = g_strconcat("_dmarc.", domain, NULL);

	return !is_silence(dns_look_up(source, DNS_TXT, domain)) ||
	       !is_silence(dns_look_up(source, DNS_TXT, dmarc)) ||
	       !is_silence(dns_look_up(source, DNS_MX, domain));
}

static void judge_existence(const struct dns_source *source, struct check *check)
{
	if (dns_look_up(source, DNS_TXT, check->domain)->status == DNS_NXDOMAIN)
		findings_add(check->findings, FINDING_DOMAIN_MISSING, check->domain, NULL,
		    "%s does not exist: is its name right?", check->domain);
}

static char *read_domain(const char *words, GError **error)
{
	g_autofree char *domain = text_domain_copy(words);
	struct ip_range ip;

	if (ip_parse(words, &ip)) {
		g_set_error(
		    error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "\"%s\": an IP address, not a domain", words);
		return NULL;
	}
	if (dns_name_is_host(domain))
		return g_steal_pointer(&domain);
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "\"%s\": not the name of a domain", words);
	return NULL;
}

struct check *check_run(const struct dns_source *source, const char *domain,
    const struct check_options *options, gint64 checked_at, GError **error)
{
	g_autofree char *name = read_domain(domain, error);
	struct check *check;

	if (name == NULL)
		return NULL;
	check = g_new0(struct check, 1);
	check->checked_at = checked_at;
	check->findings = findings_new();
	check->selectors_from = options->selectors_from;
	expect_all(source, name);
	check->domain = g_steal_pointer(&name);
	check->answered = is_answered(source, check->domain);
	if (!check->answered) {
		findings_add_failed(
		    check->findings, DNS_TXT, check->domain, dns_look_up(source, DNS_TXT, check->domain));
		return check;
	}
	judge_existence(source, check);
	check_mx(source, check);
	check_dmarc(source, options, check);
	check_spf(source, check);
	check_dkim(source, options, check);
	check_tls(source, options, check);
	check_name_servers(source, check);
	check_dnssec(source, check);
	check_tlsa(source, check);
	check_bimi(source, check);
	check_senders(source, check);
	check_blocklists(source, options, check);
	return check;
}

struct check *check_with(struct resolver *resolver, const char *domain, const struct check_options *options,
    gint64 checked_at, GError **error)
{
	struct dns_source source = resolver_source(resolver);

	resolver_budget(resolver, CHECK_QUESTIONS_MAX, CHECK_SECONDS_MAX);
	return check_run(&source, domain, options, checked_at, error);
}

void check_free(struct check *check)
{
	if (check == NULL)
		return;
	g_free(check->domain);
	findings_free(check->findings);
	g_free(check->dmarc.name);
	g_free(check->dmarc.org);
	dmarc_clear(&check->dmarc.record);
	g_clear_pointer(&check->reports, g_ptr_array_unref);
	spf_policy_clear(&check->spf);
	g_clear_pointer(&check->dkim, g_ptr_array_unref);
	g_clear_pointer(&check->mx, g_ptr_array_unref);
	g_free(check->zone);
	g_clear_pointer(&check->servers, g_ptr_array_unref);
	g_free(check->bimi);
	g_free(check->bimi_location);
	g_free(check->bimi_authority);
	g_free(check->tls_rpt);
	g_free(check->sts);
	g_free(check->sts_id);
	sts_policy_clear(&check->sts_policy);
	g_clear_pointer(&check->tls_rua, g_ptr_array_unref);
	g_clear_pointer(&check->senders, g_ptr_array_unref);
	g_clear_pointer(&check->blocklists, g_ptr_array_unref);
	g_clear_pointer(&check->elsewhere, g_ptr_array_unref);
	g_free(check);
}

const char *check_known_word(enum check_known known)
{
	static const char *const WORDS[] = { "no", "yes", "unknown" };

	return WORDS[known];
}

const char *check_selectors_word(enum check_selectors_from from)
{
	static const char *const WORDS[] = { "given", "usual", "reports" };

	return WORDS[from];
}
