/*
 * parse_load.c - how much processor time mails take to be read, for tests/bench/run.
 *
 *   parse_load alone FOLDER           parse_document() in this process; what it finds is dropped
 *   parse_load whole FOLDER WORKER [N]
 *                                     as ruad-ingest reads: by way of a worker (the path of ruad-parse), to
 *                                     rows for the database; N mails are under way (20), as with N
 *                                     connections
 *
 * FOLDER has a file for each mail. They are in memory before anything is measured, and are read by one
 * thread.
 * Prints "N mails X s": processor time of this process and its workers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "parser/parse.h"
#include "server/ingest/found.h"
#include "server/worker/pool.h"

#define UNDER_WAY 20 /* mails */

static gboolean drop_mail(
    gpointer user G_GNUC_UNUSED, const struct mail_header *mail G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
	return TRUE;
}

static gboolean drop_begin(
    gpointer user G_GNUC_UNUSED, const char *place G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
	return TRUE;
}

static gboolean drop_record(
    gpointer user, const struct aggregate_record *record G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
	++*(guint64 *)user;
	return TRUE;
}

static gboolean drop_end(gpointer user G_GNUC_UNUSED, const struct aggregate_header *header G_GNUC_UNUSED,
    GError **error G_GNUC_UNUSED)
{
	return TRUE;
}

static gboolean drop_failure(gpointer user G_GNUC_UNUSED, const char *place G_GNUC_UNUSED,
    const struct failure_report *failure G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
	return TRUE;
}

static gboolean drop_tls(gpointer user G_GNUC_UNUSED, const char *place G_GNUC_UNUSED,
    const struct tls_report *tls G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
	return TRUE;
}

static gboolean drop_unreadable(
    gpointer user G_GNUC_UNUSED, const struct unreadable *unreadable, GError **error G_GNUC_UNUSED)
{
	fprintf(stderr, "parse_load: unreadable: %s\n", unreadable->reason);
	exit(EXIT_FAILURE);
}

static const struct report_sink drop = { drop_mail, drop_begin, drop_record, drop_end, drop_failure, drop_tls,
	drop_unreadable };

static GPtrArray *read_folder(const char *folder, GError **error)
{
	GPtrArray *mails = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	GDir *dir = g_dir_open(folder, 0, error);
	const char *name;

	while (dir != NULL && *error == NULL && (name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		char *content;
		gsize size;

		if (g_file_get_contents(path, &content, &size, error))
			g_ptr_array_add(mails, g_bytes_new_take(content, size));
	}
	g_clear_pointer(&dir, g_dir_close);
	return mails;
}

static double seconds_of(int who)
{
	struct rusage usage;

	getrusage(who, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static gboolean read_alone(const GPtrArray *mails, GError **error)
{
	struct parser_options options = { .limits = PARSER_LIMITS_DEFAULT };
	guint64 records = 0;

	for (guint i = 0; i < mails->len; i++) {
		gsize size;
		const guint8 *document = g_bytes_get_data(mails->pdata[i], &size);

		if (!parse_document(document, size, &options, &drop, &records, error))
			return FALSE;
	}
	return records > 0;
}

/* A mail under way. */
struct mail {
	struct pool_ticket ticket; /* the first member */
	struct load *load;
	struct found *found;
};

struct load {
	const GPtrArray *mails;
	guint begun, ended;
	gboolean leads;
	GString *rows;
	GError *error;
};

static void must_lead(struct pool_ticket *ticket)
{
	((struct mail *)ticket)->load->leads = TRUE;
}

static void must_forget(struct pool_ticket *ticket)
{
	found_forget(((struct mail *)ticket)->found);
}

static void make_rows(struct pool_ticket *ticket, gboolean slow G_GNUC_UNUSED, GError *error)
{
	struct mail *mail = (struct mail *)ticket;
	struct load *load = mail->load;

	g_string_truncate(load->rows, 0);
	if (error != NULL && load->error == NULL)
		load->error = error;
	if (load->error == NULL && found_item_rows(mail->found, 1, load->rows, &load->error))
		found_mail_row(mail->found, load->rows);
	found_free(mail->found);
	g_free(mail);
	load->ended++;
}

static void begin_mail(struct load *load, struct pool *pool)
{
	static const struct found_options options = { 0 };
	static const struct envelope envelope = { .source = "lmtp", .from = "" };
	static const struct pool_owner owner = { must_lead, must_forget, make_rows };
	struct mail *mail = g_new0(struct mail, 1);
	gsize size;
	const guint8 *document = g_bytes_get_data(load->mails->pdata[load->begun++], &size);

	mail->load = load;
	mail->found = found_new(&options, &envelope, document, size);
	mail->ticket.owner = &owner;
	mail->ticket.job = (struct pool_job){ document, size, found_sink(), mail->found, 0 };
	load->leads |= pool_submit(pool, &mail->ticket);
}

static gboolean read_whole(const GPtrArray *mails, struct pool *pool, guint under_way, GError **error)
{
	struct load load = { .mails = mails, .rows = g_string_new(NULL) };

	while (load.ended < mails->len && load.error == NULL) {
		while (load.begun < mails->len && load.begun - load.ended < under_way)
			begin_mail(&load, pool);
		g_assert(load.leads);
		load.leads = FALSE;
		pool_lead(pool);
	}
	g_string_free(load.rows, TRUE);
	if (load.error == NULL)
		return TRUE;
	g_propagate_error(error, load.error);
	return FALSE;
}

static gboolean run_whole(
    const GPtrArray *mails, const char *worker, guint under_way, double *start, GError **error)
{
	const struct pool_options options = { .worker = worker,
		.workers = 1,
		.max_mails = 5000,
		.seconds = 60,
		.max_seconds = 60,
		.limits = PARSER_LIMITS_DEFAULT };
	struct pool *pool = pool_new(&options, error);
	gboolean good;

	if (pool == NULL)
		return FALSE;
	*start = seconds_of(RUSAGE_SELF);
	good = read_whole(mails, pool, under_way, error);
	pool_free(pool);
	return good;
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) mails = NULL;
	gboolean whole = argc >= 4 && argc <= 5 && g_str_equal(argv[1], "whole");
	guint under_way = argc == 5 ? (guint)g_ascii_strtoull(argv[4], NULL, 10) : UNDER_WAY;
	gboolean good;
	double start;

	if (under_way == 0 || (!whole && (argc != 3 || !g_str_equal(argv[1], "alone")))) {
		fprintf(stderr, "usage: parse_load alone FOLDER | whole FOLDER WORKER [N]\n");
		return 64;
	}
	mails = read_folder(argv[2], &error);
	parse_init();
	start = seconds_of(RUSAGE_SELF);
	good = error == NULL &&
	       (whole ? run_whole(mails, argv[3], under_way, &start, &error) : read_alone(mails, &error));
	if (!good) {
		fprintf(stderr, "parse_load: %s\n", error != NULL ? error->message : "no record");
		return EXIT_FAILURE;
	}
	printf("%u mails %.3f s\n", mails->len,
	    seconds_of(RUSAGE_SELF) - start + (whole ? seconds_of(RUSAGE_CHILDREN) : 0));
	return EXIT_SUCCESS;
}
