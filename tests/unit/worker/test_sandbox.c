/*
 * Attempts everything that the sandbox forbids. Each attempt must fail with an errno or end in death by
 * SIGSYS; Landlock is also tested alone, since seccomp would hide its absence.
 *
 * The file under test is included, so that each layer can be tested alone.
 */
#include "server/worker/sandbox.c" /* NOLINT(bugprone-suspicious-include) */

#include <arpa/inet.h>
#include <iconv.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/unit/worker/cm.h"

static const char *ruad_parse;

#ifdef RUAD_SANITIZED
#define SKIP_SANITIZED()                                                                                     \
	do {                                                                                                 \
		print_message("not under sanitizers, which need what the sandbox forbids\n");                \
		skip();                                                                                      \
	} while (0)
#else
#define SKIP_SANITIZED() (void)0
#endif

/* -- the complete sandbox, in the real program -- */

/* Run ruad-parse with option and fd as descriptor 3; its standard error goes to words. */
static int run_worker(const char *option, int fd, char *words, gsize size)
{
	int out[2];
	assert_int_equal(pipe(out), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(out[1], STDERR_FILENO);
		dup2(fd, SANDBOX_FD);
		execl(ruad_parse, ruad_parse, option, NULL);
		_exit(127);
	}
	close(out[1]);
	gsize got = 0;
	ssize_t n;
	while ((n = read(out[0], words + got, size - 1 - got)) > 0)
		got += (gsize)n;
	words[got] = '\0';
	close(out[0]);
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static gboolean was_refused(int status, const char *words)
{
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS;
	return WEXITSTATUS(status) == 0 && strstr(words, "refused: ") != NULL &&
	       (strstr(words, "Permission denied") != NULL ||
		   strstr(words, "Operation not permitted") != NULL);
}

static void everything_forbidden_is_refused(void **state)
{
	(void)state;
	static const char *const options[] = { "--try=open", "--try=write-file", "--try=socket",
		"--try=connect", "--try=exec", "--try=fork", "--try=ptrace", "--try=kill",
		"--try=exec-memory", "--try=raise-memory", "--try=raise-cpu" };
	char words[4096];
	SKIP_SANITIZED();
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	for (gsize i = 0; i < G_N_ELEMENTS(options); i++) {
		int status = run_worker(options[i], fd, words, sizeof(words));
		if (!was_refused(status, words))
			fail_msg("%s: status %#x: %s", options[i], (guint)status, words);
	}
	close(fd);
	assert_int_equal(access("/tmp/ruad-parse-was-here", F_OK), -1);
}

static void an_unknown_attempt_or_option_is_an_error(void **state)
{
	(void)state;
	char words[4096];
	int fd = open("/dev/null", O_RDWR);
	int status = run_worker("--try=nothing", fd, words, sizeof(words));
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 2);
	status = run_worker("--no-such-option", fd, words, sizeof(words));
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	assert_non_null(strstr(words, "no-such-option"));
	close(fd);
}

/* -- its layers, one at a time, in a child -- */

static int in_child(int (*act)(void))
{
	int status;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		_exit(act());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void assert_exit(int status, int want, const char *what)
{
	if (!WIFEXITED(status) || WEXITSTATUS(status) != want)
		fail_msg("%s: status %#x", what, (guint)status);
}

enum { NO_LANDLOCK = 77 };

static gboolean only_landlock(void)
{
	gboolean landlock;
	if (!forbid_gain(NULL) || !deny_by_landlock(&landlock, NULL))
		_exit(70);
	if (!landlock)
		_exit(NO_LANDLOCK);
	return TRUE;
}

static int landlock_open(void)
{
	(void)only_landlock();
	return open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES &&
		       open("/", O_RDONLY | O_DIRECTORY) < 0 && errno == EACCES
		   ? 0
		   : 1;
}

static int landlock_create(void)
{
	(void)only_landlock();
	return open("/tmp/ruad-parse-was-here", O_WRONLY | O_CREAT, 0600) < 0 && errno == EACCES ? 0 : 1;
}

static int landlock_exec(void)
{
	char *const argv[] = { (char *)"true", NULL };
	(void)only_landlock();
	execve("/bin/true", argv, NULL);
	return errno == EACCES ? 0 : 1;
}

static long landlock_abi(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

/* From ABI 4. */
static int landlock_connect(void)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
	if (landlock_abi() < 4)
		return NO_LANDLOCK;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	(void)only_landlock();
	return connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 && errno == EACCES ? 0 : 1;
}

/* From ABI 6. */
static int landlock_signal(void)
{
	if (landlock_abi() < 6)
		return NO_LANDLOCK;
	(void)only_landlock();
	return kill(getppid(), 0) < 0 && errno == EPERM ? 0 : 1;
}

static void landlock_alone_denies(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int (*act)(void);
	} rows[] = { { "open", landlock_open }, { "create", landlock_create }, { "exec", landlock_exec },
		{ "connect", landlock_connect }, { "signal", landlock_signal } };
	SKIP_SANITIZED();
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		int status = in_child(rows[i].act);
		if (WIFEXITED(status) && WEXITSTATUS(status) == NO_LANDLOCK)
			print_message(
			    "%s: this kernel's Landlock (ABI %ld) cannot\n", rows[i].name, landlock_abi());
		else
			assert_exit(status, 0, rows[i].name);
	}
}

static int seccomp_open(void)
{
	if (!forbid_gain(NULL) || !deny_by_seccomp(NULL))
		return 70;
	return open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES ? 0 : 1;
}

static int seccomp_socket(void)
{
	if (!forbid_gain(NULL) || !deny_by_seccomp(NULL))
		return 70;
	(void)socket(AF_INET, SOCK_STREAM, 0);
	return 1;
}

static void seccomp_alone_denies(void **state)
{
	(void)state;
	SKIP_SANITIZED();
	assert_exit(in_child(seccomp_open), 0, "open");
	int status = in_child(seccomp_socket);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

static int compare(const void *a, const void *b)
{
	return *(const guint8 *)a - *(const guint8 *)b;
}

/* Calls that libraries make on their own. */
static int in_passing(void)
{
	const struct sandbox_limits limits = { .memory = G_GUINT64_CONSTANT(1) << 30, .cpu = 10 };
	static guint8 large[8 * 1024 * 1024];
	time_t now = 0;
	gboolean landlock;
	if (!sandbox_enter(&limits, &landlock, NULL))
		return 70;
	g_message("a line of GLib's log");
	printf("%s\n", ctime(&now));
	fflush(stdout);
	qsort(large, sizeof(large), 1, compare);
	iconv_t conversion = iconv_open("UTF-8", "EUC-JISX0213");
	g_free(g_malloc(64 * 1024 * 1024));
	g_free(g_get_current_dir());
	return conversion == (iconv_t)-1 ? 0 : 1;
}

static void what_libraries_do_in_passing_does_no_harm(void **state)
{
	(void)state;
	SKIP_SANITIZED();
	assert_exit(in_child(in_passing), 0, "in passing");
}

static int aborts(void)
{
	const struct sandbox_limits limits = { .cpu = 10 };
	gboolean landlock;
	if (!sandbox_enter(&limits, &landlock, NULL))
		return 70;
	abort();
}

static void an_abort_is_told_from_a_forbidden_call(void **state)
{
	(void)state;
	SKIP_SANITIZED();
	int status = in_child(aborts);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static int root_is_given_up(void)
{
	gid_t groups[1];
	uid_t real, effective, saved;
	if (!become_nobody(NULL) || getresuid(&real, &effective, &saved) != 0)
		return 70;
	if (real != NOBODY || effective != NOBODY || saved != NOBODY || getegid() != NOBODY)
		return 1;
	return getgroups(1, groups) == 0 && setuid(0) < 0 ? 0 : 2;
}

static void root_becomes_nobody(void **state)
{
	(void)state;
	if (getuid() != 0) {
		print_message("not root: nothing to give up\n");
		skip();
	}
	assert_exit(in_child(root_is_given_up), 0, "root");
}

static int descriptors_are_closed(void)
{
	int high = fcntl(STDERR_FILENO, F_DUPFD, 200);
	(void)dup2(STDERR_FILENO, SANDBOX_FD);
	if (high < 0 || !close_descriptors(NULL))
		return 70;
	return fcntl(high, F_GETFD) < 0 && fcntl(SANDBOX_FD + 1, F_GETFD) < 0 &&
		       fcntl(SANDBOX_FD, F_GETFD) >= 0 && read(STDIN_FILENO, &high, 1) == 0
		   ? 0
		   : 1;
}

static void other_descriptors_are_closed(void **state)
{
	(void)state;
	assert_exit(in_child(descriptors_are_closed), 0, "descriptors");
}

/* -- each of its steps, if the kernel refuses it -- */

/* A system call that a step makes: all calls of it, those of prctl(value, ...), or those that set limit
 * value. */
struct step {
	const char *name; /* in the error */
	scmp_datum_t value;
	int call;
	gboolean of_root; /* only root takes it */
};

static const struct step steps[] = {
	{ "open /dev/null", 0, SCMP_SYS(openat), FALSE },
	{ "close descriptors", 0, SCMP_SYS(close_range), FALSE },
	{ "give up groups", 0, SCMP_SYS(setgroups), TRUE },
	{ "give up group root", 0, SCMP_SYS(setresgid), TRUE },
	{ "give up user root", 0, SCMP_SYS(setresuid), TRUE },
	{ "set no_new_privs", PR_SET_NO_NEW_PRIVS, SCMP_SYS(prctl), FALSE },
	{ "clear dumpable", PR_SET_DUMPABLE, SCMP_SYS(prctl), FALSE },
	{ "ask for Landlock", 0, SCMP_SYS(landlock_create_ruleset), FALSE },
	{ "enter Landlock", 0, SCMP_SYS(landlock_restrict_self), FALSE },
	{ "forbid core files", RLIMIT_CORE, SCMP_SYS(prlimit64), FALSE },
	{ "forbid to write files", RLIMIT_FSIZE, SCMP_SYS(prlimit64), FALSE },
	{ "forbid new descriptors", RLIMIT_NOFILE, SCMP_SYS(prlimit64), FALSE },
	{ "forbid new processes", RLIMIT_NPROC, SCMP_SYS(prlimit64), FALSE },
	{ "bound the memory", RLIMIT_AS, SCMP_SYS(prlimit64), FALSE },
	{ "bound the processor time", RLIMIT_CPU, SCMP_SYS(prlimit64), FALSE },
	{ "load the seccomp filter", 0, SCMP_SYS(seccomp), FALSE },
};
static const struct step *refused_step;

static gboolean refuse(const struct step *step)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	const struct scmp_arg_cmp args[] = {
		{ .arg = step->call == SCMP_SYS(prctl) ? 0 : 1, .op = SCMP_CMP_EQ, .datum_a = step->value },
		{ .arg = 2, .op = SCMP_CMP_NE, .datum_a = 0 },
	};
	guint n = step->call == SCMP_SYS(prctl) ? 1 : step->call == SCMP_SYS(prlimit64) ? 2 : 0;
	gboolean ok = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), step->call, n, args) == 0 &&
		      seccomp_load(filter) == 0;

	seccomp_release(filter);
	return ok;
}

static int step_is_refused(void)
{
	const struct sandbox_limits limits = { .memory = G_GUINT64_CONSTANT(1) << 30, .cpu = 10 };
	GError *error = NULL;
	gboolean landlock;

	if (!refuse(refused_step))
		return 70;
	if (sandbox_enter(&limits, &landlock, &error))
		return 1;
	return error != NULL && strstr(error->message, refused_step->name) != NULL ? 0 : 2;
}

static void a_step_that_the_kernel_refuses_is_an_error(void **state)
{
	(void)state;
	SKIP_SANITIZED();
	for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
		if (steps[i].of_root && getuid() != 0)
			continue;
		if (steps[i].call == SCMP_SYS(landlock_restrict_self) && landlock_abi() < 1)
			continue;
		refused_step = &steps[i];
		assert_exit(in_child(step_is_refused), 0, steps[i].name);
	}
}

/* -- limits -- */

static int memory_is_bounded(void)
{
	const struct sandbox_limits limits = { .memory = 256 * 1024 * 1024, .cpu = 10 };
	if (!set_limits(&limits, NULL))
		return 70;
	g_autofree char *memory = g_try_malloc(300 * 1024 * 1024);
	return memory == NULL ? 0 : 1;
}

static int processor_time_is_bounded(void)
{
	const struct sandbox_limits limits = { .cpu = 1 };
	if (!set_limits(&limits, NULL))
		return 70;
	for (volatile guint64 i = 0;; i++)
		;
}

static void memory_and_processor_time_are_bounded(void **state)
{
	(void)state;
	SKIP_SANITIZED();
	assert_exit(in_child(memory_is_bounded), 0, "memory");
	int status = in_child(processor_time_is_bounded);
	assert_true(WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_forbidden_is_refused),
		cmocka_unit_test(an_unknown_attempt_or_option_is_an_error),
		cmocka_unit_test(landlock_alone_denies),
		cmocka_unit_test(seccomp_alone_denies),
		cmocka_unit_test(what_libraries_do_in_passing_does_no_harm),
		cmocka_unit_test(an_abort_is_told_from_a_forbidden_call),
		cmocka_unit_test(root_becomes_nobody),
		cmocka_unit_test(other_descriptors_are_closed),
		cmocka_unit_test(a_step_that_the_kernel_refuses_is_an_error),
		cmocka_unit_test(memory_and_processor_time_are_bounded),
	};
	if (argc != 2)
		return 2;
	ruad_parse = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
