/*
 * cmd_config.c - ruad config: the effective settings, an example of the file, and the list for the manual.
 */
#include <stdio.h>

#include "server/cli/commands.h"
#include "server/cli/identity.h"
#include "server/cli/settings_check.h"

/* Whether the user of ruad can be assumed: it may not have been created yet. */
static gboolean assume_user(const struct settings *settings)
{
	return identity_assume(settings_string(settings, "server.user"), NULL);
}

/* What ruad serve would refuse or warn of, on standard error. Returns the exit code. */
static int report_faults(const struct settings *settings)
{
	g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
	g_auto(GStrv) variables = settings_unknown_variables();
	g_autoptr(GError) error = NULL;
	gboolean good = settings_check(settings, &error);

	if (good) {
		gboolean assumed = assume_user(settings);

		good = settings_check_files(settings, warnings, &error);
		if (assumed)
			identity_resume();
	}
	for (gsize i = 0; variables[i] != NULL; i++)
		command_fail("config", COMMAND_OK, "warning: %s", variables[i]);
	for (guint i = 0; i < warnings->len; i++)
		command_fail("config", COMMAND_OK, "warning: %s", (const char *)warnings->pdata[i]);
	return good ? COMMAND_OK : command_fail("config", COMMAND_CONFIG, "%s", error->message);
}

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
	return example || manual ? COMMAND_OK : report_faults(settings);
}
