/*
 * cmd_check.c - ruad check DOMAIN...: the DNS of domains, as far as it concerns mail and reports about it.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "parser/text.h"
#include "server/cli/commands.h"
#include "server/common/json.h"
#include "server/common/visible.h"
#include "server/dns/check.h"

#define COMMAND     "check"
#define LABEL_WIDTH 10 /* columns of the label of a line */
#define RANGES_MAX  40 /* networks of SPF in the text; --json has all */

enum colour { COLOUR_RED, COLOUR_YELLOW, COLOUR_BLUE, COLOUR_BOLD };

/* TRUE only on a terminal, and not if NO_COLOR is set. */
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

/* text from the DNS for the terminal, on one line, cut after CHECK_TEXT_MAX. Transfer full. */
static char *shown(const char *text)
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
	clean = shown(words);
	printf("  %-*s%s\n", LABEL_WIDTH, label == NULL ? "" : label, clean);
}

/* -- records -- */

static void print_dmarc(const struct check_dmarc *dmarc)
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

static void print_spf(const struct spf_policy *spf)
{
	if (spf->record == NULL) {
		line("SPF", "no record");
		return;
	}
	line("SPF", "%s", spf->record);
	line(NULL, "%s; look-ups: %u (%d allowed), void: %u (%d allowed); other addresses: %s",
	    spf_state_word(spf->state), spf->lookups, SPF_LOOKUPS_MAX, spf->void_lookups,
	    SPF_VOID_LOOKUPS_MAX, others_word(spf));
	print_ranges(spf->ranges);
}

static void print_dkim(const GPtrArray *dkim)
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
	}
}

static void print_mx(const GPtrArray *mx)
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
	}
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

static void print_finding(const struct finding *finding)
{
	g_autofree char *place = shown(finding->place);
	enum finding_severity severity = finding_severity_of(finding->code);
	const char *word = finding_severity_word(severity);

	printf("\n  %s%-*s%s%s  %s\n", colour_begin((enum colour)severity), LABEL_WIDTH - 2, word,
	    colour_end(), finding_code_word(finding->code), place);
	line(NULL, "%s", finding->text);
	if (finding->fix != NULL)
		line("  publish", "%s", finding->fix);
}

static void print_check(struct check *check)
{
	g_autofree char *domain = shown(check->domain);
	guint n = findings_count(check->findings);

	printf("%s%s%s\n", colour_begin(COLOUR_BOLD), domain, colour_end());
	if (check->answered) {
		print_dmarc(&check->dmarc);
		print_reports(check->reports);
		print_spf(&check->spf);
		print_dkim(check->dkim);
		print_mx(check->mx);
		line("TLS", "%s", check->tls_rpt == NULL ? "no record" : check->tls_rpt);
		print_senders(check->senders);
	}
	for (guint i = 0; i < n; i++)
		print_finding(findings_get(check->findings, i));
	if (n == 0)
		printf("\n  nothing is wrong\n");
}

static void print_document(struct check *check)
{
	struct json_object *document = check_json(check);
	gsize size;
	const char *json = json_text(document, &size);
	g_autofree char *visible = visible_json(json, &size);

	puts(visible != NULL ? visible : json);
	json_object_put(document);
}

/* -- the command -- */

struct request {
	char *server;
	char **selectors; /* "S" or "S:DOMAIN"; split by read_selectors() */
	gboolean json;
	char *ip, *from, *helo; /* --ip: evaluate SPF for this sender only */
};

static void read_selectors(char **words, GArray *selectors)
{
	for (; words != NULL && *words != NULL; words++) {
		char *colon = strchr(*words, ':');
		struct check_selector selector = { .selector = *words };

		if (colon != NULL) {
			*colon = '\0';
			selector.domain = colon + 1;
		}
		g_array_append_val(selectors, selector);
	}
}

/* The domain in "user@domain", "mailto:user@domain" or a URL; other words stay. Transfer full. */
static char *domain_in(const char *words)
{
	const char *slashes = strstr(words, "://"), *sign, *end;
	const char *start = slashes != NULL ? slashes + strlen("://") : words;
	gsize size = strcspn(start, "/?#");

	sign = g_strrstr_len(start, (gssize)size, "@");
	if (sign != NULL) {
		size -= (gsize)(sign + 1 - start);
		start = sign + 1;
	}
	if (slashes == NULL)
		return g_strndup(start, size);
	if (*start == '[' && (end = memchr(start, ']', size)) != NULL)
		return g_strndup(start + 1, (gsize)(end - start - 1));
	return g_strndup(start, MIN(size, strcspn(start, ":")));
}

static int check_one(struct resolver *resolver, const char *domain, const struct check_options *options,
    const struct request *request)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *name = domain_in(domain);
	struct check *check = check_with(resolver, name, options, g_get_real_time() / G_USEC_PER_SEC, &error);
	int code = COMMAND_OK;

	if (check == NULL)
		return command_fail(COMMAND, COMMAND_USAGE, "%s", error->message);
	if (request->json)
		print_document(check);
	else
		print_check(check);
	fflush(stdout);
	if (!check->answered)
		code = COMMAND_TEMPFAIL;
	else if (findings_have_error(check->findings))
		code = COMMAND_FAILED;
	check_free(check);
	return code;
}

/* -- SPF of one sender -- */

static void print_verdict(const char *domain, const char *ip, const struct spf_verdict *verdict)
{
	g_autofree char *name = shown(domain);

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
}

/* Text from the DNS, or null. */
static void add_shown(struct json_object *object, const char *name, const char *text)
{
	g_autofree char *clean = text == NULL ? NULL : shown(text);

	json_object_object_add(object, name, clean == NULL ? NULL : json_object_new_string(clean));
}

static void print_verdict_json(const char *domain, const char *ip, const struct spf_verdict *verdict)
{
	struct json_object *object = json_object_new_object();
	gsize size;

	add_shown(object, "domain", domain);
	add_shown(object, "ip", ip);
	add_shown(object, "result", spf_result_word(verdict->result));
	add_shown(object, "term", verdict->term);
	add_shown(object, "via", verdict->via);
	add_shown(object, "reason", verdict->reason);
	json_object_object_add(object, "lookups", json_object_new_int64(verdict->lookups));
	json_object_object_add(object, "void_lookups", json_object_new_int64(verdict->void_lookups));
	puts(json_text(object, &size));
	json_object_put(object);
}

/* The sender in request, at a domain (lower-case A-labels). */
static enum spf_result judge_sender(
    struct resolver *resolver, const char *domain, const struct ip_range *ip, const struct request *request)
{
	struct dns_source source = resolver_source(resolver);
	const char *sign = request->from == NULL ? NULL : strrchr(request->from, '@');
	g_autofree char *local =
	    sign == NULL ? NULL : g_strndup(request->from, (gsize)(sign - request->from));
	g_autofree char *sender = sign == NULL ? NULL : text_domain_copy(sign + 1);
	struct spf_identity identity = {
		.ip = ip, .local = local, .sender_domain = sender, .helo = request->helo
	};
	struct spf_verdict verdict;
	enum spf_result result;

	resolver_budget(resolver, CHECK_QUESTIONS_MAX, CHECK_SECONDS_MAX);
	spf_check(&source, &identity, domain, &verdict);
	if (request->json)
		print_verdict_json(domain, request->ip, &verdict);
	else
		print_verdict(domain, request->ip, &verdict);
	result = verdict.result;
	spf_verdict_clear(&verdict);
	return result;
}

static int check_sender(struct resolver *resolver, const char *words, const struct request *request)
{
	g_autofree char *name = domain_in(words);
	g_autofree char *domain = text_domain_copy(name);
	struct ip_range ip;
	enum spf_result result;

	if (!ip_parse(request->ip, &ip))
		return command_fail(COMMAND, COMMAND_USAGE, "\"%s\": not an IP address", request->ip);
	if (!dns_name_is_host(domain))
		return command_fail(COMMAND, COMMAND_USAGE, "\"%s\": not the name of a domain", words);
	result = judge_sender(resolver, domain, &ip, request);
	if (result == SPF_TEMPERROR)
		return COMMAND_TEMPFAIL;
	return result == SPF_PASS ? COMMAND_OK : COMMAND_FAILED;
}

/* Combine two exit codes: an error outweighs no answer, and a wrong command line outweighs both. */
static int worse(int a, int b)
{
	static const int ORDER[] = { COMMAND_USAGE, COMMAND_FAILED, COMMAND_TEMPFAIL };

	for (gsize i = 0; i < G_N_ELEMENTS(ORDER); i++)
		if (a == ORDER[i] || b == ORDER[i])
			return ORDER[i];
	return COMMAND_OK;
}

static int check_domains(struct resolver *resolver, char **domains, const struct request *request)
{
	g_autoptr(GArray) selectors = g_array_new(FALSE, FALSE, sizeof(struct check_selector));
	struct check_options options = { 0 };
	int code = COMMAND_OK;

	read_selectors(request->selectors, selectors);
	if (request->selectors == NULL)
		check_add_usual_selectors(selectors, NULL);
	options.selectors = (const struct check_selector *)(const void *)selectors->data;
	options.n_selectors = selectors->len;
	for (char **domain = domains; *domain != NULL; domain++) {
		if (domain != domains && !request->json)
			putchar('\n');
		code = worse(code, request->ip != NULL ? check_sender(resolver, *domain, request)
						       : check_one(resolver, *domain, &options, request));
	}
	return code;
}

static int run(char **domains, const struct request *request)
{
	struct resolver_options options = RESOLVER_OPTIONS_DEFAULT;
	g_autoptr(GError) error = NULL;
	struct resolver *resolver;
	int code;

	options.server = request->server;
	resolver = resolver_new(&options, &error);
	if (resolver == NULL)
		return command_fail(COMMAND, COMMAND_USAGE, "%s", error->message);
	in_colour = !request->json && isatty(STDOUT_FILENO) && g_getenv("NO_COLOR") == NULL;
	code = check_domains(resolver, domains, request);
	resolver_free(resolver);
	return code;
}

int command_check(const struct settings *settings G_GNUC_UNUSED, int argc, char **argv)
{
	struct request request = { 0 };
	const GOptionEntry entries[] = {
		{ "resolver", 'r', 0, G_OPTION_ARG_STRING, &request.server, NULL, NULL },
		{ "selector", 's', 0, G_OPTION_ARG_STRING_ARRAY, &request.selectors, NULL, NULL },
		{ "ip", 0, 0, G_OPTION_ARG_STRING, &request.ip, NULL, NULL },
		{ "from", 0, 0, G_OPTION_ARG_STRING, &request.from, NULL, NULL },
		{ "helo", 0, 0, G_OPTION_ARG_STRING, &request.helo, NULL, NULL },
		{ "json", 'j', 0, G_OPTION_ARG_NONE, &request.json, NULL, NULL },
		{ 0 },
	};
	int code = COMMAND_USAGE;

	if (!command_options(entries, &argc, &argv))
		code = COMMAND_USAGE;
	else if (request.ip == NULL && (request.from != NULL || request.helo != NULL))
		command_fail(COMMAND, COMMAND_USAGE, "--from and --helo need --ip");
	else if (argc < 2)
		command_fail(COMMAND, COMMAND_USAGE, "no DOMAIN given");
	else
		code = run(argv + 1, &request);
	g_free(request.server);
	g_strfreev(request.selectors);
	g_free(request.ip);
	g_free(request.from);
	g_free(request.helo);
	return code;
}
