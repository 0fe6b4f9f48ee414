/* check_tls.c - TLS of mail to a domain: reports on it (RFC 8460), and the policy of MTA-STS (RFC 8461). */
#include "server/dns/check_parts.h"

#include <string.h>

#include "parser/text.h"
#include "server/dns/tags.h"
#include "server/dns/tlsrpt.h"

#define ID_MAX 32 /* characters of a policy's id (RFC 8461 section 3.1) */

/* -- tags -- */

void check_tags(
    struct check *check, enum finding_code code, const char *name, const char *text, const char *const *known)
{
	guint seen = 0; /* bits of known */
	struct tag tag;

	while (tag_next(&text, &tag)) {
		g_autofree char *written = tag_name(&tag);
		g_autofree char *place = g_strdup_printf("%s TXT: %s", name, written);
		guint i = 0;

		while (known[i] != NULL && !tag_is(&tag, known[i]))
			i++;
		if (known[i] == NULL)
			findings_add(check->findings, code, place, NULL,
			    "there is no tag \"%s\" in such a record: it has no effect", written);
		else if ((seen >> i & 1) != 0)
			findings_add(check->findings, code, place, NULL,
			    "\"%s\" occurs twice: only the first counts", written);
		seen |= 1U << i;
	}
}

/* -- TLS reporting -- */

/* Whether reports by mail arrive; consent of their host is not needed. */
static void judge_mailboxes(const struct dns_source *source, struct check *check)
{
	for (guint i = 0; i < check->tls_rua->len; i++) {
		const char *uri = g_ptr_array_index(check->tls_rua, i), *why;
		struct dmarc_uri mailbox = { 0 };
		g_autofree char *place = NULL;
		gboolean size;

		if (!dmarc_uri_read(uri, &mailbox, &size, &why))
			continue; /* https */
		place = g_strdup_printf("%s MX", mailbox.host);
		if (check_accepts_mail(source, mailbox.host) == CHECK_NO)
			findings_add(check->findings, FINDING_TLSRPT_HOST, place, NULL,
			    "%s, where the TLS reports go (%s), takes no mail: it has neither MX nor "
			    "address, or "
			    "refuses",
			    mailbox.host, uri);
		dmarc_uri_clear(&mailbox);
	}
}

static void check_reporting(const struct dns_source *source, struct check *check)
{
	static const char *const KNOWN[] = { "v", "rua", NULL };
	g_autofree char *name = g_strconcat("_smtp._tls.", check->domain, NULL);
	g_autofree char *place = g_strdup_printf("%s TXT", name);
	const struct dns_answer *answer = dns_look_up(source, DNS_TXT, name);
	g_autofree char *suggested = g_strdup_printf("v=TLSRPTv1; rua=mailto:tls-rpt@%s", check->domain);
	const char *text = NULL;
	guint n = 0;

	check->tls_rua = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < answer->n_records; i++)
		if (tlsrpt_is_record(answer->records[i].text) && n++ == 0)
			text = answer->records[i].text;
	if (dns_failed(answer)) {
		findings_add_failed(check->findings, DNS_TXT, name, answer);
	} else if (n > 1) {
		findings_add(check->findings, FINDING_TLSRPT_INVALID, place, NULL,
		    "there are several records, so none counts (RFC 8460 section 3)");
	} else if (n == 1) {
		check->tls_rpt = g_strdup(text);
		tlsrpt_read(name, text, check->tls_rua, check->findings);
		check_tags(check, FINDING_TLSRPT_TAG, name, text, KNOWN);
		judge_mailboxes(source, check);
	} else if (answer->n_records > 0) {
		findings_add(check->findings, FINDING_TLSRPT_INVALID, place,
		    finding_txt_record(name, suggested),
		    "\"%s\" is not a record: one begins with \"v=TLSRPTv1;\"", answer->records[0].text);
	} else if (check_takes_mail(check)) {
		findings_add(check->findings, FINDING_TLSRPT_MISSING, place,
		    finding_txt_record(name, suggested),
		    "nobody is asked to report failed TLS on the way to %s (RFC 8460)", check->domain);
	}
}

/* -- MTA-STS -- */

static gboolean is_sts(const char *text)
{
	static const char VERSION[] = "v=STSv1";
	gsize size = strlen(VERSION);

	return strncmp(text, VERSION, size) == 0 &&
	       (text[size] == '\0' || strchr("; \t", text[size]) != NULL);
}

/* 1 to ID_MAX letters and digits. */
static gboolean is_id(const char *text)
{
	gsize size = 0;

	while (g_ascii_isalnum(text[size]))
		size++;
	return size > 0 && size <= ID_MAX && text[size] == '\0';
}

/* The id in a record; NULL: it has none that is valid. Transfer full. */
static char *read_id(const char *text)
{
	char *id = NULL;
	struct tag tag;

	while (id == NULL && tag_next(&text, &tag))
		if (tag_is(&tag, "id"))
			id = tag_value(&tag);
	if (id != NULL && !is_id(id))
		g_clear_pointer(&id, g_free);
	return id;
}

/* Each MX must be in the policy, or senders do not deliver to it. */
static void judge_policy(struct check *check, const char *place)
{
	const struct sts_policy *policy = &check->sts_policy;

	if (strcmp(policy->mode, "none") == 0)
		return;
	for (guint i = 0; i < check->mx->len; i++) {
		const struct check_mx *mx = g_ptr_array_index(check->mx, i);

		if (*mx->host != '\0' && !sts_policy_allows(policy, mx->host))
			findings_add(check->findings, FINDING_MTA_STS_MX, place, NULL,
			    "the MX %s is not in the policy of MTA-STS (mode %s): senders that obey it %s",
			    mx->host, policy->mode,
			    strcmp(policy->mode, "enforce") == 0
				? "do not deliver to it"
				: "report this, and would not deliver to it");
	}
}

static void fetch_policy(struct check *check, check_fetch fetch, const char *host, const GPtrArray *addresses)
{
	static const char PATH[] = "/.well-known/mta-sts.txt";
	g_autofree char *place = g_strdup_printf("https://%s%s", host, PATH);
	g_autofree char *why = NULL;
	g_autofree char *text = fetch(host, PATH, addresses, STS_FILE_MAX, &why);
	g_autoptr(GError) error = NULL;

	if (text == NULL)
		findings_add(check->findings, FINDING_MTA_STS_POLICY, place, NULL,
		    "the policy of MTA-STS cannot be fetched: %s", why);
	else if (!sts_policy_read(text, &check->sts_policy, &error))
		findings_add(check->findings, FINDING_MTA_STS_POLICY, place, NULL,
		    "the policy of MTA-STS is invalid: %s", error->message);
	else
		judge_policy(check, place);
}

static void add_addresses(GPtrArray *addresses, const struct dns_answer *answer)
{
	for (guint i = 0; i < answer->n_records; i++)
		g_ptr_array_add(addresses, answer->records[i].text);
}

/* Senders fetch the policy from this host by HTTPS. */
static void judge_policy_host(
    const struct dns_source *source, const struct check_options *options, struct check *check)
{
	g_autofree char *host = g_strconcat("mta-sts.", check->domain, NULL);
	g_autofree char *place = g_strdup_printf("%s A", host);
	g_autoptr(GPtrArray) addresses = g_ptr_array_new();
	const struct dns_answer *ip4, *ip6;

	dns_expect(source, DNS_AAAA, host);
	ip4 = dns_look_up(source, DNS_A, host);
	ip6 = dns_look_up(source, DNS_AAAA, host);
	add_addresses(addresses, ip4);
	add_addresses(addresses, ip6);
	if (addresses->len > 0)
		check->sts_host = CHECK_YES;
	else if (dns_failed(ip4) || dns_failed(ip6))
		check->sts_host = CHECK_UNKNOWN;
	else
		findings_add(check->findings, FINDING_MTA_STS_HOST, place, NULL,
		    "%s has no address, so no sender can fetch the policy of MTA-STS (RFC 8461)", host);
	if (check->sts_host == CHECK_YES && options->fetch != NULL)
		fetch_policy(check, options->fetch, host, addresses);
}

static void check_sts(
    const struct dns_source *source, const struct check_options *options, struct check *check)
{
	static const char *const KNOWN[] = { "v", "id", NULL };
	g_autofree char *name = g_strconcat("_mta-sts.", check->domain, NULL);
	g_autofree char *place = g_strdup_printf("%s TXT", name);
	const struct dns_answer *answer = dns_look_up(source, DNS_TXT, name);
	const char *text = NULL;
	guint n = 0;

	for (guint i = 0; i < answer->n_records; i++)
		if (is_sts(answer->records[i].text) && n++ == 0)
			text = answer->records[i].text;
	if (dns_failed(answer))
		findings_add_failed(check->findings, DNS_TXT, name, answer);
	else if (n > 1)
		findings_add(check->findings, FINDING_MTA_STS_INVALID, place, NULL,
		    "there are several records, so none counts (RFC 8461 section 3.1)");
	else if (n == 0 && answer->n_records > 0)
		findings_add(check->findings, FINDING_MTA_STS_INVALID, place, NULL,
		    "\"%s\" is not a record: one begins with \"v=STSv1;\"", answer->records[0].text);
	if (n != 1)
		return;
	check->sts = g_strdup(text);
	check->sts_id = read_id(text);
	if (check->sts_id == NULL)
		findings_add(check->findings, FINDING_MTA_STS_INVALID, place, NULL,
		    "there is no valid \"id\" in it: 1 to %d letters and digits, which change with the "
		    "policy",
		    ID_MAX);
	check_tags(check, FINDING_MTA_STS_TAG, name, text, KNOWN);
	judge_policy_host(source, options, check);
}

void check_tls(const struct dns_source *source, const struct check_options *options, struct check *check)
{
	check_reporting(source, check);
	check_sts(source, options, check);
}
