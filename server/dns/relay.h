/*
 * relay.h - a source of answers: a DNS server of one's choice, and the system's for what that one does not have.
 *
 * A server that is authoritative for a zone refuses questions on others, or refers to other servers. Such a question
 * goes to the servers of the system, so that a zone can be checked before it is published.
 */
#pragma once

#include "server/dns/resolver.h"

struct relay;

/* Called for each question once, with its answer. other: who answered, if not the server of relay_new(); or NULL. */
typedef void (*relay_traced)(
    gpointer user, enum dns_type type, const char *name, const char *other, const struct dns_answer *answer);

/* server: as in struct resolver_options; NULL: the system's alone. Errors are those of resolver_new(). */
struct relay *relay_new(const char *server, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void relay_free(struct relay *relay); /* NULL is allowed */

/* traced may be NULL, which is the default. */
void relay_trace(struct relay *relay, relay_traced traced, gpointer user);

/* Limit the questions from now on, for each of both: see resolver_budget(). Forgets relay_elsewhere(). */
void relay_budget(struct relay *relay, guint questions, guint seconds);

/* Valid as long as the relay. It can also ask certain servers, on port 53. */
struct dns_source relay_source(struct relay *relay);

/* What the system's servers were asked since relay_budget(), because the server does not have it: "TXT example.com".
 * Borrowed. */
const GPtrArray *relay_elsewhere(const struct relay *relay);
