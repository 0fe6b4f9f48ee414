/*
 * ruad-ingest - receives report mail by LMTP on listening sockets that it inherits, and stores it.
 *
 * Settings come from the environment (server/common/settings.h). SIGTERM ends it after the mail in progress
 * is finished.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "server/common/log.h"
#include "server/common/net.h"
#include "server/common/settings.h"
#include "server/ingest/listen.h"
#include "server/ingest/upkeep.h"

#define WORKER "ruad-parse" /* in the same folder as this program */

/* What ruad serve hands over. */
struct arguments {
	GArray *listeners;     /* of int: listening sockets */
	struct vitals *vitals; /* or NULL */
	char *storage;         /* a folder on the disk of the database, or NULL */
};

static gboolean parse_arguments(int argc, char **argv, struct arguments *arguments, GError **error)
{
	g_auto(GStrv) values = NULL;
	int vitals = -1;
	const GOptionEntry entries[] = {
		{ "listen-fd", 0, 0, G_OPTION_ARG_STRING_ARRAY, &values,
		    "Listening socket, TCP or Unix; may be given several times", "N" },
		{ "vitals-fd", 0, 0, G_OPTION_ARG_INT, &vitals, "Memory that is told how we do", "N" },
		{ "storage", 0, 0, G_OPTION_ARG_FILENAME, &arguments->storage,
		    "The database is on the disk of this folder: watch its free space, and use it for what "
		    "does not fit into memory",
		    "FOLDER" },
		{ 0 },
	};
	g_autoptr(GOptionContext) context = g_option_context_new("- take report mails by LMTP");

	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, error))
		return FALSE;
	if (argc > 1) {
		g_set_error(
		    error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, "unexpected argument \"%s\"", argv[1]);
		return FALSE;
	}
	if (vitals >= 0 && (arguments->vitals = vitals_open(vitals, TRUE, error)) == NULL)
		return FALSE;
	arguments->listeners = net_inherited(values, error);
	return arguments->listeners != NULL;
}

static void arguments_clear(struct arguments *arguments)
{
	g_clear_pointer(&arguments->listeners, g_array_unref);
	g_clear_pointer(&arguments->vitals, vitals_close);
	g_clear_pointer(&arguments->storage, g_free);
}

/* A descriptor that becomes readable on SIGTERM or SIGINT, whichever thread receives the signal. */
static int stop_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &signals, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &signals, SFD_CLOEXEC);
}

/* Allow as many descriptors as possible: one for each connection and a few for each worker. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static const char *conninfo_of(const struct settings *settings)
{
	const char *own = settings_string(settings, "database.ingest_url");

	return *own ? own : settings_string(settings, "database.url");
}

static struct intake *start_intake(
    const struct settings *settings, const struct arguments *arguments, struct upkeep *upkeep, GError **error)
{
	g_autofree char *self = g_file_read_link("/proc/self/exe", error);
	g_autofree char *folder = self ? g_path_get_dirname(self) : NULL;
	g_autofree char *worker = self ? g_build_filename(folder, WORKER, NULL) : NULL;
	struct intake_options options;

	if (!worker)
		return NULL;
	options = intake_options_of(settings, conninfo_of(settings), worker);
	options.vitals = arguments->vitals;
	options.spill_folder = arguments->storage;
	options.upkeep = upkeep;
	if (options.require_authentic != REQUIRE_AUTHENTIC_OFF && !*options.pool.authserv_id)
		log_warning("lmtp.require_authentic without lmtp.authserv_id: no mail is authentic");
	return intake_new(&options, error);
}

static void serve(
    const struct settings *settings, const struct arguments *arguments, struct intake *intake, int signal_fd)
{
	const GArray *listeners = arguments->listeners;
	gssize memory = (gssize)settings_size(settings, "lmtp.max_memory");
	struct listen_options options = {
		.fds = (const int *)(const void *)listeners->data,
		.n_fds = listeners->len,
		.max_connections = (guint)settings_int(settings, "lmtp.max_connections"),
		.signal_fd = signal_fd,
		.stop_fd = eventfd(0, EFD_CLOEXEC),
		.session = { .lmtp = { .name = g_get_host_name(),
				 .max_message_size = settings_size(settings, "lmtp.max_message_size"),
				 .max_recipients = LMTP_MAX_RECIPIENTS },
		    .recipients = settings_list(settings, "lmtp.recipients"),
		    .timeout = (guint)settings_seconds(settings, "lmtp.timeout"),
		    .max_time = (guint)settings_seconds(settings, "lmtp.max_time"),
		    .min_rate = settings_size(settings, "lmtp.min_rate"),
		    .memory = &memory,
		    .intake = intake,
		    .vitals = arguments->vitals },
	};

	options.session.stop_fd = options.stop_fd;
	log_info("taking mail on %u sockets", listeners->len);
	if (!listen_run(&options)) {
		/* nothing that was answered 250 is lost; threads are still running, so nothing is freed */
		log_warning("stopped with mails under way: their clients keep them");
		_exit(EXIT_SUCCESS);
	}
	close(options.stop_fd);
}

static int run(const struct settings *settings, const struct arguments *arguments, int signal_fd)
{
	g_autoptr(GError) error = NULL;
	struct upkeep *upkeep = upkeep_new(conninfo_of(settings));
	struct intake *intake = start_intake(settings, arguments, upkeep, &error);

	if (!intake) {
		log_error("%s", error->message);
		upkeep_free(upkeep, FALSE);
		return EX_OSERR;
	}
	serve(settings, arguments, intake, signal_fd);
	intake_free(intake);
	upkeep_free(upkeep, FALSE);
	log_info("stopped");
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	struct arguments arguments = { 0 };
	gboolean good = parse_arguments(argc, argv, &arguments, &error);
	int signal_fd = stop_signals();
	struct settings *settings = NULL;
	int code = good ? EX_CONFIG : EX_USAGE;

	log_init("ruad-ingest", FALSE);
	raise_descriptor_limit();
	if (good)
		settings = settings_load(NULL, NULL, &error);
	if (settings)
		code = run(settings, &arguments, signal_fd);
	else
		log_error("%s", error->message);
	settings_free(settings);
	arguments_clear(&arguments);
	return code;
}
