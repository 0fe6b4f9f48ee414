#include "server/web/routes_table.h"

#define API        "/api/v1/"
#define LIMIT_MAX  10000 /* of CSV; the database checks the lower limit of JSON */
#define VALUES_MAX G_MAXINT64

/* -- parameters, in the order of openapi.yaml -- */

#define CHOICES(...)           ((const char *const[]){ __VA_ARGS__, NULL })
#define PARAM(identifier, ...) static const struct param identifier = { .name = #identifier, __VA_ARGS__ }
#define TEXT(most)             .type = PARAM_TEXT, .min = 1, .max = (most)
#define TEXTS(most)            TEXT(most), .list = TRUE
#define CHOICE(...)            .type = PARAM_CHOICE, .choices = CHOICES(__VA_ARGS__)
#define CHOICE_OF(...)         CHOICE(__VA_ARGS__), .list = TRUE
#define NUMBER(most)           .type = PARAM_INT, .min = 1, .max = (most)

PARAM(domain, TEXTS(255));
PARAM(subdomains, .type = PARAM_BOOL);
PARAM(from, .type = PARAM_DATE);
PARAM(to, .type = PARAM_DATE);
PARAM(class, CHOICE_OF("pass", "fail_overridden", "fail_altered", "fail_unaligned", "fail_unauthenticated",
		 "unknown"));
PARAM(result, CHOICE("pass", "fail"));
PARAM(dkim, CHOICE("pass", "fail"));
PARAM(spf, CHOICE("pass", "fail"));
PARAM(disposition, CHOICE_OF("none", "quarantine", "reject", "pass", "unknown"));
PARAM(override, TEXTS(64));
PARAM(source, TEXTS(300));
PARAM(ip, .type = PARAM_NETWORK);
PARAM(asn, .type = PARAM_ASN, .list = TRUE);
PARAM(country, .type = PARAM_COUNTRY, .list = TRUE);
PARAM(rdns, TEXTS(255));
PARAM(auth_domain, TEXTS(255));
PARAM(header_from, TEXTS(255));
PARAM(reporter, TEXTS(512));
PARAM(label, CHOICE_OF("mine", "forwarder", "not_mine", "none"));
PARAM(q, .type = PARAM_TEXT, .min = 2, .max = 255);
PARAM(others, CHOICE("exclude", "include", "only"));
PARAM(limit, NUMBER(LIMIT_MAX));
PARAM(cursor, TEXT(1024));
PARAM(bucket, CHOICE("day", "week", "month"));
PARAM(by, CHOICE("class", "disposition", "domain", "reporter", "alignment"));
PARAM(group, CHOICE("source", "rdns", "asn", "country", "ip", "auth_domain"));
PARAM(sort, CHOICE("-messages", "messages", "-fail", "fail", "-pass", "pass"));
PARAM(policy, CHOICE("quarantine", "reject"));
PARAM(policy_type, TEXTS(64));
PARAM(report, NUMBER(VALUES_MAX));
PARAM(report_id, TEXT(512));
PARAM(received_from, .type = PARAM_DATE);
PARAM(received_to, .type = PARAM_DATE);
PARAM(status, CHOICE_OF("stored", "duplicate", "conflict", "quarantined"));
PARAM(code, TEXTS(64));
PARAM(name, TEXT(255));
PARAM(user, TEXT(255));
PARAM(action, TEXTS(40));
PARAM(key, TEXT(300));
PARAM(id, NUMBER(VALUES_MAX));
PARAM(lang, CHOICE("en", "de")); /* files of web/texts/, the default first */

const struct param routes_format = { .name = "format", CHOICE("json", "csv") };

static const struct param labelled = { .name = "source", TEXTS(300), .required = TRUE };
static const struct param failure_kind = { .name = "kind", CHOICE("failure", "feedback") };
static const struct param intake_kind = { .name = "kind",
	CHOICE_OF("aggregate", "failure", "feedback", "tls", "unreadable") };
static const struct param text = { .name = "q", .type = PARAM_TEXT, .min = 2, .max = 255, .required = TRUE };

/* -- pieces of statements -- */

/* $1 .. $21, the filters of all lists and sums of records. */
#define FILTER                                                                                               \
	"api.filter(p_domain => $1::text[], p_subdomains => $2::boolean, p_from => $3::date, "               \
	"p_to => $4::date, p_class => $5::text[], p_result => $6::text, p_dkim => $7::text, "                \
	"p_spf => $8::text, p_disposition => $9::text[], p_override => $10::text[], "                        \
	"p_source => $11::text[], p_ip => $12::inet, p_asn => $13::text[], p_country => $14::text[], "       \
	"p_rdns => $15::text[], p_auth_domain => $16::text[], p_header_from => $17::text[], "                \
	"p_reporter => $18::text[], p_label => $19::text[], p_q => $20::text, "                              \
	"p_others => $21::text)"
#define FILTER_PARAMS                                                                                        \
	&domain, &subdomains, &from, &to, &class, &result, &dkim, &spf, &disposition, &override, &source,    \
	    &ip, &asn, &country, &rdns, &auth_domain, &header_from, &reporter, &label, &q, &others

/* Only the window, $n and the one after it. */
#define WINDOW(from, to) "api.filter(p_from => $" #from "::date, p_to => $" #to "::date)"

/* $2 .. $6, filters within one source; with $7 for lists of its parts. */
#define SOURCE_FILTER                                                                                        \
	"p_key => $1::text, f => api.filter(p_domain => $2::text[], p_subdomains => $3::boolean, "           \
	"p_from => $4::date, p_to => $5::date, p_others => $6::text"
#define SOURCE_PARAMS &key, &domain, &subdomains, &from, &to, &others

#define TLS_FILTER                                                                                           \
	"api.filter(p_domain => $1::text[], p_subdomains => $2::boolean, p_from => $3::date, "               \
	"p_to => $4::date, p_reporter => $5::text[])"
#define TLS_PARAMS &domain, &subdomains, &from, &to, &reporter

/* $3, $4, after the page. */
#define AUDIT_FILTER ", p_user => $3::text, p_action => $4::text[]"

#define PAGE(limit, cursor, format)                                                                          \
	"api.page(p_limit => $" #limit "::int, p_cursor => $" #cursor "::text, p_format => '" format "')"

#define STREAM(limit, cursor) "api.stream(p_limit => $" #limit "::int, p_cursor => $" #cursor "::text)"

/* Rows may move to other partitions while we read: see ruad.gate. */
#define SETTLED     " FROM api.gate"
#define AND_SETTLED ", api.gate"

/* -- kinds of routes -- */

#define GET(path, call, ...)                                                                                 \
	{                                                                                                    \
		"GET", API path, ROUTE_JSON, NULL, "SELECT api." call SETTLED, NULL,                         \
		{                                                                                            \
			__VA_ARGS__                                                                          \
		}                                                                                            \
	}
/* As JSON and CSV; call is the same for both. */
#define SERIES(path, name, call, ...)                                                                        \
	{                                                                                                    \
		"GET", API path, ROUTE_JSON, name, "SELECT api." call SETTLED,                               \
		    "SELECT body, next FROM api.csv('" name "', api." call ")" AND_SETTLED,                  \
		{                                                                                            \
			__VA_ARGS__                                                                          \
		}                                                                                            \
	}
/* A page, as JSON and CSV; before and after are the arguments around the page in call. */
#define LIST(path, name, before, limit, cursor, after, ...)                                                  \
	{                                                                                                    \
		"GET", API path, ROUTE_JSON, name,                                                           \
		    "SELECT api." before PAGE(limit, cursor, "json") after ")" SETTLED,                      \
		    "SELECT body, next FROM api.csv('" name "', api." before PAGE(limit, cursor, "csv")      \
			after "))" AND_SETTLED,                                                              \
		{                                                                                            \
			__VA_ARGS__                                                                          \
		}                                                                                            \
	}

/* The same, with CSV as a stream. */
#define ROWS(path, name, function, before, limit, cursor, after, ...)                                        \
	{                                                                                                    \
		"GET", API path, ROUTE_ROWS, name,                                                           \
		    "SELECT api." function "(" before PAGE(limit, cursor, "json") after ")" SETTLED,         \
		    "SELECT head, next FROM api." function "_csv(" before STREAM(limit, cursor) after        \
		    ")" AND_SETTLED,                                                                         \
		{                                                                                            \
			__VA_ARGS__                                                                          \
		}                                                                                            \
	}

/* -- the table -- */

const struct route routes_table[] = {
	GET("summary", "summary(f => " FILTER ")", FILTER_PARAMS),
	SERIES("timeseries", "timeseries",
	    "timeseries(f => " FILTER ", p_bucket => $22::text, p_by => $23::text)", FILTER_PARAMS, &bucket,
	    &by),
	LIST("domains", "domains", "domains(f => " FILTER ", p => ", 22, 23, ", p_sort => $24::text",
	    FILTER_PARAMS, &limit, &cursor, &sort),
	GET("domains/{name}", "domain(p_name => $1::text, f => " WINDOW(2, 3) ")", &name, &from, &to),
	GET("domains/{name}/impact",
	    "impact(p_name => $1::text, f => " WINDOW(2, 3) ", p_policy => $4::text)", &name, &from, &to,
	    &policy),
	GET("domains/{name}/dns", "domain_dns(p_name => $1::text, f => " WINDOW(2, 3) ")", &name, &from, &to),
	GET("advice",
	    "advice(f => api.filter(p_domain => $1::text[], p_subdomains => $2::boolean, p_from => "
	    "$3::date, "
	    "p_to => $4::date))",
	    &domain, &subdomains, &from, &to),
	GET("attention",
	    "attention(f => api.filter(p_domain => $1::text[], p_subdomains => $2::boolean, p_from => "
	    "$3::date, "
	    "p_to => $4::date))",
	    &domain, &subdomains, &from, &to),
	LIST("sources", "sources", "sources(f => " FILTER ", p => ", 22, 23,
	    ", p_group => $24::text, p_sort => $25::text", FILTER_PARAMS, &limit, &cursor, &group, &sort),
	GET("sources/{key}", "source(" SOURCE_FILTER "))", SOURCE_PARAMS),
	LIST("sources/{key}/ips", "source_ips", "source_ips(" SOURCE_FILTER ", p_result => $7::text), p => ",
	    8, 9, "", SOURCE_PARAMS, &result, &limit, &cursor),
	LIST("sources/{key}/identifiers", "source_identifiers",
	    "source_identifiers(" SOURCE_FILTER ", p_result => $7::text), p => ", 8, 9, "", SOURCE_PARAMS,
	    &result, &limit, &cursor),
	LIST("sources/{key}/reporters", "source_reporters",
	    "source_reporters(" SOURCE_FILTER ", p_result => $7::text), p => ", 8, 9, "", SOURCE_PARAMS,
	    &result, &limit, &cursor),
	{ "PUT", API "sources/{key}/label", ROUTE_LABEL, NULL,
	    "SELECT api.set_label(p_source => $1::text, p_label => $2::text, p_note => $3::text, "
	    "p_user => $4::text, p_via => CASE WHEN $5::text IS NULL THEN 'page' ELSE 'token' END, "
	    "p_token => $5::text)",
	    NULL, { &key } },
	LIST("labels", "labels", "label_log(p => ", 2, 3, ", p_source => $1::text[]", &source, &limit,
	    &cursor),
	{ "PUT", API "labels", ROUTE_LABEL, NULL,
	    "SELECT api.set_labels(p_source => $1::text[], p_label => $2::text, p_note => $3::text, "
	    "p_user => $4::text, p_via => CASE WHEN $5::text IS NULL THEN 'page' ELSE 'token' END, "
	    "p_token => $5::text)",
	    NULL, { &labelled } },
	ROWS("records", "records", "records", "f => " FILTER ", p => ", 22, 23, ", p_report => $24::bigint",
	    FILTER_PARAMS, &limit, &cursor, &report),
	ROWS("reports", "reports", "reports", "f => " FILTER ", p => ", 22, 23,
	    ", p_report_id => $24::text, p_received_from => $25::date, p_received_to => $26::date",
	    FILTER_PARAMS, &limit, &cursor, &report_id, &received_from, &received_to),
	{ "POST", API "reports", ROUTE_UPLOAD, NULL, "SELECT api.uploaded(p_files => $1::jsonb)", NULL,
	    { &name } },
	GET("reports/{id}", "report(p_id => $1::bigint)", &id),
	ROWS("reports/{id}/records", "report_records", "report_records",
	    "p_id => $1::bigint, f => api.filter(p_result => $2::text), p => ", 3, 4, "", &id, &result,
	    &limit, &cursor),
	{ "GET", API "reports/{id}/xml", ROUTE_XML, "report",
	    "SELECT api.report_xml(p_id => $1::bigint)" SETTLED, NULL, { &id } },
	LIST("reporters", "reporters", "reporters(f => " FILTER ", p => ", 22, 23, "", FILTER_PARAMS, &limit,
	    &cursor),
	ROWS("failures", "failures", "failures",
	    "f => api.filter(p_domain => $1::text[], p_subdomains => $2::boolean, p_from => "
	    "$3::date, "
	    "p_to => $4::date, p_ip => $5::inet), p => ",
	    6, 7, ", p_kind => $8::text", &domain, &subdomains, &from, &to, &ip, &limit, &cursor,
	    &failure_kind),
	GET("failures/{id}", "failure(p_id => $1::bigint)", &id),
	GET("tls/summary", "tls_summary(f => " TLS_FILTER ", p_policy_type => $6::text[])", TLS_PARAMS,
	    &policy_type),
	SERIES("tls/timeseries", "tls_timeseries",
	    "tls_timeseries(f => " TLS_FILTER ", p_policy_type => $6::text[], p_bucket => $7::text)",
	    TLS_PARAMS, &policy_type, &bucket),
	ROWS("tls/reports", "tls_reports", "tls_reports", "f => " TLS_FILTER ", p => ", 7, 8,
	    ", p_policy_type => $6::text[], p_result => $9::text", TLS_PARAMS, &policy_type, &limit, &cursor,
	    &result),
	GET("tls/reports/{id}", "tls_report(p_id => $1::bigint)", &id),
	GET("intake", "intake(f => " WINDOW(1, 2) ")", &from, &to),
	ROWS("intake/events", "intake_events", "intake_events", "f => " WINDOW(1, 2) ", p => ", 7, 8,
	    ", p_status => $3::text[], p_kind => $4::text[], p_code => $5::text[], p_report => $6::bigint",
	    &from, &to, &status, &intake_kind, &code, &report, &limit, &cursor),
	{ "GET", API "audit", ROUTE_AUDIT, "audit",
	    "SELECT api.audit(f => " WINDOW(1, 2) ", p => " PAGE(5, 6, "json") AUDIT_FILTER ")",
	    "SELECT body, next FROM api.csv('audit', api.audit(f => " WINDOW(1, 2) ", p => " PAGE(5, 6, "csv")
		AUDIT_FILTER "))",
	    { &from, &to, &user, &action, &limit, &cursor } },
	{ "GET", API "help", ROUTE_HELP, NULL,
	    "SELECT api.help(f => api.filter(p_domain => $1::text[], p_subdomains => $2::boolean, p_from => "
	    "$3::date, "
	    "p_to => $4::date))" SETTLED,
	    NULL, { &domain, &subdomains, &from, &to, &lang } },
	GET("search", "search(p_q => $1::text)", &text),
	{ "GET", API "me", ROUTE_ME, NULL, NULL, NULL, { NULL } },
	{ "GET", API "meta", ROUTE_JSON, NULL,
	    "SELECT api.meta() || '{\"version\": \"" RUAD_VERSION "\"}'" SETTLED, NULL, { NULL } },
};

const char *const routes_of_server[] = { API "audit", API "intake", API "intake/events", NULL };

const gsize routes_table_size = G_N_ELEMENTS(routes_table);
