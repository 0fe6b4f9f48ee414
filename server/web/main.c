/*
 * ruad-web - serves the page and the JSON API on sockets that are already listening.
 *
 *   ruad-web --listen-fd=N...
 *
 * Settings come from the environment (RUAD_SECTION_KEY). Started by ruad serve; ends on SIGTERM or SIGINT.
 */
#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sysexits.h>

#include "server/common/log.h"
#include "server/common/settings.h"
#include "server/web/auth.h"
#include "server/web/connection.h"
#include "server/web/http.h"
#include "server/web/site.h"

#define CONNECTIONS_MAX 512 /* on each socket; a browser opens six, a proxy some tens */
#define GRACE           12  /* seconds for requests under way at the end; a statement may take 10 */
#define EXIT_USAGE      2

/* The descriptors of --listen-fd, in argument order; each must be a listening socket. */
static gboolean take_fd(const char *name, const char *value, gpointer data, GError **error)
{
	GArray *fds = data;
	guint64 number;
	int listening = 0;
	socklen_t size = sizeof listening;
	int fd;

	if (!g_ascii_string_to_unsigned(value, 10, 0, G_MAXINT, &number, error))
		return FALSE;
	fd = (int)number;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || !listening) {
		g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "%s=%d: not a listening socket",
		    name, fd);
		return FALSE;
	}
	/* two threads may wake for one connection; the later must not hang in accept() */
	if (!g_unix_set_fd_nonblocking(fd, TRUE, error))
		return FALSE;
	g_array_append_val(fds, fd);
	return TRUE;
}

static gboolean parse_arguments(int *argc, char ***argv, GArray *fds)
{
	gboolean show_version = FALSE;
	const GOptionEntry entries[] = {
		{ "listen-fd", 0, 0, G_OPTION_ARG_CALLBACK, (gpointer)take_fd,
		    "Serve on this descriptor, a listening socket (may be repeated)", "N" },
		{ "version", 0, 0, G_OPTION_ARG_NONE, &show_version, "Show the version and exit", NULL },
		{ 0 },
	};
	g_autoptr(GOptionContext) context = g_option_context_new("- serve ruad's page and JSON API");
	GOptionGroup *group = g_option_group_new("web", "", "", fds, NULL);
	g_autoptr(GError) error = NULL;

	g_option_group_add_entries(group, entries);
	g_option_context_set_main_group(context, group);
	if (!g_option_context_parse(context, argc, argv, &error)) {
		fprintf(stderr, "ruad-web: %s\n", error->message);
		return FALSE;
	}
	if (show_version) {
		puts("ruad-web " RUAD_VERSION);
		exit(EXIT_SUCCESS);
	}
	if (fds->len == 0 || *argc > 1) {
		fprintf(stderr, "ruad-web: usage: ruad-web --listen-fd=N...\n");
		return FALSE;
	}
	return TRUE;
}

/* Threads inherit the mask, so that the signals wait for sigwait() alone. */
static void block_signals(sigset_t *ending)
{
	sigemptyset(ending);
	sigaddset(ending, SIGTERM);
	sigaddset(ending, SIGINT);
	pthread_sigmask(SIG_BLOCK, ending, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* Each setting's threads are shared out among the sockets. */
static struct http_options options_of(const struct settings *settings, guint n_fds)
{
	guint threads = (guint)settings_int(settings, "http.threads");
	gboolean proxy = settings_choice(settings, "http.auth") == AUTH_PROXY;

	return (struct http_options){
		.threads = MAX(1, threads / n_fds),
		.connections = CONNECTIONS_MAX,
		.timeout = (guint)settings_seconds(settings, "http.timeout"),
		.user_header = proxy ? settings_string(settings, "http.user_header") : NULL,
	};
}

static struct auth *auth_of(const struct settings *settings, GError **error)
{
	const struct auth_options options = {
		.mode = (enum auth_mode)settings_choice(settings, "http.auth"),
		.htpasswd = settings_string(settings, "http.htpasswd"),
		.editors = settings_list(settings, "http.editors"),
	};

	return auth_new(&options, error);
}

/* Serve until a signal ends it. */
static int serve(const struct settings *settings, const GArray *fds)
{
	const char *editor = settings_string(settings, "database.edit_url");
	struct http_options options = options_of(settings, fds->len);
	g_autoptr(GError) error = NULL;
	struct auth *auth = auth_of(settings, &error);
	struct http_server *server = NULL;
	sigset_t ending;
	int caught;

	block_signals(&ending);
	connection_init(settings_string(settings, "database.url"), *editor != '\0' ? editor : NULL);
	if (auth != NULL)
		server = http_server_new(
		    (const int *)(gpointer)fds->data, fds->len, &options, site_handle, auth, &error);
	if (server != NULL)
		sigwait(&ending, &caught);
	else
		log_error("%s", error->message);
	http_server_free(server, GRACE);
	auth_free(auth);
	return server != NULL ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	g_autoptr(GArray) fds = g_array_new(FALSE, FALSE, sizeof(int));
	g_autoptr(GError) error = NULL;
	struct settings *settings;
	int code;

	log_init("ruad-web", FALSE);
	if (!parse_arguments(&argc, &argv, fds))
		return EXIT_USAGE;
	settings = settings_load(NULL, NULL, &error);
	if (settings == NULL) {
		log_error("%s", error->message);
		return EX_CONFIG;
	}
	code = serve(settings, fds);
	settings_free(settings);
	return code;
}
