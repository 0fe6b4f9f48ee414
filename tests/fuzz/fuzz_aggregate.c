/* XML in pieces: the first byte says how long they are. The answer must not depend on it. */
#include "parser/aggregate.h"
#include "parser/parse.h"
#include "tests/fuzz/check_sink.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static enum aggregate_verdict run(const guint8 *data, gsize size, gsize step, guint64 *records)
{
	static const struct parser_limits LIMITS = PARSER_LIMITS_DEFAULT;
	struct check_sink check = { .limits = &LIMITS };
	struct aggregate *aggregate = aggregate_new(&LIMITS, "x", &CHECK_SINK, &check);
	enum aggregate_verdict verdict;

	for (gsize at = 0; at < size; at += step)
		if (!aggregate_push(aggregate, data + at, MIN(step, size - at)))
			break;
	verdict = aggregate_end(aggregate, NULL);
	g_assert(check.open == (aggregate_begun(aggregate) && verdict != AGGREGATE_REPORT));
	g_assert((verdict == AGGREGATE_UNREADABLE) == (aggregate_reason(aggregate) != NULL));
	*records = check.records;
	aggregate_free(aggregate);
	return verdict;
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	enum aggregate_verdict verdict, verdict_of_pieces;
	guint64 records, records_of_pieces;

	parse_init();
	if (size == 0)
		return 0;
	verdict = run(data + 1, size - 1, size, &records);
	verdict_of_pieces = run(data + 1, size - 1, (gsize)data[0] + 1, &records_of_pieces);
	g_assert(verdict == verdict_of_pieces);
	g_assert(records == records_of_pieces);
	return 0;
}
