/*
 * A policy and a record into notes. Numbers in names are those of the assertions in the standards digest; the
 * codes are those of notes.h.
 */
#include "parser/consistency.h"
#include "parser/orgdomain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MAX_ITEMS 4
#define PCT_ZERO  (-2) /* pct=0 in a row; 0 there is no pct */

struct row {
	const char *name;
	struct aggregate_header policy;
	struct aggregate_record record; /* its lists are those below, up to the first that is all NULL */
	struct auth_result_dkim dkim[MAX_ITEMS];
	struct auth_result_spf spf[MAX_ITEMS];
	struct aggregate_reason reason[MAX_ITEMS];
	const char *want; /* " code:last element of the path=raw" for each note */
};

#define DOMAIN         .domain = "example.com"
#define POLICY(...)    .policy = { DOMAIN, __VA_ARGS__ }
#define FROM(from)     .header_from = from
#define EVAL(d, k, s)  .disposition = d, .dkim = k, .spf = s
#define RECORD(...)    .record = { __VA_ARGS__ }
#define FAILING(d)     RECORD(FROM("example.com"), EVAL(d, "fail", "fail"))
#define SIGNED(name)   .dkim = { { .domain = name, .result = "pass" } }
#define SENT(name, by) .spf = { { .domain = name, .result = "pass", .scope = by } }
#define REASON(word)   .reason = { { .type = word } }

/* A method's outcome under p=none: header_from, evaluated dkim, a signature that passed. */
#define BY_DKIM(from, outcome, name)                                                                         \
	RECORD(FROM(from), EVAL("none", outcome, "fail")), .dkim = { { .domain = name, .result = "pass" } }
/* envelope_from, evaluated spf, a result that passed. */
#define BY_SPF(envelope, outcome, name, by)                                                                  \
	RECORD(FROM("example.com"), .envelope_from = envelope, EVAL("none", "fail", outcome)), SENT(name, by)

static const struct row ROWS[] = {
	/* A1, A2: DKIM */
	{ "41 strict: subdomain is not aligned", POLICY(.p = "none", .adkim = "s"),
	    BY_DKIM("example.com", "pass", "mail.example.com"), .want = " A1:dkim=pass" },
	{ "41 strict: subdomain is not aligned, as evaluated", POLICY(.p = "none", .adkim = "s"),
	    BY_DKIM("example.com", "fail", "mail.example.com"), .want = "" },
	{ "41 strict: the same name", POLICY(.p = "none", .adkim = "s"),
	    BY_DKIM("example.com", "fail", "example.com"), .want = " A2:dkim=fail" },
	{ "41 relaxed: subdomain is aligned", POLICY(.p = "none", .adkim = "r"),
	    BY_DKIM("example.com", "fail", "mail.example.com"), .want = " A2:dkim=fail" },
	{ "41 relaxed is the default", POLICY(.p = "none"),
	    BY_DKIM("example.com", "pass", "mail.example.com"), .want = "" },
	{ "41 adkim is not for SPF", POLICY(.p = "none", .adkim = "s"),
	    BY_SPF(NULL, "pass", "mail.example.com", "mfrom"), .want = "" },
	{ "42 a.co.uk and b.co.uk are not aligned", .policy = { .domain = "a.co.uk", .p = "none" },
	    BY_DKIM("a.co.uk", "pass", "b.co.uk"), .want = " A1:dkim=pass" },
	{ "42 x.example.co.uk and example.co.uk are aligned",
	    .policy = { .domain = "example.co.uk", .p = "none" },
	    BY_DKIM("x.example.co.uk", "fail", "example.co.uk"), .want = " A2:dkim=fail" },
	{ "42 a public suffix is its own", .policy = { .domain = "co.uk", .p = "none" },
	    BY_DKIM("a.co.uk", "pass", "co.uk"), .want = " A1:dkim=pass" },
	{ "42 an unlisted top-level domain is a suffix", .policy = { .domain = "a.unlisted", .p = "none" },
	    BY_DKIM("a.unlisted", "pass", "b.unlisted"), .want = " A1:dkim=pass" },
	{ "43 44 treewalk: siblings are not decided", POLICY(.p = "none", .discovery_method = "treewalk"),
	    BY_DKIM("a.example.com", "fail", "b.example.com"), .want = "" },
	{ "43 44 treewalk: nor are strangers", POLICY(.p = "none", .discovery_method = "treewalk"),
	    BY_DKIM("example.com", "pass", "other.example"), .want = "" },
	{ "43 treewalk: parent and child are aligned", POLICY(.p = "none", .discovery_method = "treewalk"),
	    BY_DKIM("a.example.com", "fail", "example.com"), .want = " A2:dkim=fail" },
	{ "43 treewalk: child and parent, too", POLICY(.p = "none", .discovery_method = "treewalk"),
	    BY_DKIM("example.com", "fail", "a.example.com"), .want = " A2:dkim=fail" },
	{ "43 treewalk: a public suffix above is not decided",
	    .policy = { .domain = "a.co.uk", .p = "none", .discovery_method = "treewalk" },
	    BY_DKIM("a.co.uk", "fail", "co.uk"), .want = "" },
	{ "43 treewalk: strict is decided", POLICY(.p = "none", .adkim = "s", .discovery_method = "treewalk"),
	    BY_DKIM("example.com", "pass", "mail.example.com"), .want = " A1:dkim=pass" },
	{ "47 only an unaligned signature passed", POLICY(.p = "none"),
	    BY_DKIM("example.com", "pass", "esp.example"), .want = " A1:dkim=pass" },
	{ "47 none is listed", POLICY(.p = "none"), RECORD(FROM("example.com"), EVAL("none", "pass", "fail")),
	    .want = " A1:dkim=pass" },
	{ "47 the aligned one failed", POLICY(.p = "none"),
	    RECORD(FROM("example.com"), EVAL("none", "pass", "fail")),
	    .dkim = { { .domain = "example.com", .result = "fail" },
		{ .domain = "esp.example", .result = "pass" } },
	    .want = " A1:dkim=pass" },
	{ "47 one of two is aligned", POLICY(.p = "none"),
	    RECORD(FROM("example.com"), EVAL("none", "pass", "fail")),
	    .dkim = { { .domain = "esp.example", .result = "pass" },
		{ .domain = "example.com", .result = "pass" } },
	    .want = "" },
	{ "47 both methods", POLICY(.p = "none"), RECORD(FROM("example.com"), EVAL("none", "pass", "pass")),
	    SIGNED("esp.example"), SENT("esp.example", "mfrom"), .want = " A1:dkim=pass A1:spf=pass" },
	{ "what is no name decides nothing", POLICY(.p = "none"),
	    BY_DKIM("example.com", "pass", "@ esp.example"), .want = "" },
	{ "nor does a signature without domain", POLICY(.p = "none"), BY_DKIM("example.com", "pass", NULL),
	    .want = "" },
	{ "nor is there anything to align without header_from", POLICY(.p = "none"),
	    BY_DKIM(NULL, "pass", "esp.example"), .want = "" },
	{ "nor with two in one", POLICY(.p = "none"),
	    BY_DKIM("example.com, example.org", "pass", "esp.example"), .want = "" },
	{ "a name has hyphens and underscores", POLICY(.p = "none"),
	    BY_DKIM("_a-b.example.com", "pass", "esp.example"), .want = " A1:dkim=pass" },
	{ "and no empty label", POLICY(.p = "none"), BY_DKIM("a..example.com", "pass", "esp.example"),
	    .want = "" },
	{ "nor a dot at its end", POLICY(.p = "none"), BY_DKIM("example.com.", "pass", "esp.example"),
	    .want = "" },
	{ "nor other characters", POLICY(.p = "none"), BY_DKIM("a*.example.com", "pass", "esp.example"),
	    .want = "" },
	{ "an evaluation that is neither pass nor fail", POLICY(.p = "none"),
	    BY_DKIM("example.com", "temperror", "example.com"), .want = "" },

	/* A1, A2, A3: SPF */
	{ "SPF unaligned", POLICY(.p = "none"), BY_SPF(NULL, "pass", "esp.example", NULL),
	    .want = " A1:spf=pass" },
	{ "SPF aligned", POLICY(.p = "none"), BY_SPF(NULL, "fail", "bounce.example.com", "mfrom"),
	    .want = " A2:spf=fail" },
	{ "SPF aligned, but strict", POLICY(.p = "none", .aspf = "s"),
	    BY_SPF(NULL, "fail", "bounce.example.com", "mfrom"), .want = "" },
	{ "pass by HELO only", POLICY(.p = "none"), BY_SPF("esp.example", "pass", "mx.example.com", "helo"),
	    .want = " A3:spf=pass" },
	{ "pass by a HELO that is not aligned", POLICY(.p = "none"),
	    BY_SPF("esp.example", "pass", "mx.esp.example", "helo"), .want = " A1:spf=pass" },
	{ "pass by one HELO of two", POLICY(.p = "none"),
	    RECORD(FROM("example.com"), .envelope_from = "esp.example", EVAL("none", "fail", "pass")),
	    .spf = { { .domain = "mx.example.com", .result = "pass", .scope = "helo" },
		{ .domain = "mx.esp.example", .result = "pass", .scope = "helo" } },
	    .want = " A3:spf=pass" },
	{ "a HELO that is no name decides nothing", POLICY(.p = "none"),
	    BY_SPF("esp.example", "pass", "@ esp.example", "helo"), .want = "" },
	{ "HELO stands in for a null reverse-path", POLICY(.p = "none"),
	    BY_SPF("", "pass", "mx.example.com", "helo"), .want = "" },
	{ "HELO that passed is no reason to pass", POLICY(.p = "none"),
	    BY_SPF("esp.example", "fail", "mx.example.com", "helo"), .want = "" },
	{ "a scope that nobody knows decides nothing", POLICY(.p = "none"),
	    BY_SPF(NULL, "pass", "esp.example", "pra"), .want = "" },

	/* D1 */
	{ "rejected though it passed", POLICY(.p = "reject"),
	    RECORD(FROM("example.com"), EVAL("reject", "pass", "fail")), SIGNED("example.com"),
	    .want = " D1:disposition=reject" },
	{ "rejected though it passed: sampling is no reason", POLICY(.p = "reject", .pct = 50),
	    RECORD(FROM("example.com"), EVAL("reject", "pass", "fail")), SIGNED("example.com"),
	    REASON("sampled_out"), .want = " D1:disposition=reject" },
	{ "48 rejected though it passed, by local_policy", POLICY(.p = "none"),
	    RECORD(FROM("example.com"), EVAL("reject", "pass", "fail")), SIGNED("example.com"),
	    REASON("local_policy"), .want = "" },

	/* D2 */
	{ "48 fail, p=reject, none, no reason", POLICY(.p = "reject"), FAILING("none"),
	    .want = " D2:disposition=none" },
	{ "48 fail, p=reject, none, local_policy", POLICY(.p = "reject"), FAILING("none"),
	    REASON("local_policy"), .want = "" },
	{ "48 an empty reason is none", POLICY(.p = "reject"), FAILING("none"), REASON(""),
	    .want = " D2:disposition=none" },
	{ "48 a reason without type", POLICY(.p = "reject"), FAILING("none"),
	    .reason = { { .comment = "known list" } }, .want = "" },
	{ "48 one method passed", POLICY(.p = "reject"),
	    RECORD(FROM("example.com"), EVAL("none", "pass", "fail")), SIGNED("example.com"), .want = "" },
	{ "48 no method was evaluated", POLICY(.p = "reject"),
	    RECORD(FROM("example.com"), EVAL("none", NULL, NULL)), .want = "" },
	{ "48 quarantine for reject is not none", POLICY(.p = "reject"), FAILING("quarantine"), .want = "" },
	{ "pct below 100 lets some through", POLICY(.p = "reject", .pct = 99), FAILING("none"), .want = "" },
	{ "pct 100 does not", POLICY(.p = "reject", .pct = 100), FAILING("none"),
	    .want = " D2:disposition=none" },
	{ "a subdomain is under sp", POLICY(.p = "reject", .sp = "none"),
	    RECORD(FROM("a.example.com"), EVAL("none", "fail", "fail")), .want = "" },
	{ "the domain itself is not", POLICY(.p = "reject", .sp = "none"), FAILING("none"),
	    .want = " D2:disposition=none" },
	{ "a subdomain may not exist: np", POLICY(.p = "reject", .np = "none"),
	    RECORD(FROM("a.example.com"), EVAL("none", "fail", "fail")), .want = "" },
	{ "a policy that is not known", POLICY(.p = "monitor"), FAILING("none"), .want = "" },
	{ "an sp that is not known", POLICY(.p = "none", .sp = "monitor"), FAILING("reject"), .want = "" },
	{ "an np that is not known", POLICY(.p = "none", .np = "monitor"), FAILING("reject"), .want = "" },
	{ "48 only DKIM was evaluated", POLICY(.p = "reject"),
	    RECORD(FROM("example.com"), EVAL("none", "fail", NULL)), .want = " D2:disposition=none" },
	{ "48 only SPF was evaluated", POLICY(.p = "reject"),
	    RECORD(FROM("example.com"), EVAL("none", NULL, "fail")), .want = " D2:disposition=none" },
	{ "48 SPF is neither pass nor fail", POLICY(.p = "reject"),
	    RECORD(FROM("example.com"), EVAL("none", "fail", "temperror")), .want = "" },
	{ "48 DKIM is neither pass nor fail", POLICY(.p = "reject"),
	    RECORD(FROM("example.com"), EVAL("none", "temperror", "fail")), .want = "" },
	{ "48 without header_from the mildest policy counts", POLICY(.p = "reject", .np = "none"),
	    RECORD(EVAL("none", "fail", "fail")), .want = "" },
	{ "48 and all three are strict", POLICY(.p = "reject"), RECORD(EVAL("none", "fail", "fail")),
	    .want = " D2:disposition=none" },
	{ "and the strictest one", POLICY(.p = "none", .sp = "quarantine"),
	    RECORD(EVAL("quarantine", "fail", "fail")), .want = "" },
	{ "and none of three is as strict", POLICY(.p = "none", .sp = "quarantine"),
	    RECORD(EVAL("reject", "fail", "fail")), .want = " D3:disposition=reject" },
	{ "49 testing, p=reject, none: two steps", POLICY(.p = "reject", .testing = "y"), FAILING("none"),
	    .want = " D2:disposition=none" },
	{ "49 testing, p=quarantine, none: one step", POLICY(.p = "quarantine", .testing = "y"),
	    FAILING("none"), .want = "" },
	{ "49 testing, p=reject, quarantine, policy_test_mode", POLICY(.p = "reject", .testing = "y"),
	    FAILING("quarantine"), REASON("policy_test_mode"), .want = "" },

	/* D3 */
	{ "stricter than p", POLICY(.p = "quarantine"), FAILING("reject"), .want = " D3:disposition=reject" },
	{ "stricter than p, by local_policy", POLICY(.p = "none"), FAILING("reject"), REASON("local_policy"),
	    .want = "" },
	{ "stricter than p, by a mild reason", POLICY(.p = "none"), FAILING("reject"), REASON("forwarded"),
	    .want = " D3:disposition=reject" },
	{ "stricter than p, by a reason without type", POLICY(.p = "none"), FAILING("reject"),
	    .reason = { { .comment = "known spammer" } }, .want = "" },
	{ "stricter than p, by an empty reason", POLICY(.p = "none"), FAILING("reject"), REASON(""),
	    .want = " D3:disposition=reject" },
	{ "stricter than sp", POLICY(.p = "reject", .sp = "none"),
	    RECORD(FROM("a.example.com"), EVAL("quarantine", "fail", "fail")),
	    .want = " D3:disposition=quarantine" },
	{ "stricter than sp, but not than np", POLICY(.p = "none", .np = "reject"),
	    RECORD(FROM("a.example.com"), EVAL("reject", "fail", "fail")), .want = "" },
	{ "stricter than p though it passed", POLICY(.p = "none"),
	    RECORD(FROM("example.com"), EVAL("reject", "fail", "pass")), SENT("example.com", "mfrom"),
	    .want = " D1:disposition=reject D3:disposition=reject" },

	/* D4 */
	{ "09 disposition pass", POLICY(.p = "reject"),
	    RECORD(FROM("example.com"), EVAL("pass", "pass", "fail")), SIGNED("example.com"), .want = "" },
	{ "09 disposition pass, but both fail", POLICY(.p = "reject"), FAILING("pass"),
	    .want = " D4:disposition=pass" },
	{ "09 disposition pass under p=none", POLICY(.p = "none"),
	    RECORD(FROM("example.com"), EVAL("pass", "pass", "fail")), SIGNED("example.com"), .want = "" },
	{ "09 disposition pass under p=none, by SPF", POLICY(.p = "none"),
	    RECORD(FROM("example.com"), EVAL("pass", "none", "pass")), SENT("example.com", "mfrom"),
	    .want = "" },
	{ "09 disposition pass under p=none, and nothing passed", POLICY(.p = "none"),
	    RECORD(FROM("example.com"), EVAL("pass", "none", "none")), .want = " D4:disposition=pass" },
	{ "09 none for what passed under p=reject", POLICY(.p = "reject"),
	    RECORD(FROM("example.com"), EVAL("none", "pass", "fail")), SIGNED("example.com"), .want = "" },

	/* P1, P2 */
	{ "header_from of another domain", POLICY(.p = "none"),
	    RECORD(FROM("example.org"), EVAL("none", "fail", "fail")),
	    .want = " P1:header_from=example.org" },
	{ "only a label's end is a border", POLICY(.p = "none"),
	    RECORD(FROM("anexample.com"), EVAL("none", "fail", "fail")),
	    .want = " P1:header_from=anexample.com" },
	{ "header_from above the policy", .policy = { .domain = "a.example.com", .p = "none" },
	    RECORD(FROM("example.com"), EVAL("none", "fail", "fail")),
	    .want = " P1:header_from=example.com" },
	{ "a policy of a public suffix", .policy = { .domain = "co.uk", .p = "none" },
	    RECORD(FROM("a.co.uk"), EVAL("none", "fail", "fail")), .want = "" },
	{ "sampled out of all", POLICY(.p = "reject"), FAILING("none"), REASON("sampled_out"),
	    .want = " P2:type=sampled_out" },
	{ "sampled out of 100", POLICY(.p = "reject", .pct = 100), FAILING("none"), REASON("sampled_out"),
	    .want = " P2:type=sampled_out" },
	{ "sampled out of 99", POLICY(.p = "reject", .pct = 99), FAILING("none"), REASON("sampled_out"),
	    .want = "" },
	{ "sampled out of 1", POLICY(.p = "reject", .pct = 1), FAILING("none"), REASON("sampled_out"),
	    .want = "" },
	{ "sampled out of 0", POLICY(.p = "reject", .pct = PCT_ZERO), FAILING("none"), REASON("sampled_out"),
	    .want = "" },
	{ "49 policy_test_mode where testing is n", POLICY(.p = "reject", .testing = "n"), FAILING("none"),
	    REASON("policy_test_mode"), .want = " P2:type=policy_test_mode" },
	{ "49 policy_test_mode where testing is y", POLICY(.p = "reject", .testing = "y"), FAILING("none"),
	    REASON("policy_test_mode"), .want = "" },
};

static char *as_text(const struct values *notes)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < notes->notes->len; i++) {
		const struct report_note *note = &g_array_index(notes->notes, struct report_note, i);

		g_string_append_printf(
		    text, " %s:%s=%s", note->code, strrchr(note->path, '/') + 1, note->raw);
	}
	return g_string_free(text, FALSE);
}

static char *examine(const struct aggregate_header *policy, const struct aggregate_record *record)
{
	static const struct parser_limits LIMITS = PARSER_LIMITS_DEFAULT;
	struct consistency *consistency = consistency_new();
	struct aggregate_header header;
	struct values notes;
	char *text;

	if (policy != NULL) {
		header = *policy;
		header.pct = policy->pct == 0 ? -1 : MAX(policy->pct, 0);
		policy = &header;
	}
	values_init(&notes, &LIMITS);
	consistency_record(consistency, policy, record, &notes);
	text = as_text(&notes);
	values_clear(&notes);
	consistency_free(consistency);
	return text;
}

static struct aggregate_record record_of(const struct row *row)
{
	struct aggregate_record record = row->record;

	record.auth_dkim = row->dkim;
	record.auth_spf = row->spf;
	record.reason = row->reason;
	while (record.n_auth_dkim < MAX_ITEMS && row->dkim[record.n_auth_dkim].result != NULL)
		record.n_auth_dkim++;
	while (record.n_auth_spf < MAX_ITEMS && row->spf[record.n_auth_spf].result != NULL)
		record.n_auth_spf++;
	while (record.n_reason < MAX_ITEMS &&
	       (row->reason[record.n_reason].type != NULL || row->reason[record.n_reason].comment != NULL))
		record.n_reason++;
	return record;
}

static void each_contradiction_is_noted_and_nothing_else(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		struct aggregate_record record = record_of(&ROWS[i]);
		g_autofree char *got = examine(&ROWS[i].policy, &record);

		if (strcmp(got, ROWS[i].want) != 0)
			fail_msg("%s:\ngot  \"%s\"\nwant \"%s\"", ROWS[i].name, got, ROWS[i].want);
	}
}

static void without_a_policy_nothing_is_a_contradiction(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		struct aggregate_record record = record_of(&ROWS[i]);
		g_autofree char *got = examine(NULL, &record);

		assert_string_equal(got, "");
	}
}

static void signatures_100_may_have_been_cut_as_47_says(void **state)
{
	static const struct aggregate_header policy = { DOMAIN, .p = "none" };
	struct auth_result_dkim dkim[100];

	(void)state;
	for (guint i = 0; i < G_N_ELEMENTS(dkim); i++)
		dkim[i] = (struct auth_result_dkim){ .domain = "esp.example", .result = "pass" };
	for (guint n = 99; n <= 100; n++) {
		struct aggregate_record record = { FROM("example.com"), EVAL("none", "pass", "fail"),
			.auth_dkim = dkim, .n_auth_dkim = n };
		g_autofree char *got = examine(&policy, &record);

		assert_string_equal(got, n == 99 ? " A1:dkim=pass" : "");
	}
}

static void addresses_that_are_not_of_the_internet(void **state)
{
	static const char *const LOCAL[] = { "0.0.0.1", "10.0.0.0", "10.255.255.255", "100.64.0.1",
		"100.127.255.255", "127.0.0.1", "169.254.1.1", "172.16.0.1", "172.31.255.255", "192.0.0.8",
		"192.168.255.255", "198.18.0.1", "198.19.255.255", "224.0.0.1", "240.0.0.1",
		"255.255.255.255", "::", "::1", "fe80::1", "fec0::1", "fc00::1", "fdff::1", "ff02::1",
		"100::1", "64:ff9b:1::1" };
	static const char *const GLOBAL[] = { "1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255",
		"100.128.0.0", "126.255.255.255", "128.0.0.1", "169.253.255.255", "172.15.255.255",
		"172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
		"223.255.255.255", "192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "2a00::1",
		"64:ff9b::102:304" };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(LOCAL); i++) {
		struct aggregate_record record = { .source_ip = LOCAL[i] };
		g_autofree char *got = examine(NULL, &record);
		g_autofree char *want = g_strdup_printf(" I1:source_ip=%s", LOCAL[i]);

		assert_string_equal(got, want);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(GLOBAL); i++) {
		struct aggregate_record record = { .source_ip = GLOBAL[i] };
		g_autofree char *got = examine(NULL, &record);

		if (*got != '\0')
			fail_msg("%s:%s", GLOBAL[i], got);
	}
}

static void names_of_any_length_have_an_organizational_domain(void **state)
{
	static const struct {
		const char *name, *want;
	} NAMES[] = {
		{ "", "" },
		{ "com", "com" },
		{ "example.com", "example.com" },
		{ "a.b.example.com", "example.com" },
		{ "co.uk", "co.uk" },
		{ "a.example.co.uk", "example.co.uk" },
		{ "www.ck", "www.ck" },
		{ "a.b.ck", "a.b.ck" },
		{ "x.a.b.ck", "a.b.ck" },
		{ "a.b.unlisted", "b.unlisted" },
		{ "1.2.3.4.5.6.7.8.9.10.a.example.com", "example.com" },
		{ "x.xn--bcher-kva.de", "xn--bcher-kva.de" },
	};
	struct orgdomains *domains = orgdomains_new();
	g_autofree char *start = g_strnfill(240, 'a');
	g_autofree char *longest = g_strconcat(start, ".b.example.co", NULL); /* 253 bytes */
	g_autofree char *longer = g_strconcat(start, ".bb.example.co", NULL);

	(void)state;
	for (guint again = 0; again < 2; again++) /* the second time from memory */
		for (gsize i = 0; i < G_N_ELEMENTS(NAMES); i++)
			assert_string_equal(orgdomain_of(domains, NAMES[i].name), NAMES[i].want);
	assert_string_equal(orgdomain_of(domains, longest), "example.co");
	assert_string_equal(orgdomain_of(domains, longer), longer);
	for (guint i = 0; i < 1000; i++) { /* more than are remembered */
		g_autofree char *name = g_strdup_printf("a.nobody-x%u.com", i);

		assert_string_equal(orgdomain_of(domains, name), name + 2);
	}
	orgdomains_free(domains);
}

/* 253 bytes, and one more, which decides nothing. */
static void a_name_longer_than_dns_allows_is_none(void **state)
{
	static const struct aggregate_header policy = { DOMAIN, .p = "none" };

	(void)state;
	for (gsize size = 241; size <= 242; size++) {
		g_autofree char *label = g_strnfill(size, 'a');
		g_autofree char *from = g_strconcat(label, ".example.com", NULL);
		const struct auth_result_dkim dkim = { .domain = "esp.example", .result = "pass" };
		const struct aggregate_record record = { FROM(from), EVAL("none", "pass", "fail"),
			.auth_dkim = &dkim, .n_auth_dkim = 1 };
		g_autofree char *got = examine(&policy, &record);

		assert_string_equal(got, size == 241 ? " A1:dkim=pass" : "");
	}
}

static void what_is_no_address_is_not_global(void **state)
{
	(void)state;
	assert_false(consistency_is_global("2001:db8::1::2"));
	assert_false(consistency_is_global("mx.example"));
	assert_true(consistency_is_global("2001:db8::1"));
}

static void a_period_out_of_the_usual_is_noted(void **state)
{
	static const struct {
		gint64 begin, end;
		const char *want;
	} rows[] = {
		{ 1325376000, 1325376001, "" },
		{ 1325375999, 1325376000, " E2:begin=1325375999" },
		{ 1700000000, 1700000000, " E2:end=1700000000" },
		{ 1700000000, 1699999999, " E2:end=1699999999" },
		{ 1700000000, 1700604800, "" },
		{ 1700000000, 1700604801, " E2:end=1700604801" },
		{ 4102444799, 4102444800, "" },
		{ 4102444800, 4102444801, " E2:end=4102444801" },
	};
	static const struct parser_limits limits = PARSER_LIMITS_DEFAULT;

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const struct aggregate_header header = {
			.begin = rows[i].begin, .end = rows[i].end, .pct = -1
		};
		g_autofree char *got = NULL;
		struct values notes;

		values_init(&notes, &limits);
		consistency_report(&header, 0, &notes);
		got = as_text(&notes);
		assert_string_equal(got, rows[i].want);
		values_clear(&notes);
	}
}

static int init(void **state)
{
	(void)state;
	orgdomain_init();
	return 0;
}

static void a_begin_more_than_a_day_ahead_is_noted_if_the_time_is_known(void **state)
{
	static const struct {
		gint64 now, begin;
		gboolean noted;
	} rows[] = {
		{ 1700000000, 1700086400, FALSE },
		{ 1700000000, 1700086401, TRUE },
		{ 1700000000, 3800000000, TRUE },
		{ 0, 3800000000, FALSE },
	};
	static const struct parser_limits limits = PARSER_LIMITS_DEFAULT;

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const struct aggregate_header header = {
			.begin = rows[i].begin, .end = rows[i].begin + 1, .pct = -1
		};
		struct values notes;

		values_init(&notes, &limits);
		consistency_report(&header, rows[i].now, &notes);
		assert_int_equal(notes.notes->len, rows[i].noted ? 1 : 0);
		assert_int_equal(
		    values_has_note(&notes, "E2", "report_metadata/date_range/begin"), rows[i].noted);
		values_clear(&notes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_contradiction_is_noted_and_nothing_else),
		cmocka_unit_test(without_a_policy_nothing_is_a_contradiction),
		cmocka_unit_test(a_begin_more_than_a_day_ahead_is_noted_if_the_time_is_known),
		cmocka_unit_test(signatures_100_may_have_been_cut_as_47_says),
		cmocka_unit_test(addresses_that_are_not_of_the_internet),
		cmocka_unit_test(a_name_longer_than_dns_allows_is_none),
		cmocka_unit_test(what_is_no_address_is_not_global),
		cmocka_unit_test(a_period_out_of_the_usual_is_noted),
		cmocka_unit_test(names_of_any_length_have_an_organizational_domain),
	};

	return cmocka_run_group_tests(tests, init, NULL);
}
