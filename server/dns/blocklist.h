/*
 * blocklist.h - block lists (DNSBL, RFC 5782): whether they have addresses or a domain, and what their
 * answers mean.
 *
 * A list is first asked for its test entry and for 127.0.0.1, which no list may have. Thus a list that
 * refuses to answer, no longer exists or has everything is not taken for a clean answer.
 */
#pragma once

#include "server/dns/dns.h"
#include "server/dns/ip.h"

#define BLOCKLISTS_MAX          30   /* of a file */
#define BLOCKLIST_QUESTIONS_MAX 2000 /* each list about each of a check's hosts */

enum blocklist_status {
	BLOCKLIST_OK,       /* it answers as it should */
	BLOCKLIST_REFUSED,  /* it says that it does not answer us */
	BLOCKLIST_UNUSABLE, /* it does not have its test entry, or has what no list may have */
	BLOCKLIST_FAILED,   /* no answer */
};

struct blocklist {
	char *zone, *name;
	char *url, *terms; /* or NULL */
	char *test;        /* a name in the zone, without the zone */
	gboolean of_ip4, of_ip6, of_domains;
	GHashTable *words; /* char * "127.0.0.2", "bit.8" or "refused.127.0.0.1" to char * */
};

/* Lists in the form of blocklists.ini, in order: struct blocklist, transfer full. RUAD_ERROR_SYNTAX: the
 * file, or the list and what is wrong with it. */
GPtrArray *blocklists_read(const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Those of blocklists.ini. Transfer full. */
GPtrArray *blocklists_own(void) G_GNUC_WARN_UNUSED_RESULT;

/* An entry of a list. */
struct blocklist_entry {
	char *subject; /* the address or domain */
	char *codes;   /* "127.0.0.2 127.0.0.4" */
	char *words;   /* what they mean */
	char *text;    /* what the list says of it (TXT), or NULL */
};

struct blocklist_result {
	char *zone, *name, *url, *terms;
	enum blocklist_status status;
	char *why;        /* it is not BLOCKLIST_OK; or NULL */
	guint asked;      /* addresses and domains */
	GPtrArray *found; /* struct blocklist_entry */
};

/*
 * Ask the lists about addresses (struct ip_range) and domain (NULL: none), each list only about what it has.
 * Addresses that are not used on the Internet are not asked for. An array of struct blocklist_result,
 * transfer full.
 */
GPtrArray *blocklists_ask(const struct dns_source *source, const GPtrArray *lists, const GArray *addresses,
    const char *domain) G_GNUC_WARN_UNUSED_RESULT;

/* "ok", "refused", "unusable", "failed" */
const char *blocklist_status_word(enum blocklist_status status);
