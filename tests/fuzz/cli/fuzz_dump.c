/*
 * fuzz_dump.c - a file that ruad import splits: an mbox, a list of JSON, or a dump of MySQL.
 *
 * A document above the limit costs only itself. What is made of the rows of dmarc-srg can be read, whatever
 * they hold. All JSON goes through the parser as in the worker.
 */
#include <stdio.h>
#include <string.h>

#include "parser/error.h"
#include "parser/parse.h"
#include "parser/parsedmarc.h"
#include "server/cli/documents.h"
#include "server/common/splitter.h"
#include "tests/fuzz/check_sink.h"

#define LIMIT 1024 /* bytes: more than decides whether a value is a report */

static const struct parser_limits LIMITS = PARSER_LIMITS_DEFAULT;

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

/* All documents; NULL for one above the limit. */
static GPtrArray *split(const guint8 *data, gsize size, guint64 limit)
{
	FILE *file = fmemopen((void *)data, size, "rb");
	struct documents *documents = documents_new(file);
	GPtrArray *all = g_ptr_array_new();

	documents_limit(documents, limit);
	for (;;) {
		g_autoptr(GError) error = NULL;
		GBytes *document = NULL;

		if (!documents_next(documents, &document, &error))
			g_assert(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_LIMIT));
		else if (document == NULL)
			break;
		g_ptr_array_add(all, document);
		g_assert(all->len <= size + 1);
	}
	documents_free(documents);
	fclose(file);
	return all;
}

static void check_limited(const guint8 *data, gsize size, const GPtrArray *all)
{
	GPtrArray *limited = split(data, size, LIMIT);

	g_assert(limited->len == all->len);
	for (guint i = 0; i < all->len; i++) {
		GBytes *document = limited->pdata[i];

		g_assert(document == NULL || g_bytes_equal(document, all->pdata[i]));
		g_assert(document != NULL || size > LIMIT);
		g_clear_pointer(&document, g_bytes_unref);
	}
	g_ptr_array_unref(limited);
}

/* A report that was made of rows. */
static void check_copy(const guint8 *json, gsize size)
{
	g_autoptr(GError) error = NULL;
	struct parsedmarc copy;

	if (!parsedmarc_read(json, size, &LIMITS, &copy, &error)) {
		g_assert(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_LIMIT));
		return;
	}
	g_assert(copy.kind == PARSEDMARC_AGGREGATE && g_str_equal(copy.program, "dmarc-srg"));
	parsedmarc_clear(&copy);
}

static void check_document(GBytes *document, gboolean is_dump)
{
	struct parser_options options = { .limits = LIMITS };
	struct check_sink check = { .limits = &options.limits };
	gsize size;
	const guint8 *bytes = g_bytes_get_data(document, &size);

	if (size == 0 || bytes[0] != '{')
		return; /* for other targets */
	if (is_dump)
		check_copy(bytes, size);
	g_assert(parse_document(bytes, size, &options, &CHECK_SINK, &check, NULL));
	g_assert(!check.open && check.findings > 0);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	gboolean is_dump = splitter_kind_of((const char *)data, size) == SPLITTER_DUMP;
	GPtrArray *all;

	if (size == 0)
		return 0;
	parse_init();
	all = split(data, size, DOCUMENT_MAX);
	check_limited(data, size, all);
	for (guint i = 0; i < all->len; i++) {
		check_document(all->pdata[i], is_dump);
		g_bytes_unref(all->pdata[i]);
	}
	g_ptr_array_unref(all);
	return 0;
}
