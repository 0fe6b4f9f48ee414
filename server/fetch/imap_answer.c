#include "server/fetch/imap_answer.h"

#include <string.h>

#include "parser/error.h"
#include "server/common/log.h"

#define PLACE     "IMAP server"
#define DEPTH_MAX 16 /* of lists in a FETCH */

/* Always returns FALSE. */
static gboolean fail(const char *line, GError **error)
{
	g_autofree char *quoted = log_quote(line);

	return ruad_error_at(error, PLACE, "an answer that is no IMAP: %s", quoted);
}

/* -- words -- */

/* Step over word, whatever its case, if it stands here as a whole. */
static gboolean skip_word(const char **text, const char *word)
{
	gsize size = strlen(word);

	if (g_ascii_strncasecmp(*text, word, size) != 0 || ((*text)[size] != ' ' && (*text)[size] != '\0'))
		return FALSE;
	*text += size + ((*text)[size] == ' ' ? 1 : 0);
	return TRUE;
}

/* A number from 0 to 2^32-1 that ends at white space, the end, or one of ends. */
static gboolean take_number(const char **text, const char *ends, guint32 *number)
{
	gsize size = strspn(*text, "0123456789");
	g_autofree char *digits = g_strndup(*text, size);
	char end = (*text)[size];
	guint64 value = 0;

	if (!g_ascii_string_to_unsigned(digits, 10, 0, G_MAXUINT32, &value, NULL) ||
	    (end != '\0' && end != ' ' && strchr(ends, end) == NULL))
		return FALSE;
	*number = (guint32)value;
	*text += size;
	return TRUE;
}

/* The abilities that the words up to the end of the list name. */
static guint abilities_in(const char *text, const char *end)
{
	static const struct {
		const char *word;
		guint ability;
	} words[] = {
		{ "IDLE", IMAP_CAN_IDLE },
		{ "MOVE", IMAP_CAN_MOVE },
		{ "UIDPLUS", IMAP_CAN_UIDPLUS },
		{ "\\Seen", IMAP_KEEPS_SEEN },
		{ "\\Deleted", IMAP_KEEPS_DELETED },
		{ "\\Flagged", IMAP_KEEPS_FLAGGED },
		{ "\\*", IMAP_KEEPS_KEYWORDS },
	};
	g_autofree char *list = g_strndup(text, (gsize)(end - text));
	g_auto(GStrv) named = g_strsplit(list, " ", -1);
	guint abilities = 0;

	for (gsize i = 0; named[i] != NULL; i++)
		for (gsize w = 0; w < G_N_ELEMENTS(words); w++)
			if (g_ascii_strcasecmp(named[i], words[w].word) == 0)
				abilities |= words[w].ability;
	return abilities;
}

/* -- status answers: OK, NO, BAD, BYE -- */

/* The response code in brackets (RFC 9051 section 7.1). */
static gboolean parse_code(const char *text, struct imap_answer *answer)
{
	const char *end = *text == '[' ? strchr(text, ']') : NULL;

	if (end == NULL)
		return TRUE;
	text++;
	if (g_str_has_prefix(text, "READ-ONLY]")) {
		answer->read_only = TRUE;
	} else if (skip_word(&text, "UIDVALIDITY")) {
		answer->kind = answer->kind == IMAP_OTHER ? IMAP_VALIDITY : answer->kind;
		return take_number(&text, "]", &answer->number) && *text == ']';
	} else if (skip_word(&text, "PERMANENTFLAGS")) {
		const char *close = *text == '(' ? strchr(text, ')') : NULL;

		if (close == NULL || close[1] != ']')
			return FALSE;
		answer->kind = answer->kind == IMAP_OTHER ? IMAP_FLAGS : answer->kind;
		answer->abilities = abilities_in(text + 1, close);
	}
	return TRUE;
}

static gboolean parse_done(const char *text, struct imap_answer *answer)
{
	static const char *const words[] = { [IMAP_OK] = "OK", [IMAP_NO] = "NO", [IMAP_BAD] = "BAD" };

	answer->kind = IMAP_DONE;
	for (guint i = 0; i < G_N_ELEMENTS(words); i++)
		if (skip_word(&text, words[i])) {
			answer->result = (enum imap_result)i;
			answer->text = text;
			return parse_code(text, answer);
		}
	return FALSE;
}

/* -- SEARCH -- */

static gboolean parse_search(const char *text, struct imap_answer *answer, GArray *uids)
{
	answer->kind = IMAP_SEARCH;
	while (*text != '\0') {
		guint32 uid = 0;

		if (*text == '(') /* MODSEQ (RFC 7162 section 3.1.5) ends the list */
			return TRUE;
		if (!take_number(&text, "", &uid) || uid == 0)
			return FALSE;
		if (uids != NULL)
			g_array_append_val(uids, uid);
		text += *text == ' ' ? 1 : 0;
	}
	return TRUE;
}

/* -- FETCH -- */

/* Step over a quoted string. */
static gboolean skip_quoted(const char **text)
{
	for (const char *c = *text + 1; *c != '\0'; c++) {
		if (*c == '"') {
			*text = c + 1;
			return TRUE;
		}
		if (*c == '\\' && *++c == '\0')
			return FALSE;
	}
	return FALSE;
}

/* Step over a value: an atom or number, a string, a literal, or a list of values. */
static gboolean skip_value(const char **text)
{
	guint depth = 0;

	do {
		const char *c = *text;

		if (*c == '(' && depth < DEPTH_MAX) {
			depth++;
			*text = c + 1;
		} else if (*c == ')' && depth > 0) {
			depth--;
			*text = c + 1;
		} else if (*c == ' ' && depth > 0) {
			*text = c + 1;
		} else if (*c == '"') {
			if (!skip_quoted(text))
				return FALSE;
		} else {
			gsize size = strcspn(c, " ()\"");

			if (size == 0)
				return FALSE;
			*text = c + size;
		}
	} while (depth > 0);
	return TRUE;
}

static gboolean take_body(const char **text, enum imap_body *body)
{
	static const struct {
		const char *word;
		enum imap_body body;
	} forms[] = { { "{}", IMAP_BODY_LITERAL }, { "\"\"", IMAP_BODY_EMPTY }, { "NIL", IMAP_BODY_NIL } };

	for (gsize i = 0; i < G_N_ELEMENTS(forms); i++)
		if (g_ascii_strncasecmp(*text, forms[i].word, strlen(forms[i].word)) == 0) {
			*body = forms[i].body;
			*text += strlen(forms[i].word);
			return **text == ' ' || **text == ')';
		}
	return FALSE;
}

/* One item of a FETCH and its value. */
static gboolean take_item(const char **text, struct imap_answer *answer)
{
	gsize size = strcspn(*text, " ()\"");
	g_autofree char *name = g_ascii_strup(*text, (gssize)size);

	if (size == 0 || (*text)[size] != ' ')
		return FALSE;
	*text += size + 1;
	if (g_str_equal(name, "UID"))
		return take_number(text, ")", &answer->number) && answer->number != 0;
	if (g_str_equal(name, "BODY[]") || g_str_equal(name, "BODY[]<0>"))
		return take_body(text, &answer->body);
	return skip_value(text);
}

static gboolean parse_fetch(const char *text, struct imap_answer *answer)
{
	answer->kind = IMAP_FETCH;
	answer->number = 0;
	if (*text++ != '(')
		return FALSE;
	for (;;) {
		if (!take_item(&text, answer))
			return FALSE;
		if (*text == ')')
			return text[1] == '\0';
		if (*text++ != ' ')
			return FALSE;
	}
}

gboolean imap_answer_awaits_body(const char *line)
{
	guint32 number = 0;
	const char *space;

	if (!g_str_has_prefix(line, "* "))
		return FALSE;
	line += 2;
	if (!take_number(&line, "", &number) || *line++ != ' ' || !skip_word(&line, "FETCH") || *line != '(')
		return FALSE;
	space = strrchr(line, ' ');
	if (space == NULL || space[1] != '\0')
		return FALSE;
	while (space > line && space[-1] != ' ' && space[-1] != '(')
		space--;
	return g_ascii_strcasecmp(space, "BODY[] ") == 0 || g_ascii_strcasecmp(space, "BODY[]<0> ") == 0;
}

/* -- all answers -- */

/* "number WORD ...": of a mail or the mailbox. */
static gboolean parse_numbered(const char *text, struct imap_answer *answer)
{
	if (!take_number(&text, "", &answer->number) || *text++ != ' ')
		return FALSE;
	if (skip_word(&text, "EXISTS"))
		answer->kind = IMAP_EXISTS;
	else if (skip_word(&text, "EXPUNGE"))
		answer->kind = IMAP_EXPUNGED;
	else if (skip_word(&text, "FETCH"))
		return parse_fetch(text, answer);
	return TRUE;
}

static gboolean parse_untagged(const char *text, struct imap_answer *answer, GArray *uids)
{
	if (g_ascii_isdigit(*text))
		return parse_numbered(text, answer);
	if (skip_word(&text, "SEARCH"))
		return parse_search(text, answer, uids);
	if (skip_word(&text, "CAPABILITY")) {
		answer->kind = IMAP_CAPABLE;
		answer->abilities = abilities_in(text, text + strlen(text));
		return TRUE;
	}
	if (skip_word(&text, "BYE")) {
		answer->kind = IMAP_BYE;
		answer->text = text;
		return TRUE;
	}
	if (skip_word(&text, "OK"))
		return parse_code(text, answer);
	return TRUE;
}

gboolean imap_answer_parse(
    const char *line, const char *tag, struct imap_answer *answer, GArray *uids, GError **error)
{
	const char *text = line;
	gboolean good;

	*answer = (struct imap_answer){ .kind = IMAP_OTHER };
	if (*line == '+') {
		answer->kind = IMAP_CONTINUE;
		good = line[1] == ' ' || line[1] == '\0';
	} else if (skip_word(&text, "*")) {
		good = parse_untagged(text, answer, uids);
	} else {
		good = g_str_has_prefix(line, tag) && line[strlen(tag)] == ' ';
		good = good && parse_done(line + strlen(tag) + 1, answer);
	}
	return good || fail(line, error);
}

char *imap_quote(const char *text)
{
	g_autoptr(GString) quoted = g_string_new("\"");

	for (const char *c = text; *c != '\0'; c++) {
		if (!g_ascii_isprint(*c))
			return NULL;
		if (*c == '"' || *c == '\\')
			g_string_append_c(quoted, '\\');
		g_string_append_c(quoted, *c);
	}
	g_string_append_c(quoted, '"');
	return g_string_free(g_steal_pointer(&quoted), FALSE);
}
