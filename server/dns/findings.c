#include "server/dns/findings.h"

#include <string.h>

#include "parser/text.h"

#define STRING_MAX 255  /* bytes of a character-string (RFC 1035 section 3.3) */
#define PLACE_MAX  400  /* bytes: a name and a word */
#define TEXT_MAX   600  /* bytes: a sentence with a name or two in it */
#define FIX_MAX    4096 /* bytes of a record to publish: a longer one is no help */

static const struct {
	const char *word;
	enum finding_severity severity;
} CODES[FINDING_CODES] = {
	[FINDING_DNS_FAILED] = { "dns_failed", FINDING_ERROR },         /* a name could not be looked up */
	[FINDING_DOMAIN_MISSING] = { "domain_missing", FINDING_ERROR }, /* the domain does not exist */

	[FINDING_DMARC_MISSING] = { "dmarc_missing", FINDING_ERROR },       /* no record applies */
	[FINDING_DMARC_SEVERAL] = { "dmarc_several", FINDING_ERROR },       /* so none counts */
	[FINDING_DMARC_IGNORED] = { "dmarc_ignored", FINDING_ERROR },       /* it is nearly a record */
	[FINDING_DMARC_MISPLACED] = { "dmarc_misplaced", FINDING_WARNING }, /* not under _dmarc */
	[FINDING_DMARC_UNRELATED] = { "dmarc_unrelated", FINDING_WARNING }, /* another TXT at _dmarc */
	[FINDING_DMARC_INHERITED] = { "dmarc_inherited", FINDING_INFO },    /* it is from above */
	[FINDING_DMARC_SYNTAX] = { "dmarc_syntax", FINDING_WARNING },       /* a part that is not a tag */
	[FINDING_DMARC_SEPARATOR] = { "dmarc_separator", FINDING_ERROR },   /* ';' is missing */
	[FINDING_DMARC_DUPLICATE_TAG] = { "dmarc_duplicate_tag", FINDING_ERROR },
	[FINDING_DMARC_UNKNOWN_TAG] = { "dmarc_unknown_tag", FINDING_WARNING },
	[FINDING_DMARC_REMOVED_TAG] = { "dmarc_removed_tag", FINDING_WARNING }, /* pct, rf, ri */
	[FINDING_DMARC_VALUE] = { "dmarc_value", FINDING_ERROR },              /* the tag has no such value */
	[FINDING_DMARC_NO_POLICY] = { "dmarc_no_policy", FINDING_ERROR },      /* no p and no rua */
	[FINDING_DMARC_AS_NONE] = { "dmarc_as_none", FINDING_ERROR },          /* p, sp or np is invalid */
	[FINDING_DMARC_P_MISSING] = { "dmarc_p_missing", FINDING_INFO },       /* which means none */
	[FINDING_DMARC_P_NOT_SECOND] = { "dmarc_p_not_second", FINDING_INFO }, /* RFC 7489 */
	[FINDING_DMARC_P_NONE] = { "dmarc_p_none", FINDING_INFO },
	[FINDING_DMARC_SUBDOMAINS_NONE] = { "dmarc_subdomains_none", FINDING_WARNING },
	[FINDING_DMARC_SUBDOMAINS_UNUSED] = { "dmarc_subdomains_unused", FINDING_INFO },
	[FINDING_DMARC_TESTING] = { "dmarc_testing", FINDING_INFO }, /* t=y */
	[FINDING_DMARC_PSD] = { "dmarc_psd", FINDING_INFO },         /* psd=y */
	[FINDING_DMARC_FO] = { "dmarc_fo", FINDING_WARNING },
	[FINDING_DMARC_RUA_MISSING] = { "dmarc_rua_missing", FINDING_WARNING },
	[FINDING_DMARC_URI] = { "dmarc_uri", FINDING_ERROR },             /* it is of no use */
	[FINDING_DMARC_URI_SIZE] = { "dmarc_uri_size", FINDING_WARNING }, /* "!10m" */
	[FINDING_DMARC_URI_MANY] = { "dmarc_uri_many", FINDING_WARNING },

	[FINDING_REPORT_UNAUTHORISED] = { "report_unauthorised", FINDING_ERROR },
	[FINDING_REPORT_MISPLACED] = { "report_misplaced", FINDING_WARNING }, /* consent elsewhere */
	[FINDING_REPORT_OVERRIDE] = { "report_override", FINDING_INFO },
	[FINDING_REPORT_HOST] = { "report_host", FINDING_ERROR }, /* it takes no mail */

	[FINDING_SPF_MISSING] = { "spf_missing", FINDING_ERROR },
	[FINDING_SPF_SEVERAL] = { "spf_several", FINDING_ERROR },
	[FINDING_SPF_IGNORED] = { "spf_ignored", FINDING_ERROR },    /* it is nearly a record */
	[FINDING_SPF_SENDER_ID] = { "spf_sender_id", FINDING_INFO }, /* spf2.0 */
	[FINDING_SPF_SYNTAX] = { "spf_syntax", FINDING_ERROR },
	[FINDING_SPF_MODIFIER] = { "spf_modifier", FINDING_WARNING },       /* unknown: no effect */
	[FINDING_SPF_WIDE] = { "spf_wide", FINDING_ERROR },                 /* much of the Internet */
	[FINDING_SPF_PRIVATE] = { "spf_private", FINDING_WARNING },         /* no address of the Internet */
	[FINDING_SPF_LOOKUPS] = { "spf_lookups", FINDING_ERROR },           /* more than ten */
	[FINDING_SPF_VOID_LOOKUPS] = { "spf_void_lookups", FINDING_ERROR }, /* more than two */
	[FINDING_SPF_VOID] = { "spf_void", FINDING_WARNING },               /* one */
	[FINDING_SPF_VOID_IPV6] = { "spf_void_ipv6", FINDING_WARNING },     /* for senders with IPv6 */
	[FINDING_SPF_LOOP] = { "spf_loop", FINDING_ERROR },
	[FINDING_SPF_INCLUDE] = { "spf_include", FINDING_ERROR }, /* of what is not a record */
	[FINDING_SPF_MX_MANY] = { "spf_mx_many", FINDING_ERROR }, /* more than ten hosts */
	[FINDING_SPF_DUPLICATE] = { "spf_duplicate", FINDING_WARNING },
	[FINDING_SPF_PTR] = { "spf_ptr", FINDING_WARNING },
	[FINDING_SPF_ALL_PASS] = { "spf_all_pass", FINDING_ERROR },         /* +all */
	[FINDING_SPF_ALL_NEUTRAL] = { "spf_all_neutral", FINDING_WARNING }, /* ?all */
	[FINDING_SPF_ALL_MISSING] = { "spf_all_missing", FINDING_WARNING },
	[FINDING_SPF_AFTER_ALL] = { "spf_after_all", FINDING_WARNING },
	[FINDING_SPF_EXP] = { "spf_exp", FINDING_WARNING },
	[FINDING_SPF_HOST_BITS] = { "spf_host_bits", FINDING_WARNING },
	[FINDING_SPF_LONG] = { "spf_long", FINDING_WARNING },
	[FINDING_SPF_UNLISTED] = { "spf_unlisted", FINDING_INFO }, /* depends on the mail */
	[FINDING_SPF_MANY_RANGES] = { "spf_many_ranges", FINDING_WARNING },

	[FINDING_DKIM_MISSING] = { "dkim_missing", FINDING_ERROR },
	[FINDING_DKIM_SEVERAL] = { "dkim_several", FINDING_ERROR },
	[FINDING_DKIM_INVALID] = { "dkim_invalid", FINDING_ERROR },
	[FINDING_DKIM_REVOKED] = { "dkim_revoked", FINDING_WARNING },
	[FINDING_DKIM_SHORT] = { "dkim_short", FINDING_ERROR }, /* below 1024 bits */
	[FINDING_DKIM_WEAK] = { "dkim_weak", FINDING_WARNING }, /* below 2048 bits */
	[FINDING_DKIM_TESTING] = { "dkim_testing", FINDING_INFO },

	[FINDING_MX_MISSING] = { "mx_missing", FINDING_INFO },
	[FINDING_MX_HOST] = { "mx_host", FINDING_ERROR }, /* without an address */
	[FINDING_MX_ALIAS] = { "mx_alias", FINDING_WARNING },
	[FINDING_PARKED] = { "parked", FINDING_INFO }, /* no mail, and not refused */

	[FINDING_NS_HOST] = { "ns_host", FINDING_WARNING }, /* without an address */
	[FINDING_NS_SILENT] = { "ns_silent", FINDING_WARNING },
	[FINDING_NS_SINGLE] = { "ns_single", FINDING_WARNING },
	[FINDING_NS_SERIAL] = { "ns_serial", FINDING_INFO },   /* not the same everywhere */
	[FINDING_NS_BLOCKED] = { "ns_blocked", FINDING_INFO }, /* no server can be asked from here */

	[FINDING_DNSSEC_BROKEN] = { "dnssec_broken", FINDING_ERROR }, /* no key of the zone has a DS */

	[FINDING_TLSRPT_MISSING] = { "tlsrpt_missing", FINDING_INFO },
	[FINDING_TLSRPT_INVALID] = { "tlsrpt_invalid", FINDING_ERROR },
	[FINDING_TLSRPT_HOST] = { "tlsrpt_host", FINDING_ERROR }, /* it takes no mail */
	[FINDING_TLSRPT_TAG] = { "tlsrpt_tag", FINDING_INFO },    /* it has no effect */
	[FINDING_MTA_STS_INVALID] = { "mta_sts_invalid", FINDING_ERROR },
	[FINDING_MTA_STS_TAG] = { "mta_sts_tag", FINDING_INFO },        /* it has no effect */
	[FINDING_MTA_STS_HOST] = { "mta_sts_host", FINDING_ERROR },     /* without an address */
	[FINDING_MTA_STS_POLICY] = { "mta_sts_policy", FINDING_ERROR }, /* cannot be fetched or read */
	[FINDING_MTA_STS_MX] = { "mta_sts_mx", FINDING_ERROR },         /* a host that it does not allow */

	[FINDING_TLSA_INVALID] = { "tlsa_invalid", FINDING_WARNING },   /* senders pass over the record */
	[FINDING_TLSA_INSECURE] = { "tlsa_insecure", FINDING_WARNING }, /* not protected by DNSSEC */
	[FINDING_TLSA_FAILED] = { "tlsa_failed", FINDING_ERROR },       /* senders do not deliver */
	[FINDING_TLSA_MX] = { "tlsa_mx", FINDING_INFO },           /* the MX is not protected by DNSSEC */
	[FINDING_TLSA_PARTIAL] = { "tlsa_partial", FINDING_INFO }, /* not for all hosts */

	[FINDING_BIMI_INVALID] = { "bimi_invalid", FINDING_INFO },   /* no logo is shown */
	[FINDING_BIMI_POLICY] = { "bimi_policy", FINDING_INFO },     /* DMARC is not enforced */
	[FINDING_BIMI_TAG] = { "bimi_tag", FINDING_INFO },           /* it has no effect */
	[FINDING_BIMI_EVIDENCE] = { "bimi_evidence", FINDING_INFO }, /* there is none */

	[FINDING_SENDER_NAMELESS] = { "sender_nameless", FINDING_WARNING },
	[FINDING_SENDER_UNCONFIRMED] = { "sender_unconfirmed", FINDING_WARNING },
	[FINDING_BLOCKLISTED] = { "blocklisted", FINDING_WARNING },
	[FINDING_BLOCKLIST_SILENT] = { "blocklist_silent", FINDING_INFO }, /* it refuses or failed */
};

struct findings {
	GPtrArray *of[FINDING_INFO + 1]; /* struct finding, by severity */
};

static void free_finding(gpointer data)
{
	struct finding *finding = data;

	g_free(finding->place);
	g_free(finding->text);
	g_free(finding->fix);
	g_free(finding);
}

struct findings *findings_new(void)
{
	struct findings *findings = g_new0(struct findings, 1);

	for (guint i = 0; i < G_N_ELEMENTS(findings->of); i++)
		findings->of[i] = g_ptr_array_new_with_free_func(free_finding);
	return findings;
}

void findings_free(struct findings *findings)
{
	if (findings == NULL)
		return;
	for (guint i = 0; i < G_N_ELEMENTS(findings->of); i++)
		g_ptr_array_unref(findings->of[i]);
	g_free(findings);
}

guint findings_count(const struct findings *findings)
{
	guint n = 0;

	for (guint i = 0; i < G_N_ELEMENTS(findings->of); i++)
		n += findings->of[i]->len;
	return n;
}

const struct finding *findings_get(struct findings *findings, guint i)
{
	for (guint j = 0; j < G_N_ELEMENTS(findings->of); j++) {
		if (i < findings->of[j]->len)
			return g_ptr_array_index(findings->of[j], i);
		i -= findings->of[j]->len;
	}
	return NULL;
}

gboolean findings_have(const struct findings *findings, enum finding_code code)
{
	const GPtrArray *of = findings->of[finding_severity_of(code)];

	for (guint i = 0; i < of->len; i++)
		if (((const struct finding *)g_ptr_array_index(of, i))->code == code)
			return TRUE;
	return FALSE;
}

guint findings_count_of(const struct findings *findings, enum finding_severity severity)
{
	return findings->of[severity]->len;
}

gboolean findings_have_error(const struct findings *findings)
{
	return findings_count_of(findings, FINDING_ERROR) > 0;
}

static gboolean is_same(const struct finding *a, const struct finding *b)
{
	return a->code == b->code && strcmp(a->place, b->place) == 0 && strcmp(a->text, b->text) == 0;
}

void findings_add(
    struct findings *findings, enum finding_code code, const char *place, char *fix, const char *format, ...)
{
	GPtrArray *of = findings->of[finding_severity_of(code)];
	struct finding *finding = g_new(struct finding, 1);
	gboolean known = of->len >= FINDINGS_MAX;
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	if (fix != NULL && strlen(fix) > FIX_MAX)
		g_clear_pointer(&fix, g_free);
	*finding = (struct finding){ code, text_clean_line(place, strlen(place), PLACE_MAX),
		text_clean_line(text, strlen(text), TEXT_MAX), fix };
	for (guint i = 0; i < of->len && !known; i++)
		known = is_same(g_ptr_array_index(of, i), finding);
	if (known)
		free_finding(finding);
	else
		g_ptr_array_add(of, finding);
}

void findings_add_failed(
    struct findings *findings, enum dns_type type, const char *name, const struct dns_answer *answer)
{
	g_autofree char *place = g_strdup_printf("%s %s", name, dns_type_word(type));

	findings_add(findings, FINDING_DNS_FAILED, place, NULL, "%s could not be looked up: %s", name,
	    dns_status_words(answer->status));
}

const char *finding_code_word(enum finding_code code)
{
	return CODES[code].word;
}

enum finding_severity finding_severity_of(enum finding_code code)
{
	return CODES[code].severity;
}

const char *finding_severity_word(enum finding_severity severity)
{
	static const char *const WORDS[] = { "error", "warning", "info" };

	return WORDS[severity];
}

/* Bytes of the next piece, which does not end within a character. */
static gsize piece_of(const char *text)
{
	return text_cut(text, strlen(text), STRING_MAX);
}

char *finding_txt_record(const char *name, const char *text)
{
	GString *record = g_string_new(name);

	g_string_append(record, ". TXT");
	do {
		gsize size = piece_of(text);

		g_string_append(record, " \"");
		for (gsize i = 0; i < size; i++) {
			if (text[i] == '"' || text[i] == '\\')
				g_string_append_c(record, '\\');
			g_string_append_c(record, text[i]);
		}
		g_string_append_c(record, '"');
		text += size;
	} while (*text != '\0');
	return g_string_free(record, FALSE);
}
