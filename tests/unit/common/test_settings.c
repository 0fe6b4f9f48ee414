/*
 * Settings: the sources of values, their precedence, and the messages for mistakes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parser/error.h"
#include "server/common/parser_settings.h"
#include "server/common/settings_table.h"
#include "server/worker/pool.h"

/* A file with the content, in a temporary folder. Transfer full. */
static char *write_temporary(const char *content)
{
	char *path = NULL;
	int fd = g_file_open_tmp("ruad-settings-XXXXXX", &path, NULL);

	assert_true(fd >= 0);
	close(fd);
	assert_true(g_file_set_contents(path, content, -1, NULL));
	return path;
}

static struct settings *load(const char *content, const char *const *overrides, GError **error)
{
	g_autofree char *path = write_temporary(content);
	struct settings *settings = settings_load(path, overrides, error);

	unlink(path);
	return settings;
}

/* Root may read everything: be another user, or root again. */
static void be_root(gboolean root)
{
	if (getuid() == 0)
		assert_int_equal(seteuid(root ? 0 : 65534), 0);
}

/* One of the files may not be read: step 0 none, 1 the secret, 2 the settings. */
static void check_readable(const char *path, int step)
{
	struct settings *lenient = settings_load_readable(NULL, NULL, NULL);
	struct settings *strict = settings_load(NULL, NULL, NULL);
	struct settings *named = settings_load_readable(path, NULL, NULL);

	assert_non_null(lenient);
	assert_int_equal(settings_are_partial(lenient), step > 0);
	assert_string_equal(settings_string(lenient, "database.url"), step > 0 ? "" : "dbname=x");
	assert_int_equal(settings_int(lenient, "http.threads"), step > 1 ? 8 : 3);
	assert_int_equal(strict != NULL, step == 0);
	assert_int_equal(named != NULL, step == 0);
	settings_free(lenient);
	settings_free(strict);
	settings_free(named);
}

static void what_this_user_may_not_read_is_left_out(void **state G_GNUC_UNUSED)
{
	g_autofree char *secret = write_temporary("dbname=x\n");
	g_autofree char *content =
	    g_strdup_printf("[database]\nurl_file = %s\n[http]\nthreads = 3\n", secret);
	g_autofree char *path = write_temporary(content);

	g_setenv(SETTINGS_FILE_VARIABLE, path, TRUE);
	for (int step = 0; step < 3; step++) {
		assert_int_equal(chmod(secret, step == 1 ? 0 : 0644), 0);
		assert_int_equal(chmod(path, step == 2 ? 0 : 0644), 0);
		be_root(FALSE);
		check_readable(path, step);
		be_root(TRUE);
	}
	g_unsetenv(SETTINGS_FILE_VARIABLE);
	unlink(path);
	unlink(secret);
}

static void every_key_has_a_default_of_its_type(void **state G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	struct settings *settings = load("", NULL, &error);

	assert_non_null(settings);
	assert_string_equal(settings_string(settings, "server.state_dir"), "/var/lib/ruad");
	assert_string_equal(settings_string(settings, "database.url"), "");
	assert_string_equal(settings_list(settings, "lmtp.recipients")[2], "tls-rpt@*");
	assert_null(settings_list(settings, "lmtp.recipients")[3]);
	assert_int_equal(settings_size(settings, "lmtp.max_message_size"), 50 << 20);
	assert_int_equal(settings_size(settings, "parser.memory"), G_GUINT64_CONSTANT(1) << 30);
	assert_int_equal(settings_int(settings, "lmtp.max_connections"), 100);
	assert_int_equal(settings_seconds(settings, "lmtp.timeout"), 300);
	assert_string_equal(settings_string(settings, "lmtp.authserv_id"), "");
	assert_int_equal(settings_choice(settings, "lmtp.require_authentic"), 0);
	assert_false(settings_bool(settings, "retention.failure_bodies"));
	assert_int_equal(settings_days(settings, "retention.reports"), 0);
	assert_int_equal(settings_days(settings, "retention.failures"), 90);
	assert_int_equal(settings_days(settings, "retention.tls"), 0);
	assert_int_equal(settings_days(settings, "retention.unread"), 365);
	settings_free(settings);
}

/* Rows that are accepted: content of the file and overrides, the key, and the value as text. */
static const struct {
	const char *name;
	const char *content;
	const char *override;
	const char *key;
	const char *want;
} good[] = {
	{ "plain", "[server]\nuser = mail\n", NULL, "server.user", "mail" },
	{ "no spaces, comment, blank lines", "# c\n\n[server]\nuser=mail\n\n", NULL, "server.user", "mail" },
	{ "CRLF", "[server]\r\nuser = mail\r\n", NULL, "server.user", "mail" },
	{ "no newline at the end", "[server]\nuser = mail", NULL, "server.user", "mail" },
	{ "value with an equals sign", "[database]\nurl = host=/run user=x\n", NULL, "database.url",
	    "host=/run user=x" },
	{ "value with a hash", "[database]\nurl = postgresql://u:a#b@h/d\n", NULL, "database.url",
	    "postgresql://u:a#b@h/d" },
	{ "value with a backslash stays as it is", "[server]\nuser = a\\sb\n", NULL, "server.user", "a\\sb" },
	{ "empty value", "[http]\nlisten =\n", NULL, "http.listen", "" },
	{ "section twice", "[server]\nstate_dir = /a\n[http]\nthreads = 2\n[server]\nuser = b\n", NULL,
	    "server.user", "b" },
	{ "key of the same name in another section",
	    "[http]\nlisten = 127.0.0.1:1\n[lmtp]\nlisten = unix:/x\n", NULL, "lmtp.listen", "unix:/x" },
	{ "conninfo with quotes and a hash inside", "[database]\nurl = user=x password='a #b'\n", NULL,
	    "database.url", "user=x password='a #b'" },
	{ "hash inside a word", "[http]\nuser_header = X#1\n", NULL, "http.user_header", "X#1" },
	{ "override over file", "[server]\nuser = a\n", "server.user=b", "server.user", "b" },
	{ "override with spaces", "", "server.user = b ", "server.user", "b" },
	{ "choice", "[lmtp]\nrequire_authentic = Quarantine\n", NULL, "lmtp.require_authentic",
	    "Quarantine" },
	{ "override with an equals sign", "", "database.url=host=/run", "database.url", "host=/run" },
};

static gsize index_of(const char *key)
{
	gsize i = 0;

	while (strcmp(setting_table[i].name, key) != 0)
		i++;
	return i;
}

static void values_come_from_file_and_overrides(void **state G_GNUC_UNUSED)
{
	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		const char *overrides[] = { good[i].override, NULL };
		g_autoptr(GError) error = NULL;
		struct settings *settings = load(good[i].content, overrides, &error);

		if (settings == NULL)
			fail_msg("%s: %s", good[i].name, error->message);
		if (strcmp(settings_text(settings, index_of(good[i].key)), good[i].want) != 0)
			fail_msg("%s: \"%s\"", good[i].name, settings_text(settings, index_of(good[i].key)));
		settings_free(settings);
	}
}

/* Rows that are rejected, and the message that is expected, without the path of the file. */
static const struct {
	const char *name;
	const char *content;
	const char *override;
	const char *want;
} bad[] = {
	{ "unknown key", "[lmtp]\n\nlistn = x\n", NULL,
	    ":3: unknown key \"lmtp.listn\": did you mean \"lmtp.listen\"?" },
	{ "known key in another section", "[http]\nmax_connections = 1\n", NULL,
	    ":2: unknown key \"http.max_connections\"" },
	{ "no such choice", "[lmtp]\nrequire_authentic = yes\n", NULL,
	    ":2: lmtp.require_authentic \"yes\": none of: off flag quarantine" },
	{ "empty choice", "", "lmtp.require_authentic=", "\"\": none of: off flag quarantine" },
	{ "unknown key after the same in another section",
	    "[http]\nlisten = 127.0.0.1:1\n[server]\nlisten = x\n", NULL,
	    ":4: unknown key \"server.listen\"" },
	{ "unknown key after a value that ends like a section", "[server]\nuser = [x]\nlisten = x\n", NULL,
	    ":3: unknown key \"server.listen\"" },
	{ "unknown section", "# c\n[lmpt]\nlisten = x\n", NULL,
	    ":2: unknown section [lmpt]: did you mean [lmtp]?" },
	{ "no section", "user = x\n", NULL, ":1: neither [section] nor key = value" },
	{ "no section after a comment and a blank line", "# c\n\nuser = x\n", NULL,
	    ":3: neither [section] nor key = value" },
	{ "no equals sign", "[server]\nuser = x\nwhat is this\n", NULL,
	    ":3: neither [section] nor key = value" },
	{ "not a number", "[http]\nthreads = many\n", NULL,
	    ":2: http.threads \"many\": not a number from 1 to 256" },
	{ "number below", "[http]\nthreads = 0\n", NULL, "http.threads \"0\"" },
	{ "number above", "[http]\nthreads = 257\n", NULL, "http.threads \"257\"" },
	{ "negative", "[http]\nthreads = -1\n", NULL, "http.threads \"-1\"" },
	{ "limit below", "", "parser.max_depth=4", "-o: parser.max_depth \"4\": not a number from 5 to 250" },
	{ "limit above", "[parser]\nmax_nesting = 17\n", NULL,
	    ":2: parser.max_nesting \"17\": not a number from 1 to 16" },
	{ "size of a limit above", "", "parser.max_text=65K",
	    "-o: parser.max_text \"65K\": not a size such as 50M from 256 to 65536" },
	{ "limit of a name close to one", "", "parser.max_record=1", "did you mean \"parser.max_records\"?" },
	{ "number with a unit", "[http]\nthreads = 1K\n", NULL, "http.threads \"1K\"" },
	{ "size with a wrong unit", "[lmtp]\nmax_message_size = 5X\n", NULL,
	    "not a size such as 50M from 1024 to" },
	{ "size beyond 64 bits", "[lmtp]\nmax_message_size = 99999999999999999999G\n", NULL, "not a size" },
	{ "size that overflows", "[lmtp]\nmax_message_size = 9999999999999G\n", NULL, "not a size" },
	{ "time with a size's unit", "[lmtp]\ntimeout = 5M\n", NULL, NULL },
	{ "days with a time's unit", "[retention]\nfailures = 90h\n", NULL,
	    ":2: retention.failures \"90h\": not days such as 90 from 0 to 36525" },
	{ "days above", "", "retention.reports=36526",
	    "-o: retention.reports \"36526\": not days such as 90" },
	{ "unknown key of retention", "[retention]\nreport = 1\n", NULL,
	    ":2: unknown key \"retention.report\": did you mean \"retention.reports\"?" },
	{ "empty number", "[lmtp]\ntimeout =\n", NULL, "lmtp.timeout \"\": not a time such as 300s or 5m" },
	{ "override without a value", "", "server.user", "-o: \"server.user\": not section.key=value" },
	{ "override of an unknown key", "", "server.usr=x",
	    "-o: unknown key \"server.usr\": did you mean \"server.user\"?" },
	{ "value in double quotes", "[lmtp]\nrecipients = \"dmarc@example.com\"\n", NULL,
	    ":2: lmtp.recipients: write dmarc@example.com without quotes" },
	{ "value in single quotes", "[server]\nuser = 'mail'\n", NULL,
	    ":2: server.user: write mail without quotes" },
	{ "number in quotes", "[http]\nthreads = \"4\"\n", NULL, ":2: http.threads: write 4 without quotes" },
	{ "two words in one pair of quotes", "[lmtp]\nrecipients = \"a@x.example b@x.example\"\n", NULL,
	    ":2: lmtp.recipients: write a@x.example without quotes" },
	{ "second word in quotes", "", "lmtp.recipients=a@x.example,'b@x.example'",
	    "-o: lmtp.recipients: write b@x.example without quotes" },
	{ "secret in quotes is not repeated", "[database]\nurl = \"host=/x password=y\"\n", NULL,
	    ":2: database.url: write the value without quotes" },
	{ "path of a secret in quotes", "[database]\nurl_file = \"/x\"\n", NULL,
	    ":2: database.url_file: write the path without quotes" },
	{ "comment after a list", "[lmtp]\nlisten = 127.0.0.1:24 # local\n", NULL,
	    ":2: lmtp.listen: \"# local\" would be part of the value: write the comment on a line of its "
	    "own" },
	{ "comment after a number", "[http]\nthreads = 4 ; few\n", NULL,
	    ":2: http.threads: \"; few\" would be part of the value" },
	{ "comment instead of a value", "[http]\nhtpasswd = # none\n", NULL,
	    ":2: http.htpasswd: \"# none\"" },
	{ "key twice", "[server]\nuser = a\n\nuser = b\n", NULL,
	    ":4: \"server.user\" is already set in line 2: remove one of the two" },
	{ "key twice in two parts of a section",
	    "[server]\nuser = a\n[http]\nthreads = 2\n[server]\nuser = a\n", NULL,
	    ":6: \"server.user\" is already set in line 2" },
	{ "key and its file", "[database]\nurl = x\nurl_file = /dev/null\n", NULL,
	    ":3: \"database.url_file\" is already set in line 2: remove one of the two" },
	{ "file and its key", "[database]\nurl_file = /dev/null\nurl = x\n", NULL,
	    ":3: \"database.url\" is already set in line 2" },
	{ "byte order mark", "\xef\xbb\xbf[server]\nuser = a\n", NULL,
	    ": begins with a byte order mark: save it as UTF-8 without one" },
	{ "UTF-16", "\xff\xfe[", NULL, ": begins with a byte order mark" },
	{ "secret file that is not there", "[database]\nurl_file = /nonexistent/x\n", NULL,
	    ":2: database.url_file: " },
	{ "name in upper case", "\n[imap Work]\nuser = a\n", NULL,
	    ":2: section [imap Work]: \"Work\" is not a name: write 1 to 32 lower-case letters and digits" },
	{ "name that begins with a digit", "[imap 1]\n", NULL, ":1: section [imap 1]: \"1\" is not a name" },
	{ "two names", "[imap a b]\n", NULL, ":1: section [imap a b]: \"a b\" is not a name" },
	{ "two blanks before a name", "[imap  a]\n", NULL, ":1: section [imap  a]: \" a\" is not a name" },
	{ "no name after a blank", "[imap ]\n", NULL, ":1: section [imap ]: \"\" is not a name" },
	{ "name of 33 letters", "[imap abcdefghijklmnopqrstuvwxyzabcdefg]\n", NULL, "is not a name" },
	{ "name for a section that has none", "[lmtp work]\nlisten =\n", NULL,
	    ":1: section [lmtp work]: there is only one [lmtp], without a name" },
	{ "name for an unknown section", "[imp work]\nurl =\n", NULL,
	    ":1: unknown section [imp]: did you mean [imap]?" },
	{ "name of a section that has none, in a key", "", "http.work.listen=x",
	    "-o: unknown key \"http.work.listen\": did you mean \"http.listen\"?" },
	{ "name that is none, in a key", "", "imap.a%b.url=x",
	    "-o: unknown key \"imap.a%b.url\": did you mean \"imap.url\"?" },
	{ "unknown key of a named section", "[imap work]\nurll = x\n", NULL,
	    ":2: unknown key \"imap.work.urll\": did you mean \"imap.work.url\"?" },
	{ "wrong value in a named section", "[imap work]\npoll = 1\n", NULL,
	    ":2: imap.work.poll \"1\": not a time such as" },
	{ "wrong choice in a named section", "", "imap.work.tls=maybe",
	    "-o: imap.work.tls \"maybe\": none of: required none" },
	{ "key twice in a named section",
	    "[imap work]\nuser = a\n[imap home]\nuser = a\n[imap work]\nuser = b\n", NULL,
	    ":6: \"imap.work.user\" is already set in line 2" },
	{ "quotes in a named section", "", "imap.work.user='a'",
	    "-o: imap.work.user: write a without quotes" },
	{ "secret file of a named section", "[imap work]\npassword_file = /nonexistent/x\n", NULL,
	    ":2: imap.work.password_file: " },
};

static void mistakes_name_line_and_nearest_key(void **state G_GNUC_UNUSED)
{
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		const char *overrides[] = { bad[i].override, NULL };
		g_autoptr(GError) error = NULL;
		struct settings *settings = load(bad[i].content, overrides, &error);

		if (bad[i].want == NULL) { /* 5M of time is five minutes: units are read without case */
			assert_non_null(settings);
			assert_int_equal(settings_seconds(settings, "lmtp.timeout"), 300);
			settings_free(settings);
			continue;
		}
		if (settings != NULL)
			fail_msg("%s: was taken", bad[i].name);
		assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX));
		if (strstr(error->message, bad[i].want) == NULL)
			fail_msg("%s: %s", bad[i].name, error->message);
	}
}

static const struct {
	const char *text;
	const char *key;
	guint64 want;
} numbers[] = {
	{ "1024", "lmtp.max_message_size", 1024 },
	{ "1k", "lmtp.max_message_size", 1024 },
	{ "3M", "lmtp.max_message_size", 3 << 20 },
	{ "1G", "lmtp.max_message_size", 1 << 30 },
	{ "1", "lmtp.timeout", 1 },
	{ "90s", "lmtp.timeout", 90 },
	{ "5m", "lmtp.timeout", 300 },
	{ "24h", "lmtp.timeout", 86400 },
	{ "1d", "lmtp.timeout", 86400 },
};

static void sizes_and_times_have_units(void **state G_GNUC_UNUSED)
{
	for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
		g_autofree char *override = g_strdup_printf("%s=%s", numbers[i].key, numbers[i].text);
		const char *overrides[] = { override, NULL };
		g_autoptr(GError) error = NULL;
		struct settings *settings = load("", overrides, &error);
		gboolean is_size = strcmp(numbers[i].key, "lmtp.max_message_size") == 0;

		if (settings == NULL)
			fail_msg("%s: %s", override, error->message);
		assert_int_equal(is_size ? settings_size(settings, numbers[i].key)
					 : (guint64)settings_seconds(settings, numbers[i].key),
		    numbers[i].want);
		settings_free(settings);
	}
}

static void days_are_days_with_or_without_their_unit(void **state G_GNUC_UNUSED)
{
	static const char *const texts[] = { "retention.tls=90", "retention.tls=90d", "retention.tls = 90D" };

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		const char *overrides[] = { texts[i], NULL };
		g_autoptr(GError) error = NULL;
		struct settings *settings = load("", overrides, &error);

		if (settings == NULL)
			fail_msg("%s: %s", texts[i], error->message);
		assert_int_equal(settings_days(settings, "retention.tls"), 90);
		settings_free(settings);
	}
}

/* Settings that are numbers, except the limits of the parser: the least and the most that is accepted. */
static const struct {
	const char *key;
	guint64 least;
	guint64 most;
} bounds[] = {
	{ "server.min_free", 0, G_GUINT64_CONSTANT(9223372036854775807) },
	{ "lmtp.max_message_size", 1024, 1073741824 },
	{ "lmtp.max_connections", 1, 10000 },
	{ "lmtp.timeout", 1, 86400 },
	{ "lmtp.max_time", 1, 86400 },
	{ "lmtp.min_rate", 1, 1073741824 },
	{ "lmtp.max_memory", 1048576, G_GUINT64_CONSTANT(1099511627776) },
	{ "imap.poll", 10, 86400 },
	{ "parser.workers", 0, 1024 },
	{ "parser.max_mails", 1, 1000000000 },
	{ "parser.timeout", 1, 86400 },
	{ "parser.max_time", 1, 86400 },
	{ "parser.memory", 67108864, G_GUINT64_CONSTANT(9223372036854775807) },
	{ "http.threads", 1, 256 },
	{ "http.timeout", 1, 86400 },
	{ "enrich.lookups", 0, 1000000 },
	{ "enrich.questions", 1, 1000000000 },
	{ "enrich.keep", 1, 365 },
	{ "enrich.check_every", 0, 365 },
	{ "notify.no_reports", 0, 8760 },
	{ "digest.hour", 0, 23 },
	{ "retention.reports", 0, 36525 },
	{ "retention.failures", 0, 36525 },
	{ "retention.tls", 0, 36525 },
	{ "retention.unread", 0, 36525 },
	{ "retention.audit", 0, 36525 },
	{ "retention.max_raw", 0, G_GUINT64_CONSTANT(1125899906842624) },
	{ "retention.min_free", 0, G_GUINT64_CONSTANT(1125899906842624) },
};

/* Whether "key = sign number" is accepted. */
static gboolean is_accepted(const char *key, const char *sign, guint64 number)
{
	g_autofree char *override = g_strdup_printf("%s=%s%" G_GUINT64_FORMAT, key, sign, number);
	const char *overrides[] = { override, NULL };
	g_autoptr(GError) error = NULL;
	struct settings *settings = load("", overrides, &error);
	gboolean accepted = settings != NULL;

	settings_free(settings);
	return accepted;
}

static void numbers_are_accepted_from_the_least_to_the_most(void **state G_GNUC_UNUSED)
{
	for (gsize i = 0; i < G_N_ELEMENTS(bounds); i++) {
		const char *key = bounds[i].key;

		if (!is_accepted(key, "", bounds[i].least) || !is_accepted(key, "", bounds[i].most))
			fail_msg("%s: a bound is not accepted", key);
		if (is_accepted(key, bounds[i].least == 0 ? "-" : "",
			bounds[i].least == 0 ? 1 : bounds[i].least - 1) ||
		    is_accepted(key, "", bounds[i].most + 1))
			fail_msg("%s: a value outside its bounds is accepted", key);
	}
}

static void each_number_has_its_bounds_here(void **state G_GNUC_UNUSED)
{
	for (gsize i = 0; i < setting_table_size; i++) {
		gboolean found =
		    setting_table[i].max == 0 || g_str_has_prefix(setting_table[i].name, "parser.");

		for (gsize b = 0; !found && b < G_N_ELEMENTS(bounds); b++)
			found = strcmp(bounds[b].key, setting_table[i].name) == 0;
		if (!found)
			fail_msg("%s", setting_table[i].name);
	}
}

static void lists_are_words_between_spaces_or_commas(void **state G_GNUC_UNUSED)
{
	struct settings *settings = load("[lmtp]\nlisten = 127.0.0.1:24,[::1]:24 ,\tunix:/x\n", NULL, NULL);
	const char *const *list;

	assert_non_null(settings);
	list = settings_list(settings, "lmtp.listen");
	assert_int_equal(g_strv_length((char **)list), 3);
	assert_string_equal(list[0], "127.0.0.1:24");
	assert_string_equal(list[1], "[::1]:24");
	assert_string_equal(list[2], "unix:/x");
	settings_free(settings);
}

static void the_environment_wins_over_the_file_and_loses_to_overrides(void **state G_GNUC_UNUSED)
{
	const char *overrides[] = { "http.threads=3", NULL };
	struct settings *settings;

	g_setenv("RUAD_SERVER_USER", "env", TRUE);
	g_setenv("RUAD_HTTP_THREADS", "2", TRUE);
	settings = load("[server]\nuser = file\n[http]\nthreads = 1\n", overrides, NULL);
	g_unsetenv("RUAD_SERVER_USER");
	g_unsetenv("RUAD_HTTP_THREADS");
	assert_non_null(settings);
	assert_string_equal(settings_string(settings, "server.user"), "env");
	assert_int_equal(settings_int(settings, "http.threads"), 3);
	settings_free(settings);
}

static void misspelt_variables_of_our_sections_are_refused_and_others_are_not_ours(void **state G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;
	struct settings *settings;

	g_setenv("RUAD_LMTP_LISTN", "x", TRUE);
	settings = load("", NULL, &error);
	g_unsetenv("RUAD_LMTP_LISTN");
	assert_null(settings);
	assert_non_null(strstr(
	    error->message, "unknown variable \"RUAD_LMTP_LISTN\": did you mean \"RUAD_LMTP_LISTEN\"?"));

	g_setenv("RUAD_STATE_DIR", "/x", TRUE);
	settings = load("", NULL, NULL);
	g_unsetenv("RUAD_STATE_DIR");
	assert_non_null(settings);
	settings_free(settings);
}

/* The URL of the account with this name, or NULL if there is none. */
static const char *url_of(const struct settings *settings, const char *name)
{
	g_autoptr(GPtrArray) sections = settings_sections(settings, "imap");

	for (guint i = 1; i < sections->len; i++)
		if (strcmp(settings_name(sections->pdata[i]), name) == 0)
			return settings_string(sections->pdata[i], "imap.url");
	return NULL;
}

static void named_sections_come_from_file_environment_and_overrides(void **state G_GNUC_UNUSED)
{
	const char *overrides[] = { "imap.work.user=o", "imap.over.url=imaps://o", NULL };
	g_autofree char *secret = write_temporary("hush\n");
	g_autoptr(GPtrArray) sections = NULL;
	struct settings *settings;

	g_setenv("RUAD_IMAP_WORK_POLL", "11", TRUE);
	g_setenv("RUAD_IMAP_CA_CA_FILE", "/x", TRUE); /* ca_file of the account "ca" */
	g_setenv("RUAD_IMAP_CA_FILE", "/y", TRUE);    /* that of [imap] */
	g_setenv("RUAD_IMAP_CA_PASSWORD_FILE", secret, TRUE);
	settings = load("[imap work]\nurl = imaps://w\nuser = f\n[imap]\nurl = imaps://one\n[imap alone]\n"
			"[server]\nuser = me\n",
	    overrides, NULL);
	g_unsetenv("RUAD_IMAP_WORK_POLL");
	g_unsetenv("RUAD_IMAP_CA_CA_FILE");
	g_unsetenv("RUAD_IMAP_CA_FILE");
	g_unsetenv("RUAD_IMAP_CA_PASSWORD_FILE");
	unlink(secret);
	assert_non_null(settings);
	sections = settings_sections(settings, "imap");
	assert_int_equal(sections->len, 5);
	assert_ptr_equal(sections->pdata[0], settings);
	assert_null(settings_name(settings));
	assert_string_equal(settings_string(settings, "imap.url"), "imaps://one");
	assert_string_equal(settings_string(settings, "imap.ca_file"), "/y");
	assert_string_equal(settings_name(sections->pdata[1]), "alone");
	assert_string_equal(settings_string(sections->pdata[1], "imap.url"), "");
	assert_string_equal(settings_name(sections->pdata[2]), "ca");
	assert_string_equal(settings_string(sections->pdata[2], "imap.ca_file"), "/x");
	assert_string_equal(settings_string(sections->pdata[2], "imap.password"), "hush");
	assert_string_equal(url_of(settings, "over"), "imaps://o");
	assert_string_equal(url_of(settings, "work"), "imaps://w");
	assert_string_equal(settings_string(sections->pdata[4], "imap.user"), "o");
	assert_int_equal(settings_seconds(sections->pdata[4], "imap.poll"), 11);
	assert_string_equal(settings_string(sections->pdata[4], "imap.mailbox"), "INBOX");
	assert_string_equal(settings_string(sections->pdata[4], "server.user"), "me");
	settings_free(settings);
}

static void a_misspelt_variable_of_a_named_section_is_refused(void **state G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	g_setenv("RUAD_IMAP_WORK_URLL", "x", TRUE);
	assert_null(load("", NULL, &error));
	g_unsetenv("RUAD_IMAP_WORK_URLL");
	assert_non_null(strstr(error->message,
	    "unknown variable \"RUAD_IMAP_WORK_URLL\": did you mean \"RUAD_IMAP_WORK_URL\"?"));
}

static void a_child_gets_one_section_as_its_own_or_all_by_their_names(void **state G_GNUC_UNUSED)
{
	const char *sections[] = { "imap", "http", NULL };
	struct settings *settings =
	    load("[http]\nthreads = 9\n[imap]\nuser = one\npassword = first\n[imap work]\nuser = two\n", NULL,
		NULL);
	g_autoptr(GPtrArray) all = NULL;
	g_auto(GStrv) one = NULL;
	g_auto(GStrv) two = NULL;

	assert_non_null(settings);
	all = settings_sections(settings, "imap");
	one = settings_environment(all->pdata[1], sections, NULL);
	assert_string_equal(g_environ_getenv(one, "RUAD_IMAP_USER"), "two");
	assert_string_equal(g_environ_getenv(one, "RUAD_HTTP_THREADS"), "9");
	assert_null(g_environ_getenv(one, "RUAD_IMAP_PASSWORD"));
	two = settings_environment(settings, sections, NULL);
	assert_string_equal(g_environ_getenv(two, "RUAD_IMAP_USER"), "one");
	assert_null(g_environ_getenv(two, "RUAD_IMAP_WORK_USER"));
	two = settings_environment_named(settings, "imap", two);
	assert_string_equal(g_environ_getenv(two, "RUAD_IMAP_WORK_USER"), "two");
	settings_free(settings);
}

static void variables_that_are_no_settings_are_named_with_the_nearest(void **state G_GNUC_UNUSED)
{
	g_auto(GStrv) warnings = NULL;

	g_setenv("RUAD_LMPT_LISTEN", "x", TRUE);
	g_setenv("RUAD_DATABASE_URL_FILE", "x", TRUE);
	g_setenv("RUAD_LIBEXEC", "x", TRUE);
	g_setenv("RUAD_PROGRAMS", "x", TRUE); /* of server/quickstart */
	g_setenv("RUAD_IMAP_WORK_PASSWORD_FILE", "x", TRUE);
	warnings = settings_unknown_variables();
	g_unsetenv("RUAD_IMAP_WORK_PASSWORD_FILE");
	g_unsetenv("RUAD_LMPT_LISTEN");
	g_unsetenv("RUAD_DATABASE_URL_FILE");
	g_unsetenv("RUAD_LIBEXEC");
	g_unsetenv("RUAD_PROGRAMS");
	assert_int_equal(g_strv_length(warnings), 1);
	assert_string_equal(warnings[0], "the variable RUAD_LMPT_LISTEN is not a setting and has no effect; "
					 "the nearest is RUAD_LMTP_LISTEN");
}

static void secrets_come_from_files_without_their_newline(void **state G_GNUC_UNUSED)
{
	g_autofree char *secret = write_temporary("postgresql://u:p@h/d\n");
	g_autofree char *content = g_strdup_printf("[database]\nurl_file = %s\n", secret);
	g_autofree char *override = g_strdup_printf("database.web_url_file=%s", secret);
	const char *overrides[] = { override, NULL };
	struct settings *settings;

	g_setenv("RUAD_DATABASE_INGEST_URL_FILE", secret, TRUE);
	settings = load(content, overrides, NULL);
	g_unsetenv("RUAD_DATABASE_INGEST_URL_FILE");
	unlink(secret);
	assert_non_null(settings);
	assert_string_equal(settings_string(settings, "database.url"), "postgresql://u:p@h/d");
	assert_string_equal(settings_string(settings, "database.ingest_url"), "postgresql://u:p@h/d");
	assert_string_equal(settings_string(settings, "database.web_url"), "postgresql://u:p@h/d");
	settings_free(settings);
}

/* A folder with a file of this name and content. Transfer full. */
static char *credential(const char *name, const char *content)
{
	char *folder = g_dir_make_tmp("ruad-credentials-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(folder, name, NULL);

	assert_true(g_file_set_contents(path, content, -1, NULL));
	g_setenv("CREDENTIALS_DIRECTORY", folder, TRUE);
	return folder;
}

static void credential_remove(const char *folder, const char *name)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);

	g_unsetenv("CREDENTIALS_DIRECTORY");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void credentials_of_systemd_set_the_keys_they_are_named_for(void **state G_GNUC_UNUSED)
{
	g_autofree char *folder = credential("imap.password", "secret\n");
	const char *overrides[] = { "imap.password=o", NULL };
	struct settings *settings = load("[imap]\npassword = f\n", NULL, NULL);

	assert_non_null(settings);
	assert_string_equal(settings_string(settings, "imap.password"), "secret"); /* not that of the file */
	settings_free(settings);
	g_setenv("RUAD_IMAP_PASSWORD", "e", TRUE);
	settings = load("", NULL, NULL);
	assert_string_equal(settings_string(settings, "imap.password"), "e");
	settings_free(settings);
	g_unsetenv("RUAD_IMAP_PASSWORD");
	settings = load("", overrides, NULL);
	assert_string_equal(settings_string(settings, "imap.password"), "o");
	settings_free(settings);
	credential_remove(folder, "imap.password");
	g_setenv("CREDENTIALS_DIRECTORY", folder, TRUE); /* it is gone */
	settings = load("", NULL, NULL);
	assert_string_equal(settings_string(settings, "imap.password"), "");
	settings_free(settings);
	g_unsetenv("CREDENTIALS_DIRECTORY");
}

static const struct {
	const char *name, *content, *want; /* NULL: it is not for us */
} CREDENTIALS[] = {
	{ "imap.passwort", "secret",
	    "credential: unknown key \"imap.passwort\": did you mean \"imap.password\"?" },
	{ "http.threads", "many", "credential: http.threads \"many\": " },
	{ "password", "secret", NULL },
	{ "backup.password", "secret", NULL },
};

static void misspelt_credentials_of_our_sections_are_refused(void **state G_GNUC_UNUSED)
{
	for (gsize i = 0; i < G_N_ELEMENTS(CREDENTIALS); i++) {
		g_autofree char *folder = credential(CREDENTIALS[i].name, CREDENTIALS[i].content);
		g_autoptr(GError) error = NULL;
		struct settings *settings = load("", NULL, &error);

		if ((settings == NULL) != (CREDENTIALS[i].want != NULL))
			fail_msg("%s: %s", CREDENTIALS[i].name, error != NULL ? error->message : "accepted");
		if (error != NULL && !g_str_has_prefix(error->message, CREDENTIALS[i].want))
			fail_msg("%s: %s", CREDENTIALS[i].name, error->message);
		if (error != NULL)
			assert_null(strstr(error->message, "secret"));
		settings_free(settings);
		credential_remove(folder, CREDENTIALS[i].name);
	}
}

static void a_variable_and_its_file_together_are_refused(void **state G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	g_setenv("RUAD_DATABASE_URL", "x", TRUE);
	g_setenv("RUAD_DATABASE_URL_FILE", "/dev/null", TRUE);
	assert_null(load("", NULL, &error));
	g_unsetenv("RUAD_DATABASE_URL");
	g_unsetenv("RUAD_DATABASE_URL_FILE");
	assert_non_null(strstr(error->message, "both RUAD_DATABASE_URL and RUAD_DATABASE_URL_FILE"));
}

static void a_file_named_outright_must_exist(void **state G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	assert_null(settings_load("/nonexistent/ruad.conf", NULL, &error));
	assert_non_null(strstr(error->message, "/nonexistent/ruad.conf"));
}

/* The output of settings_print() or a similar function. Transfer full. */
static char *printed(const struct settings *settings, void (*print)(const struct settings *, FILE *))
{
	char *text = NULL;
	gsize size = 0;
	FILE *out = open_memstream(&text, &size);

	print(settings, out);
	fclose(out);
	return text;
}

static void print_example(const struct settings *settings G_GNUC_UNUSED, FILE *out)
{
	settings_print_example(out);
}

static void print_manual(const struct settings *settings G_GNUC_UNUSED, FILE *out)
{
	settings_print_manual(out);
}

static void printing_masks_secrets_and_can_be_read_again(void **state G_GNUC_UNUSED)
{
	struct settings *settings = load("[database]\nurl = host=h password=hunter2\n[http]\nthreads = 9\n"
					 "[imap work]\nurl = imaps://w\npassword = hunter2\n",
	    NULL, NULL);
	struct settings *again;
	char *text;

	assert_non_null(settings);
	text = printed(settings, settings_print);
	assert_null(strstr(text, "hunter2"));
	assert_non_null(strstr(text, "\nurl = ********\n"));
	again = load(text, NULL, NULL);
	assert_non_null(again);
	assert_int_equal(settings_int(again, "http.threads"), 9);
	assert_string_equal(url_of(again, "work"), "imaps://w");
	settings_free(again);
	settings_free(settings);
	free(text);
}

static void the_example_changes_nothing_and_names_every_key(void **state G_GNUC_UNUSED)
{
	char *text = printed(NULL, print_example);
	struct settings *settings = load(text, NULL, NULL);

	assert_non_null(settings);
	for (gsize i = 0; i < setting_table_size; i++) {
		const char *key = strchr(setting_table[i].name, '.') + 1;
		g_autofree char *line = g_strdup_printf("\n#%s = %s\n", key, setting_table[i].fallback);

		assert_non_null(strstr(text, line));
		assert_string_equal(settings_text(settings, i), setting_table[i].fallback);
	}
	settings_free(settings);
	free(text);
}

static void the_manual_names_every_key_with_its_default(void **state G_GNUC_UNUSED)
{
	char *text = printed(NULL, print_manual);

	for (gsize i = 0; i < setting_table_size; i++) {
		const char *key = strchr(setting_table[i].name, '.') + 1;
		g_autofree char *line = g_strdup_printf(".TP\n.B %s\n", key);

		assert_non_null(strstr(text, line));
	}
	free(text);
}

static void children_get_what_differs_in_their_sections_and_no_file(void **state G_GNUC_UNUSED)
{
	const char *sections[] = { "http", NULL };
	struct settings *settings =
	    load("[http]\nthreads = 9\nlisten = 127.0.0.1:8080\n[lmtp]\ntimeout = 5\n", NULL, NULL);
	g_auto(GStrv) envp = NULL;

	assert_non_null(settings);
	envp = settings_environment(settings, sections, NULL);
	assert_string_equal(g_environ_getenv(envp, "RUAD_HTTP_THREADS"), "9");
	assert_string_equal(g_environ_getenv(envp, SETTINGS_FILE_VARIABLE), "");
	assert_null(g_environ_getenv(envp, "RUAD_HTTP_LISTEN"));
	assert_null(g_environ_getenv(envp, "RUAD_LMTP_TIMEOUT"));
	settings_free(settings);
}

static void the_nearest_word_needs_the_fewest_edits(void **state G_GNUC_UNUSED)
{
	const char *words[] = { "serve", "import", "parse", "", NULL };

	assert_string_equal(settings_nearest("sevre", words), "serve");
	assert_string_equal(settings_nearest("imports", words), "import");
	assert_string_equal(settings_nearest("x", words), "");
	assert_string_equal(settings_nearest("pars", words), "parse");
}

static gboolean same_limits(const struct parser_limits *a, const struct parser_limits *b)
{
	for (gsize i = 0; i < parser_setting_table_size; i++)
		if (parser_setting_get(&parser_setting_table[i], a) !=
		    parser_setting_get(&parser_setting_table[i], b))
			return FALSE;
	return a->max_groups == b->max_groups && a->max_record_bytes == b->max_record_bytes &&
	       a->max_notes == b->max_notes;
}

static void limits_default_to_those_of_the_parser(void **state G_GNUC_UNUSED)
{
	static const struct parser_limits limits = PARSER_LIMITS_DEFAULT;
	g_autoptr(GError) error = NULL;
	struct settings *settings = load("", NULL, &error);
	struct pool_options options;

	assert_non_null(settings);
	options = pool_options_of(settings, "worker");
	for (gsize i = 0; i < parser_setting_table_size; i++) {
		const struct parser_setting *row = &parser_setting_table[i];

		if (parser_setting_get(row, &options.limits) != parser_setting_get(row, &limits))
			fail_msg("parser.%s is %" G_GUINT64_FORMAT
				 ", but PARSER_LIMITS_DEFAULT says %" G_GUINT64_FORMAT,
			    row->name, parser_setting_get(row, &options.limits),
			    parser_setting_get(row, &limits));
	}
	assert_true(same_limits(&options.limits, &limits));
	assert_string_equal(options.worker, "worker");
	assert_true(options.workers >= 1);
	settings_free(settings);
}

/* Each limit at its minimum and maximum, and nothing else changes. */
static void each_limit_is_set_by_its_name(void **state G_GNUC_UNUSED)
{
	for (gsize i = 0; i < 2 * parser_setting_table_size; i++) {
		const struct parser_setting *row = &parser_setting_table[i / 2];
		guint64 value = i % 2 == 0 ? row->min : row->max;
		struct parser_limits want = PARSER_LIMITS_DEFAULT;
		g_autofree char *override = g_strdup_printf("parser.%s=%" G_GUINT64_FORMAT, row->name, value);
		const char *overrides[] = { override, NULL };
		g_autoptr(GError) error = NULL;
		struct settings *settings = load("", overrides, &error);
		struct pool_options options;

		if (settings == NULL)
			fail_msg("%s", error->message);
		options = pool_options_of(settings, "worker");
		parser_setting_set(row, &want, value);
		assert_int_equal(parser_setting_get(row, &want), value);
		if (!same_limits(&options.limits, &want))
			fail_msg("%s does not arrive, or elsewhere", override);
		settings_free(settings);
	}
}

/* The choices are in the order of enum require_authentic. */
static void what_else_the_pool_needs_is_set(void **state G_GNUC_UNUSED)
{
	static const char *const choices[] = { "off", "flag", "quarantine" };

	for (guint i = 0; i < G_N_ELEMENTS(choices); i++) {
		g_autofree char *content =
		    g_strdup_printf("[lmtp]\nauthserv_id = mx.example\nrequire_authentic = %s\n"
				    "[retention]\nfailure_bodies = on\n",
			choices[i]);
		g_autoptr(GError) error = NULL;
		struct settings *settings = load(content, NULL, &error);
		struct pool_options options;

		assert_non_null(settings);
		options = pool_options_of(settings, "worker");
		assert_int_equal(settings_choice(settings, "lmtp.require_authentic"), i);
		assert_string_equal(options.authserv_id, "mx.example");
		assert_true(options.failure_bodies);
		settings_free(settings);
	}
}

/* The options that ruad-parse accepts: digits only. */
static void limits_are_parsed_strictly(void **state G_GNUC_UNUSED)
{
	static const char *const texts[] = { "", " 5", "5 ", "+5", "-1", "0x10", "5K", "5.0", "4", "251",
		"99999999999999999999" };
	const struct parser_setting *depth = parser_setting_table;
	struct parser_limits limits = PARSER_LIMITS_DEFAULT;
	g_autoptr(GError) none = NULL;

	while (strcmp(depth->name, "max_depth") != 0)
		depth++;
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *want =
		    g_strdup_printf("max_depth \"%s\": not a number from 5 to 250", texts[i]);

		assert_false(parser_setting_parse(depth, &limits, texts[i], &error));
		assert_string_equal(error->message, want);
		assert_int_equal(limits.max_depth, 64);
	}
	assert_true(parser_setting_parse(depth, &limits, "250", &none));
	assert_int_equal(limits.max_depth, 250);
}

/* Settings and other RUAD_ variables of whoever runs the test are not for it. */
static void clear_environment(void)
{
	g_auto(GStrv) variables = g_listenv();

	for (gsize i = 0; variables[i] != NULL; i++)
		if (g_str_has_prefix(variables[i], "RUAD_"))
			g_unsetenv(variables[i]);
	g_unsetenv("CREDENTIALS_DIRECTORY");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_default_to_those_of_the_parser),
		cmocka_unit_test(each_limit_is_set_by_its_name),
		cmocka_unit_test(limits_are_parsed_strictly),
		cmocka_unit_test(what_else_the_pool_needs_is_set),
		cmocka_unit_test(what_this_user_may_not_read_is_left_out),
		cmocka_unit_test(every_key_has_a_default_of_its_type),
		cmocka_unit_test(values_come_from_file_and_overrides),
		cmocka_unit_test(mistakes_name_line_and_nearest_key),
		cmocka_unit_test(sizes_and_times_have_units),
		cmocka_unit_test(days_are_days_with_or_without_their_unit),
		cmocka_unit_test(numbers_are_accepted_from_the_least_to_the_most),
		cmocka_unit_test(each_number_has_its_bounds_here),
		cmocka_unit_test(lists_are_words_between_spaces_or_commas),
		cmocka_unit_test(the_environment_wins_over_the_file_and_loses_to_overrides),
		cmocka_unit_test(misspelt_variables_of_our_sections_are_refused_and_others_are_not_ours),
		cmocka_unit_test(named_sections_come_from_file_environment_and_overrides),
		cmocka_unit_test(a_misspelt_variable_of_a_named_section_is_refused),
		cmocka_unit_test(a_child_gets_one_section_as_its_own_or_all_by_their_names),
		cmocka_unit_test(variables_that_are_no_settings_are_named_with_the_nearest),
		cmocka_unit_test(secrets_come_from_files_without_their_newline),
		cmocka_unit_test(credentials_of_systemd_set_the_keys_they_are_named_for),
		cmocka_unit_test(misspelt_credentials_of_our_sections_are_refused),
		cmocka_unit_test(a_variable_and_its_file_together_are_refused),
		cmocka_unit_test(a_file_named_outright_must_exist),
		cmocka_unit_test(printing_masks_secrets_and_can_be_read_again),
		cmocka_unit_test(the_example_changes_nothing_and_names_every_key),
		cmocka_unit_test(the_manual_names_every_key_with_its_default),
		cmocka_unit_test(children_get_what_differs_in_their_sections_and_no_file),
		cmocka_unit_test(the_nearest_word_needs_the_fewest_edits),
	};

	clear_environment();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
