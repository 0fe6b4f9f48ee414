#include "parser/elements.h"

#include "parser/report.h"
#include "parser/text.h"

#include <string.h>

#define HEADER(member) HOME_HEADER, offsetof(struct aggregate_header, member)
#define ROWS(member)   HOME_RECORD, offsetof(struct aggregate_record, member)
#define WHY(member)    HOME_REASON, offsetof(struct aggregate_reason, member)
#define DKIM(member)   HOME_DKIM, offsetof(struct auth_result_dkim, member)
#define SPF(member)    HOME_SPF, offsetof(struct auth_result_spf, member)

#define MODES    TOKENS("r", "s")
#define POLICIES TOKENS("none", "quarantine", "reject")

const struct element_row ELEMENTS[N_ELEMENTS] = {
	[ELEMENT_NONE] = { "", N_ELEMENTS, TYPE_PARENT, 0, 0, "", NULL },
	[FEEDBACK] = { "feedback", ELEMENT_NONE, TYPE_PARENT, 0, 0, "feedback", NULL },

	[VERSION] = { "version", FEEDBACK, TYPE_TOKEN, HEADER(version), "version", TOKENS("1.0") },
	[REPORT_METADATA] = { "report_metadata", FEEDBACK, TYPE_PARENT, 0, 0, "report_metadata", NULL },
	[POLICY_PUBLISHED] = { "policy_published", FEEDBACK, TYPE_PARENT, 0, 0, "policy_published", NULL },
	[EXTENSION] = { "extension", FEEDBACK, TYPE_PARENT, 0, 0, "extension", NULL },
	[RECORD] = { "record", FEEDBACK, TYPE_PARENT, 0, 0, "record", NULL },

	[ORG_NAME] = { "org_name", REPORT_METADATA, TYPE_TEXT, HEADER(org_name), "report_metadata/org_name",
	    NULL },
	[EMAIL] = { "email", REPORT_METADATA, TYPE_TEXT, HEADER(email), "report_metadata/email", NULL },
	[EXTRA_CONTACT_INFO] = { "extra_contact_info", REPORT_METADATA, TYPE_TEXT, HEADER(extra_contact_info),
	    "report_metadata/extra_contact_info", NULL },
	[REPORT_ID] = { "report_id", REPORT_METADATA, TYPE_TEXT, HEADER(report_id),
	    "report_metadata/report_id", NULL },
	[DATE_RANGE] = { "date_range", REPORT_METADATA, TYPE_PARENT, 0, 0, "report_metadata/date_range",
	    NULL },
	[METADATA_ERROR] = { "error", REPORT_METADATA, TYPE_LIST, HEADER(error), "report_metadata/error",
	    NULL },
	[GENERATOR] = { "generator", REPORT_METADATA, TYPE_TEXT, HEADER(generator),
	    "report_metadata/generator", NULL },

	[BEGIN] = { "begin", DATE_RANGE, TYPE_EPOCH, HEADER(begin), "report_metadata/date_range/begin",
	    NULL },
	[END] = { "end", DATE_RANGE, TYPE_EPOCH, HEADER(end), "report_metadata/date_range/end", NULL },

	[POLICY_DOMAIN] = { "domain", POLICY_PUBLISHED, TYPE_DOMAIN, HEADER(domain),
	    "policy_published/domain", NULL },
	[ADKIM] = { "adkim", POLICY_PUBLISHED, TYPE_TOKEN, HEADER(adkim), "policy_published/adkim", MODES },
	[ASPF] = { "aspf", POLICY_PUBLISHED, TYPE_TOKEN, HEADER(aspf), "policy_published/aspf", MODES },
	[P] = { "p", POLICY_PUBLISHED, TYPE_TOKEN, HEADER(p), "policy_published/p", POLICIES },
	[SP] = { "sp", POLICY_PUBLISHED, TYPE_TOKEN, HEADER(sp), "policy_published/sp", POLICIES },
	[NP] = { "np", POLICY_PUBLISHED, TYPE_TOKEN, HEADER(np), "policy_published/np", POLICIES },
	[PCT] = { "pct", POLICY_PUBLISHED, TYPE_PERCENT, HEADER(pct), "policy_published/pct", NULL },
	[FO] = { "fo", POLICY_PUBLISHED, TYPE_TOKEN, HEADER(fo), "policy_published/fo", NULL },
	[TESTING] = { "testing", POLICY_PUBLISHED, TYPE_TOKEN, HEADER(testing), "policy_published/testing",
	    TOKENS("n", "y") },
	[DISCOVERY_METHOD] = { "discovery_method", POLICY_PUBLISHED, TYPE_TOKEN, HEADER(discovery_method),
	    "policy_published/discovery_method", TOKENS("psl", "treewalk") },

	[ROW] = { "row", RECORD, TYPE_PARENT, 0, 0, "row", NULL },
	[IDENTIFIERS] = { "identifiers", RECORD, TYPE_PARENT, 0, 0, "identifiers", NULL },
	[AUTH_RESULTS] = { "auth_results", RECORD, TYPE_PARENT, 0, 0, "auth_results", NULL },

	[SOURCE_IP] = { "source_ip", ROW, TYPE_ADDRESS, ROWS(source_ip), "row/source_ip", NULL },
	[COUNT] = { "count", ROW, TYPE_COUNT, ROWS(count), "row/count", NULL },
	[POLICY_EVALUATED] = { "policy_evaluated", ROW, TYPE_PARENT, 0, 0, "row/policy_evaluated", NULL },

	[DISPOSITION] = { "disposition", POLICY_EVALUATED, TYPE_TOKEN, ROWS(disposition),
	    "row/policy_evaluated/disposition", TOKENS("none", "quarantine", "reject", "pass") },
	[EVALUATED_DKIM] = { "dkim", POLICY_EVALUATED, TYPE_TOKEN, ROWS(dkim), "row/policy_evaluated/dkim",
	    TOKENS("pass", "fail") },
	[EVALUATED_SPF] = { "spf", POLICY_EVALUATED, TYPE_TOKEN, ROWS(spf), "row/policy_evaluated/spf",
	    TOKENS("pass", "fail") },
	[REASON] = { "reason", POLICY_EVALUATED, TYPE_PARENT, 0, 0, "row/policy_evaluated/reason", NULL },

	[REASON_TYPE] = { "type", REASON, TYPE_TOKEN, WHY(type), "row/policy_evaluated/reason/type",
	    TOKENS("forwarded", "sampled_out", "trusted_forwarder", "mailing_list", "local_policy",
		"policy_test_mode", "other") },
	[REASON_COMMENT] = { "comment", REASON, TYPE_TEXT, WHY(comment),
	    "row/policy_evaluated/reason/comment", NULL },

	[HEADER_FROM] = { "header_from", IDENTIFIERS, TYPE_DOMAIN, ROWS(header_from),
	    "identifiers/header_from", NULL },
	[ENVELOPE_FROM] = { "envelope_from", IDENTIFIERS, TYPE_DOMAIN, ROWS(envelope_from),
	    "identifiers/envelope_from", NULL },
	[ENVELOPE_TO] = { "envelope_to", IDENTIFIERS, TYPE_DOMAIN, ROWS(envelope_to),
	    "identifiers/envelope_to", NULL },

	[AUTH_DKIM] = { "dkim", AUTH_RESULTS, TYPE_PARENT, 0, 0, "auth_results/dkim", NULL },
	[AUTH_SPF] = { "spf", AUTH_RESULTS, TYPE_PARENT, 0, 0, "auth_results/spf", NULL },

	[DKIM_DOMAIN] = { "domain", AUTH_DKIM, TYPE_DOMAIN, DKIM(domain), "auth_results/dkim/domain", NULL },
	[DKIM_SELECTOR] = { "selector", AUTH_DKIM, TYPE_TEXT, DKIM(selector), "auth_results/dkim/selector",
	    NULL },
	[DKIM_RESULT] = { "result", AUTH_DKIM, TYPE_TOKEN, DKIM(result), "auth_results/dkim/result",
	    TOKENS("none", "pass", "fail", "policy", "neutral", "temperror", "permerror") },
	[DKIM_HUMAN_RESULT] = { "human_result", AUTH_DKIM, TYPE_TEXT, DKIM(human_result),
	    "auth_results/dkim/human_result", NULL },

	[SPF_DOMAIN] = { "domain", AUTH_SPF, TYPE_DOMAIN, SPF(domain), "auth_results/spf/domain", NULL },
	[SPF_SCOPE] = { "scope", AUTH_SPF, TYPE_TOKEN, SPF(scope), "auth_results/spf/scope",
	    TOKENS("mfrom", "helo") },
	[SPF_RESULT] = { "result", AUTH_SPF, TYPE_TOKEN, SPF(result), "auth_results/spf/result",
	    TOKENS("none", "neutral", "pass", "fail", "softfail", "temperror", "permerror", "policy") },
	[SPF_HUMAN_RESULT] = { "human_result", AUTH_SPF, TYPE_TEXT, SPF(human_result),
	    "auth_results/spf/human_result", NULL },
};

/* Names that generators are known to write instead of ours. */
static const struct {
	enum element parent;
	const char *name;
	enum element meant;
} MISSPELT[] = {
	{ RECORD, "identities", IDENTIFIERS }, /* unipi.it, petesrs, junc.org */
	{ REPORT_METADATA, "data_range", DATE_RANGE },
};

/* -- the index -- */

static guint64 required_in(enum element parent)
{
	switch (parent) {
	case REPORT_METADATA:
		return ELEMENT_BIT(ORG_NAME) | ELEMENT_BIT(EMAIL);
	case POLICY_PUBLISHED:
		return ELEMENT_BIT(P);
	case RECORD:
		return ELEMENT_BIT(ROW) | ELEMENT_BIT(IDENTIFIERS) | ELEMENT_BIT(AUTH_RESULTS);
	case ROW:
		return ELEMENT_BIT(SOURCE_IP) | ELEMENT_BIT(POLICY_EVALUATED);
	case POLICY_EVALUATED:
		return ELEMENT_BIT(DISPOSITION) | ELEMENT_BIT(EVALUATED_DKIM) | ELEMENT_BIT(EVALUATED_SPF);
	case REASON:
		return ELEMENT_BIT(REASON_TYPE);
	case IDENTIFIERS:
		return ELEMENT_BIT(HEADER_FROM);
	case AUTH_DKIM:
		return ELEMENT_BIT(DKIM_DOMAIN) | ELEMENT_BIT(DKIM_RESULT);
	case AUTH_SPF:
		return ELEMENT_BIT(SPF_DOMAIN) | ELEMENT_BIT(SPF_RESULT);
	default:
		return 0;
	}
}

static gboolean is_ordered(enum element parent)
{
	return parent == FEEDBACK || parent == RECORD || parent == POLICY_EVALUATED || parent == AUTH_RESULTS;
}

/* Backwards: parents stand before their children in the table, and siblings in the order of the schema. */
static void fill_index(struct element_index *index)
{
	guint64 siblings[N_ELEMENTS] = { 0 }; /* by their parent, those after the element */

	for (guint e = N_ELEMENTS - 1; e > ELEMENT_NONE; e--) {
		enum element parent = ELEMENTS[e].parent;
		struct element_span *span = &index->children[parent];

		span->after = span->after == 0 ? e + 1 : span->after;
		span->first = e;
		index->inside[parent] |= ELEMENT_BIT(e) | index->inside[e];
		index->required[e] = required_in(e);
		index->later[e] = is_ordered(parent) ? siblings[parent] : 0;
		index->name_size[e] = (guint8)strlen(ELEMENTS[e].name);
		siblings[parent] |= ELEMENT_BIT(e);
	}
}

const struct element_index *element_index(void)
{
	static struct element_index index;
	static gsize made;

	if (g_once_init_enter(&made)) {
		fill_index(&index);
		g_once_init_leave(&made, 1);
	}
	return &index;
}

/* -- names -- */

/* Compare names in any case, with any separator between their words. */
static gboolean is_called(const char *ours, const char *name)
{
	for (;; ours++, name++) {
		while (*ours == '_')
			ours++;
		while (*name == '_' || *name == '-')
			name++;
		if (*ours != g_ascii_tolower(*name))
			return FALSE;
		if (*ours == '\0')
			return TRUE;
	}
}

enum element element_find(enum element parent, const char *name)
{
	for (guint e = FEEDBACK; e < N_ELEMENTS; e++)
		if (ELEMENTS[e].parent == parent && is_called(ELEMENTS[e].name, name))
			return e;
	for (gsize i = 0; i < G_N_ELEMENTS(MISSPELT); i++)
		if (MISSPELT[i].parent == parent && is_called(MISSPELT[i].name, name))
			return MISSPELT[i].meant;
	return ELEMENT_NONE;
}

enum element element_named(const char *name)
{
	for (guint e = FEEDBACK; e < N_ELEMENTS; e++)
		if (is_called(ELEMENTS[e].name, name))
			return e;
	return ELEMENT_NONE;
}
