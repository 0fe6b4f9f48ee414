/* Where a text is split into mails, and where into parts. */
#include "parser/mailsplit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *text;
	gboolean separator, timed;
} SEPARATORS[] = {
	{ "From a@b Mon Jan  1 00:00:00 2024\nA: 1\n", TRUE, TRUE },
	{ "From a 1:2\nA:", TRUE, TRUE },
	{ "From a 1:2\n!a~: 1\n", TRUE, TRUE },
	{ "From a 1:2\n: 1\n", TRUE, FALSE },
	{ "From a 1:2\nA b: 1\n", TRUE, FALSE },
	{ "From a 1:2\nA\x7f: 1\n", TRUE, FALSE },
	{ "From a 1:2\nA", TRUE, FALSE },
	{ "From a 1:2\n", TRUE, FALSE },
	{ "From a 1:x\nA: 1\n", TRUE, FALSE },
	{ "From a x:2\nA: 1\n", TRUE, FALSE },
	{ "From a 1:\n2: 1\n", TRUE, FALSE },
	{ "From a\nA: 1:2\n", TRUE, FALSE },
	{ "From ", TRUE, FALSE },
	{ "From", FALSE, FALSE },
	{ ">From a 1:2\nA: 1\n", FALSE, FALSE },
	{ "", FALSE, FALSE },
};

static void a_separator_of_mbox_has_a_time_and_a_header_behind(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(SEPARATORS); i++) {
		gsize size = strlen(SEPARATORS[i].text);
		/* a copy of that size, so that a read beyond it is seen */
		g_autofree guint8 *data = g_memdup2(SEPARATORS[i].text, size);

		if (mailsplit_is_separator(data, size, FALSE) != SEPARATORS[i].separator ||
		    mailsplit_is_separator(data, size, TRUE) != SEPARATORS[i].timed ||
		    mailsplit_is_mbox(data, size) != SEPARATORS[i].timed)
			fail_msg("%s", SEPARATORS[i].text);
	}
}

static void a_time_is_two_digits_around_a_colon_on_the_line(void **state)
{
	(void)state;
	assert_true(mailsplit_is_timed((const guint8 *)"1:2", 3));
	assert_false(mailsplit_is_timed((const guint8 *)"1:2", 2));
	assert_false(mailsplit_is_timed((const guint8 *)":12", 3));
	assert_false(mailsplit_is_timed((const guint8 *)"a\n1:2", 5));
	assert_false(mailsplit_is_timed((const guint8 *)"", 0));
}

static void a_mail_ends_before_a_separator_behind_an_empty_line(void **state)
{
	static const char NEXT[] = "From b 1:2\nB: 2\n\nb\n";
	static const struct {
		const char *first;
		gboolean ends;
	} rows[] = {
		{ "From a 1:2\nA: 1\n\na\n\n", TRUE },
		{ "From a 1:2\r\nA: 1\r\n\r\na\r\n\r\n", TRUE },
		{ "From a 1:2\nA: 1\n\na\n", FALSE },
		{ "From a 1:2\nA: 1\n\na\n\nb\n", FALSE },
		{ "", FALSE },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *mbox = g_strconcat(rows[i].first, NEXT, NULL);
		gsize want = rows[i].ends ? strlen(rows[i].first) : strlen(mbox);

		assert_int_equal(mailsplit_mail((const guint8 *)mbox, strlen(mbox)), want);
	}
}

static const struct {
	const char *name, *declared, *text;
	const char *want; /* "{piece}", a part begins with "+" */
} PIECES[] = {
	{ "no boundary", "b", "text\n", "{text\n}" },
	{ "nothing", "b", "", "{}" },
	{ "a declared one that closes", "b", "x\n--b--\ny\n", "{x\n}{y\n}" },
	{ "a declared one that opens", "b", "x\n--b\nContent-Type: a\n\ny\n",
	    "{x\n}{+Content-Type: a\n\ny\n}" },
	{ "of two bytes less", "bcd", "x\n--b\ny\n", "{x\n--b\ny\n}" },
	{ "one that is not declared, and opens", "b", "x\n--c\nMIME-Version: 1.0\n\ny\n",
	    "{x\n}{+MIME-Version: 1.0\n\ny\n}" },
	{ "one that is not declared, and does not", "b", "x\n--c\nSubject: a\n\ny\n",
	    "{x\n--c\nSubject: a\n\ny\n}" },
	{ "the opened one closes", "", "--c\nContent-Type: a\n\ny\n--c--\nz\n",
	    "{}{+Content-Type: a\n\ny\n}{z\n}" },
	{ "while one is opened, others are text", "", "--c\nContent-A: a\n\n--d\nContent-B: b\n",
	    "{}{+Content-A: a\n\n--d\nContent-B: b\n}" },
	{ "and are none when it is closed", "", "--c\nContent-A: a\n\n--c--\n--d\nContent-B: b\n",
	    "{}{+Content-A: a\n\n}{}{+Content-B: b\n}" },
	{ "the name of a field of MIME alone", "", "x\n--c\nContent-", "{x\n--c\nContent-}" },
	{ "two hyphens", "", "x\n--\nContent-A: a\n", "{x\n--\nContent-A: a\n}" },
	{ "two hyphens and a blank", "", "x\n-- \nContent-A: a\n", "{x\n-- \nContent-A: a\n}" },
	{ "one hyphen", "", "x\n-cc\nContent-A: a\n", "{x\n-cc\nContent-A: a\n}" },
	{ "a boundary of one letter", "", "x\n--!\nContent-A: a\n", "{x\n}{+Content-A: a\n}" },
};

static void pieces_are_what_is_between_boundaries(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(PIECES); i++) {
		gsize size = strlen(PIECES[i].text), at = 0;
		g_autofree guint8 *text = g_memdup2(PIECES[i].text, size);
		struct mailsplit_fence fence = { .declared = PIECES[i].declared };
		g_autoptr(GString) got = g_string_new(NULL);

		do {
			struct mailsplit_piece piece = mailsplit_piece(text, size, at, &fence);

			g_string_append_printf(
			    got, "{%s%.*s}", piece.is_part ? "+" : "", (int)piece.size, piece.data);
			at = piece.next;
		} while (at < size);
		if (strcmp(got->str, PIECES[i].want) != 0)
			fail_msg("%s: got %s, want %s", PIECES[i].name, got->str, PIECES[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_separator_of_mbox_has_a_time_and_a_header_behind),
		cmocka_unit_test(a_time_is_two_digits_around_a_colon_on_the_line),
		cmocka_unit_test(a_mail_ends_before_a_separator_behind_an_empty_line),
		cmocka_unit_test(pieces_are_what_is_between_boundaries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
