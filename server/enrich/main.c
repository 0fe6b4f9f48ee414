/*
 * ruad-enrich - fills in what is known of sending addresses beside reports, and keeps the checks of the
 * domains' DNS fresh.
 *
 *   ruad-enrich [--once]
 *
 * Settings come from the environment (RUAD_SECTION_KEY). Started by ruad serve. SIGHUP: look again at once,
 * with the files as they are now; SIGTERM and SIGINT end it anywhere, since every change to the database is
 * one transaction. --once works until nothing is left to do, no faster than enrich.lookups allows, and ends.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "parser/error.h"
#include "server/common/log.h"
#include "server/common/program.h"
#include "server/common/settings.h"
#include "server/enrich/enrich.h"

#define EXIT_USAGE 2

static gboolean parse_arguments(int *argc, char ***argv, gboolean *once)
{
	gboolean show_version = FALSE;
	const GOptionEntry entries[] = {
		{ "once", 0, 0, G_OPTION_ARG_NONE, once, "Work until nothing is left to do, then exit",
		    NULL },
		{ "version", 0, 0, G_OPTION_ARG_NONE, &show_version, "Show the version and exit", NULL },
		{ 0 },
	};
	g_autoptr(GOptionContext) context =
	    g_option_context_new("- look up names, networks and DNS of senders");
	g_autoptr(GError) error = NULL;

	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, argc, argv, &error)) {
		fprintf(stderr, "ruad-enrich: %s\n", error->message);
		return FALSE;
	}
	if (show_version) {
		puts("ruad-enrich " RUAD_VERSION);
		exit(EXIT_SUCCESS);
	}
	if (*argc > 1)
		fprintf(stderr, "ruad-enrich: usage: ruad-enrich [--once]\n");
	return *argc == 1;
}

/* Returns the exit code of --once; otherwise it does not return. */
static int work(struct enrich *enrich, const sigset_t *hang_up, gboolean once)
{
	for (;;) {
		enum enrich_outcome outcome = enrich_round(enrich);

		if (once && outcome != ENRICH_MORE)
			return outcome == ENRICH_DONE ? EXIT_SUCCESS : EXIT_FAILURE;
		(void)program_rest(hang_up, enrich_pause(enrich, outcome));
	}
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	struct settings *settings;
	struct enrich *enrich;
	gboolean once = FALSE;
	sigset_t hang_up;
	int code;

	program_hold_hang_up(&hang_up);
	log_init("ruad-enrich", FALSE);
	if (!parse_arguments(&argc, &argv, &once))
		return EXIT_USAGE;
	settings = settings_load(NULL, NULL, &error);
	if (settings == NULL || (enrich = enrich_new(settings, &error)) == NULL) {
		log_error("%s", error->message);
		settings_free(settings);
		return g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX) ? EX_CONFIG : EXIT_FAILURE;
	}
	code = work(enrich, &hang_up, once);
	enrich_free(enrich);
	settings_free(settings);
	return code;
}
