/*
 * bare_httpd.c - the plainest libmicrohttpd server: what the page's server is compared with.
 *
 *   bare_httpd THREADS FILE    serves the bytes of FILE whatever is asked for; prints its port
 *
 * Ends when its standard input does.
 */
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <glib.h>

/* An answer to the first call, when the headers are there, would close the connection. */
static enum MHD_Result answer(void *user, struct MHD_Connection *connection, G_GNUC_UNUSED const char *url,
    G_GNUC_UNUSED const char *method, G_GNUC_UNUSED const char *version, G_GNUC_UNUSED const char *body,
    G_GNUC_UNUSED size_t *size, void **state)
{
	if (*state == NULL) {
		*state = user;
		return MHD_YES;
	}
	return MHD_queue_response(connection, MHD_HTTP_OK, user);
}

int main(int argc, char **argv)
{
	g_autofree char *bytes = NULL;
	g_autoptr(GError) error = NULL;
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct MHD_Response *response;
	struct MHD_Daemon *daemon;
	gsize size;
	char end;

	if (argc != 3 || !g_file_get_contents(argv[2], &bytes, &size, &error)) {
		fprintf(stderr, "bare_httpd: %s\n",
		    error == NULL ? "usage: bare_httpd THREADS FILE" : error->message);
		return EXIT_FAILURE;
	}
	response = MHD_create_response_from_buffer(size, bytes, MHD_RESPMEM_PERSISTENT);
	daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer, response,
	    MHD_OPTION_THREAD_POOL_SIZE, (unsigned)strtoul(argv[1], NULL, 10), MHD_OPTION_SOCK_ADDR, &address,
	    MHD_OPTION_END);
	if (daemon == NULL) {
		fprintf(stderr, "bare_httpd: cannot listen\n");
		return EXIT_FAILURE;
	}
	printf("%u\n", (unsigned)MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
	fflush(stdout);
	while (read(STDIN_FILENO, &end, 1) > 0)
		;
	MHD_stop_daemon(daemon);
	MHD_destroy_response(response);
	return EXIT_SUCCESS;
}
