#include "server/cli/programs.h"

#include <signal.h>
#include <string.h>

#include "server/cli/commands.h"
#include "server/common/log.h"
#include "server/common/net.h"
#include "server/common/paths.h"
#include "server/fetch/account.h"
#include "server/notify/destinations.h"
#include "server/web/auth.h"

#define ENRICH        "ruad-enrich"
#define FETCH         "ruad-fetch"
#define FETCH_MAILDIR FETCH " maildir"
#define NOTIFY        "ruad-notify"
#define PRUNE_AFTER   10             /* seconds: the mail server's queue comes first */
#define PRUNE_EVERY   (24 * 60 * 60) /* seconds */

/* What starts a program that serves sockets. */
struct program {
	const char *program;
	const char *role;
	const char *sections[4]; /* of the settings, for its environment */
	const char *request;     /* that it answers when it runs; NULL: it greets every client */
};

static const struct program services[SERVICES] = {
	[SERVICE_INGEST] = { "ruad-ingest", "ruad_ingest", { "lmtp", "parser", "retention", NULL }, NULL },
	[SERVICE_WEB] = { "ruad-web", "ruad_web", { "http", "lmtp", NULL },
	    "GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n" },
};

const char *programs_name(enum service s)
{
	return services[s].program;
}

const char *programs_request(enum service s)
{
	return services[s].request;
}

/* -- what a program gets -- */

/* The part of our environment that programs need: paths, and the variables of libpq and the sanitizers. */
static char **base_environment(void)
{
	static const char *const kept[] = { "PATH", "HOME", "TZ", "TMPDIR", "RUAD_LIBEXEC",
		LOG_VERBOSE_VARIABLE };
	static const char *const prefixes[] = { "PG", "ASAN_", "UBSAN_", "LSAN_", "TSAN_" };
	g_auto(GStrv) names = g_listenv();
	char **envp = g_environ_setenv(NULL, "LC_ALL", "C.UTF-8", TRUE);

	for (gsize i = 0; names[i] != NULL; i++) {
		gboolean keep = FALSE;

		for (gsize k = 0; k < G_N_ELEMENTS(kept); k++)
			keep = keep || g_str_equal(names[i], kept[k]);
		for (gsize k = 0; k < G_N_ELEMENTS(prefixes); k++)
			keep = keep || g_str_has_prefix(names[i], prefixes[k]);
		if (keep)
			envp = g_environ_setenv(envp, names[i], g_getenv(names[i]), TRUE);
	}
	if (command_verbose())
		envp = g_environ_setenv(envp, LOG_VERBOSE_VARIABLE, "1", TRUE);
	return envp;
}

/* The only right to write that ruad-web may have: setting labels, if http.editors names a user, or users sign
 * in, whom `ruad user` can make editors at any time. */
static char **with_editor(const struct programs *programs, char **envp)
{
	g_autofree char *conninfo = NULL;

	if (settings_list(programs->settings, "http.editors")[0] == NULL &&
	    settings_choice(programs->settings, "http.auth") == AUTH_NONE)
		return envp;
	conninfo = database_role_conninfo(programs->database, "ruad_editor");
	return g_environ_setenv(envp, "RUAD_DATABASE_EDIT_URL", conninfo, TRUE);
}

/* The environment of a program: the settings of its sections, and a database that it enters with one role.
 * Transfer full. */
static char **environment_for(const struct programs *programs, const char *const *sections, const char *role)
{
	g_autofree char *conninfo = database_role_conninfo(programs->database, role);
	char **envp = settings_environment(programs->settings, sections, base_environment());

	return g_environ_setenv(envp, "RUAD_DATABASE_URL", conninfo, TRUE);
}

static void add_vitals(const struct programs *programs, GArray *fds, GStrvBuilder *words)
{
	supervisor_pass(fds, words, "--vitals-fd", programs->vitals_fd);
}

static void add_errands(const struct programs *programs, GArray *fds, GStrvBuilder *words)
{
	supervisor_pass(fds, words, "--errands-fd", programs->errands_fd);
}

/* A program with an errand has a row of its own in the memory for errands. If there are too many, it is not
 * counted. */
static void add_errand(const struct programs *programs, const char *name, GArray *fds, GStrvBuilder *words)
{
	int number = errands_name(programs->errands, name);
	g_autofree char *errand = g_strdup_printf("--errand=%d", number);

	if (number < 0)
		return;
	add_errands(programs, fds, words);
	g_strv_builder_add(words, errand);
}

/* Programs watch the disk of our own cluster; that of another server is out of their sight. */
static void add_storage(const struct programs *programs, gboolean with_min_free, GStrvBuilder *words)
{
	g_autofree char *folder =
	    g_strdup_printf("--storage=%s", settings_string(programs->settings, "server.state_dir"));
	g_autofree char *min_free = g_strdup_printf(
	    "--min-free=%" G_GUINT64_FORMAT, settings_size(programs->settings, "server.min_free"));

	if (database_private(programs->database) == NULL)
		return;
	g_strv_builder_add(words, folder);
	if (with_min_free)
		g_strv_builder_add(words, min_free);
}

/* Uploads are passed on by LMTP, like mail. */
static void add_lmtp(const struct programs *programs, GStrvBuilder *words)
{
	g_autofree char *address = net_address_of(sockets_first(programs->sockets, SERVICE_INGEST));
	g_autofree char *word = address != NULL ? g_strdup_printf("--lmtp=%s", address) : NULL;

	if (word != NULL)
		g_strv_builder_add(words, word);
}

/* -- each program -- */

/* Start a program with these words and descriptors (NULL: none), and restart it when it ends. */
static void start_program(const struct programs *programs, const char *name, const char *const *argv,
    char **envp, const GArray *fds)
{
	supervisor_start(
	    programs->supervisor, &(struct child_spec){ .name = name,
				      .argv = argv,
				      .envp = (const char *const *)envp,
				      .folder = "/",
				      .fds = fds != NULL ? (const int *)(gpointer)fds->data : NULL,
				      .n_fds = fds != NULL ? fds->len : 0,
				      .stop_signal = SIGTERM });
}

static void start_service(const struct programs *programs, enum service s)
{
	const struct program *service = &services[s];
	g_auto(GStrv) envp = environment_for(programs, service->sections, service->role);
	g_autoptr(GStrvBuilder) words = g_strv_builder_new();
	g_autoptr(GArray) fds = g_array_new(FALSE, FALSE, sizeof(int));
	g_autofree char *program = paths_libexec(service->program);
	g_auto(GStrv) argv = NULL;

	g_strv_builder_add(words, program);
	sockets_pass(programs->sockets, s, fds, words);
	add_vitals(programs, fds, words);
	add_storage(programs, s == SERVICE_WEB, words);
	if (s == SERVICE_WEB) {
		envp = with_editor(programs, envp);
		add_errands(programs, fds, words);
		add_lmtp(programs, words);
	}
	argv = g_strv_builder_end(words);
	start_program(programs, service->program, (const char *const *)argv, envp, fds);
}

void programs_start_services(const struct programs *programs)
{
	for (gsize s = 0; s < SERVICES; s++)
		start_service(programs, (enum service)s);
}

/* Start ruad prune, with no more rights than the services. */
static void start_prune(const struct programs *programs)
{
	static const char *const sections[] = { "retention", NULL };
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	g_auto(GStrv) envp = environment_for(programs, sections, "ruad_owner");
	const char *const argv[] = { self, "prune", "--quiet", NULL };

	if (self == NULL)
		return;
	supervisor_start(programs->supervisor, &(struct child_spec){ .name = "ruad prune",
						   .argv = argv,
						   .envp = (const char *const *)envp,
						   .folder = "/",
						   .stop_signal = SIGTERM,
						   .every = PRUNE_EVERY,
						   .after = PRUNE_AFTER });
}

static void start_enrich(const struct programs *programs)
{
	static const char *const sections[] = { "enrich", "lmtp", NULL };
	g_autofree char *program = paths_libexec(ENRICH);
	g_auto(GStrv) envp = environment_for(programs, sections, "ruad_enrich");
	const char *const argv[] = { program, NULL };

	if (!settings_bool(programs->settings, "enrich.enabled"))
		return;
	start_program(programs, ENRICH, argv, envp, NULL);
}

/* Only if notices or digests have a destination. */
static void start_notify(const struct programs *programs)
{
	static const char *const sections[] = { "notify", "digest", "retention", NULL };
	g_autofree char *program = paths_libexec(NOTIFY);
	g_auto(GStrv) envp = settings_environment_named(
	    programs->settings, "digest", environment_for(programs, sections, "ruad_notify"));
	g_auto(GStrv) destinations = destinations_all(programs->settings);
	g_autoptr(GStrvBuilder) words = g_strv_builder_new();
	g_autoptr(GArray) fds = g_array_new(FALSE, FALSE, sizeof(int));
	g_auto(GStrv) argv = NULL;

	if (destinations[0] == NULL)
		return;
	g_strv_builder_add(words, program);
	add_vitals(programs, fds, words);
	add_errand(programs, ERRAND_NOTIFY, fds, words);
	add_storage(programs, TRUE, words);
	argv = g_strv_builder_end(words);
	start_program(programs, NOTIFY, (const char *const *)argv, envp, fds);
}

/* Remove what libpq reads. */
static char **without_database(char **envp)
{
	g_auto(GStrv) names = g_listenv();

	for (gsize i = 0; names[i] != NULL; i++)
		if (g_str_has_prefix(names[i], "PG"))
			envp = g_environ_unsetenv(envp, names[i]);
	return envp;
}

/* Start ruad-fetch for one kind of source ("imap", "maildir"): it gets the settings of this section, and
 * where to hand mails over, but no database. */
static void start_fetch(
    const struct programs *programs, const struct settings *settings, const char *source, const char *name)
{
	const char *const sections[] = { source, "lmtp", NULL };
	g_autofree char *program = paths_libexec(FETCH);
	g_autofree char *address = net_address_of(sockets_first(programs->sockets, SERVICE_INGEST));
	g_autofree char *lmtp = g_strconcat("--lmtp=", address, NULL);
	g_autofree char *storage =
	    g_strconcat("--storage=", settings_string(settings, "server.state_dir"), NULL);
	g_auto(GStrv) envp = settings_environment(settings, sections, without_database(base_environment()));
	g_autoptr(GStrvBuilder) words = g_strv_builder_new();
	g_autoptr(GArray) fds = g_array_new(FALSE, FALSE, sizeof(int));
	g_auto(GStrv) argv = NULL;

	g_strv_builder_add_many(words, program, lmtp, storage, NULL);
	add_errand(programs, name + strlen(FETCH " "), fds, words);
	g_strv_builder_add(words, source);
	argv = g_strv_builder_end(words);
	start_program(programs, name, (const char *const *)argv, envp, fds);
}

/* The name of the program that fetches from an account. Transfer full. */
static char *fetch_name(const struct settings *account)
{
	return settings_name(account) == NULL ? g_strdup(FETCH " imap")
					      : g_strconcat(FETCH " imap ", settings_name(account), NULL);
}

/* Each account has a process of its own, so that none waits for another. */
static void start_fetchers(const struct programs *programs)
{
	g_autoptr(GPtrArray) accounts = settings_sections(programs->settings, "imap");

	for (guint i = 0; i < accounts->len; i++) {
		g_autofree char *name = fetch_name(accounts->pdata[i]);

		if (account_is_set(accounts->pdata[i]))
			start_fetch(programs, accounts->pdata[i], "imap", name);
	}
	if (settings_list(programs->settings, "maildir.path")[0] != NULL)
		start_fetch(programs, programs->settings, "maildir", FETCH_MAILDIR);
}

static void before_postgres(gpointer postgres)
{
	g_autoptr(GError) error = NULL;

	if (!postgres_end_backends(postgres, &error))
		log_warning("%s", error->message);
}

void programs_start_postgres(const struct programs *programs)
{
	struct postgres *postgres = database_private(programs->database);

	supervisor_start(programs->supervisor, &(struct child_spec){ .name = PROGRAMS_POSTGRES,
						   .argv = postgres_argv(postgres),
						   .envp = postgres_envp(postgres),
						   .folder = postgres_folder(postgres),
						   .stop_signal = SIGINT,
						   .is_base = TRUE,
						   .before = before_postgres,
						   .before_user = postgres });
}

void programs_start_others(const struct programs *programs)
{
	start_prune(programs);
	start_enrich(programs);
	start_notify(programs);
	start_fetchers(programs);
}

void programs_hang_up(const struct programs *programs)
{
	g_autoptr(GPtrArray) accounts = settings_sections(programs->settings, "imap");

	supervisor_signal(programs->supervisor, ENRICH, SIGHUP);
	supervisor_signal(programs->supervisor, NOTIFY, SIGHUP);
	supervisor_signal(programs->supervisor, FETCH_MAILDIR, SIGHUP);
	for (guint i = 0; i < accounts->len; i++) {
		g_autofree char *name = fetch_name(accounts->pdata[i]);

		supervisor_signal(programs->supervisor, name, SIGHUP);
	}
}
