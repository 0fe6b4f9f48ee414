/*
 * The parts of a feedback report: a byte that chooses how they are given, the second part, NUL, the third
 * part. The result must be as report.h says, with bodies and without; and masking must leave nothing before
 * an '@'.
 */
#include "parser/failure.h"
#include "parser/mask.h"
#include "parser/parse.h"
#include "parser/text.h"
#include "tests/fuzz/check_sink.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

/* Without a domain of ours every address belongs to a third party. */
static void check_mask(const guint8 *data, gsize size)
{
	struct mask *mask = mask_new();
	g_autofree char *text = text_clean_line((const char *)data, size, size * 3);
	g_autofree char *masked = mask_text(mask, text);

	for (const char *at = strchr(masked, '@'); at != NULL; at = strchr(at + 1, '@'))
		g_assert(at == masked || at[-1] == '*' || text_is_space(at[-1]) ||
			 strchr("<>()[],;:\"@/?#=", at[-1]) != NULL);
	mask_free(mask);
}

static void check_report(const struct mail_feedback *feedback, gboolean bodies)
{
	const struct parser_options options = { .limits = PARSER_LIMITS_DEFAULT, .failure_bodies = bodies };
	struct check_sink check = { .limits = &options.limits, .failure_bodies = bodies };
	g_autoptr(GError) error = NULL;
	struct failure *failure = failure_read(feedback, &options, &error);

	g_assert((failure == NULL) == g_error_matches(error, RUAD_ERROR, RUAD_ERROR_LIMIT));
	if (failure != NULL)
		g_assert(CHECK_SINK.failure(&check, "part 2", failure_report(failure), NULL));
	failure_free(failure);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	struct mail_feedback feedback = { .number = 2 };
	const guint8 *end;

	parse_init();
	if (size == 0)
		return 0;
	feedback.form = (enum mail_feedback_form)(data[0] % 3);
	feedback.report_type = data[0] & 64 ? "feedback-report" : NULL;
	data++;
	size--;
	end = memchr(data, '\0', size);
	feedback.fields = data;
	feedback.fields_size = end == NULL ? size : (gsize)(end - data);
	if (end != NULL) {
		feedback.message = end + 1;
		feedback.message_size = size - feedback.fields_size - 1;
	}
	failure_is_fields((const char *)feedback.fields, feedback.fields_size);
	failure_is_prose((const char *)feedback.fields, feedback.fields_size);
	check_report(&feedback, FALSE);
	check_report(&feedback, TRUE);
	check_mask(data, size);
	return 0;
}
