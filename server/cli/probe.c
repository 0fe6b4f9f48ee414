#include "server/cli/probe.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "parser/error.h"

/* Always returns FALSE. A time limit of the socket ends a call with EAGAIN. */
static gboolean fail(GError **error, int code)
{
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "no answer: %s",
	    code == EAGAIN || code == EWOULDBLOCK
		? "the server accepts the connection but says nothing in time"
		: g_strerror(code));
	return FALSE;
}

/* Read until the end of the first line. */
static gboolean read_line(int fd, char *answer, gsize size, GError **error)
{
	gsize have = 0;

	while (have < size - 1 && memchr(answer, '\n', have) == NULL) {
		ssize_t n = read(fd, answer + have, size - 1 - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(error, errno);
		if (n == 0)
			break;
		have += (gsize)n;
	}
	answer[have] = '\0';
	answer[strcspn(answer, "\r\n")] = '\0';
	if (have > 0)
		return TRUE;
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "no answer: the server closed the connection");
	return FALSE;
}

gboolean probe_ask(int fd, const char *request, char *answer, gsize size, GError **error)
{
	gboolean good = TRUE;

	if (request != NULL && send(fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request))
		good = fail(error, errno);
	good = good && read_line(fd, answer, size, error);
	close(fd);
	return good;
}
