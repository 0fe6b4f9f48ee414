#include "server/worker/wire_fields.h"

#include <arpa/inet.h>
#include <string.h>

#include "parser/error.h"
#include "parser/text.h"
#include "server/worker/wire.h"

#define ABSENT "\xff"
#define NUMBER 8  /* bytes */
#define HASH   32 /* bytes of a SHA-256 */

gboolean wire_refuse(GError **error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *why = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "the parser's answer: %s", why);
	return FALSE;
}

/* -- writing -- */

static void put(GByteArray *out, const void *data, gsize size)
{
	guint at = out->len;
	g_byte_array_set_size(out, at + (guint)size);
	memcpy(out->data + at, data, size);
}

void wire_put_text(GByteArray *out, const char *text)
{
	if (text == NULL)
		text = ABSENT;
	put(out, text, strlen(text) + 1);
}

static void put_number(GByteArray *out, gint64 value)
{
	guint64 little = GUINT64_TO_LE((guint64)value);
	put(out, &little, NUMBER);
}

static const char *pointer_at(const char *member)
{
	const char *pointer;
	memcpy(&pointer, member, sizeof(pointer));
	return pointer;
}

/* Append the items of a list; in memory they are one after another, and so are the pointers to texts. */
static void put_list(GByteArray *out, const struct wire_field *field, const char *value)
{
	const char *items = pointer_at(value + field->at);
	gsize n = 0;
	memcpy(&n, value + field->n_at, sizeof(n));
	put_number(out, (gint64)n);
	for (gsize i = 0; i < n; i++) {
		if (field->kind == WIRE_TEXTS)
			wire_put_text(out, pointer_at(items + i * sizeof(char *)));
		else
			wire_put(out, field->of, items + i * field->of->size);
	}
}

static void put_field(GByteArray *out, const struct wire_field *field, const char *value)
{
	gint64 number;
	gint small;

	switch (field->kind) {
	case WIRE_TEXT:
	case WIRE_NEEDED:
	case WIRE_ADDRESS:
		wire_put_text(out, pointer_at(value + field->at));
		break;
	case WIRE_TEXTS:
	case WIRE_LIST:
		put_list(out, field, value);
		break;
	case WIRE_NUMBER:
		memcpy(&number, value + field->at, sizeof(number));
		put_number(out, number);
		break;
	case WIRE_INT:
		memcpy(&small, value + field->at, sizeof(small));
		put_number(out, small);
		break;
	case WIRE_SHA256:
		put(out, value + field->at, HASH);
		break;
	}
}

void wire_put(GByteArray *out, const struct wire_type *type, const void *value)
{
	for (gsize i = 0; i < type->n_fields; i++)
		put_field(out, &type->fields[i], value);
}

/* -- memory for lists -- */

#define BLOCK (32 * 1024) /* bytes: the lists of a usual record take a few hundred */

struct wire_arena {
	char *block;
	gsize used;
	GPtrArray *large; /* what did not fit into the block */
};

struct wire_arena *wire_arena_new(void)
{
	struct wire_arena *arena = g_new(struct wire_arena, 1);
	arena->block = g_malloc(BLOCK);
	arena->used = 0;
	arena->large = g_ptr_array_new_with_free_func(g_free);
	return arena;
}

void wire_arena_free(struct wire_arena *arena)
{
	if (arena == NULL)
		return;
	g_free(arena->block);
	g_ptr_array_unref(arena->large);
	g_free(arena);
}

void wire_arena_reset(struct wire_arena *arena)
{
	arena->used = 0;
	g_ptr_array_set_size(arena->large, 0);
}

/* Room for n items, aligned for pointers. */
static char *arena_take(struct wire_arena *arena, gsize n, gsize size)
{
	gsize bytes = n * size; /* WIRE_ITEMS_TOTAL of the largest structure are a few MiB */
	char *room;

	if (bytes <= BLOCK - arena->used) {
		room = arena->block + arena->used;
		arena->used += (bytes + sizeof(gpointer) - 1) / sizeof(gpointer) * sizeof(gpointer);
		arena->used = MIN(arena->used, BLOCK);
		return room;
	}
	room = g_malloc(bytes);
	g_ptr_array_add(arena->large, room);
	return room;
}

/* -- reading -- */

static gsize left(const struct wire_cursor *cursor)
{
	return (gsize)(cursor->end - cursor->at);
}

static gboolean take_number(struct wire_cursor *cursor, gint64 *value, GError **error)
{
	guint64 little;

	if (left(cursor) < NUMBER)
		return wire_refuse(error, "a number is missing");
	memcpy(&little, cursor->at, NUMBER);
	*value = (gint64)GUINT64_FROM_LE(little);
	cursor->at += NUMBER;
	return TRUE;
}

static gboolean take_in_range(
    struct wire_cursor *cursor, const struct wire_field *field, gint64 *value, GError **error)
{
	if (!take_number(cursor, value, error))
		return FALSE;
	return (*value >= field->least && *value <= field->most) ||
	       wire_refuse(error, "%s %" G_GINT64_FORMAT, field->name, *value);
}

/* The next text, or NULL for an absent one. */
static gboolean take_text(struct wire_cursor *cursor, const char **text, GError **error)
{
	const char *start = cursor->at, *stop = start;
	guint8 bits = 0; /* of all bytes: beyond ASCII it has the highest */

	for (; stop < cursor->end && *stop != '\0'; stop++)
		bits |= (guint8)*stop;
	if (stop == cursor->end)
		return wire_refuse(error, "a text is missing");
	cursor->at = stop + 1;
	*text = start;
	if (bits < 0x80 || g_utf8_validate(start, stop - start, NULL))
		return TRUE;
	*text = NULL;
	return (stop == start + 1 && *start == ABSENT[0]) || wire_refuse(error, "a text is not UTF-8");
}

gboolean wire_take_text(struct wire_cursor *cursor, const char *name, const char **text, GError **error)
{
	return take_text(cursor, text, error) && (*text != NULL || wire_refuse(error, "%s is missing", name));
}

static gboolean check_address(const struct wire_field *field, const char *address, GError **error)
{
	guint8 v6[16];
	guint32 v4;

	return address == NULL || text_ipv4(address, &v4) || inet_pton(AF_INET6, address, v6) == 1 ||
	       wire_refuse(error, "%s is not an IP address", field->name);
}

static gboolean take_count(
    struct wire_cursor *cursor, const struct wire_field *field, gsize *n, GError **error)
{
	gint64 count = 0;

	if (!take_number(cursor, &count, error))
		return FALSE;
	if (count < 0 || count > field->most)
		return wire_refuse(error, "%s: %" G_GINT64_FORMAT " items", field->name, count);
	cursor->items += (guint64)count;
	if (cursor->items > WIRE_ITEMS_TOTAL)
		return wire_refuse(error, "%s: %" G_GUINT64_FORMAT " items", field->name, cursor->items);
	*n = (gsize)count;
	return TRUE;
}

static gboolean take_texts(struct wire_cursor *cursor, const char *name, char *items, gsize n, GError **error)
{
	for (gsize i = 0; i < n; i++) {
		const char *text;
		if (!wire_take_text(cursor, name, &text, error))
			return FALSE;
		memcpy(items + i * sizeof(text), &text, sizeof(text));
	}
	return TRUE;
}

static gboolean take_structures(
    struct wire_cursor *cursor, const struct wire_type *type, char *items, gsize n, GError **error)
{
	for (gsize i = 0; i < n; i++) {
		if (!wire_take(cursor, type, items + i * type->size, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean take_list(
    struct wire_cursor *cursor, const struct wire_field *field, char *value, GError **error)
{
	gboolean texts = field->kind == WIRE_TEXTS;
	gsize n = 0;

	if (!take_count(cursor, field, &n, error))
		return FALSE;
	memcpy(value + field->n_at, &n, sizeof(n));
	if (n == 0)
		return TRUE;
	char *items = arena_take(cursor->arena, n, texts ? sizeof(char *) : field->of->size);
	memcpy(value + field->at, &items, sizeof(items));
	return texts ? take_texts(cursor, field->name, items, n, error)
		     : take_structures(cursor, field->of, items, n, error);
}

static gboolean take_sha256(struct wire_cursor *cursor, char *member, GError **error)
{
	if (left(cursor) < HASH)
		return wire_refuse(error, "a SHA-256 is missing");
	memcpy(member, cursor->at, HASH);
	cursor->at += HASH;
	return TRUE;
}

static gboolean take_field(
    struct wire_cursor *cursor, const struct wire_field *field, char *value, GError **error)
{
	const char *text = NULL;
	gint64 number = 0;
	gint small;
	gboolean good = FALSE;

	switch (field->kind) {
	case WIRE_TEXT:
		good = take_text(cursor, &text, error);
		break;
	case WIRE_NEEDED:
		good = wire_take_text(cursor, field->name, &text, error);
		break;
	case WIRE_ADDRESS:
		good = take_text(cursor, &text, error) && check_address(field, text, error);
		break;
	case WIRE_TEXTS:
	case WIRE_LIST:
		return take_list(cursor, field, value, error);
	case WIRE_NUMBER:
		good = take_in_range(cursor, field, &number, error);
		memcpy(value + field->at, &number, sizeof(number));
		return good;
	case WIRE_INT:
		good = take_in_range(cursor, field, &number, error);
		small = (gint)number;
		memcpy(value + field->at, &small, sizeof(small));
		return good;
	case WIRE_SHA256:
		return take_sha256(cursor, value + field->at, error);
	}
	memcpy(value + field->at, &text, sizeof(text));
	return good;
}

gboolean wire_take(struct wire_cursor *cursor, const struct wire_type *type, void *value, GError **error)
{
	memset(value, 0, type->size);
	for (gsize i = 0; i < type->n_fields; i++) {
		if (!take_field(cursor, &type->fields[i], value, error))
			return FALSE;
	}
	return TRUE;
}

gboolean wire_take_end(const struct wire_cursor *cursor, GError **error)
{
	return left(cursor) == 0 ||
	       wire_refuse(error, "%" G_GSIZE_FORMAT " bytes are left over", left(cursor));
}
