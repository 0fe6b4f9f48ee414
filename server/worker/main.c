/*
 * ruad-parse - reads documents on descriptor 3 and answers with their content, without any rights.
 *
 * The parent's side is server/worker/pool.c, the protocol is server/worker/wire.h. Not for users: use ruad
 * parse.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parser/error.h"
#include "parser/parse.h"
#include "server/common/parser_settings.h"
#include "server/worker/sandbox.h"
#include "server/worker/try.h"
#include "server/worker/wire.h"

#ifdef RUAD_SANITIZED
/* Leak detection at exit needs ptrace and threads; the unit tests and fuzz targets check the parser for
 * leaks. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

struct options {
	struct sandbox_limits sandbox;
	struct parser_options parser;
	char *authserv_id; /* of parser */
	char *attempt;     /* --try, for the tests */
};

/* --max_parts=N and the like. */
static gboolean read_limit(const char *option, const char *value, gpointer user, GError **error)
{
	struct options *options = user;
	for (gsize i = 0; i < parser_setting_table_size; i++)
		if (g_str_equal(parser_setting_table[i].name, option + strlen("--")))
			return parser_setting_parse(
			    &parser_setting_table[i], &options->parser.limits, value, error);
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "unknown option %s", option);
	return FALSE;
}

static void add_limits(GOptionGroup *group)
{
	for (gsize i = 0; i < parser_setting_table_size; i++) {
		const GOptionEntry entries[] = {
			{ parser_setting_table[i].name, 0, 0, G_OPTION_ARG_CALLBACK, (gpointer)read_limit,
			    "Limit of a document", "N" },
			{ 0 },
		};
		g_option_group_add_entries(group, entries);
	}
}

static gboolean read_options(int *argc, char ***argv, struct options *options, GError **error)
{
	gint64 memory = 0, cpu = 600;
	const GOptionEntry entries[] = {
		{ "memory", 0, 0, G_OPTION_ARG_INT64, &memory, "Address space that may be taken", "BYTES" },
		{ "cpu", 0, 0, G_OPTION_ARG_INT64, &cpu, "Processor time that a document may cost",
		    "SECONDS" },
		{ "authserv_id", 0, 0, G_OPTION_ARG_STRING, &options->authserv_id,
		    "Whose Authentication-Results are believed", "NAME" },
		{ "failure_bodies", 0, 0, G_OPTION_ARG_NONE, &options->parser.failure_bodies,
		    "Tell the messages of failure reports whole", NULL },
		{ "try", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_STRING, &options->attempt, NULL, NULL },
		{ 0 },
	};
	g_autoptr(GOptionContext) context = g_option_context_new("3<>SOCKET");
	GOptionGroup *group = g_option_group_new(NULL, NULL, NULL, options, NULL);
	g_option_group_add_entries(group, entries);
	add_limits(group);
	g_option_context_set_main_group(context, group);
	if (!g_option_context_parse(context, argc, argv, error))
		return FALSE;
	if (*argc > 1 || memory < 0 || cpu < 1) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
		    "usage: ruad-parse [--memory=BYTES] [--cpu=SECONDS] [--LIMIT=N]... "
		    "[--authserv_id=NAME] [--failure_bodies]");
		return FALSE;
	}
	options->parser.authserv_id = options->authserv_id;
	options->sandbox = (struct sandbox_limits){ .memory = (guint64)memory, .cpu = (guint64)cpu };
	return TRUE;
}

/* -- documents and answers -- */

#define INPUT_MAX  (64 * 1024) /* bytes read at once: a few requests of small documents */
#define ANSWER_MAX (64 * 1024) /* bytes of answers that wait for others */
#define ANSWER_AGE 2000        /* microseconds that they wait, if the document after them takes no longer */

struct service {
	const struct options *options;
	struct wire_writer *writer;
	gint64 flushed; /* monotonic microseconds when all answers were sent */
	guint64 cpu;    /* of sandbox_renew_cpu() */
	gsize have;     /* bytes of input */
	gsize taken;    /* of them, those that were used */
	guint8 input[INPUT_MAX];
};

/* Send the answers. What follows gets its own processor time. */
static gboolean flush(struct service *service, GError **error)
{
	service->flushed = g_get_monotonic_time();
	return wire_writer_flush(service->writer, error) &&
	       sandbox_renew_cpu(&service->options->sandbox, &service->cpu, error);
}

/* Answers wait for others only as long as these come at once: the parent waits for them, too. */
static gboolean flush_old(struct service *service, GError **error)
{
	gboolean keep = wire_writer_waiting(service->writer) < ANSWER_MAX &&
			g_get_monotonic_time() - service->flushed < ANSWER_AGE;
	return keep || flush(service, error);
}

/* Wait for more input. *n is 0 if the parent closed. */
static gboolean receive(struct service *service, guint8 *data, gsize size, gsize *n, GError **error)
{
	ssize_t got;
	if (!flush(service, error))
		return FALSE;
	do
		got = read(SANDBOX_FD, data, size);
	while (got < 0 && errno == EINTR);
	*n = (gsize)MAX(got, 0);
	if (got < 0)
		g_set_error(
		    error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "could not read a document: %s", g_strerror(errno));
	return got >= 0;
}

/* Fill data[0..size), or nothing if the parent closed before the first byte: *more is then FALSE. */
static gboolean read_some(struct service *service, guint8 *data, gsize size, gboolean *more, GError **error)
{
	for (gsize got = 0, n; got < size; got += n) {
		n = MIN(service->have - service->taken, size - got);
		memcpy(data + got, service->input + service->taken, n);
		service->taken += n;
		if (n > 0)
			continue;
		gboolean direct = size - got > INPUT_MAX; /* a large document is not copied */
		if (!receive(service, direct ? data + got : service->input, direct ? size - got : INPUT_MAX,
			&n, error))
			return FALSE;
		*more = n > 0 || got > 0;
		if (!*more)
			return TRUE;
		if (n == 0) {
			g_set_error(
			    error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "could not read a document: it ends early");
			return FALSE;
		}
		if (direct)
			continue;
		service->have = n;
		service->taken = n = 0;
	}
	return TRUE;
}

static gboolean read_all(struct service *service, guint8 *data, gsize size, GError **error)
{
	gboolean more = TRUE;
	if (!read_some(service, data, size, &more, error))
		return FALSE;
	if (!more)
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "could not read a document: it ends early");
	return more;
}

/* Read and discard a document that does not fit into memory, so that the parent understands the answer. */
static gboolean pass_over(struct service *service, gsize size, GError **error)
{
	guint8 piece[16 * 1024];
	while (size > 0) {
		gsize n = MIN(size, sizeof(piece));
		if (!read_all(service, piece, n, error))
			return FALSE;
		size -= n;
	}
	return TRUE;
}

static gboolean parse(struct service *service, struct wire_request request, GError **error)
{
	struct parser_options of_mail = service->options->parser;
	gsize size = request.size;
	g_autofree guint8 *document = g_try_malloc(MAX(size, 1));

	of_mail.now = request.received != 0 ? request.received : g_get_real_time() / G_USEC_PER_SEC;
	if (document != NULL)
		return read_all(service, document, size, error) &&
		       parse_document(document, size, &of_mail, wire_writer_sink(), service->writer, error);

	g_autofree char *reason =
	    g_strdup_printf("%" G_GSIZE_FORMAT " bytes are more than the memory of a parser holds", size);
	const struct unreadable u = { .place = "file", .code = "limit", .reason = reason };
	return pass_over(service, size, error) && wire_writer_sink()->unreadable(service->writer, &u, error);
}

/* Answer document after document until the parent closes. */
static gboolean answer_all(struct service *service, GError **error)
{
	guint8 head[WIRE_REQUEST];
	gboolean more = TRUE;
	gboolean ok = wire_writer_hello(service->writer, error);
	while (ok && (ok = read_some(service, head, sizeof(head), &more, error)) && more)
		ok = parse(service, wire_request_decode(head), error) &&
		     wire_writer_done(service->writer, error) && flush_old(service, error);
	return ok;
}

static gboolean serve(const struct options *options, GError **error)
{
	struct service *service = g_new0(struct service, 1);
	service->options = options;
	service->writer = wire_writer_new(SANDBOX_FD);
	gboolean ok = answer_all(service, error);
	wire_writer_free(service->writer);
	g_free(service);
	return ok;
}

static int end(const GError *error)
{
	fprintf(stderr, "ruad-parse: %s\n", error->message);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct options options = { .parser.limits = PARSER_LIMITS_DEFAULT };
	gboolean landlock = FALSE;
	g_autoptr(GError) error = NULL;

	if (!read_options(&argc, &argv, &options, &error))
		return end(error);
	parse_init();
	if (!sandbox_enter(&options.sandbox, &landlock, &error))
		return end(error);
	if (!landlock)
		fprintf(stderr, "ruad-parse: this kernel has no Landlock: seccomp stands alone\n");
	if (options.attempt != NULL)
		return try_forbidden(options.attempt);
	if (!serve(&options, &error))
		return end(error);
	return EXIT_SUCCESS;
}
