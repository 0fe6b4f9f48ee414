#include "server/ingest/store.h"

#include <stdlib.h>
#include <string.h>

#include "parser/error.h"
#include "server/database/role.h"
#include "server/ingest/binary.h"
#include "server/ingest/literal.h"

#define INGEST_RESULT                                                                                        \
	"SELECT mail_no, item_no, mail_id, stored, duplicates, conflicts, unreadable, keep_raw, report, "    \
	"domain_id, reporter_id, day, epoch FROM "
#define INGEST_MAILS "($1::ruad.new_mail[], $2::ruad.new_item[])"
#define INGEST       INGEST_RESULT "ruad.ingest" INGEST_MAILS
#define INGEST_AGAIN INGEST_RESULT "ruad.ingest_again" INGEST_MAILS
#define EVALUATIONS  "SELECT * FROM ruad.evaluations($1::ruad.new_evaluation[])"
#define KEEP_RAW     "SELECT ruad.keep_raw($1::bigint, $2::bytea)"
#define COPY_RECORD                                                                                          \
	"COPY ruad.record (begin, report, count, evaluation, day, domain_id, reporter_id, record_no, "       \
	"source_ip) FROM STDIN (FORMAT binary)"

#define CHUNK_BYTES (8 * 1024 * 1024) /* of blocks that are in memory at once */
#define FRESH_MAX   50000             /* new evaluations that a transaction remembers */
#define PIECE_BYTES (64 * 1024)       /* of COPY data that is gathered before it is sent */

/* Columns of INGEST_RESULT. */
enum {
	RESULT_MAIL_NO,
	RESULT_ITEM_NO,
	RESULT_MAIL_ID,
	RESULT_STORED,
	RESULT_DUPLICATES,
	RESULT_CONFLICTS,
	RESULT_UNREADABLE,
	RESULT_KEEP_RAW,
	RESULT_REPORT,
	RESULT_DOMAIN_ID,
	RESULT_REPORTER_ID,
	RESULT_DAY,
	RESULT_EPOCH
};

/* A report whose records are to be added. */
struct new_report {
	guint mail; /* index among the mails */
	guint item_no;
	guint32 month;               /* of an evaluation_key */
	const char *day, *domain_id; /* as the database wrote them; borrowed from the result */
	struct binary_record record; /* what its records have in common */
};

/* A transaction. */
struct writing {
	struct db *db;
	struct evaluations *known;
	struct found *const *mails;
	guint n;
	struct db_rows *result; /* of ruad.ingest() */
	GArray *reports;        /* struct new_report, by mail and item_no */
	guint64 ticket;
	GHashTable
	    *fresh; /* struct evaluation, by key: what was learned, and is known once it is committed */
};

/* Blocks whose records are about to be written. */
struct chunk {
	GPtrArray *blocks; /* struct placed_block */
	gsize bytes;
	GString *unknown;    /* ruad.new_evaluation[] */
	GHashTable *indexes; /* struct evaluation by key, its id being the index among unknown, from 1 */
	GPtrArray *keys;     /* of unknown; borrowed from indexes */
};

struct placed_block {
	struct block *block;
	const struct new_report *report;
	gint64 *
	    evaluations; /* ids of the block's; where it is still unknown, the index there, as a negative number */
};

gboolean store_open(struct db *db, gboolean again, GError **error)
{
	/* 250 means durable, whatever somebody set for this role or database */
	return role_assume(db, again ? "ruad_owner" : "ruad_ingest", error) &&
	       db_exec(db,
		   "SELECT set_config('synchronous_commit', 'on', false)"
		   " WHERE current_setting('synchronous_commit') = 'off'",
		   NULL, 0, error) &&
	       db_exec(db, "SET datestyle = 'ISO'", NULL, 0, error);
}

/* What ruad.ingest() answers. */

static gboolean refuse_result(GError **error, const char *what, const char *value)
{
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "database: ruad.ingest() gave %s \"%s\"", what,
	    value ? value : "NULL");
	return FALSE;
}

static gboolean row_number(const struct db_rows *rows, gsize row, guint column, gint64 least, gint64 most,
    gint64 *value, GError **error)
{
	const char *text = db_rows_get(rows, row, column);

	if (text && g_ascii_string_to_signed(text, 10, least, most, value, NULL))
		return TRUE;
	return refuse_result(error, "a number", text);
}

static guint row_count(const struct db_rows *rows, gsize row, guint column)
{
	const char *text = db_rows_get(rows, row, column);

	return text ? (guint)strtoul(text, NULL, 10) : 0;
}

/* "2026-11-29" */
static gboolean read_day(const char *text, struct new_report *report, GError **error)
{
	g_auto(GStrv) words = g_strsplit(text ? text : "", "-", 3);
	guint64 year, month, day;

	if (g_strv_length(words) != 3 || !g_ascii_string_to_unsigned(words[0], 10, 1, 9999, &year, NULL) ||
	    !g_ascii_string_to_unsigned(words[1], 10, 1, 12, &month, NULL) ||
	    !g_ascii_string_to_unsigned(words[2], 10, 1, 31, &day, NULL))
		return refuse_result(error, "a day", text);
	report->month = (guint32)(year * 12 + month);
	report->record.day = binary_day((int)year, (int)month, (int)day);
	report->day = text;
	return TRUE;
}

static gboolean read_report(struct writing *writing, gsize row, guint mail, GError **error)
{
	const struct db_rows *rows = writing->result;
	struct new_report report = { .mail = mail };
	gint64 item_no = 0, id = 0, domain_id = 0, reporter_id = 0;

	if (!row_number(rows, row, RESULT_ITEM_NO, 1, G_MAXUINT32, &item_no, error) ||
	    !row_number(rows, row, RESULT_REPORT, 1, G_MAXINT64, &id, error) ||
	    !row_number(rows, row, RESULT_DOMAIN_ID, 0, G_MAXINT32, &domain_id, error) ||
	    !read_day(db_rows_get(rows, row, RESULT_DAY), &report, error))
		return FALSE;
	report.record.has_reporter = db_rows_get(rows, row, RESULT_REPORTER_ID) != NULL;
	if (report.record.has_reporter &&
	    !row_number(rows, row, RESULT_REPORTER_ID, 0, G_MAXINT32, &reporter_id, error))
		return FALSE;
	report.item_no = (guint)item_no;
	report.domain_id = db_rows_get(rows, row, RESULT_DOMAIN_ID);
	report.record.report = id;
	report.record.domain_id = (gint32)domain_id;
	report.record.reporter_id = (gint32)reporter_id;
	if (!found_report_begin(writing->mails[mail], report.item_no, &report.record.begin))
		return refuse_result(error, "a report of item", db_rows_get(rows, row, RESULT_ITEM_NO));
	g_array_append_val(writing->reports, report);
	return TRUE;
}

static void read_counts(struct writing *writing, gsize row, guint mail)
{
	*found_counts(writing->mails[mail]) =
	    (struct intake_counts){ .stored = row_count(writing->result, row, RESULT_STORED),
		    .duplicates = row_count(writing->result, row, RESULT_DUPLICATES),
		    .conflicts = row_count(writing->result, row, RESULT_CONFLICTS),
		    .unreadable = row_count(writing->result, row, RESULT_UNREADABLE) };
}

/* The index of the mail that a row speaks of. */
static gboolean row_mail(const struct writing *writing, gsize row, guint *mail, GError **error)
{
	gint64 mail_no = 0;

	if (!row_number(writing->result, row, RESULT_MAIL_NO, 1, writing->n, &mail_no, error))
		return FALSE;
	*mail = (guint)mail_no - 1;
	return TRUE;
}

static gint compare_reports(gconstpointer a, gconstpointer b)
{
	const struct new_report *x = a, *y = b;

	if (x->mail != y->mail)
		return x->mail < y->mail ? -1 : 1;
	return (x->item_no > y->item_no) - (x->item_no < y->item_no);
}

static gboolean read_result(struct writing *writing, GError **error)
{
	gint64 epoch = 0;
	guint n_mails = 0;
	guint mail;

	for (gsize row = 0; row < db_rows_count(writing->result); row++) {
		if (!row_mail(writing, row, &mail, error))
			return FALSE;
		if (!db_rows_get(writing->result, row, RESULT_ITEM_NO)) {
			read_counts(writing, row, mail);
			n_mails++;
			continue;
		}
		if (!read_report(writing, row, mail, error) ||
		    !row_number(writing->result, row, RESULT_EPOCH, G_MININT64, G_MAXINT64, &epoch, error))
			return FALSE;
		writing->ticket = evaluations_enter(writing->known, epoch);
	}
	g_array_sort(writing->reports, compare_reports);
	if (n_mails == writing->n)
		return TRUE;
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "database: ruad.ingest() speaks of %u mails of %u",
	    n_mails, writing->n);
	return FALSE;
}

/* All but records: which reports are new. */
static gboolean ingest(struct writing *writing, GError **error)
{
	g_autoptr(GString) mails = g_string_new(NULL);
	g_autoptr(GString) items = g_string_new(NULL);
	struct db_value params[2];

	for (guint i = 0; i < writing->n; i++) {
		found_mail_row(writing->mails[i], mails);
		if (!found_item_rows(writing->mails[i], i + 1, items, error))
			return FALSE;
	}
	literal_end(mails);
	literal_end(items);
	params[0] = DB_TEXT(mails->str);
	params[1] = DB_TEXT(items->str);
	writing->result = db_query(writing->db, found_again(writing->mails[0]) != 0 ? INGEST_AGAIN : INGEST,
	    params, G_N_ELEMENTS(params), error);
	return writing->result != NULL && read_result(writing, error);
}

/* Evaluations. */

static void placed_block_free(gpointer data)
{
	struct placed_block *placed = data;

	block_free(placed->block);
	g_free(placed->evaluations);
	g_free(placed);
}

static void chunk_init(struct chunk *chunk)
{
	chunk->blocks = g_ptr_array_new_with_free_func(placed_block_free);
	chunk->bytes = 0;
	chunk->unknown = g_string_new(NULL);
	chunk->indexes = g_hash_table_new_full(evaluation_key_hash, evaluation_key_equal, g_free, NULL);
	chunk->keys = g_ptr_array_new();
}

static void chunk_clear(struct chunk *chunk)
{
	g_ptr_array_unref(chunk->blocks);
	g_string_free(chunk->unknown, TRUE);
	g_ptr_array_unref(chunk->keys);
	g_hash_table_unref(chunk->indexes);
}

static void chunk_empty(struct chunk *chunk)
{
	g_ptr_array_set_size(chunk->blocks, 0);
	chunk->bytes = 0;
	g_string_truncate(chunk->unknown, 0);
	g_ptr_array_set_size(chunk->keys, 0);
	g_hash_table_remove_all(chunk->indexes);
}

/* The place among what the database will be asked for, from 1. */
static gint64 ask_for(struct chunk *chunk, const struct evaluation_key *key, const struct new_report *report,
    const struct block_evaluation *evaluation)
{
	struct evaluation *asked = g_hash_table_lookup(chunk->indexes, key);

	if (asked)
		return asked->id;
	asked = g_new(struct evaluation, 1);
	*asked = (struct evaluation){ .key = *key, .id = chunk->keys->len + 1 };
	g_hash_table_add(chunk->indexes, asked);
	g_ptr_array_add(chunk->keys, asked);
	literal_row_begin(chunk->unknown, report->domain_id);
	literal_field(chunk->unknown, report->day);
	g_string_append_len(chunk->unknown, evaluation->fields, (gssize)evaluation->size);
	literal_row_end(chunk->unknown);
	return asked->id;
}

/* The id of an evaluation, or its place in chunk->unknown as a negative number. */
static gint64 look_up(struct writing *writing, struct chunk *chunk, const struct new_report *report,
    const struct block_evaluation *evaluation)
{
	struct evaluation_key key = { .domain_id = report->record.domain_id, .month = report->month };
	const struct evaluation *fresh;
	gint64 id;

	memcpy(key.hash, evaluation->hash, sizeof key.hash);
	id = evaluations_find(writing->known, writing->ticket, &key);
	if (id != 0)
		return id;
	fresh = g_hash_table_lookup(writing->fresh, &key);
	return fresh ? fresh->id : -ask_for(chunk, &key, report, evaluation);
}

/* block is transfer full. */
static void chunk_add(
    struct writing *writing, struct chunk *chunk, struct block *block, const struct new_report *report)
{
	struct placed_block *placed = g_new(struct placed_block, 1);

	placed->block = block;
	placed->report = report;
	placed->evaluations = g_new(gint64, block->n_evaluations);
	for (guint i = 0; i < block->n_evaluations; i++)
		placed->evaluations[i] = look_up(writing, chunk, report, &block->evaluations[i]);
	chunk->bytes += block->n_records * sizeof *block->records + block->n_evaluations * sizeof(gint64);
	g_clear_pointer(&block->text, g_free);
	g_clear_pointer(&block->evaluations, g_free);
	g_ptr_array_add(chunk->blocks, placed);
}

/* Keep the ids that were learned, up to a bound: a later chunk may need them, and a later transaction. */
static void learn(struct writing *writing, const struct chunk *chunk)
{
	for (guint i = 0; i < chunk->keys->len && g_hash_table_size(writing->fresh) < FRESH_MAX; i++)
		g_hash_table_add(writing->fresh, g_memdup2(chunk->keys->pdata[i], sizeof(struct evaluation)));
}

static gboolean read_ids(const struct chunk *chunk, const struct db_rows *rows, GError **error)
{
	if (db_rows_count(rows) != chunk->keys->len) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM,
		    "database: ruad.evaluations() gave %" G_GSIZE_FORMAT " ids for %u", db_rows_count(rows),
		    chunk->keys->len);
		return FALSE;
	}
	for (guint i = 0; i < chunk->keys->len; i++) {
		struct evaluation *evaluation = chunk->keys->pdata[i];
		if (!row_number(rows, i, 0, 1, G_MAXINT64, &evaluation->id, error))
			return FALSE;
	}
	return TRUE;
}

/* Have the evaluations stored that are not known to be, and put ids in the place of negative numbers. */
static gboolean resolve(struct writing *writing, struct chunk *chunk, GError **error)
{
	struct db_value params[1];
	struct db_rows *rows;
	gboolean good;

	if (chunk->keys->len == 0)
		return TRUE;
	literal_end(chunk->unknown);
	params[0] = DB_TEXT(chunk->unknown->str);
	rows = db_query(writing->db, EVALUATIONS, params, G_N_ELEMENTS(params), error);
	good = rows != NULL && read_ids(chunk, rows, error);
	db_rows_free(rows);
	if (!good)
		return FALSE;
	for (guint i = 0; i < chunk->blocks->len; i++) {
		struct placed_block *placed = chunk->blocks->pdata[i];
		for (guint j = 0; j < placed->block->n_evaluations; j++) {
			gint64 *id = &placed->evaluations[j];
			if (*id < 0)
				*id = ((struct evaluation *)chunk->keys->pdata[-*id - 1])->id;
		}
	}
	learn(writing, chunk);
	return TRUE;
}

/* Records. */

static gboolean put_rows(struct db *db, GString *rows, gsize least, GError **error)
{
	gboolean good = rows->len < least || db_copy_put(db, rows->str, rows->len, error);

	if (rows->len >= least)
		g_string_truncate(rows, 0);
	return good;
}

static gboolean put_block(struct db *db, const struct placed_block *placed, GString *rows, GError **error)
{
	struct binary_record row = placed->report->record;

	for (guint i = 0; i < placed->block->n_records; i++) {
		const struct block_record *record = &placed->block->records[i];

		row.count = record->count;
		row.evaluation = placed->evaluations[record->evaluation];
		row.record_no = placed->block->first_no + (gint32)i;
		row.address_size = record->address_size;
		row.address = record->address;
		binary_record(rows, &row);
		if (!put_rows(db, rows, PIECE_BYTES, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean copy_blocks(struct db *db, const struct chunk *chunk, GError **error)
{
	g_autoptr(GString) rows = g_string_sized_new(PIECE_BYTES + 256);

	if (!db_copy_begin(db, COPY_RECORD, error))
		return FALSE;
	binary_begin(rows);
	for (guint i = 0; i < chunk->blocks->len; i++)
		if (!put_block(db, chunk->blocks->pdata[i], rows, error))
			return FALSE;
	binary_end(rows);
	return put_rows(db, rows, 0, error) && db_copy_end(db, error);
}

static gboolean chunk_write(struct writing *writing, struct chunk *chunk, GError **error)
{
	gboolean good = chunk->blocks->len == 0 ||
			(resolve(writing, chunk, error) && copy_blocks(writing->db, chunk, error));

	chunk_empty(chunk);
	return good;
}

static const struct new_report *find_report(const struct writing *writing, guint mail, guint item_no)
{
	const struct new_report wanted = { .mail = mail, .item_no = item_no };
	guint index;

	if (!g_array_binary_search(writing->reports, &wanted, compare_reports, &index))
		return NULL;
	return &g_array_index(writing->reports, struct new_report, index);
}

/* The blocks of a mail's new reports, into chunk, which is written whenever it is full. */
static gboolean write_mail_records(struct writing *writing, guint mail, struct chunk *chunk, GError **error)
{
	struct block *block = NULL;
	guint64 at = 0;

	while (records_next(found_records(writing->mails[mail]), &at, &block, error)) {
		const struct new_report *report = block ? find_report(writing, mail, block->report) : NULL;

		if (!block)
			return TRUE;
		if (!report) {
			block_free(block);
			continue;
		}
		chunk_add(writing, chunk, block, report);
		if (chunk->bytes + chunk->unknown->len > CHUNK_BYTES && !chunk_write(writing, chunk, error))
			return FALSE;
	}
	return FALSE;
}

static gboolean write_records(struct writing *writing, GError **error)
{
	struct chunk chunk;
	gboolean good = TRUE;
	guint last = G_MAXUINT;

	chunk_init(&chunk);
	for (guint i = 0; good && i < writing->reports->len; i++) {
		guint mail = g_array_index(writing->reports, struct new_report, i).mail;
		if (mail != last)
			good = write_mail_records(writing, mail, &chunk, error);
		last = mail;
	}
	good = good && chunk_write(writing, &chunk, error);
	chunk_clear(&chunk);
	return good;
}

/* The bytes of mails that are kept. */

static gboolean keep_raw(struct db *db, const char *mail_id, const struct found *found, GError **error)
{
	gsize size;
	const guint8 *document = found_document(found, &size);
	const struct db_value params[] = { DB_TEXT(mail_id), DB_BYTES(document, size) };

	return db_exec(db, KEEP_RAW, params, G_N_ELEMENTS(params), error);
}

static gboolean keep_all_raw(const struct writing *writing, GError **error)
{
	const struct db_rows *rows = writing->result;

	for (gsize row = 0; row < db_rows_count(rows); row++) {
		const char *keep = db_rows_get(rows, row, RESULT_KEEP_RAW);
		guint mail;

		if (db_rows_get(rows, row, RESULT_ITEM_NO) || !keep || *keep != 't')
			continue;
		if (!row_mail(writing, row, &mail, error) ||
		    !keep_raw(
			writing->db, db_rows_get(rows, row, RESULT_MAIL_ID), writing->mails[mail], error))
			return FALSE;
	}
	return TRUE;
}

/* The transaction. */

/* Leave the transaction; what is on a connection that cannot is lost with it. */
static void rollback(struct db *db)
{
	g_autoptr(GError) ignored = NULL;

	if (db_alive(db) && !db_exec(db, "ROLLBACK", NULL, 0, &ignored))
		g_debug("rollback: %s", ignored->message);
}

/* COMMIT where all before was good, else ROLLBACK. */
static gboolean finish(struct db *db, gboolean good, gboolean *in_doubt, GError **error)
{
	*in_doubt = FALSE;
	if (good && db_exec(db, "COMMIT", NULL, 0, error))
		return TRUE;
	*in_doubt = good && !db_alive(db);
	rollback(db);
	return FALSE;
}

/* What was learned holds once it is committed. */
static void publish(const struct writing *writing)
{
	GHashTableIter iter;
	gpointer evaluation;

	g_hash_table_iter_init(&iter, writing->fresh);
	while (g_hash_table_iter_next(&iter, &evaluation, NULL))
		evaluations_add(writing->known, writing->ticket, evaluation);
}

/*
 * TRUE when the last failure says that functions, tables or rights are not what we know (SQLSTATE class 42), or became other than they were
 * when we prepared our statements (0A000). Any other use of the schema than ours has the same cause: another version migrated.
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

gboolean store_write(struct db *db, struct evaluations *known, struct found *const *mails, guint n,
    gboolean *in_doubt, gboolean *foreign, GError **error)
{
	struct writing writing = { .db = db,
		.known = known,
		.mails = mails,
		.n = n,
		.reports = g_array_new(FALSE, FALSE, sizeof(struct new_report)),
		.fresh = g_hash_table_new_full(evaluation_key_hash, evaluation_key_equal, g_free, NULL) };
	GError *failure = NULL;
	gboolean good = db_exec(db, "BEGIN", NULL, 0, &failure) && ingest(&writing, &failure) &&
			write_records(&writing, &failure) && keep_all_raw(&writing, &failure);

	*foreign = failure && failure->code == RUAD_ERROR_SYSTEM && is_foreign(db);
	if (*foreign)
		explain_foreign(&failure);
	good = finish(db, good, in_doubt, good ? &failure : NULL);
	if (good)
		publish(&writing);
	else
		g_propagate_error(error, failure);
	db_rows_free(writing.result);
	g_array_unref(writing.reports);
	g_hash_table_unref(writing.fresh);
	return good;
}
