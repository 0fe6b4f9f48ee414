#include "tests/unit/dns/words.h"

char *findings_words(struct findings *findings, gboolean places)
{
	GString *words = g_string_new(NULL);
	guint n = findings_count(findings);

	for (guint i = 0; i < n; i++) {
		const struct finding *finding = findings_get(findings, i);

		g_string_append_printf(words, "%s%s", i == 0 ? "" : ", ", finding_code_word(finding->code));
		if (places)
			g_string_append_printf(words, "@%s", finding->place);
	}
	return g_string_free(words, FALSE);
}
