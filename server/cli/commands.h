/*
 * commands.h - the commands of ruad: each takes the effective settings and its own arguments.
 *
 * argv[0] is the command's name and argv[1..argc) its options and operands; main.c has removed --help,
 * --config, -o and -v. A command prints its result on standard output and its errors on standard error with
 * command_fail(), and returns one of enum command_exit.
 */
#pragma once

#include "server/common/settings.h"

enum command_exit {
	COMMAND_OK = 0,
	COMMAND_FAILED = 1,
	COMMAND_USAGE = 2,     /* the command line is invalid */
	COMMAND_DATA = 65,     /* sysexits.h EX_DATAERR: the mail is refused */
	COMMAND_NOBODY = 69,   /* sysexits.h EX_UNAVAILABLE: the mailbox is refused */
	COMMAND_TEMPFAIL = 75, /* sysexits.h EX_TEMPFAIL: try again later (the database is unavailable) */
	COMMAND_CONFIG = 78,   /* sysexits.h EX_CONFIG: the settings are invalid */
};

int command_serve(const struct settings *settings, int argc, char **argv);
int command_import(const struct settings *settings, int argc, char **argv);
int command_parse(const struct settings *settings, int argc, char **argv);
int command_check(const struct settings *settings, int argc, char **argv);
int command_reprocess(const struct settings *settings, int argc, char **argv);
int command_exclude(const struct settings *settings, int argc, char **argv);
int command_include(const struct settings *settings, int argc, char **argv);
int command_label(const struct settings *settings, int argc, char **argv);
int command_user(const struct settings *settings, int argc, char **argv);
int command_auditor(const struct settings *settings, int argc, char **argv);
int command_token(const struct settings *settings, int argc, char **argv);
int command_digest(const struct settings *settings, int argc, char **argv);
int command_notify(const struct settings *settings, int argc, char **argv);
int command_prune(const struct settings *settings, int argc, char **argv);
int command_migrate(const struct settings *settings, int argc, char **argv);
int command_database(const struct settings *settings, int argc, char **argv);
int command_health(const struct settings *settings, int argc, char **argv);
int command_config(const struct settings *settings, int argc, char **argv);

/* Print "ruad COMMAND: message" on standard error, made visible (visible_lines()); returns code, for `return
 * command_fail(...)`. */
int command_fail(const char *command, enum command_exit code, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* The exit code for an error: COMMAND_TEMPFAIL for RUAD_ERROR_SYSTEM, else COMMAND_FAILED. */
enum command_exit command_exit_of(const GError *error);

/* "1 report", "2 reports": n of them. Transfer full. */
char *command_count(guint n, const char *noun) G_GNUC_WARN_UNUSED_RESULT;

/* command_fail() for an error of the database. The first line of its message is enough; the others say where
 * in a function it was raised. */
int command_failed(const char *command, const GError *error);

/*
 * Parse a command's options with GLib; leaves argv[0] and the operands and sets *argc to their number. Prints
 * an error and returns FALSE if an option is wrong: return COMMAND_USAGE then.
 */
gboolean command_options(const GOptionEntry *entries, int *argc, char ***argv) G_GNUC_WARN_UNUSED_RESULT;

/* Returns whether -v was given, for child programs. */
gboolean command_verbose(void);
