#include "tests/fuzz/check_sink.h"

#include "parser/text.h"

#include <string.h>

static void check_text(struct check_sink *check, const char *text)
{
	gsize size;

	check->texts = check->texts * 31 + (text == NULL ? 1 : 2 + g_str_hash(text));
	if (text == NULL)
		return;
	size = strlen(text);
	g_assert(size <= check->limits->max_text);
	g_assert(g_utf8_validate_len(text, size, NULL));
	g_assert(text_is_clean(text, size));
	g_assert(size == 0 || (!text_is_space(text[0]) && !text_is_space(text[size - 1])));
}

/* A token or the name of a domain. */
static void check_lower(struct check_sink *check, const char *text)
{
	check_text(check, text);
	for (; text != NULL && *text != '\0'; text++)
		g_assert(!g_ascii_isupper(*text));
}

static void check_notes(struct check_sink *check, const struct report_note *note, gsize n)
{
	g_assert(n <= check->limits->max_notes);
	for (gsize i = 0; i < n; i++) {
		g_assert(note[i].code != NULL && note[i].path != NULL);
		check_text(check, note[i].raw);
	}
}

static gboolean on_mail(gpointer user, const struct mail_header *mail, GError **error)
{
	struct check_sink *check = user;

	(void)error;
	g_assert(!check->open && check->findings == 0);
	check_text(check, mail->message_id);
	check_text(check, mail->subject);
	check_text(check, mail->from);
	g_assert(mail->authentic == AUTHENTIC_NONE || mail->authentic == AUTHENTIC_PASS ||
		 mail->authentic == AUTHENTIC_FAIL);
	return TRUE;
}

static gboolean on_begin(gpointer user, const char *place, GError **error)
{
	struct check_sink *check = user;

	(void)error;
	g_assert(!check->open);
	check_text(check, place);
	check->open = TRUE;
	check->records = 0;
	return TRUE;
}

static void check_lists(struct check_sink *check, const struct aggregate_record *record)
{
	g_assert(record->n_reason <= check->limits->max_record_items);
	g_assert(record->n_auth_dkim <= check->limits->max_record_items);
	g_assert(record->n_auth_spf <= check->limits->max_record_items);
	for (gsize i = 0; i < record->n_reason; i++) {
		check_lower(check, record->reason[i].type);
		check_text(check, record->reason[i].comment);
	}
	for (gsize i = 0; i < record->n_auth_dkim; i++) {
		check_lower(check, record->auth_dkim[i].domain);
		check_text(check, record->auth_dkim[i].selector);
		check_lower(check, record->auth_dkim[i].result);
		check_text(check, record->auth_dkim[i].human_result);
	}
	for (gsize i = 0; i < record->n_auth_spf; i++) {
		check_lower(check, record->auth_spf[i].domain);
		check_lower(check, record->auth_spf[i].scope);
		check_lower(check, record->auth_spf[i].result);
		check_text(check, record->auth_spf[i].human_result);
	}
}

static gboolean on_record(gpointer user, const struct aggregate_record *record, GError **error)
{
	struct check_sink *check = user;
	char canonical[TEXT_ADDRESS_SIZE];
	gboolean mapped;

	(void)error;
	g_assert(check->open && ++check->records <= check->limits->max_records);
	g_assert(record->count >= -1);
	check->texts += (guint64)record->count;
	if (record->source_ip != NULL) {
		g_assert(text_address(record->source_ip, canonical, &mapped));
		g_assert(!mapped && strcmp(canonical, record->source_ip) == 0);
	}
	check_lower(check, record->disposition);
	check_lower(check, record->dkim);
	check_lower(check, record->spf);
	check_lower(check, record->header_from);
	check_lower(check, record->envelope_from);
	check_lower(check, record->envelope_to);
	check_lists(check, record);
	check_notes(check, record->note, record->n_note);
	check->notes += record->n_note;
	return TRUE;
}

static gboolean on_end(gpointer user, const struct aggregate_header *header, GError **error)
{
	struct check_sink *check = user;

	(void)error;
	g_assert(check->open && header->records == check->records);
	g_assert(!header->partial || header->records > 0);
	check->partial = header->partial;
	check->open = FALSE;
	check->findings++;
	g_assert(header->dialect != NULL);
	g_assert(header->domain != NULL && *header->domain != '\0');
	g_assert(header->begin >= 0 && header->begin <= REPORT_TIME_MAX);
	g_assert(header->end >= 0 && header->end <= REPORT_TIME_MAX);
	g_assert(header->pct >= -1 && header->pct <= 100);
	check_text(check, header->version);
	check_text(check, header->xmlns);
	check_text(check, header->org_name);
	check_text(check, header->email);
	check_text(check, header->extra_contact_info);
	check_text(check, header->report_id);
	g_assert(header->report_id != NULL && *header->report_id != '\0');
	check_text(check, header->generator);
	check_lower(check, header->domain);
	check_lower(check, header->adkim);
	check_lower(check, header->aspf);
	check_lower(check, header->p);
	check_lower(check, header->sp);
	check_lower(check, header->np);
	check_lower(check, header->fo);
	check_lower(check, header->testing);
	check_lower(check, header->discovery_method);
	for (gsize i = 0; i < header->n_error; i++)
		check_text(check, header->error[i]);
	check_notes(check, header->note, header->n_note);
	check->notes += header->n_note;
	return TRUE;
}

static void check_list(struct check_sink *check, const char *const *values, gsize n)
{
	g_assert(n == 0 || values != NULL);
	g_assert(n <= check->limits->max_fields);
	for (gsize i = 0; i < n; i++) {
		g_assert(values[i] != NULL);
		check_text(check, values[i]);
	}
}

/* A text with several lines. */
static void check_lines(const char *text, gsize max)
{
	if (text == NULL)
		return;
	g_assert(strlen(text) <= max);
	g_assert(text_is_clean(text, strlen(text)));
	g_assert(strchr(text, '\r') == NULL);
}

static void check_second(struct check_sink *check, const struct failure_report *failure)
{
	char canonical[TEXT_ADDRESS_SIZE];
	gboolean mapped;

	check_lower(check, failure->feedback_type);
	check_text(check, failure->user_agent);
	check_lower(check, failure->version);
	check_lower(check, failure->auth_failure);
	check_list(check, failure->authentication_results, failure->n_authentication_results);
	check_text(check, failure->identity_alignment);
	check_lower(check, failure->delivery_result);
	check_text(check, failure->original_envelope_id);
	check_text(check, failure->original_mail_from);
	check_list(check, failure->original_rcpt_to, failure->n_original_rcpt_to);
	check_text(check, failure->arrival_date);
	g_assert(failure->arrival_time >= -1 && failure->arrival_time <= REPORT_TIME_MAX);
	check_text(check, failure->reporting_mta);
	if (failure->source_ip != NULL) {
		g_assert(text_address(failure->source_ip, canonical, &mapped));
		g_assert(!mapped && strcmp(canonical, failure->source_ip) == 0);
	}
	g_assert(failure->source_port >= -1 && failure->source_port <= G_MAXUINT16);
	g_assert(failure->incidents >= -1 && failure->incidents <= G_MAXUINT32);
	check_list(check, failure->reported_domain, failure->n_reported_domain);
	check_list(check, failure->reported_uri, failure->n_reported_uri);
	check_lower(check, failure->dkim_domain);
	check_text(check, failure->dkim_identity);
	check_text(check, failure->dkim_selector);
	check_text(check, failure->dkim_selector_dns);
	check_text(check, failure->dkim_adsp_dns);
	check_list(check, failure->spf_dns, failure->n_spf_dns);
}

static gboolean on_failure(
    gpointer user, const char *place, const struct failure_report *failure, GError **error)
{
	struct check_sink *check = user;

	(void)error;
	g_assert(!check->open);
	check->findings++;
	check_text(check, place);
	check_second(check, failure);
	if (!check->failure_bodies) {
		g_assert(failure->original_body == NULL);
		g_assert(
		    failure->dkim_canonicalized_header == NULL && failure->dkim_canonicalized_body == NULL);
	}
	check_lines(failure->dkim_canonicalized_header, check->limits->max_failure);
	check_lines(failure->dkim_canonicalized_body, check->limits->max_failure);
	check_lower(check, failure->header_from);
	check_text(check, failure->message_id);
	check_text(check, failure->subject);
	check_lines(failure->original_headers, check->limits->max_failure);
	check_lines(failure->original_body, check->limits->max_failure);
	check_notes(check, failure->note, failure->n_note);
	return TRUE;
}

static void check_address(struct check_sink *check, const char *address)
{
	char canonical[TEXT_ADDRESS_SIZE];
	gboolean mapped;

	check_text(check, address);
	if (address == NULL)
		return;
	g_assert(text_address(address, canonical, &mapped));
	g_assert(!mapped && strcmp(canonical, address) == 0);
}

static void check_failure(struct check_sink *check, const struct tls_failure_details *failure)
{
	check_lower(check, failure->result_type);
	check_address(check, failure->sending_mta_ip);
	check_lower(check, failure->receiving_mx_hostname);
	check_text(check, failure->receiving_mx_helo);
	check_address(check, failure->receiving_ip);
	g_assert(failure->failed_session_count >= -1);
	check_text(check, failure->additional_information);
	check_text(check, failure->failure_reason_code);
}

/* The number of elements in its lists. */
static gsize check_policy(struct check_sink *check, const struct tls_policy *policy)
{
	check_lower(check, policy->policy_type);
	check_lower(check, policy->policy_domain);
	for (gsize i = 0; i < policy->n_policy_string; i++) {
		g_assert(policy->policy_string[i] != NULL);
		check_text(check, policy->policy_string[i]);
	}
	for (gsize i = 0; i < policy->n_mx_host; i++) {
		g_assert(policy->mx_host[i] != NULL);
		check_lower(check, policy->mx_host[i]);
	}
	g_assert(policy->total_successful_session_count >= -1);
	g_assert(policy->total_failure_session_count >= -1);
	for (gsize i = 0; i < policy->n_failure_details; i++)
		check_failure(check, &policy->failure_details[i]);
	return policy->n_policy_string + policy->n_mx_host + policy->n_failure_details;
}

static gboolean on_tls(gpointer user, const char *place, const struct tls_report *tls, GError **error)
{
	struct check_sink *check = user;
	gsize elements = tls->n_policies;

	(void)error;
	g_assert(!check->open);
	check->findings++;
	check_text(check, place);
	check_text(check, tls->organization_name);
	check_text(check, tls->contact_info);
	check_text(check, tls->report_id);
	g_assert(tls->start_datetime >= 0 && tls->start_datetime <= REPORT_TIME_MAX);
	g_assert(tls->end_datetime >= 0 && tls->end_datetime <= REPORT_TIME_MAX);
	g_assert(tls->n_policies > 0 || tls->n_note > 0);
	for (gsize i = 0; i < tls->n_policies; i++)
		elements += check_policy(check, &tls->policies[i]);
	g_assert(elements <= check->limits->max_json_items);
	check_notes(check, tls->note, tls->n_note);
	return TRUE;
}

static gboolean on_unreadable(gpointer user, const struct unreadable *unreadable, GError **error)
{
	struct check_sink *check = user;

	(void)error;
	check->open = FALSE;
	check->findings++;
	g_assert(unreadable->code != NULL && *unreadable->code != '\0');
	g_assert(unreadable->reason != NULL && *unreadable->reason != '\0');
	check_text(check, unreadable->place);
	check_text(check, unreadable->reason);
	return TRUE;
}

const struct report_sink CHECK_SINK = { .mail = on_mail,
	.report_begin = on_begin,
	.record = on_record,
	.report_end = on_end,
	.failure = on_failure,
	.tls = on_tls,
	.unreadable = on_unreadable };
