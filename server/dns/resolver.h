/*
 * resolver.h - questions to DNS servers, by c-ares: one at a time, or many at once.
 *
 * Every question is asked once; its answer is kept until resolver_forget(). Truncated answers are asked for again by TCP.
 * One thread uses a resolver. For a loop of one's own: resolver_ask() what is wanted, poll() what resolver_descriptors()
 * says, and call resolver_process() on what poll() said.
 */
#pragma once

#include <poll.h>

#include "server/dns/dns.h"

#define RESOLVER_DESCRIPTORS 16 /* at most */

struct resolver_options {
	const char *
	    server; /* "192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]:53"; NULL: the system's */
	guint timeout_ms;  /* for the first try; each further one takes twice as long */
	guint tries;       /* of each server, >= 1 */
	guint concurrency; /* questions under way at a time, >= 1; others wait */
};

#define RESOLVER_OPTIONS_DEFAULT                                                                             \
	{                                                                                                    \
		NULL, 2000, 2, 50                                                                            \
	}

struct resolver;

/* RUAD_ERROR_SYNTAX: the server is no address; RUAD_ERROR_SYSTEM: c-ares cannot begin. */
struct resolver *resolver_new(
    const struct resolver_options *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Callbacks of questions under way are not called. NULL is allowed. */
void resolver_free(struct resolver *resolver);

/*
 * Bounds for what is asked from now on: so many questions, and for so long; then what is not known yet is DNS_BUDGET, or
 * DNS_TIMEOUT, and is not kept. 0: no bound, as at first.
 */
void resolver_budget(struct resolver *resolver, guint questions, guint seconds);

/* Called once with the answer, which lasts until resolver_forget(). May ask further questions, not forget or free. */
typedef void (*resolver_answered)(
    gpointer user, enum dns_type type, const char *name, const struct dns_answer *answer);

/*
 * Ask; answered may be NULL. What is known already is answered before this returns, what is under way is not asked again. name:
 * without final dot; in any case.
 */
void resolver_ask(struct resolver *resolver, enum dns_type type, const char *name, resolver_answered answered,
    gpointer user);

/* Ask and wait; others' answers are taken meanwhile. Never NULL. */
const struct dns_answer *resolver_look_up(struct resolver *resolver, enum dns_type type, const char *name);

/* Wait until every question has its answer, or the time of resolver_budget() is up. */
void resolver_wait(struct resolver *resolver);

/* resolver_look_up() and resolver_ask() as a source of answers; lasts as long as the resolver. */
struct dns_source resolver_source(struct resolver *resolver);

/* Questions that have no answer yet. */
guint resolver_pending(const struct resolver *resolver);

/* Fill in what to wait for, at most RESOLVER_DESCRIPTORS; returns how many, and *timeout_ms: until when to call
 * resolver_process() whatever happens (-1: for ever, as nothing is under way). */
guint resolver_descriptors(struct resolver *resolver, struct pollfd *fds, int *timeout_ms);
void resolver_process(struct resolver *resolver, const struct pollfd *fds, guint n);

/* Drop the answers that are had, for a run without end. */
void resolver_forget(struct resolver *resolver);

/* Since resolver_new(): questions put to servers, and how many of them a server answered, with whatever. */
guint resolver_asked(const struct resolver *resolver);
guint resolver_answered_count(const struct resolver *resolver);
