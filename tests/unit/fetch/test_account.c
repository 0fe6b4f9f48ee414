/*
 * test_account.c - which settings make an IMAP account, and what is wrong with the others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "server/fetch/account.h"

/* Settings of a good account with others after them: "key=value;key=value". */
static struct settings *settings_with(const char *more)
{
	g_autofree char *all =
	    g_strconcat("imap.url=imaps://mail.example.com;imap.user=me@example.com;imap.password=secret",
		*more ? ";" : "", more, NULL);
	g_auto(GStrv) overrides = g_strsplit(all, ";", -1);
	struct settings *settings;

	g_setenv(SETTINGS_FILE_VARIABLE, "", TRUE);
	settings = settings_load(NULL, (const char *const *)overrides, NULL);
	assert_non_null(settings);
	return settings;
}

/* NULL if the account is good. Transfer full. */
static char *fault_of(const char *more)
{
	struct settings *settings = settings_with(more);
	g_autoptr(GError) error = NULL;
	struct account *account = account_new(settings, &error);

	account_free(account);
	settings_free(settings);
	return account != NULL ? NULL : g_strdup(error->message);
}

static const struct {
	const char *settings;
	const char *fault; /* that the message begins with; NULL: none */
} cases[] = {
	{ "", NULL },
	{ "imap.url=imaps://mail.example.com:9993/", NULL },
	{ "imap.url=imap://mail.example.com", NULL },
	{ "imap.url=imaps://[2001:db8::1]:993", NULL },
	{ "imap.url=imap://127.0.0.1:1143;imap.tls=none", NULL },
	{ "imap.url=imap://[::1];imap.tls=none", NULL },
	{ "imap.url=imap://localhost;imap.tls=none", NULL },
	{ "imap.url=imap://mail.example.com;imap.tls=none", "imap.tls: none is only for" },
	{ "imap.url=imaps://127.0.0.1;imap.tls=none", "imap.tls: none is only for" },
	{ "imap.url=mail.example.com", "imap.url: \"mail.example.com\": write imaps://HOST" },
	{ "imap.url=https://mail.example.com", "imap.url: " },
	{ "imap.url=imaps://", "imap.url: " },
	{ "imap.url=imaps://me:secret@mail.example.com", "imap.url: " },
	{ "imap.url=imaps://mail.example.com/INBOX", "imap.url: " },
	{ "imap.url=imaps://mail.example.com?x", "imap.url: " },
	{ "imap.url=imaps://mail.example.com:99999", "imap.url: " },
	{ "imap.user=", "imap.user: empty" },
	{ "imap.password=", "imap.password: set imap.password_file or imap.token_command" },
	{ "imap.token_command=print token", "imap.password: set" },
	{ "imap.password=;imap.token_command=print token", NULL },
	{ "imap.password=;imap.token_command=print 'token", "imap.token_command: " },
	{ "imap.after=move:Stored reports", NULL },
	{ "imap.after=delete", NULL },
	{ "imap.after=move:", "imap.after: \"\": not the name of a mailbox" },
	{ "imap.after=move", "imap.after: \"move\": none of: mark, move:FOLDER, delete" },
	{ "imap.after=Mark", "imap.after: " },
	{ "imap.mailbox=", "imap.mailbox: " },
	{ "imap.mailbox=Entw\303\274rfe", "imap.mailbox: " },
	{ "imap.mailbox=Entw&APw-rfe", NULL },
};

static void settings_make_an_account_or_the_message_names_the_key(void **state G_GNUC_UNUSED)
{
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *fault = fault_of(cases[i].settings);

		if ((fault == NULL) != (cases[i].fault == NULL) ||
		    (fault != NULL && !g_str_has_prefix(fault, cases[i].fault)))
			fail_msg("%s: %s", cases[i].settings, fault != NULL ? fault : "no fault");
	}
}

static void an_account_has_what_its_settings_say(void **state G_GNUC_UNUSED)
{
	struct settings *settings = settings_with(
	    "imap.password=;imap.token_command=/bin/echo 'a b';imap.after=move:A \"b\";imap.poll=1h");
	struct account *account = account_new(settings, NULL);

	assert_non_null(account);
	assert_string_equal(account->url, "imaps://mail.example.com");
	assert_string_equal(account->name, "me@example.com at mail.example.com");
	assert_string_equal(account->token_command[1], "a b");
	assert_string_equal(account->mailbox, "\"INBOX\"");
	assert_string_equal(account->folder, "\"A \\\"b\\\"\"");
	assert_int_equal(account->after, AFTER_MOVE);
	assert_int_equal(account->poll, 3600);
	assert_null(account->password);
	assert_null(account->ca_file);
	assert_false(account->plain);
	account_free(account);
	settings_free(settings);
}

static void a_password_and_what_becomes_of_mail_are_taken(void **state G_GNUC_UNUSED)
{
	static const struct {
		const char *settings;
		enum account_after after;
		gboolean plain;
	} rows[] = {
		{ "imap.after=mark", AFTER_MARK, FALSE },
		{ "imap.after=delete", AFTER_DELETE, FALSE },
		{ "imap.url=imap://127.0.0.1;imap.tls=none", AFTER_MARK, TRUE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct settings *settings = settings_with(rows[i].settings);
		struct account *account = account_new(settings, NULL);

		assert_non_null(account);
		assert_string_equal(account->password, "secret");
		assert_null(account->token_command);
		assert_int_equal(account->after, rows[i].after);
		assert_int_equal(account->plain, rows[i].plain);
		assert_null(account->folder);
		assert_true(account_is_set(settings));
		account_free(account);
		settings_free(settings);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_make_an_account_or_the_message_names_the_key),
		cmocka_unit_test(a_password_and_what_becomes_of_mail_are_taken),
		cmocka_unit_test(an_account_has_what_its_settings_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
