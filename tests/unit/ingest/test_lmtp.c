/*
 * test_lmtp.c - whole LMTP sessions: what the client sends, what it must hear, what mails must come out.
 *
 * Every session of the table runs in one piece, byte by byte and cut in two at each place. A number in a name
 * is that of the assertion it checks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/ingest/lmtp.h"

#define GREETING "220 mx.example ruad LMTP\r\n"
#define LHLO_1K                                                                                              \
	"250-mx.example\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"    \
	"250 SIZE 1000\r\n"
#define OPEN     GREETING LHLO_1K
#define SENDER   "250 2.1.0 sender ok\r\n"
#define RCPT     "250 2.1.5 recipient ok\r\n"
#define GO       "354 go ahead, end with CRLF.CRLF\r\n"
#define STORED   "250 2.0.0 stored\r\n"
#define FAILED   "451 4.3.0 cannot store it now, try again later\r\n"
#define OK       "250 2.0.0 ok\r\n"
#define BYE      "221 2.0.0 mx.example bye\r\n"
#define UNKNOWN  "550 5.1.1 no such mailbox here\r\n"
#define TOO_BIG  "552 5.3.4 mail too big\r\n"
#define BAD_FROM "501 5.1.7 bad sender address\r\n"
#define BAD_TO   "501 5.1.3 bad recipient address\r\n"
#define BAD_ARG  "501 5.5.4 bad argument\r\n"
#define BAD_LINE "500 5.5.2 command lines are text that ends with CRLF\r\n"
#define NO_RCPT  "503 5.5.1 no valid recipients\r\n"
#define NO_MAIL  "503 5.5.1 say MAIL first\r\n"
#define UNPARAM  "555 5.5.4 parameter not recognised\r\n"

#define START "LHLO me\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<dmarc-sum@x.example>\r\nDATA\r\n"
#define BEGUN OPEN SENDER RCPT GO
#define MAIL1 "from <a@b.example> to <dmarc-sum@x.example>: "

struct session_case {
	const char *name;
	const char *input;
	const char *output;
	const char *mails; /* one after another, as log_mail() writes them */
};

static const struct session_case sessions[] = {
	{ "assertion_62_lhlo_lists_the_extensions", "LHLO me\r\n", OPEN, "" },
	{ "assertion_62_helo_and_ehlo_get_500", "HELO me\r\nEHLO me\r\nehlo\r\n",
	    GREETING "500 5.5.1 this is LMTP: say LHLO\r\n500 5.5.1 this is LMTP: say LHLO\r\n"
		     "500 5.5.1 this is LMTP: say LHLO\r\n",
	    "" },
	{ "lhlo_wants_a_name", "LHLO\r\nLHLO  \r\n", GREETING BAD_ARG BAD_ARG, "" },
	{ "assertion_63_a_reply_for_each_accepted_recipient_in_order",
	    "LHLO me\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<dmarc-sum@x.example>\r\nRCPT "
	    "TO:<nobody@x.example>\r\n"
	    "RCPT TO:<dmarc-fail@x.example>\r\nDATA\r\nhi\r\n.\r\n",
	    OPEN SENDER RCPT UNKNOWN RCPT GO STORED FAILED,
	    "from <a@b.example> to <dmarc-sum@x.example> <dmarc-fail@x.example>: hi\r\n|" },
	{ "assertion_63_replies_follow_the_order_of_rcpt",
	    "LHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<dmarc-fail@x.example>\r\nRCPT "
	    "TO:<dmarc-sum@x.example>\r\nDATA\r\n.\r\n",
	    OPEN SENDER RCPT RCPT GO FAILED STORED,
	    "from <> to <dmarc-fail@x.example> <dmarc-sum@x.example>: |" },
	{ "assertion_63_the_same_recipient_twice_gets_two_replies",
	    "LHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<dmarc-sum@x.example>\r\nRCPT "
	    "TO:<dmarc-sum@x.example>\r\nDATA\r\n"
	    "hi\r\n.\r\n",
	    OPEN SENDER RCPT RCPT GO STORED STORED,
	    "from <> to <dmarc-sum@x.example> <dmarc-sum@x.example>: hi\r\n|" },
	{ "assertion_63_data_after_refused_recipients_is_503_and_the_session_goes_on",
	    "LHLO me\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<nobody@x.example>\r\nRCPT "
	    "TO:<none@x.example>\r\nDATA\r\n"
	    "RSET\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<dmarc-sum@x.example>\r\nDATA\r\nhi\r\n.\r\nQUIT\r\n",
	    OPEN SENDER UNKNOWN UNKNOWN NO_RCPT OK SENDER RCPT GO STORED BYE, MAIL1 "hi\r\n|" },
	{ "assertion_63_a_recipient_can_still_come_after_503",
	    "LHLO me\r\nMAIL FROM:<a@b.example>\r\nDATA\r\nRCPT TO:<dmarc-sum@x.example>\r\nDATA\r\n.\r\n",
	    OPEN SENDER NO_RCPT RCPT GO STORED, MAIL1 "|" },
	{ "assertion_64_dot_stuffing_is_taken_back", START "..\r\n..x\r\n.y\r\nz.\r\n...\r\n.\r\n",
	    BEGUN STORED, MAIL1 ".\r\n.x\r\ny\r\nz.\r\n..\r\n|" },
	{ "assertion_64_lf_dot_lf_does_not_end_data", START "a\n.\nb\n.\r\nc\r\n.\nd\r\n.\r\n", BEGUN STORED,
	    MAIL1 "a\n.\nb\n.\r\nc\r\n\nd\r\n|" },
	{ "assertion_64_cr_dot_cr_does_not_end_data", START "a\r.\rb\r\n.\rc\r\r\n.\r\r\n.\r\n", BEGUN STORED,
	    MAIL1 "a\r.\rb\r\n\rc\r\r\n\r\r\n|" },
	{ "assertion_64_bare_lf_and_bare_cr_are_kept", START "a\nb\rc\n\n.d\r\n.\r\n", BEGUN STORED,
	    MAIL1 "a\nb\rc\n\n.d\r\n|" },
	{ "assertion_64_no_command_is_read_out_of_a_smuggled_mail",
	    START "a\n.\r\nMAIL FROM:<evil@b.example>\r\n.\r\nNOOP\r\n", BEGUN STORED OK,
	    MAIL1 "a\n.\r\nMAIL FROM:<evil@b.example>\r\n|" },
	{ "assertion_64_an_empty_mail", START ".\r\n", BEGUN STORED, MAIL1 "|" },
	{ "assertion_64_quit_behind_the_dot_is_answered_last", START "hi\r\n.\r\nQUIT\r\nNOOP\r\n",
	    BEGUN STORED BYE, MAIL1 "hi\r\n|" },
	{ "assertion_65_size_over_the_limit_is_552_at_mail",
	    "LHLO me\r\nMAIL FROM:<a@b.example> SIZE=1001\r\nMAIL FROM:<a@b.example> "
	    "SIZE=99999999999999999999\r\n"
	    "MAIL FROM:<a@b.example> SIZE=1000\r\n",
	    OPEN TOO_BIG TOO_BIG SENDER, "" },
	{ "assertion_66_parameters_of_mail",
	    "LHLO me\r\nMAIL FROM:<> BODY=8BITMIME SMTPUTF8 SIZE=10\r\nRSET\r\nmail from: <a@b.example> "
	    "body=7bit\r\n",
	    OPEN SENDER OK SENDER, "" },
	{ "assertion_66_unknown_parameters_are_555",
	    "LHLO me\r\nMAIL FROM:<> RET=HDRS\r\nMAIL FROM:<> SIZE=1 AUTH=<>\r\nMAIL FROM:<> "
	    "BODY=BINARYMIME\r\n"
	    "MAIL FROM:<>\r\nRCPT TO:<dmarc-sum@x.example> NOTIFY=NEVER\r\nDATA\r\n",
	    OPEN UNPARAM UNPARAM UNPARAM SENDER UNPARAM NO_RCPT, "" },
	{ "assertion_66_bad_values_are_501",
	    "LHLO me\r\nMAIL FROM:<> SIZE=\r\nMAIL FROM:<> SIZE\r\nMAIL FROM:<> SIZE=-1\r\nMAIL FROM:<> "
	    "SIZE=1 SIZE=1\r\n"
	    "MAIL FROM:<> SIZE=100000000000000000000\r\nMAIL FROM:<> BODY=9BIT\r\nMAIL FROM:<> BODY\r\n"
	    "MAIL FROM:<> SMTPUTF8=1\r\nMAIL FROM:<> SMTPUTF8 SMTPUTF8\r\nMAIL FROM:<>x\r\n",
	    OPEN BAD_ARG BAD_ARG BAD_ARG BAD_ARG BAD_ARG BAD_ARG BAD_ARG BAD_ARG BAD_ARG BAD_FROM, "" },
	{ "assertion_66_addresses_in_utf8",
	    "LHLO me\r\nMAIL FROM:<j\xc3\xb6rg@b\xc3\xbc.example> SMTPUTF8\r\nRCPT "
	    "TO:<dmarc-\xc3\xbc@x.example>\r\n"
	    "RCPT TO:<dmarc-\xff@x.example>\r\nDATA\r\n.\r\n",
	    OPEN SENDER RCPT BAD_TO GO STORED,
	    "from <j\xc3\xb6rg@b\xc3\xbc.example> to <dmarc-\xc3\xbc@x.example>: |" },
	{ "senders_of_all_kinds",
	    "LHLO me\r\nMAIL FROM:<\"a b\"@c.example>\r\nRSET\r\nMAIL "
	    "FROM:<@r.example,@s.example:a@c.example>\r\nRSET\r\n"
	    "MAIL FROM:<a@[192.0.2.1]>\r\nRSET\r\nMAIL FROM:<root>\r\nRSET\r\n",
	    OPEN SENDER OK SENDER OK SENDER OK SENDER OK, "" },
	{ "bad_senders_are_501",
	    "LHLO me\r\nMAIL\r\nMAIL FROM\r\nMAIL FROM:\r\nMAIL FROM:a@b.example\r\nMAIL "
	    "FROM:<a@b.example\r\n"
	    "MAIL FROM:<a b@c.example>\r\nMAIL TO:<a@b.example>\r\nMAIL FROM:<@a>\r\nMAIL FROM:<a@>\r\n",
	    OPEN BAD_FROM BAD_FROM BAD_FROM BAD_FROM BAD_FROM BAD_FROM BAD_FROM BAD_FROM BAD_FROM, "" },
	{ "recipients_of_all_kinds",
	    "LHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<DMARC-Sum@X.example>\r\nRCPT "
	    "TO:<\"dmarc-sum\"@x.example>\r\n"
	    "RCPT TO:<@r.example:dmarc-sum@x.example>\r\nRCPT TO:<\"dmarc-sum@y\"@x.example>\r\nRCPT "
	    "TO:<Postmaster>\r\n"
	    "DATA\r\n.\r\n",
	    OPEN SENDER RCPT RCPT RCPT UNKNOWN UNKNOWN GO STORED STORED STORED,
	    "from <> to <DMARC-Sum@X.example> <dmarc-sum@x.example> <dmarc-sum@x.example>: |" },
	{ "bad_recipients_are_501",
	    "LHLO me\r\nMAIL FROM:<>\r\nRCPT\r\nRCPT TO:<>\r\nRCPT TO:<dmarc-sum>\r\nRCPT "
	    "TO:dmarc-sum@x.example\r\n"
	    "RCPT TO:<dmarc-sum@x.example\r\nRCPT FROM:<dmarc-sum@x.example>\r\nRCPT "
	    "TO:<dmarc-sum@x.example>y\r\n",
	    OPEN SENDER BAD_TO BAD_TO BAD_TO BAD_TO BAD_TO BAD_TO BAD_TO, "" },
	{ "commands_out_of_order_are_503",
	    "MAIL FROM:<>\r\nRCPT TO:<dmarc-sum@x.example>\r\nDATA\r\nLHLO me\r\nRCPT "
	    "TO:<dmarc-sum@x.example>\r\nDATA\r\n"
	    "MAIL FROM:<>\r\nMAIL FROM:<>\r\n",
	    GREETING
	    "503 5.5.1 say LHLO first\r\n503 5.5.1 say LHLO first\r\n503 5.5.1 say LHLO first\r\n" LHLO_1K
		NO_MAIL NO_MAIL SENDER "503 5.5.1 MAIL was already said\r\n",
	    "" },
	{ "rset_and_lhlo_end_the_transaction",
	    "LHLO me\r\nMAIL FROM:<>\r\nRSET\r\nRCPT TO:<dmarc-sum@x.example>\r\nMAIL FROM:<>\r\nLHLO me\r\n"
	    "RCPT TO:<dmarc-sum@x.example>\r\n",
	    OPEN SENDER OK NO_MAIL SENDER LHLO_1K NO_MAIL, "" },
	{ "recipients_of_one_mail_do_not_stay_for_the_next",
	    START "1\r\n.\r\nDATA\r\nMAIL FROM:<a@b.example>\r\nDATA\r\nRCPT "
		  "TO:<dmarc-sum@x.example>\r\nDATA\r\n2\r\n.\r\n",
	    BEGUN STORED NO_MAIL SENDER NO_RCPT RCPT GO STORED, MAIL1 "1\r\n|" MAIL1 "2\r\n|" },
	{ "the_small_commands",
	    "NOOP\r\nnoop with words\r\nHELP\r\nVRFY dmarc-sum\r\nVRFY\r\nRSET\r\nRSET now\r\nQUIT "
	    "now\r\nquit\r\n",
	    GREETING OK OK "214 2.0.0 LHLO MAIL RCPT DATA RSET NOOP VRFY HELP QUIT\r\n"
			   "252 2.0.0 send a mail to find out\r\n" BAD_ARG OK BAD_ARG BAD_ARG BYE,
	    "" },
	{ "data_takes_no_argument",
	    "LHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<dmarc-sum@x.example>\r\nDATA now\r\nRSET\r\n",
	    OPEN SENDER RCPT BAD_ARG OK, "" },
	{ "assertion_69_chunking_is_not_offered_and_bdat_is_unknown",
	    "LHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<dmarc-sum@x.example>\r\nBDAT 3 LAST\r\nNOOP\r\n",
	    OPEN SENDER RCPT "500 5.5.1 unknown command\r\n" OK, "" },
	{ "unknown_commands_are_500", "\r\nFOO\r\nBDAT 3 LAST\r\nSTARTTLS\r\nLHLOX me\r\nLHL\r\n M\r\n",
	    GREETING "500 5.5.1 unknown command\r\n500 5.5.1 unknown command\r\n500 5.5.1 unknown command\r\n"
		     "500 5.5.1 unknown command\r\n500 5.5.1 unknown command\r\n500 5.5.1 unknown command\r\n"
		     "500 5.5.1 unknown command\r\n",
	    "" },
	{ "a_command_line_with_bare_lf_or_cr_is_refused",
	    "NOOP\nNOOP\r\nNO\rOP\r\nNOOP\r\r\nNOOP\t\r\nNOOP\r\n",
	    GREETING BAD_LINE OK BAD_LINE BAD_LINE BAD_LINE OK, "" },
	{ "what_follows_quit_is_not_heard", "QUIT\r\nLHLO me\r\n", GREETING BYE, "" },
};

/* The other side: recipients dmarc-*@*, and dmarc-fail@ cannot be stored. */

struct client {
	struct lmtp *lmtp;
	GString *mails;
	gint64 number; /* of each mail */
};

static gboolean is_ours(gpointer user, const char *address)
{
	static const char *const patterns[] = { "dmarc-*@*", NULL };

	(void)user;
	return !strchr(address, '"') && lmtp_recipient_match(patterns, address);
}

static gint64 log_mail(gpointer user, const struct lmtp_mail *mail, enum lmtp_reply *replies)
{
	struct client *client = user;

	assert_true(mail->n_recipients >= 1);
	g_string_append_printf(client->mails, "from <%s> to", mail->from);
	for (guint i = 0; i < mail->n_recipients; i++) {
		assert_int_equal(replies[i], LMTP_FAILED);
		g_string_append_printf(client->mails, " <%s>", mail->recipients[i]);
		if (!g_str_has_prefix(mail->recipients[i], "dmarc-fail@"))
			replies[i] = LMTP_STORED;
	}
	assert_null(mail->recipients[mail->n_recipients]);
	g_string_append(client->mails, ": ");
	g_string_append_len(client->mails, (const char *)mail->content, (gssize)mail->size);
	g_string_append_c(client->mails, '|');
	return client->number;
}

static const struct lmtp_handler handler = { .recipient = is_ours, .mail = log_mail };

static void client_open(struct client *client, gsize max_message_size, guint max_recipients)
{
	struct lmtp_options options = {
		.name = "mx.example", .max_message_size = max_message_size, .max_recipients = max_recipients
	};

	client->mails = g_string_new(NULL);
	client->number = 0;
	client->lmtp = lmtp_new(&options, &handler, client);
}

static void client_close(struct client *client)
{
	lmtp_free(client->lmtp);
	g_string_free(client->mails, TRUE);
}

/* Send all of input in pieces of that size. */
static void client_send(struct client *client, const char *input, gsize size, gsize piece)
{
	for (gsize i = 0; i < size; i += piece)
		lmtp_input(client->lmtp, input + i, MIN(piece, size - i));
}

static void assert_heard(struct client *client, const char *output, const char *mails)
{
	assert_string_equal(lmtp_output(client->lmtp)->str, output);
	assert_string_equal(client->mails->str, mails);
}

static void session_runs(void **state)
{
	const struct session_case *row = *state;
	gsize size = strlen(row->input);

	for (gsize cut = 1; cut <= size; cut++) {
		struct client client;
		client_open(&client, 1000, 10);
		lmtp_input(client.lmtp, row->input, cut);
		lmtp_input(client.lmtp, row->input + cut, size - cut);
		assert_heard(&client, row->output, row->mails);
		client_close(&client);
	}
	struct client client;
	client_open(&client, 1000, 10);
	client_send(&client, row->input, size, 1);
	assert_heard(&client, row->output, row->mails);
	client_close(&client);
}

/* What is too long for a table: the session is made, then run in pieces of several sizes. */

static const gsize pieces[] = { 1, 2, 7, 4095, 64 * 1024, G_MAXSIZE / 2 };

static void session_runs_in_pieces(
    gsize max_message_size, guint max_recipients, const GString *input, const char *output, const char *mails)
{
	for (gsize i = 0; i < G_N_ELEMENTS(pieces); i++) {
		struct client client;
		client_open(&client, max_message_size, max_recipients);
		client_send(&client, input->str, input->len, pieces[i]);
		assert_heard(&client, output, mails);
		client_close(&client);
	}
}

static void append_times(GString *text, const char *what, gsize times)
{
	while (times-- > 0)
		g_string_append(text, what);
}

static void assertion_62_every_reply_is_shorter_than_200_octets(void **state)
{
	g_autofree char *long_name = g_strnfill(300, 'n');
	struct lmtp_options options = {
		.name = long_name, .max_message_size = G_MAXUINT32 / 2, .max_recipients = 1
	};
	struct lmtp *lmtp = lmtp_new(&options, &handler, NULL);

	(void)state;
	assert_in_range(lmtp_output(lmtp)->len, 1, LMTP_MAX_REPLY - 1);
	g_string_truncate(lmtp_output(lmtp), 0);
	lmtp_input(lmtp, "LHLO me\r\n", 9);
	assert_in_range(lmtp_output(lmtp)->len, 1, LMTP_MAX_REPLY - 1);
	lmtp_free(lmtp);
	for (guint i = 0; i < LMTP_REPLIES; i++) {
		g_autoptr(GString) line = g_string_new(NULL);
		g_autofree char *longest = g_strnfill(LMTP_MAX_NAME, 'n');
		lmtp_reply_append(line, i, longest);
		assert_in_range(line->len, strlen("250 \r\n"), LMTP_MAX_REPLY - 1);
	}
}

/* RFC 2034 section 4: the class of the enhanced code is that of the reply; the greeting and 354 have none. */
static void every_reply_has_an_enhanced_code_of_its_class(void **state)
{
	(void)state;
	for (guint i = 0; i < LMTP_REPLIES; i++) {
		g_autoptr(GString) line = g_string_new(NULL);
		lmtp_reply_append(line, i, "mx.example");
		if (i == LMTP_GREETING || i == LMTP_START_MAIL)
			continue;
		assert_true(g_regex_match_simple(
		    "^[245][0-9][0-9] [245]\\.[0-9]\\.[0-9] [ -~]+\r\n$", line->str, 0, 0));
		assert_int_equal(line->str[0], line->str[4]);
	}
}

static void assertion_65_a_mail_of_just_the_limit_passes_and_one_octet_more_is_drained(void **state)
{
	(void)state;
	for (gsize size = 999; size <= 1001; size++) {
		g_autoptr(GString) input = g_string_new(START);
		g_autoptr(GString) mails = g_string_new(NULL);
		g_autofree char *content = g_strnfill(size - 2, 'x');
		g_string_append_printf(input, "%s\r\n.\r\n", content);
		g_string_append(
		    input, "MAIL FROM:<a@b.example>\r\nRCPT TO:<dmarc-sum@x.example>\r\nDATA\r\nhi\r\n.\r\n");
		if (size <= 1000)
			g_string_append_printf(mails, MAIL1 "%s\r\n|", content);
		g_string_append(mails, MAIL1 "hi\r\n|");
		session_runs_in_pieces(1000, 10, input,
		    size <= 1000 ? BEGUN STORED SENDER RCPT GO STORED : BEGUN TOO_BIG SENDER RCPT GO STORED,
		    mails->str);
	}
}

static void assertion_65_a_mail_far_too_big_is_drained_and_refused_for_each_recipient(void **state)
{
	g_autoptr(GString) input =
	    g_string_new("LHLO me\r\nMAIL FROM:<a@b.example>\r\n"
			 "RCPT TO:<dmarc-sum@x.example>\r\nRCPT TO:<dmarc-fail@x.example>\r\nDATA\r\n");

	(void)state;
	append_times(input, "..QUIT\r\nQUIT\r\n\n.\nQUIT\r\n", 20000);
	g_string_append(input,
	    ".\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<dmarc-sum@x.example>\r\nDATA\r\nhi\r\n.\r\nQUIT\r\n");
	session_runs_in_pieces(1000, 10, input,
	    OPEN SENDER RCPT RCPT GO TOO_BIG TOO_BIG SENDER RCPT GO STORED BYE, MAIL1 "hi\r\n|");
}

static void assertion_68_a_line_of_a_mebibyte_passes(void **state)
{
	g_autofree char *line = g_strnfill(1024 * 1024, 'x');
	g_autofree char *mails = g_strdup_printf(MAIL1 "%s\r\n.%s|", line, "\r\n");
	g_autoptr(GString) input = g_string_new(START);
	g_autoptr(GString) output = g_string_new(BEGUN STORED);

	(void)state;
	g_string_append_printf(input, "%s\r\n..\r\n.\r\n", line);
	g_string_replace(output, "SIZE 1000", "SIZE 2097152", 0);
	session_runs_in_pieces(2 * 1024 * 1024, 10, input, output->str, mails);
}

static void assertion_68_recipients_past_the_cap_get_452_and_the_others_their_mail(void **state)
{
	g_autoptr(GString) input = g_string_new("LHLO me\r\nMAIL FROM:<>\r\n");
	g_autoptr(GString) output = g_string_new(OPEN SENDER);
	g_autoptr(GString) mails = g_string_new("from <> to");

	(void)state;
	for (guint i = 1; i <= 121; i++) {
		g_string_append_printf(input, "RCPT TO:<dmarc-%u@x.example>\r\n", i);
		g_string_append(output, i <= 120 ? RCPT : "452 4.5.3 too many recipients\r\n");
		if (i <= 120)
			g_string_append_printf(mails, " <dmarc-%u@x.example>", i);
	}
	g_string_append(input, "RCPT TO:<nobody@x.example>\r\nDATA\r\nhi\r\n.\r\n");
	g_string_append(output, UNKNOWN GO);
	append_times(output, STORED, 120);
	g_string_append(mails, ": hi\r\n|");
	session_runs_in_pieces(1000, 120, input, output->str, mails->str);
}

static void assertion_68_a_burst_of_many_mails_is_the_same_as_byte_by_byte(void **state)
{
	g_autoptr(GString) input = g_string_new("LHLO me\r\n");
	g_autoptr(GString) output = g_string_new(OPEN);
	g_autoptr(GString) mails = g_string_new(NULL);

	(void)state;
	for (guint i = 0; i < 2000; i++) {
		g_string_append_printf(input,
		    "MAIL FROM:<a@b.example>\r\nRCPT TO:<dmarc-sum@x.example>\r\nDATA\r\n%u\r\n..%u\r\n.\r\n",
		    i, i);
		g_string_append(output, SENDER RCPT GO STORED);
		g_string_append_printf(mails, MAIL1 "%u\r\n.%u\r\n|", i, i);
	}
	session_runs_in_pieces(1000, 10, input, output->str, mails->str);
}

static void a_command_line_over_the_limit_is_refused_and_the_next_is_read(void **state)
{
	(void)state;
	for (gsize size = LMTP_MAX_LINE - 1; size <= LMTP_MAX_LINE + 1; size++) {
		g_autoptr(GString) input = g_string_new("NOOP ");
		append_times(input, "x", size - strlen("NOOP \r\n"));
		g_string_append(input, "\r\nNOOP\r\n");
		session_runs_in_pieces(1000, 10, input,
		    size <= LMTP_MAX_LINE ? GREETING OK OK
					  : GREETING "500 5.5.2 command line too long\r\n" OK,
		    "");
	}
}

static void a_command_line_without_end_takes_no_memory(void **state)
{
	g_autoptr(GString) input = g_string_new(NULL);

	(void)state;
	append_times(input, "QUIT ", 100000);
	g_string_append(input, "\r\nNOOP\r\n");
	session_runs_in_pieces(1000, 10, input, GREETING "500 5.5.2 command line too long\r\n" OK, "");
}

static void a_nul_in_a_command_is_refused(void **state)
{
	const char bytes[] = "NOOP\0 x\r\nNOOP\r\n";
	g_autoptr(GString) input = g_string_new_len(bytes, sizeof bytes - 1);

	(void)state;
	session_runs_in_pieces(1000, 10, input, GREETING BAD_LINE OK, "");
}

static void a_nul_in_a_mail_is_kept(void **state)
{
	const char bytes[] = START "a\0b\r\n.\r\n";
	struct client client;

	(void)state;
	client_open(&client, 1000, 10);
	client_send(&client, bytes, sizeof bytes - 1, 1);
	assert_int_equal(client.mails->len, strlen(MAIL1) + strlen("a.b\r\n|"));
	assert_memory_equal(client.mails->str + strlen(MAIL1), "a\0b\r\n|", strlen("a.b\r\n|"));
	client_close(&client);
}

static void a_session_closed_from_our_side_says_why_and_hears_nothing_more(void **state)
{
	struct client client;

	(void)state;
	client_open(&client, 1000, 10);
	client_send(&client, "LHLO me\r\nMAIL FROM:<>\r\n", 23, 23);
	assert_false(lmtp_in_data(client.lmtp));
	lmtp_close(client.lmtp, LMTP_SHUTTING_DOWN);
	lmtp_close(client.lmtp, LMTP_TIMEOUT);
	assert_true(lmtp_ended(client.lmtp));
	client_send(&client, "NOOP\r\n", 6, 6);
	assert_heard(&client, OPEN SENDER "421 4.3.2 mx.example shutting down\r\n", "");
	client_close(&client);
}

static void the_session_knows_when_a_mail_is_under_way(void **state)
{
	struct client client;

	(void)state;
	client_open(&client, 1000, 10);
	client_send(&client, START, strlen(START), G_MAXSIZE / 2);
	assert_true(lmtp_in_data(client.lmtp));
	client_send(&client, "hi\r\n.\r\n", 7, 7);
	assert_false(lmtp_in_data(client.lmtp));
	assert_false(lmtp_ended(client.lmtp));
	client_close(&client);
}

static const struct {
	const char *path;
	const char *address; /* NULL: refused */
} addresses[] = {
	{ "<>", "" },
	{ "<a@b>", "a@b" },
	{ "<A@B.Example>", "A@B.Example" },
	{ "<a@b.>", "a@b." },
	{ "<a.b+c=d/e@b>", "a.b+c=d/e@b" },
	{ "<a..b.@c>", "a..b.@c" },
	{ "<Postmaster>", "Postmaster" },
	{ "<\"a\"@b>", "a@b" },
	{ "<\"a\\b\"@c>", "ab@c" },
	{ "<\"a b\"@c>", "\"a b\"@c" },
	{ "<\"a@b\"@c>", "\"a@b\"@c" },
	{ "<\"a\\\"\\\\\"@c>", "\"a\\\"\\\\\"@c" },
	{ "<\"\"@c>", "\"\"@c" },
	{ "<\"<>\"@c>", "\"<>\"@c" },
	{ "<a@[192.0.2.1]>", "a@[192.0.2.1]" },
	{ "<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]" },
	{ "<@x:a@b>", "a@b" },
	{ "<@x,@y.z:a@b>", "a@b" },
	{ "<@[192.0.2.1]:\"a\"@b>", "a@b" },
	{ "<\xc3\xbc@\xc3\xbc>", "\xc3\xbc@\xc3\xbc" },
	{ "", NULL },
	{ "<", NULL },
	{ "a@b", NULL },
	{ "<a@b", NULL },
	{ "<a@>", NULL },
	{ "<@b>", NULL },
	{ "<@>", NULL },
	{ "<@b:>", NULL },
	{ "<@b,a@c>", NULL },
	{ "<@b,:a@c>", NULL },
	{ "<@b", NULL },
	{ "<a@.b>", NULL },
	{ "<a@b@c>", NULL },
	{ "<a b@c>", NULL },
	{ "<a@b c>", NULL },
	{ "<a,b@c>", NULL },
	{ "<\"a@c>", NULL },
	{ "<\"a\\", NULL },
	{ "<\"a\"b@c>", NULL },
	{ "<a@[192.0.2.1>", NULL },
	{ "<a@[192.0.2.1]x>", NULL },
	{ "<\xff@c>", NULL },
	{ "<\"\xff\"@c>", NULL },
	{ "<\"\\\xc3\xbc\"@c>", "\xc3\xbc@c" },
};

static void addresses_are_read_by_the_grammar(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(addresses); i++) {
		const char *end = NULL;
		g_autofree char *text = g_strconcat(addresses[i].path, " rest", NULL);
		g_autofree char *address = lmtp_address_parse(text, &end);
		if (g_strcmp0(address, addresses[i].address) != 0)
			fail_msg("%s is read as %s", addresses[i].path, address ? address : "nothing");
		if (address)
			assert_string_equal(end, " rest");
	}
}

static const struct {
	const char *pattern;
	const char *address;
	gboolean match;
} matches[] = {
	{ "dmarc-sum@*", "dmarc-sum@example.com", TRUE },
	{ "dmarc-sum@*", "DMARC-Sum@Example.COM", TRUE },
	{ "DMARC-sum@*", "dmarc-sum@example.com", TRUE },
	{ "dmarc-sum@*", "xdmarc-sum@example.com", FALSE },
	{ "dmarc-sum@*", "dmarc-sum+x@example.com", FALSE },
	{ "dmarc-sum@*", "dmarc-sum", FALSE },
	{ "dmarc-sum@*", "\"dmarc-sum@y\"@example.com", FALSE },
	{ "dmarc-*@*", "dmarc-full@example.com", TRUE },
	{ "*@reports.example", "x@reports.example", TRUE },
	{ "*@reports.example", "x@sub.reports.example", FALSE },
	{ "*@*.example", "x@sub.reports.example", TRUE },
	{ "rua-?@x.example", "rua-1@x.example", TRUE },
	{ "rua-?@x.example", "rua-12@x.example", FALSE },
	{ "rua@x.example", "rua@x.example", TRUE },
	{ "rua@x.example", "rua@x.example.net", FALSE },
	{ "rua@x.example", "rua@xxexample", FALSE },
	{ "postmaster", "Postmaster", TRUE },
	{ "\xc3\xbc@*", "\xc3\xbc@x", TRUE },
	{ "*", "a@b", TRUE },
	{ "", "a@b", FALSE },
};

static void recipients_match_patterns(void **state)
{
	const char *const none[] = { NULL };
	const char *const several[] = { "a@*", "b@*", NULL };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(matches); i++) {
		const char *const patterns[] = { matches[i].pattern, NULL };
		if (lmtp_recipient_match(patterns, matches[i].address) != matches[i].match)
			fail_msg("%s and %s", matches[i].pattern, matches[i].address);
	}
	assert_false(lmtp_recipient_match(none, "a@b"));
	assert_true(lmtp_recipient_match(several, "b@x"));
	assert_false(lmtp_recipient_match(several, "c@x"));
}

static void a_name_longer_than_64_octets_is_cut_off(void **state)
{
	(void)state;
	for (gsize size = LMTP_MAX_NAME - 1; size <= LMTP_MAX_NAME + 1; size++) {
		g_autofree char *name = g_strnfill(size, 'n');
		g_autofree char *said = g_strndup(name, LMTP_MAX_NAME);
		g_autofree char *want = g_strdup_printf("220 %s ruad LMTP\r\n250-%s\r\n", said, said);
		const struct lmtp_options options = {
			.name = name, .max_message_size = 1, .max_recipients = 1
		};
		struct lmtp *lmtp = lmtp_new(&options, &handler, NULL);

		lmtp_input(lmtp, "LHLO me\r\n", 9);
		assert_true(g_str_has_prefix(lmtp_output(lmtp)->str, want));
		lmtp_free(lmtp);
	}
	lmtp_free(NULL);
}

static void lhlo_offers_the_limit_as_size(void **state)
{
	static const gsize sizes[] = { 1, 1000, G_MAXUINT32 / 2 };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_autofree char *want = g_strdup_printf("\r\n250 SIZE %" G_GSIZE_FORMAT "\r\n", sizes[i]);
		struct client client;

		client_open(&client, sizes[i], 1);
		client_send(&client, "LHLO me\r\n", 9, 9);
		assert_true(g_str_has_suffix(lmtp_output(client.lmtp)->str, want));
		client_close(&client);
	}
}

/* Content as sent, for a limit of 5 octets, and the mail as received. */
static const struct {
	const char *name;
	const char *content;
	const char *mail; /* NULL: too big */
} limited[] = {
	{ "nothing", "", "" },
	{ "one octet less", "ab\r\n", "ab\r\n" },
	{ "just the limit", "abc\r\n", "abc\r\n" },
	{ "one octet more", "abcd\r\n", NULL },
	{ "stuffed dots do not count", "..a\r\n..\r\n", NULL },
	{ "a stuffed dot does not count", "..ab\r\n", ".ab\r\n" },
	{ "nor does a dot that is left out", ".abc\r\n", "abc\r\n" },
	{ "a dot and a bare CR", "ab\r\n.\rx\r\n", NULL },
	{ "a dot and a bare CR at the end", ".\r\rab\r\n", NULL },
	{ "a bare CR within the limit", ".\rab\r\n", "\rab\r\n" },
	{ "short lines", "\r\na\r\n", "\r\na\r\n" },
	{ "short lines, one more", "\r\n\r\na\r\n", NULL },
	{ "far more in lines that would fit", "a\r\nb\r\nc\r\nd\r\n", NULL },
};

static void the_size_limit_counts_octets_without_dot_stuffing(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(limited); i++) {
		for (gsize piece = 1; piece <= 3; piece++) {
			g_autofree char *input =
			    g_strconcat(START, limited[i].content, ".\r\nNOOP\r\n", NULL);
			g_autofree char *mails =
			    limited[i].mail ? g_strconcat(MAIL1, limited[i].mail, "|", NULL) : g_strdup("");
			struct client client;

			client_open(&client, 5, 10);
			client_send(&client, input, strlen(input), piece);
			if (strcmp(client.mails->str, mails) != 0)
				fail_msg("%s: %s", limited[i].name, client.mails->str);
			assert_true(g_str_has_suffix(
			    lmtp_output(client.lmtp)->str, limited[i].mail ? GO STORED OK : GO TOO_BIG OK));
			assert_false(lmtp_in_data(client.lmtp));
			client_close(&client);
		}
	}
}

static void a_size_of_20_digits_is_too_big_and_one_of_21_is_a_bad_argument(void **state)
{
	static const struct {
		const char *size;
		const char *reply;
	} table[] = {
		{ "0", SENDER },
		{ "00000000000000000001", SENDER },
		{ "2147483647", SENDER },
		{ "2147483648", TOO_BIG },
		{ "4294967296", TOO_BIG },
		{ "18446744073709551615", TOO_BIG },
		{ "18446744073709551616", TOO_BIG },
		{ "99999999999999999999", TOO_BIG },
		{ "000000000000000000001", BAD_ARG }, /* 21 digits */
		{ "+1", BAD_ARG },
		{ "0x1", BAD_ARG },
		{ "1k", BAD_ARG },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
		g_autofree char *input =
		    g_strdup_printf("LHLO me\r\nMAIL FROM:<> SIZE=%s\r\n", table[i].size);
		struct client client;

		client_open(&client, G_MAXUINT32 / 2, 10);
		client_send(&client, input, strlen(input), 1);
		if (!g_str_has_suffix(lmtp_output(client.lmtp)->str, table[i].reply))
			fail_msg("SIZE=%s: %s", table[i].size, lmtp_output(client.lmtp)->str);
		client_close(&client);
	}
}

static void refused_recipients_do_not_count_towards_the_cap(void **state)
{
	static const char input[] =
	    "LHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<nobody@x.example>\r\nRCPT TO:<bad\r\n"
	    "RCPT TO:<dmarc-1@x.example>\r\nRCPT TO:<dmarc-2@x.example>\r\n"
	    "RCPT TO:<dmarc-3@x.example>\r\nDATA\r\n.\r\n";
	struct client client;

	(void)state;
	client_open(&client, 1000, 2);
	client_send(&client, input, strlen(input), 7);
	assert_heard(&client,
	    OPEN SENDER UNKNOWN BAD_TO RCPT RCPT "452 4.5.3 too many recipients\r\n" GO STORED STORED,
	    "from <> to <dmarc-1@x.example> <dmarc-2@x.example>: |");
	client_close(&client);
}

static void the_cap_on_recipients_starts_anew_with_each_mail(void **state)
{
	static const char *const ends[] = { "DATA\r\n.\r\n", "RSET\r\n", "LHLO me\r\n" };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
		g_autofree char *input = g_strconcat(
		    "LHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<dmarc-1@x.example>\r\n", ends[i],
		    "MAIL FROM:<>\r\nRCPT TO:<dmarc-2@x.example>\r\nRCPT TO:<dmarc-3@x.example>\r\n", NULL);
		struct client client;

		client_open(&client, 1000, 1);
		client_send(&client, input, strlen(input), strlen(input));
		assert_true(g_str_has_suffix(
		    lmtp_output(client.lmtp)->str, SENDER RCPT "452 4.5.3 too many recipients\r\n"));
		client_close(&client);
	}
}

static void a_session_closed_within_a_mail_discards_it(void **state)
{
	struct client client;

	(void)state;
	client_open(&client, 1000, 10);
	client_send(&client, START "half", strlen(START "half"), 7);
	assert_true(lmtp_in_data(client.lmtp));
	lmtp_close(client.lmtp, LMTP_TIMEOUT);
	assert_true(lmtp_ended(client.lmtp));
	assert_false(lmtp_in_data(client.lmtp));
	client_send(&client, "\r\n.\r\n", 5, 5);
	assert_heard(&client, BEGUN "421 4.4.2 mx.example silent for too long\r\n", "");
	client_close(&client);
}

static void closing_a_session_after_quit_has_no_effect(void **state)
{
	struct client client;

	(void)state;
	client_open(&client, 1000, 10);
	client_send(&client, "QUIT\r\n", 6, 6);
	lmtp_close(client.lmtp, LMTP_SHUTTING_DOWN);
	assert_heard(&client, GREETING BYE, "");
	client_close(&client);
}

static void output_that_the_caller_truncated_is_not_repeated(void **state)
{
	struct client client;

	(void)state;
	client_open(&client, 1000, 10);
	g_string_truncate(lmtp_output(client.lmtp), 0);
	client_send(&client, "NOOP\r\n", 6, 6);
	assert_heard(&client, OK, "");
	client_close(&client);
}

/* Three lines of one, two and three times the limit; the second ends with a bare LF. */
static void each_line_that_is_too_long_has_one_reply(void **state)
{
	g_autoptr(GString) input = g_string_new(NULL);

	(void)state;
	for (guint i = 0; i < 3; i++) {
		append_times(input, "x", (gsize)LMTP_MAX_LINE * (i + 1));
		g_string_append(input, i == 1 ? "\n" : "\r\n");
	}
	g_string_append(input, "NOOP\r\n");
	session_runs_in_pieces(1000, 10, input,
	    GREETING "500 5.5.2 command line too long\r\n500 5.5.2 command line too long\r\n"
		     "500 5.5.2 command line too long\r\n" OK,
	    "");
}

static void every_control_character_in_a_command_is_refused(void **state)
{
	(void)state;
	for (int c = 1; c < 256; c++) {
		const char input[] = { 'N', 'O', 'O', 'P', ' ', (char)c, '\r', '\n', '\0' };
		struct client client;

		if (c == '\n')
			continue;
		client_open(&client, 1000, 10);
		client_send(&client, input, strlen(input), strlen(input));
		if (strcmp(lmtp_output(client.lmtp)->str,
			c < 32 || c == 127 ? GREETING BAD_LINE : GREETING OK) != 0)
			fail_msg("character %d: %s", c, lmtp_output(client.lmtp)->str);
		client_close(&client);
	}
}

static void local_parts_allow_exactly_atext_and_dots(void **state)
{
	(void)state;
	for (int c = 1; c < 128; c++) {
		const char path[] = { '<', 'a', (char)c, 'b', '@', 'c', '>', '\0' };
		const char *end = path;
		g_autofree char *address = lmtp_address_parse(path, &end); /* '>' ends the path early */
		gboolean good = g_ascii_isalnum(c) || strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL;

		if ((address != NULL && *end == '\0') != good)
			fail_msg("character %d", c);
	}
}

static void commands_without_a_mail_are_counted(void **state)
{
	static const char greeting[] = "LHLO me\r\n";
	static const char *const useless[] = { "NOOP\r\n", "RSET\r\n", "XYZ\r\n", "LHLO me\r\n", "\n",
		"VRFY x\r\n", "MAIL FROM:<a@b.example>\r\nRSET\r\n", "RCPT TO:<dmarc-sum@example.com>\r\n" };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(useless); i++) {
		struct client client;
		client_open(&client, 1000, 10);
		lmtp_input(client.lmtp, greeting, strlen(greeting)); /* is one, too */
		for (guint n = 1; n < LMTP_MAX_USELESS; n++)
			lmtp_input(client.lmtp, useless[i], strlen(useless[i]));
		assert_false(lmtp_ended(client.lmtp));
		lmtp_input(client.lmtp, useless[i], strlen(useless[i]));
		assert_true(lmtp_ended(client.lmtp));
		assert_true(g_str_has_suffix(lmtp_output(client.lmtp)->str,
		    "421 4.7.0 mx.example too many commands without a mail\r\n"));
		client_close(&client);
	}
}

/* As many mails with as many recipients as one likes. */
static void commands_of_mails_are_not_counted(void **state)
{
	static const char before[] = "RSET\r\nMAIL FROM:<a@b.example>\r\n",
			  rcpt[] = "RCPT TO:<dmarc-sum@example.com>\r\n", after[] = "DATA\r\n.\r\n",
			  greeting[] = "LHLO me\r\n";
	struct client client;

	(void)state;
	client_open(&client, 1000, 1000);
	lmtp_input(client.lmtp, greeting, strlen(greeting));
	for (guint mail = 0; mail < 2 * LMTP_MAX_USELESS; mail++) {
		lmtp_input(client.lmtp, before, strlen(before));
		for (guint n = 0; n < 2; n++)
			lmtp_input(client.lmtp, rcpt, strlen(rcpt));
		lmtp_input(client.lmtp, after, strlen(after));
	}
	assert_false(lmtp_ended(client.lmtp));
	client_close(&client);
}

struct rooms {
	GString *asked;
	gsize most;
};

static gboolean note_room(gpointer user, gsize size)
{
	struct rooms *rooms = user;

	g_string_append_printf(rooms->asked, "%" G_GSIZE_FORMAT " ", size / LMTP_SMALL_MAIL);
	return size <= rooms->most;
}

static gboolean is_anyones(gpointer user, const char *address)
{
	(void)user;
	return address != NULL;
}

static void a_stored_mail_has_its_number_in_each_reply(void **state)
{
	static const char begin[] =
	    "LHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<dmarc-a@b.example>\r\nRCPT TO:<dmarc-fail@b.example>\r\n"
	    "RCPT TO:<dmarc-c@b.example>\r\nDATA\r\n";
	struct client client;

	(void)state;
	client_open(&client, 1000, 10);
	client.number = G_MAXINT64;
	lmtp_input(client.lmtp, begin, strlen(begin));
	g_string_truncate(lmtp_output(client.lmtp), 0);
	lmtp_input(client.lmtp, ".\r\n", 3);
	assert_string_equal(lmtp_output(client.lmtp)->str,
	    "250 2.0.0 stored as mail 9223372036854775807\r\n"
	    "451 4.3.0 cannot store it now, try again later\r\n"
	    "250 2.0.0 stored as mail 9223372036854775807\r\n");
	client_close(&client);
}

static gint64 take_any(gpointer user, const struct lmtp_mail *mail, enum lmtp_reply *replies)
{
	(void)user;
	assert_true(mail->size > 0);
	replies[0] = LMTP_STORED;
	return 0;
}

/* Room is asked for in powers of two beyond a MiB, and given back at the end of the mail. */
static void room_is_asked_for_content_beyond_a_mebibyte(void **state)
{
	static const struct lmtp_handler asking = {
		.room = note_room, .recipient = is_anyones, .mail = take_any
	};
	static const struct {
		gsize size, most; /* MiB; most: that there is */
		const char *asked;
		const char *reply;
	} rows[] = {
		{ 1, 0, "", "250 2.0.0 stored\r\n" },
		{ 2, 2, "2 0 ", "250 2.0.0 stored\r\n" },
		{ 5, 8, "2 4 8 0 ", "250 2.0.0 stored\r\n" },
		{ 5, 7, "2 4 8 0 ", "452 4.3.1 no memory for it now, try again later\r\n" },
		{ 5, 1, "2 ", "452 4.3.1 no memory for it now, try again later\r\n" },
		{ 9, 16, "2 4 8 0 ", "552 5.3.4 mail too big\r\n" },
	};
	static const char begin[] = "LHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n";

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const struct lmtp_options options = {
			.name = "mx.example", .max_message_size = 8 * LMTP_SMALL_MAIL, .max_recipients = 1
		};
		struct rooms rooms = { .asked = g_string_new(NULL), .most = rows[i].most * LMTP_SMALL_MAIL };
		struct lmtp *lmtp = lmtp_new(&options, &asking, &rooms);
		g_autofree char *content = g_strnfill(64 * 1024, 'a');

		lmtp_input(lmtp, begin, strlen(begin));
		for (gsize n = 0; n < rows[i].size * 16; n++)
			lmtp_input(lmtp, content, n == rows[i].size * 16 - 1 ? 64 * 1024 - 2 : 64 * 1024);
		g_string_truncate(lmtp_output(lmtp), 0);
		lmtp_input(lmtp, "\r\n.\r\n", 5);
		assert_string_equal(lmtp_output(lmtp)->str, rows[i].reply);
		assert_string_equal(rooms.asked->str, rows[i].asked);
		lmtp_free(lmtp);
		g_string_free(rooms.asked, TRUE);
	}
}

int main(void)
{
	const struct CMUnitTest others[] = {
		cmocka_unit_test(assertion_62_every_reply_is_shorter_than_200_octets),
		cmocka_unit_test(commands_without_a_mail_are_counted),
		cmocka_unit_test(commands_of_mails_are_not_counted),
		cmocka_unit_test(a_stored_mail_has_its_number_in_each_reply),
		cmocka_unit_test(room_is_asked_for_content_beyond_a_mebibyte),
		cmocka_unit_test(every_reply_has_an_enhanced_code_of_its_class),
		cmocka_unit_test(assertion_65_a_mail_of_just_the_limit_passes_and_one_octet_more_is_drained),
		cmocka_unit_test(assertion_65_a_mail_far_too_big_is_drained_and_refused_for_each_recipient),
		cmocka_unit_test(assertion_68_a_line_of_a_mebibyte_passes),
		cmocka_unit_test(assertion_68_recipients_past_the_cap_get_452_and_the_others_their_mail),
		cmocka_unit_test(assertion_68_a_burst_of_many_mails_is_the_same_as_byte_by_byte),
		cmocka_unit_test(a_command_line_over_the_limit_is_refused_and_the_next_is_read),
		cmocka_unit_test(a_command_line_without_end_takes_no_memory),
		cmocka_unit_test(a_nul_in_a_command_is_refused),
		cmocka_unit_test(a_nul_in_a_mail_is_kept),
		cmocka_unit_test(a_session_closed_from_our_side_says_why_and_hears_nothing_more),
		cmocka_unit_test(the_session_knows_when_a_mail_is_under_way),
		cmocka_unit_test(addresses_are_read_by_the_grammar),
		cmocka_unit_test(recipients_match_patterns),
		cmocka_unit_test(a_name_longer_than_64_octets_is_cut_off),
		cmocka_unit_test(lhlo_offers_the_limit_as_size),
		cmocka_unit_test(the_size_limit_counts_octets_without_dot_stuffing),
		cmocka_unit_test(a_size_of_20_digits_is_too_big_and_one_of_21_is_a_bad_argument),
		cmocka_unit_test(refused_recipients_do_not_count_towards_the_cap),
		cmocka_unit_test(the_cap_on_recipients_starts_anew_with_each_mail),
		cmocka_unit_test(a_session_closed_within_a_mail_discards_it),
		cmocka_unit_test(closing_a_session_after_quit_has_no_effect),
		cmocka_unit_test(output_that_the_caller_truncated_is_not_repeated),
		cmocka_unit_test(each_line_that_is_too_long_has_one_reply),
		cmocka_unit_test(every_control_character_in_a_command_is_refused),
		cmocka_unit_test(local_parts_allow_exactly_atext_and_dots),
	};
	struct CMUnitTest table[G_N_ELEMENTS(sessions)];

	for (gsize i = 0; i < G_N_ELEMENTS(sessions); i++)
		table[i] = (struct CMUnitTest){ .name = sessions[i].name,
			.test_func = session_runs,
			.initial_state = (void *)&sessions[i] };
	return cmocka_run_group_tests_name("sessions", table, NULL, NULL) +
	       cmocka_run_group_tests_name("lmtp", others, NULL, NULL);
}
