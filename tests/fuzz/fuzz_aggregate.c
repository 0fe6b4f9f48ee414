/* XML in pieces: the first byte is their length. The answer must not depend on it; nor on whether plain
 * elements (plain.h) are read without libxml2, as they are where a piece has all of one. */
#include "parser/aggregate.h"
#include "parser/parse.h"
#include "tests/fuzz/check_sink.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

/* The parts of an answer. */
struct answer {
	enum aggregate_verdict verdict;
	guint64 records;
	guint64 notes;
	guint64 texts;
	guint64 others;
	gboolean partial;
};

static struct answer run(const guint8 *data, gsize size, gsize step)
{
	static const struct parser_limits LIMITS = PARSER_LIMITS_DEFAULT;
	struct check_sink check = { .limits = &LIMITS };
	struct aggregate *aggregate = aggregate_new(&LIMITS, "x", &CHECK_SINK, &check);
	struct answer answer;

	for (gsize at = 0; at < size; at += step)
		if (!aggregate_push(aggregate, data + at, MIN(step, size - at)))
			break;
	answer.verdict = aggregate_end(aggregate, NULL);
	g_assert(check.open == (aggregate_begun(aggregate) && answer.verdict != AGGREGATE_REPORT));
	g_assert((answer.verdict == AGGREGATE_UNREADABLE) == (aggregate_reason(aggregate) != NULL));
	answer.records = check.records;
	/* how much of an unreadable report was parsed does not count */
	answer.notes = answer.verdict == AGGREGATE_REPORT ? check.notes : 0;
	answer.texts = answer.verdict == AGGREGATE_REPORT ? check.texts : 0;
	answer.partial = check.partial;
	answer.others = answer.verdict == AGGREGATE_REPORT ? aggregate_others(aggregate) : 0;
	aggregate_free(aggregate);
	return answer;
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	struct answer whole, pieces;

	parse_init();
	if (size == 0)
		return 0;
	whole = run(data + 1, size - 1, size);
	pieces = run(data + 1, size - 1, (gsize)data[0] + 1);
	g_assert(whole.verdict == pieces.verdict && whole.records == pieces.records);
	g_assert(whole.notes == pieces.notes && whole.texts == pieces.texts);
	g_assert(whole.partial == pieces.partial && whole.others == pieces.others);
	return 0;
}
