/*
 * away.h - a server in place of PostgreSQL that accepts each connection and closes it at once.
 *
 * A test sees how often the code under test tried to connect.
 */
#pragma once

#include <glib.h>

struct away;

struct away *away_new(void);
void away_free(struct away *away);

/* How to connect to it, for libpq. Borrowed. */
const char *away_conninfo(const struct away *away);

/* The number of connections so far. */
guint away_attempts(struct away *away);
