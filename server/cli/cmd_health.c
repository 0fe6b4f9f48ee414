/*
 * cmd_health.c - ruad health: is the ruad on this host ready? For Docker's HEALTHCHECK and scripts, without
 * curl.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "parser/error.h"
#include "server/cli/commands.h"
#include "server/common/net.h"

#define HEALTH_SECONDS 10 /* to connect, and between reads: Docker's own limit is 30 s */
#define ANSWER_MAX     64 /* bytes; only the status line matters */

static const char request[] = "GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n";

static gboolean fail(GError **error, const char *what)
{
	int code = errno;

	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "%s: %s", what, g_strerror(code));
	return FALSE;
}

/* Read the first line of the server's answer. */
static gboolean ask(int fd, char *answer, gsize size, GError **error)
{
	gsize have = 0;

	if (write(fd, request, strlen(request)) != (ssize_t)strlen(request))
		return fail(error, "cannot ask");
	while (have < size - 1 && memchr(answer, '\n', have) == NULL) {
		ssize_t n = read(fd, answer + have, size - 1 - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(error, "no answer");
		if (n == 0)
			break;
		have += (gsize)n;
	}
	answer[have] = '\0';
	answer[strcspn(answer, "\r\n")] = '\0';
	return TRUE;
}

static gboolean is_ready(const char *address, GError **error)
{
	char answer[ANSWER_MAX] = "";
	int fd = net_connect(address, HEALTH_SECONDS, error);
	gboolean good;

	if (fd < 0)
		return FALSE;
	good = ask(fd, answer, sizeof(answer), error);
	close(fd);
	if (!good)
		return FALSE;
	if (g_str_has_prefix(answer, "HTTP/1.") && strncmp(answer + strlen("HTTP/1.x"), " 200", 4) == 0)
		return TRUE;
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "not ready: \"%s\"", answer);
	return FALSE;
}

int command_health(const struct settings *settings, int argc, char **argv)
{
	const char *const *addresses = settings_list(settings, "http.health_listen");
	g_autoptr(GError) error = NULL;

	if (argc > 1)
		return command_fail("health", COMMAND_USAGE, "takes no operands, not \"%s\"", argv[1]);
	if (addresses[0] == NULL)
		addresses = settings_list(settings, "http.listen");
	if (addresses[0] == NULL)
		return command_fail("health", COMMAND_CONFIG, "http.listen is empty: nothing to ask");
	if (!is_ready(addresses[0], &error))
		return command_fail("health", COMMAND_FAILED, "%s", error->message);
	puts("ready");
	return COMMAND_OK;
}
