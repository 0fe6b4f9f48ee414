/* Third parties out of texts and header fields. "victim" is in every input that has to be masked, and in no
 * output. */
#include "parser/fields.h"
#include "parser/mask.h"
#include "parser/parse.h"
#include "tests/unit/cpu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct mask *ours(void)
{
	struct mask *mask = mask_new();

	mask_add_own(mask, "www.own.example");
	mask_add_own(mask, "xn--bcher-kva.example");
	return mask;
}

struct row {
	const char *text, *want;
};

static void check(const struct row *row, const char *got)
{
	if (strcmp(got, row->want) != 0)
		fail_msg("%s: %s", row->text, got);
	if (strstr(got, "victim") != NULL && strstr(row->want, "victim@own") == NULL)
		fail_msg("%s: tells %s", row->text, got);
}

static const struct row TEXTS[] = {
	{ "no address", "no address" },
	{ "victim@third.example", "***@third.example" },
	{ "me@own.example", "me@own.example" },
	{ "me@mail.OWN.example.", "me@mail.OWN.example." },
	{ "me@b\xc3\xbc"
	  "cher.example",
	    "me@b\xc3\xbc"
	    "cher.example" },
	{ "victim@notown.example", "***@notown.example" },
	{ "victim@own.example.third.example", "***@own.example.third.example" },
	{ "victim@example", "***@example" },
	{ "<victim@third.example>, (victim@third.example) victim@third.example;",
	    "<***@third.example>, (***@third.example) ***@third.example;" },
	{ "mail.example; spf=pass smtp.mailfrom=victim@third.example; dkim=pass header.i=@third.example",
	    "mail.example; spf=pass smtp.mailfrom=***@third.example; dkim=pass header.i=@third.example" },
	{ "smtp.mailfrom=\"victim@third.example\"", "smtp.mailfrom=\"***@third.example\"" },
	{ "envelope-from=victim@third.example;", "envelope-from=***@third.example;" },
	{ "mailto:victim@third.example", "mailto:***@third.example" },
	{ "\"victim man\"@third.example", "***@third.example" },
	{ "\"victim@home\"@third.example", "***@third.example" },
	{ "\"victim\".\"man\"@third.example", "***@third.example" },
	{ "victim . man @ third.example", "***@ third.example" },
	{ "victim(victim)@(x)third.example", "***@(x)third.example" },
	{ "victim @\r\n third.example", "***@\r\n third.example" },
	{ "victim@third@own.example", "***@own.example" },
	{ "victim@@third.example", "***@third.example" },
	{ "victim@[192.0.2.1]", "***@[192.0.2.1]" },
	{ "a@[x: <victim@third]", "***@[x: <***@third]" },
	{ "a@victim\xef\xbc\xa0third.example", "***\xef\xbc\xa0third.example" },
	{ "@third.example", "@third.example" },
	{ "see @ (from victim@third.example)", "***@ (from ***@third.example)" },
	/* VERP and its kin, in domains of ours too */
	{ "bounce-victim=third.example@own.example", "***@own.example" },
	{ "SRS0=HHH=TT=third.example=victim@own.example", "***@own.example" },
	{ "victim%third.example@own.example", "***@own.example" },
	{ "third.example!victim@own.example", "***@own.example" },
	/* other ways to write '@' */
	{ "https://list.example/u?e=victim%40third.example&x=1",
	    "https://list.example/***%40third.example&x=1" },
	{ "https://victim:secret@third.example/", "https://***@third.example/" },
	{ "rfc822;victim+40third.example", "rfc822;***+40third.example" },
	{ "victim\xef\xbc\xa0third.example", "***\xef\xbc\xa0third.example" },
	{ "u=victim%2540third.example", "***%2540third.example" },
	{ "victim=40third.example", "***=40third.example" },
	{ "a+40third", "a+40third" },
	{ "1+400", "1+400" },
	{ "size=40 kB", "size=40 kB" },
	/* encoded words */
	{ "=?utf-8?q?victim=40third.example?=", "***@third.example" },
	{ "=?utf-8?b?dmljdGltQHRoaXJkLmV4YW1wbGU=?= x", "***@third.example x" },
	{ "=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Gr\xc3\xbc\xc3\x9f"
					 "e" },
	{ "=?utf-8?q?=3D=3Futf-8=3Fq=3Fvictim=3D40third.example=3F=3D?=", "***" },
	{ "a =?none?x?victim?= b", "a *** b" },
	{ "a =?victim", "a ***" },
	{ "", "" },
};

static void local_parts_of_third_parties_are_masked_in_texts(void **state)
{
	struct mask *mask = ours();

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(TEXTS); i++) {
		g_autofree char *got = mask_text(mask, TEXTS[i].text);

		check(&TEXTS[i], got);
	}
	mask_free(mask);
}

static const struct row LONE[] = {
	{ "victim@third.example", "***@third.example" },
	{ "<victim@third.example>", "<***@third.example>" },
	{ "<me@own.example>", "<me@own.example>" },
	{ "victim", "***" },
	{ "<>", "<>" },
	{ "rfc822; victim@third.example", "rfc822; ***@third.example" },
	{ "", "" },
};

static void an_address_without_a_domain_is_masked(void **state)
{
	struct mask *mask = ours();

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(LONE); i++) {
		g_autofree char *got = mask_address(mask, LONE[i].text);

		check(&LONE[i], got);
	}
	mask_free(mask);
}

static const struct row HEADERS[] = {
	{ "To: \"Victim victim\" <victim@third.example>, Me <me@own.example>\n",
	    "To: <***@third.example>, Me <me@own.example>\n" },
	{ "from: =?utf-8?q?M=C3=BCller?= <me@own.example>\n", "from: M\xc3\xbcller <me@own.example>\n" },
	{ "From: =?utf-8?q?victim=40third.example?= <me@own.example>\n",
	    "From: ***@third.example <me@own.example>\n" },
	{ "From: \"victim@third.example\" <me@own.example>\n",
	    "From: \"***@third.example\" <me@own.example>\n" },
	{ "CC:victim@third.example (Victim victim),\n\tme@own.example (Me)\n",
	    "CC: ***@third.example, me@own.example\n" },
	{ "To: friends of victim: victim@third.example, me@own.example;\n",
	    "To: ***: ***@third.example, me@own.example;\n" },
	{ "To: undisclosed-recipients:;\n", "To: undisclosed-recipients:;\n" },
	{ "To: =?utf-8?q?victim?=\n", "To: ***\n" },
	{ "Return-Path: <>\n", "Return-Path: <>\n" },
	{ "Return-Path: <bounce-victim=third.example@own.example>\n", "Return-Path: <***@own.example>\n" },
	{ "Delivered-To: victim\n", "Delivered-To: ***\n" },
	{ "X-Original-To: victim@third.example\n", "X-Original-To: ***@third.example\n" },
	{ "Resent-To: Victim victim <victim@third.example>\n", "Resent-To: <***@third.example>\n" },
	{ "X-Whatever: Victim victim <victim@third.example>\n", "X-Whatever: <***@third.example>\n" },
	{ "X-Whatever: to victim@third.example now\n", "X-Whatever: to ***@third.example now\n" },
	{ "Received: from a.example (HELO a) (victim@192.0.2.1)\n\tby b.example for <victim@third.example>;\n"
	  "\tThu, 1 Jan 1970 00:00:00 +0000\n",
	    "Received: from a.example (HELO a) (***@192.0.2.1)\n\tby b.example for <***@third.example>;\n"
	    "\tThu, 1 Jan 1970 00:00:00 +0000\n" },
	{ "Received: by b.example (Authenticated sender: victim) for victim; x\n",
	    "Received: by b.example (Authenticated sender: ***) for ***; x\n" },
	{ "Received: by b.example for <me@own.example>; x\n",
	    "Received: by b.example for <me@own.example>; x\n" },
	{ "List-Unsubscribe: <https://l.example/u?victim>,\n "
	  "<mailto:leave-victim=third.example@l.example?subject=victim>\n",
	    "List-Unsubscribe: <https://l.example/u?***>,\n <mailto:***@l.example?***>\n" },
	{ "DKIM-Signature: v=1; d=own.example; i=victim@third.example;\n\tz=From:victim@x|To:victim; "
	  "b=ab\n\tcd\n",
	    "DKIM-Signature: v=1; d=own.example; i=***@third.example; z=***; b=ab\n\tcd\n" },
	{ "Message-ID: id@third.example\n", "Message-ID: id@third.example\n" },
	{ "In-Reply-To: victim@third.example\n", "In-Reply-To: ***@third.example\n" },
	{ "Message-ID: id@third.example victim@third.example\n",
	    "Message-ID: ***@third.example ***@third.example\n" },
	{ "Message-ID: <id@third.example> victim@third.example\n",
	    "Message-ID: <id@third.example> ***@third.example\n" },
	{ "List-Help: https://l.example/?victim https://m.example/?victim,x\n",
	    "List-Help: https://l.example/?*** https://m.example/?***,x\n" },
	{ "DKIM-Signature: Z=victim; d=own.example\n", "DKIM-Signature: z=***; d=own.example\n" },
	{ "DKIM-Signature: d=own.example;\n", "DKIM-Signature: d=own.example\n" },
	{ "DKIM-Signature: d=own.example;;z=victim\n", "DKIM-Signature: d=own.example;; z=***\n" },
	{ "Received: before victim@third.example\n", "Received: before ***@third.example\n" },
	{ "Received: x-for b\n", "Received: x-for b\n" },
	{ "Received: FOR\n", "Received: FOR\n" },
	{ "Received: for  <victim>\n", "Received: for  <***>\n" },
	{ "Received: for ;\n", "Received: for ;\n" },
	{ "Message-ID: <id@third.example>\n", "Message-ID: <id@third.example>\n" },
	{ "References: <1@third.example>\n <2@own.example>\n",
	    "References: <1@third.example>\n <2@own.example>\n" },
	{ "In-Reply-To: Mail of victim@third.example of <3@third.example>\n",
	    "In-Reply-To: Mail of ***@third.example of <3@third.example>\n" },
	{ "Subject: to =?utf-8?q?victim=40third.example?=\n", "Subject: to ***@third.example\n" },
	{ "victim@third.example: 1\n", "" },
	{ "Empty:\n", "Empty:\n" },
};

static void header_fields_are_masked_by_their_kind(void **state)
{
	struct mask *mask = ours();

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(HEADERS); i++) {
		gsize size = strlen(HEADERS[i].text);
		g_autofree char *text = g_memdup2(HEADERS[i].text, size);
		g_autoptr(GString) got = g_string_new(NULL);
		struct fields fields;
		struct field field;

		fields_init(&fields, text, size, FIELDS_STRICT);
		while (fields_next(&fields, &field))
			mask_field(mask, &field, got);
		check(&HEADERS[i], got->str);
	}
	mask_free(mask);
}

static void without_a_domain_of_ours_all_are_third_parties(void **state)
{
	struct mask *mask = mask_new();
	g_autofree char *got = mask_text(mask, "me@own.example victim@third.example");

	(void)state;
	assert_string_equal(got, "***@own.example ***@third.example");
	mask_free(mask);
}

/* What costs most when something is looked for again and again. */
static void time_is_linear(void **state)
{
	static const char *const UNITS[] = { "@", "a@b.example,", "\"@", "@(", "(@", "<@", "=?", "\"a", "%40",
		"@ ", ";z", "=40a", "a?", "for ", "@\"@", "a=", "<", "..." };
	static const char *const NAMES[] = { "To", "Received", "References", "List-Help", "DKIM-Signature",
		"Subject" };
	struct mask *mask = ours();

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(UNITS); i++) {
		g_autoptr(GString) text = g_string_new(NULL);
		gint64 start = cpu_time();

		while (text->len < 300000)
			g_string_append(text, UNITS[i]);
		for (gsize j = 0; j < G_N_ELEMENTS(NAMES); j++) {
			g_autoptr(GString) out = g_string_new(NULL);
			struct field field = { NAMES[j], strlen(NAMES[j]), text->str, text->len };

			mask_field(mask, &field, out);
		}
		if (cpu_time() - start > 5 * G_USEC_PER_SEC)
			fail_msg("%s takes %" G_GINT64_FORMAT " us", UNITS[i], cpu_time() - start);
	}
	mask_free(mask);
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
		cmocka_unit_test(local_parts_of_third_parties_are_masked_in_texts),
		cmocka_unit_test(an_address_without_a_domain_is_masked),
		cmocka_unit_test(header_fields_are_masked_by_their_kind),
		cmocka_unit_test(without_a_domain_of_ours_all_are_third_parties),
		cmocka_unit_test(time_is_linear),
	};

	return cmocka_run_group_tests(tests, init, NULL);
}
