/*
 * repair_parts.h - what the files of the repair (repair.h) share: its state, and the functions that each has
 * for the others.
 *
 * Bytes go from repair.c, which has them in one character set, to repair_markup.c, which finds tags and
 * references, and to repair_ends.c, which judges whether end tags are missing. All of them write by
 * repair_emit().
 */
#pragma once

#include "parser/charset.h"
#include "parser/nesting.h"
#include "parser/repair.h"

/* What a byte may be. From 0x80 on all are of names: libxml2 decides which really are. */
enum { SPACE = 1, START = 2, NAME = 4, MARK = 8, FIRST = START | NAME };

extern const guint8 REPAIR_CLASS[256];

enum state {
	DECIDING, /* held: the start, which has the character set */
	PASSING,  /* nothing more is repaired */
	TEXT,
	REFERENCE, /* held: from '&' on */
	/* held: from '<' on */
	TAG_OPEN,
	TAG_NAME,
	TAG_SPACE,
	TAG_ATTRIBUTE,
	TAG_EQUALS, /* wanted */
	TAG_QUOTE,  /* wanted */
	TAG_VALUE,
	TAG_SLASH,
	TAG_END,
	TAG_END_NAME,
	TAG_END_SPACE,
	TAG_BANG,
	TAG_DONE, /* the byte is the tag's last */
	TAG_NONE, /* the byte shows that '<' starts no tag */
	/* not held, up to their end */
	COMMENT,
	CDATA,
	INSTRUCTION,
	DOCTYPE,
};

/* A repair in the doubtful bytes. */
struct doubted_repair {
	const char *code;
	gsize at; /* of the output */
};

/*
 * End tags seem to be missing, of the elements in names, before a tag that was read. This is known when the
 * element around them ends; or an end tag of one of them comes, and they had elements in them.
 */
struct doubt {
	gboolean open;
	guint depth;           /* of the element around them */
	struct nesting before; /* the elements that are open if no end tag is missing */
	GByteArray *raw;       /* the bytes from that tag on, as they came: at most half of max_tag_bytes */
	GByteArray *output;    /* and the output of these, with the missing end tags */
	GArray *repairs;       /* in it; struct doubted_repair */
	GArray *names;         /* struct nesting_open */
	gboolean refuted;      /* none is missing: once, and never looked for again */
};

struct repair {
	const struct parser_limits *limits;
	const struct repair_visitor *visitor;
	gpointer user;

	struct charset charset; /* of CHARSET_OTHER all is passed on; else the output is UTF-8 */
	gsize n_partial;        /* bytes of partial */

	GByteArray *held;
	GByteArray *junk;
	gsize matched;   /* bytes of the end that COMMENT, CDATA or INSTRUCTION waits for */
	gsize declared;  /* bytes of declarations that are repaired, or 0 */
	guint64 written; /* bytes of the output, also of what was dropped later */
	guint64 behind;  /* of them, up to the end of the last tag */
	guint64 inked;   /* up to the last byte that is not white space, which is ink */

	struct doubt doubt;
	enum state state;
	gboolean rooted;      /* <feedback> is open, or was */
	gboolean cutting;     /* before it: what comes is junk, or will have been */
	gboolean in_schema;   /* a <schema> tag is in the junk */
	gboolean has_doctype; /* it may declare entities */
	struct nesting nesting;
	guint8 quote; /* in TAG_VALUE and DOCTYPE, or 0 */
	guint8 ink;
	guint8 partial[4]; /* a UTF-8 sequence that is not whole yet */
};

/* -- repair_markup.c -- */

/* Write the next bytes of the output: to the visitor, or to what is held of it. */
void repair_emit(struct repair *repair, const guint8 *data, gsize size);

/* Write complete text, in which no reference continues after it. */
void repair_emit_text(struct repair *repair, const guint8 *data, gsize size);

/* Note a repair of the next bytes of the output. */
void repair_note(struct repair *repair, const char *code);

/* Repair nothing from here on, and in what is held. */
void repair_pass(struct repair *repair);

/* Read the next bytes, in the character set of the output. */
void repair_push_markup(struct repair *repair, const guint8 *data, gsize size);

/* Whether the tag that is held is of an element whose name, without prefix, is this in any case. */
gboolean repair_held_is_called(const struct repair *repair, const char *name);

/* -- repair_ends.c -- */

/* Write the start tag that is held, and end tags that are missing before it. name: of its element. */
void repair_start_tag(struct repair *repair, const guint8 *name, gsize size, gboolean empty);

/* Write the end tag that is held, or what it stands for. */
void repair_end_tag(struct repair *repair, const guint8 *name, gsize size);

/* No end tag was missing, or it cannot be known: read the bytes since then again. */
void repair_refute_doubt(struct repair *repair);
