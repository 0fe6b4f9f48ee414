/*
 * multipart/form-data: which files are in it, however it is split.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "parser/error.h"
#include "server/web/multipart.h"

static gboolean on_begin(gpointer user, const char *name, GError **error)
{
	(void)error;
	g_string_append_printf(user, "[%s]", name);
	return TRUE;
}

static gboolean on_data(gpointer user, const guint8 *data, gsize size, GError **error)
{
	(void)error;
	g_string_append_len(user, (const char *)data, (gssize)size);
	return TRUE;
}

static gboolean on_end(gpointer user, GError **error)
{
	(void)error;
	g_string_append_c(user, ';');
	return TRUE;
}

static const struct multipart_handler handler = { on_begin, on_data, on_end };

#define DISPOSITION "Content-Disposition: form-data; name=\"f\"; filename="
#define LAST        "\r\n--b--\r\n"

static const struct {
	const char *name, *body, *want; /* NULL: refused */
} rows[] = {
	{ "one file", "--b\r\n" DISPOSITION "\"a.xml\"\r\nContent-Type: text/xml\r\n\r\n<a/>" LAST,
	    "[a.xml]<a/>;" },
	{ "two files", "--b\r\n" DISPOSITION "\"a\"\r\n\r\n1\r\n--b\r\n" DISPOSITION "\"b\"\r\n\r\n2" LAST,
	    "[a]1;[b]2;" },
	{ "a field that is no file", "--b\r\nContent-Disposition: form-data; name=\"t\"\r\n\r\nx" LAST, "" },
	{ "an empty field",
	    "--b\r\nContent-Disposition: form-data; name=\"t\"\r\n\r\n\r\n--b\r\n" DISPOSITION
	    "\"a\"\r\n\r\n1" LAST,
	    "[a]1;" },
	{ "an empty file", "--b\r\n" DISPOSITION "\"a\"\r\n\r\n" LAST, "[a];" },
	{ "no file at all", "--b--\r\n", "" },
	{ "a file without a name", "--b\r\n" DISPOSITION "\"\"\r\n\r\nx" LAST, "[]x;" },
	{ "a bare name", "--b\r\n" DISPOSITION "a.gz\r\n\r\nx" LAST, "[a.gz]x;" },
	{ "quotes in a name", "--b\r\n" DISPOSITION "\"a\\\"b\\\\c\"\r\n\r\nx" LAST, "[a\"b\\c]x;" },
	{ "fields in any case", "--b\r\nX: y\r\ncontent-disposition: FORM-DATA; FileName=\"a\"\r\n\r\nx" LAST,
	    "[a]x;" },
	{ "no header", "--b\r\n\r\nx" LAST, "" },
	{ "preamble and epilogue", "hello\r\n--b\r\n" DISPOSITION "\"a\"\r\n\r\nx" LAST "bye\r\n--b\r\n",
	    "[a]x;" },
	{ "white space after a boundary", "--b \t\r\n" DISPOSITION "\"a\"\r\n\r\nx" LAST, "[a]x;" },
	{ "what looks like a boundary", "--b\r\n" DISPOSITION "\"a\"\r\n\r\n\r\n-b\r\n--c\n--b\r\n" LAST,
	    "[a]\r\n-b\r\n--c\n--b\r\n;" },
	{ "something after a boundary", "--b\r\n" DISPOSITION "\"a\"\r\n\r\nx\r\n--bc\r\n", NULL },
	{ "no end", "--b\r\n" DISPOSITION "\"a\"\r\n\r\nx\r\n", NULL },
	{ "nothing", "", NULL },
	{ "another boundary", "--c\r\n" DISPOSITION "\"a\"\r\n\r\nx\r\n--c--\r\n", NULL },
};

/* What is found in the body in pieces of this size; transfer full, or NULL if it is refused. */
static char *found_in(const char *body, gsize length, gsize piece)
{
	GString *found = g_string_new(NULL);
	struct multipart *multipart = multipart_new("b", &handler, found);
	g_autoptr(GError) error = NULL;
	gboolean good = TRUE;

	for (gsize at = 0; good && at < length; at += piece)
		good = multipart_add(multipart, (const guint8 *)body + at, MIN(piece, length - at), &error);
	good = good && multipart_end(multipart, &error);
	assert_true(good || g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX));
	multipart_free(multipart);
	return g_string_free(found, !good);
}

static void files_are_found_however_the_body_is_split(void **state G_GNUC_UNUSED)
{
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		for (gsize piece = 1; piece <= strlen(rows[i].body) + 1; piece++) {
			g_autofree char *found = found_in(rows[i].body, strlen(rows[i].body), piece);

			if (g_strcmp0(found, rows[i].want) != 0)
				fail_msg("%s, by %zu: %s", rows[i].name, piece, found ? found : "refused");
		}
}

static void a_header_has_a_bound(void **state G_GNUC_UNUSED)
{
	for (gsize size = MULTIPART_HEADER_MAX - 1; size <= MULTIPART_HEADER_MAX + 1; size++) {
		static const char rest[] = "\r\n" DISPOSITION "\"a\"\r\nX: \r\n\r\n";
		g_autofree char *filler = g_strnfill(size - strlen(rest), 'x');
		g_autofree char *body =
		    g_strdup_printf("--b\r\n" DISPOSITION "\"a\"\r\nX: %s\r\n\r\ny" LAST, filler);
		g_autofree char *found = found_in(body, strlen(body), strlen(body));

		assert_int_equal(found != NULL, size <= MULTIPART_HEADER_MAX);
	}
}

static void white_space_after_a_boundary_has_a_bound(void **state G_GNUC_UNUSED)
{
	for (gsize size = MULTIPART_HEADER_MAX - 1; size <= MULTIPART_HEADER_MAX + 1; size++) {
		g_autofree char *blank = g_strnfill(size, ' ');
		g_autofree char *body = g_strdup_printf("--b%s\r\n" DISPOSITION "\"a\"\r\n\r\ny" LAST, blank);
		g_autofree char *found = found_in(body, strlen(body), strlen(body));

		assert_int_equal(found != NULL, size <= MULTIPART_HEADER_MAX);
	}
}

/* What is said, and that a handler's error ends the parse. */
static gboolean refuse_begin(gpointer user G_GNUC_UNUSED, const char *name G_GNUC_UNUSED, GError **error)
{
	g_set_error_literal(error, RUAD_ERROR, RUAD_ERROR_LIMIT, "begin");
	return FALSE;
}

static gboolean refuse_data(
    gpointer user G_GNUC_UNUSED, const guint8 *data G_GNUC_UNUSED, gsize size G_GNUC_UNUSED, GError **error)
{
	g_set_error_literal(error, RUAD_ERROR, RUAD_ERROR_LIMIT, "data");
	return FALSE;
}

static gboolean refuse_end(gpointer user G_GNUC_UNUSED, GError **error)
{
	g_set_error_literal(error, RUAD_ERROR, RUAD_ERROR_LIMIT, "end");
	return FALSE;
}

static void a_failure_has_its_words(void **state G_GNUC_UNUSED)
{
	static const struct multipart_handler begins = { refuse_begin, on_data, on_end },
					      datas = { on_begin, refuse_data, on_end },
					      ends = { on_begin, on_data, refuse_end };
	static const char file[] = "--b\r\n" DISPOSITION "\"a\"\r\n\r\nx" LAST;
	static const struct {
		const struct multipart_handler *handler;
		const char *body, *words;
	} failures[] = {
		{ &begins, file, "begin" },
		{ &datas, file, "data" },
		{ &ends, file, "end" },
		{ &handler, "--bc\r\n", "a boundary is followed by something else" },
		{ &handler, "--b --\r\n", "a boundary is followed by something else" },
		{ &handler, "--b\r\n", "the last boundary is missing" },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(failures); i++) {
		g_autoptr(GString) found = g_string_new(NULL);
		struct multipart *multipart = multipart_new("b", failures[i].handler, found);
		g_autoptr(GError) error = NULL;

		assert_false(multipart_add(multipart, (const guint8 *)failures[i].body,
				 strlen(failures[i].body), &error) &&
			     multipart_end(multipart, &error));
		assert_string_equal(error->message, failures[i].words);
		multipart_free(multipart);
	}
	multipart_free(NULL);
}

static const struct {
	const char *type, *boundary; /* NULL: none */
} types[] = {
	{ "multipart/form-data; boundary=b", "b" },
	{ "Multipart/Form-Data;charset=utf-8; Boundary=\"a b\"", "a b" },
	{ "multipart/form-data", NULL },
	{ "multipart/form-data; boundary=", NULL },
	{ "multipart/form-data; boundary=\"\n\"", NULL },
	{ "multipart/form-data; "
	  "boundary=1234567890123456789012345678901234567890123456789012345678901234567890",
	    "1234567890123456789012345678901234567890123456789012345678901234567890" },
	{ "multipart/form-data; "
	  "boundary=12345678901234567890123456789012345678901234567890123456789012345678901",
	    NULL },
	{ "multipart/form-data; xboundary=a; boundary=b; c=d", "b" },
	{ "multipart/form-data; boundaryx=a; boundary=\"b\"", "b" },
	{ "multipart/form-data; boundary=\"b", "b" },
	{ "multipart/form-datax; boundary=b", NULL },
	{ "multipart/mixed; boundary=b", NULL },
	{ NULL, NULL },
};

static void the_boundary_is_a_parameter_of_the_type(void **state G_GNUC_UNUSED)
{
	for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
		g_autofree char *boundary = multipart_boundary(types[i].type);

		if (g_strcmp0(boundary, types[i].boundary) != 0)
			fail_msg("%s: %s", types[i].type, boundary);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_found_however_the_body_is_split),
		cmocka_unit_test(a_header_has_a_bound),
		cmocka_unit_test(white_space_after_a_boundary_has_a_bound),
		cmocka_unit_test(a_failure_has_its_words),
		cmocka_unit_test(the_boundary_is_a_parameter_of_the_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
