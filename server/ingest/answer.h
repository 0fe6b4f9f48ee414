/*
 * answer.h - the answer of ruad.ingest() to a batch of mails: what became of each, and which reports are new.
 */
#pragma once

#include "server/database/db.h"
#include "server/ingest/binary.h"
#include "server/ingest/found.h"

/* The query that gives an answer: "SELECT ANSWER_COLUMNS FROM ruad.ingest(...)". */
#define ANSWER_COLUMNS                                                                                       \
	"mail_no, item_no, mail_id, stored, duplicates, conflicts, unreadable, keep_raw, report, "           \
	"domain_id, reporter_id, day, epoch"

/* A report whose records must be added. */
struct new_report {
	guint mail; /* index among the mails */
	guint item_no;
	guint32 month;               /* of an evaluation_key */
	const char *day, *domain_id; /* as the database wrote them; borrowed from the answer */
	struct binary_record record; /* the values that its records share */
};

struct answer;

/* Read rows (transfer full) about mails[0..n), and set the counts of these. RUAD_ERROR_SYSTEM if the rows are
 * malformed. */
struct answer *answer_new(
    struct db_rows *rows, struct found *const *mails, guint n, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void answer_free(struct answer *answer); /* NULL is allowed */

/* The new reports of a mail are identified by its index and their item_no; NULL if there is none. */
gboolean answer_has_reports(const struct answer *answer, guint mail);
const struct new_report *answer_report(const struct answer *answer, guint mail, guint item_no);

/* The epoch of the evaluations in the database (evaluations.h). Returns FALSE if no report is new. */
gboolean answer_epoch(const struct answer *answer, gint64 *epoch);

/* The number of a mail in the database if its bytes must be stored, or NULL. Borrowed. */
const char *answer_keeps(const struct answer *answer, guint mail);
