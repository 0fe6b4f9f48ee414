/*
 * elements.h - the elements of an aggregate report: the parent of each, and the member that keeps its text.
 *
 * One table; RFC 9990 appendix A joined with RFC 7489 appendix C. Knows nothing of libxml2.
 */
#pragma once

#include <glib.h>

#define NAMESPACE_9990 "urn:ietf:params:xml:ns:dmarc-2.0" /* RFC 9990 section 3.1.1 */

enum element {
	ELEMENT_NONE, /* above the root */
	FEEDBACK,
	/* of feedback */
	VERSION,
	REPORT_METADATA,
	POLICY_PUBLISHED,
	EXTENSION,
	RECORD,
	/* of report_metadata */
	ORG_NAME,
	EMAIL,
	EXTRA_CONTACT_INFO,
	REPORT_ID,
	DATE_RANGE,
	METADATA_ERROR,
	GENERATOR,
	/* of date_range */
	BEGIN,
	END,
	/* of policy_published */
	POLICY_DOMAIN,
	ADKIM,
	ASPF,
	P,
	SP,
	NP,
	PCT,
	FO,
	TESTING,
	DISCOVERY_METHOD,
	/* of record */
	ROW,
	IDENTIFIERS,
	AUTH_RESULTS,
	/* of row */
	SOURCE_IP,
	COUNT,
	POLICY_EVALUATED,
	/* of policy_evaluated */
	DISPOSITION,
	EVALUATED_DKIM,
	EVALUATED_SPF,
	REASON,
	/* of reason */
	REASON_TYPE,
	REASON_COMMENT,
	/* of identifiers */
	HEADER_FROM,
	ENVELOPE_FROM,
	ENVELOPE_TO,
	/* of auth_results */
	AUTH_DKIM,
	AUTH_SPF,
	/* of dkim */
	DKIM_DOMAIN,
	DKIM_SELECTOR,
	DKIM_RESULT,
	DKIM_HUMAN_RESULT,
	/* of spf */
	SPF_DOMAIN,
	SPF_SCOPE,
	SPF_RESULT,
	SPF_HUMAN_RESULT,
	N_ELEMENTS
};

G_STATIC_ASSERT(N_ELEMENTS <= 64); /* sets of elements have 64 bits */

#define ELEMENT_BIT(element) (G_GUINT64_CONSTANT(1) << (element))

/* Which structure of report.h gets the text: the report's header, the record, or the last item of a list in
 * it. */
enum element_home { HOME_HEADER, HOME_RECORD, HOME_REASON, HOME_DKIM, HOME_SPF, N_HOMES };

enum element_type {
	TYPE_PARENT, /* elements only */
	TYPE_TEXT,
	TYPE_TOKEN,
	TYPE_DOMAIN,
	TYPE_ADDRESS,
	TYPE_COUNT,   /* gint64 >= 0, or -1 */
	TYPE_EPOCH,   /* gint64 0 .. REPORT_TIME_MAX, or -1 */
	TYPE_PERCENT, /* gint 0 .. 100, or -1 */
	TYPE_LIST,    /* texts; the header's error */
};

struct element_row {
	const char *name;
	enum element parent;
	enum element_type type;
	enum element_home home;
	gsize offset;              /* of the member in its home */
	const char *path;          /* for notes: from the report or record downwards */
	const char *const *tokens; /* TYPE_TOKEN: the known ones, with NULL at the end; NULL: any */
};

extern const struct element_row ELEMENTS[N_ELEMENTS];

/* The children of a parent are neighbours in the table: the first, and the one after the last; both 0 if it
 * has none. */
struct element_span {
	enum element first;
	enum element after;
};

/* What follows from the table, for each element. */
struct element_index {
	struct element_span children[N_ELEMENTS];
	guint64 inside[N_ELEMENTS]; /* all elements inside, at any depth, as a set */
	/* the children that every dialect requires, except those whose absence has a note of its own, as a
	 * set */
	guint64 required[N_ELEMENTS];
	/* the siblings that the schema puts after the element, as a set; empty if it does not order them */
	guint64 later[N_ELEMENTS];
	guint8 name_size[N_ELEMENTS]; /* bytes of the name */
};

/* The index, which is made with the first call. */
const struct element_index *element_index(void);

/* Find the child of parent by name, in any case, with '-' for '_' or a known misspelling. Returns
 * ELEMENT_NONE if there is none. */
enum element element_find(enum element parent, const char *name);

/* The first element with this name under any parent, found as above; ELEMENT_NONE if there is none. */
enum element element_named(const char *name);
