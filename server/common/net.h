/*
 * net.h - listening sockets from the words of the settings, or from socket activation.
 *
 * An address is "127.0.0.1:2424", "[::1]:80" or "unix:/path". Knows nothing of what is spoken on the sockets.
 */
#pragma once

#include <sys/socket.h>

#include <glib.h>

#define NET_BACKLOG 128 /* connections the kernel may hold for us; what is more waits at the client */

/* An address in the form bind() and connect() take. */
struct net_address {
	struct sockaddr_storage storage;
	socklen_t size;
};

/*
 * Read the words of an address: an IP literal with a port 1..65535 (IPv6 in brackets), or "unix:" and an absolute
 * path of at most 107 bytes. No names are looked up. RUAD_ERROR_SYNTAX says what is wrong.
 */
gboolean net_parse(const char *words, struct net_address *address, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * A listening, close-on-exec socket on the address, or -1 with RUAD_ERROR_SYNTAX (the words) or
 * RUAD_ERROR_SYSTEM (taken, not allowed, ...). A Unix socket gets mode 0660; a dead socket in its place is replaced, never a
 * live one, and never a file that is no socket.
 */
int net_listen(const char *words, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes the file of a Unix socket that net_listen() made; nothing for other addresses. */
void net_unlink(const char *words);

/* A connected, close-on-exec socket, or -1. seconds bounds the connect and every later read and write. */
int net_connect(const char *words, guint seconds, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * The listening sockets that systemd handed over (LISTEN_FDS) under this name (FileDescriptorName=), as a -1-terminated
 * array, transfer full; NULL when there are none. The environment is left as it is, so that each name can be asked for.
 */
int *net_activated(const char *name);

/*
 * The listening sockets that the values of --listen-fd name (NULL-terminated; NULL is none), in their order: an
 * array of int, transfer full. NULL with RUAD_ERROR_SYNTAX if there are none, or one is not a listening socket.
 */
GArray *net_inherited(char *const *values, GError **error) G_GNUC_WARN_UNUSED_RESULT;
