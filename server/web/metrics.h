/*
 * metrics.h - metrics for Prometheus, in its text exposition format 0.0.4: the responses of this server, what
 * ruad-ingest, ruad-fetch and ruad-notify count, and the content of the database.
 */
#pragma once

#include "server/common/errands.h"
#include "server/common/vitals.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Where ruad-ingest counts, and the other programs, borrowed until the end; NULL: these metrics are left out.
 * Before the first request. */
void metrics_init(const struct vitals *vitals, struct errands *errands);

/* Count a response with this status. Thread-safe. */
void metrics_count(guint status);

/*
 * The metrics as text. schema is the number of the newest migration that this program knows; database is the
 * result of api.metrics(), or NULL if the database did not answer: {"mails": n, "items": [{"kind", "status",
 * "n"}], "last_reports": [{"kind", "at"}], "last_prune_at", "last_dump_at", "addresses": n,
 * "addresses_waiting": n, "domains_checked": n, "domains_failing": n, "oldest_check_at"}. Times are seconds
 * since 1970, or null.
 */
GBytes *metrics_print(int schema, GBytes *database) G_GNUC_WARN_UNUSED_RESULT;
