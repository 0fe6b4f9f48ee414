/*
 * documents.h - splits a file into documents: the mails of an mbox, or the reports of a list or a dump
 * (splitter.h), one after another; or the whole file as one.
 *
 * An mbox is identified by its first bytes, "From ", and its mails by the rule of mailsplit.h: mail servers
 * put such a line before a mail that they pass to a command, and do not mark lines of the mail that begin
 * alike. ">From " in a mail loses one ">" (mboxrd). Reads forward in pieces: memory holds one document,
 * whatever the size of the file; of a dump of dmarc-srg all reports, up to SRG_MOST bytes (srg.h).
 */
#pragma once

#include <stdio.h>

#include <glib.h>

#define DOCUMENT_MAX (G_GUINT64_CONSTANT(900) << 20) /* bytes: a value in PostgreSQL has less than 1 GiB */

struct documents;

/* in is borrowed, and read from its current position. */
struct documents *documents_new(FILE *in);
void documents_free(struct documents *documents);

/*
 * Read the next document into *document, transfer full; NULL at the end. Returns FALSE with RUAD_ERROR_SYSTEM
 * if the file cannot be read, or with RUAD_ERROR_LIMIT if a document is larger than DOCUMENT_MAX: the next
 * call then continues after it.
 */
gboolean documents_next(
    struct documents *documents, GBytes **document, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Once the first document was read: what a document of a file with several is, "mail" or "report"; else
 * NULL. */
const char *documents_part(const struct documents *documents);

/* For tests: set a limit lower than DOCUMENT_MAX. */
void documents_limit(struct documents *documents, guint64 bytes);
