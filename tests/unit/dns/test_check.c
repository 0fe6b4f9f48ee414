/* A domain's check over zones in memory. Numbers in names are those of the assertions in the standards
 * digest. */
#include "parser/error.h"
#include "server/dns/check.h"
#include "tests/unit/dns/words.h"
#include "tests/unit/dns/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A domain without fault but for what a row changes. */
#define MAIL                                                                                                 \
	"example.com TXT v=spf1 ip4:192.0.2.1 -all\nexample.com MX 10 m.example.com\nm.example.com A "       \
	"192.0.2.1\n"                                                                                        \
	"1.2.0.192.in-addr.arpa PTR m.example.com\n_smtp._tls.example.com TXT v=TLSRPTv1; "                  \
	"rua=mailto:t@example.com\n"
#define RUA "rua=mailto:d@example.com"

/* Policies and where reports go, in words: "reject/reject/none p _dmarc.example.com org; rua a@b external
 * yes". */
static char *words_of(const struct check *check)
{
	static const char *const TAGS[] = { "p", "sp", "np" };
	const struct check_dmarc *dmarc = &check->dmarc;
	GString *words = g_string_new(NULL);

	if (dmarc->name == NULL)
		g_string_append_printf(words, "- %s", dmarc->org);
	else
		g_string_append_printf(words, "%s/%s/%s %s %s %s",
		    dmarc->policy == NULL ? "-" : dmarc->policy,
		    dmarc->subdomains == NULL ? "-" : dmarc->subdomains,
		    dmarc->nonexistent == NULL ? "-" : dmarc->nonexistent, TAGS[dmarc->tag], dmarc->name,
		    dmarc->org);
	for (guint i = 0; check->reports != NULL && i < check->reports->len; i++) {
		const struct check_report *report = g_ptr_array_index(check->reports, i);

		g_string_append_printf(words, "; %s %s %s %s", report->tag, report->address,
		    report->external ? "external" : "own", check_known_word(report->authorised));
		if (report->override->len > 0)
			g_string_append_printf(
			    words, " > %s", (const char *)g_ptr_array_index(report->override, 0));
	}
	return g_string_free(words, FALSE);
}

static struct check *run(struct zone *zone, const char *domain, const struct check_options *options)
{
	static const struct check_options NONE = { 0 };
	struct dns_source source = zone_source(zone);
	g_autoptr(GError) error = NULL;
	struct check *check =
	    check_run(&source, domain, options == NULL ? &NONE : options, 1795540000, &error);

	assert_non_null(check);
	return check;
}

static const struct {
	const char *name, *domain, *zone, *want, *findings;
} ROWS[] = {
	{ "without fault", "example.com", MAIL "_dmarc.example.com TXT v=DMARC1; p=reject; " RUA,
	    "reject/reject/reject p _dmarc.example.com example.com; rua d@example.com own yes", "" },
	{ "capitals and a dot", "EXAMPLE.com.", MAIL "_dmarc.example.com TXT v=DMARC1; p=reject; " RUA,
	    "reject/reject/reject p _dmarc.example.com example.com; rua d@example.com own yes", "" },
	{ "three policies", "example.com",
	    MAIL "_dmarc.example.com TXT v=DMARC1; p=reject; sp=quarantine; np=reject; " RUA,
	    "reject/quarantine/reject p _dmarc.example.com example.com; rua d@example.com own yes", "" },
	{ "none at all", "example.com", MAIL, "- example.com", "dmarc_missing" },
	{ "72 no p", "example.com", MAIL "_dmarc.example.com TXT v=DMARC1; " RUA,
	    "none/none/none p _dmarc.example.com example.com; rua d@example.com own yes",
	    "dmarc_p_missing, dmarc_p_none" },
	{ "72 no p and no rua", "example.com", MAIL "_dmarc.example.com TXT v=DMARC1; sp=none",
	    "-/-/- p _dmarc.example.com example.com", "dmarc_no_policy, dmarc_rua_missing" },
	{ "an invalid sp, and rua", "example.com",
	    MAIL "_dmarc.example.com TXT v=DMARC1; p=reject; sp=x; " RUA,
	    "none/none/none p _dmarc.example.com example.com; rua d@example.com own yes",
	    "dmarc_value, dmarc_as_none" },
	{ "an invalid np, and rua", "example.com",
	    MAIL "_dmarc.example.com TXT v=DMARC1; p=reject; np=x; " RUA,
	    "none/none/none p _dmarc.example.com example.com; rua d@example.com own yes",
	    "dmarc_value, dmarc_as_none" },
	{ "an invalid sp, and no rua", "example.com", MAIL "_dmarc.example.com TXT v=DMARC1; p=reject; sp=x",
	    "-/-/- p _dmarc.example.com example.com", "dmarc_value, dmarc_no_policy, dmarc_rua_missing" },
	{ "72 V=dmarc1", "example.com", MAIL "_dmarc.example.com TXT V=dmarc1; p=reject; " RUA,
	    "- example.com", "dmarc_ignored" },
	{ "74 a size and pct", "example.com",
	    MAIL "_dmarc.example.com TXT v=DMARC1; p=reject; pct=50; " RUA "!10m",
	    "reject/reject/reject p _dmarc.example.com example.com; rua d@example.com own yes",
	    "dmarc_uri_size, dmarc_removed_tag" },
	{ "46 several", "example.com",
	    MAIL "_dmarc.example.com TXT v=DMARC1; p=reject\n_dmarc.example.com TXT v=DMARC1; p=none",
	    "- example.com", "dmarc_several" },
	{ "46 several, and one above", "sub.example.com",
	    "sub.example.com TXT v=spf1 -all\n_dmarc.sub.example.com TXT v=DMARC1; p=none\n"
	    "_dmarc.sub.example.com TXT v=DMARC1; p=reject\n_dmarc.example.com TXT v=DMARC1; p=none; "
	    "sp=reject; " RUA,
	    "reject/reject/reject sp _dmarc.example.com example.com; rua d@example.com own yes",
	    "dmarc_several, report_host, mx_missing, dmarc_p_none, dmarc_inherited" },
	{ "an SPF record at _dmarc", "example.com",
	    MAIL "_dmarc.example.com TXT v=spf1 -all\n_dmarc.example.com TXT v=DMARC1; p=reject; " RUA,
	    "reject/reject/reject p _dmarc.example.com example.com; rua d@example.com own yes",
	    "dmarc_unrelated" },
	{ "nearly a record beside one", "example.com",
	    MAIL "_dmarc.example.com TXT V=dmarc1; p=none\n_dmarc.example.com TXT v=DMARC1; p=reject; " RUA,
	    "reject/reject/reject p _dmarc.example.com example.com; rua d@example.com own yes",
	    "dmarc_ignored" },
	{ "at the wrong place, before other texts", "example.com",
	    "example.com TXT v=DMARC1; p=reject\n" MAIL, "- example.com", "dmarc_missing, dmarc_misplaced" },
	{ "at the wrong place", "example.com", MAIL "example.com TXT v=DMARC1; p=reject", "- example.com",
	    "dmarc_missing, dmarc_misplaced" },
	{ "from above", "a.b.example.com",
	    MAIL "a.b.example.com MX 10 m.example.com\na.b.example.com TXT v=spf1 mx -all\n"
		 "_dmarc.example.com TXT v=DMARC1; p=reject; sp=quarantine; " RUA,
	    "quarantine/quarantine/quarantine sp _dmarc.example.com example.com; rua d@example.com own yes",
	    "dmarc_inherited, tlsrpt_missing" },
	{ "from above, for what does not exist", "no.example.com",
	    MAIL "_dmarc.example.com TXT v=DMARC1; p=reject; sp=none; np=quarantine; " RUA,
	    "quarantine/none/quarantine np _dmarc.example.com example.com; rua d@example.com own yes",
	    "domain_missing, dmarc_subdomains_none, dmarc_inherited" },
	{ "a name that does not exist gets no advice", "no.example.net", MAIL, "- no.example.net",
	    "domain_missing" },
	{ "own record below", "s.example.com",
	    "s.example.com TXT v=spf1 ip4:192.0.2.1 -all\n" MAIL
	    "_dmarc.s.example.com TXT v=DMARC1; p=quarantine; sp=reject; " RUA
	    "\n_dmarc.example.com TXT v=DMARC1; p=reject; np=none",
	    "quarantine/reject/none p _dmarc.s.example.com example.com; rua d@example.com own yes",
	    "mx_missing, dmarc_subdomains_unused" },
	{ "own record below, with np only", "s.example.com",
	    "s.example.com TXT v=spf1 ip4:192.0.2.1 -all\n" MAIL
	    "_dmarc.s.example.com TXT v=DMARC1; p=quarantine; np=reject; " RUA
	    "\n_dmarc.example.com TXT v=DMARC1; p=reject",
	    "quarantine/reject/reject p _dmarc.s.example.com example.com; rua d@example.com own yes",
	    "mx_missing, dmarc_subdomains_unused" },
	{ "own record below, with p only", "s.example.com",
	    "s.example.com TXT v=spf1 ip4:192.0.2.1 -all\n" MAIL
	    "_dmarc.s.example.com TXT v=DMARC1; p=quarantine; " RUA
	    "\n_dmarc.example.com TXT v=DMARC1; p=reject",
	    "quarantine/reject/reject p _dmarc.s.example.com example.com; rua d@example.com own yes",
	    "mx_missing" },
	{ "what is below follows the Organizational Domain, not the suffix above", "example.com",
	    MAIL "_dmarc.example.com TXT v=DMARC1; p=quarantine; sp=reject; " RUA
		 "\n_dmarc.com TXT v=DMARC1; p=none; sp=none; psd=y",
	    "quarantine/reject/reject p _dmarc.example.com example.com; rua d@example.com own yes", "" },
	{ "43 psd=y at the top", "a.mail.example.com",
	    "a.mail.example.com TXT v=spf1 ip4:192.0.2.1 -all\n_dmarc.com TXT v=DMARC1; p=none; psd=y; "
	    "rua=mailto:x@registry.com\nregistry.com MX 1 m.example.com\n" MAIL
	    "com._report._dmarc.registry.com TXT v=DMARC1",
	    "none/none/none sp _dmarc.com example.com; rua x@registry.com external yes",
	    "mx_missing, dmarc_p_none, dmarc_psd, dmarc_inherited" },
	{ "44 psd=n", "a.mail.example.com",
	    MAIL "a.mail.example.com TXT v=spf1 ip4:192.0.2.1 -all\nmail.example.com MX 1 m.example.com\n"
		 "_dmarc.mail.example.com TXT v=DMARC1; p=reject; psd=n; rua=mailto:d@mail.example.com\n"
		 "_dmarc.example.com TXT v=DMARC1; p=none",
	    "reject/reject/reject sp _dmarc.mail.example.com mail.example.com; rua d@mail.example.com own "
	    "yes",
	    "mx_missing, dmarc_inherited" },
	{ "71 external, and not authorised", "example.com",
	    MAIL "_dmarc.example.com TXT v=DMARC1; p=reject; rua=mailto:x@h.net\nh.net MX 1 m.example.com",
	    "reject/reject/reject p _dmarc.example.com example.com; rua x@h.net external no",
	    "report_unauthorised" },
	{ "71 consent under the own domain", "example.com",
	    MAIL "_dmarc.example.com TXT v=DMARC1; p=reject; rua=mailto:x@h.net\nh.net MX 1 m.example.com\n"
		 "h.net._report._dmarc.example.com TXT v=DMARC1",
	    "reject/reject/reject p _dmarc.example.com example.com; rua x@h.net external no",
	    "report_unauthorised, report_misplaced" },
	{ "71 consent under the own domain, with its own name", "example.com",
	    MAIL "_dmarc.example.com TXT v=DMARC1; p=reject; rua=mailto:x@h.net\nh.net MX 1 m.example.com\n"
		 "example.com._report._dmarc.example.com TXT v=DMARC1",
	    "reject/reject/reject p _dmarc.example.com example.com; rua x@h.net external no",
	    "report_unauthorised, report_misplaced" },
	{ "71 consent under the own domain, with no name", "example.com",
	    MAIL "_dmarc.example.com TXT v=DMARC1; p=reject; rua=mailto:x@h.net\nh.net MX 1 m.example.com\n"
		 "_report._dmarc.example.com TXT v=DMARC1",
	    "reject/reject/reject p _dmarc.example.com example.com; rua x@h.net external no",
	    "report_unauthorised, report_misplaced" },
	{ "71 nearly consent under the own domain", "example.com",
	    MAIL "_dmarc.example.com TXT v=DMARC1; p=reject; rua=mailto:x@h.net\nh.net MX 1 m.example.com\n"
		 "h.net._report._dmarc.example.com TXT v=dmarc1",
	    "reject/reject/reject p _dmarc.example.com example.com; rua x@h.net external no",
	    "report_unauthorised" },
	{ "71 one of two addresses instead is another's", "example.com",
	    MAIL "_dmarc.example.com TXT v=DMARC1; p=reject; rua=mailto:x@h.net\nh.net MX 1 m.example.com\n"
		 "example.com._report._dmarc.h.net TXT v=DMARC1; rua=mailto:y@h.net,mailto:y@i.net",
	    "reject/reject/reject p _dmarc.example.com example.com; rua x@h.net external no",
	    "report_unauthorised" },
	{ "71 authorised", "example.com",
	    MAIL "_dmarc.example.com TXT v=DMARC1; p=reject; rua=mailto:x@h.net\nh.net MX 1 m.example.com\n"
		 "example.com._report._dmarc.h.net TXT v=DMARC1",
	    "reject/reject/reject p _dmarc.example.com example.com; rua x@h.net external yes", "" },
	{ "71 by a wildcard", "example.com",
	    MAIL "_dmarc.example.com TXT v=DMARC1; p=reject; rua=mailto:x@h.net\nh.net MX 1 m.example.com\n"
		 "*._report._dmarc.h.net TXT v=DMARC1;",
	    "reject/reject/reject p _dmarc.example.com example.com; rua x@h.net external yes", "" },
	{ "71 several of them", "example.com",
	    MAIL
	    "_dmarc.example.com TXT v=DMARC1; p=reject; rua=mailto:x@h.net\nh.net MX 1 m.example.com\n"
	    "example.com._report._dmarc.h.net TXT v=DMARC1\nexample.com._report._dmarc.h.net TXT v=DMARC1",
	    "reject/reject/reject p _dmarc.example.com example.com; rua x@h.net external yes", "" },
	{ "71 something else there", "example.com",
	    MAIL "_dmarc.example.com TXT v=DMARC1; p=reject; rua=mailto:x@h.net\nh.net MX 1 m.example.com\n"
		 "example.com._report._dmarc.h.net TXT v=dmarc1",
	    "reject/reject/reject p _dmarc.example.com example.com; rua x@h.net external no",
	    "report_unauthorised" },
	{ "71 the host's own address instead", "example.com",
	    MAIL "_dmarc.example.com TXT v=DMARC1; p=reject; rua=mailto:x@h.net\nh.net MX 1 m.example.com\n"
		 "example.com._report._dmarc.h.net TXT v=DMARC1; rua=mailto:y@h.net",
	    "reject/reject/reject p _dmarc.example.com example.com; rua x@h.net external yes > "
	    "mailto:y@h.net",
	    "report_override" },
	{ "71 another's address instead", "example.com",
	    MAIL "_dmarc.example.com TXT v=DMARC1; p=reject; rua=mailto:x@h.net\nh.net MX 1 m.example.com\n"
		 "example.com._report._dmarc.h.net TXT v=DMARC1; rua=mailto:y@i.net",
	    "reject/reject/reject p _dmarc.example.com example.com; rua x@h.net external no",
	    "report_unauthorised" },
	{ "71 instead of rua, but not of ruf", "example.com",
	    MAIL
	    "_dmarc.example.com TXT v=DMARC1; p=reject; rua=mailto:x@h.net; ruf=mailto:x@h.net\n"
	    "h.net MX 1 m.example.com\nexample.com._report._dmarc.h.net TXT v=DMARC1; rua=mailto:y@h.net",
	    "reject/reject/reject p _dmarc.example.com example.com; rua x@h.net external yes > "
	    "mailto:y@h.net; "
	    "ruf x@h.net external yes",
	    "report_override" },
	{ "71 could not be looked up", "example.com",
	    MAIL "_dmarc.example.com TXT v=DMARC1; p=reject; rua=mailto:x@h.net\nh.net MX 1 m.example.com\n"
		 "example.com._report._dmarc.h.net TXT !timeout",
	    "reject/reject/reject p _dmarc.example.com example.com; rua x@h.net external unknown",
	    "dns_failed" },
	{ "71 a subdomain is of the same organization", "example.com",
	    MAIL "_dmarc.example.com TXT v=DMARC1; p=reject; rua=mailto:x@r.example.com\nr.example.com A "
		 "192.0.2.9",
	    "reject/reject/reject p _dmarc.example.com example.com; rua x@r.example.com own yes", "" },
	{ "the host of reports takes no mail", "example.com",
	    MAIL
	    "_dmarc.example.com TXT v=DMARC1; p=reject; rua=mailto:x@h.net,mailto:x@i.net\nh.net MX 0 .\n"
	    "*._report._dmarc.h.net TXT v=DMARC1\n*._report._dmarc.i.net TXT v=DMARC1\n",
	    "reject/reject/reject p _dmarc.example.com example.com; rua x@h.net external yes; rua x@i.net "
	    "external yes",
	    "report_host, report_host" },
	{ "_dmarc cannot be looked up", "example.com", MAIL "_dmarc.example.com TXT !servfail",
	    "- example.com", "dns_failed" },
	{ "no SPF", "example.com", "example.com MX 0 .\n_dmarc.example.com TXT v=DMARC1; p=reject",
	    "reject/reject/reject p _dmarc.example.com example.com", "spf_missing, dmarc_rua_missing" },
	{ "parked, and said so", "example.com",
	    "example.com MX 0 .\nexample.com TXT v=spf1 -all\n_dmarc.example.com TXT v=DMARC1; p=reject",
	    "reject/reject/reject p _dmarc.example.com example.com", "dmarc_rua_missing" },
	{ "parked", "example.com",
	    "example.com MX 0 .\nexample.com TXT v=spf1 -all\n_dmarc.example.com TXT v=DMARC1; p=none",
	    "none/none/none p _dmarc.example.com example.com", "dmarc_rua_missing, dmarc_p_none, parked" },
	{ "MX without address", "example.com",
	    MAIL "example.com MX 20 gone.example.com\n_dmarc.example.com TXT v=DMARC1; p=reject; " RUA,
	    "reject/reject/reject p _dmarc.example.com example.com; rua d@example.com own yes", "mx_host" },
	{ "MX that is an address", "example.com",
	    MAIL "example.com MX 20 192.0.2.7\n_dmarc.example.com TXT v=DMARC1; p=reject; " RUA,
	    "reject/reject/reject p _dmarc.example.com example.com; rua d@example.com own yes", "mx_host" },
	{ "null MX beside another", "example.com",
	    MAIL "example.com MX 0 .\n_dmarc.example.com TXT v=DMARC1; p=reject; " RUA,
	    "reject/reject/reject p _dmarc.example.com example.com; rua d@example.com own yes", "mx_host" },
	{ "sender without name", "example.com",
	    MAIL "example.com MX 20 n.example.com\nn.example.com A 192.0.2.2\n"
		 "_dmarc.example.com TXT v=DMARC1; p=reject; " RUA,
	    "reject/reject/reject p _dmarc.example.com example.com; rua d@example.com own yes",
	    "sender_nameless" },
	{ "name that does not lead back", "example.com",
	    MAIL "example.com MX 20 n.example.com\nn.example.com A 192.0.2.2\n2.2.0.192.in-addr.arpa PTR "
		 "x.example.com\n"
		 "_dmarc.example.com TXT v=DMARC1; p=reject; " RUA,
	    "reject/reject/reject p _dmarc.example.com example.com; rua d@example.com own yes",
	    "sender_unconfirmed" },
	{ "one of two names leads back", "example.com",
	    MAIL "1.2.0.192.in-addr.arpa PTR other.example\n_dmarc.example.com TXT v=DMARC1; p=reject; " RUA,
	    "reject/reject/reject p _dmarc.example.com example.com; rua d@example.com own yes", "" },
	{ "TLS reporting of another kind", "example.com",
	    "example.com TXT v=spf1 -all\n_smtp._tls.example.com TXT v=tlsrptv1\n_dmarc.example.com TXT "
	    "v=DMARC1; p=reject",
	    "reject/reject/reject p _dmarc.example.com example.com",
	    "tlsrpt_invalid, dmarc_rua_missing, mx_missing" },
};

static void domains_are_judged(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		struct zone *zone = zone_new(ROWS[i].zone);
		struct check *check = run(zone, ROWS[i].domain, NULL);
		g_autofree char *got = words_of(check);
		g_autofree char *findings = findings_words(check->findings, FALSE);

		if (strcmp(got, ROWS[i].want) != 0 || strcmp(findings, ROWS[i].findings) != 0)
			fail_msg("%s: got %s (%s)", ROWS[i].name, got, findings);
		check_free(check);
		zone_free(zone);
	}
}

/* The finding with this code. */
static const struct finding *find(struct check *check, enum finding_code code)
{
	for (guint i = 0; i < findings_count(check->findings); i++)
		if (findings_get(check->findings, i)->code == code)
			return findings_get(check->findings, i);
	return NULL;
}

static void check_fix(
    const char *domain, const char *lines, enum finding_code code, const char *place, const char *fix)
{
	struct zone *zone = zone_new(lines);
	struct check *check = run(zone, domain, NULL);
	const struct finding *finding = find(check, code);

	assert_non_null(finding);
	assert_string_equal(finding->place, place);
	assert_string_equal(finding->fix == NULL ? "-" : finding->fix, fix == NULL ? "-" : fix);
	check_free(check);
	zone_free(zone);
}

static void a_finding_says_what_to_publish(void **state)
{
	(void)state;
	check_fix("example.com", MAIL, FINDING_DMARC_MISSING, "_dmarc.example.com TXT",
	    "_dmarc.example.com. TXT \"v=DMARC1; p=none; rua=mailto:dmarc-sum@example.com\"");
	check_fix("example.com", MAIL "_dmarc.example.com TXT v=dmarc1 p=reject; sp=none",
	    FINDING_DMARC_IGNORED, "_dmarc.example.com TXT",
	    "_dmarc.example.com. TXT \"v=DMARC1; p=reject; sp=none\"");
	check_fix("example.com", MAIL "example.com TXT v=DMARC1; p=none", FINDING_DMARC_MISPLACED,
	    "example.com TXT", "_dmarc.example.com. TXT \"v=DMARC1; p=none\"");
	check_fix("example.com", MAIL "example.com TXT V=DMARC1; p=reject; pct=0", FINDING_DMARC_MISPLACED,
	    "example.com TXT", "_dmarc.example.com. TXT \"v=DMARC1; p=reject; pct=0; t=y\"");
	check_fix("example.com", MAIL "example.com TXT v=DMARC1; p=reject", FINDING_DMARC_MISSING,
	    "_dmarc.example.com TXT", NULL);
	check_fix("example.com",
	    MAIL "example.com TXT v=DMARC1; p=none\n_dmarc.example.com TXT v=DMARC1; p=reject",
	    FINDING_DMARC_MISPLACED, "example.com TXT", NULL);
	check_fix("example.com",
	    MAIL "_dmarc.example.com TXT v=dmarc1; p=none\n_dmarc.example.com TXT v=DMARC1; p=reject",
	    FINDING_DMARC_IGNORED, "_dmarc.example.com TXT", NULL);
	check_fix("example.com", MAIL "_dmarc.example.com TXT p=reject; rua=mailto:d@example.com",
	    FINDING_DMARC_IGNORED, "_dmarc.example.com TXT",
	    "_dmarc.example.com. TXT \"v=DMARC1; p=reject; rua=mailto:d@example.com\"");
	check_fix("example.com", MAIL "_dmarc.example.com TXT v=DMARC1; p=none; rua=mailto:x@h.net",
	    FINDING_REPORT_UNAUTHORISED, "example.com._report._dmarc.h.net TXT",
	    "example.com._report._dmarc.h.net. TXT \"v=DMARC1\"");
	/* of what is inherited, the name where the record is */
	check_fix("s.example.com", MAIL "_dmarc.example.com TXT v=DMARC1; p=none; rua=mailto:x@h.net",
	    FINDING_REPORT_UNAUTHORISED, "example.com._report._dmarc.h.net TXT",
	    "example.com._report._dmarc.h.net. TXT \"v=DMARC1\"");
	check_fix("example.com", "example.com MX 1 m.example.com", FINDING_SPF_MISSING, "example.com TXT",
	    "example.com. TXT \"v=spf1 mx ~all\"");
	check_fix("example.com", "example.com TXT x", FINDING_SPF_MISSING, "example.com TXT",
	    "example.com. TXT \"v=spf1 -all\"");
	check_fix("example.com", "example.com TXT v=spf1 mx ?all a", FINDING_SPF_AFTER_ALL,
	    "example.com TXT: all", "example.com. TXT \"v=spf1 mx a ?all\"");
	check_fix("example.com", "example.com TXT v=spf1 a -all redirect=b.example", FINDING_SPF_AFTER_ALL,
	    "example.com TXT: all", "example.com. TXT \"v=spf1 a include:b.example -all\"");
	check_fix("example.com", "example.com TXT v=spf1 mx +all", FINDING_SPF_ALL_PASS,
	    "example.com TXT: all", NULL);
	check_fix("example.com", "example.com TXT v=spf1 mx", FINDING_SPF_ALL_MISSING, "example.com TXT: all",
	    NULL);
	check_fix("example.com", "example.com TXT v=spf1 ipv4:192.0.2.1 -all", FINDING_SPF_SYNTAX,
	    "example.com TXT", "example.com. TXT \"v=spf1 ip4:192.0.2.1 -all\"");
	check_fix("example.com", "example.com TXT v=spf1 include=b.example -all", FINDING_SPF_MODIFIER,
	    "example.com TXT: include=b.example", "example.com. TXT \"v=spf1 include:b.example -all\"");
	check_fix("example.com", "example.com TXT v=spf1 mx -all\nexample.com TXT v=spf1 a ~all",
	    FINDING_SPF_SEVERAL, "example.com TXT", "example.com. TXT \"v=spf1 mx a ~all\"");
	check_fix("example.com",
	    "example.com TXT v=spf1 mx a ~all\nexample.com TXT v=spf1 mx include:b.example -all",
	    FINDING_SPF_SEVERAL, "example.com TXT",
	    "example.com. TXT \"v=spf1 mx a include:b.example ~all\"");
	check_fix("example.com", "example.com TXT  \"v=spf1-all\"", FINDING_SPF_IGNORED, "example.com TXT",
	    "example.com. TXT \"v=spf1 -all\"");
	check_fix("example.com", "example.com MX 1 m.example.com\nm.example.com A 192.0.2.1",
	    FINDING_SENDER_NAMELESS, "1.2.0.192.in-addr.arpa PTR",
	    "1.2.0.192.in-addr.arpa. PTR m.example.com.");
	check_fix("example.com", "example.com TXT v=spf1 a:out.example.com -all\nout.example.com A 192.0.2.1",
	    FINDING_SENDER_NAMELESS, "1.2.0.192.in-addr.arpa PTR",
	    "1.2.0.192.in-addr.arpa. PTR out.example.com.");
	check_fix("example.com",
	    "example.com TXT v=spf1 +a:out.example.com -all\nout.example.com A 192.0.2.1",
	    FINDING_SENDER_NAMELESS, "1.2.0.192.in-addr.arpa PTR",
	    "1.2.0.192.in-addr.arpa. PTR out.example.com.");
	check_fix("example.com", "example.com TXT v=spf1 a -all\nexample.com A 192.0.2.1",
	    FINDING_SENDER_NAMELESS, "1.2.0.192.in-addr.arpa PTR", NULL);
	check_fix("example.com",
	    "example.com MX 1 m.example.com\nm.example.com A 192.0.2.1\n1.2.0.192.in-addr.arpa PTR x.example",
	    FINDING_SENDER_UNCONFIRMED, "1.2.0.192.in-addr.arpa PTR", "x.example. A 192.0.2.1");
	check_fix("example.com", "example.com MX 1 m.example.com", FINDING_TLSRPT_MISSING,
	    "_smtp._tls.example.com TXT",
	    "_smtp._tls.example.com. TXT \"v=TLSRPTv1; rua=mailto:tls-rpt@example.com\"");
}

static void check_text(const char *lines, enum finding_code code, const char *text)
{
	struct zone *zone = zone_new(lines);
	struct check *check = run(zone, "example.com", NULL);
	const struct finding *finding = find(check, code);

	assert_non_null(finding);
	assert_string_equal(finding->text, text);
	check_free(check);
	zone_free(zone);
}

static void a_finding_names_what_it_found(void **state)
{
	(void)state;
	check_text(MAIL "_dmarc.example.com TXT v=DMARC1; p=reject\n_dmarc.example.com TXT x\n"
			"_dmarc.example.com TXT v=DMARC1; p=none",
	    FINDING_DMARC_SEVERAL,
	    "there are several DMARC records, so none counts (RFC 9989 section 4.10): keep one of "
	    "\"v=DMARC1; p=reject\", \"v=DMARC1; p=none\"");
	check_text(MAIL "_dmarc.example.com TXT v=DMARC1; p=reject; rua=mailto:x@h.net\n"
			"example.com._report._dmarc.h.net TXT v=DMARC1; rua=mailto:y@h.net,mailto:z@h.net",
	    FINDING_REPORT_OVERRIDE, "h.net has the reports of \"rua\" sent to mailto:y@h.net instead");
	check_text(MAIL "example.com MX 20 gone.example.com", FINDING_MX_HOST,
	    "gone.example.com has no address (no such name)");
	check_text("example.com MX 1 m.example.com\nm.example.com A 192.0.2.1", FINDING_SENDER_NAMELESS,
	    "192.0.2.1 has no name: many receivers refuse mail from such hosts");
}

#define ED_KEY  "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define S1      "s1._domainkey.example.com TXT "
#define STS     "mta-sts.example.com A 192.0.2.4\n_mta-sts.example.com TXT "
#define TLS     "_smtp._tls.example.com TXT "
#define SEVERAL "there are several records, so none counts"
#define TEN     "1234567890"
#define NO_ID   "there is no valid \"id\" in it: 1 to 32 letters and digits, which change with the policy"

/* want is a finding in words "code: text", the only one with this beginning of its code; "" if there is
 * none. */
static const struct {
	const char *name, *zone, *prefix, *want;
} BESIDE[] = {
	{ "TLS reporting twice",
	    TLS "v=TLSRPTv1; rua=mailto:a@example.com\n" TLS "v=TLSRPTv1; rua=mailto:b@example.com", "tlsrpt",
	    "tlsrpt_invalid: " SEVERAL " (RFC 8460 section 3)" },
	{ "TLS reporting without answer", TLS "!timeout", "dns",
	    "dns_failed: _smtp._tls.example.com could not be looked up: no DNS server answered in "
	    "time" },
	{ "an unknown tag",
	    "example.com MX 1 m.example.com\n" TLS "v=TLSRPTv1; rua=mailto:t@example.com; X=1", "tlsrpt",
	    "tlsrpt_tag: there is no tag \"X\" in such a record: it has no effect" },
	{ "a tag twice", "example.com MX 1 m.example.com\n" TLS "v=TLSRPTv1; rua=mailto:t@example.com; v=x",
	    "tlsrpt", "tlsrpt_tag: \"v\" occurs twice: only the first counts" },
	{ "TLS reports to a host without mail",
	    TLS "v=TLSRPTv1; rua=mailto:t@gone.example,https://x.example/", "tlsrpt",
	    "tlsrpt_host: gone.example, where the TLS reports go (mailto:t@gone.example), takes no "
	    "mail: it has neither MX nor address, or refuses" },
	{ "the second of two", TLS "v=TLSRPTv1; rua=https://x.example/,mailto:t@gone.example", "tlsrpt",
	    "tlsrpt_host: gone.example, where the TLS reports go (mailto:t@gone.example), takes no "
	    "mail: it has neither MX nor address, or refuses" },
	{ "an id of 32 characters", STS "v=STSv1; id=" TEN TEN TEN "ab;", "mta_sts", "" },
	{ "an id of 33 characters", STS "v=STSv1; id=" TEN TEN TEN "abc;", "mta_sts",
	    "mta_sts_invalid: " NO_ID },
	{ "an id with a hyphen", STS "v=STSv1; id=1-2;", "mta_sts", "mta_sts_invalid: " NO_ID },
	{ "an empty id", STS "v=STSv1; id=;", "mta_sts", "mta_sts_invalid: " NO_ID },
	{ "no id", STS "v=STSv1", "mta_sts", "mta_sts_invalid: " NO_ID },
	{ "another tag", STS "v=STSv1; id=1; x=y", "mta_sts",
	    "mta_sts_tag: there is no tag \"x\" in such a record: it has no effect" },
	{ "two ids", STS "v=STSv1; id=1; id=-", "mta_sts",
	    "mta_sts_tag: \"id\" occurs twice: only the first counts" },
	{ "MTA-STS twice", STS "v=STSv1; id=1\n_mta-sts.example.com TXT v=STSv1; id=2", "mta_sts",
	    "mta_sts_invalid: " SEVERAL " (RFC 8461 section 3.1)" },
	{ "MTA-STS beside another text", STS "x\n_mta-sts.example.com TXT v=STSv1; id=2", "mta_sts", "" },
	{ "no MTA-STS", STS "v=STSv11; id=1\n_mta-sts.example.com TXT x", "mta_sts",
	    "mta_sts_invalid: \"v=STSv11; id=1\" is not a record: one begins with \"v=STSv1;\"" },
	{ "MTA-STS without answer", STS "!timeout", "dns",
	    "dns_failed: _mta-sts.example.com could not be looked up: no DNS server answered in "
	    "time" },
	{ "no host of the policy", "_mta-sts.example.com TXT v=STSv1; id=1", "mta_sts",
	    "mta_sts_host: mta-sts.example.com has no address, so no sender can fetch the policy of "
	    "MTA-STS "
	    "(RFC 8461)" },
	{ "no answer about the host of the policy",
	    "_mta-sts.example.com TXT v=STSv1; id=1\nmta-sts.example.com A !timeout", "mta_sts", "" },
	{ "nor about its other address",
	    "_mta-sts.example.com TXT v=STSv1; id=1\nmta-sts.example.com AAAA !timeout", "mta_sts", "" },
	{ "two keys", S1 ED_KEY "\n" S1 "v=DKIM1; k=ed25519; " ED_KEY, "dkim_several",
	    "dkim_several: there are several keys: verifiers may take any of them (RFC 6376 section "
	    "3.6.2.2)" },
	{ "a key behind another text", S1 "x\n" S1 "v=DKIM1; k=ed25519; " ED_KEY, "dkim", "" },
	{ "the first of two keys", S1 "v=DKIM1; k=ed25519; " ED_KEY "\n" S1 "v=DKIM1; p=", "dkim_revoked",
	    "" },
	{ "the first of two texts that are no key", S1 "first\n" S1 "v=spf1 -all", "dkim_invalid",
	    "dkim_invalid: \"first\" is not a tag; dkim_invalid: there is no \"p\", which has the "
	    "key" },
	{ "two texts that are no key", S1 "first\n" S1 "v=spf1 -all", "dkim_several", "" },
	{ "no key for now", S1 "!timeout", "dns",
	    "dns_failed: s1._domainkey.example.com could not be looked up: no DNS server answered in "
	    "time" },
	{ "parked, with all that it needs",
	    "example.com MX 0 .\nexample.com TXT v=spf1 -all\n_dmarc.example.com TXT v=DMARC1; "
	    "p=reject; sp=none",
	    "parked",
	    "parked: no host may send mail of example.com, and none takes any: \"p=reject; "
	    "sp=reject\" would "
	    "say so to all" },
	{ "parked, and said so",
	    "example.com MX 0 .\nexample.com TXT v=spf1 -all\n_dmarc.example.com TXT v=DMARC1; "
	    "p=reject",
	    "parked", "" },
	{ "a softer SPF record", "example.com MX 0 .\nexample.com TXT v=spf1 ~all", "parked", "" },
	{ "a host that sends", "example.com MX 0 .\nexample.com TXT v=spf1 ip4:192.0.2.1 -all", "parked",
	    "" },
	{ "hosts that a macro names",
	    "example.com MX 0 .\nexample.com TXT v=spf1 exists:%{i}.example.com -all", "parked", "" },
	{ "two SPF records", "example.com MX 0 .\nexample.com TXT v=spf1 -all\nexample.com TXT v=spf1 -all",
	    "parked", "" },
	{ "mail is taken", "example.com MX 1 m.example.com\nexample.com TXT v=spf1 -all", "parked", "" },
	{ "a name server that nobody knows for now",
	    "example.com NS a.example.net\na.example.net A !servfail", "dns",
	    "dns_failed: a.example.net could not be looked up: the DNS server could not find out" },
	{ "an MX that nobody knows for now", "example.com MX 1 m.example.com\nm.example.com AAAA !servfail",
	    "dns", "dns_failed: m.example.com could not be looked up: the DNS server could not find out" },
	{ "no answer about MX", "example.com MX !servfail\nexample.com TXT v=spf1 -all", "dns",
	    "dns_failed: example.com could not be looked up: the DNS server could not find out" },
	{ "a name server without address", "example.com NS a.example.net\nexample.com A 192.0.2.1", "ns_host",
	    "ns_host: the name server a.example.net has no address (no such name)" },
	{ "and so none that could be blocked", "example.com NS a.example.net\nexample.com A 192.0.2.1",
	    "ns_blocked", "" },
};

static void records_beside_dmarc_are_judged(void **state)
{
	static const struct check_selector SELECTOR = { "s1", NULL, FALSE };
	static const struct check_options OPTIONS = { .selectors = &SELECTOR, .n_selectors = 1 };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(BESIDE); i++) {
		struct zone *zone = zone_new(BESIDE[i].zone);
		struct check *check = run(zone, "example.com", &OPTIONS);
		g_autoptr(GString) got = g_string_new(NULL);

		for (guint j = 0; j < findings_count(check->findings); j++) {
			const struct finding *finding = findings_get(check->findings, j);
			const char *word = finding_code_word(finding->code);

			if (g_str_has_prefix(word, BESIDE[i].prefix))
				g_string_append_printf(
				    got, "%s%s: %s", got->len > 0 ? "; " : "", word, finding->text);
		}
		if (strcmp(got->str, BESIDE[i].want) != 0)
			fail_msg("%s: %s", BESIDE[i].name, got->str);
		check_free(check);
		zone_free(zone);
	}
}

/* How much of what a zone has is examined. */
static void hosts_are_bounded(void **state)
{
	for (guint n = 0; n <= CHECK_MX_MAX + 1; n++) {
		g_autoptr(GString) lines = g_string_new("example.com TXT v=spf1 -all");
		struct zone *zone;
		struct check *check;

		(void)state;
		for (guint i = 0; i < n; i++)
			g_string_append_printf(lines,
			    "\nexample.com MX %u m%u.example\nexample.com NS n%u.example\n"
			    "n%u.example A 192.0.2.1",
			    n - i, i, i, i);
		zone = zone_new(lines->str);
		check = run(zone, "example.com", NULL);
		assert_int_equal(check->mx->len, MIN(n, CHECK_MX_MAX));
		if (n > 0 && n <= CHECK_MX_MAX) { /* the most preferred first, whatever its name */
			g_autofree char *first = g_strdup_printf("m%u.example", n - 1);

			assert_string_equal(
			    ((struct check_mx *)g_ptr_array_index(check->mx, 0))->host, first);
		}
		assert_int_equal(check->servers->len, MIN(n, CHECK_SERVERS_MAX));
		check_free(check);
		zone_free(zone);
	}
}

static void of_many_names_of_an_address_five_are_checked(void **state)
{
	for (guint last = 4; last <= 6; last++) {
		g_autoptr(GString) lines = g_string_new(
		    "example.com TXT v=spf1 -all\nexample.com MX 1 m.example.com\nm.example.com A 192.0.2.1");
		const struct check_sender *sender;
		struct zone *zone;
		struct check *check;

		(void)state;
		for (guint i = 1; i <= last; i++)
			g_string_append_printf(lines,
			    "\n1.2.0.192.in-addr.arpa PTR n%u.example\nn%u.example A 192.0.2.%u", i, i,
			    i == last ? 1U : 9U);
		zone = zone_new(lines->str);
		check = run(zone, "example.com", NULL);
		sender = g_ptr_array_index(check->senders, 0);
		assert_int_equal(sender->confirmed, last <= CHECK_NAMES_MAX ? CHECK_YES : CHECK_NO);
		assert_string_equal(sender->name, last == 4   ? "n4.example"
						  : last == 5 ? "n5.example"
							      : "n1.example");
		check_free(check);
		zone_free(zone);
	}
}

static void only_hosts_that_spf_names_itself_are_senders(void **state)
{
	static const struct {
		const char *spf;
		guint want;
	} rows[] = {
		{ "ip4:192.0.2.1", 1 },
		{ "ip4:192.0.2.0/28", 16 },
		{ "ip4:192.0.2.0/27", 0 },
		{ "ip4:0.0.0.0/0", 0 },
		{ "ip6:2001:db8::/124", 16 },
		{ "ip6:2001:db8::/123", 0 },
		{ "ip6:2001:db8::/96", 0 },
		{ "ip6:2001:db8::/95", 0 },
		{ "ip6:::/0", 0 },
		{ "?ip4:192.0.2.1 ~ip4:192.0.2.2 -ip4:192.0.2.3", 0 },
		{ "ip4:192.0.2.1 ip4:192.0.2.1 ip4:192.0.2.0/31", 2 },
		{ "include:other.example", 0 },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *lines = g_strdup_printf(
		    "example.com TXT v=spf1 %s -all\nother.example TXT v=spf1 ip4:192.0.2.9 -all",
		    rows[i].spf);
		struct zone *zone = zone_new(lines);
		struct check *check = run(zone, "example.com", NULL);

		if (check->senders->len != rows[i].want)
			fail_msg("%s: %u", rows[i].spf, check->senders->len);
		check_free(check);
		zone_free(zone);
	}
}

/* A rua whose record would have a name of more than 253 bytes (RFC 9990 section 4). */
static void consent_under_a_name_that_is_too_long_cannot_be(void **state)
{
	g_autofree char *label = g_strnfill(60, 'x');
	g_autofree char *host = g_strdup_printf("%s.%s.%s.%s.net", label, label, label, label);
	g_autofree char *lines = g_strdup_printf(
	    "_dmarc.example.com TXT v=DMARC1; p=none; rua=mailto:x@%s\n%s A 192.0.2.1", host, host);
	struct zone *zone = zone_new(lines);
	struct check *check = run(zone, "example.com", NULL);
	const struct finding *finding = find(check, FINDING_REPORT_UNAUTHORISED);

	(void)state;
	assert_non_null(finding);
	assert_null(finding->fix);
	assert_int_equal(((struct check_report *)g_ptr_array_index(check->reports, 0))->authorised, CHECK_NO);
	check_free(check);
	zone_free(zone);
}

static void assertion_71_the_same_organization_is_not_asked_for_consent(void **state)
{
	struct zone *zone = zone_new(MAIL "_dmarc.example.com TXT v=DMARC1; p=reject; "
					  "rua=mailto:x@r.example.com\nr.example.com A 192.0.2.9");

	(void)state;
	check_free(run(zone, "example.com", NULL));
	assert_null(strstr(zone_asked(zone), "_report"));
	zone_free(zone);
}

static void assertion_45_discovery_of_13_labels_asks_eight_names(void **state)
{
	struct zone *zone = zone_new("a.b.c.d.e.f.g.h.i.j.mail.example.com TXT v=spf1 -all");
	guint n = 0;

	(void)state;
	check_free(run(zone, "a.b.c.d.e.f.g.h.i.j.mail.example.com", NULL));
	for (const char *at = zone_asked(zone); (at = strstr(at, "TXT _dmarc.")) != NULL; at++)
		n++;
	assert_int_equal(n, 8);
	assert_non_null(strstr(zone_asked(zone),
	    "TXT _dmarc.a.b.c.d.e.f.g.h.i.j.mail.example.com, TXT _dmarc.g.h.i.j.mail.example.com, "));
	zone_free(zone);
}

static void selectors_are_looked_up(void **state)
{
	static const struct check_selector SELECTORS[] = { { "S1", NULL, FALSE }, { "s2", NULL, FALSE },
		{ "s3", "Other.Example", FALSE }, { "s4", NULL, FALSE } };
	static const struct check_options OPTIONS = { .selectors = SELECTORS, .n_selectors = 4 };
	struct zone *zone = zone_new("s1._domainkey.example.com TXT v=DKIM1; k=ed25519; "
				     "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
				     "s2._domainkey.example.com TXT v=DKIM1; p=\n"
				     "s4._domainkey.example.com TXT !timeout\nexample.com TXT v=spf1 -all");
	struct check *check = run(zone, "example.com", &OPTIONS);
	static const struct {
		const char *selector, *domain;
		enum dkim_status status;
	} WANT[] = { { "s1", "example.com", DKIM_OK }, { "s2", "example.com", DKIM_REVOKED },
		{ "s3", "other.example", DKIM_MISSING }, { "s4", "example.com", DKIM_UNKNOWN } };

	(void)state;
	assert_int_equal(check->dkim->len, G_N_ELEMENTS(WANT));
	for (guint i = 0; i < G_N_ELEMENTS(WANT); i++) {
		const struct check_dkim *dkim = g_ptr_array_index(check->dkim, i);

		assert_string_equal(dkim->selector, WANT[i].selector);
		assert_string_equal(dkim->domain, WANT[i].domain);
		assert_int_equal(dkim->key.status, WANT[i].status);
	}
	assert_non_null(find(check, FINDING_DKIM_MISSING));
	assert_non_null(find(check, FINDING_DKIM_REVOKED));
	assert_non_null(find(check, FINDING_DNS_FAILED));
	check_free(check);
	zone_free(zone);
}

/* Only keys that can be used are told of selectors that were guessed, and with the first that has no answer
 * the guessing ends. */
static void what_is_not_there_under_a_usual_selector_says_nothing(void **state)
{
	static const struct check_selector SELECTORS[] = { { "k1", NULL, TRUE }, { "k2", NULL, TRUE },
		{ "k3", NULL, TRUE }, { "wild", NULL, TRUE }, { "late", NULL, TRUE }, { "never", NULL, TRUE },
		{ "seen", NULL, FALSE } };
	static const struct check_options OPTIONS = { .selectors = SELECTORS,
		.n_selectors = G_N_ELEMENTS(SELECTORS) };
	struct zone *zone = zone_new(MAIL "_dmarc.example.com TXT v=DMARC1; p=reject; " RUA
					  "\nk1._domainkey.example.com TXT v=DKIM1; k=ed25519; "
					  "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
					  "k2._domainkey.example.com TXT v=DKIM1; p=\n"
					  "wild._domainkey.example.com TXT v=spf1 -all\n"
					  "late._domainkey.example.com TXT !timeout\n"
					  "seen._domainkey.example.com TXT v=DKIM1; k=ed25519; "
					  "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
	struct check *check = run(zone, "example.com", &OPTIONS);
	const struct check_dkim *first, *second;

	(void)state;
	assert_int_equal(findings_count(check->findings), 0);
	assert_int_equal(check->dkim->len, 2);
	first = g_ptr_array_index(check->dkim, 0);
	second = g_ptr_array_index(check->dkim, 1);
	assert_string_equal(first->selector, "k1");
	assert_true(first->probed);
	assert_string_equal(second->selector, "seen");
	assert_false(second->probed);
	assert_null(strstr(zone_asked(zone), "never._domainkey"));
	check_free(check);
	zone_free(zone);
}

static void a_selector_without_answer_does_not_end_the_guessing(void **state)
{
	static const struct check_selector SELECTORS[] = { { "seen", NULL, FALSE }, { "k1", NULL, TRUE } };
	static const struct check_options OPTIONS = { .selectors = SELECTORS,
		.n_selectors = G_N_ELEMENTS(SELECTORS) };
	struct zone *zone = zone_new("seen._domainkey.example.com TXT !timeout\nexample.com TXT v=spf1 -all");

	(void)state;
	check_free(run(zone, "example.com", &OPTIONS));
	assert_non_null(strstr(zone_asked(zone), "TXT k1._domainkey.example.com"));
	zone_free(zone);
}

/* Only of hosts and of small networks, and of so many. */
static void names_are_looked_up_for_few_senders(void **state)
{
	struct zone *small = zone_new("example.com TXT v=spf1 ip4:192.0.2.0/28 ip4:198.51.100.0/27 -all");
	struct zone *many =
	    zone_new("example.com TXT v=spf1 ip4:192.0.2.0/28 ip4:192.0.2.16/28 ip4:192.0.2.32/28 "
		     "include:other.example ip6:2001:db8::/124 ip6:2001:db8::/32 ip4:0.0.0.0/0 -all\n"
		     "other.example TXT v=spf1 ip4:192.0.2.99");
	struct check *check = run(small, "example.com", NULL);
	struct check *more = run(many, "example.com", NULL);

	(void)state;
	assert_int_equal(check->senders->len, CHECK_NETWORK_MAX);
	assert_int_equal(more->senders->len, CHECK_SENDERS_MAX);
	assert_null(strstr(zone_asked(many), "99.2.0.192.in-addr.arpa"));
	check_free(check);
	check_free(more);
	zone_free(small);
	zone_free(many);
}

static void silence_ends_a_check(void **state)
{
	struct zone *zone = zone_new(
	    "example.com TXT !timeout\n_dmarc.example.com TXT !unreachable\nexample.com MX !timeout");
	struct check *check = run(zone, "example.com", NULL);
	struct json_object *document = check_json(check);

	(void)state;
	assert_false(check->answered);
	assert_true(findings_have_error(check->findings));
	assert_int_equal(findings_count(check->findings), 1);
	assert_string_equal(zone_asked(zone), "TXT example.com, TXT _dmarc.example.com, MX example.com");
	assert_false(json_object_get_boolean(json_object_object_get(document, "answered")));
	assert_int_equal(json_object_array_length(json_object_object_get(document, "reports")), 0);
	json_object_put(document);
	check_free(check);
	zone_free(zone);
}

static void what_is_no_domain_is_refused(void **state)
{
	static const char *const WORDS[] = { "", ".", "a..b", "example.com/", "-o x", "joe@example.com",
		"192.0.2.1", "2001:db8::1" };
	struct zone *zone = zone_new("");
	struct dns_source source = zone_source(zone);
	struct check_options options = { 0 };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(WORDS); i++) {
		g_autoptr(GError) error = NULL;

		assert_null(check_run(&source, WORDS[i], &options, 0, &error));
		assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX));
	}
	assert_int_equal(zone_questions(zone), 0);
	zone_free(zone);
}

/* The name servers in words: "ns.example 192.0.2.1 yes 7". */
static char *servers_words(const struct check *check)
{
	GString *words = g_string_new(check->zone == NULL ? "-" : check->zone);

	for (guint i = 0; i < check->servers->len; i++) {
		const struct check_server *server = g_ptr_array_index(check->servers, i);

		g_string_append_printf(words, "; %s %s %s", server->host, check_known_word(server->answers),
		    server->serial == NULL ? "-" : server->serial);
	}
	return g_string_free(words, FALSE);
}

#define SERVERS                                                                                              \
	"example.com NS a.example.net\nexample.com NS b.example.net\na.example.net A 192.0.2.51\n"           \
	"b.example.net A 192.0.2.52\n192.0.2.51!example.com SOA 7\n"

static void name_servers_are_asked_each(void **state)
{
	static const struct {
		const char *domain, *zone, *want, *findings;
	} rows[] = {
		{ "example.com", SERVERS "192.0.2.52!example.com SOA 7",
		    "example.com; a.example.net yes 7; b.example.net yes 7", "" },
		{ "www.example.com", SERVERS "192.0.2.52!example.com SOA 7\nwww.example.com A 192.0.2.1",
		    "example.com; a.example.net yes 7; b.example.net yes 7", "" },
		{ "example.com", SERVERS "192.0.2.52!example.com SOA 6",
		    "example.com; a.example.net yes 7; b.example.net yes 6", "ns_serial" },
		{ "example.com", SERVERS "192.0.2.52!example.com SOA !refused",
		    "example.com; a.example.net yes 7; b.example.net no -", "ns_silent" },
		{ "example.com",
		    "example.com NS a.example.net\nexample.com NS b.example.net\na.example.net A 192.0.2.51\n"
		    "b.example.net A 192.0.2.52\n192.0.2.51!example.com SOA !timeout\n"
		    "192.0.2.52!example.com SOA !timeout",
		    "example.com; a.example.net unknown -; b.example.net unknown -", "ns_blocked" },
		{ "example.com",
		    "example.com NS a.example.net\nexample.com NS b.example.net\na.example.net A 192.0.2.51\n"
		    "b.example.net A 192.0.2.52\n192.0.2.51!example.com SOA !unreachable\n"
		    "192.0.2.52!example.com SOA !refused",
		    "example.com; a.example.net no -; b.example.net no -", "ns_silent, ns_silent" },
		{ "example.com", "example.com NS gone.example.net", "example.com; gone.example.net unknown -",
		    "ns_host" },
		{ "example.com", SERVERS "192.0.2.52!example.com SOA 7\nexample.com NS gone.example.net",
		    "example.com; a.example.net yes 7; b.example.net yes 7; gone.example.net unknown -",
		    "ns_host" },
		{ "example.com",
		    "example.com NS a.example.net\na.example.net AAAA 2001:db8::1\n"
		    "2001:db8::1!example.com SOA 1",
		    "example.com; a.example.net yes 1", "ns_single" },
		{ "example.com", "example.com A 192.0.2.1", "-", "" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct zone *zone = zone_new(rows[i].zone);
		struct check *check = run(zone, rows[i].domain, NULL);
		g_autofree char *got = servers_words(check), *all = findings_words(check->findings, FALSE);
		const char *found = strstr(all, "ns_");

		if (strcmp(got, rows[i].want) != 0 ||
		    !g_str_has_prefix(found == NULL ? "" : found, rows[i].findings) ||
		    (*rows[i].findings == '\0' && found != NULL))
			fail_msg("%s: %s (%s)", rows[i].zone, got, all);
		check_free(check);
		zone_free(zone);
	}
}

/* The contract: each member that check.h names, and none else. */
static void the_document_has_its_members(void **state)
{
	static const struct {
		const char *of, *members;
	} WANT[] = {
		{ "", "domain checked_at ok answered findings dmarc reports spf dkim dkim_selectors mx ns "
		      "dnssec tls_rpt mta_sts bimi senders blocklists elsewhere" },
		{ "findings", "code severity place text fix" },
		{ "dmarc", "name record organizational_domain policy_tag p sp np adkim aspf fo psd t rua ruf "
			   "effective" },
		{ "reports",
		    "tag uri address host external authorised override expected_record accepts_mail" },
		{ "spf", "record result lookups more_lookups void_lookups all ranges tree unlisted" },
		{ "dkim", "domain selector record status key_type bits testing probed" },
		{ "mx", "preference host addresses tlsa tlsa_authentic" },
		{ "ns", "zone servers" },
		{ "dnssec", "signed validated" },
		{ "bimi", "record location authority" },
		{ "tls_rpt", "record rua" },
		{ "mta_sts", "record id policy_host policy" },
		{ "senders", "ip name confirmed" },
	};
	static const struct check_selector SELECTOR = { "s1", NULL, FALSE };
	static const struct check_options OPTIONS = { .selectors = &SELECTOR, .n_selectors = 1 };
	struct zone *zone = zone_new(MAIL "_dmarc.example.com TXT v=DMARC1; p=reject; rua=mailto:x@h.net");
	struct check *check = run(zone, "example.com", &OPTIONS);
	struct json_object *document = check_json(check);

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(WANT); i++) {
		struct json_object *part =
		    *WANT[i].of == '\0' ? document : json_object_object_get(document, WANT[i].of);
		g_autoptr(GString) got = g_string_new(NULL);

		if (json_object_is_type(part, json_type_array))
			part = json_object_array_get_idx(part, 0);
		json_object_object_foreach(part, name, value)
		{
			(void)value;
			g_string_append_printf(got, "%s%s", got->len > 0 ? " " : "", name);
		}
		assert_string_equal(got->str, WANT[i].members);
	}
	assert_string_equal(
	    json_object_get_string(json_object_object_get(document, "checked_at")), "2026-11-24T17:06:40Z");
	json_object_put(document);
	check_free(check);
	zone_free(zone);
}

static char *fetch_policy(
    const char *host, const char *path, const GPtrArray *addresses, gsize max, char **why)
{
	(void)addresses;
	(void)max;
	(void)why;
	assert_string_equal(host, "mta-sts.example.com");
	assert_string_equal(path, "/.well-known/mta-sts.txt");
	return g_strdup(
	    "version: STSv1\nmode: enforce\nmx: m.example.com\nmx: *.example.com\nmax_age: 86400\n");
}

#define SHA256 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SHA512 SHA256 SHA256

/* Something of each kind, and two of what can be several. */
static const char *const EVERYTHING =
    "example.com TXT v=spf1 mx a:out.example.com include:i.example ?ip6:2001:db8::/32 -all\n"
    "i.example TXT v=spf1 ip4:198.51.100.0/24 ~all\nexample.com MX 20 n.example.com\n"
    "example.com MX 10 m.example.com\nm.example.com A 192.0.2.1\nm.example.com AAAA 2001:db8::1\n"
    "n.example.com A 192.0.2.2\nout.example.com A 192.0.2.3\n1.2.0.192.in-addr.arpa PTR m.example.com\n"
    "2.2.0.192.in-addr.arpa PTR x.example.com\nx.example.com A 192.0.2.9\n"
    "3.2.0.192.in-addr.arpa PTR !servfail\n"
    "_dmarc.example.com TXT v=DMARC1; p=reject; sp=quarantine; np=reject; adkim=s; aspf=r; fo=1:d; psd=n; "
    "t=n; "
    "rua=mailto:d@example.com,mailto:x@h.net; ruf=mailto:f@i.net\nh.net MX 1 m.example.com\n"
    "example.com._report._dmarc.h.net TXT v=DMARC1; rua=mailto:y@h.net\ni.net A 192.0.2.80\n"
    "s1._domainkey.example.com TXT v=DKIM1; t=y; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
    "_smtp._tls.example.com TXT v=TLSRPTv1; rua=mailto:t@example.com,https://example.com/t\n"
    "_mta-sts.example.com TXT v=STSv1; id=20260101\nmta-sts.example.com A 192.0.2.4\n"
    "default._bimi.example.com TXT v=BIMI1; l=https://example.com/l.svg; a=https://example.com/v.pem\n"
    "example.com NS a.example.net\nexample.com NS b.example.net\na.example.net A 192.0.2.51\n"
    "b.example.net A 192.0.2.52\nb.example.net AAAA 2001:db8::52\n192.0.2.51!example.com SOA 7\n"
    "192.0.2.52!example.com SOA !refused\nexample.com SOA+AD 7\n. SOA+AD 1\n"
    "_25._tcp.m.example.com TLSA+AD 030101\n"
    "_25._tcp.m.example.com TLSA+AD 020102" SHA512 "\n"
    "2.0.0.127.bl.example A 127.0.0.2\n1.2.0.192.bl.example A 127.0.0.2\n1.2.0.192.bl.example TXT why\n"
    "*.closed.example A !refused\n";
#define LISTS                                                                                                \
	"[bl.example]\nname=One\nurl=https://bl.example/\nterms=free\nof=ip4 domain\ntest=2.0.0.127\n"       \
	"127.0.0.2=spam\n[closed.example]\nof=ip4\n"

static struct check *run_everything(struct zone *zone, GPtrArray *lists)
{
	static const struct check_selector SELECTORS[] = { { "s1", NULL, FALSE },
		{ "s2", "other.example", FALSE } };
	const struct check_options options = { .selectors = SELECTORS,
		.n_selectors = G_N_ELEMENTS(SELECTORS),
		.selectors_from = CHECK_FROM_REPORTS,
		.blocklists = lists,
		.fetch = fetch_policy };

	return run(zone, "example.com", &options);
}

/* The document of a domain with something of each kind: document.json, as it was read over once. */
static void the_document_says_all_that_was_found(void **state)
{
	struct zone *zone = zone_new(EVERYTHING);
	g_autoptr(GPtrArray) lists = blocklists_read(LISTS, NULL);
	struct check *check = run_everything(zone, lists);
	struct json_object *document = check_json(check);
	struct json_object *want = json_object_from_file(TEST_FOLDER "/document.json");

	(void)state;
	assert_non_null(want);
	assert_int_equal(json_object_object_length(document), json_object_object_length(want));
	json_object_object_foreach(want, name, value)
	{
		struct json_object *got = json_object_object_get(document, name);

		if (!json_object_equal(got, value))
			fail_msg("%s: %s", name, json_object_to_json_string(got));
	}
	json_object_put(want);
	json_object_put(document);
	check_free(check);
	zone_free(zone);
}

/* A question that nobody announced costs a round trip of its own: only these, which follow from other answers
 * or are asked of one server each. */
static void other_questions_are_announced_and_those_are_asked(void **state)
{
	struct zone *zone = zone_new(EVERYTHING);
	g_autoptr(GPtrArray) lists = blocklists_read(LISTS, NULL);
	g_autofree char *unexpected = NULL, *unasked = NULL;

	(void)state;
	check_free(run_everything(zone, lists));
	unexpected = zone_unexpected(zone);
	unasked = zone_unasked(zone);
	assert_string_equal(unexpected,
	    "TXT _dmarc.net, TXT example.com._report._dmarc.h.net, TXT example.com._report._dmarc.i.net, "
	    "TXT example.com._report._dmarc.example.com, TXT i.net._report._dmarc.example.com, "
	    "TXT _report._dmarc.example.com, A i.net, TXT s1._domainkey.example.com, "
	    "TXT s2._domainkey.other.example, A mta-sts.example.com, SOA 192.0.2.51!example.com, "
	    "SOA 192.0.2.52!example.com, SOA , SOA example.com, A x.example.com, TXT 1.2.0.192.bl.example");
	assert_string_equal(unasked, "A 1.0.0.127.closed.example"); /* which refused the question before */
	zone_free(zone);
}

/* Everything at once that a hostile zone could do: long lists of addresses, each in another organization. */
static void a_hostile_zone_makes_bounded_work(void **state)
{
	g_autoptr(GString) lines =
	    g_string_new("*.example TXT v=DMARC1; p=none; rua=mailto:a@b.example\nexample.com TXT v=spf1");
	struct zone *zone;

	(void)state;
	for (guint i = 0; i < 900; i++)
		g_string_append_printf(lines, " a:h%u.example", i);
	g_string_append(lines, " -all\n_dmarc.example.com TXT v=DMARC1; p=none; rua=mailto:x@h0.net");
	for (guint i = 1; i < 300; i++)
		g_string_append_printf(lines, ",mailto:x@a.b.c.d.e.f.h%u.net", i);
	for (guint i = 0; i < 300; i++)
		g_string_append_printf(lines, "\nexample.com MX %u m%u.example", i, i);
	zone = zone_new(lines->str);
	check_free(run(zone, "example.com", NULL));
	assert_true(zone_questions(zone) < 1000);
	zone_free(zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(domains_are_judged),
		cmocka_unit_test(a_finding_says_what_to_publish),
		cmocka_unit_test(a_finding_names_what_it_found),
		cmocka_unit_test(records_beside_dmarc_are_judged),
		cmocka_unit_test(hosts_are_bounded),
		cmocka_unit_test(of_many_names_of_an_address_five_are_checked),
		cmocka_unit_test(only_hosts_that_spf_names_itself_are_senders),
		cmocka_unit_test(consent_under_a_name_that_is_too_long_cannot_be),
		cmocka_unit_test(assertion_71_the_same_organization_is_not_asked_for_consent),
		cmocka_unit_test(assertion_45_discovery_of_13_labels_asks_eight_names),
		cmocka_unit_test(selectors_are_looked_up),
		cmocka_unit_test(what_is_not_there_under_a_usual_selector_says_nothing),
		cmocka_unit_test(a_selector_without_answer_does_not_end_the_guessing),
		cmocka_unit_test(names_are_looked_up_for_few_senders),
		cmocka_unit_test(silence_ends_a_check),
		cmocka_unit_test(what_is_no_domain_is_refused),
		cmocka_unit_test(name_servers_are_asked_each),
		cmocka_unit_test(the_document_has_its_members),
		cmocka_unit_test(the_document_says_all_that_was_found),
		cmocka_unit_test(other_questions_are_announced_and_those_are_asked),
		cmocka_unit_test(a_hostile_zone_makes_bounded_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
