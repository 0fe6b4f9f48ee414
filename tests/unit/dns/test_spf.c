/* SPF over zones in memory. Numbers in names are those of the assertions in the standards digest. */
#include "server/dns/spf.h"
#include "tests/unit/dns/words.h"
#include "tests/unit/dns/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* -- records -- */

/* What a term reads as: "+a:example.com/24//64". */
static void print_term(GString *out, const struct spf_term *term)
{
	static const char *const KINDS[] = { "all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists",
		"redirect", "exp", "other" };
	char network[IP_TEXT_SIZE];

	if (out->len > 0)
		g_string_append_c(out, ' ');
	if (term->kind < SPF_REDIRECT)
		g_string_append_c(out, term->qualifier);
	g_string_append(out, KINDS[term->kind]);
	if (term->kind == SPF_IP4 || term->kind == SPF_IP6) {
		ip_print_range(&term->network, network);
		g_string_append_printf(out, ":%s", network);
	}
	if (term->domain != NULL)
		g_string_append_printf(out, ":%s", term->domain);
	if (term->kind == SPF_A || term->kind == SPF_MX)
		g_string_append_printf(out, "/%u//%u", term->bits4, term->bits6);
}

static const struct {
	const char *text, *want; /* NULL: a syntax error */
} RECORDS[] = {
	{ "v=spf1", "" },
	{ "v=spf1 ", "" },
	{ "v=spf1   -all  ", "-all" },
	{ "V=SPF1 MX ~ALL", "+mx/32//128 ~all" },
	{ "v=spf1 +mx a:colo.example.com/28 -all", "+mx/32//128 +a:colo.example.com/28//128 -all" },
	{ "v=spf1 a//64 mx/24//64 ?all", "+a/32//64 +mx/24//64 ?all" },
	{ "v=spf1 a:example.com//64", "+a:example.com/32//64" },
	{ "v=spf1 a/0 a//0 mx/32//128", "+a/0//128 +a/32//0 +mx/32//128" },
	{ "v=spf1 ip4:192.0.2.0/24 ip4:192.0.2.1 ip6:2001:db8::/32 ip6:::1",
	    "+ip4:192.0.2.0/24 +ip4:192.0.2.1/32 +ip6:2001:db8::/32 +ip6:::1/128" },
	{ "v=spf1 ip4:192.0.2.9/24", "+ip4:192.0.2.0/24" },
	{ "v=spf1 ip6:::ffff:192.0.2.1/120", "+ip6:::ffff:192.0.2.0/120" },
	{ "v=spf1 ip4:0.0.0.0/0", "+ip4:0.0.0.0/0" },
	{ "v=spf1 include:example.com -include:a-b.example.net. ptr ptr:example.org "
	  "exists:%{ir}.%{l1r+-}._spf.%{d}",
	    "+include:example.com -include:a-b.example.net. +ptr +ptr:example.org "
	    "+exists:%{ir}.%{l1r+-}._spf.%{d}" },
	{ "v=spf1 redirect=_spf.example.com exp=why.%{d} x.y-z_=anything%{s} unknown=",
	    "redirect:_spf.example.com exp:why.%{d} other other" },
	{ "v=spf1 a:%{d}", "+a:%{d}/32//128" },
	{ "v=spf1 a:example.com1", "+a:example.com1/32//128" },
	/* errors */
	{ "v=spf1 all:example.com", NULL },
	{ "v=spf1 all/8", NULL },
	{ "v=spf1 a:", NULL },
	{ "v=spf1 a:/24", NULL },
	{ "v=spf1 a/33", NULL },
	{ "v=spf1 a//129", NULL },
	{ "v=spf1 a/", NULL },
	{ "v=spf1 a/024", NULL },
	{ "v=spf1 a//64/24", NULL },
	{ "v=spf1 a:192.0.2.1", NULL },
	{ "v=spf1 a:localhost", NULL },
	{ "v=spf1 a:example.123", NULL },
	{ "v=spf1 a:example.-com", NULL },
	{ "v=spf1 a:example.com-", NULL },
	{ "v=spf1 mx:exa mple.com", NULL },
	{ "v=spf1 ip4", NULL },
	{ "v=spf1 ip4:", NULL },
	{ "v=spf1 ip4:192.0.2", NULL },
	{ "v=spf1 ip4:192.0.2.0/33", NULL },
	{ "v=spf1 ip4:192.0.2.0/", NULL },
	{ "v=spf1 ip4:192.0.2.0//24", NULL },
	{ "v=spf1 ip4:2001:db8::1", NULL },
	{ "v=spf1 ip6:192.0.2.1", NULL },
	{ "v=spf1 ip6:2001:db8::/129", NULL },
	{ "v=spf1 include", NULL },
	{ "v=spf1 include:", NULL },
	{ "v=spf1 exists", NULL },
	{ "v=spf1 include:%{x}.example.com", NULL },
	{ "v=spf1 include:%{d0}.example.com", NULL },
	{ "v=spf1 include:%{d", NULL },
	{ "v=spf1 include:%d.example.com", NULL },
	{ "v=spf1 exists:%{c}.example.com", NULL },
	{ "v=spf1 redirect=a.example redirect=b.example", NULL },
	{ "v=spf1 exp=a.example exp=b.example", NULL },
	{ "v=spf1 redirect=", NULL },
	{ "v=spf1 _spf.example.com", NULL },
	{ "v=spf1 -", NULL },
	{ "v=spf1 --all", NULL },
	{ "v=spf1 a\tmx", NULL },
	{ "v=spf1 ipv4:192.0.2.1", NULL },
	{ "v=spf1 foo", NULL },
	{ "v=spf1 \xef\xbf\xbd", NULL },
};

static void records_are_read_by_the_grammar(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(RECORDS); i++) {
		g_autoptr(GString) got = g_string_new(NULL);
		g_autoptr(GError) error = NULL;
		struct spf_record record;
		gboolean good = spf_record_read(RECORDS[i].text, &record, &error);

		assert_true(spf_is_record(RECORDS[i].text));
		if (good) {
			for (guint j = 0; j < record.n_terms; j++)
				print_term(got, &record.terms[j]);
			spf_record_clear(&record);
		}
		if (good != (RECORDS[i].want != NULL) || (good && strcmp(got->str, RECORDS[i].want) != 0))
			fail_msg("%s: got %s", RECORDS[i].text, good ? got->str : error->message);
	}
}

static void words_of_an_error_name_the_term(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "v=spf1 mx a:192.0.2.1 -all", "\"a:192.0.2.1\": an address needs \"ip4:\"" },
		{ "v=spf1 _spf.example.com", "\"_spf.example.com\": no such mechanism" },
		{ "v=spf1 spf.example.com -all",
		    "\"spf.example.com\": no such mechanism: is \"include:\" or \"a:\" missing before it?" },
		{ "v=spf1 ip4:2001:db8::1", "\"ip4:2001:db8::1\": an IPv6 address needs \"ip6:\"" },
		{ "v=spf1 ip4:192.0.2.0/40", "\"ip4:192.0.2.0/40\": the prefix is not a number of bits" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GError) error = NULL;
		struct spf_record record;

		assert_false(spf_record_read(rows[i].text, &record, &error));
		assert_string_equal(error->message, rows[i].want);
	}
}

static void records_are_told_by_their_version(void **state)
{
	(void)state;
	assert_true(spf_is_record("v=spf1"));
	assert_true(spf_is_record("v=spf1 -all"));
	assert_false(spf_is_record("v=spf10 -all"));
	assert_false(spf_is_record("v=spf1-all"));
	assert_false(spf_is_record(" v=spf1 -all"));
	assert_false(spf_is_record("v=spf2 -all"));
	assert_true(spf_is_near(" v=spf1 -all"));
	assert_true(spf_is_near("\"v=spf1 -all\""));
	assert_true(spf_is_near("v=spf1-all"));
	assert_true(spf_is_near("v=spf1\t-all"));
	assert_false(spf_is_near("v=spf1 -all"));
	assert_false(spf_is_near("google-site-verification=v=spf1"));
}

static gboolean reads_with(guint terms)
{
	g_autoptr(GString) text = g_string_new("v=spf1");
	g_autoptr(GError) error = NULL;
	struct spf_record record;
	gboolean good;

	for (guint i = 0; i < terms; i++)
		g_string_append(text, " a");
	good = spf_record_read(text->str, &record, &error);
	if (good) {
		assert_int_equal(record.n_terms, terms);
		spf_record_clear(&record);
	}
	return good;
}

static void a_record_has_at_most_spf_terms_max_terms(void **state)
{
	(void)state;
	assert_true(reads_with(SPF_TERMS_MAX - 1));
	assert_true(reads_with(SPF_TERMS_MAX));
	assert_false(reads_with(SPF_TERMS_MAX + 1));
}

/* -- macros -- */

/* The examples of RFC 7208 section 7.4, and more. */
static void macros_expand_as_the_rfc_says(void **state)
{
	static const struct {
		const char *text, *want;
		gboolean ip6;
	} rows[] = {
		{ "%{s}", "strong-bad@email.example.com", FALSE },
		{ "%{o}", "email.example.com", FALSE },
		{ "%{d}", "email.example.com", FALSE },
		{ "%{d4}", "email.example.com", FALSE },
		{ "%{d3}", "email.example.com", FALSE },
		{ "%{d2}", "example.com", FALSE },
		{ "%{d1}", "com", FALSE },
		{ "%{dr}", "com.example.email", FALSE },
		{ "%{d2r}", "example.email", FALSE },
		{ "%{l}", "strong-bad", FALSE },
		{ "%{l-}", "strong.bad", FALSE },
		{ "%{lr}", "strong-bad", FALSE },
		{ "%{lr-}", "bad.strong", FALSE },
		{ "%{l1r-}", "strong", FALSE },
		{ "%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com", FALSE },
		{ "%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com", FALSE },
		{ "%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com",
		    FALSE },
		{ "%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com", FALSE },
		{ "%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net", FALSE },
		{ "%{ir}.%{v}._spf.%{d2}",
		    "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com",
		    TRUE },
		{ "%{i}", "2.0.0.1.0.d.b.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.c.b.0.1", TRUE },
		{ "%%%_%-", "% %20", FALSE },
		{ "%{h}", "mail.example.org", FALSE },
		{ "%{S}", "strong-bad%40email.example.com", FALSE },
		{ "%{D2}x", "example.comx", FALSE },
		{ "%{d999}", "email.example.com", FALSE },
		{ "x.%{d}.", "x.email.example.com", FALSE },
		{ "%{p}", "mx.example.org", FALSE },
		{ "%{o-.}", "email.example.com", FALSE },
	};
	struct ip_range ip4, ip6;

	(void)state;
	assert_true(ip_parse("192.0.2.3", &ip4));
	assert_true(ip_parse("2001:db8::cb01", &ip6));
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct spf_identity identity = { rows[i].ip6 ? &ip6 : &ip4, "strong-bad", "email.example.com",
			"mail.example.org" };
		g_autofree char *got =
		    spf_macro_expand(rows[i].text, &identity, "email.example.com", "mx.example.org");

		assert_true(spf_macro_is_good(rows[i].text, FALSE));
		if (g_strcmp0(got, rows[i].want) != 0)
			fail_msg("%s: got %s, want %s", rows[i].text, got, rows[i].want);
	}
}

static void a_macro_without_a_value_gives_no_name(void **state)
{
	static const char *const TEXTS[] = { "%{i}", "%{v}", "%{l}", "%{s}", "%{h}", "%{p}", "x.%{ir}.y" };
	struct spf_identity identity = { .sender_domain = "example.com" };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(TEXTS); i++)
		assert_null(spf_macro_expand(TEXTS[i], &identity, "example.com", NULL));
	assert_true(spf_macro_needs_name("x%%.%{P}"));
	assert_false(spf_macro_needs_name("%%{p}.%{d}p"));
	assert_true(spf_macro_is_good("%{c} %{r} %{t} see %{d}", TRUE));
	assert_false(spf_macro_is_good("%{c}", FALSE));
}

/* Labels go on the left until 253 bytes are left: 63 * 4 + 3 = 255 is too long by one label. */
static void a_long_name_loses_labels_on_the_left(void **state)
{
	g_autofree char *label = g_strnfill(63, 'x');
	g_autofree char *domain = g_strdup_printf("%s.%s.%s", label, label, label);
	g_autofree char *fits = g_strdup_printf("%.61s.%%{d}", label);
	g_autofree char *long_one = g_strdup_printf("%.62s.%%{d}", label);
	struct spf_identity identity = { 0 };
	g_autofree char *kept = spf_macro_expand(fits, &identity, domain, NULL);
	g_autofree char *cut = spf_macro_expand(long_one, &identity, domain, NULL);

	(void)state;
	assert_int_equal(strlen(kept), 253);
	assert_string_equal(cut, domain);
}

/* 60 KiB of macros, each of 250 bytes, are 3 MiB: only the end is kept. */
static void many_macros_take_no_room(void **state)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autofree char *label = g_strnfill(60, 'x');
	g_autofree char *domain = g_strdup_printf("%s.%s.%s.%s", label, label, label, label);
	struct spf_identity identity = { 0 };
	g_autofree char *got = NULL;

	(void)state;
	for (guint i = 0; i < 15000; i++)
		g_string_append(text, "%{d}");
	g_string_append(text, ".end.example");
	got = spf_macro_expand(text->str, &identity, domain, NULL);
	assert_true(g_str_has_suffix(got, ".end.example"));
	assert_true(strlen(got) <= 253);
}

/* -- one sender -- */

static const struct {
	const char *name, *zone, *ip, *want; /* result, then term@domain, or ": reason" */
} CHECKS[] = {
	{ "no record", "example.com TXT other", "192.0.2.1", "none" },
	{ "no such domain", "", "192.0.2.1", "none" },
	{ "empty", "example.com TXT v=spf1", "192.0.2.1", "neutral" },
	{ "several", "example.com TXT v=spf1 -all\nexample.com TXT v=spf1 +all", "192.0.2.1",
	    "permerror: example.com: has several SPF records" },
	{ "others do not count", "example.com TXT v=spf10 +all\nexample.com TXT v=spf1 -all", "192.0.2.1",
	    "fail -all@example.com" },
	{ "time-out", "example.com TXT !timeout", "192.0.2.1",
	    "temperror: example.com: no DNS server answered in time" },
	{ "servfail", "example.com TXT !servfail", "192.0.2.1",
	    "temperror: example.com: the DNS server could not find out" },
	{ "syntax error behind a match", "example.com TXT v=spf1 +all foo", "192.0.2.1",
	    "permerror: example.com: \"foo\": no such mechanism" },
	{ "+all", "example.com TXT v=spf1 all", "192.0.2.1", "pass all@example.com" },
	{ "~all", "example.com TXT v=spf1 ~all", "192.0.2.1", "softfail ~all@example.com" },
	{ "?all", "example.com TXT v=spf1 ?all", "192.0.2.1", "neutral ?all@example.com" },
	{ "the first match counts", "example.com TXT v=spf1 -ip4:192.0.2.1 +ip4:192.0.2.0/24 -all",
	    "192.0.2.1", "fail -ip4:192.0.2.1@example.com" },
	{ "ip4", "example.com TXT v=spf1 ip4:192.0.2.0/24 -all", "192.0.2.255",
	    "pass ip4:192.0.2.0/24@example.com" },
	{ "ip4 is not ip6", "example.com TXT v=spf1 ip4:0.0.0.0/0 -all", "2001:db8::1",
	    "fail -all@example.com" },
	{ "ip6", "example.com TXT v=spf1 ip6:2001:db8::/32 -all", "2001:db8:ffff::1",
	    "pass ip6:2001:db8::/32@example.com" },
	{ "ip6 outside", "example.com TXT v=spf1 ip6:2001:db8::/32 -all", "2001:db9::1",
	    "fail -all@example.com" },
	{ "IPv4 in IPv6", "example.com TXT v=spf1 ip4:192.0.2.1 -all", "::ffff:192.0.2.1",
	    "pass ip4:192.0.2.1@example.com" },
	{ "a", "example.com TXT v=spf1 a -all\nexample.com A 192.0.2.1", "192.0.2.1", "pass a@example.com" },
	{ "a with prefix", "example.com TXT v=spf1 a/24 -all\nexample.com A 192.0.2.1", "192.0.2.200",
	    "pass a/24@example.com" },
	{ "a of another", "example.com TXT v=spf1 a:x.example -all\nx.example AAAA 2001:db8::1",
	    "2001:db8::1", "pass a:x.example@example.com" },
	{ "a with IPv6 prefix", "example.com TXT v=spf1 a//64 -all\nexample.com AAAA 2001:db8::1",
	    "2001:db8::2", "pass a//64@example.com" },
	{ "a times out", "example.com TXT v=spf1 a:x.example -all\nx.example A !timeout", "192.0.2.1",
	    "temperror: x.example: no DNS server answered in time" },
	{ "a of the other kind is not asked", "example.com TXT v=spf1 a:x.example -all\nx.example A !timeout",
	    "2001:db8::1", "fail -all@example.com" },
	{ "mx", "example.com TXT v=spf1 mx -all\nexample.com MX 5 m.example\nm.example A 192.0.2.1",
	    "192.0.2.1", "pass mx@example.com" },
	{ "mx, but not its address", "example.com TXT v=spf1 mx -all\nexample.com A 192.0.2.1", "192.0.2.1",
	    "fail -all@example.com" },
	{ "null MX", "example.com TXT v=spf1 mx -all\nexample.com MX 0 .", "192.0.2.1",
	    "fail -all@example.com" },
	{ "include passes",
	    "example.com TXT v=spf1 -include:b.example -all\nb.example TXT v=spf1 ip4:192.0.2.1 -all",
	    "192.0.2.1", "fail ip4:192.0.2.1@b.example" },
	{ "include does not pass",
	    "example.com TXT v=spf1 include:b.example ~all\nb.example TXT v=spf1 ip4:192.0.2.2 -all",
	    "192.0.2.1", "softfail ~all@example.com" },
	{ "include of nothing", "example.com TXT v=spf1 include:b.example -all", "192.0.2.1",
	    "permerror: b.example: has no SPF record" },
	{ "include of an error", "example.com TXT v=spf1 include:b.example -all\nb.example TXT v=spf1 foo",
	    "192.0.2.1", "permerror: b.example: \"foo\": no such mechanism" },
	{ "include times out", "example.com TXT v=spf1 include:b.example -all\nb.example TXT !timeout",
	    "192.0.2.1", "temperror: b.example: no DNS server answered in time" },
	{ "redirect", "example.com TXT v=spf1 redirect=b.example\nb.example TXT v=spf1 ip4:192.0.2.1 -all",
	    "192.0.2.2", "fail -all@b.example" },
	{ "redirect is the last",
	    "example.com TXT v=spf1 redirect=b.example ip4:192.0.2.1\nb.example TXT v=spf1 -all", "192.0.2.1",
	    "pass ip4:192.0.2.1@example.com" },
	{ "redirect beside all", "example.com TXT v=spf1 redirect=b.example ?all\nb.example TXT v=spf1 -all",
	    "192.0.2.1", "neutral ?all@example.com" },
	{ "redirect to nothing", "example.com TXT v=spf1 redirect=b.example", "192.0.2.1",
	    "permerror: b.example: has no SPF record" },
	{ "redirect in an include",
	    "example.com TXT v=spf1 include:b.example -all\nb.example TXT v=spf1 redirect=c.example\n"
	    "c.example TXT v=spf1 ip4:192.0.2.1 -all",
	    "192.0.2.1", "pass ip4:192.0.2.1@c.example" },
	{ "exists",
	    "example.com TXT v=spf1 exists:%{ir}.%{l}.w.%{d} -all\n1.2.0.192.joe.w.example.com A 127.0.0.2",
	    "192.0.2.1", "pass exists:%{ir}.%{l}.w.%{d}@example.com" },
	{ "exists not", "example.com TXT v=spf1 exists:%{ir}.w.%{d} -all", "192.0.2.1",
	    "fail -all@example.com" },
	{ "exists by A for IPv6, too", "example.com TXT v=spf1 exists:x.example -all\nx.example A 127.0.0.2",
	    "2001:db8::1", "pass exists:x.example@example.com" },
	{ "ptr",
	    "example.com TXT v=spf1 ptr -all\n1.2.0.192.in-addr.arpa PTR m.example.com\nm.example.com A "
	    "192.0.2.1",
	    "192.0.2.1", "pass ptr@example.com" },
	{ "ptr of the domain itself",
	    "example.com TXT v=spf1 ptr -all\n1.2.0.192.in-addr.arpa PTR z.example\n"
	    "1.2.0.192.in-addr.arpa PTR example.com\nz.example A 192.0.2.1\nexample.com A 192.0.2.1",
	    "192.0.2.1", "pass ptr@example.com" },
	{ "ptr of the domain above",
	    "example.com TXT v=spf1 ptr -all\n1.2.0.192.in-addr.arpa PTR com\ncom A 192.0.2.1", "192.0.2.1",
	    "fail -all@example.com" },
	{ "ptr of another name as long",
	    "example.com TXT v=spf1 ptr -all\n1.2.0.192.in-addr.arpa PTR exampla.com\nexampla.com A "
	    "192.0.2.1",
	    "192.0.2.1", "fail -all@example.com" },
	{ "ptr of a look-alike",
	    "example.com TXT v=spf1 ptr -all\n1.2.0.192.in-addr.arpa PTR badexample.com\nbadexample.com A "
	    "192.0.2.1",
	    "192.0.2.1", "fail -all@example.com" },
	{ "ptr that does not lead back",
	    "example.com TXT v=spf1 ptr -all\n1.2.0.192.in-addr.arpa PTR m.example.com\nm.example.com A "
	    "192.0.2.2",
	    "192.0.2.1", "fail -all@example.com" },
	{ "ptr that times out", "example.com TXT v=spf1 ptr -all\n1.2.0.192.in-addr.arpa PTR !timeout",
	    "192.0.2.1", "fail -all@example.com" },
	{ "%{p}",
	    "example.com TXT v=spf1 exists:%{p}.w.%{d} -all\n1.2.0.192.in-addr.arpa PTR z.example\n"
	    "1.2.0.192.in-addr.arpa PTR m.example.com\nz.example A 192.0.2.1\nm.example.com A 192.0.2.1\n"
	    "m.example.com.w.example.com A 127.0.0.2",
	    "192.0.2.1", "pass exists:%{p}.w.%{d}@example.com" },
	{ "%{p} is the domain's own name before one below it",
	    "example.com TXT v=spf1 exists:%{p}.w.%{d} -all\n1.2.0.192.in-addr.arpa PTR z.example\n"
	    "1.2.0.192.in-addr.arpa PTR m.example.com\n1.2.0.192.in-addr.arpa PTR example.com\n"
	    "z.example A 192.0.2.1\nm.example.com A 192.0.2.1\nexample.com A 192.0.2.1\n"
	    "example.com.w.example.com A 127.0.0.2",
	    "192.0.2.1", "pass exists:%{p}.w.%{d}@example.com" },
	{ "%{p} is the first of two names below",
	    "example.com TXT v=spf1 exists:%{p}.w.%{d} -all\n1.2.0.192.in-addr.arpa PTR m.example.com\n"
	    "1.2.0.192.in-addr.arpa PTR n.example.com\n1.2.0.192.in-addr.arpa PTR z.example\n"
	    "m.example.com A 192.0.2.1\nn.example.com A 192.0.2.1\nz.example A 192.0.2.1\n"
	    "m.example.com.w.example.com A 127.0.0.2",
	    "192.0.2.1", "pass exists:%{p}.w.%{d}@example.com" },
	{ "%{p} is the first name where none is below",
	    "example.com TXT v=spf1 exists:%{p}.w.%{d} -all\n1.2.0.192.in-addr.arpa PTR z.example\n"
	    "1.2.0.192.in-addr.arpa PTR y.example\nz.example A 192.0.2.1\ny.example A 192.0.2.1\n"
	    "z.example.w.example.com A 127.0.0.2",
	    "192.0.2.1", "pass exists:%{p}.w.%{d}@example.com" },
	{ "%{p} of no name",
	    "example.com TXT v=spf1 exists:%{p}.w.%{d} -all\nunknown.w.example.com A 127.0.0.2", "192.0.2.1",
	    "pass exists:%{p}.w.%{d}@example.com" },
	{ "a name that cannot be is no void look-up",
	    "example.com TXT v=spf1 a:%{d}..x.com a:%{d}..x.com a:%{d}..x.com -all", "192.0.2.1",
	    "fail -all@example.com" },
	{ "itself", "example.com TXT v=spf1 include:example.com -all", "192.0.2.1",
	    "permerror: more than 10 look-ups" },
	{ "a loop of redirects",
	    "example.com TXT v=spf1 redirect=b.example\nb.example TXT v=spf1 redirect=example.com",
	    "192.0.2.1", "permerror: more than 10 look-ups" },
	{ "exp is not looked up",
	    "example.com TXT v=spf1 -all exp=why.example.com\nwhy.example.com TXT !timeout", "192.0.2.1",
	    "fail -all@example.com" },
};

static char *verdict_words(const struct spf_verdict *verdict)
{
	if (verdict->reason != NULL)
		return g_strdup_printf("%s: %s", spf_result_word(verdict->result), verdict->reason);
	if (verdict->term != NULL)
		return g_strdup_printf(
		    "%s %s@%s", spf_result_word(verdict->result), verdict->term, verdict->via);
	return g_strdup(spf_result_word(verdict->result));
}

/* The verdict on the mail of joe@example.com; *questions: how often the DNS was asked. */
static char *check_address(const char *lines, const char *ip, guint *questions)
{
	struct zone *zone = zone_new(lines);
	struct dns_source source = zone_source(zone);
	struct ip_range address;
	struct spf_identity identity = { .ip = &address, .local = "joe" };
	struct spf_verdict verdict;
	char *words;

	assert_true(ip_parse(ip, &address));
	spf_check(&source, &identity, "example.com", &verdict);
	words = verdict_words(&verdict);
	assert_true(verdict.lookups <= SPF_LOOKUPS_MAX + 1);
	assert_true(verdict.void_lookups <= SPF_VOID_LOOKUPS_MAX + 1);
	if (questions != NULL)
		*questions = zone_questions(zone);
	spf_verdict_clear(&verdict);
	zone_free(zone);
	return words;
}

static void senders_are_judged_as_by_a_receiver(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(CHECKS); i++) {
		g_autofree char *got = check_address(CHECKS[i].zone, CHECKS[i].ip, NULL);

		if (strcmp(got, CHECKS[i].want) != 0)
			fail_msg("%s: got %s, want %s", CHECKS[i].name, got, CHECKS[i].want);
	}
}

/* example.com includes one that includes one ...: lookups in all, the last of them an a of which the address
 * is. */
static char *nested(guint lookups)
{
	GString *zone = g_string_new(NULL);

	for (guint i = 0; i < lookups; i++) {
		g_autofree char *name = i == 0 ? g_strdup("example.com") : g_strdup_printf("n%u.example", i);

		if (i + 1 < lookups)
			g_string_append_printf(zone, "%s TXT v=spf1 include:n%u.example -all\n", name, i + 1);
		else
			g_string_append_printf(
			    zone, "%s TXT v=spf1 a:last.example -all exp=x.example\n", name);
	}
	g_string_append(zone, "last.example A 192.0.2.1\nx.example TXT why\n");
	return g_string_free(zone, FALSE);
}

/* void look-ups, then -all */
static char *voids(guint n)
{
	GString *zone = g_string_new("example.com TXT v=spf1");

	for (guint i = 0; i < n; i++)
		g_string_append_printf(zone, " a:void%u.example", i);
	g_string_append(zone, " ip4:192.0.2.1 -all");
	return g_string_free(zone, FALSE);
}

static void hosts(GString *zone, guint n)
{
	for (guint i = 0; i < n; i++)
		g_string_append_printf(
		    zone, "example.com MX %u m%u.example\nm%u.example A 192.0.2.%u\n", i, i, i, i + 1);
}

static void assertion_73_the_limits_of_a_receiver(void **state)
{
	static const struct {
		guint lookups;
		const char *want;
	} lookups[] = { { 9, "pass a:last.example@n8.example" }, { 10, "pass a:last.example@n9.example" },
		{ 11, "permerror: more than 10 look-ups" } };
	static const struct {
		guint voids;
		const char *want;
	} void_lookups[] = { { 1, "pass ip4:192.0.2.1@example.com" }, { 2, "pass ip4:192.0.2.1@example.com" },
		{ 3, "permerror: more than 2 void look-ups" } };
	static const struct {
		guint hosts;
		const char *want;
	} exchangers[] = { { 9, "fail -all@example.com" }, { 10, "pass mx@example.com" },
		{ 11, "permerror: example.com: more than 10 MX hosts" } };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(lookups); i++) {
		g_autofree char *zone = nested(lookups[i].lookups);
		g_autofree char *got = check_address(zone, "192.0.2.1", NULL);

		assert_string_equal(got, lookups[i].want);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(void_lookups); i++) {
		g_autofree char *zone = voids(void_lookups[i].voids);
		g_autofree char *got = check_address(zone, "192.0.2.1", NULL);

		assert_string_equal(got, void_lookups[i].want);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(exchangers); i++) {
		g_autoptr(GString) zone = g_string_new("example.com TXT v=spf1 mx -all\n");
		g_autofree char *got = NULL;

		hosts(zone, exchangers[i].hosts);
		got = check_address(zone->str, "192.0.2.10", NULL);
		assert_string_equal(got, exchangers[i].want);
	}
}

/* Only the first ten names count. */
static void ten_names_of_an_address_are_looked_at(void **state)
{
	for (guint place = 9; place <= 11; place++) {
		g_autoptr(GString) zone = g_string_new("example.com TXT v=spf1 ptr -all\n");
		g_autofree char *got = NULL;

		for (guint i = 1; i <= 12; i++)
			g_string_append_printf(zone, "1.2.0.192.in-addr.arpa PTR %s\n",
			    i == place ? "m.example.com" : "other.example");
		g_string_append(zone, "m.example.com A 192.0.2.1\n");
		got = check_address(zone->str, "192.0.2.1", NULL);
		assert_string_equal(got, place <= 10 ? "pass ptr@example.com" : "fail -all@example.com");
	}
	(void)state;
}

/* -- all that a domain allows -- */

static char *ranges_words(const struct spf_policy *policy)
{
	GString *words = g_string_new(NULL);

	for (guint i = 0; i < policy->ranges->len; i++) {
		const struct spf_range *range = &g_array_index(policy->ranges, struct spf_range, i);
		char text[IP_TEXT_SIZE];

		ip_print_range(&range->range, text);
		g_string_append_printf(words, "%s%c%s", i == 0 ? "" : " ", range->qualifier, text);
	}
	return g_string_free(words, FALSE);
}

static const struct {
	const char *name, *zone;
	const char *want; /* state, look-ups, void look-ups, all; ranges */
	const char *findings;
} POLICIES[] = {
	{ "none", "example.com TXT x", "none 0 0 .;", "" },
	{ "mx and a",
	    "example.com TXT v=spf1 mx a:a.example a:b.example -all\nexample.com MX 1 m.example\n"
	    "m.example A 192.0.2.1\na.example A 192.0.2.2\nb.example A 192.0.2.3\nb.example AAAA 2001:db8::3",
	    "ok 3 0 -; +192.0.2.1/32 +192.0.2.2/32 +192.0.2.3/32 +2001:db8::3/128", "" },
	{ "qualifiers", "example.com TXT v=spf1 -ip4:192.0.2.1 ?ip4:192.0.2.0/24 ~all",
	    "ok 0 0 ~; -192.0.2.1/32 ?192.0.2.0/24", "" },
	{ "prefixes",
	    "example.com TXT v=spf1 a/24//64 -all\nexample.com A 192.0.2.9\nexample.com AAAA 2001:db8::9",
	    "ok 1 0 -; +192.0.2.0/24 +2001:db8::/64", "" },
	{ "include",
	    "example.com TXT v=spf1 ~include:b.example -all\nb.example TXT v=spf1 ip4:192.0.2.0/24 ~all",
	    "ok 1 0 -; ~192.0.2.0/24", "" },
	{ "include, of which a part does not pass",
	    "example.com TXT v=spf1 include:b.example -all\nb.example TXT v=spf1 -ip4:192.0.2.1 "
	    "ip4:192.0.2.0/30 ?all",
	    "ok 1 0 -; +192.0.2.2/31 +192.0.2.0/32", "" },
	{ "include, of which a larger part does not pass",
	    "example.com TXT v=spf1 include:b.example -all\nb.example TXT v=spf1 -ip4:192.0.2.0/24 "
	    "ip4:192.0.2.1 "
	    "ip4:192.0.3.1 -all",
	    "ok 1 0 -; +192.0.3.1/32", "" },
	{ "redirect",
	    "example.com TXT v=spf1 ip4:192.0.2.1 redirect=b.example\nb.example TXT v=spf1 -ip4:192.0.2.2 "
	    "~all",
	    "ok 1 0 ~; +192.0.2.1/32 -192.0.2.2/32", "" },
	{ "+all", "example.com TXT v=spf1 +all", "ok 0 0 +; +0.0.0.0/0 +::/0", "spf_all_pass" },
	{ "+all in an include", "example.com TXT v=spf1 include:b.example -all\nb.example TXT v=spf1 all",
	    "ok 1 0 -; +0.0.0.0/0 +::/0", "spf_all_pass" },
	{ "?all", "example.com TXT v=spf1 ?all", "ok 0 0 ?;", "spf_all_neutral" },
	{ "no all", "example.com TXT v=spf1 ip4:192.0.2.1", "ok 0 0 .; +192.0.2.1/32", "spf_all_missing" },
	{ "behind all", "example.com TXT v=spf1 -all include:b.example", "ok 0 0 -;", "spf_after_all" },
	{ "a redirect beside all", "example.com TXT v=spf1 redirect=b.example -all", "ok 0 0 -;",
	    "spf_after_all" },
	{ "exp behind all", "example.com TXT v=spf1 -all exp=why.example\nwhy.example TXT because",
	    "ok 0 0 -;", "" },
	{ "exp of nothing", "example.com TXT v=spf1 -all exp=why.example", "ok 0 0 -;", "spf_exp" },
	{ "several", "example.com TXT v=spf1 -all\nexample.com TXT v=spf1 mx -all", "permerror 0 0 .;",
	    "spf_several" },
	{ "nearly one", "example.com TXT \"v=spf1 -all\"", "none 0 0 .;", "spf_ignored" },
	{ "Sender ID", "example.com TXT v=spf1 -all\nexample.com TXT spf2.0/pra -all", "ok 0 0 -;",
	    "spf_sender_id" },
	{ "syntax", "example.com TXT v=spf1 ip4:192.0.2.1 foo -all", "permerror 0 0 .;", "spf_syntax" },
	{ "syntax in an include",
	    "example.com TXT v=spf1 ip4:192.0.2.1 include:b.example ip4:192.0.2.2 -all\nb.example TXT v=spf1 "
	    "foo",
	    "permerror 1 0 .; +192.0.2.1/32", "spf_syntax" },
	{ "include of nothing", "example.com TXT v=spf1 ip4:192.0.2.1 include:b.example ip4:192.0.2.2 -all",
	    "permerror 1 0 .; +192.0.2.1/32", "spf_include" },
	{ "include of several",
	    "example.com TXT v=spf1 include:b.example -all\nb.example TXT v=spf1\nb.example TXT v=spf1 a",
	    "permerror 1 0 .;", "spf_include" },
	{ "include that times out",
	    "example.com TXT v=spf1 include:b.example ip4:192.0.2.2 -all\nb.example TXT !timeout",
	    "temperror 1+ 0 -; +192.0.2.2/32", "dns_failed" },
	{ "own record times out", "example.com TXT !timeout", "temperror 0+ 0 .;", "dns_failed" },
	{ "host times out", "example.com TXT v=spf1 a:a.example -all\na.example A !servfail",
	    "temperror 1+ 0 -;", "dns_failed" },
	{ "a loop",
	    "example.com TXT v=spf1 include:b.example -all\nb.example TXT v=spf1 include:example.com -all",
	    "permerror 2 0 .;", "spf_loop" },
	{ "a loop of one", "example.com TXT v=spf1 redirect=example.com", "permerror 1 0 .;", "spf_loop" },
	{ "twice is no loop",
	    "example.com TXT v=spf1 include:b.example include:b.example -all\nb.example TXT v=spf1 "
	    "ip4:192.0.2.1 -all",
	    "ok 2 0 -; +192.0.2.1/32 +192.0.2.1/32", "spf_duplicate" },
	{ "one void look-up", "example.com TXT v=spf1 a:a.example -all", "ok 1 1 -;", "spf_void" },
	{ "ptr", "example.com TXT v=spf1 ptr -all", "ok 1 0 -;", "spf_ptr, spf_unlisted" },
	{ "exists", "example.com TXT v=spf1 exists:%{i}.example -all", "ok 1 0 -;", "spf_unlisted" },
	{ "macros of the mail", "example.com TXT v=spf1 include:%{l}.example a:%{h}.example -all",
	    "ok 2+ 0 -;", "spf_unlisted, spf_unlisted" },
	{ "a redirect to a macro of the mail", "example.com TXT v=spf1 redirect=%{l}.example", "ok 1+ 0 .;",
	    "spf_unlisted" },
	{ "macros of the domain",
	    "example.com TXT v=spf1 include:_spf.%{d} -all\n"
	    "_spf.example.com TXT v=spf1 a:%{d2}.%{o} -all\nexample.com.example.com A 192.0.2.1",
	    "ok 2 0 -; +192.0.2.1/32", "" },
	{ "host bits", "example.com TXT v=spf1 ip4:192.0.2.1/24 -all", "ok 0 0 -; +192.0.2.0/24",
	    "spf_host_bits" },
	{ "everything as a network", "example.com TXT v=spf1 ip4:0.0.0.0/0 ip6:::/0 -all",
	    "ok 0 0 -; +0.0.0.0/0 +::/0", "spf_wide, spf_wide" },
	{ "everything around a host", "example.com TXT v=spf1 a/0 -all\nexample.com A 192.0.2.1",
	    "ok 1 0 -; +0.0.0.0/0", "spf_wide" },
	{ "include of everything",
	    "example.com TXT v=spf1 include:b.example -all\nb.example TXT v=spf1 ip4:0.0.0.0/1",
	    "ok 1 0 -; +0.0.0.0/1", "spf_wide" },
	{ "a wide network that does not pass", "example.com TXT v=spf1 ?ip4:0.0.0.0/0 -all",
	    "ok 0 0 -; ?0.0.0.0/0", "" },
	{ "a large provider", "example.com TXT v=spf1 ip4:17.0.0.0/8 ip6:2001::/16 -all",
	    "ok 0 0 -; +17.0.0.0/8 +2001::/16", "" },
	{ "private networks", "example.com TXT v=spf1 ip4:10.1.0.0/16 ip4:192.168.1.1 ip6:fd00::/8 -all",
	    "ok 0 0 -; +10.1.0.0/16 +192.168.1.1/32 +fd00::/8", "spf_private, spf_private, spf_private" },
	{ "an unknown modifier", "example.com TXT v=spf1 include=b.example rp=100 -all", "ok 0 0 -;",
	    "spf_modifier" },
	{ "IPv6 too late",
	    "example.com TXT v=spf1 a:a.example a:b.example a:c.example ip6:2001:db8::/32 -all\na.example A "
	    "192.0.2.1\n"
	    "b.example A 192.0.2.2\nc.example A 192.0.2.3",
	    "ok 3 0 -; +192.0.2.1/32 +192.0.2.2/32 +192.0.2.3/32 +2001:db8::/32", "spf_void_ipv6" },
	{ "IPv6 in time",
	    "example.com TXT v=spf1 ip6:2001:db8::/32 a:a.example a:b.example a:c.example -all\na.example A "
	    "192.0.2.1\n"
	    "b.example A 192.0.2.2\nc.example A 192.0.2.3",
	    "ok 3 0 -; +2001:db8::/32 +192.0.2.1/32 +192.0.2.2/32 +192.0.2.3/32", "" },
};

/* The policy of example.com in words; *findings and *questions may be NULL. */
static char *expand(const char *lines, char **findings, guint *questions)
{
	struct zone *zone = zone_new(lines);
	struct dns_source source = zone_source(zone);
	struct findings *found = findings_new();
	struct spf_policy policy;
	g_autofree char *ranges = NULL;
	char *words;

	spf_expand(&source, "example.com", &policy, found);
	ranges = ranges_words(&policy);
	words = g_strdup_printf("%s %u%s %u %c;%s%s", spf_state_word(policy.state), policy.lookups,
	    policy.more_lookups ? "+" : "", policy.void_lookups, policy.all == '\0' ? '.' : policy.all,
	    *ranges == '\0' ? "" : " ", ranges);
	if (findings != NULL)
		*findings = findings_words(found, FALSE);
	if (questions != NULL)
		*questions = zone_questions(zone);
	spf_policy_clear(&policy);
	findings_free(found);
	zone_free(zone);
	return words;
}

static void each_branch_has_its_cost(void **state)
{
	struct zone *zone = zone_new("example.com TXT v=spf1 mx include:b.example redirect=c.example\n"
				     "example.com MX 1 m.example\nm.example A 192.0.2.1\n"
				     "b.example TXT v=spf1 a:m.example include:d.example ip4:192.0.2.2 -all\n"
				     "c.example TXT v=spf1 exists:%{i}.example -all\n"
				     "d.example TXT v=spf1 ptr ?all");
	struct dns_source source = zone_source(zone);
	struct findings *found = findings_new();
	g_autoptr(GString) got = g_string_new(NULL);
	struct spf_policy policy;

	(void)state;
	spf_expand(&source, "example.com", &policy, found);
	for (guint i = 0; i < policy.tree->len; i++) {
		const struct spf_branch *branch = g_ptr_array_index(policy.tree, i);

		g_string_append_printf(
		    got, "%u%u %s of %s\n", branch->lookups, branch->depth, branch->term, branch->via);
	}
	assert_string_equal(got->str, "10 mx of example.com\n40 include:b.example of example.com\n"
				      "11 a:m.example of b.example\n21 include:d.example of b.example\n"
				      "12 ptr of d.example\n20 redirect=c.example of example.com\n"
				      "11 exists:%{i}.example of c.example\n");
	assert_int_equal(policy.lookups, 7);
	spf_policy_clear(&policy);
	findings_free(found);
	zone_free(zone);
}

/* 127 of 256 networks with overlaps are less than half, and 128 are half. */
static void networks_that_add_up_to_most_of_the_internet_are_an_error(void **state)
{
	for (guint n = 127; n <= 128; n++) {
		g_autoptr(GString) zone = g_string_new("example.com TXT v=spf1 ip4:11.1.0.0/16");
		g_autofree char *findings = NULL, *got = NULL;

		for (guint i = 0; i < n; i++)
			g_string_append_printf(zone, " ip4:%u.0.0.0/8", 11 + i);
		g_string_append(zone, " -all");
		got = expand(zone->str, &findings, NULL);
		assert_non_null(got);
		assert_int_equal(strstr(findings, "spf_wide") != NULL, n == 128);
	}
	(void)state;
}

static void slips_of_the_pen_are_repaired(void **state)
{
	static const struct {
		const char *text, *want; /* NULL: what was meant is unknown */
	} ROWS[] = {
		{ "v=spf1 mx -all", "v=spf1 mx -all" },
		{ "v=spf1 ipv4:192.0.2.1 ipv6:2001:db8::1 -all",
		    "v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all" },
		{ "v=spf1 mx \xe2\x80\x93"
		  "all",
		    "v=spf1 mx -all" },
		{ "v=spf1, mx, include:b.example, ~all", "v=spf1 mx include:b.example ~all" },
		{ "v=spf1 ip4: 192.0.2.0/24 include:  b.example -all",
		    "v=spf1 ip4:192.0.2.0/24 include:b.example -all" },
		{ "v=spf1 mx - all", "v=spf1 mx -all" },
		{ "v=spf1 include=b.example ?a=c.example ip4=192.0.2.1 -all",
		    "v=spf1 include:b.example ?a:c.example ip4:192.0.2.1 -all" },
		{ "v=spf1 redirect:b.example", "v=spf1 redirect=b.example" },
		{ "v=spf1 ip4:2001:db8::/32 ip6:192.0.2.1 a:192.0.2.2 192.0.2.3/24 -all",
		    "v=spf1 ip6:2001:db8::/32 ip4:192.0.2.1 ip4:192.0.2.2 ip4:192.0.2.3/24 -all" },
		{ "v=spf1 mx v=spf1 a -all", "v=spf1 mx a -all" },
		{ "v=spf1 exists:%{ir,}.b.example -all", "v=spf1 exists:%{ir,}.b.example -all" },
		{ "v=spf1-all", "v=spf1 -all" },
		{ "\"v=spf1 mx -all\"", "v=spf1 mx -all" },
		{ "v=spf1 ip4:192.0.2.1 - 192.0.2.9 -all", NULL },
		{ "v=spf1 b.example -all", NULL },
		{ "v=spf1 mx: a:b.example -all", NULL },             /* two mechanisms */
		{ "v=spf1 -ip4:192.0.2.1,192.0.2.2 mx -all", NULL }, /* is the second one denied, too? */
		{ "v=spf1 ip4:192.0.2.1,192.0.2.2 -all", "v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 -all" },
		{ "v=spf1 -redirect:b.example", NULL },
		{ "v=spf1 foo -all", NULL },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++) {
		g_autofree char *got = spf_fix(ROWS[i].text);

		if (g_strcmp0(got, ROWS[i].want) != 0)
			fail_msg("%s: %s", ROWS[i].text, got == NULL ? "-" : got);
	}
}

/* -- what is proposed, as against what was meant -- */

/* The terms of a record in one form, each once, separated by blanks: "+ip4:192.0.2.0/24 +include:b.example". */
static char *canonical(const char *text)
{
	GString *out = g_string_new(" ");
	struct spf_record record;

	if (!spf_record_read(text, &record, NULL))
		fail_msg("%s", text);
	for (guint i = 0; i < record.n_terms; i++) {
		const struct spf_term *term = &record.terms[i];
		g_autofree char *word = NULL;
		char network[IP_TEXT_SIZE] = "";
		gboolean has_bits = term->kind == SPF_A || term->kind == SPF_MX;

		if (term->kind == SPF_IP4 || term->kind == SPF_IP6)
			ip_print_range(&term->network, network);
		word = g_strdup_printf("%c%d:%s%s/%d/%d ", term->kind >= SPF_REDIRECT ? '=' : term->qualifier,
		    (int)(term->kind == SPF_REDIRECT ? SPF_INCLUDE : term->kind),
		    term->domain == NULL ? "" : term->domain, network, has_bits ? term->bits4 : 0,
		    has_bits ? term->bits6 : 0);
		if (term->kind == SPF_REDIRECT)
			*word = '+';
		if (term->kind != SPF_ALL && strstr(out->str, word) == NULL)
			g_string_append(out, word);
	}
	spf_record_clear(&record);
	return g_string_free(out, FALSE);
}

/* Whether each term of the first is among those of the second. */
static gboolean is_part(const char *first, const char *second)
{
	g_auto(GStrv) words = g_strsplit(first, " ", -1);

	for (char **word = words; *word != NULL; word++) {
		g_autofree char *whole = g_strdup_printf(" %s ", *word);

		if (**word != '\0' && strstr(second, whole) == NULL)
			return FALSE;
	}
	return TRUE;
}

/* A record with slips, and the same as it was meant. */
struct written {
	GString *text, *meant;
	char all; /* '?' if absent */
};

static void write_term(GRand *rand, struct written *written, const char *all)
{
	static const struct {
		const char *meant,
		    *slips[4]; /* slips may be read as another term, but then it must be there */
	} TERMS[] = {
		{ "mx", { "mx", "MX", "+mx", "mx" } },
		{ "a:b.example", { "a:b.example", "a=b.example", "a: b.example", "a:b.example," } },
		{ "include:c.example", { "include:c.example", "include=c.example", "include:  c.example",
					   "include:c.example;" } },
		{ "ip4:192.0.2.1", { "ip4:192.0.2.1", "ipv4:192.0.2.1", "ip4: 192.0.2.1", "192.0.2.1" } },
		{ "ip4:198.51.100.0/24", { "ip4:198.51.100.0/24", "ip6:198.51.100.0/24", "a:198.51.100.0/24",
					     "198.51.100.0/24" } },
		{ "ip6:2001:db8::/32",
		    { "ip6:2001:db8::/32", "ip4:2001:db8::/32", "IP6:2001:DB8::/32", "ip=2001:db8::/32" } },
		{ "-ip4:192.0.2.9",
		    { "-ip4:192.0.2.9", "\xe2\x80\x93ip4:192.0.2.9", "- ip4:192.0.2.9", "-ipv4:192.0.2.9" } },
		{ "?a:d.example", { "?a:d.example", "?a=d.example", "? a:d.example", "?a: d.example" } },
		{ "mx:e.example", { "mx: e.example", "mx:e.example", "mx:e.example", "mx :e.example" } },
		{ "exists:%{ir}.f.example", { "exists:%{ir}.f.example", "exists=%{ir}.f.example",
						"exists:%{ir}.f.example", "exists:%{ir}.f.example" } },
	};
	gsize i = (gsize)g_rand_int_range(rand, 0, G_N_ELEMENTS(TERMS));

	if (g_rand_int_range(rand, 0, 12) == 0 && written->all == '?') { /* all among the others */
		g_string_append_printf(written->text, " %s", all);
		written->all = *all;
	}
	g_string_append_printf(written->text, "%s%s", g_rand_int_range(rand, 0, 6) == 0 ? "," : " ",
	    TERMS[i].slips[g_rand_int_range(rand, 0, 2) * g_rand_int_range(rand, 0, 4)]);
	g_string_append_printf(written->meant, " %s", TERMS[i].meant);
}

static void write_record(GRand *rand, struct written *written)
{
	static const char *const ALL[] = { "-all", "~all", "?all", "+all" };
	static const char *const VERSIONS[] = { "v=spf1", "V=SPF1", "v=spf1", " v=spf1", "\"v=spf1" };
	const char *all = ALL[g_rand_int_range(rand, 0, G_N_ELEMENTS(ALL))];
	gint terms = g_rand_int_range(rand, 1, 5);

	*written =
	    (struct written){ g_string_new(VERSIONS[g_rand_int_range(rand, 0, 2) *
						    g_rand_int_range(rand, 0, G_N_ELEMENTS(VERSIONS))]),
		    g_string_new("v=spf1"), '?' };
	for (gint i = 0; i < terms; i++)
		write_term(rand, written, all);
	if (g_rand_int_range(rand, 0, 8) == 0) {
		g_string_append(written->text, " redirect=r.example");
		g_string_append(written->meant, " include:r.example");
	}
	if (written->all == '?' && g_rand_int_range(rand, 0, 5) > 0) {
		gboolean dash = *all == '-' && g_rand_boolean(rand);

		g_string_append_printf(
		    written->text, " %s%s", dash ? "\xe2\x88\x92" : "", dash ? all + 1 : all);
		written->all = *all;
	}
}

/* The record in "example.com. TXT "..." "..."". Transfer full. */
static char *record_in(const char *fix)
{
	g_auto(GStrv) parts = g_strsplit(fix, "\"", -1);
	GString *text = g_string_new(NULL);

	for (guint i = 1; i < g_strv_length(parts); i += 2)
		g_string_append(text, parts[i]);
	return g_string_free(text, FALSE);
}

/* The qualifier of "all" in a record: '?' if it has none. */
static char all_of(const char *text)
{
	struct spf_record record;
	char all;

	if (!spf_record_read(text, &record, NULL))
		fail_msg("%s", text);
	all = record.all == NULL ? '?' : record.all->qualifier;
	spf_record_clear(&record);
	return all;
}

/* Compare each proposal for these records with what they mean together. Returns how many there are. */
static guint compare_proposals(const char *lines, const char *meant, char all)
{
	struct zone *zone = zone_new(lines);
	struct dns_source source = zone_source(zone);
	struct findings *found = findings_new();
	g_autofree char *want = canonical(meant);
	struct spf_policy policy;
	guint proposals = 0;

	spf_expand(&source, "example.com", &policy, found);
	for (guint i = 0; i < findings_count(found); i++) {
		const struct finding *finding = findings_get(found, i);
		g_autofree char *fix = finding->fix == NULL ? NULL : record_in(finding->fix), *got = NULL;

		if (fix == NULL)
			continue;
		proposals++;
		got = canonical(fix);
		if (!is_part(want, got) || !is_part(got, want) || all_of(fix) != all)
			fail_msg("%s\n%s for\n%s", lines, fix, meant);
	}
	spf_policy_clear(&policy);
	findings_free(found);
	zone_free(zone);
	return proposals;
}

static void a_proposed_record_has_each_term_as_it_was_meant(void **state)
{
	GRand *rand = g_rand_new_with_seed(7);
	guint proposals = 0;

	(void)state;
	for (guint i = 0; i < 20000; i++) {
		struct written one, other;
		g_autofree char *lines = NULL, *meant = NULL;
		gboolean two = i % 4 == 0;

		write_record(rand, &one);
		write_record(rand, &other);
		lines = g_strdup_printf("example.com TXT %s\n%s%s", one.text->str,
		    two ? "example.com TXT " : "", two ? other.text->str : "");
		meant = g_strconcat(one.meant->str, two ? other.meant->str + strlen("v=spf1") : "", NULL);
		if (!two || (spf_is_record(one.text->str) && spf_is_record(other.text->str)))
			proposals += compare_proposals(lines, meant,
			    two && strchr("+?~-", other.all) < strchr("+?~-", one.all) ? other.all : one.all);
		for (guint j = 0; j < 2; j++) {
			g_string_free(j == 0 ? one.text : other.text, TRUE);
			g_string_free(j == 0 ? one.meant : other.meant, TRUE);
		}
	}
	g_rand_free(rand);
	assert_true(proposals > 5000);
}

static void policies_become_ranges(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(POLICIES); i++) {
		g_autofree char *findings = NULL;
		g_autofree char *got = expand(POLICIES[i].zone, &findings, NULL);

		if (strcmp(got, POLICIES[i].want) != 0 || strcmp(findings, POLICIES[i].findings) != 0)
			fail_msg("%s: got %s (%s), want %s (%s)", POLICIES[i].name, got, findings,
			    POLICIES[i].want, POLICIES[i].findings);
	}
}

/* What the ranges say of an address. */
static const char *by_ranges(const struct spf_policy *policy, const struct ip_range *ip)
{
	char qualifier = policy->all;

	for (guint i = policy->ranges->len; i > 0; i--)
		if (ip_contains(&g_array_index(policy->ranges, struct spf_range, i - 1).range, ip))
			qualifier = g_array_index(policy->ranges, struct spf_range, i - 1).qualifier;
	return qualifier == '+'   ? "pass"
	       : qualifier == '-' ? "fail"
	       : qualifier == '~' ? "softfail"
				  : "neutral";
}

/* Wherever a policy is ranges and nothing else. */
static void ranges_say_of_an_address_what_a_receiver_says(void **state)
{
	static const char *const ADDRESSES[] = { "192.0.2.0", "192.0.2.1", "192.0.2.2", "192.0.2.3",
		"192.0.2.9", "192.0.2.255", "192.0.3.1", "198.51.100.1", "2001:db8::1", "2001:db8::3",
		"2001:db8::9", "2001:db8:0:1::9", "2001:db9::1" };
	guint compared = 0;

	for (gsize i = 0; i < G_N_ELEMENTS(POLICIES) * G_N_ELEMENTS(ADDRESSES); i++) {
		const char *lines = POLICIES[i / G_N_ELEMENTS(ADDRESSES)].zone;
		struct zone *zone = zone_new(lines);
		struct dns_source source = zone_source(zone);
		struct findings *found = findings_new();
		struct spf_policy policy;
		struct ip_range ip;

		assert_true(ip_parse(ADDRESSES[i % G_N_ELEMENTS(ADDRESSES)], &ip));
		spf_expand(&source, "example.com", &policy, found);
		if (policy.state == SPF_STATE_OK && policy.unlisted->len == 0 &&
		    !findings_have(found, FINDING_SPF_VOID_IPV6)) {
			g_autofree char *verdict =
			    check_address(lines, ADDRESSES[i % G_N_ELEMENTS(ADDRESSES)], NULL);

			/* hosts without IPv6 are void look-ups for who has it, and is not allowed */
			if (!g_str_has_prefix(verdict, by_ranges(&policy, &ip)) &&
			    (ip.size == 4 || strcmp(verdict, "permerror: more than 2 void look-ups") != 0 ||
				strcmp(by_ranges(&policy, &ip), "pass") == 0))
				fail_msg("%s: %s", lines, verdict);
			compared++;
		}
		spf_policy_clear(&policy);
		findings_free(found);
		zone_free(zone);
	}
	assert_true(compared > 200);
	(void)state;
}

static void assertion_73_a_policy_is_counted_to_its_end(void **state)
{
	for (guint n = 9; n <= 11; n++) {
		g_autofree char *zone = nested(n), *findings = NULL;
		g_autofree char *got = expand(zone, &findings, NULL);
		g_autofree char *want =
		    g_strdup_printf(n <= 10 ? "ok %u 0 -; +192.0.2.1/32" : "permerror %u 0 .;", n);

		assert_string_equal(got, want);
		assert_string_equal(findings, n <= 10 ? "" : "spf_lookups");
	}
	for (guint n = 1; n <= 3; n++) {
		g_autofree char *zone = voids(n), *findings = NULL;
		g_autofree char *got = expand(zone, &findings, NULL);
		g_autofree char *want =
		    g_strdup_printf(n <= 2 ? "ok %u %u -; +192.0.2.1/32" : "permerror %u %u .;", n, n);

		assert_string_equal(got, want);
		assert_true(g_str_has_prefix(findings, n <= 2 ? "spf_void" : "spf_void_lookups, spf_void"));
	}
	for (guint n = 9; n <= 11; n++) {
		g_autoptr(GString) zone = g_string_new("example.com TXT v=spf1 mx -all\n");
		g_autofree char *findings = NULL, *got = NULL;

		hosts(zone, n);
		got = expand(zone->str, &findings, NULL);
		assert_true(g_str_has_prefix(
		    got, n <= 10 ? "ok 1 0 -; +192.0.2.1/32 +192.0.2.2/32" : "permerror 1 0 .;"));
		assert_string_equal(findings, n <= 10 ? "" : "spf_mx_many");
	}
	(void)state;
}

/* A tree of includes, ten of each: 10^5 of them would be asked without a bound. */
static void a_bomb_of_look_ups_ends_early(void **state)
{
	g_autoptr(GString) zone = g_string_new(NULL);
	g_autofree char *findings = NULL, *got = NULL, *verdict = NULL;
	guint questions;

	g_string_append(zone, "*.example TXT v=spf1");
	for (guint i = 0; i < 10; i++)
		g_string_append_printf(zone, " include:n%u.%%{d}", i);
	g_string_append(zone, "\nexample.com TXT v=spf1 include:b.example\n");
	got = expand(zone->str, &findings, &questions);
	assert_string_equal(got, "permerror 40+ 0 .;");
	assert_true(strstr(findings, "spf_lookups") != NULL);
	assert_true(questions < 4 * SPF_EXPANDED_MAX);
	verdict = check_address(zone->str, "192.0.2.1", &questions);
	assert_string_equal(verdict, "permerror: more than 10 look-ups");
	assert_true(questions <= SPF_LOOKUPS_MAX + 1);
	(void)state;
}

/* Ranges that cut each other into pieces, and more of them than any honest policy has. */
static void many_ranges_take_neither_time_nor_room(void **state)
{
	g_autoptr(GString) zone =
	    g_string_new("example.com TXT v=spf1 include:b.example -all\nb.example TXT v=spf1");
	g_autofree char *findings = NULL, *got = NULL;
	gint64 began = g_get_monotonic_time();

	for (guint i = 0; i < SPF_TERMS_MAX / 2 - 1; i++)
		g_string_append_printf(zone, " -ip6:2001:db8::%x ip6:::/0", i * 131);
	got = expand(zone->str, &findings, NULL);
	assert_true(g_str_has_prefix(got, "ok 1 0 -; +"));
	assert_string_equal(findings, "spf_wide, spf_many_ranges");
	assert_true(g_get_monotonic_time() - began < 5 * G_USEC_PER_SEC);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_read_by_the_grammar),
		cmocka_unit_test(words_of_an_error_name_the_term),
		cmocka_unit_test(records_are_told_by_their_version),
		cmocka_unit_test(a_record_has_at_most_spf_terms_max_terms),
		cmocka_unit_test(macros_expand_as_the_rfc_says),
		cmocka_unit_test(a_macro_without_a_value_gives_no_name),
		cmocka_unit_test(a_long_name_loses_labels_on_the_left),
		cmocka_unit_test(many_macros_take_no_room),
		cmocka_unit_test(senders_are_judged_as_by_a_receiver),
		cmocka_unit_test(assertion_73_the_limits_of_a_receiver),
		cmocka_unit_test(ten_names_of_an_address_are_looked_at),
		cmocka_unit_test(policies_become_ranges),
		cmocka_unit_test(each_branch_has_its_cost),
		cmocka_unit_test(networks_that_add_up_to_most_of_the_internet_are_an_error),
		cmocka_unit_test(slips_of_the_pen_are_repaired),
		cmocka_unit_test(a_proposed_record_has_each_term_as_it_was_meant),
		cmocka_unit_test(ranges_say_of_an_address_what_a_receiver_says),
		cmocka_unit_test(assertion_73_a_policy_is_counted_to_its_end),
		cmocka_unit_test(a_bomb_of_look_ups_ends_early),
		cmocka_unit_test(many_ranges_take_neither_time_nor_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
