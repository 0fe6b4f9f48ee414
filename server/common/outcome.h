/*
 * outcome.h - whether mail can be stored, in a piece of memory that ruad-ingest writes and ruad-web reads.
 *
 * The database cannot hold it: what keeps mail from being stored usually keeps the news of it from being
 * stored, too. Lock-free; the writer may be killed at any time.
 */
#pragma once

#include <glib.h>

struct outcome;

/* Make the memory. Returns a descriptor for outcome_open(), close-on-exec, or -1. */
int outcome_create(GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Use the memory of a descriptor, which is closed; to write it or only to read it. Returns NULL if it is not
 * such memory. */
struct outcome *outcome_open(int fd, gboolean writable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

void outcome_close(struct outcome *outcome); /* NULL is allowed */

/* A mail was stored, or could not be stored although nothing is wrong with it. NULL has no effect. */
void outcome_tell(struct outcome *outcome, gboolean stored);

/* Returns for how many seconds every mail has failed, or -1 if the last one was stored, or no mail came for
 * OUTCOME_VALID seconds: a probe that keeps mail away must not keep it away forever. NULL: -1. */
gint64 outcome_failing(const struct outcome *outcome);

#define OUTCOME_VALID 300
