/*
 * block.h - the content of a digest as blocks in their order, without a form: plain_text.c and html.c print
 * them.
 *
 * Texts are UTF-8 without invisible characters (words_clean()), and not yet escaped for HTML.
 */
#pragma once

#include <glib.h>

#include "server/digest/chart.h"

enum block_kind {
	BLOCK_HEADING, /* text */
	BLOCK_SUBJECT, /* title and text: a heading below a heading, with what is next to it */
	BLOCK_TEXT,    /* text */
	BLOCK_NOTE,    /* text, in small print */
	BLOCK_POINT,   /* mood, title: whom it concerns, text: what it is; note: what to do, link, or NULL */
	BLOCK_ITEM,    /* mood, text of a list, note or NULL */
	BLOCK_TABLE,   /* rows */
	BLOCK_CHART,   /* chart */
};

enum mood { MOOD_SO, MOOD_GOOD, MOOD_BAD, MOOD_INFO };

struct block {
	enum block_kind kind;
	enum mood mood;
	char *title, *text, *note; /* NULL if the kind has none */
	char *link;                /* what is at address; NULL: there is no link */
	char *address;             /* https://... */
	GPtrArray *rows;           /* of GStrv, the first has the titles */
	guint n_texts;             /* columns of text, before those of numbers */
	struct chart *chart;
};

struct content {
	char *title;       /* "All domains, 23 Nov – 29 Nov" */
	char *lead;        /* the numbers in a sentence */
	char *subject;     /* of a mail */
	gboolean is_brief; /* there is nothing to say beyond title, lead and what blocks there are */
	GPtrArray *blocks; /* of struct block */
};
