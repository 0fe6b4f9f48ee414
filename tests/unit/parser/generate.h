/*
 * generate.h - mails of random structure, with a list of what is in them.
 *
 * A mail has multiparts, mails and archives inside one another, in all encodings. Between them are reports in
 * many forms, several in a file, beside text and behind closing boundaries. Each report has an ID of its own,
 * and each record an address of its own, so that they are found again in the answer of the parser.
 *
 * The choices come from a seed, or from bytes: then a fuzzer looks for the mail.
 */
#pragma once

#include <glib.h>

/* Where choices come from. */
struct choices {
	const guint8 *data; /* one byte a choice; all choices after the last one are 0 */
	gsize size;
	guint64 seed; /* used if data is NULL */
};

enum planted_kind {
	PLANTED_AGGREGATE, /* report_id "doc-N" */
	PLANTED_TLS,       /* report-id "doc-N" */
	PLANTED_FAILURE,   /* User-Agent "doc-N" */
};

/* A report in the mail; N in its name is its index. */
struct planted {
	enum planted_kind kind;
	guint first;     /* its records have the addresses 10.X.X.X of these numbers ... */
	guint n;         /* ... and there are n */
	guint file;      /* the one it is in: a report with R1 says that the rest of it was not read */
	GString *around; /* names of the files around it, each as "/name/"; the innermost last */
};

struct generated {
	GByteArray *mail;
	GArray *planted; /* struct planted */
};

struct generated *generate_mail(struct choices *choices) G_GNUC_WARN_UNUSED_RESULT;
void generate_free(struct generated *generated);
