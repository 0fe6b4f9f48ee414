/*
 * net.h - listening sockets from addresses in the settings, or from socket activation.
 *
 * An address is "127.0.0.1:2424", "[::1]:80" or "unix:/path". Knows nothing of the protocols on the sockets.
 */
#pragma once

#include <sys/socket.h>

#include <glib.h>

#define NET_BACKLOG 128 /* connections that the kernel queues; more wait at the client */

/* An address for bind() and connect(). */
struct net_address {
	struct sockaddr_storage storage;
	socklen_t size;
};

/*
 * Parse an address: an IP literal with a port 1..65535 (IPv6 in brackets), or "unix:" and an absolute path of
 * at most 107 bytes. Names are not looked up. RUAD_ERROR_SYNTAX says what is wrong.
 */
gboolean net_parse(const char *words, struct net_address *address, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * A listening, close-on-exec socket on the address, or -1 with RUAD_ERROR_SYNTAX (the address) or
 * RUAD_ERROR_SYSTEM (already in use, not permitted, ...). "[::]" is for IPv6 only. A Unix socket gets mode
 * 0660. A dead socket at its path is replaced, but never a live one or any other file.
 */
int net_listen(const char *words, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Remove the file of a Unix socket that net_listen() created; does nothing for other addresses. */
void net_unlink(const char *words);

/* A connected, close-on-exec socket, or -1 with errors as those of net_listen(). seconds bounds the connect
 * and every later read and write; 0: nothing does. */
int net_connect(const char *words, guint seconds, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same to a listening socket, at the address that it is bound to. */
int net_connect_to_listener(int listener, guint seconds, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The address that a socket is bound to, as net_parse() reads it, transfer full; NULL if it has none, or one
 * of another kind. */
char *net_address_of(int fd) G_GNUC_WARN_UNUSED_RESULT;

/* Write the address and port of the client of a connected socket, as numbers, to host[0..NI_MAXHOST) and
 * port[0..NI_MAXSERV). Returns FALSE if it has none: a Unix socket, or it is gone. */
gboolean net_peer(int fd, char *host, char *port);

/*
 * The listening sockets that systemd passed (LISTEN_FDS) under this name (FileDescriptorName=), as a
 * -1-terminated array, transfer full; NULL if there are none. The environment is not changed, so that each
 * name can be asked for.
 */
int *net_activated(const char *name);

/* The name of a descriptor that systemd passed, whose name is not in names (NULL-terminated) or which is not
 * a listening stream socket; transfer full, NULL if there is none. Its clients would wait for an answer
 * forever. */
char *net_activated_other(const char *const *names) G_GNUC_WARN_UNUSED_RESULT;

/*
 * The listening sockets in the values of --listen-fd (NULL-terminated; NULL is none), in order: an array of
 * int, transfer full. NULL with RUAD_ERROR_SYNTAX if there are none, or one is not a listening socket.
 */
GArray *net_inherited(char *const *values, GError **error) G_GNUC_WARN_UNUSED_RESULT;
