/*
 * test_maildir.c - which files of a Maildir are mails to take, and what their names become.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/fetch/maildir.h"

static void mail_without_a_mark_is_taken(void **state G_GNUC_UNUSED)
{
	static const struct {
		const char *name;
		gboolean in_new, in_cur;
	} names[] = {
		{ "1.host", TRUE, TRUE },
		{ "1.host:2,", TRUE, TRUE },
		{ "1.host:2,FR", TRUE, TRUE },
		{ "1.host:2,S", TRUE, FALSE },
		{ "1.host:2,FRS", TRUE, FALSE },
		{ "1.host:2,T", TRUE, FALSE },
		{ "1.host,S=5:2,a", TRUE, TRUE },
		{ "1.S.host", TRUE, TRUE },
		{ ".hidden", FALSE, FALSE },
		{ ".", FALSE, FALSE },
		{ "..", FALSE, FALSE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		if (maildir_wants(names[i].name, TRUE) != names[i].in_new ||
		    maildir_wants(names[i].name, FALSE) != names[i].in_cur)
			fail_msg("%s", names[i].name);
}

static void flags_are_added_in_order(void **state G_GNUC_UNUSED)
{
	static const struct {
		const char *name;
		const char *flags;
		const char *want;
	} names[] = {
		{ "1.host", "S", "1.host:2,S" },
		{ "1.host:2,", "FS", "1.host:2,FS" },
		{ "1.host:2,RF", "S", "1.host:2,FRS" },
		{ "1.host:2,F", "FS", "1.host:2,FS" },
		{ "1.host,S=5:2,a", "S", "1.host,S=5:2,Sa" },
		{ "1.host:1,x", "S", "1.host:2,S" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *got = maildir_marked_name(names[i].name, names[i].flags);

		assert_string_equal(got, names[i].want);
	}
}

/* -- in a folder -- */

static void put(const char *folder, const char *name, const char *content)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);

	assert_true(g_file_set_contents(path, content, -1, NULL));
}

static gboolean is_there(const char *folder, const char *name)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);

	return g_file_test(path, G_FILE_TEST_IS_REGULAR);
}

/* An empty Maildir. Transfer full. */
static char *make_maildir(void)
{
	char *folder = g_dir_make_tmp("ruad-maildir-XXXXXX", NULL);
	static const char *const names[] = { "new", "cur", "tmp" };

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(folder, names[i], NULL);

		assert_int_equal(g_mkdir(path, 0700), 0);
	}
	return folder;
}

static void remove_maildir(char *folder)
{
	g_autofree char *command = g_strdup_printf("rm -r '%s'", folder);

	assert_true(g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL));
	g_free(folder);
}

/* The names that are listed, each ended by a space. Transfer full. */
static char *listed(struct maildir *maildir)
{
	g_autoptr(GPtrArray) mails = maildir_list(maildir, 100, NULL);
	g_autoptr(GString) names = g_string_new(NULL);

	assert_non_null(mails);
	for (guint i = 0; i < mails->len; i++) {
		const struct maildir_mail *mail = mails->pdata[i];

		g_string_append_printf(names, "%s/%s ", mail->is_new ? "new" : "cur", mail->name);
	}
	return g_string_free(g_steal_pointer(&names), FALSE);
}

static void mails_of_new_and_unseen_ones_of_cur_are_listed_in_order(void **state G_GNUC_UNUSED)
{
	char *folder = make_maildir();
	struct maildir *maildir;
	g_autofree char *names = NULL;
	g_autoptr(GPtrArray) few = NULL;

	put(folder, "new/3.a", "");
	put(folder, "new/1.b", "");
	put(folder, "cur/2.c:2,F", "");
	put(folder, "cur/4.d:2,S", "");
	put(folder, "tmp/5.e", "");
	maildir = maildir_open(folder, NULL);
	assert_non_null(maildir);
	names = listed(maildir);
	assert_string_equal(names, "new/1.b cur/2.c:2,F new/3.a ");
	few = maildir_list(maildir, 1, NULL);
	assert_int_equal(few->len, 1);
	maildir_close(maildir);
	remove_maildir(folder);
}

/* What becomes of a file in new/ with this name, when at most max bytes are taken. */
static enum maildir_got read_mail(struct maildir *maildir, const char *name, guint64 max, struct spool *spool)
{
	struct maildir_mail mail = { .name = (char *)name, .is_new = TRUE };
	enum maildir_got got = (enum maildir_got)99; /* none of them */

	assert_true(maildir_read(maildir, &mail, max, spool, &got, NULL));
	return got;
}

static void only_regular_files_of_at_most_the_size_are_read(void **state G_GNUC_UNUSED)
{
	char *folder = make_maildir();
	struct spool *spool = spool_new(NULL);
	struct maildir *maildir = maildir_open(folder, NULL);
	g_autofree char *link = g_build_filename(folder, "new/link", NULL);
	g_autofree char *pipe = g_build_filename(folder, "new/pipe", NULL);
	g_autofree char *deep = g_build_filename(folder, "new/folder", NULL);

	put(folder, "new/mail", "12345");
	assert_int_equal(symlink("mail", link), 0);
	assert_int_equal(mkfifo(pipe, 0600), 0);
	assert_int_equal(g_mkdir(deep, 0700), 0);
	assert_int_equal(read_mail(maildir, "link", 100, spool), MAILDIR_NO_FILE);
	assert_int_equal(read_mail(maildir, "pipe", 100, spool), MAILDIR_NO_FILE);
	assert_int_equal(read_mail(maildir, "folder", 100, spool), MAILDIR_NO_FILE);
	assert_int_equal(read_mail(maildir, "gone", 100, spool), MAILDIR_GONE);
	assert_int_equal(read_mail(maildir, "mail", 4, spool), MAILDIR_TOO_LARGE);
	assert_int_equal(read_mail(maildir, "mail", 5, spool), MAILDIR_GOT);
	assert_int_equal(spool_size(spool), 5);
	assert_int_equal(read_mail(maildir, "mail", 6, spool), MAILDIR_GOT);
	maildir_close(maildir);
	spool_free(spool);
	remove_maildir(folder);
}

static void a_marked_mail_is_in_cur_and_replaces_no_other(void **state G_GNUC_UNUSED)
{
	char *folder = make_maildir();
	struct maildir *maildir = maildir_open(folder, NULL);
	struct maildir_mail one = { .name = (char *)"1", .is_new = TRUE };
	struct maildir_mail two = { .name = (char *)"2:2,F", .is_new = FALSE };
	struct maildir_mail gone = { .name = (char *)"3", .is_new = TRUE };
	g_autoptr(GError) error = NULL;

	put(folder, "new/1", "a");
	put(folder, "cur/2:2,F", "b");
	assert_true(maildir_mark(maildir, &one, "S", NULL));
	assert_true(maildir_mark(maildir, &two, "S", NULL));
	assert_true(maildir_mark(maildir, &gone, "S", NULL));
	assert_true(is_there(folder, "cur/1:2,S") && is_there(folder, "cur/2:2,FS"));
	put(folder, "new/1", "another");
	assert_false(maildir_mark(maildir, &one, "S", &error));
	assert_non_null(strstr(error->message, "\": cannot move a mail to cur: File exists"));
	assert_true(is_there(folder, "new/1"));
	assert_true(maildir_delete(maildir, &one, NULL) && maildir_delete(maildir, &one, NULL));
	assert_false(is_there(folder, "new/1"));
	maildir_close(maildir);
	remove_maildir(folder);
}

/* The number that the next descriptor gets. */
static int next_descriptor(void)
{
	int fd = dup(STDERR_FILENO);

	close(fd);
	return fd;
}

static void no_descriptor_stays_open(void **state G_GNUC_UNUSED)
{
	char *folder = make_maildir();
	g_autofree char *cur = g_build_filename(folder, "cur", NULL);
	struct spool *spool = spool_new(NULL);
	int before = next_descriptor(), while_open;
	struct maildir *maildir = maildir_open(folder, NULL);
	g_autofree char *names = NULL;

	put(folder, "new/mail", "12345");
	while_open = next_descriptor();
	names = listed(maildir);
	assert_string_equal(names, "new/mail ");
	assert_int_equal(read_mail(maildir, "mail", 4, spool), MAILDIR_TOO_LARGE);
	assert_int_equal(read_mail(maildir, "mail", 5, spool), MAILDIR_GOT);
	assert_int_equal(next_descriptor(), while_open);
	maildir_close(maildir);
	maildir_close(NULL);
	assert_int_equal(next_descriptor(), before);
	assert_int_equal(g_rmdir(cur), 0);
	assert_null(maildir_open(folder, NULL));
	assert_int_equal(next_descriptor(), before);
	spool_free(spool);
	remove_maildir(folder);
}

#define NOBODY 65534

static void a_folder_that_cannot_be_written_is_an_error(void **state G_GNUC_UNUSED)
{
	char *folder = make_maildir();
	g_autofree char *cur = g_build_filename(folder, "cur", NULL);
	g_autofree char *new = g_build_filename(folder, "new", NULL);
	g_autoptr(GError) error = NULL;
	int before = next_descriptor();

	assert_int_equal(g_chmod(cur, 0555), 0);
	if (geteuid() == 0) { /* whom no mode stops */
		assert_int_equal(g_chmod(folder, 0755), 0);
		assert_int_equal(chown(new, NOBODY, NOBODY), 0);
		assert_int_equal(seteuid(NOBODY), 0);
	}
	assert_null(maildir_open(folder, &error));
	assert_non_null(strstr(error->message, "cur: Permission denied"));
	assert_int_equal(seteuid(getuid()), 0);
	assert_int_equal(next_descriptor(), before);
	remove_maildir(folder);
}

static void a_folder_that_is_missing_or_a_link_is_an_error(void **state G_GNUC_UNUSED)
{
	char *folder = make_maildir();
	g_autofree char *cur = g_build_filename(folder, "cur", NULL);
	g_autoptr(GError) error = NULL;

	assert_int_equal(g_rmdir(cur), 0);
	assert_null(maildir_open(folder, &error));
	assert_non_null(strstr(error->message, "cur: No such file"));
	assert_int_equal(symlink("new", cur), 0);
	assert_null(maildir_open(folder, NULL));
	g_clear_error(&error);
	assert_null(maildir_open("/no/such/folder", &error));
	assert_string_equal(error->message, "\"/no/such/folder\": cannot open it: No such file or directory");
	remove_maildir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mail_without_a_mark_is_taken),
		cmocka_unit_test(flags_are_added_in_order),
		cmocka_unit_test(mails_of_new_and_unseen_ones_of_cur_are_listed_in_order),
		cmocka_unit_test(only_regular_files_of_at_most_the_size_are_read),
		cmocka_unit_test(a_marked_mail_is_in_cur_and_replaces_no_other),
		cmocka_unit_test(no_descriptor_stays_open),
		cmocka_unit_test(a_folder_that_cannot_be_written_is_an_error),
		cmocka_unit_test(a_folder_that_is_missing_or_a_link_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
