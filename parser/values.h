/*
 * values.h - the text of one element into its typed member, and the notes on it.
 *
 * The rules of report.h on tokens, domains and addresses are carried out here. Knows nothing of XML.
 */
#pragma once

#include "parser/elements.h"
#include "parser/limits.h"
#include "parser/report.h"

/* Where the strings and notes of one record live, or of the report around the records. */
struct values {
	GStringChunk *strings;
	gsize bytes;   /* taken of max_record_bytes */
	GArray *notes; /* struct report_note */
	const struct parser_limits *limits;
};

void values_init(struct values *values, const struct parser_limits *limits);
void values_reset(struct values *values); /* all strings and notes handed out are gone */
void values_clear(struct values *values);

/* A copy of text[0..size), as valid UTF-8 without control characters; lives until values_reset(). */
const char *values_keep(struct values *values, const char *text, gsize size);

/* TRUE when more was kept than max_record_bytes. */
gboolean values_full(const struct values *values);

/* Note code on path, once. raw: borrowed and copied, or NULL. */
void values_note(struct values *values, const char *code, const char *path, const char *raw);

/* Whether text is, in any case, one of the tokens that a dialect knows for the element. */
gboolean values_is_token(enum element element, const char *text);

/* Put text (trimmed, NUL-terminated) of the element into its member of home; not for TYPE_PARENT and
 * TYPE_LIST. */
void values_store(struct values *values, enum element element, gpointer home, const char *text, gsize size);
