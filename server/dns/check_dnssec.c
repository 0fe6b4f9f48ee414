/* check_dnssec.c - DNSSEC of the domain's zone (RFC 4033 to 4035): what the DNS server has validated, and
 * else whether the zone is signed. */
#include "server/dns/check_parts.h"

#include <string.h>

#define DS_HEAD     4 /* bytes of a DS before its digest (RFC 4034 section 5.1) */
#define DIGEST_TYPE 3 /* where the type of the digest is */

/* Digest types that validators must know, or that are common (RFC 8624 section 3.3). */
static const struct {
	guint8 type;
	GChecksumType checksum;
} DIGESTS[] = {
	{ 1, G_CHECKSUM_SHA1 },
	{ 2, G_CHECKSUM_SHA256 },
	{ 4, G_CHECKSUM_SHA384 },
};

static GByteArray *bytes_of(const char *hex)
{
	GByteArray *bytes = g_byte_array_new();

	for (; g_ascii_isxdigit(hex[0]) && g_ascii_isxdigit(hex[1]); hex += 2) {
		guint8 byte = (guint8)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));

		g_byte_array_append(bytes, &byte, 1);
	}
	return bytes;
}

/* A name (lower case) as on the wire, then the key: what a DS has the digest of (RFC 4034 section 5.1.4). */
static void add_key(GChecksum *checksum, const char *zone, const char *key)
{
	g_autoptr(GByteArray) bytes = bytes_of(key);
	g_auto(GStrv) labels = g_strsplit(zone, ".", -1);
	static const guint8 END = 0;

	for (char **label = labels; *label != NULL; label++) {
		guint8 size = (guint8)strlen(*label);

		g_checksum_update(checksum, &size, 1);
		g_checksum_update(checksum, (const guchar *)*label, size);
	}
	g_checksum_update(checksum, &END, 1);
	g_checksum_update(checksum, bytes->data, bytes->len);
}

/* Whether a DS is of one of the keys; YES if its kind of digest is not known here. */
static gboolean has_key(const char *zone, const char *ds, const struct dns_answer *keys)
{
	g_autoptr(GByteArray) bytes = bytes_of(ds);

	if (bytes->len <= DS_HEAD)
		return FALSE;
	for (gsize i = 0; i < G_N_ELEMENTS(DIGESTS); i++) {
		if (DIGESTS[i].type != bytes->data[DIGEST_TYPE])
			continue;
		for (guint j = 0; j < keys->n_records; j++) {
			g_autoptr(GChecksum) checksum = g_checksum_new(DIGESTS[i].checksum);

			add_key(checksum, zone, keys->records[j].text);
			if (strcmp(g_checksum_get_string(checksum), ds + (gsize)2 * DS_HEAD) == 0)
				return TRUE;
		}
		return FALSE;
	}
	return TRUE;
}

/* Without a key that has a DS, validating servers answer nothing of the zone. */
static void judge_keys(const struct dns_source *source, struct check *check, const struct dns_answer *signers)
{
	const struct dns_answer *keys = dns_look_up(source, DNS_DNSKEY, check->zone);
	g_autofree char *place = g_strdup_printf("%s DS", check->zone);

	if (dns_failed(keys))
		return;
	for (guint i = 0; i < signers->n_records; i++)
		if (has_key(check->zone, signers->records[i].text, keys))
			return;
	findings_add(check->findings, FINDING_DNSSEC_BROKEN, place, NULL,
	    "%s: DNS servers that check DNSSEC find nothing of %s, and mail to it fails; the operator of the "
	    "zone must "
	    "publish the key, or the registrar must remove the DS",
	    keys->n_records == 0 ? "the zone above has a DS, but the zone has no DNSKEY"
				 : "no DNSKEY of the zone is that of the DS in the zone above",
	    check->zone);
}

/* The root is signed: a server that does not say so of it checks nothing. */
static enum check_known is_validating(const struct dns_source *source)
{
	const struct dns_answer *root = dns_look_up(source, DNS_SOA, "");

	if (dns_failed(root))
		return CHECK_UNKNOWN;
	return root->authentic ? CHECK_YES : CHECK_NO;
}

void check_dnssec(const struct dns_source *source, struct check *check)
{
	const struct dns_answer *soa, *signers;

	check->validating = is_validating(source);
	check->is_signed = check->validated = CHECK_UNKNOWN;
	if (check->zone == NULL)
		return;
	dns_expect(source, DNS_DS, check->zone);
	soa = dns_look_up(source, DNS_SOA, check->zone);
	signers = dns_look_up(source, DNS_DS, check->zone);
	if (check->validating == CHECK_YES && !dns_failed(soa))
		check->validated = soa->authentic ? CHECK_YES : CHECK_NO;
	if (check->validated == CHECK_YES || signers->status == DNS_OK)
		check->is_signed = CHECK_YES;
	else if (dns_is_void(signers))
		check->is_signed = CHECK_NO;
	if (check->validated != CHECK_YES && signers->status == DNS_OK)
		judge_keys(source, check, signers);
}
