#include "parser/values.h"

#include "parser/notes.h"
#include "parser/text.h"

#include <string.h>

#define EPOCH_MAX G_GINT64_CONSTANT(253402300799) /* the last second of the year 9999 */
#define BLOCK     4096                            /* bytes that strings are taken from at once */

void values_init(struct values *values, const struct parser_limits *limits)
{
	values->strings = g_string_chunk_new(BLOCK);
	values->bytes = 0;
	values->notes = g_array_new(FALSE, FALSE, sizeof(struct report_note));
	values->limits = limits;
}

void values_reset(struct values *values)
{
	g_string_chunk_clear(values->strings);
	values->bytes = 0;
	g_array_set_size(values->notes, 0);
}

void values_clear(struct values *values)
{
	g_clear_pointer(&values->strings, g_string_chunk_free);
	g_clear_pointer(&values->notes, g_array_unref);
}

const char *values_keep(struct values *values, const char *text, gsize size)
{
	g_autofree char *clean = NULL;

	if (!text_is_clean(text, size)) {
		clean = text_clean(text, size, values->limits->max_text);
		text = clean;
		size = strlen(clean);
	}
	values->bytes += size + 1;
	return g_string_chunk_insert_len(values->strings, text, (gssize)size);
}

gboolean values_full(const struct values *values)
{
	return values->bytes > values->limits->max_record_bytes;
}

void values_note(struct values *values, const char *code, const char *path, const char *raw)
{
	struct report_note note = { code, path, NULL };

	if (values->notes->len >= values->limits->max_notes)
		return;
	for (guint i = 0; i < values->notes->len; i++) {
		const struct report_note *had = &g_array_index(values->notes, struct report_note, i);

		if (strcmp(had->code, code) == 0 && strcmp(had->path, path) == 0)
			return;
	}
	if (raw != NULL)
		note.raw = values_keep(values, raw, text_cut(raw, strlen(raw), values->limits->max_text));
	g_array_append_val(values->notes, note);
}

/* Whether token is one of " these or those ". */
static gboolean is_known(const char *tokens, const char *token, gsize size)
{
	const char *at = tokens + 1;

	while (*at != '\0') {
		const char *end = strchr(at, ' ');

		if ((gsize)(end - at) == size && memcmp(at, token, size) == 0)
			return TRUE;
		at = end + 1;
	}
	return FALSE;
}

static const char *store_token(
    struct values *values, const struct element_row *row, const char *text, gsize size)
{
	g_autofree char *lower = NULL;
	const char *kept;

	if (row->tokens != NULL && is_known(row->tokens, text, size))
		return values_keep(values, text, size);
	lower = g_strndup(text, size);
	kept = text_lower(lower) ? values_keep(values, lower, size) : values_keep(values, text, size);
	if (row->tokens != NULL || strcmp(lower, text) != 0)
		values_note(values, NOTE_TOKEN, row->path, text);
	return kept;
}

static const char *store_domain(
    struct values *values, const struct element_row *row, const char *text, gsize size)
{
	const char *kept = values_keep(values, text, size);
	g_autofree char *domain = text_domain(kept);

	if (domain == NULL)
		return kept;
	values_note(values, NOTE_DOMAIN, row->path, text);
	return values_keep(values, domain, MIN(strlen(domain), values->limits->max_text));
}

static const char *store_address(struct values *values, const struct element_row *row, const char *text)
{
	char canonical[TEXT_ADDRESS_SIZE];
	gboolean mapped;

	if (!text_address(text, canonical, &mapped)) {
		values_note(values, NOTE_ADDRESS, row->path, text);
		return NULL;
	}
	if (mapped)
		values_note(values, NOTE_ADDRESS, row->path, text);
	return values_keep(values, canonical, strlen(canonical));
}

static gint64 store_count(struct values *values, const struct element_row *row, const char *text)
{
	gint64 count = -1;
	enum text_number kind = text_number(text, &count);

	if (kind != TEXT_INTEGER || count < 0)
		values_note(values, NOTE_COUNT, row->path, text);
	return kind == TEXT_FRACTION || count < 0 ? -1 : count;
}

static gint64 store_epoch(struct values *values, const struct element_row *row, const char *text)
{
	gint64 epoch = -1;
	enum text_number kind = text_number(text, &epoch);

	if (epoch < 0 || epoch > EPOCH_MAX)
		epoch = -1;
	if (kind != TEXT_INTEGER || epoch < 0)
		values_note(values, NOTE_DATE, row->path, text);
	return epoch;
}

static gint store_percent(struct values *values, const struct element_row *row, const char *text)
{
	gint64 percent = -1;
	enum text_number kind = text_number(text, &percent);

	if (kind == TEXT_FRACTION || percent < 0 || percent > 100)
		percent = -1;
	if (kind != TEXT_INTEGER || percent < 0)
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
