/*
 * commands.h - the commands of ruad: each takes the effective settings and its own words.
 *
 * argv[0] is the command's name and argv[1..argc) its options and operands; --help, --config, -o and -v were taken
 * out by main.c. A command prints what was asked for on standard output, says what went wrong on standard
 * error with command_fail(), and returns one of enum command_exit.
 */
#pragma once

#include "server/common/settings.h"

enum command_exit {
	COMMAND_OK = 0,
	COMMAND_FAILED = 1,
	COMMAND_USAGE = 2,     /* the command line is wrong */
	COMMAND_TEMPFAIL = 75, /* sysexits.h EX_TEMPFAIL: the same may work later (the database is away) */
	COMMAND_CONFIG = 78,   /* sysexits.h EX_CONFIG: the settings are wrong */
};

int command_serve(const struct settings *settings, int argc, char **argv);
int command_import(const struct settings *settings, int argc, char **argv);
int command_parse(const struct settings *settings, int argc, char **argv);
int command_check(const struct settings *settings, int argc, char **argv);
int command_reprocess(const struct settings *settings, int argc, char **argv);
int command_label(const struct settings *settings, int argc, char **argv);
int command_auditor(const struct settings *settings, int argc, char **argv);
int command_prune(const struct settings *settings, int argc, char **argv);
int command_migrate(const struct settings *settings, int argc, char **argv);
int command_health(const struct settings *settings, int argc, char **argv);
int command_config(const struct settings *settings, int argc, char **argv);

/* "ruad COMMAND: words" on standard error; returns code, for `return command_fail(...)`. */
int command_fail(const char *command, enum command_exit code, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* What a GError of ours means as an exit code: RUAD_ERROR_SYSTEM is COMMAND_TEMPFAIL, all else COMMAND_FAILED. */
enum command_exit command_exit_of(const GError *error);

/*
 * Read a command's options by GLib; leaves argv[0] and the operands and counts them into *argc. On a wrong option says so
 * and returns FALSE: return COMMAND_USAGE then.
 */
gboolean command_options(const GOptionEntry *entries, int *argc, char ***argv) G_GNUC_WARN_UNUSED_RESULT;

/* Whether -v was given, for the programs that are started on. */
gboolean command_verbose(void);
