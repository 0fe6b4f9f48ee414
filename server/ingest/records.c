#include "server/ingest/records.h"

#include <arpa/inet.h>
#include <nettle/sha2.h>
#include <string.h>

#include "parser/error.h"
#include "server/common/json.h"
#include "server/common/spool.h"
#include "server/ingest/literal.h"

#define BLOCK_BYTES (256 * 1024) /* of records, or of evaluations, at which a block ends */
#define ABSENT      '\xff'       /* no byte of UTF-8 */

struct records {
	struct spool *spool; /* blocks that ended */

	guint64 count; /* of all records */

	/* the open block */
	guint report;
	gint32 next_no; /* of the report's next record */
	guint n_evaluations;
	GString *evaluations; /* for each its struct stored_evaluation and fields */
	GArray *records;      /* of struct block_record */
	GHashTable *places;   /* hash -> index among evaluations */
	GString *values;      /* of one evaluation, to be hashed; then its columns of JSON */
};

/* The format of blocks in the spool: this, then the evaluations, then the records. */
struct stored_block {
	guint32 report;
	gint32 first_no;
	guint32 n_evaluations;
	guint32 n_records;
	guint64 evaluations_size; /* bytes */
};

/* Followed by its fields. */
struct stored_evaluation {
	guint8 hash[EVALUATION_HASH];
	guint64 size; /* bytes of them */
};

/* -- hashes -- */

static guint hash_hash(gconstpointer hash)
{
	guint value;

	memcpy(&value, hash, sizeof value);
	return value;
}

static gboolean hash_equal(gconstpointer a, gconstpointer b)
{
	return memcmp(a, b, EVALUATION_HASH) == 0;
}

static void value_bytes(GString *values, const void *bytes, gsize size)
{
	gsize at = values->len;

	g_string_set_size(values, at + size);
	memcpy(values->str + at, bytes, size);
}

/* A text ends with a NUL, which no text contains, and an absent value is not a text: no two evaluations have
 * the same values. */
static void value_text(GString *values, const char *text)
{
	static const char absent = ABSENT;

	if (text != NULL)
		value_bytes(values, text, strlen(text) + 1);
	else
		value_bytes(values, &absent, 1);
}

static void value_number(GString *values, gsize number)
{
	value_bytes(values, &number, sizeof number);
}

static void value_signatures(GString *values, const struct aggregate_record *record)
{
	value_number(values, record->n_auth_dkim);
	for (gsize i = 0; i < record->n_auth_dkim; i++) {
		value_text(values, record->auth_dkim[i].domain);
		value_text(values, record->auth_dkim[i].selector);
		value_text(values, record->auth_dkim[i].result);
		value_text(values, record->auth_dkim[i].human_result);
	}
	value_number(values, record->n_auth_spf);
	for (gsize i = 0; i < record->n_auth_spf; i++) {
		value_text(values, record->auth_spf[i].domain);
		value_text(values, record->auth_spf[i].scope);
		value_text(values, record->auth_spf[i].result);
		value_text(values, record->auth_spf[i].human_result);
	}
}

static void value_reasons_and_notes(GString *values, const struct aggregate_record *record)
{
	value_number(values, record->n_reason);
	for (gsize i = 0; i < record->n_reason; i++) {
		value_text(values, record->reason[i].type);
		value_text(values, record->reason[i].comment);
	}
	value_number(values, record->n_note);
	for (gsize i = 0; i < record->n_note; i++) {
		value_text(values, record->note[i].code);
		value_text(values, record->note[i].path);
		value_text(values, record->note[i].raw);
	}
}

#define HASH_TEXT(name)  value_text(values, record->name);
#define FIELD_TEXT(name) literal_field(fields, record->name);

static void hash_evaluation(
    GString *values, const struct aggregate_record *record, guint8 hash[SHA256_DIGEST_SIZE])
{
	struct sha256_ctx sha256;

	g_string_truncate(values, 0);
	AGGREGATE_EVALUATED(HASH_TEXT)
	AGGREGATE_IDENTIFIERS(HASH_TEXT)
	value_signatures(values, record);
	value_reasons_and_notes(values, record);
	sha256_init(&sha256);
	sha256_update(&sha256, values->len, (const guint8 *)values->str);
	sha256_digest(&sha256, SHA256_DIGEST_SIZE, hash);
}

/* -- the open block -- */

/* A JSON column: what was appended to json, which is emptied; nothing is SQL NULL. */
static void field_json(GString *fields, GString *json)
{
	literal_field(fields, json->len > 0 ? json->str : NULL);
	g_string_truncate(json, 0);
}

static void evaluation_fields(GString *fields, const struct aggregate_record *record, GString *json)
{
	AGGREGATE_EVALUATED(FIELD_TEXT)
	AGGREGATE_IDENTIFIERS(FIELD_TEXT)
	if (record->n_reason > 0)
		json_reasons(json, record);
	field_json(fields, json);
	json_auth_results(json, record);
	field_json(fields, json);
	if (record->n_note > 0)
		json_notes(json, record->note, record->n_note);
	field_json(fields, json);
}

/* The index of the record's evaluation in the open block. */
static guint32 evaluation_of(struct records *records, const struct aggregate_record *record)
{
	guint8 hash[SHA256_DIGEST_SIZE];
	gpointer place;
	struct stored_evaluation stored;
	gsize start = records->evaluations->len;

	hash_evaluation(records->values, record, hash);
	if (g_hash_table_lookup_extended(records->places, hash, NULL, &place))
		return GPOINTER_TO_UINT(place);
	memcpy(stored.hash, hash, sizeof stored.hash);
	g_string_append_len(records->evaluations, (const char *)&stored, sizeof stored);
	g_string_truncate(records->values, 0);
	evaluation_fields(records->evaluations, record, records->values);
	stored.size = records->evaluations->len - start - sizeof stored;
	memcpy(records->evaluations->str + start, &stored, sizeof stored);
	g_hash_table_insert(
	    records->places, g_memdup2(hash, EVALUATION_HASH), GUINT_TO_POINTER(records->n_evaluations));
	return records->n_evaluations++;
}

static void empty_block(struct records *records)
{
	records->n_evaluations = 0;
	g_string_truncate(records->evaluations, 0);
	g_array_set_size(records->records, 0);
	g_hash_table_remove_all(records->places);
}

gboolean records_end(struct records *records, GError **error)
{
	guint n = records->records->len;
	struct stored_block head = { .report = records->report,
		.first_no = records->next_no - (gint32)n,
		.n_evaluations = records->n_evaluations,
		.n_records = n,
		.evaluations_size = records->evaluations->len };

	if (n == 0)
		return TRUE;
	if (!spool_write(records->spool, (const char *)&head, sizeof head, error) ||
	    !spool_write(records->spool, records->evaluations->str, records->evaluations->len, error) ||
	    !spool_write(records->spool, records->records->data, n * sizeof(struct block_record), error))
		return FALSE;
	empty_block(records);
	return TRUE;
}

static gboolean read_address(struct block_record *to, const char *address, GError **error)
{
	int family = address != NULL && strchr(address, ':') != NULL ? AF_INET6 : AF_INET;

	if (address == NULL)
		return TRUE;
	to->address_size = family == AF_INET6 ? 16 : 4;
	if (inet_pton(family, address, to->address) == 1)
		return TRUE;
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "source_ip \"%s\": not an IP address", address);
	return FALSE;
}

gboolean records_add(
    struct records *records, guint report, const struct aggregate_record *record, GError **error)
{
	struct block_record row = { .count = MAX(record->count, -1) };

	if (!read_address(&row, record->source_ip, error))
		return FALSE;
	if (report != records->report) {
		if (!records_end(records, error))
			return FALSE;
		records->report = report;
		records->next_no = 1;
	}
	row.evaluation = evaluation_of(records, record);
	g_array_append_val(records->records, row);
	records->next_no++;
	records->count++;
	return (records->records->len * sizeof row < BLOCK_BYTES &&
		   records->evaluations->len < BLOCK_BYTES) ||
	       records_end(records, error);
}

/* -- all blocks -- */

struct records *records_new(const char *folder)
{
	struct records *records = g_new0(struct records, 1);

	records->spool = spool_new(folder);
	records->evaluations = g_string_new(NULL);
	records->records = g_array_new(FALSE, FALSE, sizeof(struct block_record));
	records->places = g_hash_table_new_full(hash_hash, hash_equal, g_free, NULL);
	records->values = g_string_new(NULL);
	return records;
}

void records_free(struct records *records)
{
	if (records == NULL)
		return;
	spool_free(records->spool);
	g_string_free(records->evaluations, TRUE);
	g_array_unref(records->records);
	g_hash_table_unref(records->places);
	g_string_free(records->values, TRUE);
	g_free(records);
}

void records_clear(struct records *records)
{
	empty_block(records);
	spool_clear(records->spool);
	records->report = 0;
	records->count = 0;
}

guint64 records_count(const struct records *records)
{
	return records->count;
}

guint64 records_size(const struct records *records)
{
	return spool_size(records->spool) + records->evaluations->len +
	       records->records->len * sizeof(struct block_record);
}

gboolean records_in_file(const struct records *records)
{
	return spool_in_file(records->spool);
}

/* -- reading -- */

void block_free(struct block *block)
{
	if (block == NULL)
		return;
	g_free(block->evaluations);
	g_free(block->records);
	g_free(block->text);
	g_free(block);
}

/* Find the evaluations in the text of a block. */
static void find_evaluations(struct block *block)
{
	const char *text = block->text;

	for (guint i = 0; i < block->n_evaluations; i++) {
		struct stored_evaluation stored;

		memcpy(&stored, text, sizeof stored);
		memcpy(block->evaluations[i].hash, stored.hash, sizeof stored.hash);
		block->evaluations[i].fields = text + sizeof stored;
		block->evaluations[i].size = stored.size;
		text += sizeof stored + stored.size;
	}
}

gboolean records_next(const struct records *records, guint64 *at, struct block **block, GError **error)
{
	struct stored_block head;
	struct block *fresh;
	gsize size;

	*block = NULL;
	if (*at == spool_size(records->spool))
		return TRUE;
	if (!spool_read(records->spool, *at, &head, sizeof head, error))
		return FALSE;
	fresh = g_new0(struct block, 1);
	fresh->report = head.report;
	fresh->first_no = head.first_no;
	fresh->n_evaluations = head.n_evaluations;
	fresh->n_records = head.n_records;
	fresh->evaluations = g_new(struct block_evaluation, head.n_evaluations);
	fresh->records = g_new(struct block_record, head.n_records);
	fresh->text = g_malloc(head.evaluations_size);
	size = head.n_records * sizeof(struct block_record);
	if (!spool_read(records->spool, *at + sizeof head, fresh->text, head.evaluations_size, error) ||
	    !spool_read(
		records->spool, *at + sizeof head + head.evaluations_size, fresh->records, size, error)) {
		block_free(fresh);
		return FALSE;
	}
	find_evaluations(fresh);
	*at += sizeof head + head.evaluations_size + size;
	*block = fresh;
	return TRUE;
}
