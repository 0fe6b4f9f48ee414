/*
 * ready.h - whether the site is ready: a thread of its own asks the database every two seconds, and whenever
 * somebody wants to know.
 *
 * It is ready if the database answers, api.ready() finds the schema that this program was built for, the disk
 * of the database, where that is known, has room for mail, and mail that comes is stored. A change is logged
 * once.
 */
#pragma once

#include "server/common/vitals.h"

struct ready_options {
	const char *storage;         /* a folder on the disk of the database, or NULL */
	guint64 min_free;            /* bytes that must be free on it */
	const struct vitals *vitals; /* of the mails that ruad-ingest takes, or NULL */
};

/* Start the thread; after connection_init(). The pointers in options are borrowed until ready_stop(). */
void ready_start(const struct ready_options *options);

/* Interrupt a question in progress and end the thread. */
void ready_stop(void);

/*
 * Answer within a third of a second: with the result of a new question if there is one by then, or else with
 * the last one, unless the database has been silent for longer. *document is JSON, transfer full.
 */
gboolean ready_ask(GBytes **document);
