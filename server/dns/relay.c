#include "server/dns/relay.h"

#define SERVER_MS 1500 /* for an answer of a certain server */

struct relay {
	struct resolver *first;
	struct resolver *second; /* NULL: the first is the system's */
	GHashTable
	    *aliased; /* char * "TYPE name" to struct dns_answer: of the second, for an alias of the first */
	GHashTable *traced_keys; /* char * */
	GHashTable *servers;     /* char * address to struct resolver: of this server alone */
	GPtrArray *elsewhere;    /* char * */
	relay_traced traced;
	gpointer user;
};

static void free_answer(gpointer data)
{
	dns_answer_clear(data);
	g_free(data);
}

static void free_resolver(gpointer data)
{
	resolver_free(data);
}

struct relay *relay_new(const char *server, GError **error)
{
	struct resolver_options options = RESOLVER_OPTIONS_DEFAULT;
	struct relay *relay = g_new0(struct relay, 1);

	relay->aliased = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_answer);
	relay->traced_keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	relay->elsewhere = g_ptr_array_new_with_free_func(g_free);
	relay->servers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_resolver);
	if (server != NULL)
		relay->second = resolver_new(&options, error);
	options.server = server;
	if (server == NULL || relay->second != NULL)
		relay->first = resolver_new(&options, error);
	if (relay->first != NULL)
		return relay;
	relay_free(relay);
	return NULL;
}

void relay_free(struct relay *relay)
{
	if (relay == NULL)
		return;
	resolver_free(relay->first);
	resolver_free(relay->second);
	g_hash_table_unref(relay->aliased);
	g_hash_table_unref(relay->traced_keys);
	g_hash_table_unref(relay->servers);
	g_ptr_array_unref(relay->elsewhere);
	g_free(relay);
}

void relay_trace(struct relay *relay, relay_traced traced, gpointer user)
{
	relay->traced = traced;
	relay->user = user;
}

void relay_budget(struct relay *relay, guint questions, guint seconds)
{
	resolver_budget(relay->first, questions, seconds);
	if (relay->second != NULL)
		resolver_budget(relay->second, questions, seconds);
	g_ptr_array_set_size(relay->elsewhere, 0);
}

/* -- the second server -- */

/* The answer on the end of an alias as one on the name that has it. */
static struct dns_answer *answer_of_alias(const struct dns_answer *end, const char *alias)
{
	struct dns_answer *answer = g_memdup2(end, sizeof(*end));

	answer->records = g_new0(struct dns_record, end->n_records);
	for (guint i = 0; i < end->n_records; i++)
		answer->records[i] =
		    (struct dns_record){ g_strdup(end->records[i].text), end->records[i].preference };
	answer->alias = g_strdup(end->alias != NULL ? end->alias : alias);
	answer->authentic = FALSE; /* the first server did not check the alias */
	return answer;
}

static const struct dns_answer *look_up_alias(
    struct relay *relay, enum dns_type type, const char *key, const char *alias)
{
	struct dns_answer *answer = g_hash_table_lookup(relay->aliased, key);

	if (answer != NULL)
		return answer;
	answer = answer_of_alias(resolver_look_up(relay->second, type, alias), alias);
	g_hash_table_insert(relay->aliased, g_strdup(key), answer);
	return answer;
}

static void note_elsewhere(struct relay *relay, enum dns_type type, const char *name)
{
	char *words = g_strdup_printf("%s %s", dns_type_word(type), *name == '\0' ? "." : name);

	if (g_ptr_array_find_with_equal_func(relay->elsewhere, words, g_str_equal, NULL))
		g_free(words);
	else
		g_ptr_array_add(relay->elsewhere, words);
}

static const struct dns_answer *look_up_elsewhere(struct relay *relay, enum dns_type type, const char *name,
    const char *key, const struct dns_answer *first)
{
	note_elsewhere(relay, type, first->alias != NULL ? first->alias : name);
	return first->alias == NULL ? resolver_look_up(relay->second, type, name)
				    : look_up_alias(relay, type, key, first->alias);
}

/* -- the source -- */

static const struct dns_answer *look_up(gpointer user, enum dns_type type, const char *name)
{
	struct relay *relay = user;
	const struct dns_answer *answer = resolver_look_up(relay->first, type, name);
	gboolean is_second =
	    relay->second != NULL && (answer->status == DNS_REFUSED || answer->status == DNS_ELSEWHERE);
	g_autofree char *key = g_strdup_printf("%s %s", dns_type_word(type), name);

	if (is_second)
		answer = look_up_elsewhere(relay, type, name, key, answer);
	if (relay->traced != NULL && g_hash_table_add(relay->traced_keys, g_steal_pointer(&key)))
		relay->traced(relay->user, type, name, is_second ? "the system's DNS server" : NULL, answer);
	return answer;
}

static void expect(gpointer user, enum dns_type type, const char *name)
{
	resolver_ask(((struct relay *)user)->first, type, name, NULL, NULL);
}

/* -- one server -- */

/* The resolver that asks this server once, and does not wait long. NULL: it cannot be asked. */
static struct resolver *resolver_of(struct relay *relay, const char *server)
{
	struct resolver_options options = { server, SERVER_MS, 1, 1, NULL };
	struct resolver *resolver = g_hash_table_lookup(relay->servers, server);

	if (resolver == NULL) {
		resolver = resolver_new(&options, NULL);
		g_hash_table_insert(relay->servers, g_strdup(server), resolver);
	}
	return resolver;
}

static const struct dns_answer *ask_server(
    gpointer user, const char *server, enum dns_type type, const char *name)
{
	struct relay *relay = user;
	struct resolver *resolver = resolver_of(relay, server);
	g_autofree char *key = g_strdup_printf("%s %s %s", dns_type_word(type), name, server);
	const struct dns_answer *answer;

	if (resolver == NULL)
		return NULL;
	answer = resolver_look_up(resolver, type, name);
	if (relay->traced != NULL && g_hash_table_add(relay->traced_keys, g_strdup(key)))
		relay->traced(relay->user, type, name, server, answer);
	return answer;
}

struct dns_source relay_source(struct relay *relay)
{
	return (struct dns_source){
		.look_up = look_up, .expect = expect, .user = relay, .ask_server = ask_server
	};
}

const GPtrArray *relay_elsewhere(const struct relay *relay)
{
	return relay->elsewhere;
}
