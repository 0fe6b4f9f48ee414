/*
 * ruad-parse - reads documents on descriptor 3 and answers what is in them, with no rights at all.
 *
 * The parent's side is server/common/pool.c, the language between them server/common/wire.h. Not for people:
 * use ruad parse.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parser/error.h"
#include "parser/parse.h"
#include "server/common/wire.h"
#include "server/parse/sandbox.h"
#include "server/parse/try.h"

#ifdef RUAD_SANITIZED
/* Looking for leaks at the end needs ptrace and threads; the unit tests and fuzz targets look for the
 * parser's. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

struct options {
	struct sandbox_limits limits;
	char *attempt; /* --try, for the tests */
};

static gboolean read_options(int *argc, char ***argv, struct options *options, GError **error)
{
	gint64 memory = 0, cpu = 600;
	const GOptionEntry entries[] = {
		{ "memory", 0, 0, G_OPTION_ARG_INT64, &memory, "Address space that may be taken", "BYTES" },
		{ "cpu", 0, 0, G_OPTION_ARG_INT64, &cpu, "Processor time that a document may cost",
		    "SECONDS" },
		{ "try", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_STRING, &options->attempt, NULL, NULL },
		{ 0 },
	};
	g_autoptr(GOptionContext) context = g_option_context_new("3<>SOCKET");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, argc, argv, error))
		return FALSE;
	if (*argc > 1 || memory < 0 || cpu < 1) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
		    "usage: ruad-parse [--memory=BYTES] [--cpu=SECONDS]");
		return FALSE;
	}
	options->limits = (struct sandbox_limits){ .memory = (guint64)memory, .cpu = (guint64)cpu };
	return TRUE;
}

/* Fill data[0..size). FALSE without error when the parent closed before the first byte. */
static gboolean read_all(guint8 *data, gsize size, GError **error)
{
	for (gsize got = 0; got < size;) {
		ssize_t n = read(SANDBOX_FD, data + got, size - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0 && got == 0)
			return FALSE;
		if (n <= 0) {
			g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "could not read a document: %s",
			    n == 0 ? "it ends early" : g_strerror(errno));
			return FALSE;
		}
		got += (gsize)n;
	}
	return TRUE;
}

/* The next document, transfer full; NULL without error when there is none. */
static guint8 *read_document(gsize *size, GError **error)
{
	guint8 head[WIRE_REQUEST];
	if (!read_all(head, sizeof(head), error))
		return NULL;
	*size = wire_request_decode(head);
	g_autofree guint8 *document = g_try_malloc(MAX(*size, 1));
	if (document == NULL) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM,
		    "no memory for a document of %" G_GSIZE_FORMAT " bytes", *size);
		return NULL;
	}
	if (*size > 0 && !read_all(document, *size, error))
		return NULL;
	return g_steal_pointer(&document);
}

static gboolean answer(struct wire_writer *writer, const guint8 *document, gsize size, GError **error)
{
	static const struct parser_limits limits = PARSER_LIMITS_DEFAULT;
	return parse_document(document, size, &limits, wire_writer_sink(), writer, error) &&
	       wire_writer_done(writer, error);
}

static gboolean serve(const struct sandbox_limits *limits, GError **error)
{
	struct wire_writer *writer = wire_writer_new(SANDBOX_FD);
	gboolean ok = wire_writer_hello(writer, error);
	while (ok) {
		gsize size;
		g_autoptr(GError) problem = NULL;
		g_autofree guint8 *document = read_document(&size, &problem);
		if (document == NULL && problem == NULL)
			break;
		ok = document != NULL && sandbox_renew_cpu(limits, &problem) &&
		     answer(writer, document, size, &problem);
		if (!ok)
			g_propagate_error(error, g_steal_pointer(&problem));
	}
	wire_writer_free(writer);
	return ok;
}

static int end(const GError *error)
{
	fprintf(stderr, "ruad-parse: %s\n", error->message);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	gboolean landlock = FALSE;
	g_autoptr(GError) error = NULL;

	if (!read_options(&argc, &argv, &options, &error))
		return end(error);
	parse_init();
	if (!sandbox_enter(&options.limits, &landlock, &error))
		return end(error);
	if (!landlock)
		fprintf(stderr, "ruad-parse: this kernel has no Landlock: seccomp stands alone\n");
	if (options.attempt != NULL)
		return try_forbidden(options.attempt);
	if (!serve(&options.limits, &error))
		return end(error);
	return EXIT_SUCCESS;
}
