#include "parser/hints.h"

#include "parser/notes.h"
#include "parser/text.h"

#include <string.h>

/* What is longer may have been cut on its way here (parser/mail.c), and says nothing. */
#define SUBJECT_MAX_BYTES 990
#define NAME_MAX_BYTES    190

#define DATE_MAX_DIGITS 18 /* in 64 bits */

/* -- Subject -- */

/* What follows the word, blanks and ':', which stand at text; NULL: something else does. */
static const char *behind_label(const char *text, const char *word)
{
	gsize size = strlen(word);

	if (g_ascii_strncasecmp(text, word, size) != 0)
		return NULL;
	text += size;
	while (text_is_space(*text))
		text++;
	return *text == ':' ? text + 1 : NULL;
}

/* The same for its first place in text; *start: where the word begins. */
static const char *find_label(const char *text, const char *word, const char **start)
{
	for (; *text != '\0'; text++) {
		const char *behind = behind_label(text, word);

		if (behind != NULL) {
			*start = text;
			return behind;
		}
	}
	return NULL;
}

/* "domain:" with "report" before it. */
static const char *find_domain(const char *text)
{
	for (; *text != '\0'; text++) {
		const char *at = text, *behind;

		if (g_ascii_strncasecmp(text, "report", strlen("report")) != 0)
			continue;
		for (at += strlen("report"); text_is_space(*at); at++)
			;
		behind = behind_label(at, "domain");
		if (behind != NULL)
			return behind;
	}
	return NULL;
}

/* text[0..size) without the blanks, ',', ';', brackets and quotes around it; NULL: nothing is left. */
static char *bare(const char *text, gsize size)
{
	static const char AROUND[] = " \t\r\n,;<>{}[]\"'";

	while (size > 0 && strchr(AROUND, *text) != NULL) {
		text++;
		size--;
	}
	while (size > 0 && strchr(AROUND, text[size - 1]) != NULL)
		size--;
	return size == 0 ? NULL : g_strndup(text, size);
}

/* Not more than can be the name of a domain: one word of characters that DNS names have. */
static gboolean is_name(const char *domain)
{
	for (; *domain != '\0'; domain++)
		if ((guchar)*domain < 0x80 && !g_ascii_isalnum(*domain) && strchr("-_.", *domain) == NULL)
			return FALSE;
	return TRUE;
}

/* An id ends where its bracket does. */
static char *read_report_id(const char *text)
{
	const char *end;

	while (text_is_space(*text))
		text++;
	end = *text == '<' ? strchr(text, '>') : *text == '{' ? strchr(text, '}') : NULL;
	return bare(text, end == NULL ? strlen(text) : (gsize)(end - text));
}

gboolean hint_read_subject(const char *subject, struct hint *hint)
{
	const char *domain = find_domain(subject), *submitter = NULL, *id, *start;
	g_autofree char *name = NULL;

	if (domain == NULL || strlen(subject) > SUBJECT_MAX_BYTES ||
	    find_label(domain, "submitter", &submitter) == NULL)
		return FALSE;
	name = bare(domain, (gsize)(submitter - domain));
	if (name == NULL || !is_name(name))
		return FALSE;
	id = find_label(submitter, "report-id", &start);
	*hint = (struct hint){ .domain = g_steal_pointer(&name),
		.report_id = id == NULL ? NULL : read_report_id(id),
		.begin = -1,
		.end = -1 };
	return TRUE;
}

/* -- file name -- */

/* The digits at text as a number; *end: behind them. */
static gboolean read_digits(const char *text, gint64 *number, const char **end)
{
	gsize size = strspn(text, "0123456789");
	g_autofree char *digits = g_strndup(text, size);

	*end = text + size;
	return size <= DATE_MAX_DIGITS && text_number(digits, number) == TEXT_INTEGER;
}

gboolean hint_read_name(const char *name, struct hint *hint)
{
	const char *path = strrchr(name, '/'), *domain = strchr(path == NULL ? name : path, '!'), *end, *at;
	g_autofree char *policy_domain = NULL;
	gint64 begin, finish;

	end = domain == NULL || strlen(name) > NAME_MAX_BYTES ? NULL : strchr(domain + 1, '!');
	if (end == NULL)
		return FALSE;
	policy_domain = g_strndup(domain + 1, (gsize)(end - domain - 1));
	if (*policy_domain == '\0' || !is_name(policy_domain))
		return FALSE;
	if (!read_digits(end + 1, &begin, &at) || *at != '!' || !read_digits(at + 1, &finish, &at) ||
	    g_ascii_isalnum(*at))
		return FALSE;
	*hint = (struct hint){ .domain = g_steal_pointer(&policy_domain), .begin = begin, .end = finish };
	return TRUE;
}

void hint_clear(struct hint *hint)
{
	g_clear_pointer(&hint->domain, g_free);
	g_clear_pointer(&hint->report_id, g_free);
}

/* -- hints of both kinds -- */

char *hints_domain(const struct hints *hints)
{
	struct hint hint = { 0 };
	char *domain = NULL;

	if (hints->domain != NULL)
		return text_domain_copy(hints->domain);
	if ((hints->name != NULL && hint_read_name(hints->name, &hint)) ||
	    (hints->subject != NULL && hint_read_subject(hints->subject, &hint)))
		domain = text_domain_copy(hint.domain);
	hint_clear(&hint);
	return domain;
}

char *hints_agreed_domain(const struct hints *hints)
{
	struct hint subject = { 0 }, name = { 0 };
	char *domain = NULL;

	if (hints->subject != NULL && hints->name != NULL && hint_read_subject(hints->subject, &subject) &&
	    hint_read_name(hints->name, &name)) {
		g_autofree char *other = text_domain_copy(name.domain);

		domain = text_domain_copy(subject.domain);
		if (strcmp(domain, other) != 0)
			g_clear_pointer(&domain, g_free);
	}
	hint_clear(&subject);
	hint_clear(&name);
	return domain;
}

static gboolean is_same_domain(const char *said, const char *domain)
{
	g_autofree char *normal = text_domain_copy(said);

	return strcmp(normal, domain) == 0;
}

/* An id without white space and brackets, in lower case. */
static char *squeeze(const char *id)
{
	GString *text = g_string_new(NULL);

	for (; *id != '\0'; id++)
		if (!text_is_space(*id) && *id != '<' && *id != '>')
			g_string_append_c(text, g_ascii_tolower(*id));
	return g_string_free(text, FALSE);
}

static gboolean is_with_domain(const char *whole, const char *id)
{
	gsize size = strlen(id);

	return strncmp(whole, id, size) == 0 && whole[size] == '@';
}

static gboolean is_same_id(const char *said, const char *report_id)
{
	g_autofree char *a = squeeze(said), *b = squeeze(report_id), *first = NULL;

	if (strcmp(a, b) == 0 || is_with_domain(a, b) || is_with_domain(b, a))
		return TRUE;
	/* "1234 (1 of 2)" */
	g_free(a);
	first = g_strndup(said, strcspn(said, " \t\r\n"));
	a = squeeze(first);
	return strcmp(a, b) == 0;
}

static void note_subject(const char *subject, const struct aggregate_header *header, struct values *notes)
{
	struct hint said;

	if (!hint_read_subject(subject, &said))
		return;
	if (!is_same_domain(said.domain, header->domain))
		values_note(notes, NOTE_SUBJECT, "mail/subject", said.domain);
	else if (said.report_id != NULL && header->report_id != NULL && *header->report_id != '\0' &&
		 !is_same_id(said.report_id, header->report_id))
		values_note(notes, NOTE_SUBJECT, "mail/subject", said.report_id);
	hint_clear(&said);
}

static void note_name(const char *name, const struct aggregate_header *header, struct values *notes)
{
	struct hint said;

	if (!hint_read_name(name, &said))
		return;
	if (!is_same_domain(said.domain, header->domain) || said.begin != header->begin ||
	    said.end != header->end)
		values_note(notes, NOTE_FILE_NAME, "file name", name);
	hint_clear(&said);
}

void hints_note(const struct hints *hints, const struct aggregate_header *header, struct values *notes)
{
	if (hints->subject != NULL)
		note_subject(hints->subject, header, notes);
	if (hints->name != NULL)
		note_name(hints->name, header, notes);
	if (hints->copy_of != NULL)
		values_note(notes, NOTE_COPY, "feedback", hints->copy_of);
}
