/*
 * ruad-web - serves the page and the JSON API on sockets that are already listening.
 *
 *   ruad-web --listen-fd=N...
 *
 * Settings come from the environment (RUAD_SECTION_KEY). Started by ruad serve; ends on SIGTERM or SIGINT.
 */
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "server/common/log.h"
#include "server/common/net.h"
#include "server/common/settings.h"
#include "server/web/auth.h"
#include "server/web/connection.h"
#include "server/web/http.h"
#include "server/web/site.h"

#define CONNECTIONS_MAX 512 /* on each socket; a browser opens six, a proxy dozens */
#define GRACE           12  /* seconds for requests in progress at the end; a statement may take 10 */
#define EXIT_USAGE      2

/* Two threads may wake up for one connection; the second must not block in accept(). */
static gboolean make_nonblocking(const GArray *fds, GError **error)
{
	for (guint i = 0; i < fds->len; i++)
		if (!g_unix_set_fd_nonblocking(g_array_index(fds, int, i), TRUE, error))
			return FALSE;
	return TRUE;
}

/* The descriptors of --listen-fd, or NULL. */
static GArray *parse_arguments(int *argc, char ***argv, GError **error)
{
	g_auto(GStrv) values = NULL;
	gboolean show_version = FALSE;
	const GOptionEntry entries[] = {
		{ "listen-fd", 0, 0, G_OPTION_ARG_STRING_ARRAY, &values,
		    "Serve on this descriptor, a listening socket (may be repeated)", "N" },
		{ "version", 0, 0, G_OPTION_ARG_NONE, &show_version, "Show the version and exit", NULL },
		{ 0 },
	};
	g_autoptr(GOptionContext) context = g_option_context_new("- serve ruad's page and JSON API");
	g_autoptr(GArray) fds = NULL;

	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, argc, argv, error))
		return NULL;
	if (show_version) {
		puts("ruad-web " RUAD_VERSION);
		exit(EXIT_SUCCESS);
	}
	if (*argc > 1) {
		g_set_error(
		    error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, "unexpected argument \"%s\"", (*argv)[1]);
		return NULL;
	}
	fds = net_inherited(values, error);
	return fds != NULL && make_nonblocking(fds, error) ? g_steal_pointer(&fds) : NULL;
}

/* Threads inherit the mask, so that only sigwait() receives these signals. */
static void block_signals(sigset_t *ending)
{
	sigemptyset(ending);
	sigaddset(ending, SIGTERM);
	sigaddset(ending, SIGINT);
	pthread_sigmask(SIG_BLOCK, ending, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* The threads of the settings are divided among the sockets. */
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

/* Serve until a signal arrives. */
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
	g_autoptr(GError) error = NULL;
	g_autoptr(GArray) fds = parse_arguments(&argc, &argv, &error);
	struct settings *settings;
	int code;

	log_init("ruad-web", FALSE);
	if (fds == NULL) {
		fprintf(stderr, "ruad-web: %s\n", error->message);
		return EXIT_USAGE;
	}
	settings = settings_load(NULL, NULL, &error);
	if (settings == NULL) {
		log_error("%s", error->message);
		return EX_CONFIG;
	}
	code = serve(settings, fds);
	settings_free(settings);
	return code;
}
