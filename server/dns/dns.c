#include "server/dns/dns.h"

#include <string.h>

#include "parser/text.h"

#define LABEL_MAX 63 /* RFC 1035 section 2.3.4 */

const struct dns_answer *dns_look_up(const struct dns_source *source, enum dns_type type, const char *name)
{
	return source->look_up(source->user, type, name);
}

void dns_expect(const struct dns_source *source, enum dns_type type, const char *name)
{
	if (source->expect != NULL)
		source->expect(source->user, type, name);
}

const struct dns_answer *dns_ask_server(
    const struct dns_source *source, const char *server, enum dns_type type, const char *name)
{
	return source->ask_server == NULL ? NULL : source->ask_server(source->user, server, type, name);
}

gboolean dns_is_void(const struct dns_answer *answer)
{
	return answer->status == DNS_NODATA || answer->status == DNS_NXDOMAIN ||
	       answer->status == DNS_BAD_NAME;
}

gboolean dns_failed(const struct dns_answer *answer)
{
	return answer->status != DNS_OK && !dns_is_void(answer);
}

const char *dns_status_words(enum dns_status status)
{
	static const char *const WORDS[] = {
		[DNS_OK] = "is there",
		[DNS_NODATA] = "no such record",
		[DNS_NXDOMAIN] = "no such name",
		[DNS_SERVFAIL] = "the DNS server could not find out",
		[DNS_REFUSED] = "the DNS server refused to say",
		[DNS_TIMEOUT] = "no DNS server answered in time",
		[DNS_UNREACHABLE] = "no DNS server could be reached",
		[DNS_MALFORMED] = "the DNS server's answer cannot be read",
		[DNS_BAD_NAME] = "such a name is not possible",
		[DNS_UNASKABLE] = "the DNS library asks only for names of letters, digits, '-' and '_'",
		[DNS_ELSEWHERE] = "the DNS server does not have this zone",
		[DNS_BUDGET] = "not asked, as this check has asked enough",
	};

	return WORDS[status];
}

const char *dns_type_word(enum dns_type type)
{
	switch (type) {
	case DNS_A:
		return "A";
	case DNS_NS:
		return "NS";
	case DNS_SOA:
		return "SOA";
	case DNS_PTR:
		return "PTR";
	case DNS_MX:
		return "MX";
	case DNS_TXT:
		return "TXT";
	case DNS_AAAA:
		return "AAAA";
	case DNS_DS:
		return "DS";
	case DNS_DNSKEY:
		return "DNSKEY";
	case DNS_TLSA:
		return "TLSA";
	}
	return "";
}

gboolean dns_name_is_good(const char *name)
{
	gsize size = strlen(name), label = 0;

	if (size == 0 || size > TEXT_DOMAIN_MAX || name[size - 1] == '.')
		return FALSE;
	for (; *name != '\0'; name++) {
		if (*name == '.') {
			if (label == 0)
				return FALSE;
			label = 0;
		} else if (!g_ascii_isprint(*name) || *name == '\\' || ++label > LABEL_MAX) {
			return FALSE;
		}
	}
	return TRUE;
}

gboolean dns_name_is_host(const char *name)
{
	for (const char *at = name; *at != '\0'; at++)
		if (!g_ascii_isalnum(*at) && strchr("-_.", *at) == NULL)
			return FALSE;
	return dns_name_is_good(name);
}

void dns_answer_clear(struct dns_answer *answer)
{
	for (guint i = 0; i < answer->n_records; i++)
		g_free(answer->records[i].text);
	g_clear_pointer(&answer->records, g_free);
	g_clear_pointer(&answer->alias, g_free);
	answer->n_records = 0;
}
