/* One JSON text as a TLS report, with a hint of its type. */
#include "parser/parse.h"
#include "parser/tls.h"
#include "tests/fuzz/check_sink.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	static const struct parser_limits LIMITS = PARSER_LIMITS_DEFAULT;
	struct check_sink check = { .limits = &LIMITS };
	struct tls *tls;

	parse_init();
	tls = tls_read(data, size, "Mail.example.", &LIMITS);
	if (tls == NULL)
		return 0;
	g_assert((tls_report(tls) == NULL) == (tls_code(tls) != NULL));
	g_assert((tls_report(tls) == NULL) == (tls_reason(tls) != NULL));
	if (tls_report(tls) != NULL)
		g_assert(CHECK_SINK.tls(&check, "x", tls_report(tls), NULL));
	tls_free(tls);
	return 0;
}
