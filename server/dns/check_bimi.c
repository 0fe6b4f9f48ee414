/* check_bimi.c - the BIMI record of a domain (draft-brand-indicators-for-message-identification), and whether
 * DMARC permits the logo. Nobody needs one: findings are notes. */
#include "server/dns/check_parts.h"

#include <string.h>

#include "server/dns/tags.h"

#define PCT_ALL 100

static gboolean is_bimi(const char *text)
{
	static const char VERSION[] = "v=BIMI1";
	gsize size = strlen(VERSION);

	return strncmp(text, VERSION, size) == 0 &&
	       (text[size] == '\0' || strchr("; \t", text[size]) != NULL);
}

/* Whether it is meant to be one; a wildcard may answer with anything. */
static gboolean is_near(const char *text)
{
	text += strspn(text, " \t\"");
	return g_ascii_strncasecmp(text, "v=bimi", strlen("v=bimi")) == 0;
}

/* NULL: there is no such tag. Transfer full. */
static char *value_of(const char *text, const char *name)
{
	struct tag tag;

	while (tag_next(&text, &tag))
		if (tag_is(&tag, name))
			return tag_value(&tag);
	return NULL;
}

static gboolean is_https(const char *uri)
{
	return g_ascii_strncasecmp(uri, "https://", strlen("https://")) == 0 &&
	       g_uri_is_valid(uri, G_URI_FLAGS_NONE, NULL);
}

static void judge_uri(struct check *check, const char *name, const char *tag, const char *uri)
{
	g_autofree char *place = g_strdup_printf("%s TXT: %s", name, tag);

	if (uri != NULL && *uri != '\0' && !is_https(uri))
		findings_add(check->findings, FINDING_BIMI_INVALID, place, NULL,
		    "\"%s\" is no \"https:\" address, so no logo is shown", uri);
}

/* Most providers of mail want a mark certificate. */
static void judge_evidence(struct check *check, const char *name)
{
	g_autofree char *place = g_strdup_printf("%s TXT: a", name);

	if (check->bimi_authority == NULL || *check->bimi_authority == '\0')
		findings_add(check->findings, FINDING_BIMI_EVIDENCE, place, NULL,
		    "there is no \"a\", the address of a mark certificate: most mail programs show no logo "
		    "without one");
}

/* Why mail programs do not show the logo; NULL: DMARC permits it. */
static const char *objection(const struct check_dmarc *dmarc)
{
	const struct dmarc_record *record = &dmarc->record;
	g_autofree char *pct = record->text == NULL ? NULL : value_of(record->text, "pct");
	guint64 share = PCT_ALL;

	if (pct != NULL)
		g_ascii_string_to_unsigned(pct, 10, 0, PCT_ALL, &share, NULL);
	if (dmarc->policy == NULL || strcmp(dmarc->policy, "none") == 0)
		return "p=quarantine or p=reject";
	if (g_strcmp0(dmarc->subdomains, "none") == 0)
		return "a policy other than sp=none";
	if (g_strcmp0(record->t, "y") == 0)
		return "a policy without t=y";
	return share < PCT_ALL ? "a policy without pct below 100" : NULL;
}

static void judge_record(struct check *check, const char *name)
{
	static const char *const KNOWN[] = { "v", "l", "a", "avp", "lps", NULL };
	g_autofree char *place = g_strdup_printf("%s TXT: l", name);
	const char *wanted = objection(&check->dmarc);

	check->bimi_location = value_of(check->bimi, "l");
	check->bimi_authority = value_of(check->bimi, "a");
	judge_uri(check, name, "l", check->bimi_location);
	judge_uri(check, name, "a", check->bimi_authority);
	check_tags(check, FINDING_BIMI_TAG, name, check->bimi, KNOWN);
	if (check->bimi_location == NULL)
		findings_add(check->findings, FINDING_BIMI_INVALID, place, NULL,
		    "there is no \"l\", the address of the logo; \"l=; a=\" says that there is none");
	else if (*check->bimi_location != '\0' && wanted != NULL)
		findings_add(check->findings, FINDING_BIMI_POLICY, place, NULL,
		    "mail programs show the logo only if DMARC is enforced: it needs %s", wanted);
	if (check->bimi_location != NULL && *check->bimi_location != '\0')
		judge_evidence(check, name);
}

void check_bimi(const struct dns_source *source, struct check *check)
{
	g_autofree char *name = g_strconcat("default._bimi.", check->domain, NULL);
	g_autofree char *place = g_strdup_printf("%s TXT", name);
	const struct dns_answer *answer = dns_look_up(source, DNS_TXT, name);
	guint n = 0;

	for (guint i = 0; i < answer->n_records; i++)
		if (is_bimi(answer->records[i].text) && n++ == 0)
			check->bimi = g_strdup(answer->records[i].text);
	if (n > 1) {
		g_clear_pointer(&check->bimi, g_free);
		findings_add(check->findings, FINDING_BIMI_INVALID, place, NULL,
		    "there are several records, so none counts");
	} else if (n == 1) {
		judge_record(check, name);
	} else if (answer->n_records > 0 && is_near(answer->records[0].text)) {
		findings_add(check->findings, FINDING_BIMI_INVALID, place, NULL,
		    "\"%s\" is not a record: one begins with \"v=BIMI1;\"", answer->records[0].text);
	}
}
