#include "server/worker/wire_tables.h"

#include <stddef.h>

#include "parser/report.h"
#include "server/worker/wire.h"

/* Rows of a table; S is the structure. */
#define TEXT(member)                                                                                         \
	{                                                                                                    \
		.name = #member, .kind = WIRE_TEXT, .at = offsetof(S, member)                                \
	}
#define NEEDED(member)                                                                                       \
	{                                                                                                    \
		.name = #member, .kind = WIRE_NEEDED, .at = offsetof(S, member)                              \
	}
#define ADDRESS(member)                                                                                      \
	{                                                                                                    \
		.name = #member, .kind = WIRE_ADDRESS, .at = offsetof(S, member)                             \
	}
#define SHA256(member)                                                                                       \
	{                                                                                                    \
		.name = #member, .kind = WIRE_SHA256, .at = offsetof(S, member)                              \
	}
#define NUMBER(member, min, max)                                                                             \
	{                                                                                                    \
		.name = #member, .kind = WIRE_NUMBER, .at = offsetof(S, member), .least = (min),             \
		.most = (max)                                                                                \
	}
#define INT(member, min, max)                                                                                \
	{                                                                                                    \
		.name = #member, .kind = WIRE_INT, .at = offsetof(S, member), .least = (min), .most = (max)  \
	}
#define TEXTS(member, max)                                                                                   \
	{                                                                                                    \
		.name = #member, .kind = WIRE_TEXTS, .at = offsetof(S, member),                              \
		.n_at = offsetof(S, n_##member), .most = (max)                                               \
	}
#define LIST(member, max, type)                                                                              \
	{                                                                                                    \
		.name = #member, .kind = WIRE_LIST, .at = offsetof(S, member),                               \
		.n_at = offsetof(S, n_##member), .most = (max), .of = &(type)                                \
	}
#define TYPE(table)                                                                                          \
	{                                                                                                    \
		.size = sizeof(S), .fields = (table), .n_fields = G_N_ELEMENTS(table)                        \
	}

#define S struct report_note
static const struct wire_field note_fields[] = { NEEDED(code), NEEDED(path), TEXT(raw) };
static const struct wire_type note_type = TYPE(note_fields);
#undef S

#define S struct mail_header
static const struct wire_field mail_fields[] = { TEXT(message_id), TEXT(subject), TEXT(from), TEXT(queue_id),
	INT(authentic, AUTHENTIC_NONE, AUTHENTIC_FAIL) };
const struct wire_type wire_mail_header = TYPE(mail_fields);
#undef S

#define S struct unreadable
static const struct wire_field unreadable_fields[] = { NEEDED(place), NEEDED(code), NEEDED(reason) };
const struct wire_type wire_unreadable = TYPE(unreadable_fields);
#undef S

/* -- aggregate reports -- */

#define S struct aggregate_reason
static const struct wire_field reason_fields[] = { TEXT(type), TEXT(comment) };
static const struct wire_type reason_type = TYPE(reason_fields);
#undef S

#define S struct auth_result_dkim
static const struct wire_field dkim_fields[] = { TEXT(domain), TEXT(selector), TEXT(result),
	TEXT(human_result) };
static const struct wire_type dkim_type = TYPE(dkim_fields);
#undef S

#define S struct auth_result_spf
static const struct wire_field spf_fields[] = { TEXT(domain), TEXT(scope), TEXT(result), TEXT(human_result) };
static const struct wire_type spf_type = TYPE(spf_fields);
#undef S

#define S              struct aggregate_record
#define TEXT_ROW(name) TEXT(name),
static const struct wire_field record_fields[] = { ADDRESS(source_ip), NUMBER(count, -1, G_MAXINT64),
	AGGREGATE_EVALUATED(TEXT_ROW) LIST(reason, WIRE_ITEMS_MAX, reason_type),
	AGGREGATE_IDENTIFIERS(TEXT_ROW) LIST(auth_dkim, WIRE_ITEMS_MAX, dkim_type),
	LIST(auth_spf, WIRE_ITEMS_MAX, spf_type), LIST(note, WIRE_ITEMS_MAX, note_type) };
const struct wire_type wire_aggregate_record = TYPE(record_fields);
#undef S

#define S struct aggregate_header
static const struct wire_field header_fields[] = {
	NEEDED(dialect),
	TEXT(version),
	TEXT(xmlns),
	TEXT(org_name),
	TEXT(email),
	TEXT(extra_contact_info),
	TEXT(report_id),
	NUMBER(begin, 0, REPORT_TIME_MAX),
	NUMBER(end, 0, REPORT_TIME_MAX),
	TEXTS(error, WIRE_ITEMS_MAX),
	TEXT(generator),
	NEEDED(domain),
	TEXT(adkim),
	TEXT(aspf),
	TEXT(p),
	TEXT(sp),
	TEXT(np),
	INT(pct, -1, 100),
	TEXT(fo),
	TEXT(testing),
	TEXT(discovery_method),
	INT(partial, FALSE, TRUE),
	NUMBER(records, 0, G_MAXINT64),
	SHA256(sha256),
	LIST(note, WIRE_ITEMS_MAX, note_type),
};
const struct wire_type wire_aggregate_header = TYPE(header_fields);
#undef S

/* -- failure reports -- */

#define S struct failure_report
static const struct wire_field failure_fields[] = {
	TEXT(feedback_type),
	TEXT(user_agent),
	TEXT(version),
	TEXT(auth_failure),
	TEXTS(authentication_results, WIRE_FIELDS_MAX),
	TEXT(identity_alignment),
	TEXT(delivery_result),
	TEXT(original_envelope_id),
	TEXT(original_mail_from),
	TEXTS(original_rcpt_to, WIRE_FIELDS_MAX),
	TEXT(arrival_date),
	NUMBER(arrival_time, -1, REPORT_TIME_MAX),
	TEXT(reporting_mta),
	ADDRESS(source_ip),
	INT(source_port, -1, G_MAXUINT16),
	NUMBER(incidents, -1, G_MAXINT64),
	TEXTS(reported_domain, WIRE_FIELDS_MAX),
	TEXTS(reported_uri, WIRE_FIELDS_MAX),
	TEXT(dkim_domain),
	TEXT(dkim_identity),
	TEXT(dkim_selector),
	TEXT(dkim_canonicalized_header),
	TEXT(dkim_canonicalized_body),
	TEXT(dkim_selector_dns),
	TEXT(dkim_adsp_dns),
	TEXTS(spf_dns, WIRE_FIELDS_MAX),
	TEXT(header_from),
	TEXT(message_id),
	TEXT(subject),
	TEXT(original_headers),
	TEXT(original_body),
	SHA256(sha256),
	LIST(note, WIRE_ITEMS_MAX, note_type),
};
const struct wire_type wire_failure_report = TYPE(failure_fields);
#undef S

/* -- TLS reports -- */

#define S struct tls_failure_details
static const struct wire_field details_fields[] = {
	TEXT(result_type),
	ADDRESS(sending_mta_ip),
	TEXT(receiving_mx_hostname),
	TEXT(receiving_mx_helo),
	ADDRESS(receiving_ip),
	NUMBER(failed_session_count, -1, G_MAXINT64),
	TEXT(additional_information),
	TEXT(failure_reason_code),
};
static const struct wire_type details_type = TYPE(details_fields);
#undef S

#define S struct tls_policy
static const struct wire_field policy_fields[] = {
	TEXT(policy_type),
	TEXTS(policy_string, WIRE_ITEMS_TOTAL),
	TEXT(policy_domain),
	TEXTS(mx_host, WIRE_ITEMS_TOTAL),
	NUMBER(total_successful_session_count, -1, G_MAXINT64),
	NUMBER(total_failure_session_count, -1, G_MAXINT64),
	LIST(failure_details, WIRE_ITEMS_TOTAL, details_type),
};
static const struct wire_type policy_type = TYPE(policy_fields);
#undef S

#define S struct tls_report
static const struct wire_field tls_fields[] = {
	TEXT(organization_name),
	TEXT(contact_info),
	TEXT(report_id),
	NUMBER(start_datetime, 0, REPORT_TIME_MAX),
	NUMBER(end_datetime, 0, REPORT_TIME_MAX),
	LIST(policies, WIRE_ITEMS_TOTAL, policy_type),
	SHA256(sha256),
	LIST(note, WIRE_ITEMS_MAX, note_type),
};
const struct wire_type wire_tls_report = TYPE(tls_fields);
#undef S

G_STATIC_ASSERT(sizeof(gboolean) == sizeof(gint));
G_STATIC_ASSERT(sizeof(enum authentic) == sizeof(gint));
G_STATIC_ASSERT(sizeof(guint64) == sizeof(gint64));
