#include "server/dns/resolver.h"

#define CARES_NO_DEPRECATED 1 /* 1.34 renames what 1.18 only has under these names */
#include <ares.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <string.h>
#include <sys/random.h>

#include "parser/error.h"
#include "parser/text.h"
#include "server/common/net.h"
#include "server/dns/reply.h"

#define DATAGRAM_SIZE 1232 /* bytes of an answer by UDP that arrive unbroken everywhere (DNS flag day 2020) */
#define DNS_PORT      "53"
#define AD_BYTE       3 /* of a message's header, and the bit in it (RFC 4035 section 3.2.3) */
#define AD_BIT        0x20
#define TICK_MS       1000 /* waits are cut into these, for the budget's end */

struct waiter {
	resolver_answered answered;
	gpointer user;
};

struct question {
	struct resolver *resolver;
	enum dns_type type;
	char *name;
	struct dns_answer answer;
	gboolean sent, done;
	GArray *waiters; /* struct waiter */
};

struct resolver {
	ares_channel channel;
	guint concurrency;
	GHashTable *questions; /* struct question, by itself */
	GQueue waiting;        /* not sent yet; borrowed */
	guint under_way;
	guint pending; /* under way and waiting */
	gboolean sending;
	gboolean ending;
	gboolean trusted; /* what the server says of DNSSEC is believed */
	guint asked, answered;
	guint budget;    /* questions that may still be asked */
	gint64 deadline; /* of g_get_monotonic_time(); 0: none */
};

/* -- questions -- */

static guint hash_question(gconstpointer key)
{
	const struct question *question = key;

	return g_str_hash(question->name) ^ (guint)question->type;
}

static gboolean equal_questions(gconstpointer a, gconstpointer b)
{
	const struct question *one = a, *other = b;

	return one->type == other->type && strcmp(one->name, other->name) == 0;
}

static void free_question(gpointer data)
{
	struct question *question = data;

	dns_answer_clear(&question->answer);
	g_array_unref(question->waiters);
	g_free(question->name);
	g_free(question);
}

static struct question *find_question(struct resolver *resolver, enum dns_type type, const char *name)
{
	struct question key = { .type = type }, *question;

	key.name = g_ascii_strdown(name, -1);
	question = g_hash_table_lookup(resolver->questions, &key);
	if (question != NULL) {
		g_free(key.name);
		return question;
	}
	question = g_new0(struct question, 1);
	*question = key;
	question->resolver = resolver;
	question->waiters = g_array_new(FALSE, FALSE, sizeof(struct waiter));
	g_hash_table_add(resolver->questions, question);
	return question;
}

/* -- answers -- */

static void send_waiting(struct resolver *resolver);

/* A waiter may ask on, which may add waiters to other questions, but to this one only what is answered at
 * once. */
static void tell_waiters(struct question *question)
{
	question->done = TRUE;
	question->resolver->pending--;
	for (guint i = 0; i < question->waiters->len; i++) {
		struct waiter waiter = g_array_index(question->waiters, struct waiter, i);

		waiter.answered(waiter.user, question->type, question->name, &question->answer);
	}
	g_array_set_size(question->waiters, 0);
}

static enum dns_status status_of(int status)
{
	switch (status) {
	case ARES_ETIMEOUT:
		return DNS_TIMEOUT;
	case ARES_ECONNREFUSED:
		return DNS_UNREACHABLE;
	case ARES_EBADNAME: /* not of c-ares 1.18: begin() keeps back what is invalid */
		return DNS_UNASKABLE;
	case ARES_EBADRESP:
		return DNS_MALFORMED;
	default:
		return DNS_SERVFAIL;
	}
}

static void take_answer(void *user, int status, int timeouts G_GNUC_UNUSED, unsigned char *bytes, int size)
{
	struct question *question = user;
	struct resolver *resolver = question->resolver;

	resolver->under_way--;
	if (resolver->ending)
		return;
	if (bytes != NULL && size > 0) {
		resolver->answered++;
		reply_read(bytes, (gsize)size, question->name, question->type, &question->answer);
		question->answer.authentic &= resolver->trusted;
	} else {
		question->answer.status = status_of(status);
	}
	tell_waiters(question);
	send_waiting(resolver);
}

/* -- asking -- */

static gboolean is_out_of_budget(const struct resolver *resolver, enum dns_status *status)
{
	*status = resolver->budget == 0 ? DNS_BUDGET : DNS_TIMEOUT;
	return resolver->budget == 0 ||
	       (resolver->deadline != 0 && g_get_monotonic_time() >= resolver->deadline);
}

/* Not ares_query(), which cannot set the AD bit. */
static void send_question(struct question *question)
{
	unsigned char *bytes = NULL;
	guint16 id = 0;
	int size = 0, status = ARES_ENOMEM;

	/* an id that nobody can guess */
	if (getrandom(&id, sizeof(id), 0) == (ssize_t)sizeof(id))
		status = ares_create_query(*question->name == '\0' ? "." : question->name, ns_c_in,
		    (int)question->type, id, 1, &bytes, &size, DATAGRAM_SIZE);
	if (status == ARES_SUCCESS) {
		bytes[AD_BYTE] |= AD_BIT;
		ares_send(question->resolver->channel, bytes, size, take_answer, question);
		ares_free_string(bytes);
	} else {
		take_answer(question, status, 0, NULL, 0);
	}
}

/* Not nested, however many are answered on the spot. */
static void send_waiting(struct resolver *resolver)
{
	if (resolver->sending)
		return;
	resolver->sending = TRUE;
	while (resolver->under_way < resolver->concurrency && !g_queue_is_empty(&resolver->waiting)) {
		struct question *question = g_queue_pop_head(&resolver->waiting);

		question->sent = TRUE;
		resolver->under_way++;
		resolver->asked++;
		send_question(question);
	}
	resolver->sending = FALSE;
}

/* Of the root, only the SOA is of use: whether the server validates. */
static gboolean is_good(const struct question *question)
{
	return dns_name_is_good(question->name) || (*question->name == '\0' && question->type == DNS_SOA);
}

/* A question that is not known yet: put it into the queue, or answer it here. */
static void begin(struct question *question)
{
	struct resolver *resolver = question->resolver;

	resolver->pending++;
	if (!is_good(question)) {
		question->answer.status = DNS_BAD_NAME;
		tell_waiters(question);
		return;
	}
	resolver->budget--;
	question->sent = TRUE;
	g_queue_push_tail(&resolver->waiting, question);
	send_waiting(resolver);
}

/* What the budget does not allow: known as such while it lasts. */
static const struct dns_answer *refusal(enum dns_status status)
{
	static const struct dns_answer BUDGET = { .status = DNS_BUDGET }, TIMEOUT = { .status = DNS_TIMEOUT };

	return status == DNS_BUDGET ? &BUDGET : &TIMEOUT;
}

/* The question, begun; NULL: it is not asked, and *status says why. */
static struct question *ask(struct resolver *resolver, enum dns_type type, const char *name,
    resolver_answered answered, gpointer user, enum dns_status *status)
{
	struct question *question = find_question(resolver, type, name);
	gboolean is_new = !question->done && !question->sent;

	if (is_new && is_out_of_budget(resolver, status)) {
		g_hash_table_remove(resolver->questions, question);
		return NULL;
	}
	if (answered != NULL && question->done)
		answered(user, type, question->name, &question->answer);
	else if (answered != NULL)
		g_array_append_val(question->waiters, ((struct waiter){ answered, user }));
	if (is_new)
		begin(question);
	return question;
}

void resolver_ask(struct resolver *resolver, enum dns_type type, const char *name, resolver_answered answered,
    gpointer user)
{
	enum dns_status status;

	if (ask(resolver, type, name, answered, user, &status) == NULL && answered != NULL)
		answered(user, type, name, refusal(status));
}

/* Wait for the next event. Returns FALSE if the time is over. */
static gboolean run_once(struct resolver *resolver)
{
	struct pollfd fds[RESOLVER_DESCRIPTORS];
	int timeout;
	guint n;

	if (resolver->deadline != 0 && g_get_monotonic_time() >= resolver->deadline)
		return FALSE;
	n = resolver_descriptors(resolver, fds, &timeout);
	if (poll(fds, n, timeout < 0 ? TICK_MS : MIN(timeout, TICK_MS)) < 0)
		n = 0; /* interrupted: what poll() left in it means nothing */
	resolver_process(resolver, fds, n);
	return TRUE;
}

const struct dns_answer *resolver_look_up(struct resolver *resolver, enum dns_type type, const char *name)
{
	enum dns_status status;
	struct question *question = ask(resolver, type, name, NULL, NULL, &status);

	if (question == NULL)
		return refusal(status);
	while (!question->done)
		if (!run_once(resolver))
			return refusal(DNS_TIMEOUT);
	return &question->answer;
}

void resolver_wait(struct resolver *resolver)
{
	while (resolver->pending > 0)
		if (!run_once(resolver))
			return;
}

static const struct dns_answer *source_look_up(gpointer user, enum dns_type type, const char *name)
{
	return resolver_look_up(user, type, name);
}

static void source_expect(gpointer user, enum dns_type type, const char *name)
{
	resolver_ask(user, type, name, NULL, NULL);
}

struct dns_source resolver_source(struct resolver *resolver)
{
	return (struct dns_source){ .look_up = source_look_up, .expect = source_expect, .user = resolver };
}

/* -- loops -- */

guint resolver_pending(const struct resolver *resolver)
{
	return resolver->pending;
}

G_STATIC_ASSERT(RESOLVER_DESCRIPTORS <= ARES_GETSOCK_MAXNUM);

guint resolver_descriptors(struct resolver *resolver, struct pollfd *fds, int *timeout_ms)
{
	ares_socket_t sockets[RESOLVER_DESCRIPTORS];
	guint bits = (guint)ares_getsock(resolver->channel, sockets, RESOLVER_DESCRIPTORS);
	struct timeval left;
	guint n = 0;

	for (guint i = 0; i < RESOLVER_DESCRIPTORS; i++) {
		/* not by ARES_GETSOCK_WRITABLE(), which shifts into the sign of an int */
		gboolean readable = (bits >> i & 1) != 0;
		gboolean writable = (bits >> (i + ARES_GETSOCK_MAXNUM) & 1) != 0;

		if (readable || writable)
			fds[n++] = (struct pollfd){ .fd = sockets[i],
				.events = (short)((readable ? POLLIN : 0) | (writable ? POLLOUT : 0)) };
	}
	if (ares_timeout(resolver->channel, NULL, &left) == NULL)
		*timeout_ms = -1;
	else
		*timeout_ms = (int)(left.tv_sec * 1000 + (left.tv_usec + 999) / 1000);
	return n;
}

void resolver_process(struct resolver *resolver, const struct pollfd *fds, guint n)
{
	gboolean any = FALSE;

	for (guint i = 0; i < n; i++) {
		gboolean in = (fds[i].revents & (POLLIN | POLLERR | POLLHUP)) != 0;
		gboolean out = (fds[i].revents & POLLOUT) != 0;

		if (!in && !out)
			continue;
		any = TRUE;
		ares_process_fd(
		    resolver->channel, in ? fds[i].fd : ARES_SOCKET_BAD, out ? fds[i].fd : ARES_SOCKET_BAD);
	}
	if (!any) /* time-outs */
		ares_process_fd(resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static gboolean is_done(gpointer key, gpointer value G_GNUC_UNUSED, gpointer user G_GNUC_UNUSED)
{
	return ((const struct question *)key)->done;
}

void resolver_forget(struct resolver *resolver)
{
	g_hash_table_foreach_remove(resolver->questions, is_done, NULL);
}

void resolver_budget(struct resolver *resolver, guint questions, guint seconds)
{
	resolver->budget = questions == 0 ? G_MAXUINT : questions;
	resolver->deadline = seconds == 0 ? 0 : g_get_monotonic_time() + (gint64)seconds * G_USEC_PER_SEC;
}

guint resolver_asked(const struct resolver *resolver)
{
	return resolver->asked;
}

guint resolver_answered_count(const struct resolver *resolver)
{
	return resolver->answered;
}

/* -- beginning and end -- */

/* "ADDRESS[:PORT]" with a port and, for IPv6, brackets. Transfer full; NULL: it is not an address. */
static char *full_address(const char *server, GError **error)
{
	char canonical[TEXT_ADDRESS_SIZE];
	struct net_address address;
	g_autofree char *full = NULL;
	gboolean mapped;

	if (text_address(server, canonical, &mapped))
		full = g_strdup_printf(
		    strchr(canonical, ':') == NULL ? "%s:" DNS_PORT : "[%s]:" DNS_PORT, canonical);
	else if (*server == '[' && g_str_has_suffix(server, "]"))
		full = g_strconcat(server, ":" DNS_PORT, NULL);
	else
		full = g_strdup(server);
	if (g_str_has_prefix(full, "unix:")) {
		g_set_error(
		    error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "\"%s\": a DNS server has an IP address", server);
		return NULL;
	}
	return net_parse(full, &address, error) ? g_steal_pointer(&full) : NULL;
}

static gboolean use_server(struct resolver *resolver, const char *server, GError **error)
{
	g_autofree char *full = full_address(server, error);
	int status;

	if (full == NULL)
		return FALSE;
	status = ares_set_servers_ports_csv(resolver->channel, full);
	if (status == ARES_SUCCESS)
		return TRUE;
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "DNS server %s: %s", full, ares_strerror(status));
	return FALSE;
}

static gboolean is_loopback(const struct ares_addr_port_node *server)
{
	if (server->family == AF_INET)
		return *(const guint8 *)&server->addr.addr4 == IN_LOOPBACKNET;
	return memcmp(&server->addr.addr6, &in6addr_loopback, sizeof(in6addr_loopback)) == 0;
}

/* Whether no server is across a network. */
static gboolean are_local(const struct resolver *resolver)
{
	struct ares_addr_port_node *servers = NULL;
	gboolean local = ares_get_servers_ports(resolver->channel, &servers) == ARES_SUCCESS;

	for (const struct ares_addr_port_node *one = servers; one != NULL; one = one->next)
		local &= is_loopback(one);
	ares_free_data(servers);
	return local;
}

struct resolver *resolver_new(const struct resolver_options *options, GError **error)
{
	struct ares_options set = { .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES |
					     ARES_FLAG_NOCHECKRESP | ARES_FLAG_EDNS | ARES_FLAG_STAYOPEN,
		.timeout = (int)options->timeout_ms,
		.tries = (int)options->tries,
		.ednspsz = DATAGRAM_SIZE };
	struct resolver *resolver = g_new0(struct resolver, 1);
	g_autofree char *resolv_conf = g_strdup(options->resolv_conf);
	int wanted = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ;
	int status = ares_library_init(ARES_LIB_INIT_ALL);

#ifdef ARES_OPT_QUERY_CACHE /* c-ares 1.31 and later: what is remembered is ours to say */
	set.qcache_max_ttl = 0;
	wanted |= ARES_OPT_QUERY_CACHE;
#endif
	resolver->concurrency = options->concurrency;
	resolver->questions = g_hash_table_new_full(hash_question, equal_questions, free_question, NULL);
	g_queue_init(&resolver->waiting);
	resolver_budget(resolver, 0, 0);
	if (options->resolv_conf != NULL) {
		set.resolvconf_path = resolv_conf;
		wanted |= ARES_OPT_RESOLVCONF;
	}
	if (status == ARES_SUCCESS)
		status = ares_init_options(&resolver->channel, &set, wanted);
	if (status != ARES_SUCCESS)
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "c-ares: %s", ares_strerror(status));
	if (status == ARES_SUCCESS &&
	    (options->server == NULL || use_server(resolver, options->server, error))) {
		resolver->trusted = options->server != NULL || are_local(resolver);
		return resolver;
	}
	resolver_free(resolver);
	return NULL;
}

gboolean resolver_is_trusted(const struct resolver *resolver)
{
	return resolver->trusted;
}

void resolver_free(struct resolver *resolver)
{
	if (resolver == NULL)
		return;
	resolver->ending = TRUE;
	if (resolver->channel != NULL)
		ares_destroy(resolver->channel);
	g_queue_clear(&resolver->waiting);
	g_hash_table_unref(resolver->questions);
	g_free(resolver);
	ares_library_cleanup();
}
