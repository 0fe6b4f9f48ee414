/*
 * test_imap_answer.c - what answers of an IMAP server say, and which are none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "parser/error.h"
#include "server/fetch/imap_answer.h"

#define INVALID (-1)

static const struct {
	const char *line;
	int kind; /* INVALID: RUAD_ERROR_SYNTAX */
	guint32 number;
	guint abilities;
	enum imap_body body;
} cases[] = {
	{ "* 12 EXISTS", IMAP_EXISTS, 12, 0, 0 },
	{ "* 0 exists", IMAP_EXISTS, 0, 0, 0 },
	{ "* 4294967295 EXISTS", IMAP_EXISTS, G_MAXUINT32, 0, 0 },
	{ "* 4294967296 EXISTS", INVALID, 0, 0, 0 },
	{ "* 12x EXISTS", INVALID, 0, 0, 0 },
	{ "* 3 EXPUNGE", IMAP_EXPUNGED, 3, 0, 0 },
	{ "* 3 RECENT", IMAP_OTHER, 3, 0, 0 },
	{ "* 3 EXISTSX", IMAP_OTHER, 3, 0, 0 },
	{ "* CAPABILITY IMAP4rev1 IDLE UIDPLUS MOVE", IMAP_CAPABLE, 0,
	    IMAP_CAN_IDLE | IMAP_CAN_UIDPLUS | IMAP_CAN_MOVE, 0 },
	{ "* CAPABILITY IMAP4rev1 XIDLE MOVED", IMAP_CAPABLE, 0, 0, 0 },
	{ "* OK [PERMANENTFLAGS (\\Answered \\Seen \\Deleted \\Flagged \\*)] Flags permitted.", IMAP_FLAGS, 0,
	    IMAP_KEEPS_SEEN | IMAP_KEEPS_DELETED | IMAP_KEEPS_FLAGGED | IMAP_KEEPS_KEYWORDS, 0 },
	{ "* OK [PERMANENTFLAGS ()] Read-only", IMAP_FLAGS, 0, 0, 0 },
	{ "* OK [PERMANENTFLAGS (\\Seen] ...", INVALID, 0, 0, 0 },
	{ "* OK [PERMANENTFLAGS \\Seen] ...", INVALID, 0, 0, 0 },
	{ "* OK [UIDVALIDITY 1406297628] UIDs valid", IMAP_VALIDITY, 1406297628, 0, 0 },
	{ "* OK [UIDVALIDITY x] UIDs valid", INVALID, 0, 0, 0 },
	{ "* OK Still here", IMAP_OTHER, 0, 0, 0 },
	{ "* OK [ALERT", IMAP_OTHER, 0, 0, 0 },
	{ "* BYE Autologout", IMAP_BYE, 0, 0, 0 },
	{ "* FLAGS (\\Seen)", IMAP_OTHER, 0, 0, 0 },
	{ "* LIST () \"/\" {}", IMAP_OTHER, 0, 0, 0 },
	{ "+ idling", IMAP_CONTINUE, 0, 0, 0 },
	{ "+", IMAP_CONTINUE, 0, 0, 0 },
	{ "+idling", INVALID, 0, 0, 0 },
	{ "* 3 FETCH (UID 7 BODY[] {})", IMAP_FETCH, 7, 0, IMAP_BODY_LITERAL },
	{ "* 3 FETCH (BODY[]<0> {} UID 7)", IMAP_FETCH, 7, 0, IMAP_BODY_LITERAL },
	{ "* 3 fetch (flags (\\Seen $x) uid 7 body[]<0> NIL)", IMAP_FETCH, 7, 0, IMAP_BODY_NIL },
	{ "* 3 FETCH (UID 7 BODY[] \"\")", IMAP_FETCH, 7, 0, IMAP_BODY_EMPTY },
	{ "* 3 FETCH (UID 7 BODY[] \"text\")", INVALID, 0, 0, 0 },
	{ "* 3 FETCH (UID 7 BODY[] {}x)", INVALID, 0, 0, 0 },
	{ "* 3 FETCH (FLAGS (\\Seen))", IMAP_FETCH, 0, 0, IMAP_BODY_NONE },
	{ "* 3 FETCH (UID 7 X-GM-LABELS (\"\\\\Inbox\" \"a) b\") MODSEQ (5))", IMAP_FETCH, 7, 0, 0 },
	{ "* 3 FETCH (UID 0)", INVALID, 0, 0, 0 },
	{ "* 3 FETCH (UID 7", INVALID, 0, 0, 0 },
	{ "* 3 FETCH (UID 7) x", INVALID, 0, 0, 0 },
	{ "* 3 FETCH (UID)", INVALID, 0, 0, 0 },
	{ "* 3 FETCH ()", INVALID, 0, 0, 0 },
	{ "* 3 FETCH UID 7", INVALID, 0, 0, 0 },
	{ "* 3 FETCH (X \"open)", INVALID, 0, 0, 0 },
	{ "* 3 FETCH (X (((((((((((((((((1))))))))))))))))))", INVALID, 0, 0, 0 },
	{ "* 3 FETCH (X ((((((((((((((((1)))))))))))))))))", IMAP_FETCH, 0, 0, 0 },
	{ "* 3 FETCH (X \"a\\\"b\" UID 7)", IMAP_FETCH, 7, 0, 0 },
	{ "* 3 FETCH (X \"\" UID 7)", IMAP_FETCH, 7, 0, 0 },
	{ "* 3 FETCH (X \"a\\", INVALID, 0, 0, 0 },
	{ "* OK [UIDVALIDITY 5 x] UIDs valid", INVALID, 0, 0, 0 },
	{ "r1 PERHAPS", INVALID, 0, 0, 0 },
	{ "r2 OK", INVALID, 0, 0, 0 },
	{ "r12 OK", INVALID, 0, 0, 0 },
	{ "r1OK", INVALID, 0, 0, 0 },
	{ "HTTP/1.1 400 Bad Request", INVALID, 0, 0, 0 },
	{ "", INVALID, 0, 0, 0 },
};

static void an_answer_says_what_its_grammar_says_or_nothing(void **state G_GNUC_UNUSED)
{
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct imap_answer answer;
		g_autoptr(GError) error = NULL;
		int kind = imap_answer_parse(cases[i].line, "r1", &answer, NULL, &error) ? (int)answer.kind
											 : INVALID;

		if (kind != cases[i].kind)
			fail_msg("\"%s\": kind %d", cases[i].line, kind);
		if (kind == INVALID)
			assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX));
		else if (answer.number != cases[i].number || answer.abilities != cases[i].abilities ||
			 answer.body != cases[i].body)
			fail_msg("\"%s\": number %u, abilities %u, body %u", cases[i].line, answer.number,
			    answer.abilities, answer.body);
	}
}

static void the_end_of_a_command_has_a_result_and_its_words(void **state G_GNUC_UNUSED)
{
	static const struct {
		const char *line;
		enum imap_result result;
		gboolean read_only;
	} ends[] = {
		{ "r1 OK done", IMAP_OK, FALSE },
		{ "r1 NO [TRYCREATE] no such mailbox", IMAP_NO, FALSE },
		{ "r1 BAD what", IMAP_BAD, FALSE },
		{ "r1 OK [READ-ONLY] Examined", IMAP_OK, TRUE },
		{ "r1 OK [READ-WRITE] Selected", IMAP_OK, FALSE },
		{ "r1 OK", IMAP_OK, FALSE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
		struct imap_answer answer;

		assert_true(imap_answer_parse(ends[i].line, "r1", &answer, NULL, NULL));
		assert_int_equal(answer.kind, IMAP_DONE);
		assert_int_equal(answer.result, ends[i].result);
		assert_int_equal(answer.read_only, ends[i].read_only);
		assert_non_null(answer.text);
	}
}

/* The UIDs of an answer, as text; NULL if it is none. Transfer full. */
static char *search(const char *line)
{
	g_autoptr(GArray) uids = g_array_new(FALSE, FALSE, sizeof(guint32));
	g_autoptr(GString) text = g_string_new(NULL);
	struct imap_answer answer;

	if (!imap_answer_parse(line, "r1", &answer, uids, NULL) || answer.kind != IMAP_SEARCH)
		return NULL;
	for (guint i = 0; i < uids->len; i++)
		g_string_append_printf(text, "%u,", g_array_index(uids, guint32, i));
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static void a_search_answers_with_uids_from_1(void **state G_GNUC_UNUSED)
{
	static const struct {
		const char *line;
		const char *want;
	} searches[] = {
		{ "* SEARCH", "" },
		{ "* SEARCH ", "" },
		{ "* SEARCH 1 4294967295 3", "1,4294967295,3," },
		{ "* SEARCH 5 (MODSEQ 9)", "5," },
		{ "* SEARCH 0", NULL },
		{ "* SEARCH 4294967296", NULL },
		{ "* SEARCH 1,2", NULL },
		{ "* SEARCH 1:2", NULL },
		{ "* SEARCHES", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(searches); i++) {
		g_autofree char *got = search(searches[i].line);

		if (g_strcmp0(got, searches[i].want) != 0)
			fail_msg("\"%s\": %s", searches[i].line, got != NULL ? got : "not taken");
	}
}

static void only_the_body_of_a_fetch_is_awaited(void **state G_GNUC_UNUSED)
{
	assert_true(imap_answer_awaits_body("* 3 FETCH (UID 7 BODY[] "));
	assert_true(imap_answer_awaits_body("* 3 FETCH (BODY[]<0> "));
	assert_true(imap_answer_awaits_body("* 3 fetch (FLAGS () body[]<0> "));
	assert_false(imap_answer_awaits_body("* 3 FETCH (UID 7 BODY[HEADER] "));
	assert_false(imap_answer_awaits_body("* 3 FETCH (UID 7 XBODY[] "));
	assert_false(imap_answer_awaits_body("* 3 FETCH (UID 7 BODY[]"));
	assert_false(imap_answer_awaits_body("* 3 FETCH "));
	assert_false(imap_answer_awaits_body("* 3 FETCH UID 7 BODY[] "));
	assert_false(imap_answer_awaits_body("* 3 FETCHED (UID 7 BODY[] "));
	assert_false(imap_answer_awaits_body("* x FETCH (UID 7 BODY[] "));
	assert_false(imap_answer_awaits_body("* LIST () BODY[] "));
	assert_false(imap_answer_awaits_body("r1 OK BODY[] "));
	assert_false(imap_answer_awaits_body(""));
}

static void answers_reach_the_log_quoted(void **state G_GNUC_UNUSED)
{
	struct imap_answer answer;
	g_autoptr(GError) error = NULL;

	assert_false(imap_answer_parse("x \033[31m\"\rforged", "r1", &answer, NULL, &error));
	for (const char *c = error->message; *c != '\0'; c++)
		assert_true(g_ascii_isprint(*c));
}

static void names_become_quoted_strings(void **state G_GNUC_UNUSED)
{
	static const struct {
		const char *text;
		const char *want;
	} names[] = {
		{ "INBOX", "\"INBOX\"" },
		{ "a \"b\" \\c", "\"a \\\"b\\\" \\\\c\"" },
		{ "a\r\nr2 DELETE x", NULL },
		{ "Entw\303\274rfe", NULL },
		{ "\177", NULL },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *quoted = imap_quote(names[i].text);

		if (g_strcmp0(quoted, names[i].want) != 0)
			fail_msg("%s: %s", names[i].text, quoted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_says_what_its_grammar_says_or_nothing),
		cmocka_unit_test(the_end_of_a_command_has_a_result_and_its_words),
		cmocka_unit_test(a_search_answers_with_uids_from_1),
		cmocka_unit_test(only_the_body_of_a_fetch_is_awaited),
		cmocka_unit_test(answers_reach_the_log_quoted),
		cmocka_unit_test(names_become_quoted_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
