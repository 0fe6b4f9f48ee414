/*
 * cmd_reprocess.c - ruad reprocess: reads stored mail again with the current parser.
 *
 * It asks for one mail after another, by id; jobs.h parses and stores each again under its id and time, in a
 * transaction of its own or together with others. So it may be interrupted at any time and run again.
 */
#include <stdio.h>
#include <string.h>

#include "parser/error.h"
#include "server/cli/commands.h"
#include "server/cli/database.h"
#include "server/cli/identity.h"
#include "server/cli/jobs.h"
#include "server/cli/moment.h"
#include "server/cli/progress.h"
#include "server/cli/tally.h"
#include "server/common/paths.h"

#define COMMAND "reprocess"
#define NEXT_MAIL                                                                                            \
	"SELECT mail_id, received_at, source, name, envelope_from, raw "                                     \
	"FROM ruad.kept_after($1::bigint, $2::timestamptz, $3::text)"
#define KEPT_BYTES "SELECT ruad.kept_bytes($1::timestamptz, $2::text)"
#define AUDIT                                                                                                \
	"SELECT ruad.audit('reprocess', $1::text, NULL, jsonb_build_object('since', $2::text, "              \
	"'reason', $3::text))"
/* Of the stored mails with a code, those that no copy has stored otherwise. */
#define LEFT                                                                                                 \
	"SELECT code, count(*) FROM dmarc.intake WHERE mail = ANY ($1::bigint[]) "                           \
	"AND status <> 'duplicate' AND code IS NOT NULL GROUP BY code"

/* Every code for which the bytes of a mail are stored: those of parser/parse.h, server/ingest and
 * ruad.ingest(). "unsupported" comes from older versions of ruad. */
static const char *const reasons[] = { "archive", "conflict", "database", "encrypted", "incomplete",
	"inconsistent", "json", "limit", "mime", "no-report", "partial", "placeholder", "unauthentic",
	"unreadable", "unrelated", "unsupported", "worker", "xml", NULL };

struct reprocess {
	const struct settings *settings;
	const struct database *database;
	struct db *db;
	const char *since;  /* a time, or NULL */
	const char *reason; /* one of reasons, or NULL */
	const char *user;   /* who typed the command */
	guint threads;
	gboolean quiet;
	guint64 total_bytes; /* of the mails to read */

	guint mails;
	guint stored; /* reports; of a dry run, those that were read */
	guint duplicates;
	GString *ids;     /* of the mails that were read, between commas */
	GHashTable *left; /* code -> number of items still quarantined */
};

static void add_left(struct reprocess *reprocess, const char *code, guint n)
{
	guint had = GPOINTER_TO_UINT(g_hash_table_lookup(reprocess->left, code));

	g_hash_table_replace(reprocess->left, g_strdup(code), GUINT_TO_POINTER(had + n));
}

/* -- the stored mails -- */

/* A mail as it was stored, and what its envelope points to. */
struct kept {
	struct envelope envelope;
	char *text[4]; /* received_at, source, name, envelope_from */
};

static void kept_free(gpointer data)
{
	struct kept *kept = data;

	for (gsize i = 0; i < G_N_ELEMENTS(kept->text); i++)
		g_free(kept->text[i]);
	g_free(kept);
}

static struct kept *kept_new(const struct db_rows *rows)
{
	struct kept *kept = g_new0(struct kept, 1);

	for (guint i = 0; i < G_N_ELEMENTS(kept->text); i++)
		kept->text[i] = g_strdup(db_rows_get(rows, 0, 1 + i));
	kept->envelope = (struct envelope){ .again = g_ascii_strtoll(db_rows_get(rows, 0, 0), NULL, 10),
		.received_at = kept->text[0],
		.source = kept->text[1],
		.name = kept->text[2],
		.from = kept->text[3] };
	return kept;
}

/* The next mail after that id; *kept is NULL at the end. Transfer full. */
static gboolean next_kept(
    const struct reprocess *reprocess, gint64 after, struct kept **kept, GBytes **document, GError **error)
{
	g_autofree char *id = g_strdup_printf("%" G_GINT64_FORMAT, after);
	const struct db_value params[] = { DB_TEXT(id), DB_TEXT(reprocess->since),
		DB_TEXT(reprocess->reason) };
	struct db_rows *rows = db_query(reprocess->db, NEXT_MAIL, params, G_N_ELEMENTS(params), error);

	*kept = NULL;
	if (rows == NULL)
		return FALSE;
	if (db_rows_count(rows) > 0) {
		*kept = kept_new(rows);
		*document = db_rows_bytes(rows, 0, 5);
	}
	db_rows_free(rows);
	return TRUE;
}

/* How much there is to read, for the progress. */
static gboolean measure_kept(struct reprocess *reprocess, GError **error)
{
	const struct db_value params[] = { DB_TEXT(reprocess->since), DB_TEXT(reprocess->reason) };
	struct db_rows *rows = db_query(reprocess->db, KEPT_BYTES, params, G_N_ELEMENTS(params), error);
	gint64 bytes = 0;
	gboolean good = rows != NULL && db_rows_number(rows, 0, 0, 0, G_MAXINT64, &bytes, error);

	if (rows != NULL)
		db_rows_free(rows);
	reprocess->total_bytes = (guint64)bytes;
	return good;
}

/* -- reading and storing -- */

static void stored(const struct envelope *envelope, const struct intake_counts *counts, gpointer user)
{
	struct reprocess *reprocess = user;

	(void)counts;
	g_string_append_printf(
	    reprocess->ids, "%s%" G_GINT64_FORMAT, reprocess->ids->len > 1 ? "," : "", envelope->again);
}

static gboolean push_all(struct reprocess *reprocess, struct jobs *jobs, GError **error)
{
	struct kept *kept = NULL;
	GBytes *document = NULL;
	gint64 after = 0;

	while (next_kept(reprocess, after, &kept, &document, error)) {
		if (kept == NULL)
			return TRUE;
		after = kept->envelope.again;
		if (!jobs_push(jobs, &kept->envelope, document, kept, kept_free))
			return TRUE; /* jobs_finish() knows why */
	}
	return FALSE;
}

/* Log who reads mail again. At the start: what was stored stays, even if this ends early. */
static gboolean audit(struct reprocess *reprocess, GError **error)
{
	const struct db_value params[] = { DB_TEXT(reprocess->user), DB_TEXT(reprocess->since),
		DB_TEXT(reprocess->reason) };

	return db_exec(reprocess->db, AUDIT, params, G_N_ELEMENTS(params), error);
}

/* Count what is still quarantined, by code. */
static gboolean count_left(struct reprocess *reprocess, GError **error)
{
	struct db_value params[1];
	struct db_rows *rows;

	g_string_append_c(reprocess->ids, '}');
	params[0] = DB_TEXT(reprocess->ids->str);
	rows = db_query(reprocess->db, LEFT, params, G_N_ELEMENTS(params), error);
	if (rows == NULL)
		return FALSE;
	for (gsize i = 0; i < db_rows_count(rows); i++)
		add_left(reprocess, db_rows_get(rows, i, 0),
		    (guint)g_ascii_strtoull(db_rows_get(rows, i, 1), NULL, 10));
	db_rows_free(rows);
	return TRUE;
}

static gboolean store_all(struct reprocess *reprocess, GError **error)
{
	g_autofree char *conninfo = database_role_conninfo(reprocess->database, "ruad_owner");
	g_autofree char *worker = paths_libexec("ruad-parse");
	struct intake_options options = intake_options_of(reprocess->settings, conninfo, worker);
	struct intake *intake = NULL;
	struct jobs *jobs = NULL;
	struct jobs_sum sum;
	gboolean good;

	options.again = TRUE;
	intake = audit(reprocess, error) ? intake_new(&options, error) : NULL;
	if (intake == NULL)
		return FALSE;
	jobs = jobs_new(&(struct jobs_options){ .intake = intake,
	    .threads = reprocess->threads,
	    .quiet = reprocess->quiet,
	    .total_bytes = reprocess->total_bytes,
	    .stored = stored,
	    .user = reprocess });
	good = push_all(reprocess, jobs, error);
	good = jobs_finish(jobs, &sum, good ? error : NULL) && good;
	intake_free(intake);
	reprocess->mails = sum.mails;
	reprocess->stored = sum.counts.stored;
	reprocess->duplicates = sum.counts.duplicates;
	return good && count_left(reprocess, error);
}

/* -- dry run: only reading -- */

/* Count what storing this mail would do; require_authentic may quarantine it. */
static void count_reading(struct reprocess *reprocess, const struct kept *kept, const struct tally *tally,
    enum require_authentic require)
{
	reprocess->mails++;
	if (require == REQUIRE_AUTHENTIC_QUARANTINE && tally->authentic != AUTHENTIC_PASS &&
	    g_str_equal(kept->envelope.source, "lmtp")) {
		add_left(reprocess, "unauthentic", 1);
		return;
	}
	reprocess->stored += tally->reports;
	for (guint i = 0; i < tally->unreadable->len; i++)
		add_left(reprocess, tally->unreadable->pdata[i], 1);
}

static void show_reading(struct progress *progress, const struct reprocess *reprocess, guint64 read_bytes)
{
	g_autofree char *words =
	    g_strdup_printf("%u mails: %u reports read", reprocess->mails, reprocess->stored);

	progress_set(progress, read_bytes, reprocess->total_bytes, words);
}

static gboolean read_all(struct reprocess *reprocess, GError **error)
{
	g_autofree char *worker = paths_libexec("ruad-parse");
	struct intake_options options = intake_options_of(reprocess->settings, "", worker);
	struct pool *pool = pool_new(&options.pool, error);
	struct kept *kept = NULL;
	GBytes *document = NULL;
	gint64 after = 0;
	struct progress *progress = progress_new(reprocess->quiet, NULL, NULL);
	guint64 read_bytes = 0;
	gboolean good = pool != NULL;

	while (good && (good = next_kept(reprocess, after, &kept, &document, error)) && kept != NULL) {
		struct tally tally;

		after = kept->envelope.again;
		tally_init(&tally);
		good = tally_read(&tally, pool, document, error);
		if (good)
			count_reading(reprocess, kept, &tally, options.require_authentic);
		tally_clear(&tally);
		read_bytes += g_bytes_get_size(document);
		show_reading(progress, reprocess, read_bytes);
		g_bytes_unref(document);
		kept_free(kept);
	}
	progress_free(progress);
	pool_free(pool);
	return good;
}

/* -- the command -- */

static gint by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(a, b);
}

/* "1 limit, 2 xml" */
static char *left_words(const struct reprocess *reprocess)
{
	GString *words = g_string_new(NULL);
	GList *codes = g_list_sort(g_hash_table_get_keys(reprocess->left), by_name);

	for (const GList *code = codes; code != NULL; code = code->next)
		g_string_append_printf(words, "%s%u %s", words->len > 0 ? ", " : "",
		    GPOINTER_TO_UINT(g_hash_table_lookup(reprocess->left, code->data)),
		    (const char *)code->data);
	g_list_free(codes);
	return g_string_free(words, FALSE);
}

/* "reprocessed 12 mails: 9 reports stored, 2 duplicates; still quarantined: 1 limit" */
static void print_sum(const struct reprocess *reprocess, gboolean dry_run)
{
	g_autofree char *left = left_words(reprocess);
	g_autofree char *mails = command_count(reprocess->mails, "mail");
	g_autofree char *reports = command_count(reprocess->stored, "report");
	g_autofree char *duplicates = command_count(reprocess->duplicates, "duplicate");

	if (dry_run)
		printf("would reprocess %s: %s read", mails, reports);
	else
		printf("reprocessed %s: %s stored, %s", mails, reports, duplicates);
	if (*left != '\0')
		printf("; still quarantined: %s", left);
	putchar('\n');
}

static int run(struct reprocess *reprocess, gboolean dry_run)
{
	g_autoptr(GError) error = NULL;
	int code = COMMAND_OK;

	reprocess->ids = g_string_new("{");
	reprocess->left = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	if (!measure_kept(reprocess, &error) || !(dry_run ? read_all : store_all)(reprocess, &error))
		code = command_fail(COMMAND, command_exit_of(error), "%s%s", error->message,
		    dry_run ? "" : " (stored reports are kept: run it again)");
	else if (!reprocess->quiet)
		print_sum(reprocess, dry_run);
	g_hash_table_unref(reprocess->left);
	g_string_free(reprocess->ids, TRUE);
	return code;
}

static int start_and_run(const struct settings *settings, struct reprocess *reprocess, gboolean dry_run)
{
	g_autoptr(GError) error = NULL;
	struct database *database = database_new(settings, &error);
	int code;

	reprocess->settings = settings;
	reprocess->database = database;
	if (database != NULL && database_start(database, FALSE, &error))
		reprocess->db = database_open_alone(database, "ruad-reprocess", &error);
	code = reprocess->db != NULL ? run(reprocess, dry_run)
				     : command_fail(COMMAND, command_exit_of(error), "%s", error->message);
	db_close(reprocess->db);
	database_free(database);
	return code;
}

static int refuse_reason(const char *reason)
{
	g_autofree char *words = g_strjoinv(" ", (char **)reasons);

	return command_fail(
	    COMMAND, COMMAND_USAGE, "--reason=%s: no such reason; there are: %s", reason, words);
}

int command_reprocess(const struct settings *settings, int argc, char **argv)
{
	struct reprocess reprocess = { 0 };
	g_autofree char *since = NULL;
	g_autofree char *since_text = NULL;
	g_autofree char *reason = NULL;
	g_autofree char *user = identity_user_name(); /* before the process becomes another user */
	gboolean dry_run = FALSE;
	gint jobs = JOBS_DEFAULT;
	const GOptionEntry entries[] = {
		{ "since", 0, 0, G_OPTION_ARG_STRING, &since_text, NULL, NULL },
		{ "reason", 0, 0, G_OPTION_ARG_STRING, &reason, NULL, NULL },
		{ "dry-run", 'n', 0, G_OPTION_ARG_NONE, &dry_run, NULL, NULL },
		{ "jobs", 'j', 0, G_OPTION_ARG_INT, &jobs, NULL, NULL },
		{ "quiet", 'q', 0, G_OPTION_ARG_NONE, &reprocess.quiet, NULL, NULL },
		G_OPTION_ENTRY_NULL,
	};

	if (!command_options(entries, &argc, &argv))
		return COMMAND_USAGE;
	if (argc > 1)
		return command_fail(COMMAND, COMMAND_USAGE, "takes no operands, not \"%s\"", argv[1]);
	if (jobs < 1 || jobs > JOBS_MOST)
		return command_fail(COMMAND, COMMAND_USAGE, "--jobs=%d: not from 1 to %d", jobs, JOBS_MOST);
	if (reason != NULL && !g_strv_contains(reasons, reason))
		return refuse_reason(reason);
	if (since_text != NULL && (since = moment_read(since_text)) == NULL)
		return command_fail(COMMAND, COMMAND_USAGE,
		    "--since=%s: neither YYYY-MM-DD nor a time such as 2026-11-20T12:00:00Z", since_text);
	reprocess.since = since;
	reprocess.reason = reason;
	reprocess.user = user;
	reprocess.threads = (guint)jobs;
	return start_and_run(settings, &reprocess, dry_run);
}
