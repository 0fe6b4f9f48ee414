/*
 * report.h - what the parser finds in a mail: the types that all other code uses.
 *
 * Names are those of the XML (RFC 9990 section 3.1 and appendix A), the same as in the JSON and in the
 * database. Strings are UTF-8 without NUL, without white space at both ends, and at most max_text bytes long.
 * NULL means that the element is absent, "" that it is empty. All that is passed to a sink is borrowed for
 * the call.
 *
 * Tokens (disposition, dkim, spf, p, adkim, result, type, ...) are in lower case, domains in lower-case
 * A-labels without a final dot. If that changed a value, a note has the original.
 */
#pragma once

#include <glib.h>

/* The latest time: 9999-12-31T23:59:59Z. */
#define REPORT_TIME_MAX G_GINT64_CONSTANT(253402300799)

/* The largest count of a record that is believed: the whole world sends fewer messages in a day. A larger one
 * would outweigh every other number. */
#define REPORT_COUNT_MAX G_GINT64_CONSTANT(1000000000000)

/* A deviation of form, or a contradiction; notes.h lists the codes, DEVIATIONS.md says what ruad accepts. */
struct report_note {
	const char *code; /* "V1", "I1", ... */
	const char *path; /* element, from the report or record downwards: "row/source_ip" */
	const char *raw;  /* the value as the report had it, or NULL */
};

struct aggregate_reason {
	const char *type;
	const char *comment;
};

struct auth_result_dkim {
	const char *domain;
	const char *selector;
	const char *result;
	const char *human_result;
};

struct auth_result_spf {
	const char *domain;
	const char *scope;
	const char *result;
	const char *human_result;
};

/*
 * The texts of policy_evaluated and identifiers, as ROW(name): their members below, and how all that passes a
 * record on (wire, hash, columns and JSON) goes through them.
 */
#define AGGREGATE_EVALUATED(ROW)                                                                             \
	ROW(disposition)                                                                                     \
	ROW(dkim)                                                                                            \
	ROW(spf)
#define AGGREGATE_IDENTIFIERS(ROW)                                                                           \
	ROW(header_from)                                                                                     \
	ROW(envelope_from)                                                                                   \
	ROW(envelope_to)
#define AGGREGATE_TEXT_MEMBER(name) const char *name;

/* One <record>. */
struct aggregate_record {
	/* row */
	const char *source_ip; /* canonical IPv4 or IPv6 (IPv4-mapped is unmapped), or NULL: see note I1 */
	gint64 count;          /* messages, 0 .. REPORT_COUNT_MAX; -1 when absent, unreadable or larger */
	/* row/policy_evaluated */
	AGGREGATE_EVALUATED(AGGREGATE_TEXT_MEMBER)
	const struct aggregate_reason *reason;
	gsize n_reason;
	AGGREGATE_IDENTIFIERS(AGGREGATE_TEXT_MEMBER)
	/* auth_results */
	const struct auth_result_dkim *auth_dkim;
	gsize n_auth_dkim;
	const struct auth_result_spf *auth_spf;
	gsize n_auth_spf;

	const struct report_note *note;
	gsize n_note;
};

/* An aggregate report without its records; complete only at its end. */
struct aggregate_header {
	const char *dialect; /* "rfc9990", "rfc7489" or "draft" */
	const char *version; /* <version>, as text */
	const char *xmlns;   /* namespace URI of the root, or NULL */
	/* report_metadata */
	const char *org_name;
	const char *email;
	const char *extra_contact_info;
	const char *report_id;
	gint64 begin; /* date_range, seconds since 1970 UTC, 0 .. REPORT_TIME_MAX */
	gint64 end;
	const char *const *error;
	gsize n_error;
	const char *generator;
	/* policy_published */
	const char *domain; /* never NULL, never "" */
	const char *adkim;
	const char *aspf;
	const char *p;
	const char *sp;
	const char *np;
	gint pct; /* percent, 0..100; -1 when absent or unreadable */
	const char *fo;
	const char *testing;
	const char *discovery_method;

	gboolean partial;  /* truncated (note R1): only complete records were passed on */
	guint64 records;   /* how many record() calls preceded */
	guint8 sha256[32]; /* of the XML, unpacked */
	const struct report_note *note;
	gsize n_note;
};

/*
 * A failure report (RFC 6591, RFC 9991), or another feedback report (RFC 5965): the fields of its second
 * part, and the message in its third. Fields are as sent, unfolded; tokens and domains as above. A list is
 * not NULL if its number is not 0. Unless failure_bodies is set, third parties are masked (mask.h).
 * original_headers, original_body and the two in base64 may be longer than max_text; all values together have
 * at most max_failure bytes.
 */
struct failure_report {
	const char *feedback_type; /* "auth-failure", "abuse", ... */
	const char *user_agent;
	const char *version;
	const char *auth_failure; /* "dmarc", "spf", "bodyhash", ...; a list as sent */
	const char *const *authentication_results;
	gsize n_authentication_results;
	const char
	    *identity_alignment; /* as sent: its meaning in RFC 9991 is the opposite of that in RFC 7489 */
	const char *delivery_result;
	const char *original_envelope_id;
	const char *original_mail_from; /* without <>; "" is the null reverse-path */
	const char *const *original_rcpt_to;
	gsize n_original_rcpt_to;
	const char *arrival_date; /* as sent; Received-Date if there is no Arrival-Date */
	gint64 arrival_time;      /* the same in seconds since 1970 UTC, 0 .. REPORT_TIME_MAX, or -1 */
	const char *reporting_mta;
	const char *source_ip; /* canonical as a record's, or NULL: see note I1 */
	gint source_port;      /* 0 .. 65535, or -1 */
	gint64 incidents;      /* how many messages it is about, 1 if absent; -1 if unreadable */
	const char *const *reported_domain;
	gsize n_reported_domain;
	const char *const *reported_uri;
	gsize n_reported_uri;
	const char *dkim_domain;
	const char *dkim_identity;
	const char *dkim_selector;
	/* base64 as sent, without white space; only with failure_bodies */
	const char *dkim_canonicalized_header;
	const char *dkim_canonicalized_body;
	const char *dkim_selector_dns;
	const char *dkim_adsp_dns;
	const char *const *spf_dns;
	gsize n_spf_dns;
	/* the message, from the third part */
	const char *header_from; /* domain of its From, or NULL */
	const char *message_id;  /* its Message-ID, without <> */
	const char *subject;     /* its Subject, decoded */
	/* its header in complete fields, with LF at line ends; at most max_header_bytes */
	const char *original_headers;
	const char *original_body; /* only with failure_bodies, else NULL */

	guint8 sha256[32]; /* of parts two and three, decoded, with LF at line ends: copies have the same */
	const struct report_note *note;
	gsize n_note;
};

/* SMTP TLS reports (RFC 8460 section 4.4). Numbers are -1 when absent or unreadable. */
struct tls_failure_details {
	const char *result_type;
	const char *sending_mta_ip; /* canonical, or NULL */
	const char *receiving_mx_hostname;
	const char *receiving_mx_helo;
	const char *receiving_ip; /* canonical, or NULL */
	gint64 failed_session_count;
	const char *additional_information;
	const char *failure_reason_code;
};

struct tls_policy {
	const char *policy_type; /* "tlsa", "sts", "no-policy-found", ... */
	const char *const *policy_string;
	gsize n_policy_string;
	const char *policy_domain;
	const char *const *mx_host;
	gsize n_mx_host;
	gint64 total_successful_session_count;
	gint64 total_failure_session_count;
	const struct tls_failure_details *failure_details;
	gsize n_failure_details;
};

struct tls_report {
	const char *organization_name;
	const char *contact_info;
	const char *report_id;
	gint64 start_datetime; /* date-range, seconds since 1970 UTC, 0 .. REPORT_TIME_MAX */
	gint64 end_datetime;
	const struct tls_policy *policies;
	gsize n_policies;

	guint8 sha256[32]; /* of the JSON, unpacked */
	const struct report_note *note;
	gsize n_note;
};

/* What our own MTA says about the mail (parser_options.authserv_id). */
enum authentic {
	AUTHENTIC_NONE, /* it does not say, or authserv_id is not set */
	AUTHENTIC_PASS, /* an authenticated identifier is aligned with From (RFC 9990 section 3.5) */
	AUTHENTIC_FAIL, /* none is */
};

/* The header of the mail, for the ledger. Only authentic is trusted. */
struct mail_header {
	const char *message_id;
	const char *subject;
	const char *from;
	const char *queue_id; /* of the host that received the mail last, see received.h */
	enum authentic authentic;
};

/* Something that should be a report and cannot be read. */
struct unreadable {
	const char *place;  /* where in the mail: "part 2", "part 2: google.zip: a.xml" */
	const char *code;   /* a stable word to group by: parse_document() lists them */
	const char *reason; /* a sentence that names the thing, the value and the rule */
};

/*
 * Receives what the parser finds. The order of calls for one document is
 *
 *   mail?  ( report_begin record* ( report_end | unreadable ) | failure | tls | unreadable )*
 *
 * so an unreadable() after report_begin() revokes the records since. Each function may fail; the parse then
 * ends with that error. All must be set.
 */
struct report_sink {
	gboolean (*mail)(gpointer user, const struct mail_header *mail, GError **error);
	gboolean (*report_begin)(gpointer user, const char *place, GError **error);
	gboolean (*record)(gpointer user, const struct aggregate_record *record, GError **error);
	gboolean (*report_end)(gpointer user, const struct aggregate_header *header, GError **error);
	gboolean (*failure)(
	    gpointer user, const char *place, const struct failure_report *failure, GError **error);
	gboolean (*tls)(gpointer user, const char *place, const struct tls_report *tls, GError **error);
	gboolean (*unreadable)(gpointer user, const struct unreadable *unreadable, GError **error);
};
