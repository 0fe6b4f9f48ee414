#include "server/web/auth.h"

#include <crypt.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "parser/error.h"
#include "server/common/token.h"
#include "server/common/user_name.h"
#include "server/web/htpasswd.h"
#include "tests/unit/cpu.h"

#define CHEAP_BCRYPT 4 /* the least cost there is */

static const char *const nobody[] = { NULL };

/* A hash of the method, with low cost if possible; transfer full. */
static char *hash(const char *method, unsigned long cost, const char *password)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	g_autofree struct crypt_data *data = g_new0(struct crypt_data, 1);
	const char *made;

	assert_non_null(
	    crypt_gensalt_rn(method, cost, "0123456789abcdefghijklmnopqrstuv", 32, setting, sizeof setting));
	made = crypt_r(password, setting, data);
	assert_non_null(made);
	assert_int_not_equal(*made, '*');
	return g_strdup(made);
}

/* A file "name:hash\n..." in a temporary folder. */
struct file {
	char *folder;
	char *path;
};

static void file_write(const struct file *file, const char *text)
{
	assert_true(g_file_set_contents(file->path, text, -1, NULL)); /* renamed into place: another inode */
}

static int set_up(void **state)
{
	struct file *file = g_new0(struct file, 1);

	file->folder = g_dir_make_tmp("ruad-auth-XXXXXX", NULL);
	assert_non_null(file->folder);
	file->path = g_build_filename(file->folder, "htpasswd", NULL);
	*state = file;
	return 0;
}

static int tear_down(void **state)
{
	struct file *file = *state;

	(void)g_unlink(file->path);
	(void)g_rmdir(file->folder);
	g_free(file->path);
	g_free(file->folder);
	g_free(file);
	return 0;
}

/* The header of RFC 7617; transfer full. */
static char *basic(const char *words)
{
	g_autofree char *encoded = g_base64_encode((const guchar *)words, strlen(words));

	return g_strconcat("Basic ", encoded, NULL);
}

static enum auth_verdict verdict_of(
    struct auth *auth, const char *client, const char *authorization, guint *wait)
{
	const struct auth_claim claim = {
		.authorization = authorization, .client = client, .address = client
	};
	g_autofree char *user = NULL;

	return auth_identify(auth, &claim, &user, wait);
}

/* The user of the header, "-" for nobody, NULL if it is rejected; transfer full. Each call is another
 * client's. */
static char *user_of(struct auth *auth, const char *authorization, const char *proxy_user)
{
	static guint n_clients;
	g_autofree char *client = g_strdup_printf("client %u", n_clients++);
	const struct auth_claim claim = { .authorization = authorization,
		.proxy_user = proxy_user,
		.is_local = TRUE,
		.client = client,
		.address = client };
	char unset[] = "of an earlier request";
	char *user = unset;
	guint wait = 0;

	enum auth_verdict verdict = auth_identify(auth, &claim, &user, &wait);
	assert_ptr_not_equal(user, unset);
	if (verdict != AUTH_ACCEPTED) {
		assert_null(user);
		return NULL;
	}
	return user != NULL ? user : g_strdup("-");
}

static void assert_user(struct auth *auth, const char *words, const char *want)
{
	g_autofree char *header = basic(words);
	g_autofree char *got = user_of(auth, header, NULL);

	if (g_strcmp0(got, want) != 0)
		fail_msg("\"%s\" is %s instead of %s", words, got, want);
}

static struct auth *with_file(const struct file *file)
{
	struct auth *auth = auth_new(
	    &(struct auth_options){ .mode = AUTH_BASIC, .htpasswd = file->path, .editors = nobody }, NULL);

	assert_non_null(auth);
	return auth;
}

static void each_method_that_is_supported_takes_its_password_alone(void **state)
{
	static const struct {
		const char *method;
		unsigned long cost;
	} methods[] = { { "$2y$", CHEAP_BCRYPT }, { "$2b$", CHEAP_BCRYPT }, { "$y$", 1 }, { "$7$", 6 },
		{ "$6$", 1000 } };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(methods); i++) {
		g_autofree char *made = hash(methods[i].method, methods[i].cost, "p\xc3\xa4ss:w\xc3\xb6rd");
		g_autofree char *line = g_strconcat("user:", made, NULL);
		g_autoptr(GPtrArray) problems = NULL;
		g_autoptr(GHashTable) users = htpasswd_parse(line, &problems);

		if (problems->len > 0)
			fail_msg("%s", (char *)g_ptr_array_index(problems, 0));
		assert_string_equal(g_hash_table_lookup(users, "user"), made);
		assert_true(htpasswd_check(made, "p\xc3\xa4ss:w\xc3\xb6rd"));
		assert_false(htpasswd_check(made, "p\xc3\xa4ss:w\xc3\xb6r"));
		assert_false(htpasswd_check(made, ""));
	}
}

static void lines_that_cannot_be_used_are_told(void **state)
{
	static const struct {
		const char *line;
		const char *want; /* part of the words, or NULL: no problem */
	} rows[] = {
		{ "", NULL }, { "# a comment", NULL }, { "  ", NULL },
		{ "user:$5$abcdefgh$x", "line 1: not a hash" }, { "user", "line 1: not NAME:HASH" },
		{ ":hash", "line 1: not NAME:HASH" }, { "\xff:hash", "line 1: not NAME:HASH" },
		{ "user:", "line 1: not a hash" }, { "user:password", "line 1: not a hash" },
		{ "user:rqXexS6ZhobKA", "line 1: not a hash" }, /* DES */
		{ "user:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "line 1: not a hash" },
		{ "user:$1$abcdefgh$UYCIxa628.9qXjpQCjM4a.", "line 1: not a hash" },
		{ "user:$apr1$abcdefgh$M9mWkWnFZbkCPEKY.RK3h/", "line 1: $apr1$ (MD5) is not supported" },
		{ "user:$2y$04$short", NULL }, /* no password has it */
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GPtrArray) problems = NULL;
		g_autoptr(GHashTable) users = htpasswd_parse(rows[i].line, &problems);
		const char *got = problems->len > 0 ? g_ptr_array_index(problems, 0) : NULL;

		if ((got == NULL) != (rows[i].want == NULL) ||
		    (got != NULL && strstr(got, rows[i].want) == NULL))
			fail_msg("\"%s\": \"%s\" instead of \"%s\"", rows[i].line, got, rows[i].want);
		if (got != NULL)
			assert_int_equal(g_hash_table_size(users), 0);
	}
}

static void the_file_is_read_line_by_line(void **state)
{
	g_autofree char *made = hash("$2y$", CHEAP_BCRYPT, "secret");
	g_autofree char *other = hash("$2y$", CHEAP_BCRYPT, "other");
	g_autofree char *text = g_strdup_printf(
	    "# users\r\n\r\nann:%s\r\nbob:$apr1$x$y\nann:%s\nJos\xc3\xa9:%s", made, other, made);
	g_autoptr(GPtrArray) problems = NULL;
	g_autoptr(GHashTable) users = htpasswd_parse(text, &problems);

	(void)state;
	assert_int_equal(g_hash_table_size(users), 2);
	assert_string_equal(g_hash_table_lookup(users, "ann"), made);
	assert_string_equal(g_hash_table_lookup(users, "Jos\xc3\xa9"), made);
	assert_int_equal(problems->len, 2);
	assert_true(g_str_has_prefix(g_ptr_array_index(problems, 0), "line 4: "));
	assert_string_equal(g_ptr_array_index(problems, 1), "line 5: \"ann\" occurs twice");
}

static void a_password_is_that_of_its_user(void **state)
{
	const struct file *file = *state;
	g_autofree char *ann = hash("$2y$", CHEAP_BCRYPT, "a:secret");
	g_autofree char *bob = hash("$6$", 1000, "");
	g_autofree char *text = g_strdup_printf("ann:%s\nbob:%s\n", ann, bob);
	g_autofree char *long_name = g_strnfill(USER_NAME_MAX + 1, 'a');
	g_autofree char *long_words = g_strconcat(long_name, ":x", NULL);
	g_autofree char *filler = g_strnfill(4000, 'p');
	g_autofree char *long_password = g_strconcat("ann:", filler, NULL);
	struct auth *auth;

	file_write(file, text);
	auth = with_file(file);
	for (int i = 0; i < 2; i++) { /* the second time it is known */
		assert_user(auth, "ann:a:secret", "ann");
		assert_user(auth, "bob:", "bob");
		assert_user(auth, "ann:secret", NULL);
		assert_user(auth, "ann:", NULL);
		assert_user(auth, "bob:a:secret", NULL);
		assert_user(auth, "Ann:a:secret", NULL);
		assert_user(auth, "eve:a:secret", NULL);
		assert_user(auth, ":a:secret", NULL);
		assert_user(auth, "ann", NULL);
		assert_user(auth, "", NULL);
		assert_user(auth, "ann\x01:a:secret", NULL);
		assert_user(auth, "\xff:a:secret", NULL);
		assert_user(auth, long_words, NULL);
		assert_user(auth, long_password, NULL);
	}
	auth_free(auth);
}

static void forms_of_the_header_are_those_of_the_rfc(void **state)
{
	static const struct {
		const char *header;
		const char *want;
	} rows[] = {
		{ NULL, NULL },
		{ "", NULL },
		{ "Basic", NULL },
		{ "Basic ", NULL },
		{ "Basic YW5uOnNlY3JldA==", "ann" },
		{ "basic YW5uOnNlY3JldA==", "ann" },
		{ "BASIC   YW5uOnNlY3JldA==", "ann" },
		{ "Basic YW5uOnNlY3JldA", NULL }, /* no padding: the last bytes are cut */
		{ "Basic YW5uOnNlY3JldA==x", NULL },
		{ "Basic YW5uOnNlY3JldA== x", NULL },
		{ "Basic YW5uOnNlY3JldB==", NULL }, /* bits behind the end */
		{ "Basic YW5uOn NlY3JldA==", NULL },
		{ "Basic YW5uOnNlY3JldAB=", NULL }, /* a NUL behind the password */
		{ "Basic ann:secret", NULL },
		{ "Bearer YW5uOnNlY3JldA==", NULL },
		{ "BasicYW5uOnNlY3JldA==", NULL },
		{ "YW5uOnNlY3JldA==", NULL },
	};
	const struct file *file = *state;
	g_autofree char *made = hash("$2y$", CHEAP_BCRYPT, "secret");
	g_autofree char *text = g_strdup_printf("ann:%s", made);
	struct auth *auth;

	file_write(file, text);
	auth = with_file(file);
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = user_of(auth, rows[i].header, "ann");

		if (g_strcmp0(got, rows[i].want) != 0)
			fail_msg("\"%s\" is %s instead of %s", rows[i].header, got, rows[i].want);
	}
	auth_free(auth);
}

static void a_changed_file_counts_at_once(void **state)
{
	const struct file *file = *state;
	g_autofree char *old = hash("$2y$", CHEAP_BCRYPT, "old");
	g_autofree char *new = hash("$2y$", CHEAP_BCRYPT, "new");
	g_autofree char *before = g_strdup_printf("ann:%s\nbob:%s\n", old, old);
	g_autofree char *after = g_strdup_printf("ann:%s\n", new);
	struct auth *auth;

	file_write(file, before);
	auth = with_file(file);
	assert_user(auth, "ann:old", "ann");
	assert_user(auth, "bob:old", "bob");
	file_write(file, after);
	assert_user(auth, "ann:old", NULL); /* though it was right a moment ago */
	assert_user(auth, "ann:new", "ann");
	assert_user(auth, "bob:old", NULL);
	assert_int_equal(g_unlink(file->path), 0);
	assert_user(auth, "ann:new", NULL); /* no file: nobody */
	file_write(file, before);
	assert_user(auth, "ann:old", "ann");
	auth_free(auth);
}

static void a_file_that_is_not_there_is_an_error_at_the_start(void **state)
{
	const struct file *file = *state;
	g_autoptr(GError) error = NULL;
	struct auth *auth = auth_new(
	    &(struct auth_options){ .mode = AUTH_BASIC, .htpasswd = file->path, .editors = nobody }, &error);

	assert_null(auth);
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYSTEM));
	assert_non_null(strstr(error->message, file->path));
}

static gint64 cost_of(struct auth *auth, const char *words, const char *want)
{
	gint64 begun = cpu_time();

	assert_user(auth, words, want);
	return cpu_time() - begun;
}

static void work_is_done_for_unknown_users_and_not_twice_for_known_ones(void **state)
{
	const struct file *file = *state;
	g_autofree char *made = hash("$2y$", 9, "secret"); /* some tens of milliseconds */
	g_autofree char *text = g_strdup_printf("ann:%s", made);
	struct auth *auth;
	gint64 right;

	file_write(file, text);
	auth = with_file(file);
	right = cost_of(auth, "ann:secret", "ann");
	assert_true(cost_of(auth, "ann:wrong", NULL) > right / 4);
	assert_true(cost_of(auth, "eve:secret", NULL) > right / 4);
	assert_true(cost_of(auth, "ann:secret", "ann") < right / 4);
	auth_free(auth);
}

static void an_unknown_user_takes_the_time_of_some_user_always_the_same(void **state)
{
	const struct file *file = *state;
	g_autofree char *slow = hash("$2y$", 9, "secret");
	g_autofree char *fast = hash("$2y$", CHEAP_BCRYPT, "secret");
	g_autofree char *text = g_strdup_printf("ann:%s\nbob:%s", slow, fast);
	struct auth *auth;
	gint64 limit;

	file_write(file, text);
	auth = with_file(file);
	limit = cost_of(auth, "ann:secret", "ann") / 4;
	for (int i = 0; i < 10; i++) {
		g_autofree char *words = g_strdup_printf("eve%d:x", i);
		gboolean is_slow = cost_of(auth, words, NULL) > limit;

		assert_int_equal(cost_of(auth, words, NULL) > limit, is_slow);
	}
	auth_free(auth);
}

static void wrong_passwords_delay_their_client(void **state)
{
	const struct file *file = *state;
	g_autofree char *made = hash("$2y$", CHEAP_BCRYPT, "secret");
	g_autofree char *text = g_strdup_printf("ann:%s\nbob:%s", made, made);
	g_autofree char *wrong = basic("ann:wrong");
	g_autofree char *unknown = basic("eve:wrong");
	g_autofree char *right = basic("ann:secret");
	g_autofree char *other = basic("bob:secret");
	struct auth *auth;
	guint wait = 0;

	file_write(file, text);
	auth = with_file(file);
	assert_int_equal(verdict_of(auth, "b", other, &wait), AUTH_ACCEPTED);
	for (int i = 0; i < 6; i++)
		assert_int_equal(verdict_of(auth, "a", i % 2 ? wrong : unknown, &wait), AUTH_REJECTED);
	assert_int_equal(verdict_of(auth, "a", wrong, &wait), AUTH_DELAYED);
	assert_in_range(wait, 1, 2);
	assert_int_equal(verdict_of(auth, "a", right, &wait), AUTH_DELAYED); /* it is not looked at */
	assert_int_equal(verdict_of(auth, "b", right, &wait), AUTH_ACCEPTED);
	assert_int_equal(verdict_of(auth, "a", right, &wait), AUTH_ACCEPTED); /* known for a minute */
	assert_int_equal(verdict_of(auth, "a", NULL, &wait), AUTH_REJECTED);
	auth_free(auth);
}

static void wrong_passwords_of_many_clients_delay_their_user(void **state)
{
	const struct file *file = *state;
	g_autofree char *made = hash("$2y$", CHEAP_BCRYPT, "secret");
	g_autofree char *next = hash("$2y$", CHEAP_BCRYPT, "next");
	g_autofree char *text = g_strdup_printf("ann:%s", made);
	g_autofree char *changed = g_strdup_printf("ann:%s", next);
	g_autofree char *right = basic("ann:secret");
	g_autofree char *new_right = basic("ann:next");
	struct auth *auth;
	guint wait = 0;

	file_write(file, text);
	auth = with_file(file);
	assert_int_equal(verdict_of(auth, "hers", right, &wait), AUTH_ACCEPTED);
	for (int i = 0; i < 21; i++)
		assert_user(auth, "ann:wrong", NULL);
	file_write(file, changed); /* so that the password is not known from before */
	assert_int_equal(verdict_of(auth, "new", new_right, &wait), AUTH_DELAYED);
	assert_in_range(wait, 1, 2);
	assert_int_equal(
	    verdict_of(auth, "hers", new_right, &wait), AUTH_ACCEPTED); /* where she was before */
	auth_free(auth);
}

static void bcrypt_takes_no_password_that_it_does_not_compare_whole(void **state)
{
	g_autofree char *most = g_strnfill(HTPASSWD_BCRYPT_MAX, 'p');
	g_autofree char *more = g_strnfill(HTPASSWD_BCRYPT_MAX + 1, 'p');
	g_autofree char *bcrypt = hash("$2y$", CHEAP_BCRYPT, most);
	g_autofree char *sha512 = hash("$6$", 1000, more);

	(void)state;
	assert_true(htpasswd_check(bcrypt, most));
	assert_false(htpasswd_check(bcrypt, more)); /* crypt(3) has the same hash for it */
	assert_true(htpasswd_check(sha512, more));
	assert_false(htpasswd_check(sha512, most));
}

static void a_proxy_is_believed_over_a_unix_socket_or_with_its_secret(void **state)
{
	static const struct {
		const char *secret; /* of the settings */
		const char *sent;
		gboolean is_local;
		enum auth_verdict want;
	} rows[] = {
		{ NULL, NULL, TRUE, AUTH_ACCEPTED },
		{ "x", NULL, TRUE, AUTH_ACCEPTED },
		{ "word", "word", FALSE, AUTH_ACCEPTED },
		{ "word", "wor", FALSE, AUTH_NO_PROXY },
		{ "word", "words", FALSE, AUTH_NO_PROXY },
		{ "word", "Word", FALSE, AUTH_NO_PROXY },
		{ "word", "", FALSE, AUTH_NO_PROXY },
		{ "word", NULL, FALSE, AUTH_NO_PROXY },
		{ "", "", FALSE, AUTH_NO_PROXY },
		{ "", NULL, FALSE, AUTH_NO_PROXY },
		{ NULL, NULL, FALSE, AUTH_NO_PROXY },
		{ NULL, "word", FALSE, AUTH_NO_PROXY },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct auth *auth = auth_new(
		    &(struct auth_options){
			.mode = AUTH_PROXY, .editors = nobody, .proxy_secret = rows[i].secret },
		    NULL);
		const struct auth_claim claim = { .proxy_user = "ann",
			.proxy_secret = rows[i].sent,
			.is_local = rows[i].is_local,
			.client = "a",
			.address = "a" };
		g_autofree char *user = NULL;
		guint wait;

		if (auth_identify(auth, &claim, &user, &wait) != rows[i].want)
			fail_msg("row %" G_GSIZE_FORMAT, i);
		auth_free(auth);
	}
}

static void without_auth_everyone_is_nobody(void **state)
{
	struct auth *auth = auth_new(
	    &(struct auth_options){ .mode = AUTH_NONE, .editors = (const char *const[]){ "*", NULL } }, NULL);
	g_autofree char *got = user_of(auth, "Basic YW5uOnNlY3JldA==", "ann");

	(void)state;
	assert_string_equal(got, "-");
	assert_false(auth_is_editor(auth, NULL));
	auth_free(auth);
}

static void a_proxy_s_word_is_taken_when_it_is_a_name(void **state)
{
	static const struct {
		const char *header;
		const char *want;
	} rows[] = { { "ann", "ann" }, { "Jos\xc3\xa9 M.", "Jos\xc3\xa9 M." }, { NULL, NULL }, { "", NULL },
		{ "a\tb", NULL }, { "\xff", NULL } };
	struct auth *auth = auth_new(&(struct auth_options){ .mode = AUTH_PROXY, .editors = nobody }, NULL);

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = user_of(auth, "Basic YW5uOnNlY3JldA==", rows[i].header);

		if (g_strcmp0(got, rows[i].want) != 0)
			fail_msg("\"%s\" is %s instead of %s", rows[i].header, got, rows[i].want);
	}
	auth_free(auth);
}

static void who_asks_is_described(void **state)
{
	static const struct auth_token reads = { NULL, NULL, FALSE };
	static const struct auth_token writes = { NULL, NULL, TRUE };
	const struct {
		enum auth_mode mode;
		const char *editors[3];
		const char *logout_url;
		const char *user;
		const struct auth_token *token;
		const char *want;
		struct grant grant;
	} rows[] = {
		{ AUTH_NONE, { NULL }, "/x", NULL, NULL,
		    "{\"user\":null,\"roles\":[\"viewer\"],\"domains\":null,\"auth\":\"none\",\"logout\":"
		    "null}",
		    { GRANT_NONE, NULL } },
		{ AUTH_PROXY, { NULL }, NULL, "ann", NULL,
		    "{\"user\":\"ann\",\"roles\":[\"viewer\"],\"domains\":null,\"auth\":\"proxy\",\"logout\":"
		    "null}",
		    { GRANT_NONE, NULL } },
		{ AUTH_PROXY, { "bob", NULL }, "", "ann", NULL,
		    "{\"user\":\"ann\",\"roles\":[\"viewer\"],\"domains\":null,\"auth\":\"proxy\",\"logout\":"
		    "null}",
		    { GRANT_NONE, NULL } },
		{ AUTH_PROXY, { "bob", "ann", NULL }, "/oauth2/sign_out", "ann", NULL,
		    "{\"user\":\"ann\",\"roles\":[\"viewer\",\"editor\"],\"domains\":null,\"auth\":\"proxy\","
		    "\"logout\":\"/oauth2/sign_out\"}",
		    { GRANT_NONE, NULL } },
		{ AUTH_PROXY, { "*", NULL }, NULL, "\"<ann>", NULL,
		    "{\"user\":\"\\\"<ann>\",\"roles\":[\"viewer\",\"editor\"],\"domains\":null,\"auth\":"
		    "\"proxy\","
		    "\"logout\":null}",
		    { GRANT_NONE, NULL } },
		{ AUTH_PROXY, { "*", NULL }, "/x", "ann", &reads,
		    "{\"user\":\"ann\",\"roles\":[\"viewer\"],\"domains\":null,\"auth\":\"proxy\",\"logout\":"
		    "null}",
		    { GRANT_NONE, NULL } },
		{ AUTH_PROXY, { "*", NULL }, "/x", "ann", &writes,
		    "{\"user\":\"ann\",\"roles\":[\"viewer\",\"editor\"],\"domains\":null,\"auth\":\"proxy\","
		    "\"logout\":null}",
		    { GRANT_NONE, NULL } },
		{ AUTH_PROXY, { "ann", NULL }, NULL, "ann", NULL,
		    "{\"user\":\"ann\",\"roles\":[\"viewer\"],\"domains\":[\"a.example\",\"*.b.example\"],"
		    "\"auth\":\"proxy\",\"logout\":null}",
		    { GRANT_VIEWER, (char *[]){ (char *)"a.example", (char *)"*.b.example", NULL } } },
		{ AUTH_PROXY, { NULL }, NULL, "ann", NULL,
		    "{\"user\":\"ann\",\"roles\":[\"viewer\",\"editor\",\"admin\"],\"domains\":null,"
		    "\"auth\":\"proxy\",\"logout\":null}",
		    { GRANT_ADMIN, NULL } },
		{ AUTH_PROXY, { NULL }, NULL, "ann", &reads,
		    "{\"user\":\"ann\",\"roles\":[\"viewer\"],\"domains\":null,\"auth\":\"proxy\",\"logout\":"
		    "null}",
		    { GRANT_ADMIN, NULL } },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct auth *auth = auth_new(
		    &(struct auth_options){
			.mode = rows[i].mode, .editors = rows[i].editors, .logout_url = rows[i].logout_url },
		    NULL);
		g_autoptr(GBytes) document = auth_describe(auth, rows[i].user, &rows[i].grant, rows[i].token);
		g_autofree char *text =
		    g_strndup(g_bytes_get_data(document, NULL), g_bytes_get_size(document));

		assert_string_equal(text, rows[i].want);
		auth_free(auth);
	}
}

/* -- tokens -- */

#define GOOD  "ruad_good"  /* ann's; reads */
#define WRITE "ruad_write" /* bob's; writes */

static gboolean database_is_away;
static guint searches; /* of tokens */

static gboolean find_token(const char *hash, struct auth_token *token, GError **error)
{
	g_autofree char *good = token_hash(GOOD);
	g_autofree char *write = token_hash(WRITE);

	searches++;
	if (database_is_away) {
		g_set_error_literal(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "away");
		return FALSE;
	}
	if (strcmp(hash, good) == 0)
		*token = (struct auth_token){ g_strdup("reader"), g_strdup("ann"), FALSE };
	else if (strcmp(hash, write) == 0)
		*token = (struct auth_token){ g_strdup("writer"), g_strdup("bob"), TRUE };
	return TRUE;
}

static struct auth *with_tokens(enum auth_mode mode, const struct file *file)
{
	struct auth *auth = auth_new(&(struct auth_options){ .mode = mode,
					 .htpasswd = file != NULL ? file->path : NULL,
					 .editors = nobody,
					 .find_token = find_token },
	    NULL);

	assert_non_null(auth);
	return auth;
}

/* "USER TOKEN rights", or a word for the verdict; transfer full. */
static char *token_of(struct auth *auth, const char *client, const char *authorization)
{
	static const char *const words[] = {
		[AUTH_DELAYED] = "delayed", [AUTH_NO_TOKEN] = "no token", [AUTH_AWAY] = "away"
	};
	const struct auth_claim claim = {
		.authorization = authorization, .client = client, .address = client
	};
	g_autoptr(GError) error = NULL;
	struct auth_token token = { 0 };
	enum auth_verdict verdict;
	guint wait = 0;
	char *text;

	if (!auth_has_token(auth, &claim))
		return g_strdup("not asked");
	verdict = auth_identify_token(auth, &claim, &token, &wait, &error);
	assert_int_equal(verdict == AUTH_AWAY, error != NULL);
	assert_int_equal(verdict == AUTH_DELAYED, wait > 0);
	if (verdict != AUTH_ACCEPTED) {
		assert_null(token.name);
		return g_strdup(words[verdict]);
	}
	text = g_strdup_printf("%s %s %s", token.user, token.name, token.may_write ? "writes" : "reads");
	auth_token_clear(&token);
	return text;
}

static void assert_token(struct auth *auth, const char *client, const char *authorization, const char *want)
{
	g_autofree char *got = token_of(auth, client, authorization);

	if (g_strcmp0(got, want) != 0)
		fail_msg("\"%s\" is \"%s\" instead of \"%s\"", authorization, got, want);
}

static void a_token_is_that_of_its_user(void **state)
{
	static const struct {
		const char *header;
		const char *want;
	} rows[] = {
		{ "Bearer " GOOD, "ann reader reads" },
		{ "bearer   " GOOD, "ann reader reads" },
		{ "BEARER " WRITE, "bob writer writes" },
		{ "Bearer ruad_Good", "no token" },
		{ "Bearer ruad_goo", "no token" },
		{ "Bearer " GOOD "x", "no token" },
		{ "Bearer " GOOD " ", "no token" },
		{ "Bearer ruad_", "no token" },
		{ "Bearer Ruad_good", "not asked" }, /* another's, such as that of a proxy */
		{ "Bearer eyJhbGciOiJSUzI1NiJ9.e30.x", "not asked" },
		{ "Bearer", "not asked" },
		{ "Bearer" GOOD, "not asked" },
		{ "Basic " GOOD, "not asked" },
		{ GOOD, "not asked" },
		{ "", "not asked" },
		{ NULL, "not asked" },
	};
	struct auth *auth = with_tokens(AUTH_PROXY, NULL);

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *client = g_strdup_printf("client %" G_GSIZE_FORMAT, i);

		assert_token(auth, client, rows[i].header, rows[i].want);
	}
	auth_free(auth);
}

static void without_auth_no_token_is_looked_at(void **state)
{
	struct auth *auth = with_tokens(AUTH_NONE, NULL);

	(void)state;
	assert_token(auth, "a", "Bearer " GOOD, "not asked");
	auth_free(auth);
}

static void who_is_not_in_the_file_has_no_token(void **state)
{
	const struct file *file = *state;
	g_autofree char *made = hash("$2y$", CHEAP_BCRYPT, "secret");
	g_autofree char *ann = g_strdup_printf("ann:%s\n", made);
	g_autofree char *both = g_strdup_printf("ann:%s\nbob:%s\n", made, made);
	struct auth *auth;

	file_write(file, both);
	auth = with_tokens(AUTH_BASIC, file);
	assert_token(auth, "a", "Bearer " GOOD, "ann reader reads");
	assert_token(auth, "a", "Bearer " WRITE, "bob writer writes");
	file_write(file, ann);
	assert_token(auth, "a", "Bearer " GOOD, "ann reader reads");
	assert_token(auth, "a", "Bearer " WRITE, "no token");
	auth_free(auth);
}

static void wrong_tokens_delay_their_client(void **state)
{
	const struct file *file = *state;
	g_autofree char *made = hash("$2y$", CHEAP_BCRYPT, "secret");
	g_autofree char *text = g_strdup_printf("ann:%s\nbob:%s\n", made, made);
	g_autofree char *password = basic("ann:secret");
	struct auth *auth;
	guint before;
	guint wait = 0;

	file_write(file, text);
	auth = with_tokens(AUTH_BASIC, file);
	assert_token(auth, "b", "Bearer " GOOD, "ann reader reads");
	for (int i = 0; i < 6; i++)
		assert_token(auth, "a", "Bearer ruad_wrong", "no token");
	before = searches;
	assert_token(auth, "a", "Bearer ruad_wrong", "delayed");
	assert_token(auth, "a", "Bearer " WRITE, "delayed");
	assert_int_equal(searches, before); /* the database is not asked */
	assert_int_equal(
	    verdict_of(auth, "a", password, &wait), AUTH_DELAYED);   /* nor is a password looked at */
	assert_token(auth, "a", "Bearer " GOOD, "ann reader reads"); /* known for a minute */
	assert_token(auth, "b", "Bearer " WRITE, "bob writer writes");
	auth_free(auth);
}

static void a_token_is_neither_good_nor_bad_while_the_database_is_away(void **state)
{
	struct auth *auth = with_tokens(AUTH_PROXY, NULL);

	(void)state;
	database_is_away = TRUE;
	for (int i = 0; i < 10; i++)
		assert_token(auth, "a", "Bearer " GOOD, "away");
	database_is_away = FALSE;
	assert_token(auth, "a", "Bearer " GOOD, "ann reader reads"); /* nothing has delayed it */
	auth_free(auth);
}

static void the_user_of_a_wrong_password_is_told_to_logs(void **state)
{
	static const struct {
		const char *words; /* of the header; NULL: there is none */
		const char *want;
	} rows[] = { { "ann:wrong", "ann" }, { "ann:", "ann" }, { "ann", NULL }, { ":wrong", NULL },
		{ "a\nb:wrong", NULL }, { "\xff:wrong", NULL }, { NULL, NULL } };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *header = rows[i].words != NULL ? basic(rows[i].words) : NULL;
		const struct auth_claim claim = { .authorization = header };
		g_autofree char *got = auth_claimed_user(&claim);

		if (g_strcmp0(got, rows[i].want) != 0)
			fail_msg("\"%s\" is %s instead of %s", rows[i].words, got, rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_method_that_is_supported_takes_its_password_alone),
		cmocka_unit_test(lines_that_cannot_be_used_are_told),
		cmocka_unit_test(the_file_is_read_line_by_line),
		cmocka_unit_test_setup_teardown(a_password_is_that_of_its_user, set_up, tear_down),
		cmocka_unit_test_setup_teardown(forms_of_the_header_are_those_of_the_rfc, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_changed_file_counts_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_file_that_is_not_there_is_an_error_at_the_start, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    work_is_done_for_unknown_users_and_not_twice_for_known_ones, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    an_unknown_user_takes_the_time_of_some_user_always_the_same, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wrong_passwords_delay_their_client, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    wrong_passwords_of_many_clients_delay_their_user, set_up, tear_down),
		cmocka_unit_test(bcrypt_takes_no_password_that_it_does_not_compare_whole),
		cmocka_unit_test(a_proxy_is_believed_over_a_unix_socket_or_with_its_secret),
		cmocka_unit_test(without_auth_everyone_is_nobody),
		cmocka_unit_test(a_proxy_s_word_is_taken_when_it_is_a_name),
		cmocka_unit_test(who_asks_is_described),
		cmocka_unit_test(a_token_is_that_of_its_user),
		cmocka_unit_test(without_auth_no_token_is_looked_at),
		cmocka_unit_test_setup_teardown(who_is_not_in_the_file_has_no_token, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wrong_tokens_delay_their_client, set_up, tear_down),
		cmocka_unit_test(a_token_is_neither_good_nor_bad_while_the_database_is_away),
		cmocka_unit_test(the_user_of_a_wrong_password_is_told_to_logs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
