/*
 * cmd_config.c - ruad config: the effective settings, an example of the file, and the list for the manual.
 */
#include <stdio.h>

#include "server/cli/commands.h"

int command_config(const struct settings *settings, int argc, char **argv)
{
	gboolean example = FALSE;
	gboolean manual = FALSE;
	const GOptionEntry entries[] = {
		{ "example", 0, 0, G_OPTION_ARG_NONE, &example, NULL, NULL },
		{ "man", 0, 0, G_OPTION_ARG_NONE, &manual, NULL, NULL },
		G_OPTION_ENTRY_NULL,
	};

	if (!command_options(entries, &argc, &argv))
		return COMMAND_USAGE;
	if (argc > 1)
		return command_fail("config", COMMAND_USAGE, "takes no operands, not \"%s\"", argv[1]);
	if (example)
		settings_print_example(stdout);
	else if (manual)
		settings_print_manual(stdout);
	else
		settings_print(settings, stdout);
	return COMMAND_OK;
}
