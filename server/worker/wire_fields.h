/*
 * wire_fields.h - structures as bytes and back, by tables of their members; private to the wire*.c files.
 *
 * Members follow one another without names: both ends have the same tables (wire_tables.h). A number is 8
 * bytes, little-endian. A text is its bytes and a NUL; an absent one is the byte 0xFF, which no UTF-8 holds,
 * and a NUL. A list is the number of its items, and the items. Nothing is copied but the lists: texts are
 * borrowed from the bytes.
 *
 * Bytes from a worker are untrusted: a structure that is taken from them is within the bounds of its table.
 * All errors are RUAD_ERROR_SYNTAX.
 */
#pragma once

#include <glib.h>

enum wire_kind {
	WIRE_TEXT,    /* const char *, may be NULL */
	WIRE_NEEDED,  /* const char *, never NULL */
	WIRE_ADDRESS, /* const char *, an IPv4 or IPv6 address or NULL */
	WIRE_TEXTS,   /* const char *const *, none of them NULL */
	WIRE_LIST,    /* const struct of * */
	WIRE_NUMBER,  /* gint64 or guint64 */
	WIRE_INT,     /* gint, gboolean or an enum */
	WIRE_SHA256,  /* guint8[32] */
};

struct wire_type;

/* A member of a structure. */
struct wire_field {
	const char *name;
	enum wire_kind kind;
	gsize at;                   /* its offset */
	gsize n_at;                 /* offset of the gsize with the number of items of a list */
	gint64 least, most;         /* of a number, or 0 and most items of a list */
	const struct wire_type *of; /* of the items of WIRE_LIST */
};

/* A structure of size bytes. */
struct wire_type {
	gsize size;
	const struct wire_field *fields;
	gsize n_fields;
};

/* Append the members of value to out. */
void wire_put(GByteArray *out, const struct wire_type *type, const void *value);
void wire_put_text(GByteArray *out, const char *text);

/* Memory for lists, all of which is given back at once. */
struct wire_arena;
struct wire_arena *wire_arena_new(void) G_GNUC_WARN_UNUSED_RESULT;
void wire_arena_free(struct wire_arena *arena); /* NULL is allowed */
void wire_arena_reset(struct wire_arena *arena);

/* The bytes that have not been taken yet. */
struct wire_cursor {
	const char *at, *end;
	struct wire_arena *arena; /* of the lists */
	guint64 items;            /* of all lists so far: at most WIRE_ITEMS_TOTAL */
};

/* Take the next structure into value, or the next text, which is not NULL; name is for the error. */
gboolean wire_take(struct wire_cursor *cursor, const struct wire_type *type, void *value,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean wire_take_text(struct wire_cursor *cursor, const char *name, const char **text,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Nothing may be left. */
gboolean wire_take_end(const struct wire_cursor *cursor, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Set RUAD_ERROR_SYNTAX about the parser's answer; returns FALSE. */
gboolean wire_refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
