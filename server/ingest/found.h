/*
 * found.h - what was found in a mail: the rows for ruad.ingest(), and the records (records.h), collected by way of a
 * report_sink.
 *
 * Columns are those of ruad.new_mail and ruad.new_item (sql/ingest/types.sql). Knows nothing of threads or of a database:
 * store.h writes it. What outgrows memory goes to files without a name.
 */
#pragma once

#include "server/ingest/envelope.h"
#include "server/ingest/records.h"

#define FOUND_ITEMS_MAX                                                                                      \
	(64 * 1024 *                                                                                         \
	    1024) /* bytes of new_item rows of one mail: they travel as one parameter, of which     \
			      PostgreSQL makes several copies in memory */

struct found_options {
	enum require_authentic require_authentic;
	const char *authserv_id;  /* of pool_options.h */
	const char *spill_folder; /* where what outgrows memory goes (spool.h), or NULL */
};

struct found;

/* Nothing yet in document; all is borrowed until found_free(). */
struct found *found_new(
    const struct found_options *options, const struct envelope *envelope, const guint8 *document, gsize size);
void found_free(struct found *found); /* NULL is allowed */

/*
 * The sink that fills a struct found, given to it as user.
 *
 * RUAD_ERROR_SYNTAX  a value that no honest parser sends
 * RUAD_ERROR_LIMIT   more than FOUND_ITEMS_MAX
 * RUAD_ERROR_SYSTEM  the temporary folder is full or away
 */
const struct report_sink *found_sink(void);

/*
 * Forget all that was found; the mail is one unreadable item with this code and reason. bare leaves out
 * whatever came from the outside: the envelope and the mail's own header.
 */
void found_refuse(struct found *found, const char *code, const char *reason, gboolean bare);

/* Bytes that wait to be written, and whether they outgrew memory. */
guint64 found_size(const struct found *found);
gboolean found_is_large(const struct found *found);

/* Append the mail's row, and those of its items, whose mail_no is given, to arrays as of literal.h. RUAD_ERROR_SYSTEM when
 * a file cannot be read. */
void found_mail_row(const struct found *found, GString *mails);
gboolean found_item_rows(
    const struct found *found, guint mail_no, GString *items, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The records of all reports; their report is its item_no. */
const struct records *found_records(const struct found *found);

/* When the report begins that is this item, seconds since 1970; FALSE when it is none. */
gboolean found_report_begin(const struct found *found, guint item_no, gint64 *begin);

/* The mail's bytes, and its number of a mail that is read again, else 0. */
const guint8 *found_document(const struct found *found, gsize *size);
gint64 found_again(const struct found *found);

/* What became of it; all 0 at first. */
struct intake_counts *found_counts(struct found *found);
