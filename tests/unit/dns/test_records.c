/* Records of DMARC, DKIM and TLS reporting. Numbers in names are those of the assertions in the standards
 * digest. */
#include "server/dns/dkim.h"
#include "server/dns/dmarc.h"
#include "server/dns/tlsrpt.h"
#include "tests/unit/dns/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* -- DMARC -- */

static const struct {
	const char *name, *text;
	const char *want; /* to publish, or NULL; "-" before it: text is no policy, "0": it acts as p=none */
	const char *findings;
} DMARC[] = {
	{ "all of it",
	    "v=DMARC1; p=reject; sp=quarantine; np=reject; adkim=s; aspf=r; rua=mailto:a@b.example; "
	    "ruf=mailto:c@d.example; fo=1:d:s; psd=n; t=n",
	    "v=DMARC1; p=reject; sp=quarantine; np=reject; adkim=s; aspf=r; rua=mailto:a@b.example; "
	    "ruf=mailto:c@d.example; fo=1:d:s; psd=n; t=n",
	    "" },
	{ "blanks and case", "V = DMARC1 ;P=Reject;  RUA\t=\tMAILTO:A@B.Example ; ",
	    "v=DMARC1; p=reject; rua=MAILTO:A@B.Example", "" },
	{ "p=none", "v=DMARC1; p=none; rua=mailto:a@b.example", "v=DMARC1; p=none; rua=mailto:a@b.example",
	    "dmarc_p_none" },
	{ "no reports", "v=DMARC1; p=reject", "v=DMARC1; p=reject", "dmarc_rua_missing" },
	{ "72 no p, but rua", "v=DMARC1; rua=mailto:a@b", "0v=DMARC1; p=none; rua=mailto:a@b",
	    "dmarc_p_missing, dmarc_p_none" },
	{ "72 no p and no rua", "v=DMARC1", "-v=DMARC1; p=none", "dmarc_no_policy, dmarc_rua_missing" },
	{ "72 no p, and a rua that is no URI", "v=DMARC1; rua=a@b.example",
	    "-v=DMARC1; p=none; rua=mailto:a@b.example", "dmarc_uri, dmarc_no_policy, dmarc_rua_missing" },
	{ "72 no p, and a rua of use to nobody", "v=DMARC1; rua=https://b.example/x", "0",
	    "dmarc_uri, dmarc_rua_missing, dmarc_p_missing, dmarc_p_none" },
	{ "72 no p, and ruf only", "v=DMARC1; ruf=mailto:a@b.example",
	    "-v=DMARC1; p=none; ruf=mailto:a@b.example", "dmarc_no_policy, dmarc_rua_missing" },
	{ "an invalid p, and rua", "v=DMARC1; p=block; rua=mailto:a@b.example", "0",
	    "dmarc_value, dmarc_as_none, dmarc_p_none" },
	{ "an empty p", "v=DMARC1; p=; rua=mailto:a@b.example", "0",
	    "dmarc_value, dmarc_as_none, dmarc_p_none" },
	{ "p is not second", "v=DMARC1; rua=mailto:a@b.example; p=reject",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example", "dmarc_p_not_second" },
	{ "74 size", "v=DMARC1; p=reject; rua=mailto:a@b.example!10m",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example", "dmarc_uri_size" },
	{ "74 size in bytes", "v=DMARC1; p=reject; rua=mailto:a@b.example!10,mailto:c@b.example!5K",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example,mailto:c@b.example",
	    "dmarc_uri_size, dmarc_uri_size" },
	{ "74 no size", "v=DMARC1; p=reject; rua=mailto:a!10x@b.example",
	    "v=DMARC1; p=reject; rua=mailto:a!10x@b.example", "" },
	{ "74 removed tags", "v=DMARC1; p=reject; pct=50; rf=afrf; ri=3600; rua=mailto:a@b.example",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example; pct=50; t=y",
	    "dmarc_removed_tag, dmarc_removed_tag, dmarc_removed_tag" },
	{ "unknown tag", "v=DMARC1; p=reject; x=y; rua=mailto:a@b.example",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example", "dmarc_unknown_tag" },
	{ "a tag twice", "v=DMARC1; p=reject; p=none; rua=mailto:a@b.example", "", "dmarc_duplicate_tag" },
	{ "no tag", "v=DMARC1; p=reject; reject; rua=mailto:a@b.example", "", "dmarc_syntax" },
	{ "bytes that cannot be", "v=DMARC1; p=reject; sp=\xc3\xa4; rua=mailto:a@b.example", "0",
	    "dmarc_as_none, dmarc_syntax" },
	{ "no ;", "v=DMARC1; p=reject rua=mailto:a@b.example", "-v=DMARC1; p=reject; rua=mailto:a@b.example",
	    "dmarc_separator, dmarc_value, dmarc_no_policy, dmarc_rua_missing" },
	{ "addresses", "v=DMARC1; p=reject; rua= mailto:a@b.example , mailto:c@d.example,",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example,mailto:c@d.example", "" },
	{ "too many addresses",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example,mailto:c@d.example,mailto:e@f.example",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example,mailto:c@d.example,mailto:e@f.example",
	    "dmarc_uri_many" },
	{ "no mailto", "v=DMARC1; p=reject; rua=a@b.example", "v=DMARC1; p=reject; rua=mailto:a@b.example",
	    "dmarc_uri, dmarc_rua_missing" },
	{ "no address", "v=DMARC1; p=reject; rua=mailto:b.example,mailto:@b.example,mailto:a@", "",
	    "dmarc_uri, dmarc_uri, dmarc_uri, dmarc_uri_many, dmarc_rua_missing" },
	{ "an empty rua", "v=DMARC1; p=reject; rua=", "v=DMARC1; p=reject", "dmarc_uri, dmarc_rua_missing" },
	{ "escapes", "v=DMARC1; p=reject; rua=mailto:a%2Cb%21@c.example",
	    "v=DMARC1; p=reject; rua=mailto:a%2Cb%21@c.example", "" },
	{ "wrong escapes", "v=DMARC1; p=reject; rua=mailto:a%zz@c.example,mailto:a%00b@c.example", "",
	    "dmarc_uri, dmarc_uri, dmarc_rua_missing" },
	{ "subdomains for free", "v=DMARC1; p=reject; sp=none; rua=mailto:a@b.example",
	    "v=DMARC1; p=reject; sp=none; rua=mailto:a@b.example", "dmarc_subdomains_none" },
	{ "those that are none for free", "v=DMARC1; p=reject; np=none; rua=mailto:a@b.example",
	    "v=DMARC1; p=reject; np=none; rua=mailto:a@b.example", "dmarc_subdomains_none" },
	{ "fo without ruf", "v=DMARC1; p=reject; fo=1; rua=mailto:a@b.example",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example", "dmarc_fo" },
	{ "fo 0 and 1", "v=DMARC1; p=reject; fo=0:1:s; rua=mailto:a@b.example; ruf=mailto:a@b.example",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example; ruf=mailto:a@b.example; fo=1:s", "dmarc_fo" },
	{ "fo of nothing", "v=DMARC1; p=reject; fo=2:x; rua=mailto:a@b.example; ruf=mailto:a@b.example",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example; ruf=mailto:a@b.example", "dmarc_fo, dmarc_fo" },
	{ "test mode", "v=DMARC1; p=reject; t=y; rua=mailto:a@b.example",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example; t=y", "dmarc_testing" },
	{ "a public suffix", "v=DMARC1; p=reject; psd=y; rua=mailto:a@b.example",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example; psd=y", "dmarc_psd" },
	{ "an invalid sp", "v=DMARC1; p=reject; sp=rejct; rua=mailto:a@b.example", "0",
	    "dmarc_value, dmarc_as_none" },
	{ "an invalid np", "v=DMARC1; p=reject; np=no; rua=mailto:a@b.example", "0",
	    "dmarc_value, dmarc_as_none" },
	{ "an invalid sp of a record that enforces nothing", "v=DMARC1; p=none; sp=x; rua=mailto:a@b.example",
	    "0v=DMARC1; p=none; rua=mailto:a@b.example", "dmarc_value, dmarc_as_none, dmarc_p_none" },
	{ "an invalid sp and no rua", "v=DMARC1; p=reject; sp=x", "-",
	    "dmarc_value, dmarc_no_policy, dmarc_rua_missing" },
	{ "pct=0", "v=DMARC1; p=reject; pct=0; rua=mailto:a@b.example",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example; pct=0; t=y", "dmarc_removed_tag" },
	{ "pct beside t=y", "v=DMARC1; p=reject; pct=50; t=y; rua=mailto:a@b.example",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example; pct=50; t=y", "dmarc_testing" },
	{ "pct twice", "v=DMARC1; p=reject; pct=50; pct=20%; rua=mailto:a@b.example",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example; pct=20; t=y",
	    "dmarc_duplicate_tag, dmarc_removed_tag" },
	{ "pct that is no number", "v=DMARC1; p=reject; pct=half; rua=mailto:a@b.example", "",
	    "dmarc_removed_tag" },
	{ "pct=100", "v=DMARC1; p=reject; pct=100; rua=mailto:a@b.example",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example", "dmarc_removed_tag" },
	{ "pct of what enforces nothing", "v=DMARC1; p=none; pct=5; rua=mailto:a@b.example",
	    "v=DMARC1; p=none; rua=mailto:a@b.example", "dmarc_removed_tag, dmarc_p_none" },
	{ "a second address without mailto", "v=DMARC1; p=reject; rua=mailto:a@b.example,c@d.example",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example,mailto:c@d.example", "dmarc_uri" },
	{ "a second address behind ;", "v=DMARC1; p=reject; rua=mailto:a@b.example; mailto:c@d.example",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example,mailto:c@d.example", "dmarc_syntax" },
	{ "rua twice", "v=DMARC1; p=reject; rua=mailto:a@b.example; rua=mailto:c@d.example",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example,mailto:c@d.example", "dmarc_duplicate_tag" },
	{ "a host in U-labels",
	    "v=DMARC1; p=reject; rua=mailto:a@b\xc3\xbc"
	    "cher.example",
	    "v=DMARC1; p=reject; rua=mailto:a@xn--bcher-kva.example", "dmarc_syntax, dmarc_rua_missing" },
	{ "commas between tags", "v=DMARC1; p=reject, sp=none, rua=mailto:a@b.example",
	    "-v=DMARC1; p=reject; sp=none; rua=mailto:a@b.example",
	    "dmarc_separator, dmarc_value, dmarc_no_policy, dmarc_rua_missing" },
	{ "a tag with its name misspelt", "v=DMARC1; p=reject; rau=mailto:a@b.example", "",
	    "dmarc_unknown_tag, dmarc_rua_missing" },
	{ "pct=100%", "v=DMARC1; p=reject; pct=100%; rua=mailto:a@b.example",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example", "dmarc_removed_tag" },
	{ "pct=101", "v=DMARC1; p=reject; pct=101; rua=mailto:a@b.example", "", "dmarc_removed_tag" },
	{ "pct=99", "v=DMARC1; p=reject; pct=99; rua=mailto:a@b.example",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example; pct=99; t=y", "dmarc_removed_tag" },
	{ "pct of subdomains", "v=DMARC1; p=none; sp=reject; pct=5; rua=mailto:a@b.example",
	    "v=DMARC1; p=none; sp=reject; rua=mailto:a@b.example; pct=5; t=y",
	    "dmarc_removed_tag, dmarc_p_none" },
	{ "pct of names that do not exist", "v=DMARC1; p=none; np=reject; pct=5; rua=mailto:a@b.example",
	    "v=DMARC1; p=none; np=reject; rua=mailto:a@b.example; pct=5; t=y",
	    "dmarc_removed_tag, dmarc_p_none" },
	{ "sizes in gigabytes and terabytes",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example!1g,mailto:c@b.example!1T",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example,mailto:c@b.example",
	    "dmarc_uri_size, dmarc_uri_size" },
	{ "the milder alignment",
	    "v=DMARC1; p=reject; adkim=s; adkim=r; aspf=r; aspf=s; rua=mailto:a@b.example",
	    "v=DMARC1; p=reject; adkim=r; aspf=r; rua=mailto:a@b.example",
	    "dmarc_duplicate_tag, dmarc_duplicate_tag" },
	{ "the milder test mode", "v=DMARC1; p=reject; t=n; t=y; rua=mailto:a@b.example",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example; t=y", "dmarc_duplicate_tag" },
	{ "two policies", "v=DMARC1; p=reject; sp=none; sp=reject; rua=mailto:a@b.example", "",
	    "dmarc_duplicate_tag, dmarc_subdomains_none" },
	{ "a policy twice", "v=DMARC1; p=reject; sp=reject; sp=reject; rua=mailto:a@b.example",
	    "v=DMARC1; p=reject; sp=reject; rua=mailto:a@b.example", "dmarc_duplicate_tag" },
	{ "psd twice", "v=DMARC1; p=reject; psd=n; psd=u; rua=mailto:a@b.example",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example; psd=n", "dmarc_duplicate_tag" },
	{ "psd=yes", "v=DMARC1; p=reject; psd=yes; rua=mailto:a@b.example",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example", "dmarc_value" },
	{ "fo twice the same", "v=DMARC1; p=reject; fo=1:1; rua=mailto:a@b.example; ruf=mailto:a@b.example",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example; ruf=mailto:a@b.example; fo=1", "dmarc_fo" },
	{ "an empty fo", "v=DMARC1; p=reject; fo=; rua=mailto:a@b.example; ruf=mailto:a@b.example",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example; ruf=mailto:a@b.example", "" },
	{ "fo=0", "v=DMARC1; p=reject; fo=0; rua=mailto:a@b.example; ruf=mailto:a@b.example",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example; ruf=mailto:a@b.example; fo=0", "" },
	{ "an address twice", "v=DMARC1; p=reject; rua=mailto:a@b.example,mailto:a@b.example",
	    "v=DMARC1; p=reject; rua=mailto:a@b.example", "" },
	{ "a part that names a policy", "v=DMARC1; p=reject; or quarantine; rua=mailto:a@b.example", "",
	    "dmarc_syntax" },
	{ "a dot behind a value", "v=DMARC1; p=reject.; rua=mailto:a@b.example",
	    "0v=DMARC1; p=reject; rua=mailto:a@b.example", "dmarc_value, dmarc_as_none, dmarc_p_none" },
	{ "values that are none",
	    "v=DMARC1; p=reject; adkim=x; aspf=; psd=x; t=1; sp=x; rua=mailto:a@b.example", "0",
	    "dmarc_value, dmarc_value, dmarc_value, dmarc_value, dmarc_value, dmarc_as_none" },
};

static void dmarc_records_are_read_and_fixed(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(DMARC); i++) {
		struct findings *findings = findings_new();
		struct dmarc_record record;
		g_autofree char *words = NULL, *printed = NULL, *got = NULL;

		dmarc_read("_dmarc.example.com", DMARC[i].text, &record, findings);
		words = findings_words(findings, FALSE);
		printed = dmarc_fix(DMARC[i].text);
		got = g_strconcat(!record.applies ? "-" : record.invalid ? "0" : "", printed, NULL);
		if (strcmp(got, DMARC[i].want) != 0 || strcmp(words, DMARC[i].findings) != 0)
			fail_msg("%s: got %s (%s)", DMARC[i].name, got, words);
		dmarc_clear(&record);
		findings_free(findings);
	}
}

/* What has been fixed has nothing left to fix. */
static void a_fixed_record_stays_as_it_is(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(DMARC); i++) {
		const char *text = DMARC[i].want + strspn(DMARC[i].want, "-0");
		g_autofree char *again = dmarc_fix(text);

		assert_string_equal(*text == '\0' ? "" : again, text);
	}
}

/* How much a policy does: t=y lowers it by one. */
static int strength(const char *policy, gboolean testing)
{
	int of = g_strcmp0(policy, "reject") == 0 ? 2 : g_strcmp0(policy, "quarantine") == 0 ? 1 : 0;

	return MAX(0, of - (testing ? 1 : 0));
}

struct author {
	const char *p, *sp, *np; /* or NULL */
	int pct;                 /* 100 if absent; -1: no number */
	guint addresses;
};

static gboolean author_enforces(const struct author *author)
{
	return strength(author->p, FALSE) + strength(author->sp, FALSE) + strength(author->np, FALSE) > 0;
}

/* How much of a policy receivers of RFC 7489 apply. */
static int pct_of(const char *record)
{
	const char *pct = strstr(record, "; pct=");

	return pct == NULL ? 100 : (int)g_ascii_strtoll(pct + strlen("; pct="), NULL, 10);
}

/* A record as its author may have mistyped it. Transfer full. */
static char *mistyped(GRand *rand, struct author *author)
{
	static const char *const POLICIES[] = { "none", "quarantine", "reject" };
	static const char *const SEPARATORS[] = { "; ", ";", " ; ", " ", ", ", ";; " };
	static const char *const VERSIONS[] = { "v=DMARC1", "V=DMARC1", "v=dmarc1", " v=DMARC1",
		"\"v=DMARC1" };
	static const char *const ADDRESSES[] = { "mailto:%s", "%s", "MAILTO:%s", "mailto:%s!10m",
		" mailto: %s" };
	static const char *const MAILBOXES[] = { "a0@b.example", "a1@\xc3\xbc.example", "a2@c.example" };
	static const char *const PCT[] = { "0", "50", "99", "100", "x" };
	static const char *const JUNK[] = { "x=y", "nonsense", "adkim=strict", "rf=afrf", "fo=1" };
	GString *text = g_string_new(VERSIONS[g_rand_int_range(rand, 0, G_N_ELEMENTS(VERSIONS))]);
	const char **policies[] = { &author->p, &author->sp, &author->np };
	static const char *const NAMES[] = { "p", "sp", "np" };

	*author = (struct author){ .pct = 100, .addresses = (guint)g_rand_int_range(rand, 0, 4) };
	for (gsize i = 0; i < 3; i++) {
		if (i > 0 && g_rand_boolean(rand))
			continue;
		*policies[i] = POLICIES[g_rand_int_range(rand, 0, 3)];
		g_string_append_printf(text, "%s%s=%s",
		    i == 0 ? "; " : SEPARATORS[g_rand_int_range(rand, 0, 6)], NAMES[i], *policies[i]);
		if (g_rand_int_range(rand, 0, 10) > 0)
			continue;
		g_string_append_c(text, 'x'); /* misspelt: no policy, which may be left out */
		if (i > 0 && strcmp(*policies[i], "none") == 0)
			*policies[i] = NULL;
	}
	if (g_rand_boolean(rand)) {
		const char *pct = PCT[g_rand_int_range(rand, 0, 5)];

		author->pct = *pct == 'x' ? -1 : (int)g_ascii_strtoll(pct, NULL, 10);
		g_string_append_printf(text, "%spct=%s", SEPARATORS[g_rand_int_range(rand, 0, 6)], pct);
	}
	if (g_rand_boolean(rand))
		g_string_append_printf(text, ";%s", JUNK[g_rand_int_range(rand, 0, 5)]);
	for (guint i = 0; i < author->addresses; i++) {
		g_auto(GStrv) parts = g_strsplit(ADDRESSES[g_rand_int_range(rand, 0, 5)], "%s", 2);

		g_string_append_printf(text, "%s%s%s%s",
		    i == 0                 ? "; rua="
		    : g_rand_boolean(rand) ? ","
					   : " ",
		    parts[0], MAILBOXES[i], parts[1]);
	}
	return g_string_free(text, FALSE);
}

static void a_proposed_record_loses_nothing_and_enforces_no_more(void **state)
{
	GRand *rand = g_rand_new_with_seed(7);
	guint proposed = 0;

	(void)state;
	for (guint i = 0; i < 20000; i++) {
		struct author author;
		g_autofree char *text = mistyped(rand, &author), *fixed = dmarc_fix(text), *again = NULL;
		struct dmarc_record record;
		gboolean testing, partly = author.pct < 100, good;
		const char *below, *want_below;

		if (fixed == NULL)
			continue;
		proposed++;
		again = dmarc_fix(fixed);
		dmarc_read("x", fixed, &record, NULL);
		testing = g_strcmp0(record.t, "y") == 0;
		below = record.sp != NULL ? record.sp : record.p;
		want_below = author.sp != NULL ? author.sp : author.p;
		good = record.applies && !record.invalid && g_strcmp0(record.p, author.p) == 0 &&
		       g_strcmp0(record.sp, author.sp) == 0 && g_strcmp0(record.np, author.np) == 0 &&
		       record.rua->len == author.addresses && strcmp(again, fixed) == 0 &&
		       strength(record.p, testing) <= strength(author.p, partly) &&
		       strength(below, testing) <= strength(want_below, partly) &&
		       (pct_of(fixed) <= author.pct || !author_enforces(&author));
		if (!good)
			fail_msg("%s: %s", text, fixed);
		dmarc_clear(&record);
	}
	g_rand_free(rand);
	assert_true(proposed > 10000);
}

static void a_finding_has_its_place_and_what_to_publish(void **state)
{
	struct findings *findings = findings_new();
	struct dmarc_record record;
	const struct finding *finding;

	(void)state;
	dmarc_read(
	    "_dmarc.example.com", "v=DMARC1; p=reject; pct=50; rua=mailto:a@b.example", &record, findings);
	assert_int_equal(findings_count(findings), 1);
	finding = findings_get(findings, 0);
	assert_string_equal(finding->place, "_dmarc.example.com TXT: pct");
	assert_string_equal(finding->fix,
	    "_dmarc.example.com. TXT \"v=DMARC1; p=reject; rua=mailto:a@b.example; pct=50; t=y\"");
	assert_string_equal(finding_code_word(finding->code), "dmarc_removed_tag");
	assert_string_equal(finding_severity_word(finding_severity_of(finding->code)), "warning");
	dmarc_clear(&record);
	findings_free(findings);
}

static void addresses_are_taken_out_of_uris(void **state)
{
	static const struct {
		const char *text, *address, *host; /* NULL: it is of no use */
		gboolean size;
	} rows[] = {
		{ "mailto:a@b.example", "a@b.example", "b.example", FALSE },
		{ "MailTo:a@B.Example.", "a@B.Example.", "b.example", FALSE },
		{ "mailto:a@b.example?subject=x", "a@b.example", "b.example", FALSE },
		{ "mailto:a%40b@c.example", "a@b@c.example", "c.example", FALSE },
		{ "mailto:a@b.example!10m", "a@b.example", "b.example", TRUE },
		{ "mailto:a@b.example!1", "a@b.example", "b.example", TRUE },
		{ "mailto:a@b.example!", NULL, NULL, FALSE },
		{ "mailto:a@b.example!1x", NULL, NULL, FALSE },
		{ "mailto:a@b.example!m", NULL, NULL, FALSE },
		{ "mailto:a@b.example!10mm", NULL, NULL, FALSE },
		{ "mailto:a@b..example", NULL, NULL, FALSE },
		{ "mailto:a@b/c.example", NULL, NULL, FALSE },
		{ "mailto:", NULL, NULL, FALSE },
		{ "mailto:a", NULL, NULL, FALSE },
		{ "https://b.example/", NULL, NULL, FALSE },
		{ "", NULL, NULL, FALSE },
		{ "mailto:a@b\xc3\xbc"
		  "cher.example",
		    "a@b\xc3\xbc"
		    "cher.example",
		    "xn--bcher-kva.example", FALSE },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct dmarc_uri uri = { 0 };
		gboolean size = FALSE;
		const char *why = NULL;
		gboolean good = dmarc_uri_read(rows[i].text, &uri, &size, &why);

		if (good != (rows[i].host != NULL) ||
		    (good && (strcmp(uri.host, rows[i].host) != 0 ||
				 strcmp(uri.address, rows[i].address) != 0 || size != rows[i].size)))
			fail_msg("%s: %s", rows[i].text, good ? uri.host : why);
		assert_true(good || why != NULL);
		dmarc_uri_clear(&uri);
	}
}

static void an_address_of_no_use_has_a_reason(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "mailto:a", "it has no mail address" },
		{ "mailto:@b.example", "it has no mail address" },
		{ "mailto:a\001@b.example", "it has no mail address" },
		{ "mailto:a%zz@b.example", "its % escapes are wrong" },
		{ "https://b.example/", "reporters only send to \"mailto:\"" },
		{ "a@b.example", "\"mailto:\" is missing before it" },
		{ "b.example", "it is no URI" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct dmarc_uri uri;
		const char *why = NULL;
		gboolean size;

		assert_false(dmarc_uri_read(rows[i].text, &uri, &size, &why));
		assert_string_equal(why, rows[i].why);
	}
}

/* The findings of a record as "code place: text", and what to publish; rua is good in each. */
static void findings_of_a_record_say_what_is_wrong(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "v=DMARC1; p=reject; x", "dmarc_syntax x: \"x\" is not a tag: there is no \"=\"" },
		{ "v=DMARC1; p=reject; x=\001", "dmarc_syntax x: \"\001\" cannot be a value" },
		{ "v=DMARC1; p=reject; p=none",
		    "dmarc_duplicate_tag p: the tag occurs twice: the first counts" },
		{ "v=DMARC1; p=reject sp=none t=n",
		    "dmarc_separator p: there is no \";\" before \"sp=none t=n\"" },
		{ "v=DMARC1; p=block",
		    "dmarc_value p: \"block\" is none of its values: none quarantine reject" },
		{ "v=DMARC1; p=reject; adkim=x", "dmarc_value adkim: \"x\" is none of its values: r s" },
		{ "v=DMARC1; p=reject; ri=1",
		    "dmarc_removed_tag ri: \"ri=1\" is a tag of RFC 7489 that RFC 9989 removed: "
		    "it has no effect" },
		{ "v=DMARC1; p=reject; pct=50",
		    "dmarc_removed_tag pct: \"pct=50\" is a tag of RFC 7489 that RFC 9989 removed: it has no "
		    "effect; "
		    "\"t=y\" beside it has one, and \"pct\" stays for receivers that only know RFC 7489" },
		{ "v=DMARC1; p=reject; pct=100", "dmarc_removed_tag pct: \"pct=100\" is a tag of RFC 7489 "
						 "that RFC 9989 removed: it has no effect" },
		{ "v=DMARC1; p=reject; y=1", "dmarc_unknown_tag y: there is no such tag: it has no effect" },
		{ "v=DMARC1; p=reject; sp=none", "dmarc_subdomains_none sp: subdomains may be forged freely, "
						 "while the domain itself is \"p=reject\"" },
		{ "v=DMARC1; p=quarantine; sp=reject; np=none",
		    "dmarc_subdomains_none np: subdomains that do not exist may be forged freely, while the "
		    "domain itself "
		    "is \"p=quarantine\"" },
		{ "v=DMARC1; p=reject; fo=1:1:x", "dmarc_fo fo: \"1\" occurs twice; dmarc_fo fo: \"x\" is "
						  "none of 0, 1, d and s; dmarc_fo fo: it has no "
						  "effect without \"ruf\"" },
		{ "v=DMARC1; p=reject; fo=0:1", "dmarc_fo fo: 0 and 1 exclude each other, and 1 asks for "
						"more; dmarc_fo fo: it has no effect without "
						"\"ruf\"" },
		{ "v=DMARC1; p=reject; sp=x", "dmarc_as_none sp: the value of \"sp\" is invalid, so the "
					      "complete record acts as \"p=none\" (RFC 9989 "
					      "section 4.10.1)" },
		{ "v=DMARC1; p=reject; np=\001", "dmarc_as_none np: the value of \"np\" is invalid, so the "
						 "complete record acts as \"p=none\" (RFC 9989 "
						 "section 4.10.1)" },
		{ "v=DMARC1; p=reject; sp=\001", "dmarc_as_none sp: the value of \"sp\" is invalid, so the "
						 "complete record acts as \"p=none\" (RFC 9989 "
						 "section 4.10.1)" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *record_text = g_strconcat(rows[i].text, "; rua=mailto:a@b.example", NULL);
		g_autofree char *code = g_strndup(rows[i].want, strcspn(rows[i].want, " "));
		struct findings *findings = findings_new();
		struct dmarc_record record;
		g_autoptr(GString) got = g_string_new(NULL);

		dmarc_read("n", record_text, &record, findings);
		for (guint j = 0; j < findings_count(findings); j++) {
			const struct finding *finding = findings_get(findings, j);

			if (strcmp(finding_code_word(finding->code), code) == 0)
				g_string_append_printf(got, "%s%s %s: %s", got->len > 0 ? "; " : "", code,
				    finding->place + strlen("n TXT: "), finding->text);
		}
		/* control characters of a record are shown as escapes */
		if (strchr(rows[i].want, '\001') == NULL ? strcmp(got->str, rows[i].want) != 0
							 : got->len == 0)
			fail_msg("%s: %s", rows[i].text, got->str);
		dmarc_clear(&record);
		findings_free(findings);
	}
}

/* The last tag that is read, and the first that is not. */
static void sixty_four_tags_of_a_record_are_read(void **state)
{
	for (guint before = 62; before <= 64; before++) {
		g_autoptr(GString) dmarc = g_string_new("v=DMARC1"), dkim = g_string_new("v=DKIM1"),
				   late = g_string_new("a=b");
		struct dmarc_record record;
		gboolean read = before < 64;

		(void)state;
		for (guint i = 1; i < before; i++) {
			g_string_append(dmarc, ";x=y");
			g_string_append(dkim, ";n=y");
			g_string_append(late, ";n=y");
		}
		g_string_append(dmarc, ";p=reject");
		g_string_append(dkim, ";p=");
		g_string_append(late, ";p=");
		dmarc_read("x", dmarc->str, &record, NULL);
		assert_string_equal(record.p, read ? "reject" : "none");
		assert_int_equal(dkim_read("x", dkim->str, NULL).status, read ? DKIM_REVOKED : DKIM_INVALID);
		assert_int_equal(dkim_is_key(late->str), read);
		dmarc_clear(&record);
	}
}

static void assertion_72_what_is_nearly_a_record_is_told(void **state)
{
	static const char *const NEAR[] = { "v=dmarc1; p=reject", "V=dmarc1", " v=DMARC1; p=none",
		"v=DMARC1 p=none", "v=DMARC 1; p=none", "v=DMARC2", "\"v=DMARC1; p=none\"", "v = Dmarc1;",
		"v:DMARC1; p=none", "p=reject", "DMARC1; p=none" };
	static const char *const FAR[] = { "v=DMARC1; p=none", "v=DMARC1", "v=spf1 -all", "", "dmarc",
		"v=", "v", "vdmarc1", "v;dmarc1", "x=dmarc1", "v=dmarx", "sp=none", "v=x dmarc1" };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(NEAR); i++)
		if (!dmarc_is_near(NEAR[i]))
			fail_msg("%s", NEAR[i]);
	for (gsize i = 0; i < G_N_ELEMENTS(FAR); i++)
		if (dmarc_is_near(FAR[i]))
			fail_msg("%s", FAR[i]);
}

static void many_tags_and_addresses_are_bounded(void **state)
{
	for (guint n = DMARC_URIS_MAX - 1; n <= DMARC_URIS_MAX + 1; n++) {
		g_autoptr(GString) text = g_string_new("v=DMARC1; p=none; rua=mailto:a@b.example");
		struct findings *findings = findings_new();
		struct dmarc_record record;

		for (guint i = 1; i < n; i++)
			g_string_append(text, ",mailto:a@b.example");
		for (guint i = 0; i < 20000; i++)
			g_string_append(text, ";x");
		dmarc_read("x", text->str, &record, findings);
		assert_int_equal(record.rua->len, MIN(n, DMARC_URIS_MAX));
		assert_true(findings_count(findings) <= 2 * FINDINGS_MAX);
		dmarc_clear(&record);
		findings_free(findings);
	}
	(void)state;
}

/* -- findings -- */

static void findings_are_bounded_by_severity_and_errors_come_first(void **state)
{
	struct findings *findings = findings_new();

	(void)state;
	for (guint i = 0; i < 3 * FINDINGS_MAX; i++)
		findings_add(findings, FINDING_DMARC_P_NONE, "x", NULL, "%u", i);
	assert_false(findings_have_error(findings));
	findings_add(findings, FINDING_DMARC_MISSING, "x", NULL, "late");
	findings_add(findings, FINDING_DMARC_MISSING, "x", NULL, "late");
	assert_int_equal(findings_count(findings), FINDINGS_MAX + 1);
	assert_true(findings_have_error(findings));
	assert_true(findings_have(findings, FINDING_DMARC_MISSING));
	assert_int_equal(findings_get(findings, 0)->code, FINDING_DMARC_MISSING);
	assert_null(findings_get(findings, FINDINGS_MAX + 1));
	findings_free(findings);
}

static void what_the_dns_says_is_cut_and_has_no_control_characters(void **state)
{
	struct findings *findings = findings_new();
	g_autofree char *long_text = g_strnfill(100000, 'x');

	(void)state;
	findings_add(
	    findings, FINDING_DMARC_IGNORED, long_text, g_strdup(long_text), "\033[31m%s", long_text);
	assert_true(strlen(findings_get(findings, 0)->text) <= 600);
	assert_true(strlen(findings_get(findings, 0)->place) <= 400);
	assert_null(findings_get(findings, 0)->fix);
	assert_null(strchr(findings_get(findings, 0)->text, '\033'));
	findings_free(findings);
}

static void sizes_of_a_finding_have_borders(void **state)
{
	static const struct {
		gsize place, text, fix;
		gboolean has_fix;
	} rows[] = { { 400, 600, 4096, TRUE }, { 401, 601, 4097, FALSE } };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct findings *findings = findings_new();
		g_autofree char *place = g_strnfill(rows[i].place, 'p'),
				*text = g_strnfill(rows[i].text, 't');
		const struct finding *finding;

		findings_add(
		    findings, FINDING_DMARC_IGNORED, place, g_strnfill(rows[i].fix, 'f'), "%s", text);
		finding = findings_get(findings, 0);
		assert_int_equal(strcmp(finding->place, place) == 0, i == 0);
		assert_int_equal(strcmp(finding->text, text) == 0, i == 0);
		assert_int_equal(finding->fix != NULL, rows[i].has_fix);
		findings_free(findings);
	}
}

static void only_a_finding_that_differs_is_another_one(void **state)
{
	struct findings *findings = findings_new();

	(void)state;
	findings_add(findings, FINDING_DMARC_P_NONE, "x", NULL, "a");
	findings_add(findings, FINDING_DMARC_P_NONE, "x", g_strdup("fix"), "a");
	assert_int_equal(findings_count(findings), 1);
	findings_add(findings, FINDING_DMARC_P_NONE, "y", NULL, "a");
	findings_add(findings, FINDING_DMARC_P_NONE, "x", NULL, "b");
	findings_add(findings, FINDING_DMARC_PSD, "x", NULL, "a");
	assert_int_equal(findings_count(findings), 4);
	assert_int_equal(findings_count_of(findings, FINDING_INFO), 4);
	assert_int_equal(findings_count_of(findings, FINDING_WARNING), 0);
	assert_true(findings_have(findings, FINDING_DMARC_PSD));
	assert_false(findings_have(findings, FINDING_DMARC_TESTING));
	findings_free(findings);
	findings_free(NULL);
}

static void every_code_has_a_word_of_its_own(void **state)
{
	g_autoptr(GHashTable) words = g_hash_table_new(g_str_hash, g_str_equal);

	(void)state;
	for (guint i = 0; i < FINDING_CODES; i++) {
		const char *word = finding_code_word((enum finding_code)i);

		assert_non_null(word);
		assert_true(g_hash_table_add(words, (gpointer)word));
	}
}

static void records_to_publish_are_as_in_a_zone_file(void **state)
{
	g_autofree char *plain = finding_txt_record("a.example", "v=DMARC1");
	g_autofree char *escaped = finding_txt_record("a.example", "a\"b\\c");
	g_autofree char *empty = finding_txt_record("a.example", "");
	g_autofree char *x = g_strnfill(255, 'x');
	g_autofree char *y = g_strconcat(x, "y", NULL);
	g_autofree char *one = finding_txt_record("a", x), *two = finding_txt_record("a", y);
	g_autofree char *want_one = g_strdup_printf("a. TXT \"%s\"", x);
	g_autofree char *want_two = g_strdup_printf("a. TXT \"%s\" \"y\"", x);

	(void)state;
	assert_string_equal(plain, "a.example. TXT \"v=DMARC1\"");
	assert_string_equal(escaped, "a.example. TXT \"a\\\"b\\\\c\"");
	assert_string_equal(empty, "a.example. TXT \"\"");
	assert_string_equal(one, want_one);
	assert_string_equal(two, want_two);
}

/* -- DKIM -- */

#define RSA_2048                                                                                             \
	"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA4P0P5sJZTvxW1K6kg3BqlxwEy0GNM35SVANvaxsvIQ2xEGV6ZfzgH4" \
	"qgiuJ9"                                                                                             \
	"OnxTTr4tv9VK+Nv8t5gE9wGYTC7u1P+o3zchUewLnCd4kmS0yKwnsHEbOXW94h5LNpYt0ptOr0CRH4nwG2TkTSwt0/ynfG/"    \
	"JmNOt5xUx"                                                                                          \
	"qs5wsIkMUh/7t6WRl/"                                                                                 \
	"+RVDT87xGG9NeCMIQJDFPsZxl8eZfiU51IM21kAtvfY0Tq7MsbdKn5glj07Y7mpSBJPW1FgUKdjXqWNXZqjEtR"             \
	"VBSTgyVmUVkYMMHbW3TSYPia/SpMjzvFdgW6br0rpvAj41/ZxnZfQS2TbiY5tp8uSjArN/uYgQIDAQAB"
#define RSA_1024                                                                                             \
	"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDWm95dBAdNRMyr5khxw/"                                         \
	"FuDn0iVlYk9+ne3IZV8A4AeP62A3Z3zXcT4yuGGBPS8GBP"                                                     \
	"csVeU0if1r8A7TNFG/"                                                                                 \
	"kKtab3S0pILrXGJsM0LKIfwQJrk5wkJk9EaclRq3IW0MkD0+NZ1wxVOH1FzwlpSBzN22Gttwx3zfwZeDWu8/cD"             \
	"7wIDAQAB"
/* what is in the one above, without its head */
#define RSA_1024_BARE                                                                                        \
	"MIGJAoGBANab3l0EB01EzKvmSHHD8W4OfSJWViT36d7chlXwDgB4/rYDdnfNdxPjK4YYE9LwYE9yxV5TSJ/"                \
	"WvwDtM0Ub+Qq1pvdLSkgu"                                                                              \
	"tcYmwzQsoh/BAmuTnCQmT0RpyVGrchbQyQPT41nXDFU4fUXPCWlIHM3bYa23DHfN/Bl4Na7z9wPvAgMBAAE="
#define RSA_768                                                                                              \
	"MHwwDQYJKoZIhvcNAQEBBQADawAwaAJhALjNqyG58ce3Bcco12ffN/Fp4DwEA/"                                     \
	"HgnwAHw014fKJf5ASy744TnEuJNz0tYFnWEGNZng5B"                                                         \
	"beSQJXgKO/uxwNbuVY36oCG/UdUyiWjcNUqMzjg9JJDLoNit5jQA2HydMwIDAQAB"
#define ED25519 "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=" /* RFC 8463 appendix A.2 */

static void dkim_keys_are_read(void **state)
{
	static const struct {
		const char *name, *text, *want; /* status, type, bits, "testing" */
		const char *findings;
	} rows[] = {
		{ "RSA", "v=DKIM1; k=rsa; p=" RSA_2048, "ok rsa 2048", "" },
		{ "RSA without v and k", "p=" RSA_2048, "ok rsa 2048", "" },
		{ "RSA with blanks in it",
		    "v=DKIM1; p= MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA "
		    "4P0P5sJZTvxW1K6k g3Bq",
		    "invalid rsa 0", "dkim_invalid" },
		{ "weak", "v=DKIM1; p=" RSA_1024, "ok rsa 1024", "dkim_weak" },
		{ "bare RSA key", "v=DKIM1; p=" RSA_1024_BARE, "ok rsa 1024", "dkim_weak" },
		{ "short", "v=DKIM1; p=" RSA_768, "ok rsa 768", "dkim_short" },
		{ "Ed25519", "v=DKIM1; k=ed25519; p=" ED25519, "ok ed25519 256", "" },
		{ "Ed25519 of another size", "v=DKIM1; k=ed25519; p=AAAA", "invalid ed25519 0",
		    "dkim_invalid" },
		{ "revoked", "v=DKIM1; p=", "revoked rsa 0", "dkim_revoked" },
		{ "no p", "v=DKIM1; k=rsa", "invalid rsa 0", "dkim_invalid" },
		{ "testing", "v=DKIM1; t=y:s; p=" RSA_2048, "ok rsa 2048 testing", "dkim_testing" },
		{ "not testing", "v=DKIM1; t=s; p=" RSA_2048, "ok rsa 2048", "" },
		{ "v is not first", "p=" RSA_2048 "; v=DKIM1", "invalid rsa 2048", "dkim_invalid" },
		{ "another version", "v=DKIM2; p=" RSA_2048, "invalid rsa 2048", "dkim_invalid" },
		{ "another type", "v=DKIM1; k=dsa; p=AAAA", "invalid - 0", "dkim_invalid" },
		{ "no SHA-256", "v=DKIM1; h=sha1; p=" RSA_2048, "invalid rsa 2048", "dkim_invalid" },
		{ "SHA-256, too", "v=DKIM1; h=sha1:sha256; p=" RSA_2048, "ok rsa 2048", "" },
		{ "not for mail", "v=DKIM1; s=tlsrpt; p=" RSA_2048, "invalid rsa 2048", "dkim_invalid" },
		{ "for mail, too", "v=DKIM1; s=x : email; p=" RSA_2048, "ok rsa 2048", "" },
		{ "no base64", "v=DKIM1; p=***", "invalid rsa 0", "dkim_invalid" },
		{ "base64 cut off", "v=DKIM1; p=MIIB1", "invalid rsa 0", "dkim_invalid" },
		{ "a tag twice", "v=DKIM1; p=" RSA_2048 "; p=", "invalid rsa 2048", "dkim_invalid" },
		{ "no tag", "v=DKIM1; rubbish; p=" RSA_2048, "invalid rsa 2048", "dkim_invalid" },
		{ "notes and unknown tags", "v=DKIM1; n=a note; x=y; p=" RSA_2048, "ok rsa 2048", "" },
		{ "something else", "v=spf1 -all", "invalid rsa 0", "dkim_invalid" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct findings *findings = findings_new();
		struct dkim_key key = dkim_read("s._domainkey.example.com", rows[i].text, findings);
		g_autofree char *got = g_strdup_printf("%s %s %u%s", dkim_status_word(key.status),
		    key.key_type == NULL ? "-" : key.key_type, key.bits, key.testing ? " testing" : "");
		g_autofree char *words = findings_words(findings, FALSE);

		if (strcmp(got, rows[i].want) != 0 || !g_str_has_prefix(words, rows[i].findings) ||
		    (*rows[i].findings == '\0' && *words != '\0'))
			fail_msg("%s: got %s (%s)", rows[i].name, got, words);
		findings_free(findings);
	}
}

static void der(GByteArray *out, guint8 tag, const guint8 *content, gsize size)
{
	guint8 head[4] = { tag, 0x82, (guint8)(size >> 8), (guint8)size };

	g_byte_array_append(out, head, sizeof head);
	g_byte_array_append(out, content, (guint)size);
}

/* An RSA key of so many bits. Transfer full. */
static char *rsa_record(guint bits)
{
	g_autoptr(GByteArray) modulus = g_byte_array_new(), all = g_byte_array_new(),
			      key = g_byte_array_new();
	guint8 top = (guint8)(1U << ((bits - 1) % 8)), zero = 0, exponent[] = { 1, 0, 1 };
	g_autofree char *text = NULL;

	g_byte_array_append(modulus, &zero, 1);
	g_byte_array_append(modulus, &top, 1);
	for (guint i = 1; i < (bits + 7) / 8; i++)
		g_byte_array_append(modulus, &zero, 1);
	der(all, 0x02, modulus->data, modulus->len);
	der(all, 0x02, exponent, sizeof exponent);
	der(key, 0x30, all->data, all->len);
	text = g_base64_encode(key->data, key->len);
	return g_strconcat("v=DKIM1; p=", text, NULL);
}

static void keys_are_judged_by_their_bits(void **state)
{
	static const struct {
		guint bits;
		const char *findings;
	} rows[] = { { 1, "dkim_short" }, { 1023, "dkim_short" }, { 1024, "dkim_weak" },
		{ 2047, "dkim_weak" }, { 2048, "" }, { 65536, "" }, { 65537, "dkim_invalid" } };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct findings *findings = findings_new();
		g_autofree char *text = rsa_record(rows[i].bits);
		struct dkim_key key = dkim_read("s", text, findings);
		g_autofree char *words = findings_words(findings, FALSE);

		assert_string_equal(words, rows[i].findings);
		assert_int_equal(key.bits, rows[i].bits <= 65536 ? rows[i].bits : 0);
		findings_free(findings);
	}
}

/* The findings of a key, "place: text". */
static void findings_of_a_key_say_what_is_wrong(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "v=DKIM1; x; p=" ED25519 "; k=ed25519", "s TXT: syntax: \"x\" is not a tag" },
		{ "k=ed25519; v=DKIM1; p=" ED25519, "s TXT: v: \"v\" must come first and be \"DKIM1\"" },
		{ "v=DKIM2; k=ed25519; p=" ED25519, "s TXT: v: \"v\" must come first and be \"DKIM1\"" },
		{ "v=DKIM1; k=ed25519; k=rsa; p=" ED25519, "s TXT: k: the tag occurs twice" },
		{ "v=DKIM1; k=dsa; p=" ED25519, "s TXT: k: \"dsa\" is neither rsa nor ed25519" },
		{ "v=DKIM1; k=ed25519; h=sha1; p=" ED25519,
		    "s TXT: h: sha256 is not allowed by it, and nothing else may be used" },
		{ "v=DKIM1; k=ed25519; s=x; p=" ED25519, "s TXT: s: the key is not for mail" },
		{ "v=DKIM1; k=ed25519", "s TXT: p: there is no \"p\", which has the key" },
		{ "v=DKIM1; k=ed25519; p=", "s TXT: p: the key is revoked: its signatures fail" },
		{ "v=DKIM1; k=ed25519; p=a*aa", "s TXT: p: the key is not base64" },
		{ "v=DKIM1; k=ed25519; p=aaa", "s TXT: p: the key is not base64" },
		{ "v=DKIM1; k=ed25519; p=AAAA", "s TXT: p: an Ed25519 key has 32 bytes, not 3 (RFC 8463)" },
		{ "v=DKIM1; p=AAAA", "s TXT: p: there is no RSA key in it" },
		{ "v=DKIM1; p=MIA=", "s TXT: p: there is no RSA key in it" },
		{ "v=DKIM1; p=MIUAAAAAAA==", "s TXT: p: there is no RSA key in it" },
		{ "v=DKIM1; p=MAYCAQACAQE=", "s TXT: p: there is no RSA key in it" },
		{ "v=DKIM1; p=MAYCAQECAQE=",
		    "s TXT: p: an RSA key of 1 bits is too short: it must have 1024 and should "
		    "have 2048 (RFC 8301 section 3.2)" },
		{ "v=DKIM1; t=Y; k=ED25519; h=SHA256; s=EMAIL; p=" ED25519,
		    "s TXT: t: the domain says that it only tests DKIM" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct findings *findings = findings_new();
		g_autofree char *got = NULL;

		(void)dkim_read("s", rows[i].text, findings);
		assert_int_equal(findings_count(findings), 1);
		got = g_strdup_printf(
		    "%s: %s", findings_get(findings, 0)->place, findings_get(findings, 0)->text);
		assert_string_equal(got, rows[i].want);
		findings_free(findings);
	}
}

/* A key cut anywhere is no key, and nothing is read behind its end. */
static void a_key_cut_off_is_invalid(void **state)
{
	gsize size;
	g_autofree guint8 *whole = g_base64_decode(RSA_2048, &size);

	(void)state;
	for (gsize cut = 1; cut < size; cut++) {
		g_autofree char *text = g_base64_encode(whole, cut);
		g_autofree char *record = g_strconcat("p=", text, NULL);

		assert_int_equal(dkim_read("x", record, NULL).status, DKIM_INVALID);
	}
}

static void keys_are_told_from_other_texts(void **state)
{
	(void)state;
	assert_true(dkim_is_key("v=DKIM1"));
	assert_true(dkim_is_key("k=rsa; p="));
	assert_false(dkim_is_key("v=spf1 -all"));
	assert_false(dkim_is_key(""));
}

/* -- TLS reporting -- */

static void tls_reporting_records_are_read(void **state)
{
	static const struct {
		const char *text;
		guint rua;
		const char *findings;
	} rows[] = {
		{ "v=TLSRPTv1; rua=mailto:a@b.example", 1, "" },
		{ "v=TLSRPTv1;rua=mailto:a@b.example,https://b.example/x;", 2, "" },
		{ "v=TLSRPTv1; rua=mailto:a@b.example; x=y", 1, "" },
		{ "v=TLSRPTv1;", 0, "tlsrpt_invalid" },
		{ "v=TLSRPTv1; rua=a@b.example", 0, "tlsrpt_invalid" },
		{ "v=TLSRPTv1; rua=ftp://b.example/", 0, "tlsrpt_invalid" },
		{ "v=TLSRPTv1; rua=mailto:a@b.example!10m", 0, "tlsrpt_invalid" },
		{ "v=TLSRPTv1; rua=mailto:a@b.example; rua=mailto:c@b.example", 1, "tlsrpt_invalid" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GPtrArray) rua = g_ptr_array_new_with_free_func(g_free);
		struct findings *findings = findings_new();
		g_autofree char *words = NULL;

		assert_true(tlsrpt_is_record(rows[i].text));
		assert_true(tlsrpt_read("x", rows[i].text, rua, findings) == (rows[i].rua > 0));
		words = findings_words(findings, FALSE);
		if (rua->len != rows[i].rua || strcmp(words, rows[i].findings) != 0)
			fail_msg("%s: %u, %s", rows[i].text, rua->len, words);
		findings_free(findings);
	}
	assert_false(tlsrpt_is_record("v=tlsrptv1; rua=mailto:a@b.example"));
	assert_false(tlsrpt_is_record("v=TLSRPTv10; rua=mailto:a@b.example"));
	assert_false(tlsrpt_is_record(" v=TLSRPTv1;"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dmarc_records_are_read_and_fixed),
		cmocka_unit_test(a_fixed_record_stays_as_it_is),
		cmocka_unit_test(a_proposed_record_loses_nothing_and_enforces_no_more),
		cmocka_unit_test(a_finding_has_its_place_and_what_to_publish),
		cmocka_unit_test(addresses_are_taken_out_of_uris),
		cmocka_unit_test(an_address_of_no_use_has_a_reason),
		cmocka_unit_test(findings_of_a_record_say_what_is_wrong),
		cmocka_unit_test(sixty_four_tags_of_a_record_are_read),
		cmocka_unit_test(keys_are_judged_by_their_bits),
		cmocka_unit_test(findings_of_a_key_say_what_is_wrong),
		cmocka_unit_test(sizes_of_a_finding_have_borders),
		cmocka_unit_test(only_a_finding_that_differs_is_another_one),
		cmocka_unit_test(assertion_72_what_is_nearly_a_record_is_told),
		cmocka_unit_test(many_tags_and_addresses_are_bounded),
		cmocka_unit_test(findings_are_bounded_by_severity_and_errors_come_first),
		cmocka_unit_test(what_the_dns_says_is_cut_and_has_no_control_characters),
		cmocka_unit_test(every_code_has_a_word_of_its_own),
		cmocka_unit_test(records_to_publish_are_as_in_a_zone_file),
		cmocka_unit_test(dkim_keys_are_read),
		cmocka_unit_test(a_key_cut_off_is_invalid),
		cmocka_unit_test(keys_are_told_from_other_texts),
		cmocka_unit_test(tls_reporting_records_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
