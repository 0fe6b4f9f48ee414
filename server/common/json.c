#include "server/common/json.h"

#include "parser/failure.h"

/* -- pieces -- */

/* -1 means absent. */
static void count_member(GString *json, const char *name, gint64 value)
{
	if (value != -1)
		json_number_member(json, name, value);
	else
		json_text_member(json, name, NULL);
}

void json_notes(GString *json, const struct report_note *note, gsize n)
{
	json_begin(json, '[');
	for (gsize i = 0; i < n; i++) {
		json_begin(json, '{');
		json_text_member(json, "code", note[i].code);
		json_text_member(json, "path", note[i].path);
		json_text_member(json, "raw", note[i].raw);
		json_end(json, '}');
	}
	json_end(json, ']');
}

void json_strings(GString *json, const char *const *strings, gsize n)
{
	json_begin(json, '[');
	for (gsize i = 0; i < n; i++)
		json_text(json, strings[i]);
	json_end(json, ']');
}

static void strings_member(GString *json, const char *name, const char *const *strings, gsize n)
{
	json_name(json, name);
	json_strings(json, strings, n);
}

void json_sha256_member(GString *json, const guint8 sha256[32])
{
	char digits[2 * 32 + 1];

	for (gsize i = 0; i < 32; i++)
		g_snprintf(digits + 2 * i, 3, "%02x", sha256[i]);
	json_text_member(json, "sha256", digits);
}

/* -- records -- */

void json_reasons(GString *json, const struct aggregate_record *record)
{
	json_begin(json, '[');
	for (gsize i = 0; i < record->n_reason; i++) {
		json_begin(json, '{');
		json_text_member(json, "type", record->reason[i].type);
		json_text_member(json, "comment", record->reason[i].comment);
		json_end(json, '}');
	}
	json_end(json, ']');
}

static void dkim_member(GString *json, const struct aggregate_record *record)
{
	json_name(json, "dkim");
	json_begin(json, '[');
	for (gsize i = 0; i < record->n_auth_dkim; i++) {
		json_begin(json, '{');
		json_text_member(json, "domain", record->auth_dkim[i].domain);
		json_text_member(json, "selector", record->auth_dkim[i].selector);
		json_text_member(json, "result", record->auth_dkim[i].result);
		json_text_member(json, "human_result", record->auth_dkim[i].human_result);
		json_end(json, '}');
	}
	json_end(json, ']');
}

static void spf_member(GString *json, const struct aggregate_record *record)
{
	json_name(json, "spf");
	json_begin(json, '[');
	for (gsize i = 0; i < record->n_auth_spf; i++) {
		json_begin(json, '{');
		json_text_member(json, "domain", record->auth_spf[i].domain);
		json_text_member(json, "scope", record->auth_spf[i].scope);
		json_text_member(json, "result", record->auth_spf[i].result);
		json_text_member(json, "human_result", record->auth_spf[i].human_result);
		json_end(json, '}');
	}
	json_end(json, ']');
}

void json_auth_results(GString *json, const struct aggregate_record *record)
{
	json_begin(json, '{');
	dkim_member(json, record);
	spf_member(json, record);
	json_end(json, '}');
}

#define TEXT_MEMBER(name) json_text_member(json, #name, record->name);

static void row_member(GString *json, const struct aggregate_record *record)
{
	json_name(json, "row");
	json_begin(json, '{');
	json_text_member(json, "source_ip", record->source_ip);
	count_member(json, "count", record->count);
	json_name(json, "policy_evaluated");
	json_begin(json, '{');
	AGGREGATE_EVALUATED(TEXT_MEMBER)
	json_name(json, "reason");
	json_reasons(json, record);
	json_end(json, '}');
	json_end(json, '}');
}

void json_record(GString *json, const struct aggregate_record *record)
{
	json_begin(json, '{');
	row_member(json, record);
	json_name(json, "identifiers");
	json_begin(json, '{');
	AGGREGATE_IDENTIFIERS(TEXT_MEMBER)
	json_end(json, '}');
	json_name(json, "auth_results");
	json_auth_results(json, record);
	if (record->n_note > 0) {
		json_name(json, "notes");
		json_notes(json, record->note, record->n_note);
	}
	json_end(json, '}');
}

/* -- aggregate reports -- */

static void report_metadata_member(GString *json, const struct aggregate_header *header)
{
	json_name(json, "report_metadata");
	json_begin(json, '{');
	json_text_member(json, "org_name", header->org_name);
	json_text_member(json, "email", header->email);
	json_text_member(json, "extra_contact_info", header->extra_contact_info);
	json_text_member(json, "report_id", header->report_id);
	json_name(json, "date_range");
	json_begin(json, '{');
	json_number_member(json, "begin", header->begin);
	json_number_member(json, "end", header->end);
	json_end(json, '}');
	strings_member(json, "error", header->error, header->n_error);
	json_text_member(json, "generator", header->generator);
	json_end(json, '}');
}

static void policy_published_member(GString *json, const struct aggregate_header *header)
{
	json_name(json, "policy_published");
	json_begin(json, '{');
	json_text_member(json, "domain", header->domain);
	json_text_member(json, "adkim", header->adkim);
	json_text_member(json, "aspf", header->aspf);
	json_text_member(json, "p", header->p);
	json_text_member(json, "sp", header->sp);
	json_text_member(json, "np", header->np);
	count_member(json, "pct", header->pct);
	json_text_member(json, "fo", header->fo);
	json_text_member(json, "testing", header->testing);
	json_text_member(json, "discovery_method", header->discovery_method);
	json_end(json, '}');
}

void json_aggregate_members(GString *json, const struct aggregate_header *header)
{
	json_text_member(json, "dialect", header->dialect);
	report_metadata_member(json, header);
	policy_published_member(json, header);
}

/* -- failure reports -- */

/* RFC 3339; -1 means absent. */
static void time_member(GString *json, const char *name, gint64 seconds)
{
	g_autoptr(GDateTime) time = seconds >= 0 ? g_date_time_new_from_unix_utc(seconds) : NULL;
	g_autofree char *words = time != NULL ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : NULL;

	json_text_member(json, name, words);
}

/* The second part of a failure report, up to the delivery result. */
static void feedback_members(GString *json, const struct failure_report *f)
{
	json_text_member(json, "feedback_type", f->feedback_type);
	json_text_member(json, "user_agent", f->user_agent);
	json_text_member(json, "version", f->version);
	json_text_member(json, "auth_failure", f->auth_failure);
	strings_member(
	    json, "authentication_results", f->authentication_results, f->n_authentication_results);
	json_text_member(json, "identity_alignment", f->identity_alignment);
	json_text_member(json, "delivery_result", f->delivery_result);
	json_text_member(json, "original_envelope_id", f->original_envelope_id);
	json_text_member(json, "original_mail_from", f->original_mail_from);
	strings_member(json, "original_rcpt_to", f->original_rcpt_to, f->n_original_rcpt_to);
	json_text_member(json, "arrival_date", f->arrival_date);
	time_member(json, "arrival_time", f->arrival_time);
	json_text_member(json, "reporting_mta", f->reporting_mta);
	json_text_member(json, "source_ip", f->source_ip);
	count_member(json, "source_port", f->source_port);
	count_member(json, "incidents", f->incidents);
	strings_member(json, "reported_domain", f->reported_domain, f->n_reported_domain);
	strings_member(json, "reported_uri", f->reported_uri, f->n_reported_uri);
}

void json_failure_members(GString *json, const struct failure_report *f)
{
	feedback_members(json, f);
	json_text_member(json, "dkim_domain", f->dkim_domain);
	json_text_member(json, "dkim_identity", f->dkim_identity);
	json_text_member(json, "dkim_selector", f->dkim_selector);
	json_text_member(json, "dkim_canonicalized_header", f->dkim_canonicalized_header);
	json_text_member(json, "dkim_canonicalized_body", f->dkim_canonicalized_body);
	json_text_member(json, "dkim_selector_dns", f->dkim_selector_dns);
	json_text_member(json, "dkim_adsp_dns", f->dkim_adsp_dns);
	strings_member(json, "spf_dns", f->spf_dns, f->n_spf_dns);
	json_text_member(json, "header_from", f->header_from);
	json_text_member(json, "message_id", f->message_id);
	json_text_member(json, "subject", f->subject);
	json_text_member(json, "original_headers", f->original_headers);
	json_text_member(json, "original_body", f->original_body);
}

const char *json_failure_kind(const struct failure_report *failure)
{
	return failure_is_authentication(failure) ? "failure" : "feedback";
}

const char *json_authentic(enum authentic authentic)
{
	static const char *const words[] = {
		[AUTHENTIC_NONE] = "none",
		[AUTHENTIC_PASS] = "pass",
		[AUTHENTIC_FAIL] = "fail",
	};
	return words[authentic];
}

/* -- TLS reports -- */

static void failure_details_member(GString *json, const struct tls_policy *policy)
{
	json_name(json, "failure_details");
	json_begin(json, '[');
	for (gsize i = 0; i < policy->n_failure_details; i++) {
		const struct tls_failure_details *details = &policy->failure_details[i];
		json_begin(json, '{');
		json_text_member(json, "result_type", details->result_type);
		json_text_member(json, "sending_mta_ip", details->sending_mta_ip);
		json_text_member(json, "receiving_mx_hostname", details->receiving_mx_hostname);
		json_text_member(json, "receiving_mx_helo", details->receiving_mx_helo);
		json_text_member(json, "receiving_ip", details->receiving_ip);
		count_member(json, "failed_session_count", details->failed_session_count);
		json_text_member(json, "additional_information", details->additional_information);
		json_text_member(json, "failure_reason_code", details->failure_reason_code);
		json_end(json, '}');
	}
	json_end(json, ']');
}

static void tls_policy(GString *json, const struct tls_policy *p)
{
	json_begin(json, '{');
	json_name(json, "policy");
	json_begin(json, '{');
	json_text_member(json, "policy_type", p->policy_type);
	strings_member(json, "policy_string", p->policy_string, p->n_policy_string);
	json_text_member(json, "policy_domain", p->policy_domain);
	strings_member(json, "mx_host", p->mx_host, p->n_mx_host);
	json_end(json, '}');
	json_name(json, "summary");
	json_begin(json, '{');
	count_member(json, "total_successful_session_count", p->total_successful_session_count);
	count_member(json, "total_failure_session_count", p->total_failure_session_count);
	json_end(json, '}');
	failure_details_member(json, p);
	json_end(json, '}');
}

void json_tls_members(GString *json, const struct tls_report *tls)
{
	json_text_member(json, "organization_name", tls->organization_name);
	json_name(json, "date_range");
	json_begin(json, '{');
	time_member(json, "start_datetime", tls->start_datetime);
	time_member(json, "end_datetime", tls->end_datetime);
	json_end(json, '}');
	json_text_member(json, "contact_info", tls->contact_info);
	json_text_member(json, "report_id", tls->report_id);
	json_name(json, "policies");
	json_begin(json, '[');
	for (gsize i = 0; i < tls->n_policies; i++)
		tls_policy(json, &tls->policies[i]);
	json_end(json, ']');
}
