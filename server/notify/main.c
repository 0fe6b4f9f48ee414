/*
 * ruad-notify - tells administrators by mail and webhook what fails, changed or is near its end.
 *
 *   ruad-notify [--storage=FOLDER --min-free=BYTES] [--vitals-fd=N]
 *      [--errands-fd=N --errand=NUMBER] [--once]
 *
 * Settings come from the environment (RUAD_SECTION_KEY). Started by ruad serve if [notify] names a
 * destination. SIGHUP: look at once, also into the reports; SIGTERM and SIGINT end it anywhere, since every
 * change to the database is one transaction. --once: one round, with a search through the reports.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "server/common/log.h"
#include "server/common/program.h"
#include "server/common/settings.h"
#include "server/notify/notify.h"

#define EXIT_USAGE 2
#define PAUSE      60 /* seconds between rounds */

struct arguments {
	char *storage;
	gint64 min_free;
	struct vitals *vitals;
	struct errands *errands;
	int errand; /* our number among them */
	gboolean once;
};

static gboolean parse_arguments(int *argc, char ***argv, struct arguments *arguments, GError **error)
{
	int vitals = -1, errands = -1;
	const GOptionEntry entries[] = {
		{ "storage", 0, 0, G_OPTION_ARG_FILENAME, &arguments->storage,
		    "The database is on the disk of this folder: watch its free space", "FOLDER" },
		{ "min-free", 0, 0, G_OPTION_ARG_INT64, &arguments->min_free, "Bytes that must be free there",
		    "BYTES" },
		{ "vitals-fd", 0, 0, G_OPTION_ARG_INT, &vitals,
		    "Memory in which ruad-ingest tells how it does", "N" },
		{ "errands-fd", 0, 0, G_OPTION_ARG_INT, &errands, "Memory in which we tell how we do", "N" },
		{ "errand", 0, 0, G_OPTION_ARG_INT, &arguments->errand, "Our place in it", "NUMBER" },
		{ "once", 0, 0, G_OPTION_ARG_NONE, &arguments->once, "Work one round, then exit", NULL },
		{ 0 },
	};

	if (!program_options("ruad-notify", "- send notices of ruad", entries, argc, argv, error))
		return FALSE;
	if (vitals >= 0 && (arguments->vitals = vitals_open(vitals, FALSE, error)) == NULL)
		return FALSE;
	return errands < 0 || (arguments->errands = errands_open(errands, TRUE, error)) != NULL;
}

/* Returns the exit code of --once; otherwise it does not return. */
static int work(const struct settings *settings, const struct arguments *arguments, const sigset_t *hang_up)
{
	const struct server_watch watch = {
		.storage = arguments->storage,
		.min_free = (guint64)arguments->min_free,
		.min_free_raw = settings_size(settings, "retention.min_free"),
		.vitals = arguments->vitals,
	};
	struct notify *notify =
	    notify_new(settings, &watch, errands_get(arguments->errands, arguments->errand));
	gboolean at_once = arguments->once;
	gboolean good;

	do {
		good = notify_round(notify, at_once);
		at_once = !arguments->once && program_rest(hang_up, PAUSE);
	} while (!arguments->once);
	notify_free(notify);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	struct arguments arguments = { 0 };
	struct settings *settings;
	sigset_t hang_up;
	int code;

	program_hold_hang_up(&hang_up);
	signal(SIGPIPE, SIG_IGN);
	log_init("ruad-notify", FALSE);
	if (!parse_arguments(&argc, &argv, &arguments, &error)) {
		fprintf(stderr, "ruad-notify: %s\n", error->message);
		return EXIT_USAGE;
	}
	settings = settings_load(NULL, NULL, &error);
	if (settings == NULL) {
		log_error("%s", error->message);
		return EX_CONFIG;
	}
	code = work(settings, &arguments, &hang_up);
	settings_free(settings);
	vitals_close(arguments.vitals);
	errands_close(arguments.errands);
	g_free(arguments.storage);
	return code;
}
