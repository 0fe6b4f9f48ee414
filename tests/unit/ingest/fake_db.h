/*
 * fake_db.h - the part of db.h that record_writer.c calls, without a server: it assigns ids to evaluations
 * and keeps the rows that are copied.
 *
 * It replaces db.c in the program that links it.
 */
#pragma once

#include "server/database/db.h"

#define FAKE_ROWS_MAX 4096 /* bytes: text of many rows takes long to make */

enum fake_failure {
	FAKE_NONE,
	FAKE_QUERY,     /* ruad.evaluations() fails */
	FAKE_FEWER_IDS, /* it returns one row too few */
	FAKE_MORE_IDS,
	FAKE_NULL_ID, /* its last row is NULL */
	FAKE_ZERO_ID,
	FAKE_BEGIN, /* COPY fails at its begin, at its last data, at its end */
	FAKE_PUT,
	FAKE_END,
};

struct db {
	enum fake_failure failure;
	char **columns;       /* of ruad.new_evaluation */
	GHashTable *ids;      /* "domain day header_from;" -> id; ids count from 1000 */
	GString *asked;       /* the same for each evaluation in all queries, "|" after each query */
	GString *copied;      /* the data of the open COPY */
	GString *rows;        /* of finished COPYs, a line each (see fake_db.c), up to FAKE_ROWS_MAX bytes */
	guint n_rows;         /* of finished COPYs, as is the next */
	gint64 last_no;       /* record_no of the last row */
	guint copies;         /* finished */
	gsize largest, least; /* bytes of a db_copy_put(), except the last one of each COPY */
};

struct db *fake_db_new(const char *evaluations_sql);
void fake_db_free(struct db *db);
