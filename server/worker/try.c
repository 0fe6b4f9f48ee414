#include "server/worker/try.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <signal.h>

#include "server/worker/sandbox.h"

/* Each returns -1 and sets errno if the call is refused. */

static long try_open(void)
{
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static long try_write_file(void)
{
	return open("/tmp/ruad-parse-was-here", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static long try_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

/* Try it on the only socket. */
static long try_connect(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
	return connect(SANDBOX_FD, (struct sockaddr *)&address, sizeof(address));
}

static long try_exec(void)
{
	char *const argv[] = { (char *)"true", NULL };
	return execve("/bin/true", argv, NULL);
}

static long try_fork(void)
{
	return fork();
}

static long try_ptrace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long try_kill(void)
{
	return kill(1, 0);
}

static long try_exec_memory(void)
{
	void *memory =
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return memory == MAP_FAILED ? -1 : 0;
}

static long try_raise_memory(void)
{
	const struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	return setrlimit(RLIMIT_AS, &limit);
}

static long try_raise_cpu(void)
{
	const struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	return setrlimit(RLIMIT_CPU, &limit);
}

static const struct {
	const char *name;
	long (*attempt)(void);
} attempts[] = {
	{ "open", try_open },
	{ "write-file", try_write_file },
	{ "socket", try_socket },
	{ "connect", try_connect },
	{ "exec", try_exec },
	{ "fork", try_fork },
	{ "ptrace", try_ptrace },
	{ "kill", try_kill },
	{ "exec-memory", try_exec_memory },
	{ "raise-memory", try_raise_memory },
	{ "raise-cpu", try_raise_cpu },
};

int try_forbidden(const char *what)
{
	for (gsize i = 0; i < G_N_ELEMENTS(attempts); i++) {
		if (!g_str_equal(attempts[i].name, what))
			continue;
		if (attempts[i].attempt() == -1) {
			fprintf(stderr, "refused: %s\n", g_strerror(errno));
			return 0;
		}
		fprintf(stderr, "done\n");
		return 1;
	}
	fprintf(stderr, "ruad-parse: nothing to try is called \"%s\"\n", what);
	return 2;
}
