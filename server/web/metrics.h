/*
 * metrics.h - numbers for Prometheus, in its text exposition format 0.0.4: what was answered, and what the database says it
 * holds.
 */
#pragma once

#include <glib.h>

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* One more answer with this status. Thread-safe. */
void metrics_count(guint status);

/*
 * The text. schema is the number of the database's newest migration as this program knows it; database is what api.metrics() says,
 * or NULL when it could not be asked: {"mails": n, "items": [{"kind", "status", "n"}], "last_report_at": seconds or null}.
 */
GBytes *metrics_print(int schema, GBytes *database) G_GNUC_WARN_UNUSED_RESULT;
