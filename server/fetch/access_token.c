#include "server/fetch/access_token.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "parser/error.h"

#define SETTINGS_PREFIX "RUAD_"

/* Always returns FALSE. */
static gboolean fail(GError **error, const char *what)
{
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "imap.token_command: %s", what);
	return FALSE;
}

/* The password of another account or the like is none of the command's business. */
static char **environment(void)
{
	char **envp = g_get_environ();
	g_auto(GStrv) names = g_listenv();

	for (gsize i = 0; names[i] != NULL; i++)
		if (g_str_has_prefix(names[i], SETTINGS_PREFIX))
			envp = g_environ_unsetenv(envp, names[i]);
	return envp;
}

/* Read all that fd gives until its end. */
static gboolean read_all(int fd, GString *output, gint64 deadline, GError **error)
{
	for (;;) {
		gint64 left = (deadline - g_get_monotonic_time()) / 1000;
		struct pollfd one = { .fd = fd, .events = POLLIN };
		char buffer[1024];
		ssize_t n;

		if (left <= 0)
			return fail(error, "it does not end in time");
		if (poll(&one, 1, (int)left) <= 0)
			continue;
		n = read(fd, buffer, sizeof buffer);
		if (n == 0)
			return TRUE;
		if (n < 0)
			return errno == EINTR || fail(error, g_strerror(errno));
		g_string_append_len(output, buffer, n);
		if (output->len > ACCESS_TOKEN_MAX)
			return fail(error, "it prints more than a token");
	}
}

/* End a command of which no more is wanted. */
static gboolean reap(GPid pid, gboolean kill_it, GError **error)
{
	int status = 0;

	if (kill_it)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (kill_it)
		return FALSE;
	return status == 0 || fail(error, "it failed");
}

/* A token is visible ASCII without white space (RFC 6750 section 2.1); it becomes part of a command. */
static gboolean check(const char *token, GError **error)
{
	if (*token == '\0')
		return fail(error, "it prints nothing");
	for (const char *c = token; *c != '\0'; c++)
		if (!g_ascii_isgraph(*c))
			return fail(error, "what it prints is not a token");
	return TRUE;
}

char *access_token_get(char *const *argv, GError **error)
{
	gint64 deadline = g_get_monotonic_time() + ACCESS_TOKEN_SECONDS * G_TIME_SPAN_SECOND;
	g_auto(GStrv) envp = environment();
	g_autoptr(GString) output = g_string_new(NULL);
	g_autoptr(GError) cause = NULL;
	gboolean complete;
	GPid pid = 0;
	int fd = -1;

	if (!g_spawn_async_with_pipes(NULL, (char **)argv, envp,
		G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH, NULL, NULL, &pid, NULL, &fd, NULL, &cause)) {
		(void)fail(error, cause->message);
		return NULL;
	}
	complete = read_all(fd, output, deadline, error);
	close(fd);
	if (!reap(pid, !complete, error))
		return NULL;
	g_strstrip(output->str);
	return check(output->str, error) ? g_strdup(output->str) : NULL;
}
