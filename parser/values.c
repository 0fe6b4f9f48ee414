#include "parser/values.h"

#include "parser/address.h"
#include "parser/date.h"
#include "parser/notes.h"
#include "parser/text.h"

#include <string.h>

#define EPOCH_FINE 946684800 /* 2000: a smaller unit than seconds is recognised by a later result */
#define BLOCK      4096      /* bytes that strings are taken from at once */

static void add_block(struct values *values, gsize size)
{
	values->room = g_malloc(size);
	values->left = size;
	g_ptr_array_add(values->blocks, values->room);
}

void values_init(struct values *values, const struct parser_limits *limits)
{
	values->blocks = g_ptr_array_new_with_free_func(g_free);
	add_block(values, BLOCK);
	values->bytes = 0;
	values->notes = g_array_new(FALSE, FALSE, sizeof(struct report_note));
	values->limits = limits;
}

void values_reset(struct values *values)
{
	if (values->blocks->len > 1)
		g_ptr_array_set_size(values->blocks, 1);
	values->room = values->blocks->pdata[0];
	values->left = BLOCK;
	values->bytes = 0;
	g_array_set_size(values->notes, 0);
}

void values_clear(struct values *values)
{
	g_clear_pointer(&values->blocks, g_ptr_array_unref);
	g_clear_pointer(&values->notes, g_array_unref);
}

const char *values_copy(struct values *values, const char *text, gsize size)
{
	char *copy;

	values->bytes += size + 1;
	if (size >= values->left)
		add_block(values, MAX(size + 1, BLOCK));
	copy = values->room;
	memcpy(copy, text, size);
	copy[size] = '\0';
	values->room += size + 1;
	values->left -= size + 1;
	return copy;
}

const char *values_keep(struct values *values, const char *text, gsize size)
{
	g_autofree char *clean = NULL;

	if (text_is_clean(text, size))
		return values_copy(values, text, size);
	clean = text_clean(text, size, values->limits->max_text);
	return values_copy(values, clean, strlen(clean));
}

gboolean values_full(const struct values *values)
{
	return values->bytes > values->limits->max_record_bytes;
}

gboolean values_has_note(const struct values *values, const char *code, const char *path)
{
	for (guint i = 0; i < values->notes->len; i++) {
		const struct report_note *had = &g_array_index(values->notes, struct report_note, i);

		if (strcmp(had->code, code) == 0 && strcmp(had->path, path) == 0)
			return TRUE;
	}
	return FALSE;
}

void values_note(struct values *values, const char *code, const char *path, const char *raw)
{
	struct report_note note = { code, path, NULL };

	if (values->notes->len >= values->limits->max_notes || values_has_note(values, code, path))
		return;
	if (raw != NULL && !values_full(values))
		note.raw = values_keep(values, raw, text_cut(raw, strlen(raw), values->limits->max_text));
	g_array_append_val(values->notes, note);
}

/* What generators write for a token, where the dialects know that and not this. */
static const struct {
	const char *sent, *meant;
} SYNONYMS[] = {
	{ "hardfail", "fail" },     /* RFC 4408's name for it: docomo.ne.jp, dmarc25 */
	{ "unknown", "temperror" }, /* RFC 7489 appendix C, on SPF */
	{ "error", "permerror" },   /* there, too */
	{ "failed", "fail" },
	{ "passed", "pass" },
	{ "fail (not aligned)", "fail" }, /* of policy_evaluated, where a result is one after alignment */
	{ "fail (unaligned)", "fail" },
	{ "pass (aligned)", "pass" },
	{ "relaxed", "r" },
	{ "strict", "s" },
};

#define AROUND_TOKENS "\"'`;,%. "

static const char *token_of(const char *const *tokens, const char *word, gsize size)
{
	for (; *tokens != NULL; tokens++)
		if (**tokens == *word && strncmp(*tokens, word, size) == 0 && (*tokens)[size] == '\0')
			return *tokens;
	return NULL;
}

/* The token that lower means, with quotes or a ';' of the DNS record around it or by another name; NULL:
 * none. */
static const char *find_token(const char *const *tokens, const char *lower)
{
	gsize size = strlen(lower);
	const char *token;

	/* nothing that could turn its meaning, as "!pass" */
	for (; size > 0 && strchr(AROUND_TOKENS, *lower) != NULL; lower++)
		size--;
	while (size > 0 && strchr(AROUND_TOKENS, lower[size - 1]) != NULL)
		size--;
	token = token_of(tokens, lower, size);
	if (token != NULL)
		return token;
	for (gsize i = 0; i < G_N_ELEMENTS(SYNONYMS); i++)
		if (strlen(SYNONYMS[i].sent) == size && memcmp(SYNONYMS[i].sent, lower, size) == 0 &&
		    token_of(tokens, SYNONYMS[i].meant, strlen(SYNONYMS[i].meant)) != NULL)
			return SYNONYMS[i].meant;
	return NULL;
}

gboolean values_is_token(enum element element, const char *text)
{
	g_autofree char *lower = g_ascii_strdown(text, -1);

	return token_of(ELEMENTS[element].tokens, lower, strlen(lower)) != NULL;
}

/* A known token is not copied, but counts as if it were. */
static const char *keep_token(struct values *values, const char *token)
{
	values->bytes += strlen(token) + 1;
	return token;
}

static const char *store_token(
    struct values *values, const struct element_row *row, const char *text, gsize size)
{
	g_autofree char *lower = NULL;
	const char *meant = row->tokens != NULL ? token_of(row->tokens, text, size) : NULL;

	if (meant != NULL)
		return keep_token(values, meant);
	lower = g_ascii_strdown(text, (gssize)size);
	meant = row->tokens != NULL ? find_token(row->tokens, lower) : NULL;
	if (row->tokens != NULL || strcmp(lower, text) != 0)
		values_note(values, NOTE_TOKEN, row->path, text);
	return meant != NULL ? keep_token(values, meant) : values_keep(values, lower, size);
}

/* White space of any script, and characters that are not seen. */
static gboolean is_unseen(gunichar c)
{
	return g_unichar_isspace(c) || g_unichar_type(c) == G_UNICODE_FORMAT;
}

/* Trim these at both ends of valid UTF-8. */
static gsize trim_unseen(const char **text, gsize size)
{
	const char *end = *text + size;

	while (*text < end && is_unseen(g_utf8_get_char(*text)))
		*text = g_utf8_next_char(*text);
	while (end > *text && is_unseen(g_utf8_get_char(g_utf8_prev_char(end))))
		end = g_utf8_prev_char(end);
	return (gsize)(end - *text);
}

/* The window of text that is the name: without unseen characters around it, of an address the domain (empty
 * if it has none), and of several names the first. */
static gsize name_window(const char **text, gsize size)
{
	static const char between[] = " ,;\t\r\n";
	const char *at;
	struct address address;

	size = trim_unseen(text, size);
	at = *text;
	if (memchr(at, '@', size) != NULL && address_next(&at, &size, &address)) {
		*text = address.domain != NULL ? address.domain : "";
		return address.domain != NULL ? address.domain_size : 0;
	}
	for (; size > 0 && strchr(between, **text) != NULL; ++*text)
		size--;
	at = *text;
	while (size > 0 && strchr(between, *at) == NULL) {
		at++;
		size--;
	}
	return (gsize)(at - *text);
}

/* Letters that are the same in each form of a name. */
static gboolean is_normal_domain(const char *text, gsize size)
{
	for (gsize i = 0; i < size; i++)
		if (!g_ascii_islower(text[i]) && !g_ascii_isdigit(text[i]) && text[i] != '.' &&
		    text[i] != '-' && text[i] != '_')
			return FALSE;
	return size == 0 || text[size - 1] != '.';
}

static const char *store_domain(
    struct values *values, const struct element_row *row, const char *text, gsize size)
{
	const char *name = text;
	gsize name_size = size;
	gboolean whole;
	g_autofree char *domain = NULL;
	const char *kept;

	if (is_normal_domain(text, size))
		return values_copy(values, text, size);
	if (g_utf8_validate(text, (gssize)size, NULL))
		name_size = name_window(&name, size);
	whole = name_size == size;
	kept = values_keep(values, name, name_size);
	domain = text_domain(kept);
	if (domain != NULL || !whole)
		values_note(values, NOTE_DOMAIN, row->path, text);
	if (domain == NULL)
		return kept;
	return values_keep(values, domain, MIN(strlen(domain), values->limits->max_text));
}

/* The address without what is around it: "192.0.2.1:25", "[2001:db8::1]:25", "IPv6:2001:db8::1",
 * "fe80::1%eth0", and of several the first. Transfer full. */
static char *bare_address(const char *text)
{
	const char *colon;

	text += *text == '[' ? 1 : 0;
	text += g_ascii_strncasecmp(text, "IPv6:", 5) == 0 ? 5 : 0;
	colon = strchr(text, ':');
	if (colon != NULL && strchr(colon + 1, ':') == NULL)
		return g_strndup(text, (gsize)(colon - text));
	return g_strndup(text, strcspn(text, "] %/(,;\t\r\n"));
}

static const char *store_address(struct values *values, const struct element_row *row, const char *text)
{
	char canonical[TEXT_ADDRESS_SIZE];
	gboolean mapped, plain = text_address(text, canonical, &mapped);

	if (!plain || mapped)
		values_note(values, NOTE_ADDRESS, row->path, text);
	if (!plain) {
		g_autofree char *bare = bare_address(text);

		if (!text_address(bare, canonical, &mapped))
			return NULL;
	}
	return values_keep(values, canonical, strlen(canonical));
}

/* Digits in groups of three with ',' between, as "1,234": a copy without them; else NULL. */
static char *without_commas(const char *text)
{
	GString *plain = g_string_new(NULL);
	gsize n = strspn(text, "0123456789");
	gboolean grouped = n >= 1 && n <= 3 && text[n] == ',';

	g_string_append_len(plain, text, (gssize)n);
	for (text += n; grouped && *text == ','; text += 4) {
		grouped = strspn(text + 1, "0123456789") == 3;
		g_string_append_len(plain, text + 1, grouped ? 3 : 0);
	}
	if (grouped)
		g_string_append(plain, text);
	return g_string_free(plain, !grouped);
}

static gint64 store_count(struct values *values, const struct element_row *row, const char *text)
{
	g_autofree char *plain = strchr(text, ',') != NULL ? without_commas(text) : NULL;
	const char *digits = plain != NULL ? plain : text;
	gint64 count = -1;
	enum text_number kind = text_number(digits, &count);

	if (count > REPORT_COUNT_MAX)
		count = -1;
	if (kind != TEXT_INTEGER || count < 0 || plain != NULL)
		values_note(values, NOTE_COUNT, row->path, text);
	return kind == TEXT_FRACTION || count < 0 ? -1 : count;
}

static gint64 store_epoch(struct values *values, const struct element_row *row, const char *text)
{
	gint64 epoch = -1;
	enum text_number kind = text_number(text, &epoch);
	gboolean fine = epoch > REPORT_TIME_MAX, odd;

	if (kind == TEXT_NOT_A_NUMBER)
		epoch = date_iso_seconds(text, &odd);
	while (epoch > REPORT_TIME_MAX) /* milliseconds, microseconds, ... */
		epoch /= 1000;
	if (epoch < 0 || (fine && epoch < EPOCH_FINE))
		epoch = -1;
	if (kind != TEXT_INTEGER || fine || epoch < 0)
		values_note(values, NOTE_DATE, row->path, text);
	return epoch;
}

/* "100", and "100%". */
static gint store_percent(struct values *values, const struct element_row *row, const char *text)
{
	gsize n = strcspn(text, "% ");
	g_autofree char *digits = g_strndup(text, n);
	gboolean bare = text[n] == '\0';
	gint64 percent = -1;
	enum text_number kind = text_number(digits, &percent);

	if (kind == TEXT_FRACTION || percent < 0 || percent > 100 ||
	    strspn(text + n, "% ") < strlen(text + n))
		percent = -1;
	if (kind != TEXT_INTEGER || percent < 0 || !bare)
		values_note(values, NOTE_TOKEN, row->path, text);
	return (gint)percent;
}

void values_store(struct values *values, enum element element, gpointer home, const char *text, gsize size)
{
	const struct element_row *row = &ELEMENTS[element];
	gpointer member = (char *)home + row->offset;

	switch (row->type) {
	case TYPE_TEXT:
		*(const char **)member = values_keep(values, text, size);
		break;
	case TYPE_TOKEN:
		*(const char **)member = store_token(values, row, text, size);
		break;
	case TYPE_DOMAIN:
		*(const char **)member = store_domain(values, row, text, size);
		break;
	case TYPE_ADDRESS:
		*(const char **)member = store_address(values, row, text);
		break;
	case TYPE_COUNT:
		*(gint64 *)member = store_count(values, row, text);
		break;
	case TYPE_EPOCH:
		*(gint64 *)member = store_epoch(values, row, text);
		break;
	case TYPE_PERCENT:
		*(gint *)member = store_percent(values, row, text);
		break;
	case TYPE_PARENT:
	case TYPE_LIST:
		g_assert_not_reached();
	}
}
