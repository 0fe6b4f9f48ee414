/*
 * resolver.h - questions to DNS servers, by c-ares: one at a time, or many at once.
 *
 * Each question is asked once; its answer is kept until resolver_forget(). Truncated answers are repeated by
 * TCP. Questions have the AD bit, so that a server that validates says so (RFC 6840 section 5.7); it is
 * believed (dns_answer.authentic) if it is the server of the options, or if all servers of the system are at
 * loopback addresses, since others could be impersonated on the way. Not thread-safe. To use it in an event
 * loop: call resolver_ask(), poll() the descriptors of resolver_descriptors(), and call resolver_process()
 * with the result.
 */
#pragma once

#include <poll.h>

#include "server/dns/dns.h"

#define RESOLVER_DESCRIPTORS 16 /* at most */

struct resolver_options {
	/* "192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]:53"; NULL: the system's servers */
	const char *server;
	guint timeout_ms;        /* for the first try; each further try waits twice as long */
	guint tries;             /* for each server, >= 1 */
	guint concurrency;       /* questions in flight, >= 1; others wait */
	const char *resolv_conf; /* the file that names the system's servers; NULL: /etc/resolv.conf */
};

#define RESOLVER_OPTIONS_DEFAULT                                                                             \
	{                                                                                                    \
		NULL, 2000, 2, 50, NULL                                                                      \
	}

struct resolver;

/* RUAD_ERROR_SYNTAX: the server is not an address. RUAD_ERROR_SYSTEM: c-ares failed. */
struct resolver *resolver_new(
    const struct resolver_options *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Does not call the callbacks of open questions. NULL is allowed. */
void resolver_free(struct resolver *resolver);

/*
 * Limit the number of questions from now on, and their time. Beyond that the answer is DNS_BUDGET or
 * DNS_TIMEOUT, and is not kept. 0: no limit, which is the default.
 */
void resolver_budget(struct resolver *resolver, guint questions, guint seconds);

/* Called once with the answer, which is valid until resolver_forget(). May ask further questions, but not
 * forget or free. */
typedef void (*resolver_answered)(
    gpointer user, enum dns_type type, const char *name, const struct dns_answer *answer);

/*
 * Ask a question. answered may be NULL. A known answer is delivered before this returns; a question in flight
 * is not repeated. name: in any case, without a final dot.
 */
void resolver_ask(struct resolver *resolver, enum dns_type type, const char *name, resolver_answered answered,
    gpointer user);

/* Ask and wait; meanwhile answers to other questions are processed. Never NULL. */
const struct dns_answer *resolver_look_up(struct resolver *resolver, enum dns_type type, const char *name);

/* Wait until each question has its answer, or the time of resolver_budget() is over. */
void resolver_wait(struct resolver *resolver);

/* resolver_look_up() and resolver_ask() as a source of answers, valid as long as the resolver. */
struct dns_source resolver_source(struct resolver *resolver);

/* How many questions have no answer yet. */
guint resolver_pending(const struct resolver *resolver);

/* Fill in the descriptors to poll, at most RESOLVER_DESCRIPTORS, and return how many. *timeout_ms: call
 * resolver_process() after this time at the latest; -1 if no question is open. */
guint resolver_descriptors(struct resolver *resolver, struct pollfd *fds, int *timeout_ms);
void resolver_process(struct resolver *resolver, const struct pollfd *fds, guint n);

/* Whether the AD bit of the servers is believed. */
gboolean resolver_is_trusted(const struct resolver *resolver);

/* Free the answers. */
void resolver_forget(struct resolver *resolver);

/* Since resolver_new(): questions sent to servers, and how many got any answer. */
guint resolver_asked(const struct resolver *resolver);
guint resolver_answered_count(const struct resolver *resolver);
