/*
 * item.h - a row of ruad.new_item (sql/ingest/types.sql): a report without its records, or something
 * unreadable.
 *
 * Columns are set by name, in any order; those that are not set are NULL.
 */
#pragma once

#include "parser/report.h"

/* ROW(constant, name in SQL), in the order of the type, after mail_no. */
#define ITEM_COLUMNS(ROW)                                                                                    \
	ROW(ITEM_NO, item_no)                                                                                \
	ROW(ITEM_KIND, kind)                                                                                 \
	ROW(ITEM_PLACE, place)                                                                               \
	ROW(ITEM_CODE, code)                                                                                 \
	ROW(ITEM_REASON, reason)                                                                             \
	ROW(ITEM_DIALECT, dialect)                                                                           \
	ROW(ITEM_VERSION, version)                                                                           \
	ROW(ITEM_XMLNS, xmlns)                                                                               \
	ROW(ITEM_ORG_NAME, org_name)                                                                         \
	ROW(ITEM_EMAIL, email)                                                                               \
	ROW(ITEM_EXTRA_CONTACT_INFO, extra_contact_info)                                                     \
	ROW(ITEM_REPORT_ID, report_id)                                                                       \
	ROW(ITEM_BEGIN, begin)                                                                               \
	ROW(ITEM_END, end)                                                                                   \
	ROW(ITEM_ERROR, error)                                                                               \
	ROW(ITEM_GENERATOR, generator)                                                                       \
	ROW(ITEM_DOMAIN, domain)                                                                             \
	ROW(ITEM_ADKIM, adkim)                                                                               \
	ROW(ITEM_ASPF, aspf)                                                                                 \
	ROW(ITEM_P, p)                                                                                       \
	ROW(ITEM_SP, sp)                                                                                     \
	ROW(ITEM_NP, np)                                                                                     \
	ROW(ITEM_PCT, pct)                                                                                   \
	ROW(ITEM_FO, fo)                                                                                     \
	ROW(ITEM_TESTING, testing)                                                                           \
	ROW(ITEM_DISCOVERY_METHOD, discovery_method)                                                         \
	ROW(ITEM_ANNOUNCED, announced)                                                                       \
	ROW(ITEM_RECORDS, records)                                                                           \
	ROW(ITEM_MESSAGES, messages)                                                                         \
	ROW(ITEM_PASS, pass)                                                                                 \
	ROW(ITEM_RECORD_NOTES, record_notes)                                                                 \
	ROW(ITEM_SHA256, sha256)                                                                             \
	ROW(ITEM_NOTES, notes)                                                                               \
	ROW(ITEM_PARTIAL, partial)                                                                           \
	ROW(ITEM_CONTENT, content)

#define ITEM_COLUMN_CONSTANT(constant, name) constant,
enum item_column { ITEM_COLUMNS(ITEM_COLUMN_CONSTANT) ITEM_COLUMN_COUNT };

struct item;

struct item *item_new(void) G_GNUC_WARN_UNUSED_RESULT;
void item_free(struct item *item); /* NULL is allowed */

/* Set all columns to NULL. */
void item_clear(struct item *item);

/* Set a column once; a value of NULL leaves it NULL. */
void item_text(struct item *item, enum item_column column, const char *value);
void item_number(struct item *item, enum item_column column, gint64 value);
void item_boolean(struct item *item, enum item_column column, gboolean value);
void item_hash(struct item *item, enum item_column column, const guint8 sha256[32]);

/* Set a time in seconds since 1970. The parser keeps it within range; the database rejects any other. */
void item_time(struct item *item, enum item_column column, gint64 seconds);

/* The text of a hash, and of a time, for the database. Transfer full; NULL if the time is out of range. */
char *item_hash_text(const guint8 sha256[32]) G_GNUC_WARN_UNUSED_RESULT;
char *item_time_text(gint64 seconds) G_GNUC_WARN_UNUSED_RESULT;

/* Append the columns to the fields of a row (literal.h). */
void item_fields(const struct item *item, GString *fields);
