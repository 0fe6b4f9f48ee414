#include "server/common/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

gboolean program_options(const char *name, const char *purpose, const GOptionEntry *entries, int *argc,
    char ***argv, GError **error)
{
	gboolean show_version = FALSE;
	const GOptionEntry common[] = {
		{ "version", 0, 0, G_OPTION_ARG_NONE, &show_version, "Show the version and exit", NULL },
		{ 0 },
	};
	g_autoptr(GOptionContext) context = g_option_context_new(purpose);

	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_add_main_entries(context, common, NULL);
	if (!g_option_context_parse(context, argc, argv, error))
		return FALSE;
	if (show_version) {
		printf("%s %s\n", name, RUAD_VERSION);
		exit(EXIT_SUCCESS);
	}
	if (*argc == 1)
		return TRUE;
	g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, "unexpected argument \"%s\"", (*argv)[1]);
	return FALSE;
}

void program_hold_hang_up(sigset_t *hang_up)
{
	sigemptyset(hang_up);
	sigaddset(hang_up, SIGHUP);
	pthread_sigmask(SIG_BLOCK, hang_up, NULL);
}

gboolean program_rest(const sigset_t *hang_up, guint seconds)
{
	const struct timespec most = { .tv_sec = (time_t)seconds };

	return sigtimedwait(hang_up, NULL, &most) == SIGHUP;
}
