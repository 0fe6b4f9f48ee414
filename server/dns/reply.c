#include "server/dns/reply.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>

#include "parser/text.h"

#define RECORDS_READ 4096 /* of an answer's section; 64 KiB cannot hold many more */
#define BLANK        "\\032"
#define MINIMUM_SIZE 20 /* bytes of a SOA record behind its names (RFC 1035 section 3.3.13) */

struct reading {
	ns_msg message;
	enum dns_type type;
	char name[NS_MAXDNAME]; /* that records must have: the one asked for, then the CNAME's target */
	GArray *records;        /* struct dns_record */
	gboolean is_alias;
	struct dns_answer *answer;
};

/* A name as ns_name_ntop() writes it: a blank, and what has a meaning in zone files, is escaped. */
static void escape_name(const char *name, char *escaped, gsize size)
{
	gsize to = 0;

	for (; *name != '\0' && to + strlen(BLANK) + 1 < size; name++) {
		if (*name == ' ') {
			to += g_strlcpy(escaped + to, BLANK, size - to);
			continue;
		}
		if (strchr("\";()@$", *name) != NULL)
			escaped[to++] = '\\';
		escaped[to++] = g_ascii_tolower(*name);
	}
	escaped[to] = '\0';
}

/* -- the data of records -- */

static void lower_name(char *name)
{
	gsize size = strlen(name);

	if (size > 0 && name[size - 1] == '.')
		name[size - 1] = '\0';
	text_lower(name);
}

/* Expand the name at data in the message. Returns NULL if it is invalid. */
static char *read_name(const struct reading *reading, const guint8 *data, const guint8 *end)
{
	char name[NS_MAXDNAME] = "";

	if (data >= end || ns_name_uncompress(ns_msg_base(reading->message), ns_msg_end(reading->message),
			       data, name, sizeof(name)) < 0)
		return NULL;
	lower_name(name);
	return g_strdup(name);
}

/* The strings of a TXT record (RFC 1035 section 3.3.14), joined. NULL: a string is longer than the record. */
static char *read_strings(const guint8 *data, gsize size)
{
	g_autoptr(GString) joined = g_string_sized_new(size);

	for (gsize at = 0; at < size; at += data[at] + 1U) {
		if (at + 1 + data[at] > size)
			return NULL;
		g_string_append_len(joined, (const char *)data + at + 1, data[at]);
	}
	return text_clean(joined->str, joined->len, G_MAXSIZE);
}

static char *read_address(int family, const guint8 *data, gsize size)
{
	char text[INET6_ADDRSTRLEN];

	if (size != (family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr)))
		return NULL;
	inet_ntop(family, data, text, sizeof(text));
	return g_strdup(text);
}

/* The serial of a SOA record, behind its names. */
static char *read_serial(const guint8 *data, gsize size)
{
	return size < MINIMUM_SIZE ? NULL : g_strdup_printf("%lu", ns_get32(data + size - MINIMUM_SIZE));
}

/* The data of a record as it is. */
static char *read_hex(const guint8 *data, gsize size)
{
	GString *hex = g_string_sized_new(2 * size);

	for (gsize i = 0; i < size; i++)
		g_string_append_printf(hex, "%02x", data[i]);
	return g_string_free(hex, FALSE);
}

/* Append the record; FALSE when its data is not of its type. */
static gboolean take_record(struct reading *reading, const ns_rr *rr)
{
	const guint8 *data = ns_rr_rdata(*rr);
	gsize size = ns_rr_rdlen(*rr);
	struct dns_record record = { 0 };

	switch (reading->type) {
	case DNS_A:
		record.text = read_address(AF_INET, data, size);
		break;
	case DNS_AAAA:
		record.text = read_address(AF_INET6, data, size);
		break;
	case DNS_NS:
	case DNS_PTR:
		record.text = read_name(reading, data, data + size);
		break;
	case DNS_TXT:
		record.text = read_strings(data, size);
		break;
	case DNS_SOA:
		record.text = read_serial(data, size);
		break;
	case DNS_DS:
	case DNS_DNSKEY:
	case DNS_TLSA:
		record.text = read_hex(data, size);
		break;
	case DNS_MX:
		if (size < NS_INT16SZ)
			return FALSE;
		record.preference = (guint16)ns_get16(data);
		record.text = read_name(reading, data + NS_INT16SZ, data + size);
		break;
	}
	if (record.text == NULL)
		return FALSE;
	g_array_append_val(reading->records, record);
	return TRUE;
}

/* -- sections -- */

static void lower_ttl(struct reading *reading, guint32 ttl)
{
	reading->answer->ttl = MIN(reading->answer->ttl, ttl);
}

static gboolean take_alias(struct reading *reading, const ns_rr *rr)
{
	const guint8 *data = ns_rr_rdata(*rr);
	g_autofree char *target = read_name(reading, data, data + ns_rr_rdlen(*rr));

	if (target == NULL)
		return FALSE;
	g_strlcpy(reading->name, target, sizeof(reading->name));
	reading->is_alias = TRUE;
	return TRUE;
}

/* Read the answers in order: a CNAME is before the records of its target (RFC 1034 section 3.6.2). */
static gboolean read_answers(struct reading *reading)
{
	int n = MIN(ns_msg_count(reading->message, ns_s_an), RECORDS_READ);

	for (int i = 0; i < n; i++) {
		char owner[NS_MAXDNAME];
		ns_rr rr;

		if (ns_parserr(&reading->message, ns_s_an, i, &rr) != 0)
			return FALSE;
		g_strlcpy(owner, ns_rr_name(rr), sizeof(owner));
		lower_name(owner);
		if (strcmp(owner, reading->name) != 0 || ns_rr_class(rr) != ns_c_in)
			continue;
		if (ns_rr_type(rr) == ns_t_cname && !take_alias(reading, &rr))
			return FALSE;
		if (ns_rr_type(rr) == (ns_type)reading->type && reading->records->len < DNS_RECORDS_MAX &&
		    !take_record(reading, &rr))
			return FALSE;
		lower_ttl(reading, ns_rr_ttl(rr));
	}
	return TRUE;
}

/* Whether an answer without records and SOA only says that another server has them: it refers to a zone
 * below, or has the alias alone. A server that asks others has asked them. */
static gboolean is_elsewhere(const struct reading *reading, gboolean has_servers)
{
	return ns_msg_getflag(reading->message, ns_f_ra) == 0 &&
	       ns_msg_getflag(reading->message, ns_f_rcode) == ns_r_noerror &&
	       (reading->is_alias || has_servers);
}

/* Whether the zone below a delegation says that it has no DS: these are in the zone above (RFC 4035
 * section 3.1.4.1). */
static gboolean is_child(const struct reading *reading, const ns_rr *soa)
{
	char owner[NS_MAXDNAME];

	g_strlcpy(owner, ns_rr_name(*soa), sizeof(owner));
	lower_name(owner);
	return reading->type == DNS_DS && strcmp(owner, reading->name) == 0;
}

/* Read how long it holds that there is nothing: as the zone's SOA says (RFC 2308 section 5). */
static enum dns_status read_absence(struct reading *reading, enum dns_status status)
{
	int n = MIN(ns_msg_count(reading->message, ns_s_ns), RECORDS_READ);
	gboolean has_servers = FALSE;

	for (int i = 0; i < n; i++) {
		ns_rr rr;

		if (ns_parserr(&reading->message, ns_s_ns, i, &rr) != 0)
			return status;
		has_servers |= ns_rr_type(rr) == ns_t_ns;
		if (ns_rr_type(rr) != ns_t_soa || ns_rr_rdlen(rr) < MINIMUM_SIZE)
			continue;
		lower_ttl(reading, ns_rr_ttl(rr));
		lower_ttl(reading, (guint32)ns_get32(ns_rr_rdata(rr) + ns_rr_rdlen(rr) - NS_INT32SZ));
		return is_child(reading, &rr) ? DNS_ELSEWHERE : status;
	}
	reading->answer->ttl = 0;
	return is_elsewhere(reading, has_servers) ? DNS_ELSEWHERE : status;
}

static enum dns_status status_of(const struct reading *reading)
{
	switch (ns_msg_getflag(reading->message, ns_f_rcode)) {
	case ns_r_noerror:
		return reading->records->len > 0 ? DNS_OK : DNS_NODATA;
	case ns_r_nxdomain:
		return DNS_NXDOMAIN;
	case ns_r_refused:
		return DNS_REFUSED;
	default:
		return DNS_SERVFAIL;
	}
}

static enum dns_status read_message(struct reading *reading, const guint8 *bytes, gsize size)
{
	enum dns_status status;

	if (size > NS_MAXMSG || ns_initparse(bytes, (int)size, &reading->message) != 0 ||
	    ns_msg_getflag(reading->message, ns_f_qr) == 0 || !read_answers(reading))
		return DNS_MALFORMED;
	status = status_of(reading);
	return status == DNS_NODATA || status == DNS_NXDOMAIN ? read_absence(reading, status) : status;
}

void reply_read(
    const guint8 *bytes, gsize size, const char *name, enum dns_type type, struct dns_answer *answer)
{
	struct reading reading = { .type = type, .answer = answer };

	*answer = (struct dns_answer){ .ttl = G_MAXUINT32 };
	reading.records = g_array_new(FALSE, FALSE, sizeof(struct dns_record));
	escape_name(name, reading.name, sizeof(reading.name));
	answer->status = read_message(&reading, bytes, size);
	answer->n_records = reading.records->len;
	answer->records = (struct dns_record *)(void *)g_array_free(reading.records, FALSE);
	if (answer->status != DNS_OK)
		dns_answer_clear(answer);
	answer->authentic = !dns_failed(answer) && ns_msg_getflag(reading.message, ns_f_ad) != 0;
	answer->alias = reading.is_alias ? g_strdup(reading.name) : NULL;
	if (answer->ttl == G_MAXUINT32)
		answer->ttl = 0;
}
