#include "server/enrich/names.h"

#include <string.h>

#include "server/dns/ip.h"

/* An address that is being looked up. */
struct look_up {
	struct resolver *resolver;
	struct name *name;
	struct ip_range ip;
	gboolean failed; /* a query was not answered */
};

static void take_ttl(struct name *name, const struct dns_answer *answer)
{
	if (answer->ttl > 0 && (name->ttl == 0 || answer->ttl < name->ttl))
		name->ttl = answer->ttl;
}

static gboolean leads_back(const struct look_up *look_up, const struct dns_answer *answer)
{
	for (guint i = 0; i < answer->n_records; i++) {
		struct ip_range ip;

		if (ip_parse(answer->records[i].text, &ip) && ip_contains(&ip, &look_up->ip) &&
		    ip_contains(&look_up->ip, &ip))
			return TRUE;
	}
	return FALSE;
}

static void forward_answered(
    gpointer user, enum dns_type type, const char *host, const struct dns_answer *answer)
{
	struct look_up *look_up = user;
	struct name *name = look_up->name;

	(void)type;
	look_up->failed |= dns_failed(answer);
	take_ttl(name, answer);
	if (!leads_back(look_up, answer) || (name->name != NULL && strcmp(name->name, host) <= 0))
		return;
	g_free(name->name);
	name->name = g_ascii_strdown(host, -1);
}

static int by_name(gconstpointer one, gconstpointer other)
{
	return strcmp(*(const char *const *)one, *(const char *const *)other);
}

/* The names of hosts in an answer, in alphabetical order, since servers rotate records. */
static GPtrArray *hosts_of(const struct dns_answer *answer)
{
	GPtrArray *hosts = g_ptr_array_new();

	for (guint i = 0; i < answer->n_records; i++)
		if (dns_name_is_host(answer->records[i].text))
			g_ptr_array_add(hosts, answer->records[i].text);
	g_ptr_array_sort(hosts, by_name);
	return hosts;
}

static void reverse_answered(
    gpointer user, enum dns_type type, const char *host, const struct dns_answer *answer)
{
	struct look_up *look_up = user;
	g_autoptr(GPtrArray) hosts = hosts_of(answer);

	(void)type;
	(void)host;
	look_up->failed |= dns_failed(answer);
	take_ttl(look_up->name, answer);
	for (guint i = 0; i < hosts->len && i < NAMES_PTR_MAX; i++)
		resolver_ask(look_up->resolver, look_up->ip.size == 4 ? DNS_A : DNS_AAAA,
		    g_ptr_array_index(hosts, i), forward_answered, look_up);
}

void names_look_up(struct resolver *resolver, struct name *names, gsize n)
{
	g_autofree struct look_up *look_ups = g_new0(struct look_up, n);

	for (gsize i = 0; i < n; i++) {
		g_autofree char *reverse = NULL;

		look_ups[i] = (struct look_up){ .resolver = resolver, .name = &names[i] };
		names[i].name = NULL;
		names[i].ttl = 0;
		if (!ip_parse(names[i].ip, &look_ups[i].ip))
			continue;
		reverse = ip_reverse_name(&look_ups[i].ip);
		resolver_ask(resolver, DNS_PTR, reverse, reverse_answered, &look_ups[i]);
	}
	resolver_wait(resolver);
	for (gsize i = 0; i < n; i++)
		names[i].status = names[i].name != NULL ? NAME_FOUND
				  : look_ups[i].failed  ? NAME_UNKNOWN
							: NAME_NONE;
}

void names_clear(struct name *names, gsize n)
{
	for (gsize i = 0; i < n; i++)
		g_clear_pointer(&names[i].name, g_free);
}
