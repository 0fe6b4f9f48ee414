/*
 * report.h - what is found in a mail: the types that everything after the parser works with.
 *
 * Names are those of the XML (RFC 9990 section 3.1 and appendix A), the same as in the JSON
 * and in the database. Strings are UTF-8 without NUL, trimmed of white space at both ends and at
 * most max_text bytes long; NULL means the element was absent, "" that it was there and empty.
 * Whoever calls a sink owns all that it passes; it is borrowed for the call.
 *
 * Tokens (disposition, dkim, spf, p, adkim, result, type, ...) are lower case; names of domains are
 * lower case A-labels without a final dot; where that changed what the report said, a note
 * keeps the raw value.
 */
#pragma once

#include <glib.h>

/* A deviation of form, or a contradiction (reference: README, "Notes"). */
struct report_note {
	const char *code; /* "V1", "I1", ... */
	const char *path; /* element, from the report or record down: "row/source_ip" */
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

/* One <record>. */
struct aggregate_record {
	/* row */
	const char *source_ip; /* canonical IPv4 or IPv6 (IPv4-mapped is unmapped), or NULL: see note I1 */
	gint64 count;          /* messages, >= 0; -1 when absent or unreadable */
	/* row/policy_evaluated */
	const char *disposition;
	const char *dkim;
	const char *spf;
	const struct aggregate_reason *reason;
	gsize n_reason;
	/* identifiers */
	const char *header_from;
	const char *envelope_from;
	const char *envelope_to;
	/* auth_results */
	const struct auth_result_dkim *auth_dkim;
	gsize n_auth_dkim;
	const struct auth_result_spf *auth_spf;
	gsize n_auth_spf;

	const struct report_note *note;
	gsize n_note;
};

/* All of an aggregate report but its records; known for sure only at its end. */
struct aggregate_header {
	const char *dialect; /* "rfc9990", "rfc7489" or "draft" */
	const char *version; /* <version>, as text */
	const char *xmlns;   /* namespace URI of the root, or NULL */
	/* report_metadata */
	const char *org_name;
	const char *email;
	const char *extra_contact_info;
	const char *report_id;
	gint64 begin; /* date_range, seconds since 1970 UTC, 0 .. 253402300799 */
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

	guint64 records;   /* how many record() calls preceded */
	guint8 sha256[32]; /* of the XML, unpacked */
	const struct report_note *note;
	gsize n_note;
};

/* What the mail itself said, for the ledger; hints only, never trusted. */
struct mail_header {
	const char *message_id;
	const char *subject;
	const char *from;
};

/* Something that should have been a report and could not be read. */
struct unreadable {
	const char *place;  /* where in the mail: "part 2", "part 2: google.zip: a.xml" */
	const char *code;   /* a stable word to group by: see unreadable codes in parse.h */
	const char *reason; /* a sentence that names the thing, the value and the rule */
};

/*
 * Where the parser's findings go. The order of calls for one document is
 *
 *   mail?  ( report_begin record* ( report_end | unreadable ) | unreadable )*
 *
 * so an unreadable() after report_begin() takes back the records since. Every function may fail; the parse
 * then ends with that error. All are set.
 */
struct report_sink {
	gboolean (*mail)(gpointer user, const struct mail_header *mail, GError **error);
	gboolean (*report_begin)(gpointer user, const char *place, GError **error);
	gboolean (*record)(gpointer user, const struct aggregate_record *record, GError **error);
	gboolean (*report_end)(gpointer user, const struct aggregate_header *header, GError **error);
	gboolean (*unreadable)(gpointer user, const struct unreadable *unreadable, GError **error);
};
