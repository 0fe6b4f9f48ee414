#include "server/database/postgres_remains.h"

#include <signal.h>
#include <stdlib.h>

#define POLL         (50 * 1000) /* microseconds */
#define QUIT_SECONDS 2           /* a backend that handles SIGQUIT ends at once */
#define KILL_SECONDS 2           /* for the kernel to free what a killed one had */

static gboolean works_in(const char *pid, const char *data)
{
	g_autofree char *link = g_build_filename("/proc", pid, "cwd", NULL);
	g_autofree char *comm_path = g_build_filename("/proc", pid, "comm", NULL);
	g_autofree char *folder = g_file_read_link(link, NULL);
	g_autofree char *comm = NULL;

	return g_strcmp0(folder, data) == 0 && g_file_get_contents(comm_path, &comm, NULL, NULL) &&
	       g_str_has_prefix(comm, "postgres");
}

/* The process IDs: an array of int, transfer full. */
static GArray *find_all(const char *data)
{
	g_autoptr(GDir) proc = g_dir_open("/proc", 0, NULL);
	char *real = realpath(data, NULL);
	GArray *found = g_array_new(FALSE, FALSE, sizeof(int));
	const char *name;

	while (real != NULL && proc != NULL && (name = g_dir_read_name(proc)) != NULL) {
		int pid = (int)g_ascii_strtoll(name, NULL, 10);

		if (pid > 0 && works_in(name, real))
			g_array_append_val(found, pid);
	}
	free(real);
	return found;
}

int postgres_remains_find(const char *data)
{
	g_autoptr(GArray) found = find_all(data);

	return found->len == 0 ? 0 : g_array_index(found, int, 0);
}

gboolean postgres_remains_serve(const char *data)
{
	g_autofree char *path = g_build_filename(data, "postmaster.pid", NULL);
	g_autofree char *content = NULL;
	g_autoptr(GArray) found = find_all(data);
	int server = g_file_get_contents(path, &content, NULL, NULL) ? (int)strtol(content, NULL, 10) : 0;

	for (guint i = 0; i < found->len; i++)
		if (g_array_index(found, int, i) == server)
			return TRUE;
	return FALSE;
}

/* Send the signal to all, and wait until they are gone. Returns how many there were at first. */
static guint signal_all(const char *data, int signal, guint seconds)
{
	g_autoptr(GArray) found = find_all(data);

	for (guint i = 0; i < found->len; i++)
		kill(g_array_index(found, int, i), signal);
	for (guint i = 0; i < seconds * G_USEC_PER_SEC / POLL && postgres_remains_find(data) != 0; i++)
		g_usleep(POLL);
	return found->len;
}

guint postgres_remains_end(const char *data)
{
	guint ended = signal_all(data, SIGQUIT, QUIT_SECONDS);

	signal_all(data, SIGKILL, KILL_SECONDS);
	return ended;
}
