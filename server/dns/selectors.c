#include "server/dns/selectors.h"

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
	check_add_usual_selectors(selectors, domain);
	return selectors;
}
