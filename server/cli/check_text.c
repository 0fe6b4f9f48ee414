#include "server/cli/check_text.h"

#include <stdio.h>
#include <string.h>

#include "parser/text.h"
#include "server/cli/check_explain.h"
#include "server/common/visible.h"

#define LABEL_WIDTH   10 /* columns of the label of a line */
#define TAG_WIDTH     28 /* columns of a tag that is explained */
#define TAG_SHOWN     60 /* bytes of it */
#define ELSEWHERE_MAX 20 /* questions; --json has all */
#define RANGES_MAX    40 /* networks of SPF; --json has all */
#define TLSA_MAX      10 /* records of a host; --json has all */
#define DATA_SHOWN    16 /* hex digits of a TLSA record; --json has all */
#define ALIKE_MAX     10 /* findings of a kind; --json has all */

enum colour { COLOUR_RED, COLOUR_YELLOW, COLOUR_BLUE, COLOUR_BOLD };

/* Of the text that is being printed. */
static gboolean in_colour;

static const char *colour_begin(enum colour colour)
{
	static const char *const CODES[] = { "\033[31m", "\033[33m", "\033[34m", "\033[1m" };

	return in_colour ? CODES[colour] : "";
}

static const char *colour_end(void)
{
	return in_colour ? "\033[0m" : "";
}

char *check_text_shown(const char *text)
{
	g_autofree char *clean = text_clean(text, strlen(text), CHECK_TEXT_MAX);

	g_strdelimit(clean, "\t\r\n", ' ');
	return visible_text(clean);
}

/* Print "  label     words". A block shows its label only in the first line: pass NULL for the others. words
 * may contain text from the DNS. */
static void G_GNUC_PRINTF(2, 3) line(const char *label, const char *format, ...)
{
	g_autofree char *words = NULL, *clean = NULL;
	va_list args;

	va_start(args, format);
	words = g_strdup_vprintf(format, args);
	va_end(args);
	clean = check_text_shown(words);
	printf("  %-*s%s\n", LABEL_WIDTH, label == NULL ? "" : label, clean);
}

/* -- records -- */

/* Print what a tag does, behind it. */
static void print_tag(gpointer user G_GNUC_UNUSED, const char *tag, const char *words)
{
	g_autofree char *cut = text_clean_line(tag, strlen(tag), TAG_SHOWN);

	line(NULL, "  %-*s %s", TAG_WIDTH, cut, words);
}

static void explain(enum explain_kind kind, const char *record, const struct check_text *options)
{
	if (options->explain && record != NULL)
		explain_record(kind, record, print_tag, NULL);
}

static void print_dmarc(const struct check_dmarc *dmarc, const struct check_text *options)
{
	if (dmarc->name == NULL) {
		line("DMARC", "no record");
		return;
	}
	line("DMARC", "%s", dmarc->record.text);
	line(NULL, "at %s", dmarc->name);
	if (dmarc->policy == NULL)
		line(NULL, "no policy");
	else
		line(NULL, "policy %s; subdomains %s, those that do not exist %s", dmarc->policy,
		    dmarc->subdomains == NULL ? "none" : dmarc->subdomains,
		    dmarc->nonexistent == NULL ? "none" : dmarc->nonexistent);
	explain(EXPLAIN_DMARC, dmarc->record.text, options);
}

static const char *consent_words(const struct check_report *report)
{
	if (!report->external)
		return "same organization";
	switch (report->authorised) {
	case CHECK_YES:
		return report->override->len > 0 ? "authorised, sent elsewhere" : "authorised";
	case CHECK_NO:
		return "not authorised";
	default:
		return "authorisation unknown";
	}
}

static void print_reports(const GPtrArray *reports)
{
	for (guint i = 0; i < reports->len; i++) {
		const struct check_report *report = g_ptr_array_index(reports, i);

		line(i == 0 ? "reports" : NULL, "%s %s: %s%s", report->tag, report->address,
		    consent_words(report), report->accepts_mail == CHECK_NO ? ", takes no mail" : "");
	}
}

/* The width of the widest network. */
static int width_of(const GArray *ranges)
{
	gsize width = 0;

	for (guint i = 0; i < ranges->len && i < RANGES_MAX; i++) {
		char text[IP_TEXT_SIZE];

		ip_print_range(&g_array_index(ranges, struct spf_range, i).range, text);
		width = MAX(width, strlen(text));
	}
	return (int)width;
}

/* Print networks and terms in columns. */
static void print_ranges(const GArray *ranges)
{
	int width = width_of(ranges);

	for (guint i = 0; i < ranges->len && i < RANGES_MAX; i++) {
		const struct spf_range *range = &g_array_index(ranges, struct spf_range, i);
		char text[IP_TEXT_SIZE];

		ip_print_range(&range->range, text);
		line(NULL, "%c %-*s %s of %s", range->qualifier, width, text, range->term, range->via);
	}
	if (ranges->len > RANGES_MAX)
		line(NULL, "and %u more (--json has all)", ranges->len - RANGES_MAX);
}

/* What each term costs, those of an included record behind it. */
static void print_tree(const GPtrArray *tree)
{
	for (guint i = 0; i < tree->len; i++) {
		const struct spf_branch *branch = g_ptr_array_index(tree, i);

		line(NULL, "%2u look-up%s %*s%s", branch->lookups,
		    branch->lookups == 1 ? ": " : "s:", (int)(2 * branch->depth), "", branch->term);
	}
}

/* The result for addresses outside of all ranges. */
static const char *others_word(const struct spf_policy *spf)
{
	if (spf->state == SPF_STATE_PERMERROR)
		return spf_state_word(spf->state);
	switch (spf->all) {
	case '-':
		return "fail";
	case '~':
		return "softfail";
	case '+':
		return "pass";
	default:
		return "neutral";
	}
}

static void print_spf(const struct spf_policy *spf, const struct check_text *options)
{
	if (spf->record == NULL) {
		line("SPF", "no record");
		return;
	}
	line("SPF", "%s", spf->record);
	line(NULL, "%s; look-ups: %s%u (%d allowed), void: %u (%d allowed); other addresses: %s",
	    spf_state_word(spf->state), spf->more_lookups ? "at least " : "", spf->lookups, SPF_LOOKUPS_MAX,
	    spf->void_lookups, SPF_VOID_LOOKUPS_MAX, others_word(spf));
	explain(EXPLAIN_SPF, spf->record, options);
	print_tree(spf->tree);
	print_ranges(spf->ranges);
}

static void print_dkim(const GPtrArray *dkim, const struct check_text *options)
{
	if (dkim->len == 0)
		line("DKIM", "no key under the usual selectors (--selector=NAME checks another one)");
	for (guint i = 0; i < dkim->len; i++) {
		const struct check_dkim *one = g_ptr_array_index(dkim, i);
		const char *label = i == 0 ? "DKIM" : NULL;

		if (one->key.status == DKIM_OK)
			line(label, "%s of %s: %s, %u bits%s", one->selector, one->domain,
			    one->key.key_type == NULL ? "" : one->key.key_type, one->key.bits,
			    one->key.testing ? ", testing" : "");
		else
			line(label, "%s of %s: %s", one->selector, one->domain,
			    dkim_status_word(one->key.status));
		explain(EXPLAIN_DKIM, one->record, options);
	}
	if (options->unseen != NULL)
		line(NULL, "selectors that reports name were not looked for: %s", options->unseen);
}

/* A list that does not answer well is not clean. */
static void print_blocklists(const GPtrArray *results)
{
	for (guint i = 0; results != NULL && i < results->len; i++) {
		const struct blocklist_result *result = g_ptr_array_index(results, i);
		const char *label = i == 0 ? "lists" : NULL;

		if (result->status != BLOCKLIST_OK)
			line(label, "%s: unknown (%s: %s)", result->name,
			    blocklist_status_word(result->status), result->why);
		else if (result->found->len == 0)
			line(label, "%s: %s", result->name,
			    result->asked == 0 ? "nothing to ask" : "not listed");
		for (guint j = 0; j < result->found->len; j++) {
			const struct blocklist_entry *entry = g_ptr_array_index(result->found, j);

			line(j == 0 ? label : NULL, "%s: %s listed, %s: %s%s%s", result->name, entry->subject,
			    entry->codes, entry->words, entry->text == NULL ? "" : "; ",
			    entry->text == NULL ? "" : entry->text);
		}
	}
}

/* Questions that the DNS server of --resolver does not answer for. */
static void print_elsewhere(const GPtrArray *elsewhere)
{
	if (elsewhere == NULL || elsewhere->len == 0)
		return;
	line("elsewhere", "this DNS server does not have these names; the system's were asked:");
	for (guint i = 0; i < elsewhere->len && i < ELSEWHERE_MAX; i++)
		line(NULL, "%s", (const char *)g_ptr_array_index(elsewhere, i));
	if (elsewhere->len > ELSEWHERE_MAX)
		line(NULL, "and %u more (--json has all)", elsewhere->len - ELSEWHERE_MAX);
}

/* The TLSA records of a host, and whether they count. */
static void print_tlsa(const struct check_mx *mx, const struct check_text *options)
{
	static const char *const WORDS[] = { "no effect, because they are not validated by DNSSEC",
		"validated by DNSSEC", "the DNS server asked has not validated them" };

	if (mx->tlsa == NULL || mx->tlsa->len == 0)
		return;
	line(NULL, "TLSA of %s: %s", mx->host, WORDS[mx->tlsa_authentic]);
	for (guint i = 0; i < mx->tlsa->len && i < TLSA_MAX; i++) {
		const struct check_tlsa *tlsa = g_ptr_array_index(mx->tlsa, i);
		g_autofree char *words = NULL;

		if (!tlsa->complete) {
			line(NULL, "  %s", tlsa->data);
			continue;
		}
		words = options->explain ? explain_tlsa(tlsa->usage, tlsa->selector, tlsa->matching) : NULL;
		line(NULL, "  %u %u %u %.*s...%s%s", tlsa->usage, tlsa->selector, tlsa->matching, DATA_SHOWN,
		    tlsa->data, words == NULL ? "" : "  ", words == NULL ? "" : words);
	}
	if (mx->tlsa->len > TLSA_MAX)
		line(NULL, "  and %u more (--json has all)", mx->tlsa->len - TLSA_MAX);
}

static void print_mx(const GPtrArray *mx, const struct check_text *options)
{
	if (mx->len == 0)
		line("MX", "none");
	for (guint i = 0; i < mx->len; i++) {
		const struct check_mx *one = g_ptr_array_index(mx, i);
		g_autoptr(GString) addresses = g_string_new(NULL);

		for (guint j = 0; j < one->addresses->len; j++)
			g_string_append_printf(
			    addresses, " %s", (const char *)g_ptr_array_index(one->addresses, j));
		line(i == 0 ? "MX" : NULL, "%u %s%s", one->preference,
		    *one->host == '\0' ? ". (takes no mail)" : one->host, addresses->str);
		print_tlsa(one, options);
	}
}

static void print_servers(const struct check *check)
{
	static const char *const WORDS[] = { "does not answer", "answers", "unknown" };

	for (guint i = 0; i < check->servers->len; i++) {
		const struct check_server *server = g_ptr_array_index(check->servers, i);
		const char *address =
		    server->addresses->len == 0 ? "no address" : g_ptr_array_index(server->addresses, 0);

		line(i == 0 ? "NS" : NULL, "%s %s: %s%s%s", server->host, address, WORDS[server->answers],
		    server->serial == NULL ? "" : ", serial ", server->serial == NULL ? "" : server->serial);
	}
}

/* Whether the zone is signed, as far as can be known from here. */
static const char *dnssec_words(const struct check *check)
{
	if (check->validated == CHECK_YES)
		return "signed, and validated by the DNS server asked";
	if (check->is_signed == CHECK_UNKNOWN)
		return "unknown";
	if (check->is_signed == CHECK_NO)
		return "not signed";
	return check->validated == CHECK_NO
		   ? "there is a DS, but the DNS server asked could not validate the zone"
		   : "signed; not validated, because the DNS server asked does not check DNSSEC or is across "
		     "a "
		     "network (--resolver names one to be believed)";
}

static void print_dnssec(const struct check *check)
{
	if (check->zone != NULL)
		line("DNSSEC", "%s: %s", check->zone, dnssec_words(check));
}

/* Few domains have a record, and none needs one. */
static void print_bimi(const struct check *check, const struct check_text *options)
{
	if (check->bimi == NULL)
		return;
	line("BIMI", "%s", check->bimi);
	explain(EXPLAIN_BIMI, check->bimi, options);
}

static void print_tls(const struct check *check, const struct check_text *options)
{
	line("TLS", "%s", check->tls_rpt == NULL ? "no record" : check->tls_rpt);
	explain(EXPLAIN_TLSRPT, check->tls_rpt, options);
	line("MTA-STS", "%s", check->sts == NULL ? "no record" : check->sts);
	explain(EXPLAIN_MTA_STS, check->sts, options);
	if (check->sts_policy.mode != NULL)
		line(NULL, "policy: mode %s, max_age %" G_GUINT64_FORMAT " s", check->sts_policy.mode,
		    check->sts_policy.max_age);
}

static void print_senders(const GPtrArray *senders)
{
	static const char *const WORDS[] = { "not confirmed", "confirmed", "unknown" };

	for (guint i = 0; i < senders->len; i++) {
		const struct check_sender *sender = g_ptr_array_index(senders, i);
		char text[IP_TEXT_SIZE];

		ip_print(&sender->ip, text);
		line(i == 0 ? "senders" : NULL, "%-15s %s: %s", text,
		    sender->name == NULL ? "no name" : sender->name, WORDS[sender->confirmed]);
	}
}

/* -- findings -- */

/* printed: the records that are shown already (char *, borrowed). */
static void print_fix(const char *fix, GPtrArray *printed)
{
	if (fix == NULL)
		return;
	if (g_ptr_array_find_with_equal_func(printed, fix, g_str_equal, NULL)) {
		line("  publish", "the record above");
		return;
	}
	line("  publish", "%s", fix);
	g_ptr_array_add(printed, (gpointer)fix);
}

/* One finding, or several of a kind as one block. */
static void print_heading(enum finding_code code, const char *place, guint alike)
{
	g_autofree char *clean = check_text_shown(place);
	enum finding_severity severity = finding_severity_of(code);

	printf("\n  %s%-*s%s%s  ", colour_begin((enum colour)severity), LABEL_WIDTH - 2,
	    finding_severity_word(severity), colour_end(), finding_code_word(code));
	if (alike > 1)
		printf("%u times\n", alike);
	else
		printf("%s\n", clean);
}

static guint count_alike(struct findings *findings, enum finding_code code)
{
	guint n = 0;

	for (guint i = 0; i < findings_count(findings); i++)
		n += findings_get(findings, i)->code == code ? 1 : 0;
	return n;
}

/* Those from the i-th on with its code. */
static void print_alike(struct findings *findings, guint i, guint alike, GPtrArray *printed)
{
	enum finding_code code = findings_get(findings, i)->code;
	const char *last = NULL; /* what is to be published */
	guint shown = 0;

	for (; i < findings_count(findings) && shown < ALIKE_MAX; i++) {
		const struct finding *finding = findings_get(findings, i);

		if (finding->code != code)
			continue;
		shown++;
		line(NULL, "%s: %s", finding->place, finding->text);
		if (last != NULL && g_strcmp0(last, finding->fix) != 0)
			print_fix(last, printed);
		last = finding->fix;
	}
	print_fix(last, printed);
	if (alike > shown)
		line(NULL, "and %u more (--json has all)", alike - shown);
}

static void print_findings(struct findings *findings)
{
	g_autoptr(GPtrArray) printed = g_ptr_array_new();
	gboolean done[FINDING_CODES] = { FALSE };

	if (findings_count(findings) == 0)
		printf("\n  nothing is wrong\n");
	for (guint i = 0; i < findings_count(findings); i++) {
		const struct finding *finding = findings_get(findings, i);
		guint alike = count_alike(findings, finding->code);

		if (done[finding->code])
			continue;
		done[finding->code] = TRUE;
		print_heading(finding->code, finding->place, alike);
		if (alike > 1) {
			print_alike(findings, i, alike, printed);
		} else {
			line(NULL, "%s", finding->text);
			print_fix(finding->fix, printed);
		}
	}
}

/* "2 errors, 1 warning": those that there are. Transfer full. */
static char *count_words(struct findings *findings)
{
	GString *words = g_string_new(NULL);

	for (guint severity = FINDING_ERROR; severity <= FINDING_WARNING; severity++) {
		guint n = findings_count_of(findings, severity);

		if (n > 0)
			g_string_append_printf(words, "%s%u %s%s", words->len > 0 ? ", " : ": ", n,
			    finding_severity_word((enum finding_severity)severity), n == 1 ? "" : "s");
	}
	return g_string_free(words, FALSE);
}

void check_text_print(struct check *check, const struct check_text *options)
{
	g_autofree char *domain = check_text_shown(check->domain);
	g_autofree char *counts = count_words(check->findings);

	in_colour = options->colour;
	printf("%s%s%s%s\n", colour_begin(COLOUR_BOLD), domain, colour_end(), counts);
	print_findings(check->findings);
	if (!check->answered)
		return;
	putchar('\n');
	print_dmarc(&check->dmarc, options);
	print_reports(check->reports);
	print_spf(&check->spf, options);
	print_dkim(check->dkim, options);
	print_mx(check->mx, options);
	print_servers(check);
	print_dnssec(check);
	print_tls(check, options);
	print_bimi(check, options);
	print_senders(check->senders);
	print_blocklists(check->blocklists);
	print_elsewhere(check->elsewhere);
}

/* -- SPF of one sender -- */

void check_text_print_verdict(const char *domain, const char *ip, const struct spf_verdict *verdict,
    const GPtrArray *blocklists, const struct check_text *options)
{
	g_autofree char *name = check_text_shown(domain);

	in_colour = options->colour;
	printf("%s%s%s\n", colour_begin(COLOUR_BOLD), name, colour_end());
	line("SPF", "%s for %s", spf_result_word(verdict->result), ip);
	if (verdict->term != NULL)
		line(NULL, "because of \"%s\" of %s", verdict->term, verdict->via);
	else if (verdict->reason != NULL)
		line(NULL, "%s", verdict->reason);
	else
		line(NULL, verdict->result == SPF_NONE ? "there is no record" : "no term matches");
	line(NULL, "look-ups: %u (%d allowed), void: %u (%d allowed)", verdict->lookups, SPF_LOOKUPS_MAX,
	    verdict->void_lookups, SPF_VOID_LOOKUPS_MAX);
	print_blocklists(blocklists);
}
