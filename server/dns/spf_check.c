/* spf_check.c - check_host() of RFC 7208 section 4. */
#include "server/dns/spf_walk.h"

#include <string.h>

#include "parser/error.h"

struct walk {
	const struct dns_source *source;
	struct spf_identity identity;
	struct spf_verdict *verdict;
	GPtrArray *names; /* of the address, that lead back to it; NULL while nobody has asked */
};

enum match {
	NO_MATCH,
	MATCH,
	MATCH_TEMPERROR,
	MATCH_PERMERROR,
};

static enum spf_result check_domain(struct walk *walk, const char *domain);

static void G_GNUC_PRINTF(2, 3) give_reason(struct walk *walk, const char *format, ...)
{
	va_list args;

	g_free(walk->verdict->reason);
	va_start(args, format);
	walk->verdict->reason = g_strdup_vprintf(format, args);
	va_end(args);
}

static gboolean count_lookup(struct walk *walk)
{
	if (++walk->verdict->lookups <= SPF_LOOKUPS_MAX)
		return TRUE;
	give_reason(walk, "more than %d look-ups", SPF_LOOKUPS_MAX);
	return FALSE;
}

/* A look-up found nothing. */
static enum match void_lookup(struct walk *walk)
{
	if (++walk->verdict->void_lookups <= SPF_VOID_LOOKUPS_MAX)
		return NO_MATCH;
	give_reason(walk, "more than %d void look-ups", SPF_VOID_LOOKUPS_MAX);
	return MATCH_PERMERROR;
}

static enum match failed_lookup(struct walk *walk, const char *name, enum dns_status status)
{
	give_reason(walk, "%s: %s", name, dns_status_words(status));
	return MATCH_TEMPERROR;
}

/* -- names of the address (section 5.5) -- */

static enum dns_type address_type(const struct walk *walk)
{
	return walk->identity.ip->size == 4 ? DNS_A : DNS_AAAA;
}

static gboolean has_address(const struct walk *walk, const char *name)
{
	const struct dns_answer *answer = dns_look_up(walk->source, address_type(walk), name);

	for (guint i = 0; i < answer->n_records; i++) {
		struct ip_range ip;

		if (ip_parse(answer->records[i].text, &ip) && ip_contains(&ip, walk->identity.ip))
			return TRUE;
	}
	return FALSE;
}

/* Errors of the DNS are no names. *is_void: the address has no name at all. */
static const GPtrArray *validated_names(struct walk *walk, gboolean *is_void)
{
	g_autofree char *reverse = ip_reverse_name(walk->identity.ip);
	const struct dns_answer *answer = dns_look_up(walk->source, DNS_PTR, reverse);

	*is_void = dns_is_void(answer);
	if (walk->names != NULL)
		return walk->names;
	walk->names = g_ptr_array_new();
	for (guint i = 0; i < MIN(answer->n_records, SPF_PTR_MAX); i++)
		if (has_address(walk, answer->records[i].text))
			g_ptr_array_add(walk->names, answer->records[i].text);
	return walk->names;
}

static gboolean is_below(const char *name, const char *domain)
{
	gsize size = strlen(name), above = strlen(domain);

	return size > above && name[size - above - 1] == '.' && strcmp(name + size - above, domain) == 0;
}

/* What %{p} is: the domain's own name, else one below it, else any (section 7.3). */
static const char *best_name(struct walk *walk, const char *domain)
{
	gboolean is_void;
	const GPtrArray *names = validated_names(walk, &is_void);
	const char *below = NULL;

	for (guint i = 0; i < names->len; i++) {
		const char *name = g_ptr_array_index(names, i);

		if (strcmp(name, domain) == 0)
			return name;
		if (below == NULL && is_below(name, domain))
			below = name;
	}
	if (below != NULL)
		return below;
	return names->len > 0 ? g_ptr_array_index(names, 0) : "unknown";
}

/* -- mechanisms (section 5) -- */

static char *target_of(struct walk *walk, const struct spf_term *term, const char *domain)
{
	gboolean needs_name = term->domain != NULL && spf_macro_needs_name(term->domain);

	return spf_target(term, &walk->identity, domain, needs_name ? best_name(walk, domain) : NULL);
}

static enum match match_include(struct walk *walk, const char *name)
{
	switch (check_domain(walk, name)) {
	case SPF_PASS:
		return MATCH;
	case SPF_TEMPERROR:
		return MATCH_TEMPERROR;
	case SPF_PERMERROR:
		return MATCH_PERMERROR;
	case SPF_NONE:
		give_reason(walk, "%s: has no SPF record", name);
		return MATCH_PERMERROR;
	default:
		g_clear_pointer(&walk->verdict->term, g_free);
		g_clear_pointer(&walk->verdict->via, g_free);
		return NO_MATCH;
	}
}

static enum match match_hosts(struct walk *walk, const struct spf_term *term, const char *name)
{
	gboolean ip4 = walk->identity.ip->size == 4;
	struct spf_hosts hosts;
	enum match match = NO_MATCH;

	spf_hosts_find(walk->source, term, name, ip4, !ip4, &hosts);
	for (guint i = 0; i < hosts.ranges->len && match == NO_MATCH; i++)
		if (ip_contains(&g_array_index(hosts.ranges, struct ip_range, i), walk->identity.ip))
			match = MATCH;
	if (match == NO_MATCH && hosts.many) {
		give_reason(walk, "%s: more than %d MX hosts", name, SPF_MX_MAX);
		match = MATCH_PERMERROR;
	} else if (match == NO_MATCH && hosts.failed != NULL) {
		match = failed_lookup(walk, hosts.failed, hosts.failure);
	} else if (match == NO_MATCH && hosts.ranges->len == 0 && hosts.asked) {
		match = void_lookup(walk);
	}
	spf_hosts_clear(&hosts);
	return match;
}

static enum match match_ptr(struct walk *walk, const char *name)
{
	gboolean is_void;
	const GPtrArray *names = validated_names(walk, &is_void);

	for (guint i = 0; i < names->len; i++) {
		const char *one = g_ptr_array_index(names, i);

		if (strcmp(one, name) == 0 || is_below(one, name))
			return MATCH;
	}
	return is_void ? void_lookup(walk) : NO_MATCH;
}

/* Always an A record, also for an IPv6 address (section 5.7). */
static enum match match_exists(struct walk *walk, const char *name)
{
	const struct dns_answer *answer = dns_look_up(walk->source, DNS_A, name);

	if (dns_failed(answer))
		return failed_lookup(walk, name, answer->status);
	if (answer->n_records > 0)
		return MATCH;
	return answer->status == DNS_BAD_NAME ? NO_MATCH : void_lookup(walk);
}

static enum match match_by_name(struct walk *walk, const struct spf_term *term, const char *domain)
{
	g_autofree char *name = NULL;

	if (!count_lookup(walk))
		return MATCH_PERMERROR;
	name = target_of(walk, term, domain);
	if (name == NULL) /* %{h} of a HELO that nobody knows */
		return NO_MATCH;
	switch (term->kind) {
	case SPF_INCLUDE:
		return match_include(walk, name);
	case SPF_PTR:
		return match_ptr(walk, name);
	case SPF_EXISTS:
		return match_exists(walk, name);
	default:
		return match_hosts(walk, term, name);
	}
}

static enum match match_term(struct walk *walk, const struct spf_term *term, const char *domain)
{
	if (term->kind >= SPF_REDIRECT)
		return NO_MATCH;
	if (term->kind == SPF_ALL)
		return MATCH;
	if (term->kind == SPF_IP4 || term->kind == SPF_IP6)
		return ip_contains(&term->network, walk->identity.ip) ? MATCH : NO_MATCH;
	return match_by_name(walk, term, domain);
}

/* -- records -- */

static enum spf_result result_of(char qualifier)
{
	switch (qualifier) {
	case '-':
		return SPF_FAIL;
	case '~':
		return SPF_SOFTFAIL;
	case '?':
		return SPF_NEUTRAL;
	default:
		return SPF_PASS;
	}
}

static enum spf_result matched(struct walk *walk, const struct spf_term *term, const char *domain)
{
	struct spf_verdict *verdict = walk->verdict;

	if (verdict->term == NULL) { /* else one of the record included decided */
		verdict->term = g_strdup(term->text);
		verdict->via = g_strdup(domain);
	}
	return result_of(term->qualifier);
}

static enum spf_result follow_redirect(struct walk *walk, const struct spf_term *term, const char *domain)
{
	g_autofree char *name = NULL;
	enum spf_result result;

	if (!count_lookup(walk))
		return SPF_PERMERROR;
	name = target_of(walk, term, domain);
	result = name == NULL ? SPF_NONE : check_domain(walk, name);
	if (result != SPF_NONE)
		return result;
	give_reason(walk, "%s: has no SPF record", name == NULL ? term->text : name);
	return SPF_PERMERROR;
}

static enum spf_result check_record(struct walk *walk, const struct spf_record *record, const char *domain)
{
	for (guint i = 0; i < record->n_terms; i++) {
		switch (match_term(walk, &record->terms[i], domain)) {
		case MATCH:
			return matched(walk, &record->terms[i], domain);
		case MATCH_TEMPERROR:
			return SPF_TEMPERROR;
		case MATCH_PERMERROR:
			return SPF_PERMERROR;
		case NO_MATCH:
			break;
		}
	}
	return record->redirect != NULL ? follow_redirect(walk, record->redirect, domain) : SPF_NEUTRAL;
}

/* Recursion is bounded by SPF_LOOKUPS_MAX: each step is counted. */
static enum spf_result check_domain(struct walk *walk, const char *domain)
{
	g_autoptr(GError) error = NULL;
	struct spf_record record;
	enum dns_status status;
	const char *text = NULL;
	enum spf_result result;

	switch (spf_fetch(walk->source, domain, &text, &status)) {
	case SPF_FETCHED_NONE:
		return SPF_NONE;
	case SPF_FETCHED_SEVERAL:
		give_reason(walk, "%s: has several SPF records", domain);
		return SPF_PERMERROR;
	case SPF_FETCHED_FAILED:
		failed_lookup(walk, domain, status);
		return SPF_TEMPERROR;
	case SPF_FETCHED:
		break;
	}
	if (!spf_record_read(text, &record, &error)) {
		give_reason(walk, "%s: %s", domain, error->message);
		return SPF_PERMERROR;
	}
	result = check_record(walk, &record, domain);
	spf_record_clear(&record);
	return result;
}

void spf_check(const struct dns_source *source, const struct spf_identity *identity, const char *domain,
    struct spf_verdict *verdict)
{
	struct walk walk = { .source = source, .identity = *identity, .verdict = verdict };

	*verdict = (struct spf_verdict){ 0 };
	if (walk.identity.local == NULL)
		walk.identity.local = "postmaster"; /* section 4.3 */
	if (walk.identity.sender_domain == NULL)
		walk.identity.sender_domain = domain;
	verdict->result = check_domain(&walk, domain);
	if (verdict->result == SPF_TEMPERROR || verdict->result == SPF_PERMERROR) {
		g_clear_pointer(&verdict->term, g_free);
		g_clear_pointer(&verdict->via, g_free);
	} else {
		g_clear_pointer(&verdict->reason, g_free);
	}
	if (walk.names != NULL)
		g_ptr_array_unref(walk.names);
}

void spf_verdict_clear(struct spf_verdict *verdict)
{
	g_clear_pointer(&verdict->term, g_free);
	g_clear_pointer(&verdict->via, g_free);
	g_clear_pointer(&verdict->reason, g_free);
}
