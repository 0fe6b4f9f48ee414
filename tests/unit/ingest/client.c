#include "tests/unit/ingest/client.h"

#include <glib.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/unit/worker/cm.h"

#define PATIENCE 20000 /* milliseconds */

void client_say(int fd, const char *words)
{
	gsize size = strlen(words);

	while (size > 0) {
		ssize_t n = send(fd, words, size, MSG_NOSIGNAL);

		assert_true(n > 0);
		words += n;
		size -= (gsize)n;
	}
}

/* Read at most size bytes; returns 0 at the end. */
static gsize receive(int fd, char *bytes, gsize size)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	ssize_t n;

	if (poll(&ready, 1, PATIENCE) != 1)
		fail_msg("nothing was heard");
	n = recv(fd, bytes, size, 0);
	return n > 0 ? (gsize)n : 0;
}

void client_hears(int fd, const char *words)
{
	gsize size = strlen(words), had = 0;
	g_autofree char *heard = g_malloc0(size + 1);

	while (had < size) {
		gsize n = receive(fd, heard + had, size - had);

		if (n == 0)
			break;
		had += n;
	}
	assert_string_equal(heard, words);
}

void client_hears_the_end(int fd)
{
	char more[2] = "";

	if (receive(fd, more, 1) != 0)
		fail_msg("\"%s\" instead of the end", more);
}
