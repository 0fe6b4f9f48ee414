/* check_tlsa.c - DANE for SMTP (RFC 7672): TLSA records of the MX hosts, which count only with DNSSEC. */
#include "server/dns/check_parts.h"

#include <string.h>

#define FIELDS_SIZE 6    /* hex digits of usage, selector and matching type (RFC 6698 section 2.1) */
#define DER_BEGIN   "30" /* of a certificate or key: a SEQUENCE */

enum { USAGE_TA = 2, USAGE_EE = 3, SELECTOR_MAX = 1, MATCHING_MAX = 2 };

static void free_tlsa(gpointer data)
{
	struct check_tlsa *tlsa = data;

	g_free(tlsa->data);
	g_free(tlsa);
}

static guint8 byte_at(const char *hex)
{
	return (guint8)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));
}

static struct check_tlsa *read_tlsa(const char *hex)
{
	struct check_tlsa *tlsa = g_new0(struct check_tlsa, 1);

	tlsa->complete = strlen(hex) > FIELDS_SIZE;
	tlsa->data = g_strdup(tlsa->complete ? hex + FIELDS_SIZE : hex);
	if (tlsa->complete) {
		tlsa->usage = byte_at(hex);
		tlsa->selector = byte_at(hex + 2);
		tlsa->matching = byte_at(hex + 4);
	}
	return tlsa;
}

/* Whether the data may be what the matching type says. */
static gboolean fits(const struct check_tlsa *tlsa)
{
	static const gsize DIGITS[] = { 0, 64, 128 }; /* SHA-256, SHA-512 */

	return tlsa->matching == 0 ? g_str_has_prefix(tlsa->data, DER_BEGIN)
				   : strlen(tlsa->data) == DIGITS[tlsa->matching];
}

/* Why senders pass over the record; NULL: they do not. */
static const char *fault_of(const struct check_tlsa *tlsa)
{
	if (!tlsa->complete)
		return "it has no data after usage, selector and matching type (RFC 6698 section 2.1)";
	if (tlsa->usage < USAGE_TA)
		return "usages 0 and 1 are not for SMTP; use 3 or 2 (RFC 7672 section 3.1.3)";
	if (tlsa->usage > USAGE_EE)
		return "there is no such usage; use 3 or 2 (RFC 7672 section 3.1)";
	if (tlsa->selector > SELECTOR_MAX)
		return "there is no such selector; use 1, or 0 (RFC 6698 section 2.1.2)";
	if (tlsa->matching > MATCHING_MAX)
		return "there is no such matching type; use 1 (RFC 6698 section 2.1.3)";
	return fits(tlsa) ? NULL
			  : "the data is not what the matching type says: SHA-256 has 64 hex digits, "
			    "SHA-512 has 128, and type 0 is a certificate or key";
}

static void take_record(struct check *check, struct check_mx *mx, const char *place, const char *hex)
{
	struct check_tlsa *tlsa = read_tlsa(hex);
	const char *fault = fault_of(tlsa);

	tlsa->usable = fault == NULL;
	g_ptr_array_add(mx->tlsa, tlsa);
	if (fault == NULL)
		return;
	if (tlsa->complete)
		findings_add(check->findings, FINDING_TLSA_INVALID, place, NULL,
		    "senders ignore the TLSA record \"%u %u %u ...\" of %s: %s", tlsa->usage, tlsa->selector,
		    tlsa->matching, mx->host, fault);
	else
		findings_add(check->findings, FINDING_TLSA_INVALID, place, NULL,
		    "senders ignore the TLSA record \"%s\" of %s: %s", tlsa->data, mx->host, fault);
}

static gboolean is_usable(const struct check_mx *mx)
{
	for (guint i = 0; mx->tlsa != NULL && i < mx->tlsa->len; i++)
		if (((const struct check_tlsa *)g_ptr_array_index(mx->tlsa, i))->usable)
			return TRUE;
	return FALSE;
}

/* Senders ask for TLSA only if the addresses of the host are authentic (RFC 7672 section 2.2.2). */
static gboolean has_authentic_address(const struct dns_source *source, const char *host)
{
	return dns_look_up(source, DNS_A, host)->authentic || dns_look_up(source, DNS_AAAA, host)->authentic;
}

static void judge_host(const struct dns_source *source, struct check *check, struct check_mx *mx)
{
	g_autofree char *name = g_strdup_printf("_25._tcp.%s", mx->host);
	g_autofree char *place = g_strdup_printf("%s TLSA", name);
	const struct dns_answer *answer = dns_look_up(source, DNS_TLSA, name);

	mx->tlsa = g_ptr_array_new_with_free_func(free_tlsa);
	mx->tlsa_authentic = CHECK_UNKNOWN;
	if (dns_failed(answer) && has_authentic_address(source, mx->host))
		findings_add(check->findings, FINDING_TLSA_FAILED, place, NULL,
		    "%s could not be looked up (%s): senders that use DANE do not deliver to %s then (RFC "
		    "7672 "
		    "section 2.1)",
		    name, dns_status_words(answer->status), mx->host);
	for (guint i = 0; i < answer->n_records; i++)
		take_record(check, mx, place, answer->records[i].text);
	if (mx->tlsa->len > 0 && check->validating == CHECK_YES)
		mx->tlsa_authentic = answer->authentic ? CHECK_YES : CHECK_NO;
	if (mx->tlsa_authentic == CHECK_NO)
		findings_add(check->findings, FINDING_TLSA_INSECURE, place, NULL,
		    "the TLSA records of %s have no effect: they are not protected by DNSSEC (RFC 7672 "
		    "section "
		    "2.2)",
		    mx->host);
}

/* Whether the host may be impersonated on the way to it. */
static gboolean is_open(const struct check_mx *mx)
{
	return *mx->host != '\0' && (!is_usable(mx) || mx->tlsa_authentic == CHECK_NO);
}

static void judge_hosts(const struct dns_source *source, struct check *check)
{
	g_autofree char *place = g_strdup_printf("%s MX", check->domain);
	const struct check_mx *with = NULL, *without = NULL;

	for (guint i = 0; i < check->mx->len; i++) {
		const struct check_mx *mx = g_ptr_array_index(check->mx, i);

		if (is_open(mx))
			without = mx;
		else
			with = mx;
	}
	if (with == NULL || *with->host == '\0')
		return;
	if (without != NULL)
		findings_add(check->findings, FINDING_TLSA_PARTIAL, place, NULL,
		    "%s has TLSA records and %s has none that count: mail on its way to %s is not protected "
		    "by "
		    "DANE",
		    with->host, without->host, without->host);
	if (check->validating == CHECK_YES && !dns_look_up(source, DNS_MX, check->domain)->authentic)
		findings_add(check->findings, FINDING_TLSA_MX, place, NULL,
		    "the MX hosts have TLSA records, but %s is not signed: whoever forges its MX leads mail "
		    "elsewhere (RFC 7672 section 2.2.1)",
		    check->domain);
}

void check_tlsa(const struct dns_source *source, struct check *check)
{
	for (guint i = 0; i < check->mx->len; i++) {
		const struct check_mx *mx = g_ptr_array_index(check->mx, i);
		g_autofree char *name = g_strdup_printf("_25._tcp.%s", mx->host);

		if (*mx->host != '\0')
			dns_expect(source, DNS_TLSA, name);
	}
	for (guint i = 0; i < check->mx->len; i++) {
		struct check_mx *mx = g_ptr_array_index(check->mx, i);

		mx->tlsa_authentic = CHECK_UNKNOWN;
		if (*mx->host != '\0')
			judge_host(source, check, mx);
	}
	judge_hosts(source, check);
}
