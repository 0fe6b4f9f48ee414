/* check_dmarc.c - DMARC discovery (RFC 9989 section 4.10), the record, and where reports go (RFC 9990 section
 * 4). */
#include "server/dns/check_parts.h"

#include <string.h>

#include "parser/text.h"

struct walker {
	const struct dns_source *source;
	struct check *check;
	gboolean failed; /* a name could not be looked up */
};

/* For the walk, a name whose look-up fails has no record; the failure is a finding. */
static gboolean look_up_record(gpointer user, const char *name, GPtrArray *txt, GError **error G_GNUC_UNUSED)
{
	struct walker *walker = user;
	const struct dns_answer *answer = dns_look_up(walker->source, DNS_TXT, name);

	if (dns_failed(answer)) {
		walker->failed = TRUE;
		findings_add_failed(walker->check->findings, DNS_TXT, name, answer);
	}
	for (guint i = 0; i < answer->n_records; i++)
		g_ptr_array_add(txt, g_strdup(answer->records[i].text));
	return TRUE;
}

/* Returns FALSE if a look-up failed. */
static gboolean walk_up(
    const struct dns_source *source, struct check *check, const char *name, struct treewalk *walk)
{
	struct walker walker = { .source = source, .check = check };
	g_autoptr(GError) error = NULL;

	if (!treewalk_run(name, look_up_record, &walker, walk, &error))
		g_assert_not_reached();
	return !walker.failed;
}

static char *organizational_domain(const struct dns_source *source, struct check *check, const char *name)
{
	struct treewalk walk;
	char *org;

	walk_up(source, check, name, &walk);
	org = g_strdup(walk.org);
	treewalk_clear(&walk);
	return org;
}

/* -- the records at the name -- */

/* The record at name that text was meant to be, or NULL. Transfer full. */
static char *fix_text(const char *name, const char *text)
{
	g_autofree char *fixed = dmarc_fix(text);

	return fixed == NULL ? NULL : finding_txt_record(name, fixed);
}

static guint count_records(const struct dns_answer *answer, gboolean near)
{
	guint n = 0;
	char psd;

	for (guint i = 0; i < answer->n_records; i++)
		if (treewalk_is_record(answer->records[i].text, &psd) ||
		    (near && dmarc_is_near(answer->records[i].text)))
			n++;
	return n;
}

/* The records in words: '"...", "..."'. Transfer full. */
static char *quote_records(const struct dns_answer *answer)
{
	GString *words = g_string_new(NULL);
	char psd;

	for (guint i = 0; i < answer->n_records; i++)
		if (treewalk_is_record(answer->records[i].text, &psd))
			g_string_append_printf(
			    words, "%s\"%s\"", words->len > 0 ? ", " : "", answer->records[i].text);
	return g_string_free(words, FALSE);
}

/* Other texts at _dmarc. What is nearly a record has a fix only if there would be one record then. */
static void judge_texts(const struct dns_source *source, struct check *check, const char *name)
{
	const struct dns_answer *answer = dns_look_up(source, DNS_TXT, name);
	g_autofree char *place = g_strdup_printf("%s TXT", name);
	g_autofree char *records = quote_records(answer);
	gboolean alone = count_records(answer, TRUE) == 1;
	char psd;

	if (count_records(answer, FALSE) > 1)
		findings_add(check->findings, FINDING_DMARC_SEVERAL, place, NULL,
		    "there are several DMARC records, so none counts (RFC 9989 section 4.10): keep one of %s",
		    records);
	for (guint i = 0; i < answer->n_records; i++) {
		const char *text = answer->records[i].text;

		if (dmarc_is_near(text))
			findings_add(check->findings, FINDING_DMARC_IGNORED, place,
			    alone ? fix_text(name, text) : NULL,
			    "\"%s\" is ignored: a record begins with \"v=DMARC1\", then \";\"", text);
		else if (!treewalk_is_record(text, &psd))
			findings_add(check->findings, FINDING_DMARC_UNRELATED, place, NULL,
			    "\"%s\" does not belong here", text);
	}
}

/* DMARC records at the domain itself. One has a fix only if it would then be the only record at _dmarc. */
static void judge_apex(const struct dns_source *source, struct check *check, const char *name)
{
	const struct dns_answer *apex = dns_look_up(source, DNS_TXT, check->domain);
	g_autofree char *place = g_strdup_printf("%s TXT", check->domain);
	gboolean alone =
	    count_records(apex, FALSE) == 1 && count_records(dns_look_up(source, DNS_TXT, name), TRUE) == 0;
	char psd;

	for (guint i = 0; i < apex->n_records; i++)
		if (treewalk_is_record(apex->records[i].text, &psd))
			findings_add(check->findings, FINDING_DMARC_MISPLACED, place,
			    alone ? fix_text(name, apex->records[i].text) : NULL,
			    "\"%s\" has no effect here: the place of a DMARC record is %s",
			    apex->records[i].text, name);
}

/* A record to publish is not proposed beside one that the domain has at a wrong place. */
static void tell_missing(struct check *check, const char *name, const struct check_options *options)
{
	g_autofree char *place = g_strdup_printf("%s TXT", name);
	g_autofree char *mailbox = options->mailbox != NULL ? g_strdup(options->mailbox)
							    : g_strdup_printf("dmarc-sum@%s", check->domain);
	g_autofree char *record = g_strdup_printf("v=DMARC1; p=none; rua=mailto:%s", mailbox);
	gboolean misplaced = findings_have(check->findings, FINDING_DMARC_MISPLACED);

	findings_add(check->findings, FINDING_DMARC_MISSING, place,
	    misplaced ? NULL : finding_txt_record(name, record),
	    "there is no DMARC record for %s, neither here nor above", check->domain);
}

/* -- the policy -- */

/* A word that stays. */
static const char *policy_word(const char *value)
{
	static const char *const WORDS[] = { "none", "quarantine", "reject" };

	for (gsize i = 0; i < G_N_ELEMENTS(WORDS); i++)
		if (g_strcmp0(value, WORDS[i]) == 0)
			return WORDS[i];
	return NULL;
}

static const char *own_policy(const struct dmarc_record *record)
{
	return record->invalid ? "none" : policy_word(record->p);
}

static const char *subdomain_policy(const struct dmarc_record *record)
{
	if (record->invalid)
		return "none";
	return policy_word(record->sp != NULL ? record->sp : record->p);
}

static const char *nonexistent_policy(const struct dmarc_record *record)
{
	return record->np != NULL && !record->invalid ? policy_word(record->np) : subdomain_policy(record);
}

/* What is for names below comes from the record at the Organizational Domain, or, where there is none, above
 * it. */
static void decide_below(struct check *check, const struct treewalk *walk)
{
	const struct treewalk_record *last = walk->n_record > 0 ? &walk->record[walk->n_record - 1] : NULL;
	struct dmarc_record record;

	for (guint i = 0; i < walk->n_record; i++)
		if (strcmp(walk->record[i].domain, walk->org) == 0)
			last = &walk->record[i];
	if (last == NULL)
		return;
	dmarc_read(last->domain, last->text, &record, NULL);
	if (record.applies) {
		check->dmarc.subdomains = subdomain_policy(&record);
		check->dmarc.nonexistent = nonexistent_policy(&record);
	}
	dmarc_clear(&record);
}

static void decide(struct check *check, const struct treewalk *walk)
{
	struct check_dmarc *dmarc = &check->dmarc;

	if (!dmarc->record.applies)
		return;
	decide_below(check, walk);
	switch (dmarc->tag) {
	case TREEWALK_P:
		dmarc->policy = own_policy(&dmarc->record);
		break;
	case TREEWALK_SP:
		dmarc->policy = subdomain_policy(&dmarc->record);
		break;
	case TREEWALK_NP:
		dmarc->policy = nonexistent_policy(&dmarc->record);
		break;
	}
}

static void judge_place(struct check *check, const char *name)
{
	static const char *const TAGS[] = { "p", "sp", "np" };
	const struct check_dmarc *dmarc = &check->dmarc;
	g_autofree char *place = g_strdup_printf("%s TXT", dmarc->name);

	if (strcmp(dmarc->name, name) != 0)
		findings_add(check->findings, FINDING_DMARC_INHERITED, place, NULL,
		    "%s has no record of its own: the one at %s applies, with its policy for subdomains "
		    "(\"%s\")",
		    check->domain, dmarc->name, TAGS[dmarc->tag]);
	else if (strcmp(dmarc->org, check->domain) != 0 &&
		 (dmarc->record.sp != NULL || dmarc->record.np != NULL))
		findings_add(check->findings, FINDING_DMARC_SUBDOMAINS_UNUSED, place, NULL,
		    "\"sp\" and \"np\" have no effect here, but at the Organizational Domain %s", dmarc->org);
}

/* -- where reports go -- */

static void free_report(gpointer data)
{
	struct check_report *report = data;

	g_free(report->uri);
	g_free(report->address);
	g_free(report->host);
	g_ptr_array_unref(report->override);
	g_free(report->expected_record);
	g_free(report);
}

static void judge_host(const struct dns_source *source, struct check *check, struct check_report *report)
{
	g_autofree char *place = g_strdup_printf("%s MX", report->host);

	report->accepts_mail = check_accepts_mail(source, report->host);
	if (report->accepts_mail == CHECK_NO)
		findings_add(check->findings, FINDING_REPORT_HOST, place, NULL,
		    "%s, where \"%s\" sends reports, takes no mail: it has neither MX nor address, or "
		    "refuses",
		    report->host, report->tag);
	else if (report->accepts_mail == CHECK_UNKNOWN)
		findings_add_failed(
		    check->findings, DNS_MX, report->host, dns_look_up(source, DNS_MX, report->host));
}

/* The addresses that the host sets instead. Returns FALSE if one is not at the host: then nothing may be
 * sent. */
static gboolean take_override(struct check_report *report, const char *text)
{
	struct dmarc_record record;
	const GPtrArray *uris;
	gboolean good = TRUE;

	dmarc_read("", text, &record, NULL);
	uris = strcmp(report->tag, "rua") == 0 ? record.rua : record.ruf;
	for (guint i = 0; i < uris->len && good; i++) {
		const struct dmarc_uri *uri = g_ptr_array_index(uris, i);

		good = strcmp(uri->host, report->host) == 0;
		if (good)
			g_ptr_array_add(report->override, g_strdup(uri->uri));
	}
	dmarc_clear(&record);
	return good;
}

/* Tell of a consent record under the owner's own domain, which reporters do not query. */
static void judge_elsewhere(const struct dns_source *source, struct check *check,
    const struct check_report *report, const char *owner)
{
	const char *const first[] = { owner, report->host, "" };

	for (gsize i = 0; i < G_N_ELEMENTS(first); i++) {
		g_autofree char *name =
		    g_strdup_printf("%s%s_report._dmarc.%s", first[i], *first[i] == '\0' ? "" : ".", owner);
		g_autofree char *place = g_strdup_printf("%s TXT", name);
		const struct dns_answer *answer = dns_look_up(source, DNS_TXT, name);

		if (count_records(answer, FALSE) > 0)
			findings_add(check->findings, FINDING_REPORT_MISPLACED, place,
			    g_strdup(report->expected_record),
			    "this consent has no effect here: it must be in the zone of %s, which receives "
			    "the reports",
			    report->host);
	}
}

static void read_consent(const struct dns_source *source, struct check *check, struct check_report *report,
    const char *owner, const char *name, const struct dns_answer *answer)
{
	g_autofree char *place = g_strdup_printf("%s TXT", name);
	gboolean good = TRUE;
	char psd;

	report->authorised = CHECK_NO;
	for (guint i = 0; i < answer->n_records; i++) {
		if (!treewalk_is_record(answer->records[i].text, &psd))
			continue;
		report->authorised = CHECK_YES;
		good = good && take_override(report, answer->records[i].text);
	}
	if (!good) {
		g_ptr_array_set_size(report->override, 0);
		report->authorised = CHECK_NO;
		findings_add(check->findings, FINDING_REPORT_UNAUTHORISED, place,
		    g_strdup(report->expected_record),
		    "the record sends the reports of \"%s\" to another host, which is not allowed: they go "
		    "nowhere",
		    report->tag);
	} else if (report->authorised == CHECK_NO) {
		findings_add(check->findings, FINDING_REPORT_UNAUTHORISED, place,
		    g_strdup(report->expected_record),
		    "%s does not agree to receive the reports of %s, so reporters do not send them to %s "
		    "(\"%s\"): the administrator of %s must publish this record; a mailbox in %s itself "
		    "needs "
		    "none",
		    report->host, owner, report->address, report->tag, report->host, owner);
		judge_elsewhere(source, check, report, owner);
	} else if (report->override->len > 0) {
		findings_add(check->findings, FINDING_REPORT_OVERRIDE, place, NULL,
		    "%s has the reports of \"%s\" sent to %s instead", report->host, report->tag,
		    (const char *)g_ptr_array_index(report->override, 0));
	}
}

/* owner: the domain whose record it is. */
static void judge_consent(
    const struct dns_source *source, struct check *check, struct check_report *report, const char *owner)
{
	g_autofree char *name = g_strdup_printf("%s._report._dmarc.%s", owner, report->host);
	const struct dns_answer *answer = dns_look_up(source, DNS_TXT, name);

	report->expected_record = finding_txt_record(name, "v=DMARC1");
	report->authorised = CHECK_UNKNOWN;
	if (answer->status == DNS_BAD_NAME) {
		report->authorised = CHECK_NO;
		findings_add(check->findings, FINDING_REPORT_UNAUTHORISED, name, NULL,
		    "the name of the record that would allow reports at %s is too long", report->host);
	} else if (dns_failed(answer)) {
		findings_add_failed(check->findings, DNS_TXT, name, answer);
	} else {
		read_consent(source, check, report, owner, name, answer);
	}
}

static void add_report(const struct dns_source *source, struct check *check, const char *tag,
    const struct dmarc_uri *uri, const char *owner)
{
	struct check_report *report = g_new0(struct check_report, 1);
	g_autofree char *owner_org = organizational_domain(source, check, owner);
	g_autofree char *host_org = organizational_domain(source, check, uri->host);

	*report = (struct check_report){ .tag = tag,
		.uri = g_strdup(uri->uri),
		.address = g_strdup(uri->address),
		.host = g_strdup(uri->host),
		.external = strcmp(owner_org, host_org) != 0,
		.authorised = CHECK_YES,
		.override = g_ptr_array_new_with_free_func(g_free) };
	g_ptr_array_add(check->reports, report);
	if (report->external)
		judge_consent(source, check, report, owner);
	judge_host(source, check, report);
}

/* What each of the hosts will be asked for anyhow; consent is only asked of another organization. */
static void expect_hosts(const struct dns_source *source, const GPtrArray *uris)
{
	for (guint i = 0; i < uris->len; i++) {
		const struct dmarc_uri *uri = g_ptr_array_index(uris, i);
		g_autofree char *name = g_strconcat("_dmarc.", uri->host, NULL);

		dns_expect(source, DNS_TXT, name);
		dns_expect(source, DNS_MX, uri->host);
	}
}

static void add_reports(const struct dns_source *source, struct check *check, const char *owner)
{
	const struct dmarc_record *record = &check->dmarc.record;

	expect_hosts(source, record->rua);
	expect_hosts(source, record->ruf);
	for (guint i = 0; i < record->rua->len; i++)
		add_report(source, check, "rua", g_ptr_array_index(record->rua, i), owner);
	for (guint i = 0; i < record->ruf->len; i++)
		add_report(source, check, "ruf", g_ptr_array_index(record->ruf, i), owner);
}

/* -- all of it -- */

static gboolean said_why(const struct check *check)
{
	return findings_have(check->findings, FINDING_DMARC_SEVERAL) ||
	       findings_have(check->findings, FINDING_DMARC_IGNORED);
}

void check_dmarc(const struct dns_source *source, const struct check_options *options, struct check *check)
{
	g_autofree char *name = g_strconcat("_dmarc.", check->domain, NULL);
	gboolean exists = dns_look_up(source, DNS_TXT, check->domain)->status != DNS_NXDOMAIN;
	const struct treewalk_record *found;
	struct treewalk walk;
	gboolean complete;

	check->reports = g_ptr_array_new_with_free_func(free_report);
	complete = walk_up(source, check, check->domain, &walk);
	check->dmarc.org = g_strdup(walk.org);
	judge_texts(source, check, name);
	judge_apex(source, check, name);
	found = treewalk_policy(&walk, exists, &check->dmarc.tag);
	if (found != NULL) {
		check->dmarc.name = g_strconcat("_dmarc.", found->domain, NULL);
		dmarc_read(check->dmarc.name, found->text, &check->dmarc.record, check->findings);
		judge_place(check, name);
		decide(check, &walk);
		add_reports(source, check, found->domain);
	} else if (exists && complete && !said_why(check)) {
		tell_missing(check, name, options);
	}
	treewalk_clear(&walk);
}
