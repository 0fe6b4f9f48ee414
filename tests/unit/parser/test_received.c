/* Received fields into queue ids, field by field and in mails. */
#include "parser/mail.h"
#include "parser/parse.h"
#include "parser/received.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct parser_limits LIMITS = PARSER_LIMITS_DEFAULT;

#define DATE "; Mon, 30 Nov 2026 10:00:00 +0000"

static const struct {
	const char *name, *field, *want;
} FIELDS[] = {
	{ "Exim, SMTP",
	    " from mail.example.org ([192.0.2.1])\n\tby mx.example.net with esmtps  (TLS1.3) tls "
	    "TLS_AES_256_GCM_SHA384\n\t(Exim 4.96)\n\t(envelope-from <a@example.org>)\n\tid "
	    "1vPQ5r-000A8E-2b\n\tfor dmarc@example.net;\n\tMon, 30 Nov 2026 10:00:00 +0000",
	    "1vPQ5r-000A8E-2b" },
	{ "Exim from 4.97 on, local",
	    " from root by mx.example.net with local (Exim 4.98) (envelope-from <root@mx.example.net>) id "
	    "1vPQ5r-00000000A8E-2bcd for x@example.net" DATE,
	    "1vPQ5r-00000000A8E-2bcd" },
	{ "Postfix, SMTP",
	    " from mail.example.org (unknown [192.0.2.1])\r\n\t(using TLSv1.3 with cipher X (256/256 "
	    "bits))\r\n"
	    "\t(No client certificate requested)\r\n\tby mx.example.net (Postfix) with ESMTPS id "
	    "4dKcZ15R3Xz1y\r\n\tfor <dmarc@example.net>" DATE,
	    "4dKcZ15R3Xz1y" },
	{ "Postfix, LMTP", "from x (x [::1]) by y (Postfix) with LMTP id 8F3C71A2B3" DATE, "8F3C71A2B3" },
	{ "Postfix, local", "by mx.example.net (Postfix, from userid 0) id 61F8A2C0" DATE, "61F8A2C0" },
	{ "Sendmail", "from a (b [192.0.2.1]) by c (8.17.1/8.17.1) with ESMTP id 5AUA00xy012345" DATE,
	    "5AUA00xy012345" },
	{ "another case", "FROM a BY b WITH LMTP ID 7" DATE, "7" },
	{ "a msg-id", "by a id <1.2@b.example>" DATE, "1.2@b.example" },
	{ "a string", "by a id \"1 2\"" DATE, NULL },
	{ "a string without blanks", "by a id \"12\"" DATE, "12" },
	{ "a comment before the id", "by a id (not this) 12(nor this)" DATE, "12" },
	{ "no date", "by a id 12", "12" },
	{ "a date at once", "by a id 12;x", "12" },
	{ "the first of two", "by a id 1 id 2" DATE, "1" },
	{ "a host that is called id", "from id (id [192.0.2.1]) by a with SMTP id 12" DATE, "12" },
	{ "a host that is called id, and no id", "from id by mx.example.net" DATE, NULL },
	{ "an id in a comment", "from a (id 13) by b" DATE, NULL },
	{ "an id in a string", "from \"a id 13\" by b" DATE, NULL },
	{ "an id behind the date", "by a; id 13", NULL },
	{ "a word that begins likewise", "by a ident 13" DATE, NULL },
	{ "qmail", "(qmail 1234 invoked by uid 0)" DATE, NULL },
	{ "no id", "from a by b" DATE, NULL },
	{ "no value", "by a id" DATE, NULL },
	{ "nothing", "", NULL },
	{ "brackets alone", "by a id <>" DATE, NULL },
	{ "one bracket", "by a id <" DATE, "<" },
	{ "a comment without an end", "by a id 12 (for b" DATE, "12" },
	{ "a comment without an end before it", "by a (id 12" DATE, NULL },
	{ "a string without an end", "by a id \"12" DATE, NULL },
	{ "a control character", "by a id 1\x1b[31m" DATE, NULL },
	{ "not ASCII", "by a id 1\xc3\xbc" DATE, NULL },
};

static void each_field_has_the_id_of_its_host(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(FIELDS); i++) {
		g_autofree char *id = received_id(FIELDS[i].field);

		if (g_strcmp0(id, FIELDS[i].want) != 0)
			fail_msg("%s: %s", FIELDS[i].name, id != NULL ? id : "none");
	}
}

static void an_id_that_is_too_long_is_none(void **state)
{
	(void)state;
	for (gsize size = RECEIVED_ID_MAX - 1; size <= RECEIVED_ID_MAX + 1; size++) {
		g_autofree char *word = g_strnfill(size, 'x');
		g_autofree char *field = g_strconcat("by a id ", word, DATE, NULL);
		g_autofree char *id = received_id(field);

		assert_int_equal(id != NULL, size <= RECEIVED_ID_MAX);
	}
}

/* -- in mails -- */

static gboolean on_header(gpointer user, const struct mail_header *mail, GError **error)
{
	char **id = user;

	(void)error;
	g_free(*id);
	*id = g_strdup(mail->queue_id);
	return TRUE;
}

static gboolean on_part(gpointer user, const struct mail_part *part, GError **error)
{
	(void)user;
	(void)part;
	(void)error;
	return TRUE;
}

static gboolean on_feedback(gpointer user, const struct mail_feedback *feedback, GError **error)
{
	(void)user;
	(void)feedback;
	(void)error;
	return TRUE;
}

static const struct {
	const char *name, *mail, *want;
} MAILS[] = {
	{ "the topmost field, that of our host",
	    "Return-path: <a@x>\nReceived: from b by c\n\tid ours" DATE
	    "\nReceived: from a by b id theirs" DATE "\nSubject: s\n\ntext\n",
	    "ours" },
	{ "no other than the topmost",
	    "Received: from b by c" DATE "\nReceived: from a by b id theirs" DATE "\nSubject: s\n\ntext\n",
	    NULL },
	{ "none", "From: a@x.example\nSubject: s\n\nReceived: by a id 1\n", NULL },
	{ "none of an inner mail",
	    "Subject: s\nMIME-Version: 1.0\nContent-Type: message/rfc822\n\nReceived: by a id 1" DATE
	    "\nSubject: t\n\ntext\n",
	    NULL },
};

static void a_mail_has_the_id_of_its_topmost_field(void **state)
{
	static const struct mail_visitor visitor = { on_header, on_part, on_feedback };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(MAILS); i++) {
		g_autofree char *id = g_strdup("not called");
		g_autoptr(GError) error = NULL;

		assert_true(mail_walk((const guint8 *)MAILS[i].mail, strlen(MAILS[i].mail), &LIMITS, NULL,
		    &visitor, &id, &error));
		if (g_strcmp0(id, MAILS[i].want) != 0)
			fail_msg("%s: %s", MAILS[i].name, id != NULL ? id : "none");
	}
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
		cmocka_unit_test(each_field_has_the_id_of_its_host),
		cmocka_unit_test(an_id_that_is_too_long_is_none),
		cmocka_unit_test(a_mail_has_the_id_of_its_topmost_field),
	};

	return cmocka_run_group_tests(tests, init, NULL);
}
