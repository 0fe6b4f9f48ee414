#include "server/enrich/selectors.h"

#include <string.h>

/* Selectors that programs and services are set up with, to find keys that no report has. */
static const char *const USUAL_SELECTORS[] = { "default", "google", "selector1", "selector2", "s1", "s2",
	"k1", "k2", "k3", "mail", "dkim", "smtp", "mandrill", "mxvault", "fm1", "fm2", "fm3", "zoho",
	"protonmail", "protonmail2", "protonmail3" };

static gboolean has_selector(const GArray *selectors, const char *domain, const char *selector)
{
	for (guint i = 0; i < selectors->len; i++) {
		const struct check_selector *one = &g_array_index(selectors, struct check_selector, i);

		if (g_strcmp0(one->domain, domain) == 0 && strcmp(one->selector, selector) == 0)
			return TRUE;
	}
	return FALSE;
}

GArray *selectors_of(json_object *seen, const char *domain)
{
	GArray *selectors = g_array_new(FALSE, FALSE, sizeof(struct check_selector));
	gsize n = json_object_is_type(seen, json_type_array) ? json_object_array_length(seen) : 0;

	for (gsize i = 0; i < n; i++) {
		json_object *entry = json_object_array_get_idx(seen, i);
		struct check_selector selector = {
			.domain = json_object_get_string(json_object_object_get(entry, "domain")),
			.selector = json_object_get_string(json_object_object_get(entry, "selector")),
		};

		if (selector.selector != NULL)
			g_array_append_val(selectors, selector);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(USUAL_SELECTORS); i++) {
		struct check_selector usual = { .selector = USUAL_SELECTORS[i], .probed = TRUE };

		if (!has_selector(selectors, domain, usual.selector))
			g_array_append_val(selectors, usual);
	}
	return selectors;
}
