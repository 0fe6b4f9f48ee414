/*
 * ruad-web - serves the page and the JSON API on sockets that are already listening.
 *
 *   ruad-web --listen-fd=N... [--health-fd=N...] [--storage=FOLDER --min-free=BYTES] [--vitals-fd=N]
 *      [--errands-fd=N] [--lmtp=ADDRESS]
 *
 * Settings come from the environment (RUAD_SECTION_KEY). Started by ruad serve; ends on SIGTERM or SIGINT.
 */
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "server/common/errands.h"
#include "server/common/log.h"
#include "server/common/net.h"
#include "server/common/program.h"
#include "server/common/settings.h"
#include "server/web/auth.h"
#include "server/web/connection.h"
#include "server/web/help.h"
#include "server/web/http.h"
#include "server/web/metrics.h"
#include "server/web/ready.h"
#include "server/web/site.h"
#include "server/web/tokens.h"
#include "server/web/upload.h"

#define CONNECTIONS_MAX   512 /* a browser opens six, a proxy dozens */
#define HEALTH_MAX        64  /* connections for /healthz and /readyz alone */
#define GRACE             12  /* seconds for requests in progress at the end; a statement alone may take 10 */
#define STATEMENTS_BESIDE 3   /* of uploads and for /readyz, which have threads beside http.threads */
#define EXIT_USAGE        2

/* What ruad serve hands over. */
struct arguments {
	GArray *site;            /* of int: listening sockets; at least one */
	GArray *health;          /* others for /healthz and /readyz alone, or NULL */
	char *storage;           /* a folder on the disk of the database, or NULL */
	gint64 min_free;         /* bytes that must be free on it */
	struct vitals *vitals;   /* of the mails that ruad-ingest takes, or NULL */
	struct errands *errands; /* of ruad-fetch and ruad-notify, or NULL */
	char *lmtp;              /* where ruad-ingest takes them, or NULL */
};

static void arguments_clear(struct arguments *arguments)
{
	g_clear_pointer(&arguments->storage, g_free);
	g_clear_pointer(&arguments->lmtp, g_free);
	g_clear_pointer(&arguments->vitals, vitals_close);
	g_clear_pointer(&arguments->errands, errands_close);
	g_clear_pointer(&arguments->site, g_array_unref);
	g_clear_pointer(&arguments->health, g_array_unref);
}

/* A connection may be gone before it is accepted; accept() must not block then. Returns NULL on failure. */
static GArray *inherit(char *const *values, GError **error)
{
	g_autoptr(GArray) fds = net_inherited(values, error);

	for (guint i = 0; fds != NULL && i < fds->len; i++)
		if (!g_unix_set_fd_nonblocking(g_array_index(fds, int, i), TRUE, error))
			return NULL;
	return g_steal_pointer(&fds);
}

static gboolean parse_arguments(int *argc, char ***argv, struct arguments *arguments, GError **error)
{
	g_auto(GStrv) values = NULL;
	g_auto(GStrv) health = NULL;
	int vitals = -1, errands = -1;
	const GOptionEntry entries[] = {
		{ "listen-fd", 0, 0, G_OPTION_ARG_STRING_ARRAY, &values,
		    "Serve on this descriptor, a listening socket (may be repeated)", "N" },
		{ "health-fd", 0, 0, G_OPTION_ARG_STRING_ARRAY, &health,
		    "Serve only /healthz and /readyz on this one (may be repeated)", "N" },
		{ "storage", 0, 0, G_OPTION_ARG_FILENAME, &arguments->storage,
		    "The database is on the disk of this folder: watch its free space", "FOLDER" },
		{ "min-free", 0, 0, G_OPTION_ARG_INT64, &arguments->min_free, "Bytes that must be free there",
		    "BYTES" },
		{ "vitals-fd", 0, 0, G_OPTION_ARG_INT, &vitals,
		    "Memory in which ruad-ingest tells how it does", "N" },
		{ "errands-fd", 0, 0, G_OPTION_ARG_INT, &errands,
		    "Memory in which ruad-fetch and ruad-notify tell how they do", "N" },
		{ "lmtp", 0, 0, G_OPTION_ARG_STRING, &arguments->lmtp,
		    "Pass uploaded reports to ruad-ingest at this address", "ADDRESS" },
		{ 0 },
	};

	if (!program_options("ruad-web", "- serve ruad's page and JSON API", entries, argc, argv, error))
		return FALSE;
	if (vitals >= 0 && (arguments->vitals = vitals_open(vitals, FALSE, error)) == NULL)
		return FALSE;
	if (errands >= 0 && (arguments->errands = errands_open(errands, FALSE, error)) == NULL)
		return FALSE;
	arguments->site = inherit(values, error);
	if (arguments->site != NULL && health != NULL)
		arguments->health = inherit(health, error);
	return arguments->site != NULL && (health == NULL || arguments->health != NULL);
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

static struct http_options options_of(const struct settings *settings)
{
	gboolean proxy = settings_choice(settings, "http.auth") == AUTH_PROXY;

	return (struct http_options){
		.threads = (guint)settings_int(settings, "http.threads"),
		.connections = CONNECTIONS_MAX,
		.timeout = (guint)settings_seconds(settings, "http.timeout"),
		.user_header = proxy ? settings_string(settings, "http.user_header") : NULL,
		.proxies = settings_list(settings, "http.proxies"),
		.is_urgent = site_is_urgent,
		.is_instant = site_is_instant,
		.refuse = site_refuse,
		.interrupt = connection_interrupt,
		.watch = connection_watch,
	};
}

static struct http_options health_options_of(const struct settings *settings)
{
	struct http_options options = options_of(settings);

	options.threads = 1;
	options.connections = HEALTH_MAX;
	options.is_urgent = NULL;
	options.is_instant = NULL;
	options.watch = NULL;
	return options;
}

static struct auth *auth_of(const struct settings *settings, GError **error)
{
	const struct auth_options options = {
		.mode = (enum auth_mode)settings_choice(settings, "http.auth"),
		.htpasswd = settings_string(settings, "http.htpasswd"),
		.editors = settings_list(settings, "http.editors"),
		.proxy_secret = settings_string(settings, "http.proxy_secret"),
		.logout_url = settings_string(settings, "http.logout_url"),
		.find_token = tokens_find,
	};

	return auth_new(&options, error);
}

static struct http_server *serve_on(const GArray *fds, const struct http_options *options,
    http_handler handler, const struct site *site, GError **error)
{
	return http_server_new(
	    (const int *)(gpointer)fds->data, fds->len, options, handler, (gpointer)site, error);
}

/* Serve until a signal arrives. */
static gboolean serve_with(const struct settings *settings, const struct arguments *arguments,
    const struct site *site, const sigset_t *ending, GError **error)
{
	struct http_options options = options_of(settings);
	struct http_options health_options = health_options_of(settings);
	struct http_server *server = serve_on(arguments->site, &options, site_handle, site, error);
	struct http_server *health = NULL;
	gboolean good = server != NULL;
	int caught;

	if (good && arguments->health != NULL) {
		health = serve_on(arguments->health, &health_options, site_handle_health, site, error);
		good = health != NULL;
	}
	if (good)
		sigwait(ending, &caught);
	http_server_free(server, GRACE);
	http_server_free(health, 0);
	return good;
}

static int serve(const struct settings *settings, const struct arguments *arguments)
{
	const char *editor = settings_string(settings, "database.edit_url");
	g_autoptr(GError) error = NULL;
	const struct site site = { auth_of(settings, &error), settings_list(settings, "http.hosts") };
	gboolean good = FALSE;
	sigset_t ending;

	block_signals(&ending);
	connection_init(settings_string(settings, "database.url"), *editor != '\0' ? editor : NULL,
	    (guint)settings_int(settings, "http.threads") + STATEMENTS_BESIDE);
	help_init(settings_list(settings, "lmtp.listen")[0]);
	metrics_init(arguments->vitals, arguments->errands);
	upload_init(&(struct upload_options){ .address = arguments->lmtp,
	    .recipients = settings_list(settings, "lmtp.recipients"),
	    .max_size = settings_size(settings, "lmtp.max_message_size"),
	    .max_time = (guint)settings_seconds(settings, "lmtp.max_time"),
	    .min_rate = settings_size(settings, "lmtp.min_rate") });
	if (site.auth != NULL) {
		ready_start(&(struct ready_options){ .storage = arguments->storage,
		    .min_free = (guint64)arguments->min_free,
		    .vitals = arguments->vitals });
		good = serve_with(settings, arguments, &site, &ending, &error);
		ready_stop();
	}
	if (!good)
		log_error("%s", error->message);
	auth_free(site.auth);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	struct arguments arguments = { 0 };
	gboolean good = parse_arguments(&argc, &argv, &arguments, &error);
	struct settings *settings;
	int code;

	log_init("ruad-web", FALSE);
	if (!good) {
		fprintf(stderr, "ruad-web: %s\n", error->message);
		arguments_clear(&arguments);
		return EXIT_USAGE;
	}
	settings = settings_load(NULL, NULL, &error);
	if (settings == NULL) {
		log_error("%s", error->message);
		return EX_CONFIG;
	}
	code = serve(settings, &arguments);
	settings_free(settings);
	arguments_clear(&arguments);
	return code;
}
