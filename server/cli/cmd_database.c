/*
 * cmd_database.c - ruad database: a dump of the private database as a file, its restoration into a new
 * cluster, and the move of the cluster to the newest installed PostgreSQL.
 *
 * A dump has the format of pg_dump, which any later version of PostgreSQL can restore. A new cluster is
 * made beside the present one and takes its place when it is complete; the present one is kept.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parser/error.h"
#include "server/cli/commands.h"
#include "server/cli/database.h"
#include "server/cli/identity.h"
#include "server/cli/progress.h"
#include "server/common/log.h"

#define COMMAND "database"
#define COUNTS  "SELECT (SELECT count(*) FROM ruad.mail), (SELECT count(*) FROM dmarc.reports)"
/* How far pg_dump is: it copies the tables in the order of their names. No row between two tables. */
#define COPIED                                                                                               \
	"SELECT coalesce(sum(pg_table_size(t.oid)) FILTER (WHERE t.relname < c.relname), 0)::bigint + "      \
	"least(max(p.bytes_processed), pg_table_size(c.oid)), sum(pg_table_size(t.oid))::bigint, c.relname " \
	"FROM pg_stat_progress_copy p JOIN pg_class c ON c.oid = p.relid "                                   \
	"JOIN pg_class t ON t.relnamespace = c.relnamespace AND t.relkind = 'r' "                            \
	"WHERE p.datname = current_database() AND p.command = 'COPY TO' GROUP BY c.oid, c.relname LIMIT 1"
#define AUDITORS    "SELECT ruad.auditors()"
#define ADD_AUDITOR "SELECT ruad.auditor_add($1::text, NULL)"
#define AUDIT       "SELECT ruad.audit('dump', $1::text, $2::text, NULL)"

/* The request of the command line. */
struct wish {
	const char *verb;
	const char *file; /* or NULL: upgrade */
	gboolean replace;
	int fd;     /* of the file */
	char *user; /* who gave the command */
};

/* What a database has, to compare it with its copy. */
struct content {
	gint64 mails;
	gint64 reports;
	GPtrArray *auditors; /* names */
};

static gboolean fail_file(GError **error, const char *what, const char *path)
{
	int code = errno;

	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "%s \"%s\": %s", what, path, g_strerror(code));
	return FALSE;
}

/* -- the content -- */

static void content_clear(struct content *content)
{
	g_clear_pointer(&content->auditors, g_ptr_array_unref);
}

static gboolean read_counts(struct db *db, struct content *content, GError **error)
{
	struct db_rows *rows = db_query(db, COUNTS, NULL, 0, error);
	gboolean good = rows != NULL && db_rows_number(rows, 0, 0, 0, G_MAXINT64, &content->mails, error) &&
			db_rows_number(rows, 0, 1, 0, G_MAXINT64, &content->reports, error);

	if (rows != NULL)
		db_rows_free(rows);
	return good;
}

static gboolean read_auditors(struct db *db, struct content *content, GError **error)
{
	struct db_rows *rows = db_query(db, AUDITORS, NULL, 0, error);

	if (rows == NULL)
		return FALSE;
	content->auditors = g_ptr_array_new_with_free_func(g_free);
	for (gsize i = 0; i < db_rows_count(rows); i++)
		g_ptr_array_add(content->auditors, g_strdup(db_rows_get(rows, i, 0)));
	db_rows_free(rows);
	return TRUE;
}

static gboolean content_read(const struct database *database, struct content *content, GError **error)
{
	g_autofree char *conninfo = database_admin_conninfo(database);
	struct db *db = db_open(conninfo, "ruad-database", error);
	gboolean good = db != NULL && read_counts(db, content, error) && read_auditors(db, content, error);

	db_close(db);
	return good;
}

/* Roles belong to the cluster, so a dump of the database has no auditors. Also statistics, which it lacks
 * too. */
static gboolean complete(const struct database *database, const struct content *from, GError **error)
{
	g_autofree char *conninfo = database_admin_conninfo(database);
	struct db *db = db_open(conninfo, "ruad-database", error);
	gboolean good = db != NULL && db_exec(db, "ANALYZE", NULL, 0, error);

	for (guint i = 0; good && from != NULL && i < from->auditors->len; i++) {
		const struct db_value name = DB_TEXT(from->auditors->pdata[i]);

		good = db_exec(db, ADD_AUDITOR, &name, 1, error);
	}
	db_close(db);
	return good;
}

/* -- dump -- */

/* Without an answer (a table is missing, a lock) the bar stays as it is. */
static void measure_dump(struct progress *progress, gpointer user)
{
	struct db *db = user;
	gint64 done = 0;
	gint64 all = 0;
	g_autoptr(GError) error = NULL;
	struct db_rows *rows = db_query(db, COPIED, NULL, 0, &error);
	gboolean good = rows != NULL && db_rows_count(rows) > 0 &&
			db_rows_number(rows, 0, 0, 0, G_MAXINT64, &done, &error) &&
			db_rows_number(rows, 0, 1, 0, G_MAXINT64, &all, &error);

	if (good) {
		g_autofree char *words = g_strconcat("writing table ", db_rows_get(rows, 0, 2), NULL);

		progress_set(progress, (guint64)done, (guint64)all, words);
	}
	if (rows != NULL)
		db_rows_free(rows);
}

static gboolean write_dump(struct postgres *postgres, int fd, GError **error)
{
	const char *const arguments[] = { "--format=custom", "--host", postgres_socket_folder(postgres),
		"--username=" POSTGRES_ADMIN, "--no-password", "--dbname=" POSTGRES_DATABASE, NULL };
	g_autofree char *conninfo = postgres_conninfo(postgres, POSTGRES_ADMIN, POSTGRES_DATABASE);
	struct db *db = db_open(conninfo, "ruad-progress", error);
	struct progress *progress;
	gboolean good;

	if (db == NULL)
		return FALSE;
	progress = progress_new(FALSE, measure_dump, db);
	progress_set(progress, 0, 0, "writing the backup");
	good = postgres_run(postgres, "pg_dump", arguments, -1, fd, error);
	progress_free(progress);
	db_close(db);
	return good;
}

/* A file that is not complete must not look like a backup. */
static gboolean finish_file(const struct wish *wish, gboolean good, GError **error)
{
	if (good && (fsync(wish->fd) == 0 || errno == EINVAL)) /* EINVAL: a pipe */
		return TRUE;
	if (good)
		fail_file(error, "cannot write", wish->file);
	if (ftruncate(wish->fd, 0) == 0)
		g_prefix_error(error, "\"%s\" is empty, remove it: ", wish->file);
	return FALSE;
}

/* Log who has a copy of everything, and when: /metrics has the time. The dump is good without that. */
static void audit_dump(const struct database *database, const struct wish *wish)
{
	g_autofree char *conninfo = database_role_conninfo(database, "ruad_owner");
	g_autoptr(GError) error = NULL;
	struct db *db = db_open(conninfo, "ruad-database", &error);
	const struct db_value params[] = { DB_TEXT(wish->user), DB_TEXT(wish->file) };

	if (db == NULL || !db_exec(db, AUDIT, params, G_N_ELEMENTS(params), &error))
		log_warning("the backup is complete, but the audit log does not have it: %s", error->message);
	db_close(db);
}

static gboolean dump(struct database *database, const struct wish *wish, GError **error)
{
	gboolean good =
	    database_start(database, FALSE, error) && write_dump(database_private(database), wish->fd, error);

	if (!finish_file(wish, good, error))
		return FALSE;
	audit_dump(database, wish);
	return TRUE;
}

/* -- restore -- */

/* pg_restore reads the file at the offset that we share. Indexes come last, when all is read. */
static void measure_restore(struct progress *progress, gpointer user)
{
	int fd = *(const int *)user;
	struct stat status;
	off_t offset = lseek(fd, 0, SEEK_CUR);

	if (offset < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
		progress_set(progress, 0, 0, "reading the backup");
	else if (offset < status.st_size)
		progress_set(progress, (guint64)offset, (guint64)status.st_size, "reading the backup");
	else
		progress_set(progress, 0, 0, "making the indexes");
}

static gboolean read_dump(struct postgres *postgres, int fd, GError **error)
{
	const char *const arguments[] = { "--exit-on-error", "--single-transaction", "--host",
		postgres_socket_folder(postgres), "--username=" POSTGRES_ADMIN, "--no-password",
		"--dbname=" POSTGRES_DATABASE, NULL };
	struct progress *progress = progress_new(FALSE, measure_restore, &fd);
	gboolean good = postgres_run(postgres, "pg_restore", arguments, fd, -1, error);

	progress_free(progress);
	return good;
}

/* Fill a new cluster from the dump and put it in place of the present one. from: what must be in it, or
 * NULL. */
static gboolean fill_new(struct database *database, int fd, const struct content *from, GError **error)
{
	struct postgres *postgres = database_private(database);
	struct content now = { 0 };
	g_autofree char *kept = NULL;
	gboolean good = postgres_begin_new(postgres, error) && postgres_start(postgres, error) &&
			database_set_up(database, error) && database_empty(database, error) &&
			read_dump(postgres, fd, error) && database_set_up(database, error) &&
			complete(database, from, error) && content_read(database, &now, error);

	content_clear(&now);
	if (good && from != NULL && (now.mails != from->mails || now.reports != from->reports)) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM,
		    "the copy has %" G_GINT64_FORMAT " mails and %" G_GINT64_FORMAT
		    " reports, not %" G_GINT64_FORMAT " and %" G_GINT64_FORMAT,
		    now.mails, now.reports, from->mails, from->reports);
		return FALSE;
	}
	if (!good || !postgres_finish_new(postgres, &kept, error))
		return FALSE;
	printf(
	    "restored: %" G_GINT64_FORMAT " mails, %" G_GINT64_FORMAT " reports\n", now.mails, now.reports);
	if (kept != NULL)
		printf("the old cluster is kept in %s: remove it when it is no longer needed\n", kept);
	return TRUE;
}

static gboolean restore(struct database *database, const struct wish *wish, GError **error)
{
	struct postgres *postgres = database_private(database);

	if (!database_hold(database, error))
		return FALSE;
	if (postgres_exists(postgres) && !wish->replace) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
		    "there is a database already: --replace puts the dump in its place, and keeps its files "
		    "under another name");
		return FALSE;
	}
	return fill_new(database, wish->fd, NULL, error);
}

/* -- upgrade -- */

/* A file without a name in the state directory, for the dump. */
static int temporary_file(const struct postgres *postgres, GError **error)
{
	int fd = open(postgres_folder(postgres), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		fail_file(error, "cannot make a file in", postgres_folder(postgres));
	return fd;
}

static gboolean move(struct database *database, int fd, GError **error)
{
	struct postgres *postgres = database_private(database);
	struct content content = { 0 };
	gboolean good = postgres_start(postgres, error) && database_set_up(database, error) &&
			content_read(database, &content, error) && write_dump(postgres, fd, error);

	postgres_stop(postgres);
	if (good && lseek(fd, 0, SEEK_SET) != 0)
		good = fail_file(error, "cannot read the dump in", postgres_folder(postgres));
	good = good && fill_new(database, fd, &content, error);
	content_clear(&content);
	return good;
}

static gboolean upgrade(struct database *database, const struct wish *wish, GError **error)
{
	struct postgres *postgres = database_private(database);
	guint present = postgres_version(postgres);
	guint newest = postgres_newest_version();
	gboolean good;
	int fd;

	(void)wish;
	if (!database_hold(database, error))
		return FALSE;
	if (present == 0 || newest <= present) {
		printf("nothing to do: the cluster has PostgreSQL %u, the newest that is installed is %u\n",
		    present, newest);
		return TRUE;
	}
	fd = temporary_file(postgres, error);
	if (fd < 0)
		return FALSE;
	printf("moving the cluster from PostgreSQL %u to %u\n", present, newest);
	good = move(database, fd, error);
	close(fd);
	return good;
}

/* -- the command -- */

static const struct verb {
	const char *name;
	gboolean (*run)(struct database *database, const struct wish *wish, GError **error);
	int flags; /* to open the file with; -1: none */
} verbs[] = {
	{ "dump", dump, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC },
	{ "restore", restore, O_RDONLY | O_CLOEXEC },
	{ "upgrade", upgrade, -1 },
};

static const struct verb *find_verb(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(verbs) && name != NULL; i++)
		if (g_str_equal(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

/* Before the process becomes a user who may not open it. */
static gboolean open_file(struct wish *wish, const struct verb *verb, GError **error)
{
	if (verb->flags < 0 || wish->file == NULL) /* upgrade has none */
		return TRUE;
	if (g_str_equal(wish->file, "-")) /* a duplicate: 0 becomes /dev/null in a child */
		wish->fd = fcntl(verb->run == dump ? STDOUT_FILENO : STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		wish->fd = open(wish->file, verb->flags, 0600);
	return wish->fd >= 0 ? TRUE : fail_file(error, "cannot open", wish->file);
}

static int run(const struct settings *settings, struct wish *wish)
{
	const struct verb *verb = find_verb(wish->verb);
	g_autoptr(GError) error = NULL;
	struct database *database = database_new(settings, &error);
	int code = COMMAND_OK;

	if (database != NULL && database_private(database) == NULL)
		code = command_fail(COMMAND, COMMAND_CONFIG,
		    "database.url is set: use pg_dump(1) and pg_restore(1) as the owner of that database");
	else if (database == NULL || !open_file(wish, verb, &error) || !verb->run(database, wish, &error))
		code = command_fail(COMMAND, command_exit_of(error), "%s", error->message);
	database_free(database);
	return code;
}

/* Returns what is wrong with the arguments, or NULL. */
static const char *objection(const struct wish *wish, int argc)
{
	const struct verb *verb = find_verb(wish->verb);

	if (verb == NULL)
		return "say dump, restore or upgrade";
	if (argc != (verb->flags >= 0 ? 3 : 2))
		return verb->flags >= 0 ? "dump and restore take one file" : "upgrade takes no file";
	return wish->replace && verb->run != restore ? "--replace goes with restore" : NULL;
}

int command_database(const struct settings *settings, int argc, char **argv)
{
	struct wish wish = { .fd = -1 };
	const char *wrong;
	int code;
	const GOptionEntry entries[] = {
		{ "replace", 0, 0, G_OPTION_ARG_NONE, &wish.replace, NULL, NULL },
		G_OPTION_ENTRY_NULL,
	};

	if (!command_options(entries, &argc, &argv))
		return COMMAND_USAGE;
	wish.verb = argc > 1 ? argv[1] : NULL;
	wish.file = argc > 2 ? argv[2] : NULL;
	wrong = objection(&wish, argc);
	wish.user = identity_user_name(); /* before the process becomes another user */
	code = wrong != NULL ? command_fail(COMMAND, COMMAND_USAGE, "%s", wrong) : run(settings, &wish);
	g_free(wish.user);
	return code;
}
