/*
 * probe.h - asks a server on a socket for its first line, to learn whether it is there.
 *
 * A listening socket of ours accepts connections in the kernel whether or not a program serves it: only an
 * answer shows that one does. Knows nothing of what the line means.
 */
#pragma once

#include <glib.h>

/*
 * Send request (NULL: wait for a greeting), read the first line of the answer into answer[0..size), without
 * its end, and close fd, which must have time limits (net_connect()).
 *
 * RUAD_ERROR_SYSTEM  no answer: no program serves the socket, or it is overloaded
 */
gboolean probe_ask(
    int fd, const char *request, char *answer, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
