#include "server/common/net.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <gio/gio.h>
#include <systemd/sd-daemon.h>

#include "parser/error.h"

#define UNIX_PREFIX   "unix:"
#define UNIX_MODE     0660
#define UNIX_PATH_MAX (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)

static const char *unix_path(const char *words)
{
	return strncmp(words, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0 ? words + strlen(UNIX_PREFIX) : NULL;
}

/* Always returns FALSE; errno is the cause. */
static gboolean fail_errno(GError **error, const char *words, const char *what)
{
	int code = errno;

	g_set_error(
	    error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "address \"%s\": %s: %s", words, what, g_strerror(code));
	return FALSE;
}

static gboolean fail_words(GError **error, const char *words, const char *what)
{
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "address \"%s\": %s", words, what);
	return FALSE;
}

/* -- reading an address -- */

static gboolean parse_unix(const char *words, const char *path, struct net_address *address, GError **error)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&address->storage;
	gsize size = strlen(path);

	if (!g_path_is_absolute(path))
		return fail_words(error, words, "the path of a Unix socket must be absolute");
	if (size > UNIX_PATH_MAX)
		return fail_words(
		    error, words, "longer than the 107 bytes that the path of a Unix socket may have");
	memset(address, 0, sizeof(*address));
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, size);
	address->size = sizeof(*un);
	return TRUE;
}

static gboolean parse_inet(const char *words, struct net_address *address, GError **error)
{
	const char *colon = strrchr(words, ':');
	g_autofree char *host = NULL;
	guint64 port = 0;
	g_autoptr(GSocketAddress) inet = NULL;

	if (colon == NULL)
		return fail_words(error, words, "neither ADDRESS:PORT nor unix:/path");
	if (!g_ascii_string_to_unsigned(colon + 1, 10, 1, 65535, &port, NULL))
		return fail_words(error, words, "the port is not a number from 1 to 65535");
	host = g_strndup(words, (gsize)(colon - words));
	if (*host == '[' && g_str_has_suffix(host, "]")) {
		host[strlen(host) - 1] = '\0';
		inet = g_inet_socket_address_new_from_string(host + 1, (guint)port);
	} else if (strchr(host, ':') == NULL) {
		inet = g_inet_socket_address_new_from_string(host, (guint)port);
	}
	if (inet == NULL)
		return fail_words(
		    error, words, "not an IP address (IPv6 stands in brackets; names are not looked up)");
	address->size = (socklen_t)g_socket_address_get_native_size(inet);
	return g_socket_address_to_native(inet, &address->storage, sizeof(address->storage), error);
}

gboolean net_parse(const char *words, struct net_address *address, GError **error)
{
	const char *path = unix_path(words);

	return path != NULL ? parse_unix(words, path, address, error) : parse_inet(words, address, error);
}

/* -- listening -- */

static int new_socket(const struct net_address *address)
{
	return socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/* Remove a dead Unix socket: the file at path must be a socket that nobody listens on. */
static gboolean clear_path(
    const char *words, const char *path, const struct net_address *address, GError **error)
{
	struct stat status;
	int probe;
	int result;

	if (lstat(path, &status) != 0)
		return errno == ENOENT ? TRUE : fail_errno(error, words, "cannot look at the path");
	if (!S_ISSOCK(status.st_mode)) {
		errno = EEXIST;
		return fail_errno(error, words, "the file in its place is not a socket");
	}
	probe = new_socket(address);
	if (probe < 0)
		return fail_errno(error, words, "cannot make a socket");
	result = connect(probe, (const struct sockaddr *)&address->storage, address->size);
	if (result != 0 && errno == ECONNREFUSED)
		result = 1;
	close(probe);
	if (result != 1) {
		errno = EADDRINUSE;
		return fail_errno(error, words, "cannot listen");
	}
	if (unlink(path) != 0)
		return fail_errno(error, words, "cannot remove the dead socket in its place");
	return TRUE;
}

/* The umask has no effect in a folder with default ACLs. Not chmod(): in a folder of somebody else's, the
 * socket could be replaced by a link to any file. */
static gboolean set_mode(const char *path)
{
	g_autofree char *link = NULL;
	struct stat status;
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	gboolean good;

	if (fd < 0)
		return FALSE;
	link = g_strdup_printf("/proc/self/fd/%d", fd);
	errno = ENOTSOCK;
	good = fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode) && chmod(link, UNIX_MODE) == 0;
	close(fd);
	return good;
}

static gboolean bind_and_listen(
    int fd, const char *words, const char *path, const struct net_address *address, GError **error)
{
	int yes = 1;
	mode_t old_mask;
	int result;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0)
		return fail_errno(error, words, "cannot set SO_REUSEADDR");
	if (address->storage.ss_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes)) != 0)
		return fail_errno(error, words, "cannot set IPV6_V6ONLY");
	old_mask = umask(0777 & ~UNIX_MODE);
	result = bind(fd, (const struct sockaddr *)&address->storage, address->size);
	umask(old_mask);
	if (result != 0 || listen(fd, NET_BACKLOG) != 0)
		return fail_errno(error, words, "cannot listen");
	if (path != NULL && !set_mode(path))
		return fail_errno(error, words, "cannot set its mode");
	return TRUE;
}

int net_listen(const char *words, GError **error)
{
	const char *path = unix_path(words);
	struct net_address address;
	int fd;

	if (!net_parse(words, &address, error))
		return -1;
	if (path != NULL && !clear_path(words, path, &address, error))
		return -1;
	fd = new_socket(&address);
	if (fd < 0) {
		fail_errno(error, words, "cannot make a socket");
		return -1;
	}
	if (!bind_and_listen(fd, words, path, &address, error)) {
		close(fd);
		return -1;
	}
	return fd;
}

void net_unlink(const char *words)
{
	const char *path = unix_path(words);

	if (path != NULL)
		unlink(path);
}

/* -- connecting -- */

static int connect_to(const struct net_address *address, const char *words, guint seconds, GError **error)
{
	const struct timeval limit = { .tv_sec = seconds };
	int fd = new_socket(address);

	if (fd < 0) {
		fail_errno(error, words, "cannot make a socket");
		return -1;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0 ||
	    connect(fd, (const struct sockaddr *)&address->storage, address->size) != 0) {
		fail_errno(error, words, "cannot connect");
		close(fd);
		return -1;
	}
	return fd;
}

int net_connect(const char *words, guint seconds, GError **error)
{
	struct net_address address;

	return net_parse(words, &address, error) ? connect_to(&address, words, seconds, error) : -1;
}

int net_connect_to_listener(int listener, guint seconds, GError **error)
{
	struct net_address address = { .size = sizeof(address.storage) };

	if (getsockname(listener, (struct sockaddr *)&address.storage, &address.size) != 0) {
		fail_errno(error, "of a listening socket", "unknown");
		return -1;
	}
	return connect_to(&address, "of a listening socket", seconds, error);
}

/* -- names of sockets -- */

char *net_address_of(int fd)
{
	struct sockaddr_storage address = { 0 };
	const struct sockaddr_un *un = (const struct sockaddr_un *)&address;
	socklen_t size = sizeof address;
	char host[NI_MAXHOST], port[NI_MAXSERV];

	if (getsockname(fd, (struct sockaddr *)&address, &size) != 0)
		return NULL;
	if (address.ss_family == AF_UNIX)
		return un->sun_path[0] == '/' ? g_strconcat(UNIX_PREFIX, un->sun_path, NULL) : NULL;
	if (getnameinfo((struct sockaddr *)&address, size, host, NI_MAXHOST, port, NI_MAXSERV,
		NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return NULL;
	return g_strdup_printf(address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

gboolean net_peer(int fd, char *host, char *port)
{
	struct sockaddr_storage address = { 0 };
	socklen_t length = sizeof address;

	return getpeername(fd, (struct sockaddr *)&address, &length) == 0 && address.ss_family != AF_UNIX &&
	       getnameinfo((struct sockaddr *)&address, length, host, NI_MAXHOST, port, NI_MAXSERV,
		   NI_NUMERICHOST | NI_NUMERICSERV) == 0;
}

/* -- socket activation -- */

int *net_activated(const char *name)
{
	g_auto(GStrv) raw_names = NULL; /* g_free() is free() */
	int count = sd_listen_fds_with_names(0, &raw_names);
	g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(int));
	int end = -1;

	for (int i = 0; i < count; i++) {
		int fd = SD_LISTEN_FDS_START + i;

		if (g_strcmp0(raw_names[i], name) == 0 && sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) > 0)
			g_array_append_val(found, fd);
	}
	if (found->len == 0)
		return NULL;
	g_array_append_val(found, end);
	return (int *)(gpointer)g_array_free(g_steal_pointer(&found), FALSE);
}

char *net_activated_other(const char *const *names)
{
	g_auto(GStrv) raw_names = NULL; /* g_free() is free() */
	int count = sd_listen_fds_with_names(0, &raw_names);
	char *other = NULL;

	for (int i = 0; i < count; i++)
		if (other == NULL &&
		    (!g_strv_contains(names, raw_names[i]) ||
			sd_is_socket(SD_LISTEN_FDS_START + i, AF_UNSPEC, SOCK_STREAM, 1) <= 0))
			other = g_strdup(raw_names[i]);
	return other;
}

static gboolean is_listening(int fd)
{
	int value = 0;
	socklen_t size = sizeof value;

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 && value;
}

GArray *net_inherited(char *const *values, GError **error)
{
	g_autoptr(GArray) fds = g_array_new(FALSE, FALSE, sizeof(int));

	for (char *const *value = values; value && *value; value++) {
		guint64 number = 0;
		int fd;

		if (!g_ascii_string_to_unsigned(*value, 10, 0, G_MAXINT, &number, NULL) ||
		    !is_listening((int)number)) {
			g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
			    "--listen-fd=%s: not a listening socket", *value);
			return NULL;
		}
		fd = (int)number;
		g_array_append_val(fds, fd);
	}
	if (fds->len > 0)
		return g_steal_pointer(&fds);
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "--listen-fd is missing");
	return NULL;
}
