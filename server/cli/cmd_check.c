/*
 * cmd_check.c - ruad check DOMAIN...: the DNS of domains, as far as it concerns mail and reports about it.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "parser/text.h"
#include "server/cli/check_csv.h"
#include "server/cli/check_seen.h"
#include "server/cli/check_text.h"
#include "server/cli/commands.h"
#include "server/cli/https.h"
#include "server/common/visible.h"
#include "server/dns/check.h"
#include "server/dns/relay.h"
#include "server/dns/selectors.h"

#define COMMAND "check"

/* document: transfer full. */
static void print_document(struct json_object *document)
{
	gsize size;
	const char *json = json_object_to_json_string_length(
	    document, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &size);
	g_autofree char *visible = visible_json(json, &size);

	puts(visible != NULL ? visible : json);
	json_object_put(document);
}

/* -- the command -- */

struct request {
	char *server;
	char **selectors; /* "S" or "S:DOMAIN"; split by read_selectors() */
	GArray *given;    /* struct check_selector: these */
	gboolean json, csv;
	struct check_text text;
	char *ip, *from, *helo;  /* --ip: evaluate SPF for this sender only */
	struct check_seen *seen; /* NULL: selectors are given, or the database is not there */
	char *unseen;            /* why it is not; or NULL; text.unseen */
	gboolean no_https;       /* do not fetch the policy of MTA-STS */
	gboolean blocklists;     /* ask those that ruad knows */
	char *blocklist_file;    /* or those in this file */
	GPtrArray *lists;        /* struct blocklist: these; NULL: none */
};

static void read_selectors(char **words, GArray *selectors)
{
	for (; *words != NULL; words++) {
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

/* The selectors for a domain: those given; else those in its reports, and the usual ones. */
struct selection {
	struct json_object *seen; /* has the texts of array */
	GArray *array;            /* struct check_selector */
};

static void select_selectors(struct selection *selection, const char *domain, const struct request *request,
    struct check_options *options)
{
	g_autofree char *name = text_domain_copy(domain);

	*selection = (struct selection){ 0 };
	if (request->selectors != NULL) {
		selection->array = g_array_ref(request->given);
	} else {
		selection->seen = request->seen == NULL ? NULL : check_seen_of(request->seen, name);
		selection->array = selectors_of(selection->seen, name);
		options->selectors_from = selection->seen != NULL ? CHECK_FROM_REPORTS : CHECK_FROM_USUAL;
	}
	options->selectors = (const struct check_selector *)(const void *)selection->array->data;
	options->n_selectors = selection->array->len;
}

static void selection_clear(struct selection *selection)
{
	g_array_unref(selection->array);
	json_object_put(selection->seen);
}

static void copy_elsewhere(struct check *check, const struct relay *relay)
{
	const GPtrArray *elsewhere = relay_elsewhere(relay);

	check->elsewhere = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < elsewhere->len; i++)
		g_ptr_array_add(check->elsewhere, g_strdup(g_ptr_array_index(elsewhere, i)));
}

/* The check of a domain as a person wrote it; NULL: it is not one. */
static struct check *run_check(
    struct relay *relay, const char *words, const struct request *request, GError **error)
{
	g_autofree char *domain = domain_in(words);
	struct dns_source source = relay_source(relay);
	struct check_options options = { 0 };
	struct selection selection;
	struct check *check;

	select_selectors(&selection, domain, request, &options);
	options.blocklists = request->lists;
	options.fetch = request->no_https ? NULL : https_get;
	relay_budget(relay, CHECK_QUESTIONS_MAX + (request->lists != NULL ? BLOCKLIST_QUESTIONS_MAX : 0),
	    CHECK_SECONDS_MAX);
	check = check_run(&source, domain, &options, g_get_real_time() / G_USEC_PER_SEC, error);
	selection_clear(&selection);
	if (check != NULL)
		copy_elsewhere(check, relay);
	return check;
}

static int check_one(struct relay *relay, const char *words, const struct request *request)
{
	g_autoptr(GError) error = NULL;
	struct check *check = run_check(relay, words, request, &error);
	int code = COMMAND_OK;

	if (check == NULL)
		return command_fail(COMMAND, COMMAND_USAGE, "%s", error->message);
	if (request->json)
		print_document(check_json(check));
	else if (request->csv)
		check_csv_print(check);
	else
		check_text_print(check, &request->text);
	fflush(stdout);
	if (!check->answered)
		code = COMMAND_TEMPFAIL;
	else if (findings_have_error(check->findings))
		code = COMMAND_FAILED;
	check_free(check);
	return code;
}

/* -- SPF of one sender -- */

/* Text from the DNS, or null. */
static void add_shown(struct json_object *object, const char *name, const char *text)
{
	g_autofree char *clean = text == NULL ? NULL : check_text_shown(text);

	json_object_object_add(object, name, clean == NULL ? NULL : json_object_new_string(clean));
}

/* results: of block lists, or NULL. */
static void print_verdict_json(
    const char *domain, const char *ip, const struct spf_verdict *verdict, const GPtrArray *results)
{
	struct json_object *object = json_object_new_object();

	add_shown(object, "domain", domain);
	add_shown(object, "ip", ip);
	add_shown(object, "result", spf_result_word(verdict->result));
	add_shown(object, "term", verdict->term);
	add_shown(object, "via", verdict->via);
	add_shown(object, "reason", verdict->reason);
	json_object_object_add(object, "lookups", json_object_new_int64(verdict->lookups));
	json_object_object_add(object, "void_lookups", json_object_new_int64(verdict->void_lookups));
	check_add_blocklists(object, results);
	print_document(object);
}

/* What the block lists say of an address; NULL: none is to be asked. Transfer full. */
static GPtrArray *ask_blocklists(
    const struct dns_source *source, const struct ip_range *ip, const struct request *request)
{
	g_autoptr(GArray) addresses = NULL;

	if (request->lists == NULL)
		return NULL;
	addresses = g_array_new(FALSE, FALSE, sizeof(struct ip_range));
	g_array_append_val(addresses, *ip);
	return blocklists_ask(source, request->lists, addresses, NULL);
}

/* The sender in request, at a domain (lower-case A-labels). */
static enum spf_result judge_sender(
    struct relay *relay, const char *domain, const struct ip_range *ip, const struct request *request)
{
	struct dns_source source = relay_source(relay);
	const char *sign = request->from == NULL ? NULL : strrchr(request->from, '@');
	g_autofree char *local =
	    sign == NULL ? NULL : g_strndup(request->from, (gsize)(sign - request->from));
	g_autofree char *sender = sign == NULL ? NULL : text_domain_copy(sign + 1);
	struct spf_identity identity = {
		.ip = ip, .local = local, .sender_domain = sender, .helo = request->helo
	};
	g_autoptr(GPtrArray) results = NULL;
	struct spf_verdict verdict;
	enum spf_result result;

	relay_budget(relay, CHECK_QUESTIONS_MAX, CHECK_SECONDS_MAX);
	spf_check(&source, &identity, domain, &verdict);
	results = ask_blocklists(&source, ip, request);
	if (request->json)
		print_verdict_json(domain, request->ip, &verdict, results);
	else
		check_text_print_verdict(domain, request->ip, &verdict, results, &request->text);
	result = verdict.result;
	spf_verdict_clear(&verdict);
	return result;
}

static int check_sender(struct relay *relay, const char *words, const struct request *request)
{
	g_autofree char *name = domain_in(words);
	g_autofree char *domain = text_domain_copy(name);
	struct ip_range ip;
	enum spf_result result;

	if (!ip_parse(request->ip, &ip))
		return command_fail(COMMAND, COMMAND_USAGE, "\"%s\": not an IP address", request->ip);
	if (!dns_name_is_host(domain))
		return command_fail(COMMAND, COMMAND_USAGE, "\"%s\": not the name of a domain", words);
	result = judge_sender(relay, domain, &ip, request);
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

static int check_domains(struct relay *relay, char **domains, const struct request *request)
{
	int code = COMMAND_OK;

	for (char **domain = domains; *domain != NULL; domain++) {
		if (domain != domains && !request->json && !request->csv)
			putchar('\n');
		code = worse(code, request->ip != NULL ? check_sender(relay, *domain, request)
						       : check_one(relay, *domain, request));
	}
	return code;
}

/* Print a question and its answer on standard error (-v). */
static void print_question(gpointer user G_GNUC_UNUSED, enum dns_type type, const char *name,
    const char *other, const struct dns_answer *answer)
{
	g_autoptr(GString) words = g_string_new(NULL);
	g_autofree char *clean = NULL;

	if (answer->n_records == 0)
		g_string_append(words, dns_status_words(answer->status));
	for (guint i = 0; i < answer->n_records; i++) {
		const struct dns_record *record = &answer->records[i];

		g_string_append(words, i == 0 ? "" : ", ");
		if (type == DNS_MX)
			g_string_append_printf(
			    words, "%u %s", record->preference, *record->text == '\0' ? "." : record->text);
		else
			g_string_append_printf(words, type == DNS_TXT ? "\"%s\"" : "%s", record->text);
	}
	if (answer->alias != NULL)
		g_string_append_printf(words, " (alias of %s)", answer->alias);
	if (other != NULL)
		g_string_append_printf(words, " (from %s)", other);
	g_string_prepend(words, ": ");
	g_string_prepend(words, name);
	clean = check_text_shown(words->str);
	fprintf(stderr, "%s %s\n", dns_type_word(type), clean);
}

/* Returns FALSE with error set if the file cannot be used. */
static gboolean read_blocklists(struct request *request, GError **error)
{
	g_autofree char *text = NULL;

	if (request->blocklist_file == NULL) {
		request->lists = request->blocklists ? blocklists_own() : NULL;
		return TRUE;
	}
	if (!g_file_get_contents(request->blocklist_file, &text, NULL, error))
		return FALSE;
	request->lists = blocklists_read(text, error);
	g_prefix_error(error, "%s: ", request->blocklist_file);
	return request->lists != NULL;
}

static int run(const struct settings *settings, char **domains, struct request *request)
{
	g_autoptr(GError) error = NULL;
	struct relay *relay = NULL;
	int code;

	if (read_blocklists(request, &error))
		relay = relay_new(request->server, &error);
	if (relay == NULL)
		return command_fail(COMMAND, COMMAND_USAGE, "%s", error->message);
	request->given = g_array_new(FALSE, FALSE, sizeof(struct check_selector));
	if (request->selectors != NULL)
		read_selectors(request->selectors, request->given);
	else if (request->ip == NULL)
		request->seen = check_seen_new(settings, &request->unseen);
	if (command_verbose())
		relay_trace(relay, print_question, NULL);
	request->text.unseen = request->unseen;
	request->text.colour = isatty(STDOUT_FILENO) && g_getenv("NO_COLOR") == NULL;
	if (request->csv)
		check_csv_print_head();
	code = check_domains(relay, domains, request);
	relay_free(relay);
	check_seen_free(request->seen);
	g_array_unref(request->given);
	return code;
}

/* Returns what is wrong with the arguments, or NULL. */
static const char *objection(const struct request *request, int argc)
{
	if (request->ip == NULL && (request->from != NULL || request->helo != NULL))
		return "--from and --helo need --ip";
	if (request->csv && (request->json || request->ip != NULL))
		return "--csv goes with neither --json nor --ip";
	if (request->text.explain && (request->json || request->csv || request->ip != NULL))
		return "--explain goes with text alone";
	return argc < 2 ? "no DOMAIN given" : NULL;
}

int command_check(const struct settings *settings, int argc, char **argv)
{
	struct request request = { 0 };
	const GOptionEntry entries[] = {
		{ "resolver", 'r', 0, G_OPTION_ARG_STRING, &request.server, NULL, NULL },
		{ "selector", 's', 0, G_OPTION_ARG_STRING_ARRAY, &request.selectors, NULL, NULL },
		{ "ip", 0, 0, G_OPTION_ARG_STRING, &request.ip, NULL, NULL },
		{ "from", 0, 0, G_OPTION_ARG_STRING, &request.from, NULL, NULL },
		{ "helo", 0, 0, G_OPTION_ARG_STRING, &request.helo, NULL, NULL },
		{ "json", 'j', 0, G_OPTION_ARG_NONE, &request.json, NULL, NULL },
		{ "csv", 0, 0, G_OPTION_ARG_NONE, &request.csv, NULL, NULL },
		{ "explain", 0, 0, G_OPTION_ARG_NONE, &request.text.explain, NULL, NULL },
		{ "no-https", 0, 0, G_OPTION_ARG_NONE, &request.no_https, NULL, NULL },
		{ "blocklists", 0, 0, G_OPTION_ARG_NONE, &request.blocklists, NULL, NULL },
		{ "blocklist-file", 0, 0, G_OPTION_ARG_FILENAME, &request.blocklist_file, NULL, NULL },
		{ 0 },
	};
	const char *wrong;
	int code = COMMAND_USAGE;

	if (!command_options(entries, &argc, &argv))
		code = COMMAND_USAGE;
	else if ((wrong = objection(&request, argc)) != NULL)
		command_fail(COMMAND, COMMAND_USAGE, "%s", wrong);
	else
		code = run(settings, argv + 1, &request);
	g_free(request.server);
	g_strfreev(request.selectors);
	g_free(request.ip);
	g_free(request.from);
	g_free(request.helo);
	g_free(request.unseen);
	g_free(request.blocklist_file);
	g_clear_pointer(&request.lists, g_ptr_array_unref);
	return code;
}
