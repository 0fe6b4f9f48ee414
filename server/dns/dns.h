/*
 * dns.h - a question to the DNS, its answer, and the source of answers.
 *
 * Code that needs records (check.h, spf.h) gets answers from a struct dns_source, so tests can use zones in
 * memory; resolver.h asks servers. Names are text in lower case without a final dot; "" is the root.
 */
#pragma once

#include <glib.h>

#define DNS_RECORDS_MAX 256 /* records of an answer that are kept: ten times what mail needs */

/* Values as on the wire (RFC 1035 section 3.2.2, RFC 3596, RFC 4034, RFC 6698). */
enum dns_type {
	DNS_A = 1,
	DNS_NS = 2,
	DNS_SOA = 6,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_DS = 43,
	DNS_DNSKEY = 48,
	DNS_TLSA = 52,
};

enum dns_status {
	DNS_OK,          /* there are records */
	DNS_NODATA,      /* the name or one below it exists, but has no records of this type */
	DNS_NXDOMAIN,    /* neither the name nor one below it exists (RFC 8020) */
	DNS_SERVFAIL,    /* the server failed, or answered with an error that is not listed here */
	DNS_REFUSED,     /* the server refused */
	DNS_TIMEOUT,     /* no server answered in time */
	DNS_UNREACHABLE, /* no server could be reached */
	DNS_MALFORMED,   /* the answer is invalid */
	DNS_BAD_NAME,    /* not asked: the name is invalid (RFC 1035 section 3.1) */
	DNS_BUDGET,      /* not asked: the limit of questions is reached */
	DNS_ELSEWHERE,   /* the server, which asks no others, does not have the zone of the name or alias */
	DNS_UNASKABLE,   /* not asked: recent versions of c-ares send no name that no host can have */
};

struct dns_record {
	/* TXT: the strings joined without blanks (RFC 7208 section 3.3) as valid UTF-8, with U+FFFD for
	 * control characters except TAB, CR and LF. A, AAAA: the address. MX, NS, PTR: a name; "" is the root
	 * (RFC 7505). SOA: the serial. DS, DNSKEY, TLSA: the data in hex. */
	char *text;
	guint16 preference; /* MX */
};

struct dns_answer {
	enum dns_status status;
	struct dns_record *records;
	guint n_records; /* > 0 if and only if DNS_OK; at most DNS_RECORDS_MAX */
	guint32 ttl;     /* seconds for which records, or their absence, are valid; 0 if unknown */
	char *alias;     /* where the name's CNAMEs lead; NULL: it has none */
	/* the server checked the answer by DNSSEC (the AD bit), and is one that may be trusted */
	gboolean authentic;
};

/* A source of answers. */
struct dns_source {
	/* The answer, valid as long as the source. Never NULL. */
	const struct dns_answer *(*look_up)(gpointer user, enum dns_type type, const char *name);
	/* May be NULL: this will be looked up soon. A source that waits for servers may ask now. */
	void (*expect)(gpointer user, enum dns_type type, const char *name);
	gpointer user;
	/* May be NULL: the answer of one server, by its address. */
	const struct dns_answer *(*ask_server)(
	    gpointer user, const char *server, enum dns_type type, const char *name);
};

const struct dns_answer *dns_look_up(const struct dns_source *source, enum dns_type type, const char *name);
void dns_expect(const struct dns_source *source, enum dns_type type, const char *name);

/* NULL: the source cannot ask a certain server. */
const struct dns_answer *dns_ask_server(
    const struct dns_source *source, const char *server, enum dns_type type, const char *name);

/* Whether there is no answer, so that nothing is known about the name: not OK, NODATA, NXDOMAIN or
 * BAD_NAME. */
gboolean dns_failed(const struct dns_answer *answer);

/* Whether there are certainly no records: NODATA, NXDOMAIN or BAD_NAME. */
gboolean dns_is_void(const struct dns_answer *answer);

/* "no such name", "timed out", ...: the end of a sentence about a name. */
const char *dns_status_words(enum dns_status status);

const char *dns_type_word(enum dns_type type); /* "TXT" */

/* Whether a name other than the root can be looked up: 1 to 253 bytes, labels of 1 to 63 bytes, blank and
 * printable ASCII without '\'. A blank is in names of SPF macros (RFC 7208 section 7.3). */
gboolean dns_name_is_good(const char *name);

/* The same with letters, digits, '-' and '_' only: such a name can be a mail domain or a host. */
gboolean dns_name_is_host(const char *name);

/* Free the records, not the struct. */
void dns_answer_clear(struct dns_answer *answer);
