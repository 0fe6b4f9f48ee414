#include "tests/unit/ingest/fake_db.h"

#include <string.h>

#include "parser/error.h"
#include "tests/unit/ingest/rows.h"
#include "tests/unit/worker/cm.h"

/* Rows of one column. */
struct db_rows {
	GPtrArray *values;
};

struct db *fake_db_new(const char *evaluations_sql)
{
	struct db *db = g_new0(struct db, 1);

	db->columns = rows_columns(evaluations_sql, "ruad.new_evaluation");
	db->ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	db->asked = g_string_new(NULL);
	db->copied = g_string_new(NULL);
	db->rows = g_string_new(NULL);
	db->least = G_MAXSIZE;
	return db;
}

void fake_db_free(struct db *db)
{
	g_strfreev(db->columns);
	g_hash_table_unref(db->ids);
	g_string_free(db->asked, TRUE);
	g_string_free(db->copied, TRUE);
	g_string_free(db->rows, TRUE);
	g_free(db);
}

static gboolean fails(const struct db *db, enum fake_failure failure, GError **error)
{
	if (db->failure == failure)
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "failure %d", (int)failure);
	return db->failure == failure;
}

/* -- ruad.evaluations() -- */

/* key is transfer full. */
static guint id_of(struct db *db, char *key)
{
	guint id = GPOINTER_TO_UINT(g_hash_table_lookup(db->ids, key));

	if (id == 0)
		id = 1000 + g_hash_table_size(db->ids);
	g_hash_table_insert(db->ids, key, GUINT_TO_POINTER(id));
	return id;
}

static void spoil(const struct db *db, GPtrArray *values)
{
	char *last = values->pdata[values->len - 1];

	if (db->failure == FAKE_FEWER_IDS)
		g_ptr_array_remove_index(values, values->len - 1);
	else if (db->failure == FAKE_MORE_IDS)
		g_ptr_array_add(values, g_strdup(last));
	else if (db->failure == FAKE_ZERO_ID)
		g_strlcpy(last, "0", 2);
	else if (db->failure == FAKE_NULL_ID)
		g_clear_pointer(&values->pdata[values->len - 1], g_free);
}

struct db_rows *db_query(
    struct db *db, const char *sql, const struct db_value *params, guint n_params, GError **error)
{
	struct db_rows *result;
	struct rows *rows;

	assert_string_equal(sql, "SELECT * FROM ruad.evaluations($1::ruad.new_evaluation[])");
	assert_int_equal(n_params, 1);
	if (fails(db, FAKE_QUERY, error))
		return NULL;
	result = g_new(struct db_rows, 1);
	result->values = g_ptr_array_new_with_free_func(g_free);
	rows = rows_read(params[0].data, db->columns);
	for (guint i = 0; i < rows_count(rows); i++) {
		char *key = g_strdup_printf("%s %s %s;", rows_get(rows, i, "domain_id"),
		    rows_get(rows, i, "day"), rows_get(rows, i, "header_from"));

		g_string_append(db->asked, key);
		g_ptr_array_add(result->values, g_strdup_printf("%u", id_of(db, key)));
	}
	g_string_append_c(db->asked, '|');
	rows_free(rows);
	spoil(db, result->values);
	return result;
}

gsize db_rows_count(const struct db_rows *rows)
{
	return rows->values->len;
}

gboolean db_rows_number(const struct db_rows *rows, gsize row, guint column, gint64 least, gint64 most,
    gint64 *value, GError **error)
{
	const char *text = rows->values->pdata[row];

	assert_int_equal(column, 0);
	if (text != NULL && g_ascii_string_to_signed(text, 10, least, most, value, NULL))
		return TRUE;
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "no number: %s", text ? text : "NULL");
	return FALSE;
}

void db_rows_free(struct db_rows *rows)
{
	if (rows == NULL)
		return;
	g_ptr_array_unref(rows->values);
	g_free(rows);
}

/* -- COPY -- */

gboolean db_copy_begin(struct db *db, const char *sql, GError **error)
{
	assert_string_equal(sql,
	    "COPY ruad.record (begin, report, count, evaluation, day, domain_id, reporter_id, record_no, "
	    "source_ip) FROM STDIN (FORMAT binary)");
	g_string_truncate(db->copied, 0);
	return !fails(db, FAKE_BEGIN, error);
}

gboolean db_copy_put(struct db *db, const char *data, gsize size, GError **error)
{
	gboolean last = size >= 2 && memcmp(data + size - 2, "\xff\xff", 2) == 0;

	if (!last) {
		db->largest = MAX(db->largest, size);
		db->least = MIN(db->least, size);
	}
	g_string_append_len(db->copied, data, (gssize)size);
	return !(last && fails(db, FAKE_PUT, error));
}

/* A big-endian number of size bytes. */
static gint64 number(const guint8 *bytes, gint32 size)
{
	guint64 value = bytes[0] & 0x80 ? G_MAXUINT64 : 0;

	for (gint32 i = 0; i < size; i++)
		value = value << 8 | bytes[i];
	return (gint64)value;
}

/* Append one of the nine columns of a row: a number, or the address in hexadecimal. */
static void append_column(GString *rows, guint column, const guint8 *value, gint32 size)
{
	if (size < 0)
		g_string_append(rows, "NULL");
	else if (column < 8)
		g_string_append_printf(rows, "%" G_GINT64_FORMAT, number(value, size));
	else
		for (gint32 i = 4; i < size; i++)
			g_string_append_printf(rows, "%02x", value[i]);
	g_string_append_c(rows, column < 8 ? ' ' : '\n');
}

/* Read "begin report count evaluation day domain_id reporter_id record_no source_ip"; returns the bytes of
 * the row. */
static gsize read_row(struct db *db, const guint8 *start)
{
	gboolean wanted = db->rows->len < FAKE_ROWS_MAX;
	const guint8 *at = start + 2;

	assert_int_equal(number(start, 2), 9);
	for (guint column = 0; column < 9; column++) {
		gint32 size = (gint32)number(at, 4);

		at += 4;
		if (wanted)
			append_column(db->rows, column, at, size);
		if (column == 7)
			db->last_no = number(at, size);
		at += MAX(size, 0);
	}
	db->n_rows++;
	return (gsize)(at - start);
}

gboolean db_copy_end(struct db *db, GError **error)
{
	const guint8 *data = (const guint8 *)db->copied->str;
	gsize at = 19; /* of the head */

	if (fails(db, FAKE_END, error))
		return FALSE;
	while (number(data + at, 2) != -1)
		at += read_row(db, data + at);
	assert_int_equal(at + 2, db->copied->len);
	db->copies++;
	return TRUE;
}
