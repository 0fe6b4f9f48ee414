/*
 * spf_expand.c - all that a domain's SPF allows, as networks.
 *
 * Terms are walked in the order of an evaluation. Where a receiver would stop (permerror), no more ranges are
 * taken, but look-ups are counted on, so that it can be said by how many there are too many.
 */
#include "server/dns/spf_walk.h"

#include <string.h>

#include "parser/error.h"

#define TERM_SHOWN 255     /* bytes of a term that are kept with each of its ranges */
#define WORK_MAX   1000000 /* subtractions of networks: an honest policy needs hundreds */

struct expansion {
	const struct dns_source *source;
	struct spf_identity identity;
	struct spf_policy *policy;
	struct findings *findings;
	GPtrArray *path;       /* the domains on the way here, for loops; owned */
	GHashTable *included;  /* domains whose record was taken */
	gboolean stopped;      /* a receiver would not go on */
	gboolean exhausted;    /* neither do we */
	gboolean incomplete;   /* ranges were left out */
	guint work;            /* of WORK_MAX */
	guint no_ipv6;         /* terms with IPv4 addresses only: void for senders with IPv6 */
	gboolean ipv6_is_late; /* too many of them stand before an IPv6 network */
};

/* What a record amounts to. */
struct branch {
	GArray *ranges; /* struct spf_range */
	char all;
};

static void expand_domain(struct expansion *expansion, const char *domain, struct branch *branch);

/* -- ranges -- */

static void clear_range(gpointer data)
{
	struct spf_range *range = data;

	g_free(range->term);
	g_free(range->via);
}

static GArray *new_ranges(void)
{
	GArray *ranges = g_array_new(FALSE, FALSE, sizeof(struct spf_range));

	g_array_set_clear_func(ranges, clear_range);
	return ranges;
}

static void add_range(
    GArray *ranges, const struct ip_range *ip, char qualifier, const char *term, const char *via)
{
	struct spf_range range = { *ip, qualifier, g_strndup(term, TERM_SHOWN), g_strdup(via) };

	if (ranges->len < SPF_RANGES_MAX)
		g_array_append_val(ranges, range);
	else
		clear_range(&range);
}

static struct ip_range everything(guint8 size)
{
	return (struct ip_range){ .size = size };
}

static void add_everything(GArray *ranges, const struct spf_term *term, const char *via)
{
	struct ip_range ip4 = everything(4), ip6 = everything(16);

	add_range(ranges, &ip4, term->qualifier, term->text, via);
	add_range(ranges, &ip6, term->qualifier, term->text, via);
}

/* What is left of the networks in rest without one of them that an earlier term took. */
static GArray *without(struct expansion *expansion, GArray *rest, const struct ip_range *taken)
{
	GArray *left = g_array_new(FALSE, FALSE, sizeof(struct ip_range));

	for (guint i = 0; i < rest->len; i++) {
		const struct ip_range *one = &g_array_index(rest, struct ip_range, i);

		if (++expansion->work > WORK_MAX || left->len >= SPF_RANGES_MAX) {
			expansion->incomplete = TRUE;
			break;
		}
		if (ip_contains(taken, one))
			continue;
		if (ip_contains(one, taken))
			ip_subtract(one, taken, left);
		else
			g_array_append_val(left, *one);
	}
	g_array_unref(rest);
	return left;
}

/* The range without what earlier ones took that do not pass. */
static GArray *remaining(struct expansion *expansion, const GArray *ranges, guint i)
{
	GArray *rest = g_array_new(FALSE, FALSE, sizeof(struct ip_range));

	g_array_append_val(rest, g_array_index(ranges, struct spf_range, i).range);
	for (guint j = 0; j < i; j++)
		if (g_array_index(ranges, struct spf_range, j).qualifier != '+')
			rest = without(expansion, rest, &g_array_index(ranges, struct spf_range, j).range);
	return rest;
}

/* Of an included record, what passes matches, with the qualifier of the include; what does not pass is passed
 * over, and takes itself out of what follows it. */
static void add_included(struct expansion *expansion, GArray *ranges, const GArray *inner, char qualifier)
{
	for (guint i = 0; i < inner->len && ranges->len < SPF_RANGES_MAX; i++) {
		const struct spf_range *one = &g_array_index(inner, struct spf_range, i);
		GArray *rest;

		if (one->qualifier != '+')
			continue;
		rest = remaining(expansion, inner, i);
		for (guint j = 0; j < rest->len; j++)
			add_range(
			    ranges, &g_array_index(rest, struct ip_range, j), qualifier, one->term, one->via);
		g_array_unref(rest);
	}
}

/* -- the tree -- */

static void free_branch(gpointer data)
{
	struct spf_branch *branch = data;

	g_free(branch->term);
	g_free(branch->via);
	g_free(branch);
}

/* Begin the branch of a term of domain's record. The look-ups so far are taken off at its end. */
static struct spf_branch *begin_branch(
    struct expansion *expansion, const char *domain, const struct spf_term *term)
{
	struct spf_branch *branch = g_new(struct spf_branch, 1);

	*branch = (struct spf_branch){ expansion->path->len - 1, g_strndup(term->text, TERM_SHOWN),
		g_strdup(domain), expansion->policy->lookups };
	g_ptr_array_add(expansion->policy->tree, branch);
	return branch;
}

static void end_branch(const struct expansion *expansion, struct spf_branch *branch)
{
	branch->lookups = expansion->policy->lookups - branch->lookups;
}

/* -- what is wrong -- */

static void G_GNUC_PRINTF(5, 6) tell(struct expansion *expansion, enum finding_code code, const char *domain,
    const struct spf_term *term, const char *format, ...)
{
	g_autofree char *place = term == NULL ? g_strdup_printf("%s TXT", domain)
					      : g_strdup_printf("%s TXT: %s", domain, term->text);
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	findings_add(expansion->findings, code, place, NULL, "%s", text);
}

/* The record of another domain has no fix, since it is not in the reader's hands. */
static void tell_syntax(struct expansion *expansion, const char *domain, const char *text, const char *why)
{
	g_autofree char *place = g_strdup_printf("%s TXT", domain);
	g_autofree char *record = expansion->path->len == 0 ? spf_fix(text) : NULL;

	findings_add(expansion->findings, FINDING_SPF_SYNTAX, place,
	    record == NULL ? NULL : finding_txt_record(domain, record), "%s", why);
}

static void stop(struct expansion *expansion)
{
	expansion->stopped = TRUE;
	expansion->policy->state = SPF_STATE_PERMERROR;
}

static void tell_failure(
    struct expansion *expansion, const char *domain, const char *name, enum dns_status status)
{
	if (expansion->policy->state == SPF_STATE_OK)
		expansion->policy->state = SPF_STATE_TEMPERROR;
	expansion->policy->more_lookups = TRUE;
	findings_add(expansion->findings, FINDING_DNS_FAILED, name, NULL,
	    "%s, which the SPF record of %s needs, could not be looked up: %s", name, domain,
	    dns_status_words(status));
}

/* -- look-ups -- */

/* Returns FALSE if the caller should stop. */
static gboolean count_lookup(struct expansion *expansion)
{
	if (++expansion->policy->lookups > SPF_LOOKUPS_MAX)
		stop(expansion);
	if (expansion->policy->lookups < SPF_EXPANDED_MAX)
		return TRUE;
	expansion->exhausted = TRUE;
	expansion->policy->more_lookups = TRUE;
	return FALSE;
}

static void void_lookup(
    struct expansion *expansion, const char *domain, const struct spf_term *term, const char *name)
{
	tell(expansion, FINDING_SPF_VOID, domain, term, "%s has no %s: the look-up finds nothing", name,
	    term->kind == SPF_MX ? "MX with an address" : "address");
	if (++expansion->policy->void_lookups > SPF_VOID_LOOKUPS_MAX)
		stop(expansion);
}

/* An IPv6 network is allowed; a sender in it that has come so far had a void look-up for each term without
 * IPv6. */
static void note_ipv6(struct expansion *expansion)
{
	if (expansion->no_ipv6 + expansion->policy->void_lookups > SPF_VOID_LOOKUPS_MAX)
		expansion->ipv6_is_late = TRUE;
}

/* -- sizes -- */

#define WIDE_BITS4 8 /* a shorter prefix has more addresses than any organization */
#define WIDE_BITS6 16

static void judge_range(struct expansion *expansion, const char *domain, const struct spf_term *term,
    const struct ip_range *range)
{
	char text[IP_TEXT_SIZE];

	ip_print_range(range, text);
	if (ip_is_private(range))
		tell(expansion, FINDING_SPF_PRIVATE, domain, term,
		    "%s is not used on the Internet, so no receiver sees mail from it", text);
	else if (term->qualifier == '+' && range->bits < (range->size == 4 ? WIDE_BITS4 : WIDE_BITS6))
		tell(expansion, FINDING_SPF_WIDE, domain, term,
		    "all of %s may send, which is a large part of the Internet", text);
}

/* The first 64 bits of a range: a network of IPv6, or an address of IPv4. */
static guint64 first_of(const struct ip_range *range)
{
	guint64 first = 0;

	for (guint i = 0; i < (range->size == 4 ? 4U : 8U); i++)
		first = first << 8 | range->bytes[i];
	return first;
}

/* How many there are in it; all of IPv6 has one too few. */
static guint64 size_of(const struct ip_range *range)
{
	guint width = range->size == 4 ? 32 : 64;

	if (range->bits >= width)
		return 1;
	return width - range->bits == 64 ? G_MAXUINT64 : (guint64)1 << (width - range->bits);
}

static gint compare_ranges(gconstpointer a, gconstpointer b)
{
	guint64 first = first_of(a), second = first_of(b);

	return first < second ? -1 : first > second;
}

/* How many addresses of IPv4 or networks of IPv6 may send, each counted once. */
static guint64 count_allowed(const GArray *ranges, guint8 size)
{
	g_autoptr(GArray) sorted = g_array_new(FALSE, FALSE, sizeof(struct ip_range));
	guint64 sum = 0, end = 0;

	for (guint i = 0; i < ranges->len; i++) {
		const struct spf_range *one = &g_array_index(ranges, struct spf_range, i);

		if (one->qualifier == '+' && one->range.size == size)
			g_array_append_val(sorted, one->range);
	}
	g_array_sort(sorted, compare_ranges);
	for (guint i = 0; i < sorted->len; i++) {
		const struct ip_range *one = &g_array_index(sorted, struct ip_range, i);
		guint64 first = MAX(first_of(one), end), last = first_of(one) + (size_of(one) - 1);

		if (last < first)
			continue;
		sum += last - first + 1;
		end = last == G_MAXUINT64 ? last : last + 1;
	}
	return sum;
}

/* Half of the addresses in use: of all IPv4, and of 2000::/3. */
static void judge_sum(struct expansion *expansion, const char *domain)
{
	const GArray *ranges = expansion->policy->ranges;

	if (findings_have(expansion->findings, FINDING_SPF_WIDE) ||
	    findings_have(expansion->findings, FINDING_SPF_ALL_PASS))
		return;
	if (count_allowed(ranges, 4) >= (guint64)1 << 31 || count_allowed(ranges, 16) >= (guint64)1 << 60)
		tell(expansion, FINDING_SPF_WIDE, domain, NULL,
		    "its networks together are most of the Internet");
}

/* -- terms -- */

/* Whether the term has a record of its own, with look-ups of its own. */
static gboolean has_record(const struct spf_term *term)
{
	return term->kind == SPF_INCLUDE || term->kind == SPF_REDIRECT;
}

static void unlisted(struct expansion *expansion, const char *domain, const struct spf_term *term)
{
	expansion->policy->more_lookups |= has_record(term);
	if (expansion->stopped)
		return;
	if (expansion->policy->unlisted->len < SPF_EXPANDED_MAX)
		g_ptr_array_add(expansion->policy->unlisted, g_strdup(term->text));
	tell(expansion, FINDING_SPF_UNLISTED, domain, term,
	    has_record(term)
		? "what it matches depends on the mail, so it is not in the list of addresses, and the "
		  "look-ups behind it are not counted"
		: "what it matches depends on the mail, so it is not in the list of addresses");
}

static gboolean is_on_path(const struct expansion *expansion, const char *name)
{
	for (guint i = 0; i < expansion->path->len; i++)
		if (strcmp(g_ptr_array_index(expansion->path, i), name) == 0)
			return TRUE;
	return FALSE;
}

/* Expand the record of an include or redirect. Returns FALSE if there is no usable record. */
static gboolean follow(struct expansion *expansion, const char *domain, const struct spf_term *term,
    const char *name, struct branch *branch)
{
	const char *text = NULL;
	enum dns_status status;

	if (is_on_path(expansion, name)) {
		tell(expansion, FINDING_SPF_LOOP, domain, term, "a loop: %s leads to itself", name);
		stop(expansion);
		return FALSE;
	}
	switch (spf_fetch(expansion->source, name, &text, &status)) {
	case SPF_FETCHED_FAILED:
		tell_failure(expansion, domain, name, status);
		return FALSE;
	case SPF_FETCHED_NONE:
		tell(expansion, FINDING_SPF_INCLUDE, domain, term,
		    "%s has no SPF record, which makes all of it invalid", name);
		stop(expansion);
		return FALSE;
	case SPF_FETCHED_SEVERAL:
		tell(expansion, FINDING_SPF_INCLUDE, domain, term,
		    "%s has several SPF records, which makes all of it invalid", name);
		stop(expansion);
		return FALSE;
	case SPF_FETCHED:
		break;
	}
	expand_domain(expansion, name, branch);
	return TRUE;
}

static void expand_include(struct expansion *expansion, const char *domain, const struct spf_term *term,
    const char *name, struct branch *branch)
{
	struct branch inner = { .ranges = new_ranges() };

	if (!g_hash_table_add(expansion->included, g_strdup(name)) && !is_on_path(expansion, name))
		tell(expansion, FINDING_SPF_DUPLICATE, domain, term,
		    "%s is included twice, and its look-ups count twice", name);
	if (follow(expansion, domain, term, name, &inner))
		add_included(expansion, branch->ranges, inner.ranges, term->qualifier);
	g_array_unref(inner.ranges);
}

static void expand_hosts(struct expansion *expansion, const char *domain, const struct spf_term *term,
    const char *name, struct branch *branch)
{
	struct spf_hosts hosts;

	spf_hosts_find(expansion->source, term, name, TRUE, TRUE, &hosts);
	if (hosts.failed != NULL)
		tell_failure(expansion, domain, hosts.failed, hosts.failure);
	else if (hosts.many) {
		tell(expansion, FINDING_SPF_MX_MANY, domain, term, "%s has more than %d MX hosts", name,
		    SPF_MX_MAX);
		stop(expansion);
	} else if (hosts.ranges->len == 0 && hosts.asked) {
		void_lookup(expansion, domain, term, name);
	} else if (!hosts.has_ip6) {
		expansion->no_ipv6++;
	} else {
		note_ipv6(expansion);
	}
	for (guint i = 0; i < hosts.ranges->len && !expansion->stopped; i++) {
		const struct ip_range *range = &g_array_index(hosts.ranges, struct ip_range, i);

		judge_range(expansion, domain, term, range);
		add_range(branch->ranges, range, term->qualifier, term->text, domain);
	}
	spf_hosts_clear(&hosts);
}

static void expand_by_name(
    struct expansion *expansion, const char *domain, const struct spf_term *term, struct branch *branch)
{
	struct spf_branch *node = begin_branch(expansion, domain, term);
	g_autofree char *name = NULL;

	if (!count_lookup(expansion)) {
		end_branch(expansion, node);
		return;
	}
	if (term->kind == SPF_PTR)
		tell(expansion, FINDING_SPF_PTR, domain, term,
		    "\"ptr\" is slow and unreliable, and must not be used (RFC 7208 section 5.5)");
	name = spf_target(term, &expansion->identity, domain, NULL);
	if (name == NULL || term->kind == SPF_PTR || term->kind == SPF_EXISTS)
		unlisted(expansion, domain, term);
	else if (term->kind == SPF_INCLUDE)
		expand_include(expansion, domain, term, name, branch);
	else
		expand_hosts(expansion, domain, term, name, branch);
	end_branch(expansion, node);
}

static void expand_network(
    struct expansion *expansion, const char *domain, const struct spf_term *term, struct branch *branch)
{
	char text[IP_TEXT_SIZE];

	ip_print_range(&term->network, text);
	if (term->host_bits)
		tell(expansion, FINDING_SPF_HOST_BITS, domain, term,
		    "the address has bits after the prefix: all of %s is allowed", text);
	if (term->kind == SPF_IP6)
		note_ipv6(expansion);
	judge_range(expansion, domain, term, &term->network);
	if (!expansion->stopped)
		add_range(branch->ranges, &term->network, term->qualifier, term->text, domain);
}

static void expand_all(
    struct expansion *expansion, const char *domain, const struct spf_term *term, struct branch *branch)
{
	if (term->qualifier == '+' && expansion->path->len > 1) /* else spf_judge_record() reports it */
		tell(expansion, FINDING_SPF_ALL_PASS, domain, term, "it lets the whole world send");
	if (expansion->stopped)
		return;
	branch->all = term->qualifier;
	if (term->qualifier == '+')
		add_everything(branch->ranges, term, domain);
}

static void expand_term(
    struct expansion *expansion, const char *domain, const struct spf_term *term, struct branch *branch)
{
	switch (term->kind) {
	case SPF_ALL:
		expand_all(expansion, domain, term, branch);
		break;
	case SPF_IP4:
	case SPF_IP6:
		expand_network(expansion, domain, term, branch);
		break;
	case SPF_REDIRECT:
	case SPF_EXP:
	case SPF_OTHER:
		break;
	default:
		expand_by_name(expansion, domain, term, branch);
	}
}

static void expand_redirect(
    struct expansion *expansion, const char *domain, const struct spf_term *term, struct branch *branch)
{
	struct branch inner = { .ranges = new_ranges() };
	struct spf_branch *node = begin_branch(expansion, domain, term);
	g_autofree char *name = NULL;

	if (!count_lookup(expansion)) {
		end_branch(expansion, node);
		g_array_unref(inner.ranges);
		return;
	}
	name = spf_target(term, &expansion->identity, domain, NULL);
	if (name == NULL)
		unlisted(expansion, domain, term);
	else if (follow(expansion, domain, term, name, &inner)) {
		for (guint i = 0; i < inner.ranges->len; i++) {
			const struct spf_range *one = &g_array_index(inner.ranges, struct spf_range, i);

			add_range(branch->ranges, &one->range, one->qualifier, one->term, one->via);
		}
		branch->all = inner.all;
	}
	end_branch(expansion, node);
	g_array_unref(inner.ranges);
}

/* -- records -- */

/* The first look-up of each term, as far as they are allowed. */
static void expect_terms(struct expansion *expansion, const char *domain, const struct spf_record *record)
{
	guint left = SPF_LOOKUPS_MAX - MIN(expansion->policy->lookups, SPF_LOOKUPS_MAX);

	for (guint i = 0; i < record->n_terms && left > 0; i++) {
		const struct spf_term *term = &record->terms[i];
		gboolean is_record = has_record(term);
		g_autofree char *name = NULL;

		if (term->kind == SPF_ALL)
			break;
		if (!is_record && term->kind != SPF_A && term->kind != SPF_MX)
			continue;
		left--;
		name = spf_target(term, &expansion->identity, domain, NULL);
		if (name != NULL)
			dns_expect(expansion->source,
			    is_record              ? DNS_TXT
			    : term->kind == SPF_MX ? DNS_MX
						   : DNS_A,
			    name);
	}
}

static void expand_record(
    struct expansion *expansion, const char *domain, const struct spf_record *record, struct branch *branch)
{
	expect_terms(expansion, domain, record);
	for (guint i = 0; i < record->n_terms && !expansion->exhausted; i++) {
		const struct spf_term *term = &record->terms[i];

		expand_term(expansion, domain, term, branch);
		if (term == record->all)
			return;
	}
	if (record->redirect != NULL && !expansion->exhausted)
		expand_redirect(expansion, domain, record->redirect, branch);
}

/* The domain's record, which was fetched before and is there. */
static void expand_domain(struct expansion *expansion, const char *domain, struct branch *branch)
{
	g_autoptr(GError) error = NULL;
	struct spf_record record;
	enum dns_status status;
	const char *text = NULL;

	if (spf_fetch(expansion->source, domain, &text, &status) != SPF_FETCHED)
		return;
	if (!spf_record_read(text, &record, &error)) {
		tell_syntax(expansion, domain, text, error->message);
		stop(expansion);
		return;
	}
	g_ptr_array_add(expansion->path, g_strdup(domain));
	expand_record(expansion, domain, &record, branch);
	g_ptr_array_set_size(expansion->path, (gint)expansion->path->len - 1);
	spf_record_clear(&record);
}

/* -- the domain's own record -- */

static void judge_limits(struct expansion *expansion, const char *domain)
{
	const struct spf_policy *policy = expansion->policy;

	if (policy->lookups > SPF_LOOKUPS_MAX)
		tell(expansion, FINDING_SPF_LOOKUPS, domain, NULL,
		    "%u%s look-ups are needed, and %d are allowed: receivers stop at the 11th (permerror)",
		    policy->lookups, policy->more_lookups ? " or more" : "", SPF_LOOKUPS_MAX);
	if (policy->void_lookups > SPF_VOID_LOOKUPS_MAX)
		tell(expansion, FINDING_SPF_VOID_LOOKUPS, domain, NULL,
		    "%u look-ups find nothing, and %d may: receivers stop at the third (permerror)",
		    policy->void_lookups, SPF_VOID_LOOKUPS_MAX);
	else if (expansion->ipv6_is_late)
		tell(expansion, FINDING_SPF_VOID_IPV6, domain, NULL,
		    "senders with IPv6 come after more than %d terms without an IPv6 address, where strict "
		    "receivers stop (permerror): name the IPv6 networks first",
		    SPF_VOID_LOOKUPS_MAX);
	if (policy->ranges->len >= SPF_RANGES_MAX || expansion->incomplete)
		tell(expansion, FINDING_SPF_MANY_RANGES, domain, NULL,
		    "there are more networks than can be listed: only the first %u are", policy->ranges->len);
}

static void expand_own(struct expansion *expansion, const char *domain)
{
	struct spf_policy *policy = expansion->policy;
	struct branch branch = { .ranges = policy->ranges };
	const char *text = NULL;
	enum dns_status status;

	switch (spf_fetch(expansion->source, domain, &text, &status)) {
	case SPF_FETCHED_FAILED:
		policy->state = SPF_STATE_OK;
		tell_failure(expansion, domain, domain, status);
		return;
	case SPF_FETCHED_SEVERAL:
		stop(expansion);
		spf_judge_texts(expansion->source, domain, expansion->findings);
		return;
	case SPF_FETCHED_NONE:
		spf_judge_texts(expansion->source, domain, expansion->findings);
		return;
	case SPF_FETCHED:
		break;
	}
	policy->state = SPF_STATE_OK;
	policy->record = g_strdup(text);
	expand_domain(expansion, domain, &branch);
	policy->all = branch.all;
	judge_limits(expansion, domain);
	spf_judge_record(expansion->source, domain, text, expansion->findings);
	judge_sum(expansion, domain);
	spf_judge_texts(expansion->source, domain, expansion->findings);
}

void spf_expand(
    const struct dns_source *source, const char *domain, struct spf_policy *policy, struct findings *findings)
{
	struct expansion expansion = { .source = source,
		.identity = { .sender_domain = domain },
		.policy = policy,
		.findings = findings };

	*policy = (struct spf_policy){ .state = SPF_STATE_NONE,
		.ranges = new_ranges(),
		.tree = g_ptr_array_new_with_free_func(free_branch),
		.unlisted = g_ptr_array_new_with_free_func(g_free) };
	expansion.path = g_ptr_array_new_with_free_func(g_free);
	expansion.included = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	expand_own(&expansion, domain);
	g_ptr_array_unref(expansion.path);
	g_hash_table_unref(expansion.included);
}

void spf_policy_clear(struct spf_policy *policy)
{
	g_clear_pointer(&policy->record, g_free);
	g_clear_pointer(&policy->ranges, g_array_unref);
	g_clear_pointer(&policy->tree, g_ptr_array_unref);
	g_clear_pointer(&policy->unlisted, g_ptr_array_unref);
}
