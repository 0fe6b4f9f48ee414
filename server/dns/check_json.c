/* check_json.c - a check as the document that check.h describes. */
#include "server/dns/check.h"

#include <string.h>

#include "parser/text.h"

/* Text of the DNS, or of ours. */
static struct json_object *text_json(const char *text)
{
	g_autofree char *clean = NULL;

	if (text == NULL)
		return NULL;
	clean = text_clean(text, strlen(text), CHECK_TEXT_MAX);
	return json_object_new_string(clean);
}

static void add_text(struct json_object *object, const char *name, const char *text)
{
	json_object_object_add(object, name, text_json(text));
}

static void add_bool(struct json_object *object, const char *name, gboolean value)
{
	json_object_object_add(object, name, json_object_new_boolean(value));
}

static void add_number(struct json_object *object, const char *name, guint value)
{
	json_object_object_add(object, name, json_object_new_int64(value));
}

static void add_known(struct json_object *object, const char *name, enum check_known known)
{
	json_object_object_add(
	    object, name, known == CHECK_UNKNOWN ? NULL : json_object_new_boolean(known == CHECK_YES));
}

static void add_qualifier(struct json_object *object, const char *name, char qualifier)
{
	json_object_object_add(
	    object, name, qualifier == '\0' ? NULL : json_object_new_string_len(&qualifier, 1));
}

/* list: char *, or NULL. */
static void add_texts(struct json_object *object, const char *name, const GPtrArray *list)
{
	struct json_object *array = json_object_new_array();

	for (guint i = 0; list != NULL && i < list->len; i++)
		json_object_array_add(array, text_json(g_ptr_array_index(list, i)));
	json_object_object_add(object, name, array);
}

static void add_uris(struct json_object *object, const char *name, const GPtrArray *uris)
{
	struct json_object *array = json_object_new_array();

	for (guint i = 0; uris != NULL && i < uris->len; i++)
		json_object_array_add(
		    array, text_json(((const struct dmarc_uri *)g_ptr_array_index(uris, i))->uri));
	json_object_object_add(object, name, array);
}

/* The elements of list (or NULL), each by a function. */
static void add_list(struct json_object *object, const char *name, const GPtrArray *list,
    struct json_object *(*print)(gconstpointer element))
{
	struct json_object *array = json_object_new_array();

	for (guint i = 0; list != NULL && i < list->len; i++)
		json_object_array_add(array, print(g_ptr_array_index(list, i)));
	json_object_object_add(object, name, array);
}

/* -- parts -- */

static struct json_object *print_findings(struct findings *findings)
{
	struct json_object *array = json_object_new_array();
	guint n = findings_count(findings);

	for (guint i = 0; i < n; i++) {
		const struct finding *finding = findings_get(findings, i);
		struct json_object *object = json_object_new_object();

		add_text(object, "code", finding_code_word(finding->code));
		add_text(object, "severity", finding_severity_word(finding_severity_of(finding->code)));
		add_text(object, "place", finding->place);
		add_text(object, "text", finding->text);
		add_text(object, "fix", finding->fix);
		json_object_array_add(array, object);
	}
	return array;
}

static struct json_object *print_effective(const struct check_dmarc *dmarc)
{
	struct json_object *object;

	if (dmarc->policy == NULL)
		return NULL;
	object = json_object_new_object();
	add_text(object, "domain", dmarc->policy);
	add_text(object, "subdomains", dmarc->subdomains);
	add_text(object, "nonexistent_subdomains", dmarc->nonexistent);
	return object;
}

static struct json_object *print_dmarc(const struct check_dmarc *dmarc)
{
	static const char *const TAGS[] = { "p", "sp", "np" };
	struct json_object *object = json_object_new_object();
	const struct dmarc_record *record = &dmarc->record;

	add_text(object, "name", dmarc->name);
	add_text(object, "record", record->text);
	add_text(object, "organizational_domain", dmarc->org);
	add_text(object, "policy_tag", dmarc->name == NULL ? NULL : TAGS[dmarc->tag]);
	add_text(object, "p", record->p);
	add_text(object, "sp", record->sp);
	add_text(object, "np", record->np);
	add_text(object, "adkim", record->adkim);
	add_text(object, "aspf", record->aspf);
	add_text(object, "fo", record->fo);
	add_text(object, "psd", record->psd);
	add_text(object, "t", record->t);
	add_uris(object, "rua", record->rua);
	add_uris(object, "ruf", record->ruf);
	json_object_object_add(object, "effective", print_effective(dmarc));
	return object;
}

static struct json_object *print_report(gconstpointer element)
{
	const struct check_report *report = element;
	struct json_object *object = json_object_new_object();

	add_text(object, "tag", report->tag);
	add_text(object, "uri", report->uri);
	add_text(object, "address", report->address);
	add_text(object, "host", report->host);
	add_bool(object, "external", report->external);
	add_known(object, "authorised", report->authorised);
	add_texts(object, "override", report->override);
	add_text(object, "expected_record", report->expected_record);
	add_known(object, "accepts_mail", report->accepts_mail);
	return object;
}

static struct json_object *print_range(const struct spf_range *range)
{
	struct json_object *object = json_object_new_object();
	char text[IP_TEXT_SIZE];

	ip_print_range(&range->range, text);
	add_text(object, "range", text);
	add_qualifier(object, "qualifier", range->qualifier);
	add_text(object, "term", range->term);
	add_text(object, "via", range->via);
	return object;
}

static struct json_object *print_branch(gconstpointer element)
{
	const struct spf_branch *branch = element;
	struct json_object *object = json_object_new_object();

	add_number(object, "depth", branch->depth);
	add_text(object, "term", branch->term);
	add_text(object, "via", branch->via);
	add_number(object, "lookups", branch->lookups);
	return object;
}

static struct json_object *print_spf(const struct spf_policy *spf)
{
	struct json_object *object = json_object_new_object(), *ranges = json_object_new_array();

	add_text(object, "record", spf->record);
	add_text(object, "result", spf_state_word(spf->state));
	add_number(object, "lookups", spf->lookups);
	add_bool(object, "more_lookups", spf->more_lookups);
	add_number(object, "void_lookups", spf->void_lookups);
	add_qualifier(object, "all", spf->all);
	for (guint i = 0; spf->ranges != NULL && i < spf->ranges->len; i++)
		json_object_array_add(ranges, print_range(&g_array_index(spf->ranges, struct spf_range, i)));
	json_object_object_add(object, "ranges", ranges);
	add_list(object, "tree", spf->tree, print_branch);
	add_texts(object, "unlisted", spf->unlisted);
	return object;
}

static struct json_object *print_dkim(gconstpointer element)
{
	const struct check_dkim *dkim = element;
	struct json_object *object = json_object_new_object();

	add_text(object, "domain", dkim->domain);
	add_text(object, "selector", dkim->selector);
	add_text(object, "record", dkim->record);
	add_text(object, "status", dkim_status_word(dkim->key.status));
	add_text(object, "key_type", dkim->key.key_type);
	add_number(object, "bits", dkim->key.bits);
	add_bool(object, "testing", dkim->key.testing);
	add_bool(object, "probed", dkim->probed);
	return object;
}

static struct json_object *print_tlsa(gconstpointer element)
{
	const struct check_tlsa *tlsa = element;
	struct json_object *object = json_object_new_object();
	const struct {
		const char *name;
		guint8 value;
	} fields[] = { { "usage", tlsa->usage }, { "selector", tlsa->selector },
		{ "matching_type", tlsa->matching } };

	for (gsize i = 0; i < G_N_ELEMENTS(fields); i++)
		json_object_object_add(
		    object, fields[i].name, tlsa->complete ? json_object_new_int64(fields[i].value) : NULL);
	add_text(object, "data", tlsa->data);
	add_bool(object, "usable", tlsa->usable);
	return object;
}

static struct json_object *print_mx(gconstpointer element)
{
	const struct check_mx *mx = element;
	struct json_object *object = json_object_new_object();

	add_number(object, "preference", mx->preference);
	add_text(object, "host", mx->host);
	add_texts(object, "addresses", mx->addresses);
	add_list(object, "tlsa", mx->tlsa, print_tlsa);
	add_known(object, "tlsa_authentic", mx->tlsa_authentic);
	return object;
}

static struct json_object *print_server(gconstpointer element)
{
	const struct check_server *server = element;
	struct json_object *object = json_object_new_object();

	add_text(object, "host", server->host);
	add_texts(object, "addresses", server->addresses);
	add_known(object, "answers", server->answers);
	add_text(object, "serial", server->serial);
	return object;
}

static struct json_object *print_servers(const struct check *check)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "zone", check->zone);
	add_list(object, "servers", check->servers, print_server);
	return object;
}

static struct json_object *print_dnssec(const struct check *check)
{
	struct json_object *object = json_object_new_object();

	add_known(object, "signed", check->is_signed);
	add_known(object, "validated", check->validated);
	return object;
}

static struct json_object *print_bimi(const struct check *check)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "record", check->bimi);
	add_text(object, "location", check->bimi_location);
	add_text(object, "authority", check->bimi_authority);
	return object;
}

static struct json_object *print_tls(const struct check *check)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "record", check->tls_rpt);
	add_texts(object, "rua", check->tls_rua);
	return object;
}

static struct json_object *print_policy(const struct sts_policy *policy)
{
	struct json_object *object;

	if (policy->mode == NULL)
		return NULL;
	object = json_object_new_object();
	add_text(object, "mode", policy->mode);
	json_object_object_add(object, "max_age", json_object_new_int64((gint64)policy->max_age));
	add_texts(object, "mx", policy->mx);
	return object;
}

static struct json_object *print_sts(const struct check *check)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "record", check->sts);
	add_text(object, "id", check->sts_id);
	add_known(object, "policy_host", check->sts == NULL ? CHECK_UNKNOWN : check->sts_host);
	json_object_object_add(object, "policy", print_policy(&check->sts_policy));
	return object;
}

static struct json_object *print_sender(gconstpointer element)
{
	const struct check_sender *sender = element;
	struct json_object *object = json_object_new_object();
	char text[IP_TEXT_SIZE];

	ip_print(&sender->ip, text);
	add_text(object, "ip", text);
	add_text(object, "name", sender->name);
	add_known(object, "confirmed", sender->confirmed);
	return object;
}

static struct json_object *print_entry(gconstpointer element)
{
	const struct blocklist_entry *entry = element;
	struct json_object *object = json_object_new_object();

	add_text(object, "subject", entry->subject);
	add_text(object, "codes", entry->codes);
	add_text(object, "words", entry->words);
	add_text(object, "text", entry->text);
	return object;
}

static struct json_object *print_blocklist(gconstpointer element)
{
	const struct blocklist_result *result = element;
	struct json_object *object = json_object_new_object();

	add_text(object, "zone", result->zone);
	add_text(object, "name", result->name);
	add_text(object, "url", result->url);
	add_text(object, "terms", result->terms);
	add_text(object, "status", blocklist_status_word(result->status));
	add_text(object, "why", result->why);
	add_number(object, "asked", result->asked);
	add_list(object, "found", result->found, print_entry);
	return object;
}

void check_add_blocklists(struct json_object *object, const GPtrArray *results)
{
	add_list(object, "blocklists", results, print_blocklist);
}

static struct json_object *print_time(gint64 seconds)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);
	g_autofree char *text = time == NULL ? NULL : g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ");

	return text_json(text);
}

struct json_object *check_json(struct check *check)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "domain", check->domain);
	json_object_object_add(object, "checked_at", print_time(check->checked_at));
	add_bool(object, "ok", !findings_have_error(check->findings));
	add_bool(object, "answered", check->answered);
	json_object_object_add(object, "findings", print_findings(check->findings));
	json_object_object_add(object, "dmarc", print_dmarc(&check->dmarc));
	add_list(object, "reports", check->reports, print_report);
	json_object_object_add(object, "spf", print_spf(&check->spf));
	add_list(object, "dkim", check->dkim, print_dkim);
	add_text(object, "dkim_selectors", check_selectors_word(check->selectors_from));
	add_list(object, "mx", check->mx, print_mx);
	json_object_object_add(object, "ns", print_servers(check));
	json_object_object_add(object, "dnssec", print_dnssec(check));
	json_object_object_add(object, "tls_rpt", print_tls(check));
	json_object_object_add(object, "mta_sts", print_sts(check));
	json_object_object_add(object, "bimi", print_bimi(check));
	add_list(object, "senders", check->senders, print_sender);
	check_add_blocklists(object, check->blocklists);
	add_texts(object, "elsewhere", check->elsewhere);
	return object;
}
