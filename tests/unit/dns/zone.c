#include "tests/unit/dns/zone.h"

#include <stdlib.h>
#include <string.h>

struct line {
	char *name, *type, *data;
};

struct zone {
	GArray *lines;       /* struct line */
	GHashTable *answers; /* "TYPE name" to struct dns_answer */
	GString *asked;
	GPtrArray *expected;   /* char * "TYPE name" */
	GPtrArray *unexpected; /* the same */
	guint questions;
};

static void clear_line(gpointer data)
{
	struct line *line = data;

	g_free(line->name);
	g_free(line->type);
	g_free(line->data);
}

static void free_answer(gpointer data)
{
	dns_answer_clear(data);
	g_free(data);
}

struct zone *zone_new(const char *lines)
{
	struct zone *zone = g_new0(struct zone, 1);
	g_auto(GStrv) all = g_strsplit(lines, "\n", -1);

	zone->lines = g_array_new(FALSE, FALSE, sizeof(struct line));
	g_array_set_clear_func(zone->lines, clear_line);
	zone->answers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_answer);
	zone->asked = g_string_new(NULL);
	zone->expected = g_ptr_array_new_with_free_func(g_free);
	zone->unexpected = g_ptr_array_new_with_free_func(g_free);
	for (char **text = all; *text != NULL; text++) {
		g_auto(GStrv) words = g_strsplit(*text, " ", 3);

		if (g_strv_length(words) == 3) {
			const char *name = strcmp(words[0], ".") == 0 ? "" : words[0];
			struct line line = { g_strdup(name), g_strdup(words[1]), g_strdup(words[2]) };

			g_array_append_val(zone->lines, line);
		}
	}
	return zone;
}

void zone_free(struct zone *zone)
{
	g_array_unref(zone->lines);
	g_hash_table_unref(zone->answers);
	g_string_free(zone->asked, TRUE);
	g_ptr_array_unref(zone->expected);
	g_ptr_array_unref(zone->unexpected);
	g_free(zone);
}

static gboolean is_below(const char *name, const char *above)
{
	gsize size = strlen(name), end = strlen(above);

	return size > end + 1 && name[size - end - 1] == '.' && strcmp(name + size - end, above) == 0;
}

static gboolean is_wildcard_for(const struct line *line, const char *name)
{
	return g_str_has_prefix(line->name, "*.") && is_below(name, line->name + 2);
}

static enum dns_status failure(const char *data)
{
	static const struct {
		const char *data;
		enum dns_status status;
	} FAILURES[] = {
		{ "!timeout", DNS_TIMEOUT },
		{ "!servfail", DNS_SERVFAIL },
		{ "!refused", DNS_REFUSED },
		{ "!unreachable", DNS_UNREACHABLE },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(FAILURES); i++)
		if (strcmp(data, FAILURES[i].data) == 0)
			return FAILURES[i].status;
	return DNS_OK;
}

/* Whether a line is of a type; with "+AD" behind it, the answer is authentic. */
static gboolean is_of_type(const struct line *line, enum dns_type type, gboolean *authentic)
{
	const char *word = dns_type_word(type);
	gsize size = strlen(word);

	if (strncmp(line->type, word, size) != 0)
		return FALSE;
	*authentic |= strcmp(line->type + size, "+AD") == 0;
	return line->type[size] == '\0' || line->type[size] == '+';
}

static void take(const struct line *line, enum dns_type type, GArray *records, struct dns_answer *answer)
{
	struct dns_record record = { 0 };
	char *rest = line->data;

	if (!is_of_type(line, type, &answer->authentic) || records->len >= DNS_RECORDS_MAX)
		return;
	if (failure(line->data) != DNS_OK) {
		answer->status = failure(line->data);
		return;
	}
	if (type == DNS_MX)
		record.preference = (guint16)strtoul(line->data, &rest, 10);
	record.text = g_strdup(rest + strspn(rest, " "));
	if (strcmp(record.text, ".") == 0)
		*record.text = '\0';
	g_array_append_val(records, record);
}

static struct dns_answer *answer_of(const struct zone *zone, enum dns_type type, const char *name)
{
	struct dns_answer *answer = g_new0(struct dns_answer, 1);
	GArray *records = g_array_new(FALSE, FALSE, sizeof(struct dns_record));
	gboolean exists = FALSE, own = FALSE;

	answer->status = DNS_OK;
	for (guint i = 0; i < zone->lines->len; i++) {
		const struct line *line = &g_array_index(zone->lines, struct line, i);

		own = own || strcmp(line->name, name) == 0;
		exists = exists || own || is_below(line->name, name);
		if (strcmp(line->name, name) == 0)
			take(line, type, records, answer);
	}
	for (guint i = 0; i < zone->lines->len && !exists; i++)
		if (is_wildcard_for(&g_array_index(zone->lines, struct line, i), name)) {
			take(&g_array_index(zone->lines, struct line, i), type, records, answer);
			own = TRUE;
		}
	answer->n_records = records->len;
	answer->records = (struct dns_record *)(void *)g_array_free(records, FALSE);
	if (answer->status == DNS_OK && answer->n_records == 0)
		answer->status = own || exists ? DNS_NODATA : DNS_NXDOMAIN;
	return answer;
}

static gboolean is_in(const GPtrArray *keys, const char *key)
{
	for (guint i = 0; i < keys->len; i++)
		if (strcmp(g_ptr_array_index(keys, i), key) == 0)
			return TRUE;
	return FALSE;
}

static void expect(gpointer user, enum dns_type type, const char *name)
{
	struct zone *zone = user;
	char *key = g_strdup_printf("%s %s", dns_type_word(type), name);

	if (is_in(zone->expected, key))
		g_free(key);
	else
		g_ptr_array_add(zone->expected, key);
}

static const struct dns_answer *look_up(gpointer user, enum dns_type type, const char *name)
{
	struct zone *zone = user;
	g_autofree char *key = g_strdup_printf("%s %s", dns_type_word(type), name);
	struct dns_answer *answer = g_hash_table_lookup(zone->answers, key);

	zone->questions++;
	if (answer != NULL)
		return answer;
	if (dns_name_is_good(name) || (*name == '\0' && type == DNS_SOA)) {
		g_string_append_printf(zone->asked, "%s%s", zone->asked->len > 0 ? ", " : "", key);
		if (!is_in(zone->expected, key))
			g_ptr_array_add(zone->unexpected, g_strdup(key));
		answer = answer_of(zone, type, name);
	} else {
		answer = g_new0(struct dns_answer, 1);
		answer->status = DNS_BAD_NAME;
	}
	g_hash_table_insert(zone->answers, g_steal_pointer(&key), answer);
	return answer;
}

static const struct dns_answer *ask_server(
    gpointer user, const char *server, enum dns_type type, const char *name)
{
	g_autofree char *at_server = g_strconcat(server, "!", name, NULL);

	return look_up(user, type, at_server);
}

struct dns_source zone_source(struct zone *zone)
{
	return (struct dns_source){
		.look_up = look_up, .expect = expect, .user = zone, .ask_server = ask_server
	};
}

const char *zone_asked(const struct zone *zone)
{
	return zone->asked->str;
}

char *zone_unexpected(const struct zone *zone)
{
	GString *words = g_string_new(NULL);

	for (guint i = 0; i < zone->unexpected->len; i++)
		g_string_append_printf(
		    words, "%s%s", i > 0 ? ", " : "", (const char *)g_ptr_array_index(zone->unexpected, i));
	return g_string_free(words, FALSE);
}

char *zone_unasked(const struct zone *zone)
{
	GString *words = g_string_new(NULL);

	for (guint i = 0; i < zone->expected->len; i++)
		if (!g_hash_table_contains(zone->answers, g_ptr_array_index(zone->expected, i)))
			g_string_append_printf(words, "%s%s", words->len > 0 ? ", " : "",
			    (const char *)g_ptr_array_index(zone->expected, i));
	return g_string_free(words, FALSE);
}

guint zone_questions(const struct zone *zone)
{
	return zone->questions;
}
