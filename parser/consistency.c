#include "parser/consistency.h"

#include "parser/elements.h"
#include "parser/notes.h"
#include "parser/orgdomain.h"
#include "parser/text.h"

#include <arpa/inet.h>
#include <string.h>

#define CONCLUSIVE_ITEMS 100 /* as many or more may have been cut: RFC 9990 section 3.1.3 */

struct consistency {
	struct orgdomains *domains;
};

/* In the order of what counts more. */
enum alignment { UNALIGNED, UNDECIDED, ALIGNED };

/* One record under examination. */
struct exam {
	struct orgdomains *domains;
	const struct aggregate_header *policy;
	const struct aggregate_record *record;
	struct values *notes;
};

struct consistency *consistency_new(void)
{
	struct consistency *consistency = g_new0(struct consistency, 1);

	consistency->domains = orgdomains_new();
	return consistency;
}

void consistency_free(struct consistency *consistency)
{
	if (consistency == NULL)
		return;
	orgdomains_free(consistency->domains);
	g_free(consistency);
}

static void note(const struct exam *x, const char *code, enum element element, const char *raw)
{
	values_note(x->notes, code, ELEMENTS[element].path, raw);
}

static gboolean is(const char *token, const char *wanted)
{
	return token != NULL && strcmp(token, wanted) == 0;
}

static gboolean is_blank(const char *text)
{
	return text == NULL || *text == '\0';
}

/* -- names -- */

/* Something that the DNS could hold, underscores included. */
static gboolean is_name(const char *text)
{
	gsize size = 0;
	char last = '.';

	if (text == NULL)
		return FALSE;
	for (; text[size] != '\0'; last = text[size++])
		if (!g_ascii_isalnum(text[size]) && text[size] != '-' && text[size] != '_' &&
		    (text[size] != '.' || last == '.'))
			return FALSE;
	return last != '.' && size <= TEXT_DOMAIN_MAX;
}

/* name is parent or below it. */
static gboolean is_within(const char *name, const char *parent)
{
	gsize size = strlen(name), parent_size = strlen(parent);

	return size >= parent_size && strcmp(name + size - parent_size, parent) == 0 &&
	       (size == parent_size || name[size - parent_size - 1] == '.');
}

/* Whether an identifier that passed is aligned with header_from, which is a name. */
static enum alignment align(const struct exam *x, const char *domain, const char *mode)
{
	const char *from = x->record->header_from;
	gboolean same;

	if (is(domain, from))
		return ALIGNED;
	if (!is_name(domain))
		return UNDECIDED;
	if (is(mode, "s"))
		return UNALIGNED;
	same = strcmp(orgdomain_of(x->domains, domain), orgdomain_of(x->domains, from)) == 0;
	if (!is(x->policy->discovery_method, "treewalk"))
		return same ? ALIGNED : UNALIGNED;
	return same && (is_within(domain, from) || is_within(from, domain)) ? ALIGNED : UNDECIDED;
}

/* -- A1 A2 A3: evaluated results against auth_results -- */

/* What a list says that has no aligned identifier: nothing, if items may be missing. */
static enum alignment without_aligned(const struct exam *x, gsize items, enum element list)
{
	gboolean cut =
	    items >= CONCLUSIVE_ITEMS || values_has_note(x->notes, NOTE_LIST_CUT, ELEMENTS[list].path);

	return cut ? UNDECIDED : UNALIGNED;
}

static enum alignment dkim_listed(const struct exam *x)
{
	const struct aggregate_record *record = x->record;
	enum alignment best = without_aligned(x, record->n_auth_dkim, AUTH_DKIM);

	for (gsize i = 0; i < record->n_auth_dkim && best != ALIGNED; i++)
		if (is(record->auth_dkim[i].result, "pass"))
			best = MAX(best, align(x, record->auth_dkim[i].domain, x->policy->adkim));
	return best;
}

/* *helo gets what names of HELO would give, which count only where the reverse-path is null. */
static enum alignment spf_listed(const struct exam *x, enum alignment *helo)
{
	const struct aggregate_record *record = x->record;
	enum alignment best = without_aligned(x, record->n_auth_spf, AUTH_SPF);

	*helo = UNALIGNED;
	for (gsize i = 0; i < record->n_auth_spf && best != ALIGNED; i++) {
		const struct auth_result_spf *spf = &record->auth_spf[i];

		if (!is(spf->result, "pass"))
			continue;
		if (is_blank(spf->scope) || is(spf->scope, "mfrom") ||
		    (is(spf->scope, "helo") && is(record->envelope_from, "")))
			best = MAX(best, align(x, spf->domain, x->policy->aspf));
		else if (is(spf->scope, "helo"))
			*helo = MAX(*helo, align(x, spf->domain, x->policy->aspf));
		else
			best = MAX(best, UNDECIDED);
	}
	return best;
}

static void check_dkim(const struct exam *x)
{
	const char *evaluated = x->record->dkim;
	enum alignment listed = dkim_listed(x);

	if (is(evaluated, "pass") && listed == UNALIGNED)
		note(x, NOTE_PASS_UNLISTED, EVALUATED_DKIM, evaluated);
	else if (is(evaluated, "fail") && listed == ALIGNED)
		note(x, NOTE_FAIL_LISTED, EVALUATED_DKIM, evaluated);
}

static void check_spf(const struct exam *x)
{
	const char *evaluated = x->record->spf;
	enum alignment helo, listed = spf_listed(x, &helo);

	if (is(evaluated, "pass") && listed == UNALIGNED && helo == ALIGNED)
		note(x, NOTE_PASS_BY_HELO, EVALUATED_SPF, evaluated);
	else if (is(evaluated, "pass") && listed == UNALIGNED && helo == UNALIGNED)
		note(x, NOTE_PASS_UNLISTED, EVALUATED_SPF, evaluated);
	else if (is(evaluated, "fail") && listed == ALIGNED)
		note(x, NOTE_FAIL_LISTED, EVALUATED_SPF, evaluated);
}

/* -- D1 D2 D3 D4: the disposition against the result and the policy -- */

/* How strict a policy or disposition is; -1: it is neither. */
static int strictness(const char *token)
{
	static const char *const TOKENS[] = { "none", "quarantine", "reject" };

	for (guint i = 0; i < G_N_ELEMENTS(TOKENS); i++)
		if (is(token, TOKENS[i]))
			return (int)i;
	return -1;
}

/* What may have applied to header_from, or -1 where that is not known. */
struct effective {
	int mildest;
	int strictest;
};

static struct effective effective_policy(const struct exam *x)
{
	const struct aggregate_header *policy = x->policy;
	const char *from = x->record->header_from;
	const char *sp = is_blank(policy->sp) ? policy->p : policy->sp;
	const char *np = is_blank(policy->np) ? sp : policy->np;
	int own = strictness(policy->p), below = strictness(sp), absent = strictness(np);

	if (own < 0 || below < 0 || absent < 0)
		return (struct effective){ -1, -1 };
	if (is_blank(from) || is_blank(policy->domain))
		return (struct effective){ MIN(own, MIN(below, absent)), MAX(own, MAX(below, absent)) };
	if (is(from, policy->domain))
		return (struct effective){ own, own };
	if (is_within(from, policy->domain))
		return (struct effective){ MIN(below, absent), MAX(below, absent) };
	return (struct effective){ MIN(own, MIN(below, absent)), MAX(own, MAX(below, absent)) };
}

/* There is a reason that says something. */
static gboolean has_reason(const struct aggregate_record *record)
{
	for (gsize i = 0; i < record->n_reason; i++)
		if (!is_blank(record->reason[i].type) || !is_blank(record->reason[i].comment))
			return TRUE;
	return FALSE;
}

/* There is a reason to be stricter than DMARC asks for: any but those that only let mail through. */
static gboolean has_strict_reason(const struct aggregate_record *record)
{
	static const char *const MILD[] = { "forwarded", "sampled_out", "trusted_forwarder", "mailing_list",
		"policy_test_mode", NULL };

	for (gsize i = 0; i < record->n_reason; i++) {
		const struct aggregate_reason *reason = &record->reason[i];

		if (is_blank(reason->type) ? !is_blank(reason->comment)
					   : !g_strv_contains(MILD, reason->type))
			return TRUE;
	}
	return FALSE;
}

/* Both methods failed, as far as they were evaluated. */
static gboolean both_fail(const struct aggregate_record *record)
{
	return (is(record->dkim, "fail") || is(record->spf, "fail")) &&
	       (record->dkim == NULL || is(record->dkim, "fail")) &&
	       (record->spf == NULL || is(record->spf, "fail"));
}

static gboolean one_passed(const struct aggregate_record *record)
{
	return is(record->dkim, "pass") || is(record->spf, "pass");
}

static void check_none(const struct exam *x, struct effective policy)
{
	int least = policy.mildest - (is(x->policy->testing, "y") ? 1 : 0);
	gboolean sampled = x->policy->pct >= 0 && x->policy->pct < 100;

	if (least > 0 && !sampled && both_fail(x->record) && !has_reason(x->record))
		note(x, NOTE_NOT_APPLIED, DISPOSITION, x->record->disposition);
}

static void check_pass(const struct exam *x, struct effective policy)
{
	if (both_fail(x->record) || (policy.strictest == 0 && !one_passed(x->record)))
		note(x, NOTE_PASS_DISPOSED, DISPOSITION, x->record->disposition);
}

static void check_strict(const struct exam *x, struct effective policy, int disposition)
{
	const struct aggregate_record *record = x->record;

	if (has_strict_reason(record))
		return;
	if (one_passed(record))
		note(x, NOTE_PASS_STOPPED, DISPOSITION, record->disposition);
	if (policy.strictest >= 0 && disposition > policy.strictest)
		note(x, NOTE_TOO_STRICT, DISPOSITION, record->disposition);
}

static void check_disposition(const struct exam *x)
{
	int disposition = strictness(x->record->disposition);

	if (disposition > 0)
		check_strict(x, effective_policy(x), disposition);
	else if (disposition == 0)
		check_none(x, effective_policy(x));
	else if (is(x->record->disposition, "pass"))
		check_pass(x, effective_policy(x));
}

/* -- P2: a reason against the policy -- */

static void check_reasons(const struct exam *x)
{
	for (gsize i = 0; i < x->record->n_reason; i++) {
		const char *type = x->record->reason[i].type;

		if ((is(type, "sampled_out") && (x->policy->pct < 0 || x->policy->pct == 100)) ||
		    (is(type, "policy_test_mode") && !is(x->policy->testing, "y")))
			note(x, NOTE_REASON, REASON_TYPE, type);
	}
}

/* -- I1: addresses that are not public -- */

/* IANA's registry of special purposes (RFC 6890), without the networks of documentation (RFC 5737): those are
 * in examples and in reports made anonymous, and tell nothing about a reporter. */
static const struct {
	guint32 network;
	guint bits;
} NOT_GLOBAL[] = {
	{ 0x00000000, 8 },  /* 0.0.0.0: this network */
	{ 0x0a000000, 8 },  /* 10.0.0.0: private, RFC 1918 */
	{ 0x64400000, 10 }, /* 100.64.0.0: carrier-grade NAT, RFC 6598 */
	{ 0x7f000000, 8 },  /* 127.0.0.0: loopback */
	{ 0xa9fe0000, 16 }, /* 169.254.0.0: link-local */
	{ 0xac100000, 12 }, /* 172.16.0.0: private */
	{ 0xc0000000, 24 }, /* 192.0.0.0: protocol assignments */
	{ 0xc0a80000, 16 }, /* 192.168.0.0: private */
	{ 0xc6120000, 15 }, /* 198.18.0.0: benchmarks, RFC 2544 */
	{ 0xe0000000, 3 },  /* 224.0.0.0: multicast, and reserved from 240.0.0.0 */
};

static gboolean is_global_v4(guint32 address)
{
	for (guint i = 0; i < G_N_ELEMENTS(NOT_GLOBAL); i++)
		if ((address ^ NOT_GLOBAL[i].network) >> (32 - NOT_GLOBAL[i].bits) == 0)
			return FALSE;
	return TRUE;
}

/* Global unicast is 2000::/3 (RFC 4291 section 2.4, IANA's registry), and IPv4 behind NAT64 64:ff9b::/96. */
static gboolean is_global_v6(const struct in6_addr *address)
{
	static const guint8 NAT64[12] = { 0x00, 0x64, 0xff, 0x9b };

	return (address->s6_addr[0] & 0xe0) == 0x20 || memcmp(address->s6_addr, NAT64, sizeof NAT64) == 0;
}

gboolean consistency_is_global(const char *address)
{
	guint32 v4;
	struct in6_addr v6;

	if (text_ipv4(address, &v4))
		return is_global_v4(v4);
	return inet_pton(AF_INET6, address, &v6) == 1 && is_global_v6(&v6);
}

/* -- public functions -- */

void consistency_record(struct consistency *consistency, const struct aggregate_header *policy,
    const struct aggregate_record *record, struct values *notes)
{
	struct exam x = { consistency->domains, policy, record, notes };

	if (record->source_ip != NULL && !consistency_is_global(record->source_ip))
		note(&x, NOTE_ADDRESS, SOURCE_IP, record->source_ip);
	if (policy == NULL)
		return;
	if (is_name(record->header_from)) {
		check_dkim(&x);
		check_spf(&x);
		if (is_name(policy->domain) && !is_within(record->header_from, policy->domain))
			note(&x, NOTE_NOT_WITHIN, HEADER_FROM, record->header_from);
	}
	check_disposition(&x);
	check_reasons(&x);
}

/* -- E2: an implausible period (RFC 9990 section 3.1.1: usually a day) -- */

#define DAY         (24 * 3600)
#define WEEK        (7 * DAY)
#define FIRST_BEGIN 1325376000                    /* 2012: DMARC was published in its January */
#define LAST_END    G_GINT64_CONSTANT(4102444800) /* 2100 */

static void note_date(struct values *notes, enum element element, gint64 date)
{
	char text[24];

	g_snprintf(text, sizeof text, "%" G_GINT64_FORMAT, date);
	values_note(notes, NOTE_PERIOD, ELEMENTS[element].path, text);
}

static void check_period(const struct aggregate_header *header, gint64 now, struct values *notes)
{
	if (header->begin < FIRST_BEGIN || (now > 0 && header->begin > now + DAY))
		note_date(notes, BEGIN, header->begin);
	if (header->end <= header->begin || header->end - header->begin > WEEK || header->end > LAST_END)
		note_date(notes, END, header->end);
}

static void note_hybrid(struct values *notes, enum element element, const char *value)
{
	if (value != NULL)
		values_note(notes, NOTE_HYBRID, ELEMENTS[element].path, value);
}

void consistency_report(const struct aggregate_header *header, gint64 now, struct values *notes)
{
	char pct[8];

	check_period(header, now, notes);
	if (!is(header->xmlns, NAMESPACE_9990)) {
		note_hybrid(notes, NP, header->np);
		note_hybrid(notes, TESTING, header->testing);
		note_hybrid(notes, DISCOVERY_METHOD, header->discovery_method);
	} else if (header->pct >= 0) {
		g_snprintf(pct, sizeof pct, "%d", header->pct);
		note_hybrid(notes, PCT, pct);
	}
}
