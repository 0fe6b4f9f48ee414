#include "server/worker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "parser/error.h"

#define NOBODY 65534

static gboolean fail(GError **error, const char *what)
{
	g_set_error(
	    error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "sandbox: could not %s: %s", what, g_strerror(errno));
	return FALSE;
}

/* -- descriptors and identity -- */

static gboolean close_descriptors(GError **error)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return fail(error, "open /dev/null");
	if (dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		return fail(error, "put /dev/null in the place of standard input and output");
	if (close_range(SANDBOX_FD + 1, ~0u, 0) != 0)
		return fail(error, "close descriptors");
	return TRUE;
}

static gboolean become_nobody(GError **error)
{
	if (geteuid() != 0 && getuid() != 0)
		return TRUE;
	if (setgroups(0, NULL) != 0)
		return fail(error, "give up groups");
	if (setresgid(NOBODY, NOBODY, NOBODY) != 0)
		return fail(error, "give up group root");
	if (setresuid(NOBODY, NOBODY, NOBODY) != 0)
		return fail(error, "give up user root");
	return TRUE;
}

static gboolean forbid_gain(GError **error)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fail(error, "set no_new_privs");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return fail(error, "clear dumpable");
	return TRUE;
}

/* -- Landlock -- */

/* The rights that Landlock can deny, as of its ABI 7; Debian 12's header ends at ABI 2. */
struct ruleset {
	guint64 fs;
	guint64 net;
	guint64 scoped;
};

/* Rights by the ABI that introduced them: linux/landlock.h of Linux 6.15. */
static const struct {
	int abi;
	struct ruleset rights;
} landlock_rights[] = {
	{ 1, { .fs = (1 << 13) - 1 } },       /* execute ... make_sym */
	{ 2, { .fs = 1 << 13 } },             /* refer */
	{ 3, { .fs = 1 << 14 } },             /* truncate */
	{ 4, { .net = 1 << 0 | 1 << 1 } },    /* bind, connect (TCP) */
	{ 5, { .fs = 1 << 15 } },             /* ioctl on devices */
	{ 6, { .scoped = 1 << 0 | 1 << 1 } }, /* abstract Unix sockets, signals */
};

static struct ruleset landlock_all(long abi)
{
	struct ruleset all = { 0 };
	for (gsize i = 0; i < G_N_ELEMENTS(landlock_rights); i++) {
		if (landlock_rights[i].abi > abi)
			break;
		all.fs |= landlock_rights[i].rights.fs;
		all.net |= landlock_rights[i].rights.net;
		all.scoped |= landlock_rights[i].rights.scoped;
	}
	return all;
}

/* Handle every right and grant none. The kernel accepts a longer structure than it knows if the rest is
 * zero. */
static gboolean deny_by_landlock(gboolean *landlock, GError **error)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	*landlock = abi > 0;
	if (abi < 0 && (errno == ENOSYS || errno == EOPNOTSUPP))
		return TRUE;
	if (abi < 0)
		return fail(error, "ask for Landlock");

	struct ruleset all = landlock_all(abi);
	long ruleset = syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
	if (ruleset < 0)
		return fail(error, "make a Landlock ruleset");
	long status = syscall(SYS_landlock_restrict_self, (int)ruleset, 0);
	if (status != 0)
		return fail(error, "enter Landlock");
	close((int)ruleset);
	return TRUE;
}

/* -- limits -- */

static gboolean set_limit(__rlimit_resource_t resource, guint64 value, const char *what, GError **error)
{
	struct rlimit now;
	if (getrlimit(resource, &now) != 0)
		return fail(error, what);
	rlim_t bound = now.rlim_max == RLIM_INFINITY ? (rlim_t)value : MIN((rlim_t)value, now.rlim_max);
	struct rlimit limit = { bound, bound };
	return setrlimit(resource, &limit) == 0 || fail(error, what);
}

static gboolean set_limits(const struct sandbox_limits *limits, GError **error)
{
	guint64 since = 0;

	if (!set_limit(RLIMIT_CORE, 0, "forbid core files", error) ||
	    !set_limit(RLIMIT_FSIZE, 0, "forbid to write files", error) ||
	    !set_limit(RLIMIT_NOFILE, 0, "forbid new descriptors", error))
		return FALSE;
#ifndef RUAD_SANITIZED
	if (!set_limit(RLIMIT_NPROC, 0, "forbid new processes", error))
		return FALSE;
	if (limits->memory > 0 && !set_limit(RLIMIT_AS, limits->memory, "bound the memory", error))
		return FALSE;
#endif
	return set_limit(RLIMIT_CPU, 3 * limits->cpu, "bound the processor time", error) &&
	       sandbox_renew_cpu(limits, &since, error);
}

/* Only the soft limit changes; the hard one cannot be raised any more. */
gboolean sandbox_renew_cpu(const struct sandbox_limits *limits, guint64 *since, GError **error)
{
	struct rusage usage;
	struct rlimit limit;
	if (getrusage(RUSAGE_SELF, &usage) != 0)
		return fail(error, "read the processor time");
	guint64 used = (guint64)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + 1;
	if (used == *since)
		return TRUE;
	if (getrlimit(RLIMIT_CPU, &limit) != 0)
		return fail(error, "read the bound of processor time");
	limit.rlim_cur = MIN((rlim_t)used + limits->cpu, limit.rlim_max);
	if (setrlimit(RLIMIT_CPU, &limit) != 0)
		return fail(error, "bound the processor time");
	*since = used;
	return TRUE;
}

/* -- seccomp -- */

/* The calls that computing needs: memory, locks, open descriptors, and exit. */
static const int allowed[] = {
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(close),
	SCMP_SYS(lseek),
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(futex),
	SCMP_SYS(sched_yield),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(getrandom),
	SCMP_SYS(getrusage),
	SCMP_SYS(sysinfo),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
#ifdef RUAD_SANITIZED
	/* The sanitizers read their own maps, name the stack and create threads to report findings. */
	SCMP_SYS(sigaltstack),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(prctl),
	SCMP_SYS(dup),
	SCMP_SYS(pipe2),
	SCMP_SYS(getppid),
	SCMP_SYS(uname),
	SCMP_SYS(sched_getparam),
	SCMP_SYS(mincore),
#endif
};

/* Calls that libraries make but can do without (iconv looks for tables, stdio for a terminal, GLib's log for
 * the journal). */
static const struct {
	int call;
	guint16 answer; /* errno */
} refused[] = {
	{ SCMP_SYS(open), EACCES },
	{ SCMP_SYS(openat), EACCES },
	{ SCMP_SYS(openat2), EACCES },
	{ SCMP_SYS(creat), EACCES },
	{ SCMP_SYS(access), EACCES },
	{ SCMP_SYS(faccessat), EACCES },
	{ SCMP_SYS(faccessat2), EACCES },
	{ SCMP_SYS(stat), EACCES },
	{ SCMP_SYS(lstat), EACCES },
	{ SCMP_SYS(fstat), EACCES },
	{ SCMP_SYS(newfstatat), EACCES },
	{ SCMP_SYS(statx), EACCES },
	{ SCMP_SYS(readlink), EACCES },
	{ SCMP_SYS(readlinkat), EACCES },
	{ SCMP_SYS(getcwd), EACCES },
	{ SCMP_SYS(ioctl), ENOTTY },
	{ SCMP_SYS(fcntl), EPERM },
	{ SCMP_SYS(getpeername), ENOTSOCK },
#ifndef RUAD_SANITIZED
	{ SCMP_SYS(sched_getaffinity), EPERM },
#endif
};

static int add_plain_rules(scmp_filter_ctx filter)
{
	int status = 0;
	for (gsize i = 0; status == 0 && i < G_N_ELEMENTS(allowed); i++)
		status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	for (gsize i = 0; status == 0 && i < G_N_ELEMENTS(refused); i++)
		status = seccomp_rule_add(filter, SCMP_ACT_ERRNO(refused[i].answer), refused[i].call, 0);
	return status;
}

/* Memory, but not executable; limits, but only of our own processor time; signals, but only to ourselves. */
static int add_argument_rules(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp no_exec = {
		.arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = PROT_EXEC, .datum_b = 0
	};
	const struct scmp_arg_cmp self = { .arg = 0, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)getpid() };
	const struct scmp_arg_cmp caller = { .arg = 0, .op = SCMP_CMP_EQ, .datum_a = 0 };
	const struct scmp_arg_cmp cpu = { .arg = 1, .op = SCMP_CMP_EQ, .datum_a = RLIMIT_CPU };

	int status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, no_exec);
	if (status == 0)
		status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, no_exec);
	if (status == 0)
		status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, self);
	if (status == 0)
		status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2, caller, cpu);
	return status;
}

static gboolean deny_by_seccomp(GError **error)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (filter == NULL)
		return fail(error, "make a seccomp filter");
	int status = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (status == 0)
		status = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (status == 0)
		status = add_plain_rules(filter);
	if (status == 0)
		status = add_argument_rules(filter);
	if (status == 0)
		status = seccomp_load(filter);
	seccomp_release(filter);
	errno = -status;
	return status == 0 || fail(error, "load the seccomp filter");
}

/* Landlock needs a descriptor, so it comes before the limits; seccomp forbids all of this and comes last. */
gboolean sandbox_enter(const struct sandbox_limits *limits, gboolean *landlock, GError **error)
{
	signal(SIGPIPE, SIG_IGN); /* so that a write fails with an error */
	signal(SIGXFSZ, SIG_IGN); /* standard error may be a file */
	return close_descriptors(error) && become_nobody(error) && forbid_gain(error) &&
	       deny_by_landlock(landlock, error) && set_limits(limits, error) && deny_by_seccomp(error);
}
