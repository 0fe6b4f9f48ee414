/*
 * found.h - what was found in a mail: the rows for ruad.ingest(), and the records (records.h), collected by a
 * report_sink.
 *
 * Columns are those of ruad.new_mail and ruad.new_item (sql/ingest/types.sql). Knows nothing of threads or
 * the database: store.h writes it. Data that does not fit into memory goes to unnamed files.
 */
#pragma once

#include "server/ingest/envelope.h"
#include "server/ingest/records.h"

/* Bytes of new_item rows of one mail: they travel as one parameter, of which PostgreSQL makes several copies
 * in memory. */
#define FOUND_ITEMS_MAX (64 * 1024 * 1024)

struct found_options {
	enum require_authentic require_authentic;
	const char *authserv_id;  /* of pool_options.h */
	const char *spill_folder; /* folder for data that does not fit into memory (spool.h), or NULL */
};

struct found;

/* An empty result for document; everything is borrowed until found_free(). */
struct found *found_new(
    const struct found_options *options, const struct envelope *envelope, const guint8 *document, gsize size);
void found_free(struct found *found); /* NULL is allowed */

/*
 * The sink that fills a struct found, which is its user.
 *
 * RUAD_ERROR_SYNTAX  a value that no correct parser sends
 * RUAD_ERROR_LIMIT   more than FOUND_ITEMS_MAX
 * RUAD_ERROR_SYSTEM  the temporary folder is full or missing
 */
const struct report_sink *found_sink(void);

/* When the mail was received, in seconds since 1970 UTC; 0: not known. */
gint64 found_received(const struct found *found);

/* Discard what the sink received; it receives everything again, from the start. */
void found_forget(struct found *found);

/*
 * Discard everything that was found; the mail becomes one unreadable item with this code and reason. bare
 * also omits all external data: the envelope and the mail's own header.
 */
void found_refuse(struct found *found, const char *code, const char *reason, gboolean bare);

/* The number of bytes to be written, and whether they are in files. */
guint64 found_size(const struct found *found);
gboolean found_is_large(const struct found *found);

/* Append the row of the mail, and those of its items with the given mail_no, to arrays in the format of
 * literal.h. RUAD_ERROR_SYSTEM if a file cannot be read. */
void found_mail_row(const struct found *found, GString *mails);
gboolean found_item_rows(
    const struct found *found, guint mail_no, GString *items, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The records of all reports; the report of a record is identified by its item_no. */
const struct records *found_records(const struct found *found);

/* When the report of this item begins, in seconds since 1970; FALSE if the item is not a report. */
gboolean found_report_begin(const struct found *found, guint item_no, gint64 *begin);

/* The bytes of the mail, and its number if it is read again, else 0. */
const guint8 *found_document(const struct found *found, gsize *size);
gint64 found_again(const struct found *found);

/* The result; all 0 at first. */
struct intake_counts *found_counts(struct found *found);
