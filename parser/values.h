/*
 * values.h - the text of one element into its typed member, and the notes on it.
 *
 * Implements the rules of report.h for tokens, domains and addresses. Knows nothing of XML.
 */
#pragma once

#include "parser/elements.h"
#include "parser/limits.h"
#include "parser/report.h"

/* The strings and notes of one record, or of the report around the records. */
struct values {
	GPtrArray *blocks; /* of strings; the first is there from the start */
	char *room;        /* the rest of the last one */
	gsize left;        /* bytes of that */
	gsize bytes;       /* taken of max_record_bytes */
	GArray *notes;     /* struct report_note */
	const struct parser_limits *limits;
};

void values_init(struct values *values, const struct parser_limits *limits);
void values_reset(struct values *values); /* invalidates all strings and notes */
void values_clear(struct values *values);

/* A copy of text[0..size) as valid UTF-8 without control characters; valid until values_reset(). */
const char *values_keep(struct values *values, const char *text, gsize size);

/* The same without changing it. */
const char *values_copy(struct values *values, const char *text, gsize size);

/* Whether more than max_record_bytes were kept: lists and notes then keep no further value. */
gboolean values_full(const struct values *values);

/* Whether there is a note with this code and path. */
gboolean values_has_note(const struct values *values, const char *code, const char *path);

/* Add a note, unless there is one with this code and path, or max_notes are reached. code and path: static.
 * raw: copied unless values_full(), or NULL. */
void values_note(struct values *values, const char *code, const char *path, const char *raw);

/* Whether text is a known token of the element, in any case. */
gboolean values_is_token(enum element element, const char *text);

/* Store the element's text (trimmed, NUL-terminated) in its member of home. Not for TYPE_PARENT and
 * TYPE_LIST. */
void values_store(struct values *values, enum element element, gpointer home, const char *text, gsize size);
