#include "server/ingest/record_writer.h"

#include <string.h>

#include "parser/error.h"
#include "server/ingest/binary.h"
#include "server/ingest/literal.h"

#define EVALUATIONS "SELECT * FROM ruad.evaluations($1::ruad.new_evaluation[])"
#define COPY_RECORD "COPY ruad.record (" BINARY_RECORD_COLUMNS ") FROM STDIN (FORMAT binary)"

#define CHUNK_BYTES (1024 * 1024) /* of blocks that are in memory at once: some 3,000 evaluations */
#define FRESH_MAX   50000         /* new evaluations that a transaction caches */
#define PUT_BYTES   (64 * 1024)   /* of COPY data that is gathered before it is sent */

/* What a piece of pace has at most: a few milliseconds of the database. */
#define PIECE_EVALUATIONS 64
#define PIECE_RECORDS     500

struct record_writer {
	struct db *db, *aside; /* aside stores evaluations */
	struct evaluations *known;
	guint64 ticket;
	struct pace *pace;
	GHashTable *fresh; /* struct evaluation, by key: learned ids, valid after the commit */

	/* the chunk: blocks whose records will be written next */
	GPtrArray *blocks; /* struct placed_block */
	gsize bytes;
	GPtrArray *unknown;  /* of GString: ruad.new_evaluation[], each for a piece */
	GHashTable *indexes; /* struct evaluation by key; its id is the index in keys, from 1 */
	GPtrArray *keys;     /* of the evaluations in unknown; borrowed from indexes */
};

/* A COPY. */
struct copy {
	struct record_writer *writer;
	GString *data; /* that is not sent yet */
	guint n;       /* rows; 0: it has not begun */
};

struct placed_block {
	struct block *block;
	const struct new_report *report;
	gint64 *evaluations; /* ids of the block's; if unknown, the negative index in keys */
};

/* -- evaluations -- */

static void placed_block_free(gpointer data)
{
	struct placed_block *placed = data;

	block_free(placed->block);
	g_free(placed->evaluations);
	g_free(placed);
}

static void empty_chunk(struct record_writer *writer)
{
	g_ptr_array_set_size(writer->blocks, 0);
	writer->bytes = 0;
	g_ptr_array_set_size(writer->unknown, 0);
	g_ptr_array_set_size(writer->keys, 0);
	g_hash_table_remove_all(writer->indexes);
}

static void string_free(gpointer string)
{
	g_string_free(string, TRUE);
}

/* The array for the next evaluation that is not known. */
static GString *unknown_array(struct record_writer *writer)
{
	guint n = writer->keys->len;

	if (n == 0 || (writer->pace && n % PIECE_EVALUATIONS == 0))
		g_ptr_array_add(writer->unknown, g_string_new(NULL));
	return writer->unknown->pdata[writer->unknown->len - 1];
}

/* The place of a new evaluation among those that the database will be asked for, from 1. */
static gint64 ask_for(struct record_writer *writer, const struct evaluation_key *key,
    const struct new_report *report, const struct block_evaluation *evaluation)
{
	struct evaluation *asked = g_hash_table_lookup(writer->indexes, key);
	GString *array;
	gsize before;

	if (asked)
		return asked->id;
	array = unknown_array(writer);
	before = array->len;
	asked = g_new(struct evaluation, 1);
	*asked = (struct evaluation){ .key = *key, .id = writer->keys->len + 1 };
	g_hash_table_add(writer->indexes, asked);
	g_ptr_array_add(writer->keys, asked);
	literal_row_begin(array, report->domain_id);
	literal_field(array, report->day);
	g_string_append_len(array, evaluation->fields, (gssize)evaluation->size);
	literal_row_end(array);
	writer->bytes += array->len - before;
	return asked->id;
}

/* The id of an evaluation, or its place in unknown as a negative number. */
static gint64 look_up(
    struct record_writer *writer, const struct new_report *report, const struct block_evaluation *evaluation)
{
	struct evaluation_key key = { .domain_id = report->record.domain_id, .month = report->month };
	const struct evaluation *fresh;
	gint64 id;

	memcpy(key.hash, evaluation->hash, sizeof key.hash);
	id = evaluations_find(writer->known, writer->ticket, &key);
	if (id != 0)
		return id;
	fresh = g_hash_table_lookup(writer->fresh, &key);
	return fresh ? fresh->id : -ask_for(writer, &key, report, evaluation);
}

/* block is transfer full. */
static void place(struct record_writer *writer, struct block *block, const struct new_report *report)
{
	struct placed_block *placed = g_new(struct placed_block, 1);

	placed->block = block;
	placed->report = report;
	placed->evaluations = g_new(gint64, block->n_evaluations);
	for (guint i = 0; i < block->n_evaluations; i++)
		placed->evaluations[i] = look_up(writer, report, &block->evaluations[i]);
	writer->bytes += block->n_records * sizeof *block->records + block->n_evaluations * sizeof(gint64);
	g_clear_pointer(&block->text, g_free);
	g_clear_pointer(&block->evaluations, g_free);
	g_ptr_array_add(writer->blocks, placed);
}

/* Remember learned ids, up to a limit: a later chunk or transaction may need them. */
static void learn(struct record_writer *writer)
{
	for (guint i = 0; i < writer->keys->len && g_hash_table_size(writer->fresh) < FRESH_MAX; i++)
		g_hash_table_add(writer->fresh, g_memdup2(writer->keys->pdata[i], sizeof(struct evaluation)));
}

/* Read the ids of n keys. */
static gboolean read_ids(struct evaluation **keys, guint n, const struct db_rows *rows, GError **error)
{
	if (db_rows_count(rows) != n) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM,
		    "database: ruad.evaluations() gave %" G_GSIZE_FORMAT " ids for %u", db_rows_count(rows),
		    n);
		return FALSE;
	}
	for (guint i = 0; i < n; i++)
		if (!db_rows_number(rows, i, 0, 1, G_MAXINT64, &keys[i]->id, error))
			return FALSE;
	return TRUE;
}

/* Store an array of evaluations, those of n keys; their ids replace their indexes. */
static gboolean ask(
    struct record_writer *writer, GString *array, struct evaluation **keys, guint n, GError **error)
{
	struct db_value params[1];
	struct db_rows *rows;
	gboolean good;

	literal_end(array);
	params[0] = DB_TEXT(array->str);
	pace_begin(writer->pace);
	rows = db_query(writer->aside, EVALUATIONS, params, G_N_ELEMENTS(params), error);
	pace_end(writer->pace);
	good = rows != NULL && read_ids(keys, n, rows, error);
	db_rows_free(rows);
	return good;
}

/* Store the evaluations that are not known yet, and replace negative numbers by ids. */
static gboolean resolve(struct record_writer *writer, GError **error)
{
	guint at = 0, n;

	for (guint i = 0; i < writer->unknown->len; i++, at += n) {
		n = writer->keys->len - at;
		if (writer->pace)
			n = MIN(n, PIECE_EVALUATIONS);
		if (!ask(writer, writer->unknown->pdata[i], (struct evaluation **)writer->keys->pdata + at, n,
			error))
			return FALSE;
	}
	for (guint i = 0; i < writer->blocks->len; i++) {
		struct placed_block *placed = writer->blocks->pdata[i];
		for (guint j = 0; j < placed->block->n_evaluations; j++) {
			gint64 *id = &placed->evaluations[j];
			if (*id < 0)
				*id = ((struct evaluation *)writer->keys->pdata[-*id - 1])->id;
		}
	}
	learn(writer);
	return TRUE;
}

/* -- records -- */

/* Send the data if it is that much. */
static gboolean copy_put(struct copy *copy, gsize least, GError **error)
{
	gboolean good;

	if (copy->data->len < least)
		return TRUE;
	good = db_copy_put(copy->writer->db, copy->data->str, copy->data->len, error);
	g_string_truncate(copy->data, 0);
	return good;
}

/* Begin a COPY, and a piece. */
static gboolean copy_begin(struct copy *copy, GError **error)
{
	pace_begin(copy->writer->pace);
	binary_begin(copy->data);
	return db_copy_begin(copy->writer->db, COPY_RECORD, error);
}

/* End both, if they have begun; good: the COPY has not failed. */
static gboolean copy_end(struct copy *copy, gboolean good, GError **error)
{
	if (copy->n == 0)
		return good;
	copy->n = 0;
	binary_end(copy->data);
	good = good && copy_put(copy, 0, error) && db_copy_end(copy->writer->db, error);
	pace_end(copy->writer->pace);
	return good;
}

static gboolean copy_row(struct copy *copy, const struct binary_record *row, GError **error)
{
	if (copy->n++ == 0 && !copy_begin(copy, error))
		return FALSE;
	binary_record(copy->data, row);
	if (copy->writer->pace && copy->n == PIECE_RECORDS)
		return copy_end(copy, TRUE, error);
	return copy_put(copy, PUT_BYTES, error);
}

static gboolean copy_block(struct copy *copy, const struct placed_block *placed, GError **error)
{
	struct binary_record row = placed->report->record;

	for (guint i = 0; i < placed->block->n_records; i++) {
		const struct block_record *record = &placed->block->records[i];

		row.count = record->count;
		row.evaluation = placed->evaluations[record->evaluation];
		row.record_no = placed->block->first_no + (gint32)i;
		row.address_size = record->address_size;
		row.address = record->address;
		if (!copy_row(copy, &row, error))
			return FALSE;
	}
	return TRUE;
}

static gboolean copy_blocks(struct record_writer *writer, GError **error)
{
	g_autoptr(GString) data = g_string_sized_new(PUT_BYTES + 256);
	struct copy copy = { .writer = writer, .data = data };
	gboolean good = TRUE;

	for (guint i = 0; good && i < writer->blocks->len; i++)
		good = copy_block(&copy, writer->blocks->pdata[i], error);
	return copy_end(&copy, good, error);
}

static gboolean write_chunk(struct record_writer *writer, GError **error)
{
	gboolean good;

	if (writer->blocks->len == 0)
		return TRUE;
	good = resolve(writer, error) && copy_blocks(writer, error);
	empty_chunk(writer);
	return good;
}

/* -- the writer -- */

struct record_writer *record_writer_new(
    struct db *db, struct db *aside, struct evaluations *known, guint64 ticket, struct pace *pace)
{
	struct record_writer *writer = g_new0(struct record_writer, 1);

	writer->db = db;
	writer->aside = aside;
	writer->known = known;
	writer->ticket = ticket;
	writer->pace = pace;
	writer->fresh = g_hash_table_new_full(evaluation_key_hash, evaluation_key_equal, g_free, NULL);
	writer->blocks = g_ptr_array_new_with_free_func(placed_block_free);
	writer->unknown = g_ptr_array_new_with_free_func(string_free);
	writer->indexes = g_hash_table_new_full(evaluation_key_hash, evaluation_key_equal, g_free, NULL);
	writer->keys = g_ptr_array_new();
	return writer;
}

void record_writer_free(struct record_writer *writer)
{
	if (!writer)
		return;
	g_hash_table_unref(writer->fresh);
	g_ptr_array_unref(writer->blocks);
	g_ptr_array_unref(writer->unknown);
	g_ptr_array_unref(writer->keys);
	g_hash_table_unref(writer->indexes);
	g_free(writer);
}

gboolean record_writer_add(
    struct record_writer *writer, struct block *block, const struct new_report *report, GError **error)
{
	place(writer, block, report);
	return writer->bytes <= CHUNK_BYTES || write_chunk(writer, error);
}

gboolean record_writer_end(struct record_writer *writer, GError **error)
{
	return write_chunk(writer, error);
}

void record_writer_publish(const struct record_writer *writer)
{
	GHashTableIter iter;
	gpointer evaluation;

	g_hash_table_iter_init(&iter, writer->fresh);
	while (g_hash_table_iter_next(&iter, &evaluation, NULL))
		evaluations_add(writer->known, writer->ticket, evaluation);
}
