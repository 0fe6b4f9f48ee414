/*
 * cmd_health.c - ruad health: is the ruad on this host ready? For Docker's HEALTHCHECK and scripts, without
 * curl.
 */
#include <stdio.h>
#include <string.h>

#include "parser/error.h"
#include "server/cli/commands.h"
#include "server/cli/probe.h"
#include "server/common/net.h"

#define HEALTH_SECONDS 10 /* to connect, and between reads: Docker's own limit is 30 s */
#define ANSWER_MAX     64 /* bytes; only the status line matters */

static const char request[] = "GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n";

static gboolean is_ready(const char *address, GError **error)
{
	char answer[ANSWER_MAX] = "";
	int fd = net_connect(address, HEALTH_SECONDS, error);

	if (fd < 0)
		return FALSE;
	if (!probe_ask(fd, request, answer, sizeof(answer), error)) {
		g_prefix_error(error, "the page at %s: ", address);
		return FALSE;
	}
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
