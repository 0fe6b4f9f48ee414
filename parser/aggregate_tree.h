/*
 * aggregate_tree.h - the elements and texts of an aggregate report, as its XML brings them, into header and
 * records.
 *
 * Which element is open, what was seen, and what each text means (elements.h); a record goes to the sink at
 * its end. aggregate.h says how elements are recognised. Used by aggregate.c only. Knows nothing of libxml2.
 */
#pragma once

#include "parser/aggregate.h"
#include "parser/consistency.h"
#include "parser/elements.h"
#include "parser/plain.h"
#include "parser/report.h"
#include "parser/roots.h"
#include "parser/values.h"
#include "parser/xmlstream.h"

/* aggregate.c reads all members, but changes only notes and header. */
struct aggregate_tree {
	const struct parser_limits *limits;
	const struct report_sink *sink;
	gpointer user;
	const char *place;

	enum aggregate_verdict verdict; /* AGGREGATE_REPORT until something prevents it */
	const char *code;
	char *reason;
	GError *error;
	gboolean begun; /* the sink's report_begin() was called */

	/* the place in the tree */
	struct xmlstream *stream; /* that calls */
	/* its own copies, once one was needed: names are equal when the pointers are */
	const char *names[N_ELEMENTS];
	const struct element_index *index;
	enum element at;
	guint skipping;      /* elements open from the one that is skipped, or 0 */
	guint around;        /* the same outside of a record that is read inside of these, or 0 */
	gboolean nested;     /* another report began inside of this one: whose records follow is not known */
	gboolean mixed;      /* an element is in the namespace of another dialect than the root */
	guint64 seen;        /* elements met: in the report, and in what is open now of its lists */
	guint64 ever;        /* elements met at all */
	guint64 foreign;     /* bytes met that do not belong to a report */
	struct roots others; /* reports behind the end of this one */
	GByteArray *after;   /* the first bytes there, at most AGGREGATE_AFTER_MAX */
	char *root_namespace;
	char *root_prefix; /* when it is bound to no namespace */

	/* the text of the element */
	GString *text;
	gboolean cut;
	struct plain plain; /* the element that was found last */

	/* the findings */
	gpointer homes[N_HOMES];
	struct values report_values;
	struct aggregate_header header;
	GPtrArray *errors;
	struct values record_values;
	struct aggregate_record record;
	GArray *reasons, *dkims, *spfs;
	struct consistency *consistency;
};

/* All is borrowed until aggregate_tree_clear(). */
void aggregate_tree_init(struct aggregate_tree *tree, const struct parser_limits *limits, const char *place,
    const struct report_sink *sink, gpointer user);
void aggregate_tree_clear(struct aggregate_tree *tree);

/* What a stream of XML calls; user: the tree. It stops once there is another verdict than
 * AGGREGATE_REPORT. */
extern const struct xmlstream_visitor AGGREGATE_TREE;

/* The report is AGGREGATE_UNREADABLE; no effect after another verdict. code: static. */
void aggregate_tree_give_up(struct aggregate_tree *tree, const char *code, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* The element of which the end is missing when the input ends here. */
enum element aggregate_tree_open(const struct aggregate_tree *tree);

/* "rfc9990", "rfc7489" or "draft" (aggregate.h). */
const char *aggregate_tree_dialect(const struct aggregate_tree *tree);
