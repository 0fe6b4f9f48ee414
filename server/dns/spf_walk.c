#include "server/dns/spf_walk.h"

enum spf_fetched spf_fetch(
    const struct dns_source *source, const char *domain, const char **text, enum dns_status *status)
{
	const struct dns_answer *answer = dns_look_up(source, DNS_TXT, domain);
	guint n = 0;

	*status = answer->status;
	if (dns_failed(answer))
		return SPF_FETCHED_FAILED;
	for (guint i = 0; i < answer->n_records; i++)
		if (spf_is_record(answer->records[i].text) && n++ == 0)
			*text = answer->records[i].text;
	return n == 1 ? SPF_FETCHED : n == 0 ? SPF_FETCHED_NONE : SPF_FETCHED_SEVERAL;
}

static void find_addresses(const struct dns_source *source, enum dns_type type, const char *name, guint bits,
    struct spf_hosts *hosts)
{
	const struct dns_answer *answer = dns_look_up(source, type, name);

	hosts->asked |= answer->status != DNS_BAD_NAME;
	if (dns_failed(answer)) {
		hosts->failed = name;
		hosts->failure = answer->status;
	}
	for (guint i = 0; i < answer->n_records; i++) {
		struct ip_range ip;

		if (!ip_parse_sized(answer->records[i].text, type == DNS_A ? 4 : 16, &ip))
			continue;
		ip = ip_network(ip, bits);
		g_array_append_val(hosts->ranges, ip);
		*(type == DNS_A ? &hosts->has_ip4 : &hosts->has_ip6) = TRUE;
	}
}

static void find_host(const struct dns_source *source, const struct spf_term *term, const char *name,
    gboolean ip4, gboolean ip6, struct spf_hosts *hosts)
{
	if (ip4 && ip6)
		dns_expect(source, DNS_AAAA, name);
	if (ip4)
		find_addresses(source, DNS_A, name, term->bits4, hosts);
	if (ip6)
		find_addresses(source, DNS_AAAA, name, term->bits6, hosts);
}

static void find_exchangers(const struct dns_source *source, const struct spf_term *term, const char *name,
    gboolean ip4, gboolean ip6, struct spf_hosts *hosts)
{
	const struct dns_answer *answer = dns_look_up(source, DNS_MX, name);

	hosts->asked = answer->status != DNS_BAD_NAME;
	if (dns_failed(answer)) {
		hosts->failed = name;
		hosts->failure = answer->status;
	}
	if (answer->n_records > SPF_MX_MAX) {
		hosts->many = TRUE;
		return;
	}
	for (guint i = 0; i < answer->n_records; i++) {
		if (ip4)
			dns_expect(source, DNS_A, answer->records[i].text);
		if (ip6)
			dns_expect(source, DNS_AAAA, answer->records[i].text);
	}
	for (guint i = 0; i < answer->n_records; i++)
		find_host(source, term, answer->records[i].text, ip4, ip6, hosts);
}

void spf_hosts_find(const struct dns_source *source, const struct spf_term *term, const char *name,
    gboolean ip4, gboolean ip6, struct spf_hosts *hosts)
{
	*hosts = (struct spf_hosts){ .ranges = g_array_new(FALSE, FALSE, sizeof(struct ip_range)) };
	if (term->kind == SPF_MX)
		find_exchangers(source, term, name, ip4, ip6, hosts);
	else
		find_host(source, term, name, ip4, ip6, hosts);
}

void spf_hosts_clear(struct spf_hosts *hosts)
{
	g_clear_pointer(&hosts->ranges, g_array_unref);
}

char *spf_target(const struct spf_term *term, const struct spf_identity *identity, const char *domain,
    const char *validated)
{
	return term->domain == NULL ? g_strdup(domain)
				    : spf_macro_expand(term->domain, identity, domain, validated);
}
