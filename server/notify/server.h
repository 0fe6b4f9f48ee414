/*
 * server.h - the conditions of this machine that the database does not know: the disk of the private
 * database, and whether mail is stored. They are those that /readyz reports.
 */
#pragma once

#include "server/common/disk.h"
#include "server/common/vitals.h"

#define SERVER_FAILING 60 /* seconds that mail must fail; a restart of the database takes less */

struct server_watch {
	const char *storage;   /* a folder on the disk of the database; NULL: it is not on this machine */
	guint64 min_free;      /* server.min_free */
	guint64 min_free_raw;  /* retention.min_free */
	struct vitals *vitals; /* of ruad-ingest; NULL: none */
};

/* The array of conditions that ruad.notices_look() takes. Transfer full. */
char *server_conditions(const struct server_watch *watch);

/* How bad the state of a disk is: 0 there is enough, 1 it is near its end, 2 no mail is stored. */
guint server_disk_level(const struct server_watch *watch, const struct disk *disk);
