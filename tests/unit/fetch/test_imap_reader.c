/*
 * test_imap_reader.c - lines and literals of an IMAP server, read whole and byte by byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "parser/error.h"
#include "server/fetch/imap_reader.h"

/* -- a sink that writes down what it gets: "line|", "size(literal)" -- */

static gboolean on_literal(const char *line, guint64 size, gpointer user, GError **error G_GNUC_UNUSED)
{
	g_string_append_printf(user, "<%s>%" G_GUINT64_FORMAT ":", line, size);
	return TRUE;
}

static gboolean on_bytes(const char *data, gsize size, gpointer user, GError **error G_GNUC_UNUSED)
{
	g_string_append_len(user, data, (gssize)size);
	return TRUE;
}

static gboolean on_line(const char *line, gpointer user, GError **error G_GNUC_UNUSED)
{
	g_string_append_printf(user, "%s|", line);
	return TRUE;
}

/* Read in pieces of a size. Returns what the sink got; NULL with error. Transfer full. */
static char *read_pieces(const char *data, gsize size, gsize piece, GError **error)
{
	g_autoptr(GString) got = g_string_new(NULL);
	const struct imap_sink sink = { on_literal, on_bytes, on_line, got };
	struct imap_reader *reader = imap_reader_new(&sink);
	gboolean good = TRUE;

	for (gsize at = 0; good && at < size; at += piece)
		good = imap_reader_push(reader, data + at, MIN(piece, size - at), error);
	imap_reader_free(reader);
	return good ? g_string_free(g_steal_pointer(&got), FALSE) : NULL;
}

static const struct {
	const char *name;
	const char *input;
	const char *want; /* NULL: RUAD_ERROR_SYNTAX */
} cases[] = {
	{ "lines", "* OK hello\r\nr1 OK done\r\n", "* OK hello|r1 OK done|" },
	{ "an empty line", "\r\n", "|" },
	{ "a line that has not ended", "* OK he", "" },
	{ "a literal", "* 1 FETCH (BODY[] {5}\r\na\r\nbc)\r\nx\r\n",
	    "<* 1 FETCH (BODY[] >5:a\r\nbc* 1 FETCH (BODY[] {})|x|" },
	{ "an empty literal", "A {0}\r\nB\r\n", "<A >0:A {}B|" },
	{ "two literals", "A {1}\r\nx {2}\r\nyz\r\n", "<A >1:x<A {} >2:yzA {} {}|" },
	{ "braces inside a line", "* OK {5} x\r\n", "* OK {5} x|" },
	{ "a literal without a number", "A {}\r\n", NULL },
	{ "a literal with a sign", "A {-1}\r\n", NULL },
	{ "a literal of words", "A {x}\r\n", NULL },
	{ "a literal that does not wait", "A {5+}\r\n", NULL },
	{ "a literal of more than 32 bits", "A {4294967296}\r\n", NULL },
	{ "a closing brace alone", "A }\r\n", "A }|" },
	{ "no CR", "* OK\n", NULL },
	{ "CR alone is text", "a\rb\r\n", "a\rb|" },
};

static void answers_are_split_the_same_way_in_pieces_of_any_size(void **state G_GNUC_UNUSED)
{
	static const gsize pieces[] = { 1, 2, 7, 1000 };

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		for (gsize p = 0; p < G_N_ELEMENTS(pieces); p++) {
			g_autoptr(GError) error = NULL;
			g_autofree char *got =
			    read_pieces(cases[i].input, strlen(cases[i].input), pieces[p], &error);

			if (g_strcmp0(got, cases[i].want) != 0)
				fail_msg("%s, by %zu: \"%s\"", cases[i].name, pieces[p],
				    got != NULL ? got : error->message);
			if (cases[i].want == NULL)
				assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX));
		}
}

static void nul_is_allowed_in_a_literal_only(void **state G_GNUC_UNUSED)
{
	static const char literal[] = "A {3}\r\nx\0y\r\n";
	static const char line[] = "A\0B\r\n";
	g_autoptr(GError) error = NULL;
	g_autofree char *got = read_pieces(literal, sizeof literal - 1, 1, NULL);

	assert_non_null(got);
	assert_null(read_pieces(line, sizeof line - 1, 1, &error));
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX));
}

/* n bytes in a line, as the only one of a server. */
static gboolean takes_line(gsize n, GError **error)
{
	g_autofree char *line = g_strnfill(n, 'x');
	g_autofree char *all = g_strconcat(line, "\r\n", NULL);
	g_autofree char *got = read_pieces(all, n + 2, 4096, error);

	return got != NULL;
}

static void a_line_has_at_most_its_limit_with_cr(void **state G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	assert_true(takes_line(IMAP_LINE_MAX - 2, NULL));
	assert_true(takes_line(IMAP_LINE_MAX - 1, NULL));
	assert_false(takes_line(IMAP_LINE_MAX, &error));
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_LIMIT));
}

static gboolean takes_literals(guint n, GError **error)
{
	g_autoptr(GString) all = g_string_new(NULL);
	g_autofree char *got = NULL;

	for (guint i = 0; i < n; i++)
		g_string_append(all, "{1}\r\nx");
	g_string_append(all, "\r\n{1}\r\nx\r\n"); /* the next answer begins to count anew */
	got = read_pieces(all->str, all->len, 4096, error);
	return got != NULL;
}

static void an_answer_has_at_most_the_limit_of_literals(void **state G_GNUC_UNUSED)
{
	g_autoptr(GError) error = NULL;

	assert_true(takes_literals(IMAP_LITERALS_MAX - 1, NULL));
	assert_true(takes_literals(IMAP_LITERALS_MAX, NULL));
	assert_false(takes_literals(IMAP_LITERALS_MAX + 1, &error));
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_LIMIT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_split_the_same_way_in_pieces_of_any_size),
		cmocka_unit_test(nul_is_allowed_in_a_literal_only),
		cmocka_unit_test(a_line_has_at_most_its_limit_with_cr),
		cmocka_unit_test(an_answer_has_at_most_the_limit_of_literals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
