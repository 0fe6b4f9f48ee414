/* blocklist.c - the file of lists, the questions, and what the answers mean (RFC 5782). */
#include "server/dns/blocklist.h"

#include <string.h>

#include "parser/error.h"
#include "parser/text.h"

#define IP4_TEST    "2.0.0.127" /* section 5: what each list of addresses has, */
#define IP4_ABSENT  "1.0.0.127" /* and what none has */
#define NAME_ABSENT "invalid"   /* section 5: what no list of domains has */
#define TEXT_SHOWN  300         /* bytes of what a list says */
#define BIT         "bit."
#define REFUSED     "refused."

/* -- the file -- */

static void free_list(gpointer data)
{
	struct blocklist *list = data;

	g_free(list->zone);
	g_free(list->name);
	g_free(list->url);
	g_free(list->terms);
	g_free(list->test);
	g_hash_table_unref(list->words);
	g_free(list);
}

static gboolean fail(GError **error, const char *zone, const char *why, const char *value)
{
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "[%s] %s: \"%s\"", zone, why, value);
	return FALSE;
}

/* "ip4 ip6", or "domain". */
static gboolean read_kinds(struct blocklist *list, const char *value, GError **error)
{
	g_auto(GStrv) words = g_strsplit_set(value, " ,", -1);

	for (char **word = words; *word != NULL; word++) {
		list->of_ip4 |= g_str_equal(*word, "ip4");
		list->of_ip6 |= g_str_equal(*word, "ip6");
		list->of_domains |= g_str_equal(*word, "domain");
		if (**word != '\0' && !g_str_equal(*word, "ip4") && !g_str_equal(*word, "ip6") &&
		    !g_str_equal(*word, "domain"))
			return fail(error, list->zone, "of: must be ip4, ip6 or domain", *word);
	}
	return TRUE;
}

/* "127.0.0.2", "bit.8", "refused.127.0.0.1" */
static gboolean is_code(const char *key)
{
	const char *address = g_str_has_prefix(key, REFUSED) ? key + strlen(REFUSED) : key;
	struct ip_range ip;

	if (g_str_has_prefix(key, BIT))
		return g_ascii_string_to_unsigned(key + strlen(BIT), 10, 1, 128, NULL, NULL);
	return ip_parse(address, &ip) && ip.size == 4 && ip.bytes[0] == 127;
}

static gboolean read_key(struct blocklist *list, const char *key, char *value, GError **error)
{
	const struct {
		const char *key;
		char **member;
	} MEMBERS[] = {
		{ "name", &list->name },
		{ "url", &list->url },
		{ "terms", &list->terms },
		{ "test", &list->test },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(MEMBERS); i++)
		if (g_str_equal(key, MEMBERS[i].key)) {
			g_free(*MEMBERS[i].member);
			*MEMBERS[i].member = g_strdup(value);
			return TRUE;
		}
	if (g_str_equal(key, "of"))
		return read_kinds(list, value, error);
	if (!is_code(key))
		return fail(error, list->zone, "unknown key", key);
	g_hash_table_replace(list->words, g_strdup(key), g_strdup(value));
	return TRUE;
}

/* What must be there, and what has a default. */
static gboolean complete(struct blocklist *list, GError **error)
{
	if (!dns_name_is_host(list->zone) || strchr(list->zone, '.') == NULL)
		return fail(error, list->zone, "not the name of a zone", list->zone);
	if (!list->of_ip4 && !list->of_ip6 && !list->of_domains)
		return fail(error, list->zone, "missing", "of");
	if (list->name == NULL)
		list->name = g_strdup(list->zone);
	if (list->test == NULL)
		list->test = g_strdup(list->of_domains ? "test" : IP4_TEST);
	return TRUE;
}

static struct blocklist *read_list(GKeyFile *file, const char *zone, GError **error)
{
	struct blocklist *list = g_new0(struct blocklist, 1);
	g_auto(GStrv) keys = g_key_file_get_keys(file, zone, NULL, NULL);
	gboolean good = TRUE;

	list->zone = g_ascii_strdown(zone, -1);
	list->words = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	for (char **key = keys; good && *key != NULL; key++) {
		g_autofree char *value = g_key_file_get_string(file, zone, *key, NULL);

		good = value != NULL ? read_key(list, *key, value, error)
				     : fail(error, zone, "has no value", *key);
	}
	if (good && complete(list, error))
		return list;
	free_list(list);
	return NULL;
}

GPtrArray *blocklists_read(const char *text, GError **error)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autoptr(GPtrArray) lists = g_ptr_array_new_with_free_func(free_list);
	g_autoptr(GError) cause = NULL;
	g_auto(GStrv) zones = NULL;

	if (!g_key_file_load_from_data(file, text, strlen(text), G_KEY_FILE_NONE, &cause)) {
		g_set_error_literal(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, cause->message);
		return NULL;
	}
	zones = g_key_file_get_groups(file, NULL);
	if (g_strv_length(zones) > BLOCKLISTS_MAX) {
		ruad_error_over_limit(error, "block lists", BLOCKLISTS_MAX);
		return NULL;
	}
	for (char **zone = zones; *zone != NULL; zone++) {
		struct blocklist *list = read_list(file, *zone, error);

		if (list == NULL)
			return NULL;
		g_ptr_array_add(lists, list);
	}
	return g_steal_pointer(&lists);
}

/* -- what an answer means -- */

static void append(GString *words, const char *text)
{
	g_string_append_printf(words, "%s%s", words->len > 0 ? "; " : "", text);
}

/* The meaning of each bit that the last number has, if the list has bits. */
static void append_bits(const struct blocklist *list, const struct ip_range *code, GString *words)
{
	for (guint bit = 1; bit <= 128; bit *= 2) {
		g_autofree char *key = g_strdup_printf(BIT "%u", bit);
		const char *text = g_hash_table_lookup(list->words, key);

		if ((code->bytes[3] & bit) != 0 && text != NULL)
			append(words, text);
	}
}

/* Why the list refuses, by a code; NULL: it does not. Static or borrowed from list. */
static const char *refusal_of(const struct blocklist *list, const struct ip_range *code, const char *text)
{
	g_autofree char *key = g_strconcat(REFUSED, text, NULL);
	const char *words = g_hash_table_lookup(list->words, key);

	if (words != NULL)
		return words;
	return code->bytes[0] == 127 && code->bytes[1] == 255 && code->bytes[2] == 255 ? "by an error code"
										       : NULL;
}

/* Judge an answer about something, or about a test entry. *why: it is not OK (static, or borrowed from list).
 */
static enum blocklist_status judge(
    const struct blocklist *list, const struct dns_answer *answer, const char **why)
{
	if (dns_failed(answer)) {
		*why = dns_status_words(answer->status);
		return answer->status == DNS_REFUSED ? BLOCKLIST_REFUSED : BLOCKLIST_FAILED;
	}
	for (guint i = 0; i < answer->n_records; i++) {
		struct ip_range code;

		if (!ip_parse(answer->records[i].text, &code) || code.size != 4 || code.bytes[0] != 127) {
			*why = "it answers with addresses outside of 127.0.0.0/8";
			return BLOCKLIST_UNUSABLE;
		}
		*why = refusal_of(list, &code, answer->records[i].text);
		if (*why != NULL)
			return BLOCKLIST_REFUSED;
	}
	return BLOCKLIST_OK;
}

/* Codes of an answer that is OK, and their meaning. */
static void read_codes(
    const struct blocklist *list, const struct dns_answer *answer, GString *codes, GString *words)
{
	for (guint i = 0; i < answer->n_records; i++) {
		const char *text = answer->records[i].text;
		const char *meaning = g_hash_table_lookup(list->words, text);
		struct ip_range code;

		g_string_append_printf(codes, "%s%s", codes->len > 0 ? " " : "", text);
		if (meaning != NULL)
			append(words, meaning);
		else if (ip_parse(text, &code))
			append_bits(list, &code, words);
	}
	if (words->len == 0)
		g_string_append(words, "listed");
}

/* -- questions -- */

/* An address or domain that is asked for. */
struct subject {
	char *text;
	char *name;  /* without the zone */
	guint8 size; /* of the address; 0: a domain */
};

static void clear_subject(gpointer data)
{
	struct subject *subject = data;

	g_free(subject->text);
	g_free(subject->name);
}

/* The name of an address in a list: that of its PTR record without the last two labels (sections 2.1
 * and 2.4). */
static char *listed_name(const struct ip_range *ip)
{
	g_autofree char *reverse = ip_reverse_name(ip);
	const char *end = g_strrstr(reverse, ip->size == 4 ? ".in-addr.arpa" : ".ip6.arpa");

	return g_strndup(reverse, (gsize)(end - reverse));
}

static GArray *collect_subjects(const GArray *addresses, const char *domain)
{
	GArray *subjects = g_array_new(FALSE, FALSE, sizeof(struct subject));

	g_array_set_clear_func(subjects, clear_subject);
	for (guint i = 0; i < addresses->len; i++) {
		const struct ip_range *ip = &g_array_index(addresses, struct ip_range, i);
		struct subject subject = { .size = ip->size };
		char text[IP_TEXT_SIZE];

		if (ip_is_private(ip))
			continue;
		ip_print(ip, text);
		subject.text = g_strdup(text);
		subject.name = listed_name(ip);
		g_array_append_val(subjects, subject);
	}
	if (domain != NULL)
		g_array_append_val(subjects, ((struct subject){ g_strdup(domain), g_strdup(domain), 0 }));
	return subjects;
}

static gboolean has_kind(const struct blocklist *list, const struct subject *subject)
{
	return subject->size == 0 ? list->of_domains : subject->size == 4 ? list->of_ip4 : list->of_ip6;
}

static const char *absent_name(const struct blocklist *list)
{
	return list->of_domains && !list->of_ip4 ? NAME_ABSENT : IP4_ABSENT;
}

static const struct dns_answer *ask(
    const struct dns_source *source, const struct blocklist *list, enum dns_type type, const char *name)
{
	g_autofree char *full = g_strconcat(name, ".", list->zone, NULL);

	return dns_look_up(source, type, full);
}

static void expect(const struct dns_source *source, const struct blocklist *list, const char *name)
{
	g_autofree char *full = g_strconcat(name, ".", list->zone, NULL);

	dns_expect(source, DNS_A, full);
}

/* Whether the list answers as section 5 demands. */
static enum blocklist_status test(
    const struct dns_source *source, const struct blocklist *list, const char **why)
{
	const struct dns_answer *present = ask(source, list, DNS_A, list->test), *absent;
	enum blocklist_status status = judge(list, present, why);

	if (status != BLOCKLIST_OK)
		return status;
	if (present->n_records == 0) {
		*why = "it does not have the test entry that each list has: it is closed, or refuses without "
		       "saying so";
		return BLOCKLIST_UNUSABLE;
	}
	absent = ask(source, list, DNS_A, absent_name(list));
	status = judge(list, absent, why);
	if (status == BLOCKLIST_OK && absent->n_records > 0) {
		*why = "it has an entry that no list may have: it lists everything";
		return BLOCKLIST_UNUSABLE;
	}
	return status;
}

static void free_entry(gpointer data)
{
	struct blocklist_entry *entry = data;

	g_free(entry->subject);
	g_free(entry->codes);
	g_free(entry->words);
	g_free(entry->text);
	g_free(entry);
}

static void add_entry(const struct dns_source *source, const struct blocklist *list,
    const struct subject *subject, const struct dns_answer *answer, struct blocklist_result *result)
{
	const struct dns_answer *texts = ask(source, list, DNS_TXT, subject->name);
	struct blocklist_entry *entry = g_new0(struct blocklist_entry, 1);
	g_autoptr(GString) codes = g_string_new(NULL), words = g_string_new(NULL);

	read_codes(list, answer, codes, words);
	entry->subject = g_strdup(subject->text);
	entry->codes = g_strdup(codes->str);
	entry->words = g_strdup(words->str);
	if (texts->n_records > 0)
		entry->text =
		    text_clean_line(texts->records[0].text, strlen(texts->records[0].text), TEXT_SHOWN);
	g_ptr_array_add(result->found, entry);
}

static void ask_about(const struct dns_source *source, const struct blocklist *list, const GArray *subjects,
    struct blocklist_result *result)
{
	for (guint i = 0; i < subjects->len && result->status == BLOCKLIST_OK; i++) {
		const struct subject *subject = &g_array_index(subjects, struct subject, i);
		const struct dns_answer *answer;
		const char *why = NULL;

		if (!has_kind(list, subject))
			continue;
		answer = ask(source, list, DNS_A, subject->name);
		result->asked++;
		result->status = judge(list, answer, &why);
		if (result->status != BLOCKLIST_OK)
			result->why = g_strdup(why);
		else if (answer->n_records > 0)
			add_entry(source, list, subject, answer, result);
	}
}

static void free_result(gpointer data)
{
	struct blocklist_result *result = data;

	g_free(result->zone);
	g_free(result->name);
	g_free(result->url);
	g_free(result->terms);
	g_free(result->why);
	g_ptr_array_unref(result->found);
	g_free(result);
}

static struct blocklist_result *begin_result(const struct dns_source *source, const struct blocklist *list)
{
	struct blocklist_result *result = g_new0(struct blocklist_result, 1);
	const char *why = NULL;

	result->zone = g_strdup(list->zone);
	result->name = g_strdup(list->name);
	result->url = g_strdup(list->url);
	result->terms = g_strdup(list->terms);
	result->found = g_ptr_array_new_with_free_func(free_entry);
	result->status = test(source, list, &why);
	if (result->status != BLOCKLIST_OK)
		result->why = g_strdup(why);
	return result;
}

static void expect_all(const struct dns_source *source, const struct blocklist *list, const GArray *subjects)
{
	for (guint i = 0; i < subjects->len; i++) {
		const struct subject *subject = &g_array_index(subjects, struct subject, i);

		if (has_kind(list, subject))
			expect(source, list, subject->name);
	}
}

GPtrArray *blocklists_ask(
    const struct dns_source *source, const GPtrArray *lists, const GArray *addresses, const char *domain)
{
	GPtrArray *results = g_ptr_array_new_with_free_func(free_result);
	g_autoptr(GArray) subjects = collect_subjects(addresses, domain);

	for (guint i = 0; i < lists->len; i++) {
		const struct blocklist *list = g_ptr_array_index(lists, i);

		expect(source, list, list->test);
		expect(source, list, absent_name(list));
	}
	for (guint i = 0; i < lists->len; i++) {
		const struct blocklist *list = g_ptr_array_index(lists, i);
		struct blocklist_result *result = begin_result(source, list);

		g_ptr_array_add(results, result);
		if (result->status == BLOCKLIST_OK)
			expect_all(source, list, subjects);
	}
	for (guint i = 0; i < lists->len; i++)
		ask_about(source, g_ptr_array_index(lists, i), subjects, g_ptr_array_index(results, i));
	return results;
}

/* -- results -- */

const char *blocklist_status_word(enum blocklist_status status)
{
	static const char *const WORDS[] = { "ok", "refused", "unusable", "failed" };

	return WORDS[status];
}
