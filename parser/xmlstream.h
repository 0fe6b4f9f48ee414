/*
 * xmlstream.h - the bytes of a report's XML, in pieces of any size, into its elements and texts.
 *
 * The bytes are repaired (repair.h), then parsed by libxml2. A DOCTYPE is skipped with a note; a declaration
 * inside it is refused, as is every entity but the five of XML. What follows the root is not parsed. Elements
 * that the visitor can read without an XML parser do not go through libxml2: that saves most of the time.
 * Memory does not grow with the document. Knows no element of a report.
 */
#pragma once

#include "parser/limits.h"

/* What the visitor makes of an element that it has found to be plain. */
enum xmlstream_plain {
	XMLSTREAM_NOT_TAKEN, /* it has to come by start(), text() and end() */
	XMLSTREAM_TAKEN,
	XMLSTREAM_TAKEN_LAST, /* and this stops the stream */
};

/* Why no more is parsed. */
enum xmlstream_state {
	XMLSTREAM_READING,
	XMLSTREAM_STOPPED,   /* the visitor or xmlstream_stop() wanted it */
	XMLSTREAM_BROKEN,    /* not well-formed, or ended early */
	XMLSTREAM_FORBIDDEN, /* a declaration or an entity */
	XMLSTREAM_LIMIT,     /* more than limits allow */
	XMLSTREAM_OVER,      /* the root is complete, and something follows that is not XML */
};

struct xmlstream_visitor {
	/*
	 * An element begins. name is the pointer that xmlstream_name() returns for this name; prefix and
	 * namespace may be NULL. All are borrowed for the call. FALSE stops the stream, also below.
	 */
	gboolean (*start)(gpointer user, const char *name, const char *prefix, const char *namespace);
	gboolean (*end)(gpointer user);
	/* A piece of text: UTF-8, borrowed for the call. */
	gboolean (*text)(gpointer user, const char *text, gsize size);
	/*
	 * Elements directly inside of a root without prefix, which need no XML parser. find_plain(): the size
	 * of such an element at data[0] == '<', which ends with an end tag, or 0; changes nothing but what
	 * take_plain() uses. take_plain(): the element that was found last is the next one of the stream.
	 */
	gsize (*find_plain)(gpointer user, const guint8 *data, gsize size);
	enum xmlstream_plain (*take_plain)(gpointer user);
	/* A code of notes.h (X1, X5 ... X9) on the element that is open. raw: borrowed for the call, or
	 * NULL. */
	void (*note)(gpointer user, const char *code, const char *raw);
	/* The next bytes after the root, borrowed for the call. */
	void (*after)(gpointer user, const guint8 *data, gsize size);
};

struct xmlstream;

/* limits and visitor are borrowed until xmlstream_free(). */
struct xmlstream *xmlstream_new(const struct parser_limits *limits, const struct xmlstream_visitor *visitor,
    gpointer user) G_GNUC_WARN_UNUSED_RESULT;
void xmlstream_free(struct xmlstream *stream); /* NULL is allowed */

/* The one copy of a name that the stream has: names are equal when these pointers are. Borrowed. */
const char *xmlstream_name(struct xmlstream *stream, const char *name);

/* Parse the next bytes. */
void xmlstream_push(struct xmlstream *stream, const guint8 *data, gsize size);

/* There are no more bytes: parse what is held. To be called once, before xmlstream_end(). */
void xmlstream_flush(struct xmlstream *stream);

/*
 * Check that the document is complete. To be called once, after xmlstream_flush(). early: the reason if
 * elements are open. prefer_early: use it also where libxml2 reports another error at the end.
 */
void xmlstream_end(struct xmlstream *stream, const char *early, gboolean prefer_early);

/* Parse no more. */
void xmlstream_stop(struct xmlstream *stream);

enum xmlstream_state xmlstream_state(const struct xmlstream *stream);

/* What is wrong, in XMLSTREAM_BROKEN, _FORBIDDEN and _LIMIT; borrowed. */
const char *xmlstream_reason(const struct xmlstream *stream);

/* Bytes so far, roughly, that are neither tags nor text: attributes, comments, instructions, and a cost for
 * text in many pieces. */
guint64 xmlstream_extra(const struct xmlstream *stream);

/* In XMLSTREAM_OVER: the first bytes after the root, up to KIND_HEAD (kind.h), borrowed. Else *size is 0. */
const char *xmlstream_after(const struct xmlstream *stream, gsize *size);
