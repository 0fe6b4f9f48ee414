/*
 * postgres_program.h - whether a running server is the program that is installed.
 *
 * An update of PostgreSQL's package replaces its files, but Debian restarts only clusters of its own. The
 * old server keeps running, and its new sessions load libraries of the new version, which can fail.
 */
#pragma once

#include <glib.h>

enum postgres_program {
	POSTGRES_PROGRAM_SAME, /* or unknown: the server does not run */
	POSTGRES_PROGRAM_REPLACED,
	POSTGRES_PROGRAM_MISSING, /* removed, or in the middle of an update */
};

/* running: the program of a process (/proc/PID/exe). installed: its path. *inode is the installed file's
 * number, if it was replaced: it still changes while an update is not finished. */
enum postgres_program postgres_program_compare(const char *running, const char *installed, guint64 *inode);
