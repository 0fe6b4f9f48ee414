/* Any bytes through the parser's entry point, as in the worker. */
#include "parser/parse.h"
#include "tests/fuzz/check_sink.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	struct parser_options options = { .limits = PARSER_LIMITS_DEFAULT, .authserv_id = "mx.example.net" };
	struct check_sink check = { .limits = &options.limits };

	parse_init();
	options.limits.max_unpacked = 16 * 1024 * 1024; /* so that a run is short */
	g_assert(parse_document(data, size, &options, &CHECK_SINK, &check, NULL));
	g_assert(!check.open && check.findings > 0);
	return 0;
}
