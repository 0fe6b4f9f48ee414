#include "server/ingest/store.h"

#include <string.h>

#include "parser/error.h"
#include "server/database/role.h"
#include "server/ingest/answer.h"
#include "server/ingest/literal.h"
#include "server/ingest/record_writer.h"

#define INGEST_MAILS "($1::ruad.new_mail[], $2::ruad.new_item[])"
#define INGEST       "SELECT " ANSWER_COLUMNS " FROM ruad.ingest" INGEST_MAILS
#define INGEST_AGAIN "SELECT " ANSWER_COLUMNS " FROM ruad.ingest_again" INGEST_MAILS
#define NAMES        "SELECT ruad.names($1::ruad.new_item[])"
#define MAKE_MONTHS  "SELECT ruad.make_months($1::ruad.new_item[])"
#define KEEP_RAW     "SELECT ruad.keep_raw($1::bigint, $2::bytea)"

/* A transaction. */
struct writing {
	const struct store *store;
	struct found *const *mails;
	guint n;
	struct answer *answer;
	struct record_writer *records; /* NULL if no report is new */
};

gboolean store_open(struct db *db, gboolean again, GError **error)
{
	/* 250 means durable, whatever the settings of this role or database are */
	return role_assume(db, again ? "ruad_owner" : "ruad_ingest", error) &&
	       db_exec(db,
		   "SELECT set_config('synchronous_commit', 'on', false)"
		   " WHERE current_setting('synchronous_commit') = 'off'",
		   NULL, 0, error) &&
	       db_exec(db, "SET datestyle = 'ISO'", NULL, 0, error);
}

gboolean store_limit_raw(struct db *db, gint64 most, GError **error)
{
	g_autofree char *text =
	    most == G_MAXINT64 ? g_strdup("") : g_strdup_printf("%" G_GINT64_FORMAT, most);
	const struct db_value params[] = { DB_TEXT(text) };

	return db_exec(
	    db, "SELECT set_config('ruad.max_raw', $1, false)", params, G_N_ELEMENTS(params), error);
}

/* Have partitions made that this much calls for, while the default ones have few rows to move. Without them
 * the rows go to the default ones. */
static void make_months(struct db *aside, const struct db_value *items)
{
	g_autoptr(GError) ignored = NULL;

	if (!db_exec(aside, MAKE_MONTHS, items, 1, &ignored))
		g_debug("partitions: %s", ignored->message);
}

/* Store everything except records: this decides which reports are new. */
static gboolean ingest(struct writing *writing, GError **error)
{
	g_autoptr(GString) mails = g_string_new(NULL);
	g_autoptr(GString) items = g_string_new(NULL);
	struct db_value params[2];
	struct db_rows *rows;

	for (guint i = 0; i < writing->n; i++) {
		found_mail_row(writing->mails[i], mails);
		if (!found_item_rows(writing->mails[i], i + 1, items, error))
			return FALSE;
	}
	literal_end(mails);
	literal_end(items);
	if (writing->store->aside) {
		const struct db_value value = DB_TEXT(items->str);
		make_months(writing->store->aside, &value);
		if (!db_exec(writing->store->aside, NAMES, &value, 1, error))
			return FALSE;
	}
	params[0] = DB_TEXT(mails->str);
	params[1] = DB_TEXT(items->str);
	rows = db_query(writing->store->db, found_again(writing->mails[0]) != 0 ? INGEST_AGAIN : INGEST,
	    params, G_N_ELEMENTS(params), error);
	writing->answer = rows ? answer_new(rows, writing->mails, writing->n, error) : NULL;
	return writing->answer != NULL;
}

/* -- records -- */

/* Write the blocks of a mail's new reports. */
static gboolean write_mail_records(const struct writing *writing, guint mail, GError **error)
{
	const struct records *records = found_records(writing->mails[mail]);
	struct block *block = NULL;
	guint64 at = 0;

	while (records_next(records, &at, &block, error)) {
		const struct new_report *report =
		    block ? answer_report(writing->answer, mail, block->report) : NULL;

		if (!block)
			return TRUE;
		if (!report)
			block_free(block);
		else if (!record_writer_add(writing->records, block, report, error))
			return FALSE;
	}
	return FALSE;
}

static gboolean write_records(struct writing *writing, GError **error)
{
	const struct store *store = writing->store;
	gint64 epoch;

	if (!answer_epoch(writing->answer, &epoch))
		return TRUE;
	writing->records = record_writer_new(store->db, store->aside ? store->aside : store->db, store->known,
	    evaluations_enter(store->known, epoch), store->pace);
	for (guint i = 0; i < writing->n; i++)
		if (answer_has_reports(writing->answer, i) && !write_mail_records(writing, i, error))
			return FALSE;
	return record_writer_end(writing->records, error);
}

/* -- the bytes of mail -- */

static gboolean keep_raw(struct db *db, const char *mail_id, const struct found *found, GError **error)
{
	gsize size;
	const guint8 *document = found_document(found, &size);
	const struct db_value params[] = { DB_TEXT(mail_id), DB_BYTES(document, size) };

	return db_exec(db, KEEP_RAW, params, G_N_ELEMENTS(params), error);
}

static gboolean keep_all_raw(const struct writing *writing, GError **error)
{
	for (guint i = 0; i < writing->n; i++) {
		const char *mail_id = answer_keeps(writing->answer, i);

		if (mail_id && !keep_raw(writing->store->db, mail_id, writing->mails[i], error))
			return FALSE;
	}
	return TRUE;
}

/* -- the transaction -- */

/* Leave the transaction; a connection on which that fails is lost. */
static void rollback(struct db *db)
{
	g_autoptr(GError) ignored = NULL;

	if (db_alive(db) && !db_exec(db, "ROLLBACK", NULL, 0, &ignored))
		g_debug("rollback: %s", ignored->message);
}

/* COMMIT if everything succeeded, else ROLLBACK. */
static gboolean finish(struct db *db, gboolean good, gboolean *in_doubt, GError **error)
{
	*in_doubt = FALSE;
	if (good && db_exec(db, "COMMIT", NULL, 0, error))
		return TRUE;
	*in_doubt = good && !db_alive(db);
	rollback(db);
	return FALSE;
}

/*
 * Returns TRUE if the last failure says that functions, tables or rights are not as expected (SQLSTATE class
 * 42), or have changed since our statements were prepared (0A000). The cause is that another version of ruad
 * migrated the database.
 */
static gboolean is_foreign(const struct db *db)
{
	return db_alive(db) &&
	       (g_str_has_prefix(db_sqlstate(db), "42") || g_str_equal(db_sqlstate(db), "0A000"));
}

static void explain_foreign(GError **error)
{
	g_prefix_error(error, "the functions of the database are not those of ruad " RUAD_VERSION
			      ", restart ruad or run ruad migrate: ");
}

gboolean store_write(const struct store *store, struct found *const *mails, guint n, gboolean *in_doubt,
    gboolean *foreign, GError **error)
{
	struct writing writing = { .store = store, .mails = mails, .n = n };
	GError *failure = NULL;
	gboolean good = db_exec(store->db, "BEGIN", NULL, 0, &failure) && ingest(&writing, &failure) &&
			write_records(&writing, &failure) && keep_all_raw(&writing, &failure);

	*foreign = failure && failure->code == RUAD_ERROR_SYSTEM &&
		   (is_foreign(store->db) || (store->aside && is_foreign(store->aside)));
	if (*foreign)
		explain_foreign(&failure);
	if (good && store->committing)
		store->committing(store->user);
	good = finish(store->db, good, in_doubt, good ? &failure : NULL);
	if (good && writing.records)
		record_writer_publish(writing.records);
	if (!good)
		g_propagate_error(error, failure);
	record_writer_free(writing.records);
	answer_free(writing.answer);
	return good;
}
