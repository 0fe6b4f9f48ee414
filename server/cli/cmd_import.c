/*
 * cmd_import.c - ruad import: stores files, mailboxes and folders through the same intake as LMTP.
 *
 * This file reads the documents; jobs.h stores them.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "parser/error.h"
#include "server/cli/commands.h"
#include "server/cli/database.h"
#include "server/cli/documents.h"
#include "server/cli/jobs.h"
#include "server/cli/walk.h"
#include "server/common/paths.h"
#include "server/common/visible.h"
#include "server/ingest/upkeep.h"

struct import {
	struct jobs *jobs;
	struct jobs_sum sum;
	guint files;
	guint failed; /* files or mails that could not be read */
};

static gboolean push(struct import *import, char *name, GBytes *document)
{
	struct envelope envelope = { .source = "import", .name = name };

	return jobs_push(import->jobs, &envelope, document, name, g_free);
}

static void complain(struct import *import, const char *name, const char *words)
{
	g_autofree char *visible = visible_text(name);

	import->failed++;
	jobs_clear_bar(import->jobs);
	command_fail("import", COMMAND_FAILED, "%s: %s", visible, words);
}

/* Import all documents of an open file. Returns FALSE if the database is unavailable. */
static gboolean import_documents(struct import *import, const char *path, struct documents *documents)
{
	for (guint number = 1;; number++) {
		GBytes *document = NULL;
		g_autoptr(GError) error = NULL;
		g_autofree char *name = NULL;
		const char *part;
		gboolean good = documents_next(documents, &document, &error);

		part = documents_part(documents);
		name = part != NULL ? g_strdup_printf("%s: %s %u", path, part, number) : g_strdup(path);
		if (!good)
			complain(import, name, error->message);
		else if (document == NULL)
			return TRUE;
		else if (!push(import, g_steal_pointer(&name), document))
			return FALSE;
		if (!good && !g_error_matches(error, RUAD_ERROR, RUAD_ERROR_LIMIT))
			return TRUE;
	}
}

static gboolean import_file(struct import *import, const char *path)
{
	gboolean is_stdin = g_str_equal(path, "-");
	FILE *file = is_stdin ? stdin : fopen(path, "rbe");
	struct documents *documents = NULL;
	gboolean good;

	if (file == NULL) {
		complain(import, path, g_strerror(errno));
		return TRUE;
	}
	import->files++;
	documents = documents_new(file);
	good = import_documents(import, path, documents);
	documents_free(documents);
	if (!is_stdin)
		fclose(file);
	return good;
}

/* -- the command -- */

static struct intake *open_intake(
    const struct settings *settings, const char *conninfo, struct upkeep *upkeep, GError **error)
{
	g_autofree char *worker = paths_libexec("ruad-parse");
	struct intake_options options = intake_options_of(settings, conninfo, worker);

	options.upkeep = upkeep;
	return intake_new(&options, error);
}

static void import_files(struct import *import, const struct walk *walk)
{
	import->failed = walk->failed;
	for (guint i = 0; i < walk->files->len; i++)
		if (!import_file(import, walk->files->pdata[i]))
			break;
}

/* "imported 120 files: 100 reports stored, 15 duplicates, 0 conflicts, 5 quarantined" */
static void print_counts(const struct import *import, const struct walk *walk)
{
	const struct intake_counts *counts = &import->sum.counts;

	printf("imported %u file%s", import->files, import->files == 1 ? "" : "s");
	if (import->sum.mails != import->files)
		printf(" with %u mails", import->sum.mails);
	printf(": %u reports stored, %u duplicates, %u conflicts, %u quarantined", counts->stored,
	    counts->duplicates, counts->conflicts, counts->unreadable);
	if (import->failed > 0)
		printf(", %u could not be read", import->failed);
	if (walk->skipped > 0)
		printf(", %u skipped (neither mail nor report)", walk->skipped);
	putchar('\n');
}

static int import_walk(const struct settings *settings, const struct database *database,
    const struct walk *walk, guint threads, gboolean quiet)
{
	struct import import = { 0 };
	g_autoptr(GError) error = NULL;
	g_autofree char *conninfo = database_role_conninfo(database, "ruad_ingest");
	struct upkeep *upkeep = upkeep_new(conninfo);
	struct intake *intake = open_intake(settings, conninfo, upkeep, &error);
	int code = COMMAND_OK;

	if (intake == NULL) {
		upkeep_free(upkeep, FALSE);
		return command_fail("import", COMMAND_FAILED, "%s", error->message);
	}
	import.jobs = jobs_new(&(struct jobs_options){
	    .intake = intake, .threads = threads, .quiet = quiet, .total_bytes = walk->bytes });
	import_files(&import, walk);
	if (!jobs_finish(import.jobs, &import.sum, &error))
		code = command_fail("import", command_exit_of(error),
		    "%s (stored reports are kept: run it again)", error->message);
	else if (import.failed > 0)
		code = COMMAND_FAILED;
	intake_free(intake);
	upkeep_free(upkeep, TRUE);
	if (!quiet)
		print_counts(&import, walk);
	return code;
}

static int start_and_import(
    const struct settings *settings, int n_paths, char **paths, guint jobs, gboolean quiet)
{
	g_autoptr(GError) error = NULL;
	struct database *database = database_new(settings, &error);
	struct walk walk;
	int code;

	if (database == NULL || !database_start(database, TRUE, &error)) {
		database_free(database);
		return command_fail("import", command_exit_of(error), "%s", error->message);
	}
	walk_init(&walk);
	for (int i = 0; i < n_paths; i++)
		walk_add(&walk, paths[i]);
	code = import_walk(settings, database, &walk, jobs, quiet);
	walk_clear(&walk);
	database_free(database);
	return code;
}

int command_import(const struct settings *settings, int argc, char **argv)
{
	gint jobs = JOBS_DEFAULT;
	gboolean quiet = FALSE;
	const GOptionEntry entries[] = {
		{ "jobs", 'j', 0, G_OPTION_ARG_INT, &jobs, NULL, NULL },
		{ "quiet", 'q', 0, G_OPTION_ARG_NONE, &quiet, NULL, NULL },
		G_OPTION_ENTRY_NULL,
	};

	if (!command_options(entries, &argc, &argv))
		return COMMAND_USAGE;
	if (argc < 2)
		return command_fail("import", COMMAND_USAGE, "no PATH given (see ruad import --help)");
	if (jobs < 1 || jobs > JOBS_MOST)
		return command_fail("import", COMMAND_USAGE, "--jobs=%d: not from 1 to %d", jobs, JOBS_MOST);
	return start_and_import(settings, argc - 1, argv + 1, (guint)jobs, quiet);
}
