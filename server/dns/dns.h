/*
 * dns.h - a question to the DNS and its answer, and where answers come from.
 *
 * What reads records (dmarc.h, spf.h, ...) takes its answers from a struct dns_source, so that it can be run over zones
 * in memory; resolver.h is the one that asks servers. Names are text without a final dot, in small letters; "" is the root.
 */
#pragma once

#include <glib.h>

#define DNS_RECORDS_MAX 256 /* records of an answer that are kept: ten times what mail has a use for */

/* Values as on the wire (RFC 1035 section 3.2.2, RFC 3596). */
enum dns_type {
	DNS_A = 1,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
};

enum dns_status {
	DNS_OK,          /* there are records */
	DNS_NODATA,      /* the name exists, or one below it; records of this type do not */
	DNS_NXDOMAIN,    /* neither it nor anything below it exists (RFC 8020) */
	DNS_SERVFAIL,    /* the server could not find out, or answers with another error than those here */
	DNS_REFUSED,     /* the server does not want to */
	DNS_TIMEOUT,     /* no server answered in time */
	DNS_UNREACHABLE, /* no server could be asked */
	DNS_MALFORMED,   /* what came is no answer */
	DNS_BAD_NAME,    /* not asked: such a name cannot be (RFC 1035 section 3.1) */
	DNS_BUDGET,      /* not asked: this run has asked enough */
};

struct dns_record {
	/* TXT: the pieces joined without blanks (RFC 7208 section 3.3), valid UTF-8, control characters but TAB, CR and LF
	 * replaced by U+FFFD. A, AAAA: the address. MX, PTR: a name, "" being the root (RFC 7505). */
	char *text;
	guint16 preference; /* MX */
};

struct dns_answer {
	enum dns_status status;
	struct dns_record *records;
	guint n_records;   /* > 0 exactly when DNS_OK; at most DNS_RECORDS_MAX */
	guint32 ttl;       /* seconds that this holds, the records or that there are none; 0 when not known */
	gboolean is_alias; /* the name is a CNAME */
};

/* Where answers come from. */
struct dns_source {
	/* The answer, which stays as it is for as long as the source does. Never NULL. */
	const struct dns_answer *(*look_up)(gpointer user, enum dns_type type, const char *name);
	/* May be NULL: this will be asked soon. A source that waits for others may ask for it now. */
	void (*expect)(gpointer user, enum dns_type type, const char *name);
	gpointer user;
};

const struct dns_answer *dns_look_up(const struct dns_source *source, enum dns_type type, const char *name);
void dns_expect(const struct dns_source *source, enum dns_type type, const char *name);

/* No answer was had: it says nothing about the name (anything but OK, NODATA, NXDOMAIN and BAD_NAME). */
gboolean dns_failed(const struct dns_answer *answer);

/* There is certainly nothing: NODATA, NXDOMAIN or BAD_NAME. */
gboolean dns_is_void(const struct dns_answer *answer);

/* "no such name", "timed out", ...: the end of a sentence about a name. */
const char *dns_status_words(enum dns_status status);

const char *dns_type_word(enum dns_type type); /* "TXT" */

/* Whether a name can be asked for: 1 to 253 bytes, labels of 1 to 63 bytes, printable ASCII without blank and '\'. */
gboolean dns_name_is_good(const char *name);

/* The same, of letters, digits, '-' and '_' only: such a name can be a mail domain or a host. */
gboolean dns_name_is_host(const char *name);

/* Frees what is in it. */
void dns_answer_clear(struct dns_answer *answer);
