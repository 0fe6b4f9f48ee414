/*
 * The complete DNS, one record per line (tests/unit/dns/zone.h), with which example.com is checked: the
 * parsers of records, SPF, discovery, and the document. The ranges that SPF allows must be those that a
 * receiver passes.
 */
#include <string.h>

#include "server/dns/check.h"
#include "tests/unit/dns/zone.h"

#define QUESTIONS_MAX                                                                                        \
	20000 /* of a check and some senders, known answers included: far above what is honest, far below a  \
		 bomb */

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static gboolean is_allowed(const struct spf_policy *policy, const struct ip_range *ip)
{
	for (guint i = 0; i < policy->ranges->len; i++) {
		const struct spf_range *range = &g_array_index(policy->ranges, struct spf_range, i);

		if (ip_contains(&range->range, ip))
			return range->qualifier == '+';
	}
	return FALSE;
}

/* Compare if the policy consists only of ranges. IPv6 may have more void lookups than IPv4 and IPv6
 * together. */
static void compare(const struct dns_source *source, const struct check *check, const char *address)
{
	struct spf_identity identity = { 0 };
	struct spf_verdict verdict;
	struct ip_range ip;

	g_assert(ip_parse(address, &ip));
	identity.ip = &ip;
	spf_check(source, &identity, check->domain, &verdict);
	g_assert(verdict.lookups <= SPF_LOOKUPS_MAX + 1);
	if (check->spf.state == SPF_STATE_OK && check->spf.unlisted->len == 0 &&
	    !findings_have(check->findings, FINDING_SPF_MANY_RANGES) && verdict.result != SPF_PERMERROR)
		g_assert((verdict.result == SPF_PASS) == is_allowed(&check->spf, &ip));
	spf_verdict_clear(&verdict);
}

static void print(struct check *check)
{
	struct json_object *document = check_json(check);

	g_assert(g_utf8_validate(json_object_to_json_string(document), -1, NULL));
	json_object_put(document);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	static const struct check_selector SELECTORS[] = { { "s1", NULL, FALSE }, { "k1", NULL, TRUE } };
	static const struct check_options OPTIONS = { .selectors = SELECTORS,
		.n_selectors = G_N_ELEMENTS(SELECTORS) };
	g_autofree char *lines = g_strndup((const char *)data, size);
	struct zone *zone;
	struct dns_source source;
	struct check *check;

	if (!g_utf8_validate(lines, -1, NULL)) /* as reply.c makes all texts */
		return 0;
	zone = zone_new(lines);
	source = zone_source(zone);
	check = check_run(&source, "example.com", &OPTIONS, 0, NULL);
	g_assert(check != NULL);
	if (check->answered) {
		compare(&source, check, "192.0.2.1");
		compare(&source, check, "198.51.100.7");
		compare(&source, check, "2001:db8::1");
	}
	print(check);
	g_assert(zone_questions(zone) < QUESTIONS_MAX);
	check_free(check);
	zone_free(zone);
	return 0;
}
