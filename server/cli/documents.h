/*
 * documents.h - a file as the documents in it: the mails of an mbox one after another, or the whole file as one.
 *
 * An mbox is identified by its first bytes, "From ". A mail begins at each such line after an empty line (RFC 4155 appendix A), and
 * ">From " in a mail loses one ">" (mboxrd). Reads forward in pieces: memory holds one document, whatever the file's size.
 */
#pragma once

#include <stdio.h>

#include <glib.h>

#define DOCUMENT_MAX (G_GUINT64_CONSTANT(900) << 20) /* bytes: PostgreSQL keeps less than 1 GiB in a value */

struct documents;

/* in is borrowed, and read from where it stands. */
struct documents *documents_new(FILE *in);
void documents_free(struct documents *documents);

/*
 * The next document into *document, transfer full; NULL at the end. FALSE with RUAD_ERROR_SYSTEM when the file cannot be
 * read, with RUAD_ERROR_LIMIT when a document is larger than DOCUMENT_MAX: the next call then goes on after it.
 */
gboolean documents_next(
    struct documents *documents, GBytes **document, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* TRUE once the first document was read, if the file is an mbox. */
gboolean documents_is_mbox(const struct documents *documents);

/* For tests: a lower limit than DOCUMENT_MAX. */
void documents_limit(struct documents *documents, guint64 bytes);
