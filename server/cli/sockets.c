#include "server/cli/sockets.h"

#include <unistd.h>

#include "parser/error.h"
#include "server/cli/identity.h"
#include "server/cli/supervisor.h"
#include "server/common/net.h"

#define TAKEOVER       (3 * G_TIME_SPAN_SECOND) /* for a killed predecessor to end */
#define TAKEOVER_EVERY (50 * 1000)              /* microseconds */

/* Sockets of the services; those that a service must have come first, in its place. */
static const struct listener {
	enum service service;
	const char *key;        /* of the settings: the addresses */
	const char *group_key;  /* the group of Unix sockets */
	const char *activation; /* FileDescriptorName= of systemd's sockets */
	const char *option;     /* of the program, for each descriptor */
	gboolean optional;      /* there may be none */
} listeners[] = {
	{ SERVICE_INGEST, "lmtp.listen", "lmtp.group", "lmtp", "--listen-fd", FALSE },
	{ SERVICE_WEB, "http.listen", "http.group", "http", "--listen-fd", FALSE },
	{ SERVICE_WEB, "http.health_listen", "http.group", "http-health", "--health-fd", TRUE },
};

struct sockets {
	const struct settings *settings;
	GArray *fds[G_N_ELEMENTS(listeners)]; /* of int */
	gboolean activated[G_N_ELEMENTS(listeners)];
};

/* The programs of a ruad serve that was killed end by themselves, and hold its sockets until then. */
static int listen_on(const char *words, GError **error)
{
	gint64 end = g_get_monotonic_time() + TAKEOVER;
	g_autoptr(GError) cause = NULL;
	int fd;

	while ((fd = net_listen(words, &cause)) < 0 &&
	       g_error_matches(cause, RUAD_ERROR, RUAD_ERROR_SYSTEM) && g_get_monotonic_time() < end) {
		g_clear_error(&cause);
		g_usleep(TAKEOVER_EVERY);
	}
	if (fd < 0)
		g_propagate_error(error, g_steal_pointer(&cause));
	return fd;
}

static gboolean open_one(struct sockets *sockets, gsize listener, const char *words, GError **error)
{
	const char *user = settings_string(sockets->settings, "server.user");
	const char *group = settings_string(sockets->settings, listeners[listener].group_key);
	int fd = listen_on(words, error);

	if (fd < 0)
		return FALSE;
	g_array_append_val(sockets->fds[listener], fd);
	return !g_str_has_prefix(words, "unix:") || identity_give(words + 5, user, group, error);
}

static gboolean open_all(struct sockets *sockets, gsize listener, GError **error)
{
	const char *const *addresses = settings_list(sockets->settings, listeners[listener].key);
	g_autofree int *handed = net_activated(listeners[listener].activation);

	sockets->fds[listener] = g_array_new(FALSE, FALSE, sizeof(int));
	for (gsize i = 0; handed != NULL && handed[i] >= 0; i++) {
		g_array_append_val(sockets->fds[listener], handed[i]);
		sockets->activated[listener] = TRUE;
	}
	for (gsize i = 0; handed == NULL && addresses[i] != NULL; i++)
		if (!open_one(sockets, listener, addresses[i], error)) {
			g_prefix_error(error, "%s: ", listeners[listener].key);
			return FALSE;
		}
	if (sockets->fds[listener]->len > 0 || listeners[listener].optional)
		return TRUE;
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
	    "%s: empty: name an address, such as the default of `ruad config --example`",
	    listeners[listener].key);
	return FALSE;
}

gboolean sockets_check_activation(GError **error)
{
	const char *names[G_N_ELEMENTS(listeners) + 1] = { NULL };
	g_autofree char *list = NULL, *other = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(listeners); i++)
		names[i] = listeners[i].activation;
	other = net_activated_other(names);
	list = g_strjoinv(", ", (char **)names);

	if (other != NULL)
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
		    "systemd passed \"%s\", which is not a socket of ruad: write ListenStream= and "
		    "one of these as FileDescriptorName= into the socket unit: %s",
		    other, list);
	return other == NULL;
}

struct sockets *sockets_open(const struct settings *settings, GError **error)
{
	struct sockets *sockets = g_new0(struct sockets, 1);
	gboolean good = TRUE;

	sockets->settings = settings;
	for (gsize l = 0; good && l < G_N_ELEMENTS(listeners); l++)
		good = open_all(sockets, l, error);
	if (!good)
		g_clear_pointer(&sockets, sockets_close);
	return sockets;
}

void sockets_close(struct sockets *sockets)
{
	if (sockets == NULL)
		return;
	for (gsize l = 0; l < G_N_ELEMENTS(listeners); l++) {
		const char *const *addresses = settings_list(sockets->settings, listeners[l].key);

		if (sockets->fds[l] == NULL)
			continue;
		for (gsize i = 0; i < sockets->fds[l]->len; i++) {
			close(g_array_index(sockets->fds[l], int, i));
			if (!sockets->activated[l])
				net_unlink(addresses[i]);
		}
		g_array_unref(sockets->fds[l]);
	}
	g_free(sockets);
}

int sockets_first(const struct sockets *sockets, enum service service)
{
	return g_array_index(sockets->fds[service], int, 0);
}

void sockets_pass(const struct sockets *sockets, enum service service, GArray *fds, GStrvBuilder *words)
{
	for (gsize l = 0; l < G_N_ELEMENTS(listeners); l++) {
		const GArray *own = sockets->fds[l];

		for (guint i = 0; listeners[l].service == service && i < own->len; i++)
			supervisor_pass(fds, words, listeners[l].option, g_array_index(own, int, i));
	}
}
