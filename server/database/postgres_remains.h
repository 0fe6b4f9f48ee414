/*
 * postgres_remains.h - the processes of a PostgreSQL server that works in a data directory, found in /proc,
 * and their end.
 *
 * A server that is killed leaves its busy backends: they notice only at the end of their statement, and
 * until then no other server can start, since they still use its shared memory. Knows nothing of ruad's
 * settings.
 */
#pragma once

#include <glib.h>

/* A process of the server or its backends in the data directory, or 0. */
int postgres_remains_find(const char *data);

/* Whether the server itself, by its postmaster.pid, is among them. */
gboolean postgres_remains_serve(const char *data);

/* End all of them as a server would in a crash (SIGQUIT), and kill those that still run after two seconds.
 * Returns their number. Call it only while no server of ours runs in the data directory. */
guint postgres_remains_end(const char *data);
