/*
 * tally.h - how much a document holds, for who would only like to know: no database.
 */
#pragma once

#include "server/worker/pool.h"

struct tally {
	guint reports;         /* of any kind */
	GPtrArray *unreadable; /* of char *: the code of each thing that could not be read */
	enum authentic authentic;
};

void tally_init(struct tally *tally);
void tally_clear(struct tally *tally);

/* Have document parsed and add what is in it; a worker that fails is an unreadable "worker", as it is to the intake. RUAD_ERROR_SYSTEM
 * when no worker can be started. */
gboolean tally_read(
    struct tally *tally, struct pool *pool, GBytes *document, GError **error) G_GNUC_WARN_UNUSED_RESULT;
