/* check_ns.c - the name servers of the domain's zone: whether each has an address and answers. */
#include "server/dns/check_parts.h"

#include <string.h>

static void free_server(gpointer data)
{
	struct check_server *server = data;

	g_free(server->host);
	g_ptr_array_unref(server->addresses);
	g_free(server->serial);
	g_free(server);
}

/* The zone of a name: the name itself, or the next one above that has name servers. NULL: unknown. Borrowed
 * from name. */
static const char *zone_of(const struct dns_source *source, const char *name)
{
	const struct dns_answer *answer = dns_look_up(source, DNS_NS, name);
	const char *dot = strchr(name, '.');

	if (answer->status == DNS_OK)
		return name;
	if (dns_failed(answer) || dot == NULL || strchr(dot + 1, '.') == NULL)
		return NULL;
	return zone_of(source, dot + 1);
}

static void add_addresses(struct check_server *server, const struct dns_answer *answer)
{
	for (guint i = 0; i < answer->n_records; i++)
		g_ptr_array_add(server->addresses, g_strdup(answer->records[i].text));
}

/* Ask the server for its serial, at one address: from here, some may be out of reach. *status: of the
 * answer. */
static void ask_serial(
    const struct dns_source *source, const char *zone, struct check_server *server, enum dns_status *status)
{
	const struct dns_answer *answer =
	    dns_ask_server(source, g_ptr_array_index(server->addresses, 0), DNS_SOA, zone);

	server->answers = CHECK_UNKNOWN;
	if (answer == NULL)
		return;
	server->answers = answer->status == DNS_OK ? CHECK_YES : CHECK_NO;
	*status = answer->status;
	if (answer->status == DNS_OK)
		server->serial = g_strdup(answer->records[0].text);
}

static void judge_address(
    struct check *check, const struct check_server *server, const struct dns_answer *answer)
{
	g_autofree char *place = g_strdup_printf("%s NS: %s", check->zone, server->host);

	if (dns_failed(answer))
		findings_add_failed(check->findings, DNS_A, server->host, answer);
	else
		findings_add(check->findings, FINDING_NS_HOST, place, NULL,
		    "the name server %s has no address (%s)", server->host, dns_status_words(answer->status));
}

/* The status of the server's answer; DNS_OK: also if it cannot be asked. */
static enum dns_status examine(
    const struct dns_source *source, struct check *check, struct check_server *server)
{
	const struct dns_answer *ip4 = dns_look_up(source, DNS_A, server->host);
	enum dns_status status = DNS_OK;

	add_addresses(server, ip4);
	add_addresses(server, dns_look_up(source, DNS_AAAA, server->host));
	server->answers = CHECK_UNKNOWN;
	if (server->addresses->len > 0)
		ask_serial(source, check->zone, server, &status);
	else
		judge_address(check, server, ip4);
	return status;
}

/* Whether all servers that were asked are silent, though the resolver got its answers from one of them: the
 * questions do not leave this network. */
static gboolean is_blocked(const struct check *check, const enum dns_status *statuses)
{
	guint silent = 0, asked = 0;

	for (guint i = 0; i < check->servers->len; i++) {
		const struct check_server *server = g_ptr_array_index(check->servers, i);

		asked += server->answers == CHECK_UNKNOWN ? 0 : 1;
		silent += statuses[i] == DNS_TIMEOUT || statuses[i] == DNS_UNREACHABLE ? 1 : 0;
	}
	return asked > 0 && silent == asked;
}

static void note_blocked(struct check *check)
{
	g_autofree char *place = g_strdup_printf("%s NS", check->zone);

	for (guint i = 0; i < check->servers->len; i++)
		((struct check_server *)g_ptr_array_index(check->servers, i))->answers = CHECK_UNKNOWN;
	findings_add(check->findings, FINDING_NS_BLOCKED, place, NULL,
	    "none of the name servers of %s answers this host, though its DNS resolver gets answers: "
	    "questions to "
	    "port 53 of other networks seem to be blocked here, so the name servers were not compared",
	    check->zone);
}

static void judge_silence(struct check *check, const enum dns_status *statuses)
{
	if (is_blocked(check, statuses)) {
		note_blocked(check);
		return;
	}
	for (guint i = 0; i < check->servers->len; i++) {
		const struct check_server *server = g_ptr_array_index(check->servers, i);
		g_autofree char *place = g_strdup_printf("%s NS: %s", check->zone, server->host);

		if (server->answers == CHECK_NO)
			findings_add(check->findings, FINDING_NS_SILENT, place, NULL,
			    "the name server %s does not answer for %s (%s)", server->host, check->zone,
			    dns_status_words(statuses[i]));
	}
}

static void judge_serials(struct check *check)
{
	g_autofree char *place = g_strdup_printf("%s SOA", check->zone);
	const struct check_server *first = NULL;

	for (guint i = 0; i < check->servers->len; i++) {
		const struct check_server *server = g_ptr_array_index(check->servers, i);

		if (server->serial == NULL)
			continue;
		if (first == NULL)
			first = server;
		else if (strcmp(first->serial, server->serial) != 0)
			findings_add(check->findings, FINDING_NS_SERIAL, place, NULL,
			    "%s has version %s of the zone and %s has %s: a change has not arrived "
			    "everywhere",
			    first->host, first->serial, server->host, server->serial);
	}
}

static void judge_count(struct check *check)
{
	g_autofree char *place = g_strdup_printf("%s NS", check->zone);

	if (check->servers->len == 1)
		findings_add(check->findings, FINDING_NS_SINGLE, place, NULL,
		    "%s has one name server only: if it fails, mail of the domain cannot be checked "
		    "(RFC 2182)",
		    check->zone);
}

void check_name_servers(const struct dns_source *source, struct check *check)
{
	enum dns_status statuses[CHECK_SERVERS_MAX] = { DNS_OK };
	const char *zone = zone_of(source, check->domain);
	const struct dns_answer *answer;

	check->servers = g_ptr_array_new_with_free_func(free_server);
	if (zone == NULL || findings_have(check->findings, FINDING_DOMAIN_MISSING))
		return;
	check->zone = g_strdup(zone);
	answer = dns_look_up(source, DNS_NS, zone);
	for (guint i = 0; i < answer->n_records && i < CHECK_SERVERS_MAX; i++) {
		dns_expect(source, DNS_A, answer->records[i].text);
		dns_expect(source, DNS_AAAA, answer->records[i].text);
	}
	for (guint i = 0; i < answer->n_records && i < CHECK_SERVERS_MAX; i++) {
		struct check_server *server = g_new0(struct check_server, 1);

		server->host = g_strdup(answer->records[i].text);
		server->addresses = g_ptr_array_new_with_free_func(g_free);
		g_ptr_array_add(check->servers, server);
		statuses[i] = examine(source, check, server);
	}
	judge_count(check);
	judge_silence(check, statuses);
	judge_serials(check);
}
