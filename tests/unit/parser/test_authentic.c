/* Authentication-Results into a verdict, field by field and in mails. */
#include "parser/authentic.h"
#include "parser/mail.h"
#include "parser/parse.h"
#include "tests/unit/cpu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ID   "mx.example.net"
#define FROM "reports.example.com"

static const struct parser_limits LIMITS = PARSER_LIMITS_DEFAULT;
static const char *const VERDICTS[] = { "none", "pass", "fail" };

/* With FROM; want "other": a field of another MTA. */
static const struct {
	const char *name, *field, *want;
} FIELDS[] = {
	/* dmarc */
	{ "pass", ID "; dmarc=pass header.from=" FROM, "pass" },
	{ "pass without header.from", ID "; dmarc=pass", "pass" },
	{ "pass of an address", ID "; dmarc=pass header.from=\"x y\"@" FROM, "pass" },
	{ "pass of another From", ID "; dmarc=pass header.from=example.org", "fail" },
	{ "pass of the parent", ID "; dmarc=pass header.from=example.com", "fail" },
	{ "fail", ID "; dmarc=fail header.from=" FROM, "fail" },
	{ "fail, though dkim passes", ID "; dkim=pass header.d=" FROM "; dmarc=fail", "fail" },
	{ "fail before pass", ID "; dmarc=fail; dmarc=pass", "fail" },
	{ "pass before fail", ID "; dmarc=pass; dmarc=fail", "fail" },
	{ "pass, though spf fails", ID "; spf=fail smtp.mailfrom=" FROM "; dmarc=pass", "pass" },
	{ "temperror", ID "; dmarc=temperror; dkim=pass header.d=" FROM, "none" },
	{ "permerror", ID "; dmarc=permerror; dkim=pass header.d=" FROM, "none" },
	/* dkim and spf alone */
	{ "dkim", ID "; dkim=pass header.d=" FROM, "pass" },
	{ "dkim of the parent, no policy", ID "; dkim=pass header.d=example.com; dmarc=none", "pass" },
	{ "dkim of a sibling", ID "; dkim=pass header.d=mail.example.com", "pass" },
	{ "dkim of another", ID "; dkim=pass header.d=example.org", "fail" },
	{ "dkim of a public suffix", ID "; dkim=pass header.d=com", "fail" },
	{ "dkim of a lookalike", ID "; dkim=pass header.d=xexample.com", "fail" },
	{ "dkim of nobody", ID "; dkim=pass (2048 bit)", "fail" },
	{ "dkim by header.i", ID "; dkim=pass header.i=@example.com", "pass" },
	{ "dkim by header.i, with a local part", ID "; dkim=pass header.i=a@b@sub.example.com", "pass" },
	{ "header.d before header.i", ID "; dkim=pass header.d=example.org header.i=@example.com", "fail" },
	{ "header.d behind header.i", ID "; dkim=pass header.i=@example.com header.d=example.org", "fail" },
	{ "one of two signatures",
	    ID "; dkim=fail header.d=" FROM "; dkim=pass header.d=example.org; dkim=pass header.d=" FROM,
	    "pass" },
	{ "dkim fails", ID "; dkim=fail header.d=" FROM, "fail" },
	{ "nothing was there", ID "; dkim=none; spf=none", "fail" },
	{ "spf", ID "; spf=pass smtp.mailfrom=bounce@example.com", "pass" },
	{ "spf of a domain", ID "; spf=pass smtp.mailfrom=" FROM, "pass" },
	{ "spf in brackets", ID "; spf=pass smtp.mailfrom=<bounce@" FROM ">", "pass" },
	{ "spf of HELO", ID "; spf=pass smtp.helo=" FROM, "fail" },
	{ "spf of nobody", ID "; spf=pass smtp.mailfrom=", "fail" },
	{ "spf of another", ID "; spf=pass smtp.mailfrom=x@example.org", "fail" },
	{ "spf softfail, aligned", ID "; spf=softfail smtp.mailfrom=" FROM, "fail" },
	{ "From in the local part", ID "; spf=pass smtp.mailfrom=x=" FROM "@example.org", "fail" },
	{ "temperror alone", ID "; dkim=temperror header.d=" FROM, "none" },
	{ "temperror of nobody", ID "; dkim=temperror; spf=none", "none" },
	{ "temperror would decide", ID "; dkim=temperror header.d=example.com; spf=fail", "none" },
	{ "temperror of another", ID "; dkim=temperror header.d=example.org", "fail" },
	{ "temperror beside a pass", ID "; dkim=temperror header.d=" FROM "; spf=pass smtp.mailfrom=" FROM,
	    "pass" },
	/* what says nothing */
	{ "none", ID "; none", "none" },
	{ "nothing", ID, "none" },
	{ "nothing but a semicolon", ID ";", "none" },
	{ "other methods", ID "; iprev=pass policy.iprev=192.0.2.1; auth=pass smtp.auth=x; arc=pass",
	    "none" },
	{ "dmarc=none alone", ID "; dmarc=none header.from=" FROM, "none" },
	{ "a result of no list", ID "; dmarc=bestguesspass header.from=" FROM, "none" },
	{ "methods that begin likewise", ID "; dmarcx=pass; xdkim=pass header.d=" FROM, "none" },
	{ "another version of a method", ID "; dkim/2=pass header.d=" FROM, "none" },
	{ "a method without a result", ID "; dmarc; dmarc=", "none" },
	{ "a method and a result without =", ID "; dmarc pass header.from=" FROM, "none" },
	{ "a result without = after a comment", ID "; dmarc (c) pass", "none" },
	{ "a result as a string without =", ID "; dmarc \"pass\"", "none" },
	{ "a method of an identifier without =", ID "; dkim pass header.d=" FROM "; spf none", "none" },
	{ "a property without =", ID "; dkim=pass header.d " FROM, "fail" },
	{ "a property as a string without =", ID "; spf=pass smtp.mailfrom \"x\"@" FROM, "fail" },
	/* whose it is */
	{ "another MTA", "mx.example.org; dmarc=pass", "other" },
	{ "an id that begins likewise", ID ".org; dmarc=pass", "other" },
	{ "an id that is the start", "mx.example; dmarc=pass", "other" },
	{ "no id (Microsoft)", "spf=pass smtp.mailfrom=" FROM "; dmarc=pass", "other" },
	{ "no body", "", "other" },
	{ "id in a comment", "(" ID ") mx.example.org; dmarc=pass", "other" },
	{ "id in other case", "MX.Example.NET; dmarc=pass", "pass" },
	{ "id as a string", "\"mx.\\example.net\"; dmarc=pass", "pass" },
	{ "id behind a comment", "\r\n (a \\( (b)) " ID "; dmarc=pass", "pass" },
	{ "version", ID " 1; dmarc=pass", "pass" },
	{ "version and comments", ID "(c) (d)1(e) ;dmarc=pass", "pass" },
	{ "junk for a version", ID " x=\"; dmarc=fail\" y; dmarc=pass", "pass" },
	/* grammar */
	{ "odd case", ID "; DMARC=Pass HEADER.From=Reports.EXAMPLE.com.", "pass" },
	{ "folded",
	    " " ID ";\r\n\tdkim=pass\r\n\theader.d=" FROM "\r\n\theader.s=s;\r\n spf=fail\r\n "
	    "smtp.mailfrom=\r\n x@example.org",
	    "pass" },
	{ "blanks and comments anywhere",
	    ID " ; (a) dkim (b) / (c) 1 (d) = (e) pass (f) reason (g) = (h) \"good; dmarc=fail\" (i) header "
	       "(j) . (k) d "
	       "(l) = (m) " FROM " (n)",
	    "pass" },
	{ "no blanks", ID ";dmarc=fail(p=none;dmarc=pass)header.from=" FROM, "fail" },
	{ "comment with a result", ID "; dkim=none (; dmarc=pass (deep) ; dmarc=pass)", "fail" },
	{ "comment with quoted brackets", ID "; dkim=none (\\) ; dmarc=pass \\() ; spf=none", "fail" },
	{ "string with a result", ID "; spf=fail smtp.mailfrom=\"a; dmarc=pass\"@example.org", "fail" },
	{ "string with quotes", ID "; spf=fail smtp.mailfrom=\"a\\\"; dmarc=pass\"@example.org", "fail" },
	{ "reason is no property", ID "; dkim=fail reason=\"header.d=" FROM "\"", "fail" },
	{ "a property of another method", ID "; spf=pass header.d=" FROM, "fail" },
	{ "several ptypes",
	    ID "; dkim=pass policy.dkim-rules=x header.b=a/b+c= header.a=rsa-sha256 header.d=" FROM
	       " header.s=s body.x=y",
	    "pass" },
	{ "words that are no property", ID "; dkim=pass action=none and more header.d=" FROM, "pass" },
	{ "junk between", ID "; ; =; \"x\"; dmarc=pass; =;", "pass" },
	{ "U-label",
	    ID "; dkim=pass header.d=b\xc3\xbc"
	       "cher.example",
	    "fail" },
	{ "unended comment", ID "; dmarc=pass (", "none" },
	{ "unended comment that hides a failure", ID "; dkim=pass (x header.d=" FROM "; dmarc=fail", "none" },
	{ "unended string", ID "; dmarc=pass reason=\"", "none" },
	{ "unended escapes", ID "; dmarc=pass (\\", "none" },
	/* as MTAs write them */
	{ "Exim",
	    "mx.example.net;\n\tspf=pass smtp.mailfrom=reports.example.com;\n\tdkim=pass "
	    "header.d=reports.example.com "
	    "header.s=s1 header.a=rsa-sha256;\n\tdmarc=pass header.from=reports.example.com;\n\tarc=none",
	    "pass" },
	{ "OpenDMARC", "mx.example.net; dmarc=pass (p=none dis=none) header.from=reports.example.com",
	    "pass" },
	{ "OpenDKIM",
	    "mx.example.net;\n\tdkim=pass (2048-bit key; unprotected) header.d=example.com "
	    "header.i=@example.com "
	    "header.a=rsa-sha256 header.s=s header.b=\"AbC/+d\"",
	    "pass" },
	{ "rspamd",
	    "mx.example.net;\r\n\tdkim=pass header.d=example.com header.s=s header.b=abc;\r\n\tdmarc=pass "
	    "(policy=reject) header.from=reports.example.com;\r\n\tspf=pass (mx.example.net: domain of "
	    "x@example.com "
	    "designates 192.0.2.1 as permitted sender) smtp.mailfrom=x@example.com",
	    "pass" },
};

static enum authentic read_field(const char *field, const char *from, gboolean *ours)
{
	enum authentic verdict = AUTHENTIC_NONE;
	/* a copy of that size, so that a read beyond it is seen */
	g_autofree char *copy = g_strdup(field);

	*ours = authentic_read(copy, ID, from, &verdict);
	return verdict;
}

static void fields(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(FIELDS); i++) {
		gboolean ours;
		enum authentic verdict = read_field(FIELDS[i].field, FROM, &ours);
		const char *got = ours ? VERDICTS[verdict] : "other";

		if (strcmp(got, FIELDS[i].want) != 0)
			fail_msg("%s: got %s, want %s", FIELDS[i].name, got, FIELDS[i].want);
	}
}

static void no_field_passes_without_from_or_an_id(void **state)
{
	enum authentic verdict = AUTHENTIC_FAIL;
	gboolean ours;

	(void)state;
	assert_int_equal(read_field(ID "; dmarc=pass", NULL, &ours), AUTHENTIC_NONE);
	assert_true(ours);
	assert_false(authentic_read("; dmarc=pass", "", FROM, &verdict));
	assert_false(authentic_read("\"\"; dmarc=pass", "", FROM, &verdict));
	assert_int_equal(verdict, AUTHENTIC_FAIL);
}

/* Each way to be long, up to the limit of a header; in quadratic time one would take minutes. */
static void long_fields_are_read_in_linear_time(void **state)
{
	static const struct {
		const char *name, *unit;
	} units[] = {
		{ "open comments", "(" },
		{ "comments", "()" },
		{ "open string", "\"a" },
		{ "strings", "\"\"" },
		{ "results", ";" },
		{ "joints", "." },
		{ "joined words", "a. " },
		{ "methods", ";dkim=pass header.d=a.b.c" },
		{ "names of many labels", ";dkim=pass header.d=" FROM " header.i=a.a.a.a.a.a.a.a.a.a.a.a.a" },
		{ "one name", "a." },
		{ "one name outside of ASCII", "\xc3\xbc" },
		{ "backslashes", "\\" },
		{ "equal signs", "=" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
		GString *field = g_string_new(ID "; dkim=pass header.d=");
		gint64 started = cpu_time(), took;
		gboolean ours;

		while (field->len < LIMITS.max_header_bytes)
			g_string_append(field, units[i].unit);
		read_field(field->str, FROM, &ours);
		took = (cpu_time() - started) / 1000;
		g_string_free(field, TRUE);
		if (!ours || took > 1000)
			fail_msg("%s: %d ms", units[i].name, (int)took);
	}
}

/* -- in mails -- */

static gboolean on_header(gpointer user, const struct mail_header *mail, GError **error)
{
	enum authentic *verdict = user;

	(void)error;
	*verdict = mail->authentic;
	return TRUE;
}

static gboolean on_part(gpointer user, const struct mail_part *part, GError **error)
{
	(void)user, (void)part, (void)error;
	return TRUE;
}

static gboolean on_feedback(gpointer user, const struct mail_feedback *feedback, GError **error)
{
	(void)user;
	(void)feedback;
	(void)error;
	return TRUE;
}

static enum authentic read_mail(const char *mail, const char *authserv_id)
{
	static const struct mail_visitor VISITOR = { on_header, on_part, on_feedback };
	enum authentic verdict = AUTHENTIC_NONE;

	assert_true(
	    mail_walk((const guint8 *)mail, strlen(mail), &LIMITS, authserv_id, &VISITOR, &verdict, NULL));
	return verdict;
}

#define AR     "Authentication-Results: "
#define SENDER "From: \"Reports\" <noreply@" FROM ">\n"
#define BODY   "Subject: s\n\nbody\n"

static const struct {
	const char *name, *mail;
	enum authentic want;
} MAILS[] = {
	{ "no field", SENDER BODY, AUTHENTIC_NONE },
	{ "pass", AR ID "; dmarc=pass\n" SENDER BODY, AUTHENTIC_PASS },
	{ "name in other case, folded", "authentication-RESULTS:\n " ID ";\n dmarc=pass\n" SENDER BODY,
	    AUTHENTIC_PASS },
	{ "fail above a forged pass", AR ID "; dmarc=fail\n" AR ID "; dmarc=pass\n" SENDER BODY,
	    AUTHENTIC_FAIL },
	{ "nothing above a forged pass", AR ID "; none\n" AR ID "; dmarc=pass\n" SENDER BODY,
	    AUTHENTIC_NONE },
	{ "behind fields of other hops",
	    AR "a.example; dmarc=fail\nReceived: x\n" AR ID "; dmarc=pass\n" AR
	       "b.example; dmarc=fail\n" SENDER BODY,
	    AUTHENTIC_PASS },
	{ "only others", AR "a.example; dmarc=pass\n" SENDER BODY, AUTHENTIC_NONE },
	{ "ARC's copy is not it", "ARC-Authentication-Results: i=1; " ID "; dmarc=pass\n" SENDER BODY,
	    AUTHENTIC_NONE },
	{ "in the body", SENDER "Subject: s\n\n" AR ID "; dmarc=pass\n", AUTHENTIC_NONE },
	{ "in an inner mail", SENDER "Content-Type: message/rfc822\n\n" AR ID "; dmarc=pass\n" SENDER BODY,
	    AUTHENTIC_NONE },
	{ "an RFC 2047 word is not decoded", AR "=?utf-8?q?mx.example.net;_dmarc=3Dpass?=\n" SENDER BODY,
	    AUTHENTIC_NONE },
	{ "no From", AR ID "; dmarc=pass\n" BODY, AUTHENTIC_NONE },
	{ "an empty From", AR ID "; dmarc=pass\nFrom:\n" BODY, AUTHENTIC_NONE },
	{ "a From without a domain", AR ID "; dmarc=pass\nFrom: x\n" BODY, AUTHENTIC_NONE },
	{ "two addresses", AR ID "; dmarc=pass\nFrom: a@" FROM ", b@" FROM "\n" BODY, AUTHENTIC_NONE },
	{ "two From fields", AR ID "; dmarc=pass\n" SENDER SENDER BODY, AUTHENTIC_NONE },
	{ "a group", AR ID "; dmarc=pass\nFrom: g: a@" FROM ";\n" BODY, AUTHENTIC_NONE },
	{ "an address in the name",
	    AR ID "; dmarc=pass header.from=example.org\nFrom: \"a@example.org\" <b@" FROM ">\n" BODY,
	    AUTHENTIC_FAIL },
	{ "From in other case", AR ID "; dkim=pass header.d=" FROM "\nFrom: a@Reports.EXAMPLE.com\n" BODY,
	    AUTHENTIC_PASS },
	{ "From with a U-label",
	    AR ID "; dkim=pass header.d=xn--bcher-kva.example\nFrom: a@b\xc3\xbc"
		  "cher.example\n" BODY,
	    AUTHENTIC_PASS },
};

static void mails(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(MAILS); i++) {
		enum authentic got = read_mail(MAILS[i].mail, ID);

		if (got != MAILS[i].want)
			fail_msg(
			    "%s: got %s, want %s", MAILS[i].name, VERDICTS[got], VERDICTS[MAILS[i].want]);
	}
}

static void nothing_is_believed_without_an_authserv_id(void **state)
{
	(void)state;
	assert_int_equal(read_mail(AR ID "; dmarc=pass\n" SENDER BODY, NULL), AUTHENTIC_NONE);
	assert_int_equal(read_mail(AR "; dmarc=pass\n" SENDER BODY, ""), AUTHENTIC_NONE);
}

static int init(void **state)
{
	(void)state;
	parse_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields),
		cmocka_unit_test(no_field_passes_without_from_or_an_id),
		cmocka_unit_test(long_fields_are_read_in_linear_time),
		cmocka_unit_test(mails),
		cmocka_unit_test(nothing_is_believed_without_an_authserv_id),
	};

	return cmocka_run_group_tests(tests, init, NULL);
}
