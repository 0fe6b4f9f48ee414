/*
 * metrics.h - metrics for Prometheus, in its text exposition format 0.0.4: the responses of this server, and
 * the content of the database.
 */
#pragma once

#include <glib.h>

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Count a response with this status. Thread-safe. */
void metrics_count(guint status);

/*
 * The metrics as text. schema is the number of the newest migration that this program knows; database is the
 * result of api.metrics(), or NULL if the database did not answer: {"mails": n, "items": [{"kind", "status",
 * "n"}], "last_report_at": seconds or null}.
 */
GBytes *metrics_print(int schema, GBytes *database) G_GNUC_WARN_UNUSED_RESULT;
