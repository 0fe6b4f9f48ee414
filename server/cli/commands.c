#include "server/cli/commands.h"

#include <stdio.h>
#include <string.h>

#include "parser/error.h"
#include "server/common/visible.h"

int command_fail(const char *command, enum command_exit code, const char *format, ...)
{
	va_list args;
	g_autofree char *words = NULL;
	g_autofree char *visible = NULL;

	va_start(args, format);
	words = g_strdup_vprintf(format, args);
	va_end(args);
	visible = visible_lines(words);
	fprintf(stderr, "ruad%s%s: %s\n", *command == '\0' ? "" : " ", command, visible);
	return (int)code;
}

enum command_exit command_exit_of(const GError *error)
{
	return g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYSTEM) ? COMMAND_TEMPFAIL : COMMAND_FAILED;
}

char *command_count(guint n, const char *noun)
{
	return g_strdup_printf("%u %s%s", n, noun, n == 1 ? "" : "s");
}

int command_failed(const char *command, const GError *error)
{
	g_autofree char *line = g_strndup(error->message, strcspn(error->message, "\n"));

	return command_fail(command, command_exit_of(error), "%s", line);
}

gboolean command_options(const GOptionEntry *entries, int *argc, char ***argv)
{
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_autoptr(GError) error = NULL;
	g_autofree char *name = g_strdup((*argv)[0]);

	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_set_help_enabled(context, FALSE);
	if (g_option_context_parse(context, argc, argv, &error))
		return TRUE;
	command_fail(name, COMMAND_USAGE, "%s (see ruad %s --help)", error->message, name);
	return FALSE;
}
