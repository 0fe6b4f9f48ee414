/*
 * away.h - a server in place of PostgreSQL that is never fit for use: it takes each connection and closes it.
 *
 * So a test sees how often, and when, somebody tried to connect.
 */
#pragma once

#include <glib.h>

struct away;

struct away *away_new(void);
void away_free(struct away *away);

/* Where it is, as libpq reads it. Borrowed. */
const char *away_conninfo(const struct away *away);

/* Connections so far. */
guint away_attempts(struct away *away);
