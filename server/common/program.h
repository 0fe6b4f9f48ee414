/*
 * program.h - what the main() of several of ruad's programs do alike.
 */
#pragma once

#include <signal.h>

#include <glib.h>

/*
 * Read the options of the command line, which has no operands; purpose is for --help. --version prints the
 * name of the program ("ruad-web") with its version, and ends the process, as --help does. Returns FALSE with
 * an error of G_OPTION_ERROR.
 */
gboolean program_options(const char *name, const char *purpose, const GOptionEntry *entries, int *argc,
    char ***argv, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Keep SIGHUP from ending the process: it waits for program_rest(). To be called before it can be sent. */
void program_hold_hang_up(sigset_t *hang_up);

/* Wait for SIGHUP, at most so many seconds; returns whether it came. */
gboolean program_rest(const sigset_t *hang_up, guint seconds);
