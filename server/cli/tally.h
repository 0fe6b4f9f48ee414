/*
 * tally.h - counts the content of a document, without a database.
 */
#pragma once

#include "server/worker/pool.h"

struct tally {
	guint reports;         /* of any kind */
	GPtrArray *unreadable; /* of char *: the code of each item that could not be read */
	enum authentic authentic;
};

void tally_init(struct tally *tally);
void tally_clear(struct tally *tally);

/* Parse document and add its content to the tally; a worker that fails counts as an unreadable "worker", as
 * in the intake. RUAD_ERROR_SYSTEM if no worker can be started. */
gboolean tally_read(
    struct tally *tally, struct pool *pool, GBytes *document, GError **error) G_GNUC_WARN_UNUSED_RESULT;
