/* check_hosts.c - the domain's MX hosts, the names of the addresses that send for it, and block lists. */
#include "server/dns/check_parts.h"

#include <string.h>

/* -- MX -- */

static void free_mx(gpointer data)
{
	struct check_mx *mx = data;

	g_free(mx->host);
	g_ptr_array_unref(mx->addresses);
	g_clear_pointer(&mx->tlsa, g_ptr_array_unref);
	g_free(mx);
}

static void add_addresses(struct check_mx *mx, const struct dns_answer *answer)
{
	for (guint i = 0; i < answer->n_records; i++)
		g_ptr_array_add(mx->addresses, g_strdup(answer->records[i].text));
}

static void judge_exchanger(const struct dns_source *source, struct check *check, struct check_mx *mx)
{
	const struct dns_answer *ip4 = dns_look_up(source, DNS_A, mx->host);
	const struct dns_answer *ip6 = dns_look_up(source, DNS_AAAA, mx->host);
	g_autofree char *place = g_strdup_printf("%s MX: %s", check->domain, mx->host);
	struct ip_range ip;

	add_addresses(mx, ip4);
	add_addresses(mx, ip6);
	if (ip_parse(mx->host, &ip))
		findings_add(
		    check->findings, FINDING_MX_HOST, place, NULL, "an MX must be a name, not an address");
	else if (dns_failed(ip4))
		findings_add_failed(check->findings, DNS_A, mx->host, ip4);
	else if (dns_failed(ip6))
		findings_add_failed(check->findings, DNS_AAAA, mx->host, ip6);
	else if (mx->addresses->len == 0)
		findings_add(check->findings, FINDING_MX_HOST, place, NULL, "%s has no address (%s)",
		    mx->host, dns_status_words(ip4->status));
	if (ip4->alias != NULL || ip6->alias != NULL)
		findings_add(check->findings, FINDING_MX_ALIAS, place, NULL,
		    "%s is an alias (CNAME), which an MX must not be (RFC 2181 section 10.3)", mx->host);
}

static void add_exchanger(struct check *check, const struct dns_record *record)
{
	struct check_mx *mx = g_new0(struct check_mx, 1);

	*mx = (struct check_mx){ .host = g_strdup(record->text),
		.preference = record->preference,
		.addresses = g_ptr_array_new_with_free_func(g_free) };
	g_ptr_array_add(check->mx, mx);
}

static gint by_preference(gconstpointer a, gconstpointer b)
{
	const struct check_mx *const *one = a, *const *other = b;
	int order = (*one)->preference - (*other)->preference;

	return order != 0 ? order : strcmp((*one)->host, (*other)->host);
}

static void judge_null_mx(struct check *check)
{
	g_autofree char *place = g_strdup_printf("%s MX", check->domain);

	if (check->mx->len > 1)
		findings_add(check->findings, FINDING_MX_HOST, place, NULL,
		    "\".\" says that the domain takes no mail, and must stand alone (RFC 7505)");
}

void check_mx(const struct dns_source *source, struct check *check)
{
	const struct dns_answer *answer = dns_look_up(source, DNS_MX, check->domain);
	g_autofree char *place = g_strdup_printf("%s MX", check->domain);

	check->mx = g_ptr_array_new_with_free_func(free_mx);
	if (dns_failed(answer))
		findings_add_failed(check->findings, DNS_MX, check->domain, answer);
	else if (answer->n_records == 0 && !findings_have(check->findings, FINDING_DOMAIN_MISSING))
		findings_add(check->findings, FINDING_MX_MISSING, place, NULL,
		    "there is no MX: mail goes to the address of %s, if it has one", check->domain);
	for (guint i = 0; i < answer->n_records && i < CHECK_MX_MAX; i++) {
		dns_expect(source, DNS_A, answer->records[i].text);
		dns_expect(source, DNS_AAAA, answer->records[i].text);
		add_exchanger(check, &answer->records[i]);
	}
	g_ptr_array_sort(check->mx, by_preference);
	for (guint i = 0; i < check->mx->len; i++) {
		struct check_mx *mx = g_ptr_array_index(check->mx, i);

		if (*mx->host == '\0')
			judge_null_mx(check);
		else
			judge_exchanger(source, check, mx);
	}
}

gboolean check_takes_mail(const struct check *check)
{
	const struct check_mx *first = check->mx->len > 0 ? g_ptr_array_index(check->mx, 0) : NULL;

	return first != NULL && *first->host != '\0';
}

enum check_known check_accepts_mail(const struct dns_source *source, const char *host)
{
	const struct dns_answer *mx = dns_look_up(source, DNS_MX, host), *ip4, *ip6;

	if (mx->status == DNS_OK)
		return mx->n_records == 1 && *mx->records[0].text == '\0' ? CHECK_NO : CHECK_YES;
	if (mx->status == DNS_NXDOMAIN || mx->status == DNS_BAD_NAME)
		return CHECK_NO;
	if (dns_failed(mx))
		return CHECK_UNKNOWN;
	dns_expect(source, DNS_AAAA, host);
	ip4 = dns_look_up(source, DNS_A, host);
	ip6 = dns_look_up(source, DNS_AAAA, host);
	if (ip4->n_records + ip6->n_records > 0)
		return CHECK_YES;
	return dns_failed(ip4) || dns_failed(ip6) ? CHECK_UNKNOWN : CHECK_NO;
}

/* -- senders -- */

static void free_sender(gpointer data)
{
	struct check_sender *sender = data;

	g_free(sender->host);
	g_free(sender->name);
	g_free(sender);
}

/* host: what it is called where it was found; NULL: only its address is known. */
static void add_sender(struct check *check, const struct ip_range *ip, const char *host)
{
	struct check_sender *sender;

	if (check->senders->len >= CHECK_SENDERS_MAX)
		return;
	for (guint i = 0; i < check->senders->len; i++) {
		const struct check_sender *one = g_ptr_array_index(check->senders, i);

		if (ip_contains(&one->ip, ip))
			return;
	}
	sender = g_new0(struct check_sender, 1);
	sender->ip = *ip;
	sender->host = g_strdup(host);
	g_ptr_array_add(check->senders, sender);
}

/* Each address of a small network; of a larger one, nobody knows which are hosts. */
static void add_network(struct check *check, const struct ip_range *range, const char *host)
{
	guint bits = 8U * range->size - range->bits;

	if (bits >= 32 || (1U << bits) > CHECK_NETWORK_MAX)
		return;
	for (guint i = 0; i < 1U << bits; i++) {
		struct ip_range ip = *range;

		ip.bits = (guint8)(8 * range->size);
		ip.bytes[range->size - 1] |= (guint8)i;
		add_sender(check, &ip, host);
	}
}

/* The host in a plain term "a:host"; NULL: it is another one. */
static const char *host_of(const char *term)
{
	if (*term == '+')
		term++;
	return g_ascii_strncasecmp(term, "a:", 2) == 0 && dns_name_is_host(term + 2) ? term + 2 : NULL;
}

static void collect_senders(struct check *check)
{
	for (guint i = 0; i < check->mx->len; i++) {
		const struct check_mx *mx = g_ptr_array_index(check->mx, i);

		for (guint j = 0; j < mx->addresses->len; j++) {
			struct ip_range ip;

			if (ip_parse(g_ptr_array_index(mx->addresses, j), &ip))
				add_sender(check, &ip, mx->host);
		}
	}
	for (guint i = 0; i < check->spf.ranges->len; i++) {
		const struct spf_range *range = &g_array_index(check->spf.ranges, struct spf_range, i);

		if (range->qualifier == '+' && strcmp(range->via, check->domain) == 0)
			add_network(check, &range->range, host_of(range->term));
	}
}

static const struct dns_answer *names_of(const struct dns_source *source, const struct ip_range *ip)
{
	g_autofree char *reverse = ip_reverse_name(ip);

	return dns_look_up(source, DNS_PTR, reverse);
}

static enum dns_type address_type(const struct ip_range *ip)
{
	return ip->size == 4 ? DNS_A : DNS_AAAA;
}

static enum check_known leads_back(
    const struct dns_source *source, const char *name, const struct ip_range *ip)
{
	const struct dns_answer *answer = dns_look_up(source, address_type(ip), name);

	for (guint i = 0; i < answer->n_records; i++) {
		struct ip_range one;

		if (ip_parse(answer->records[i].text, &one) && ip_contains(&one, ip))
			return CHECK_YES;
	}
	return dns_failed(answer) ? CHECK_UNKNOWN : CHECK_NO;
}

/* The first name that leads back, or else the first one. */
static void choose_name(
    const struct dns_source *source, struct check_sender *sender, const struct dns_answer *names)
{
	guint n = MIN(names->n_records, CHECK_NAMES_MAX);

	for (guint i = 0; i < n && sender->confirmed != CHECK_YES; i++) {
		enum check_known known = leads_back(source, names->records[i].text, &sender->ip);

		if (known == CHECK_YES || sender->name == NULL) {
			g_free(sender->name);
			sender->name = g_strdup(names->records[i].text);
		}
		if (known != CHECK_NO)
			sender->confirmed = known;
	}
}

static void judge_sender(const struct dns_source *source, struct check *check, struct check_sender *sender)
{
	const struct dns_answer *names = names_of(source, &sender->ip);
	g_autofree char *reverse = ip_reverse_name(&sender->ip);
	g_autofree char *place = g_strdup_printf("%s PTR", reverse);
	char ip[IP_TEXT_SIZE];

	ip_print(&sender->ip, ip);
	if (dns_failed(names)) {
		sender->confirmed = CHECK_UNKNOWN;
		findings_add_failed(check->findings, DNS_PTR, reverse, names);
		return;
	}
	choose_name(source, sender, names);
	if (sender->name == NULL)
		findings_add(check->findings, FINDING_SENDER_NAMELESS, place,
		    sender->host == NULL ? NULL : g_strdup_printf("%s. PTR %s.", reverse, sender->host),
		    "%s has no name: many receivers refuse mail from such hosts", ip);
	else if (sender->confirmed == CHECK_NO)
		findings_add(check->findings, FINDING_SENDER_UNCONFIRMED, place,
		    g_strdup_printf("%s. %s %s", sender->name, dns_type_word(address_type(&sender->ip)), ip),
		    "%s is named %s, but that name does not have this address", ip, sender->name);
}

static void expect_names(const struct dns_source *source, const struct check *check)
{
	for (guint i = 0; i < check->senders->len; i++) {
		const struct check_sender *sender = g_ptr_array_index(check->senders, i);
		g_autofree char *reverse = ip_reverse_name(&sender->ip);

		dns_expect(source, DNS_PTR, reverse);
	}
}

void check_senders(const struct dns_source *source, struct check *check)
{
	check->senders = g_ptr_array_new_with_free_func(free_sender);
	collect_senders(check);
	expect_names(source, check);
	for (guint i = 0; i < check->senders->len; i++)
		judge_sender(source, check, g_ptr_array_index(check->senders, i));
}

/* -- block lists -- */

static void judge_blocklist(struct check *check, const struct blocklist_result *result)
{
	g_autofree char *place = g_strdup_printf("%s A", result->zone);

	for (guint i = 0; i < result->found->len; i++) {
		const struct blocklist_entry *entry = g_ptr_array_index(result->found, i);

		findings_add(check->findings, FINDING_BLOCKLISTED, place, NULL,
		    "%s is on the block list %s (%s: %s): receivers that use it may refuse mail from it%s%s",
		    entry->subject, result->name, entry->codes, entry->words,
		    result->url == NULL ? "" : "; removal: ", result->url == NULL ? "" : result->url);
	}
	if (result->status != BLOCKLIST_OK)
		findings_add(check->findings, FINDING_BLOCKLIST_SILENT, place, NULL,
		    "the block list %s gave no usable answer, so nothing is known (%s: %s)", result->name,
		    blocklist_status_word(result->status), result->why);
}

void check_blocklists(
    const struct dns_source *source, const struct check_options *options, struct check *check)
{
	g_autoptr(GArray) addresses = NULL;

	if (options->blocklists == NULL)
		return;
	addresses = g_array_new(FALSE, FALSE, sizeof(struct ip_range));
	for (guint i = 0; i < check->senders->len; i++)
		g_array_append_val(
		    addresses, ((struct check_sender *)g_ptr_array_index(check->senders, i))->ip);
	check->blocklists = blocklists_ask(source, options->blocklists, addresses, check->domain);
	for (guint i = 0; i < check->blocklists->len; i++)
		judge_blocklist(check, g_ptr_array_index(check->blocklists, i));
}
