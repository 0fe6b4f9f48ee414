/*
 * cmd_import.c - ruad import: stores files, mailboxes and folders through the same intake as LMTP.
 *
 * This file reads the documents; jobs.h stores them, or deliver.h sends them to the ruad that runs.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "parser/error.h"
#include "server/cli/commands.h"
#include "server/cli/database.h"
#include "server/cli/deliver.h"
#include "server/cli/documents.h"
#include "server/cli/jobs.h"
#include "server/cli/walk.h"
#include "server/common/paths.h"
#include "server/common/visible.h"
#include "server/ingest/upkeep.h"

struct import {
	struct jobs *jobs;       /* or NULL: */
	struct deliver *deliver; /* they are sent to the server */
	struct jobs_sum sum;
	guint files;
	guint failed; /* files or mails that could not be read */

	guint sent, quarantined, later, refused; /* of those that the server stored, kept without a report,
						  * put off, and did not want */
	char *said;                              /* what became of the last */
	enum command_exit code; /* COMMAND_TEMPFAIL if one was put off, since it must be sent again */
};

/* Send a document. Returns FALSE if the server cannot be reached any more. */
static gboolean send_document(struct import *import, const char *name, GBytes *document)
{
	const char *file = g_str_equal(name, "-") ? NULL : name;
	gboolean is_quarantined = FALSE;
	enum command_exit code;

	g_clear_pointer(&import->said, g_free);
	code = deliver_document(import->deliver, document, file, &is_quarantined, &import->said);
	if (code == COMMAND_OK) {
		*(is_quarantined ? &import->quarantined : &import->sent) += 1;
		return TRUE;
	}
	if (code == COMMAND_TEMPFAIL)
		import->later++;
	else
		import->refused++;
	import->code = import->later > 0 ? COMMAND_TEMPFAIL : code;
	command_fail(
	    "import", code, "%s%s%s", file != NULL ? file : "", file != NULL ? ": " : "", import->said);
	return deliver_alive(import->deliver);
}

static gboolean push(struct import *import, char *name, GBytes *document)
{
	struct envelope envelope = { .source = "import", .name = name };
	gboolean good;

	if (import->deliver == NULL)
		return jobs_push(import->jobs, &envelope, document, name, g_free);
	good = send_document(import, name, document);
	g_bytes_unref(document);
	g_free(name);
	return good;
}

static void complain(struct import *import, const char *name, const char *words)
{
	g_autofree char *visible = visible_text(name);

	import->failed++;
	if (import->jobs != NULL)
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
	g_autofree char *files = command_count(import->files, "file");
	g_autofree char *mails = command_count(import->sum.mails, "mail");
	g_autofree char *reports = command_count(counts->stored, "report");
	g_autofree char *duplicates = command_count(counts->duplicates, "duplicate");
	g_autofree char *conflicts = command_count(counts->conflicts, "conflict");

	printf("imported %s", files);
	if (import->sum.mails != import->files)
		printf(" with %s", mails);
	printf(": %s stored, %s, %s, %u quarantined", reports, duplicates, conflicts, counts->unreadable);
	if (import->failed > 0)
		printf(", %u could not be read", import->failed);
	if (walk->skipped > 0)
		printf(", %u skipped (neither mail nor report)", walk->skipped);
	putchar('\n');
	if (counts->unreadable > 0)
		puts("Quarantined mail is kept. "
		     "Intake on the page and \"ruad parse FILE\" say why it could not be read.");
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
    const struct settings *settings, const struct walk *walk, guint jobs, gboolean quiet)
{
	g_autoptr(GError) error = NULL;
	struct database *database = database_new(settings, &error);
	int code;

	if (database == NULL || !database_start(database, TRUE, &error)) {
		database_free(database);
		return command_fail("import", command_exit_of(error), "%s", error->message);
	}
	code = import_walk(settings, database, walk, jobs, quiet);
	database_free(database);
	return code;
}

/* -- by way of the server -- */

/* One mail has one line on standard error, which mail servers log; more have a summary. */
static void print_sent(const struct import *import)
{
	guint good = import->sent + import->quarantined;
	guint total = good + import->later + import->refused;

	if (total == 1 && good == 1 && import->failed == 0)
		fprintf(stderr, "ruad import: %s\n", import->said);
	if (total == 1 && import->failed == 0)
		return;
	printf("sent %u mails to the running ruad: %u stored, %u quarantined, %u to be sent again later, "
	       "%u refused",
	    total, import->sent, import->quarantined, import->later, import->refused);
	if (import->failed > 0)
		printf(", %u could not be read", import->failed);
	putchar('\n');
}

/* deliver is transfer full. */
static int send_walk(struct deliver *deliver, const struct walk *walk, gboolean quiet)
{
	struct import import = { .deliver = deliver };

	import_files(&import, walk);
	deliver_free(deliver);
	if (!quiet)
		print_sent(&import);
	g_free(import.said);
	return (int)(import.code == COMMAND_OK && import.failed > 0 ? COMMAND_FAILED : import.code);
}

static gboolean may_have_folder(const char *path)
{
	g_autofree char *parent = g_path_get_dirname(path);

	return access(path, R_OK | W_OK | X_OK) == 0 || (errno == ENOENT && access(parent, W_OK | X_OK) == 0);
}

/* Whether this user may not use the database as ruad does. */
static gboolean is_stranger(const struct settings *settings)
{
	return settings_are_partial(settings) ||
	       (*settings_string(settings, "database.url") == '\0' &&
		   !may_have_folder(settings_string(settings, "server.state_dir")));
}

/* Files are stored directly by those who may, which is faster. Standard input comes from a mail server,
 * whoever runs the command: it goes to the server if there is one. */
static int import_or_send(
    const struct settings *settings, const struct walk *walk, guint jobs, gboolean quiet)
{
	gboolean stranger = is_stranger(settings);
	gboolean is_stdin = walk->files->len == 1 && g_str_equal(walk->files->pdata[0], "-");
	g_autoptr(GError) error = NULL;
	struct deliver *deliver = stranger || is_stdin ? deliver_new(settings, &error) : NULL;

	if (deliver != NULL)
		return send_walk(deliver, walk, quiet);
	if (stranger)
		return command_fail("import", COMMAND_TEMPFAIL, "%s", error->message);
	return start_and_import(settings, walk, jobs, quiet);
}

int command_import(const struct settings *settings, int argc, char **argv)
{
	gint jobs = JOBS_DEFAULT;
	gboolean quiet = FALSE;
	struct walk walk;
	int code;
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
	walk_init(&walk);
	for (int i = 1; i < argc; i++)
		walk_add(&walk, argv[i]);
	code = import_or_send(settings, &walk, (guint)jobs, quiet);
	walk_clear(&walk);
	return code;
}
