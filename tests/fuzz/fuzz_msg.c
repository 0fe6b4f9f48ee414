/* A compound file: the mail made of it is no larger than the file allows, and is read like any other. */
#include "parser/cfb.h"
#include "parser/msg.h"
#include "parser/parse.h"
#include "tests/fuzz/check_sink.h"

#include <string.h>

/* Bytes of the mail for each of the file, at most: a name of 8-bit characters, in the form of RFC 2231. */
#define GROWTH 8

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	struct parser_options options = { .limits = PARSER_LIMITS_DEFAULT };
	struct check_sink check = { .limits = &options.limits };
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) mail = NULL;

	if (!cfb_begins(data, size))
		return 0;
	mail = msg_read(data, size, &error);
	g_assert(mail == NULL || g_bytes_get_size(mail) < GROWTH * size);
	g_assert(error == NULL || error->domain == RUAD_ERROR);
	parse_init();
	options.limits.max_unpacked = 16 * 1024 * 1024; /* so that a run is short */
	g_assert(parse_document(data, size, &options, &CHECK_SINK, &check, NULL));
	g_assert(!check.open && check.findings > 0);
	return 0;
}
