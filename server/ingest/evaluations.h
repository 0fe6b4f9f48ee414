/*
 * evaluations.h - the ids of evaluations that the database is known to hold: what repeats among records, by domain,
 * month and hash (ruad.evaluation).
 *
 * Bounded: of two generations the older one is forgotten when the younger one is full. Ids are added once the transaction
 * that learned them is committed. They are worth nothing on another server, nor once evaluations were removed, which raises
 * the epoch that ruad.ingest() tells. All functions are thread-safe.
 */
#pragma once

#include <glib.h>

#define EVALUATION_HASH 16 /* bytes of a SHA-256 */

struct evaluation_key {
	gint32 domain_id;
	guint32 month; /* year * 12 + month, of the report's day */
	guint8 hash[EVALUATION_HASH];
};

struct evaluation {
	struct evaluation_key key; /* first, so that it is found by its key */
	gint64 id;                 /* > 0 */
};

/* For tables of struct evaluation by key: hash and equality of struct evaluation_key. */
guint evaluation_key_hash(gconstpointer key);
gboolean evaluation_key_equal(gconstpointer a, gconstpointer b);

struct evaluations;

/* Remembers at most this many, which is >= 2. */
struct evaluations *evaluations_new(guint most);
void evaluations_free(struct evaluations *evaluations); /* NULL is allowed */

/* Forget all: a connection was opened, which may lead to another server. */
void evaluations_forget(struct evaluations *evaluations);

/* A ticket for what follows in a transaction with this epoch; all is forgotten where the last one had another. */
guint64 evaluations_enter(struct evaluations *evaluations, gint64 epoch);

/* The id, or 0. What a ticket finds or adds after another epoch or evaluations_forget() counts for nothing. */
gint64 evaluations_find(struct evaluations *evaluations, guint64 ticket, const struct evaluation_key *key);
void evaluations_add(struct evaluations *evaluations, guint64 ticket, const struct evaluation *evaluation);
