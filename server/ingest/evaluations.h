/*
 * evaluations.h - a cache of the ids of evaluations in the database: what repeats among records, by domain,
 * month and hash (ruad.evaluation).
 *
 * Bounded: it has two generations, and the older one is dropped when the younger one is full. Ids are added
 * when the transaction that learned them is committed. They are invalid on another server, and after
 * evaluations were removed, which raises the epoch that ruad.ingest() returns. All functions are thread-safe.
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

/* Hash and equality of struct evaluation_key, for tables of struct evaluation by key. */
guint evaluation_key_hash(gconstpointer key);
gboolean evaluation_key_equal(gconstpointer a, gconstpointer b);

struct evaluations;

/* The cache holds at most this many ids, >= 2. */
struct evaluations *evaluations_new(guint most);
void evaluations_free(struct evaluations *evaluations); /* NULL is allowed */

/* Clear the cache: a connection was opened, which may lead to another server. */
void evaluations_forget(struct evaluations *evaluations);

/* Get a ticket for a transaction with this epoch; clears the cache if the last epoch was another one. */
guint64 evaluations_enter(struct evaluations *evaluations, gint64 epoch);

/* Find an id; 0 if unknown. A ticket from before another epoch or evaluations_forget() finds and adds
 * nothing. */
gint64 evaluations_find(struct evaluations *evaluations, guint64 ticket, const struct evaluation_key *key);
void evaluations_add(struct evaluations *evaluations, guint64 ticket, const struct evaluation *evaluation);
