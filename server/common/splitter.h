/*
 * splitter.h - finds the documents in files that hold many: a list of JSON objects, and a dump of MySQL.
 *
 * A list is a file that begins with '[', or with the name that parsedmarc gives to its list
 * ({"aggregate_reports": [): each object in it is a document. Of a dump (mysqldump, mariadb-dump), a document
 * is each value that begins like a report: XML, or gzip in base64, as dmarcts-report-parser stores them in
 * column raw_xml of table report. The caller looks whether it is one (splitter_is_report()). Nothing of the
 * file is interpreted but quotes, escapes, comments and braces.
 *
 * Works byte by byte with a fixed amount of memory; the caller keeps what a document consists of.
 */
#pragma once

#include <glib.h>

#define SPLITTER_HEAD 64 /* bytes at the start of a file that decide */

enum splitter_kind {
	SPLITTER_NONE, /* the file is a document itself */
	SPLITTER_JSON,
	SPLITTER_DUMP,
};

/* What to do with a byte. */
enum splitter_step {
	SPLITTER_SKIP,
	SPLITTER_KEEP,  /* append *out to the document */
	SPLITTER_WHOLE, /* append *out; the document is complete */
	SPLITTER_END,   /* likewise, without this byte */
};

struct splitter {
	enum splitter_kind kind;
	gboolean in_list; /* of JSON: what is before the list was passed */
	guint depth;      /* of JSON: braces */
	gboolean quoted;  /* within a text */
	gboolean escaped; /* the byte after a backslash */
	gboolean inside;  /* of a dump: the value has a first byte */
	gboolean wanted;  /* and it may be a report */
	guint dashes;     /* at the start of a line; 2: the line is a comment */
	gboolean in_line; /* something else began the line */
};

/* The kind of a file by its first bytes. */
enum splitter_kind splitter_kind_of(const char *head, gsize size);

/* Of a dump: the value is a report, as XML or packed; *is_base64: it must be decoded. */
gboolean splitter_is_report(const guint8 *value, gsize size, gboolean *is_base64);

/* The next byte of a file. */
enum splitter_step splitter_next(struct splitter *splitter, char byte, char *out);
