#include "parser/parsedmarc.h"

#include <string.h>

#include "parser/date.h"
#include "parser/jsontext.h"
#include "parser/text.h"

#define NAMESPACE "urn:ietf:params:xml:ns:dmarc-2.0"
#define INVENTED  "none" /* what parsedmarc writes for a selector that is absent */

/* A member of an object of the JSON, and the element that it is. */
struct leaf {
	const char *member;
	const char *element;
};

static const struct leaf metadata[] = { { "org_name", "org_name" }, { "org_email", "email" },
	{ "org_extra_contact_info", "extra_contact_info" }, { "report_id", "report_id" }, { NULL, NULL } };

static const struct leaf policy[] = { { "domain", "domain" }, { "adkim", "adkim" }, { "aspf", "aspf" },
	{ "p", "p" }, { "sp", "sp" }, { "np", "np" }, { "pct", "pct" }, { "fo", "fo" },
	{ "testing", "testing" }, { "discovery_method", "discovery_method" }, { NULL, NULL } };

static const struct leaf evaluated[] = { { "disposition", "disposition" }, { "dkim", "dkim" },
	{ "spf", "spf" }, { NULL, NULL } };

static const struct leaf reason[] = { { "type", "type" }, { "comment", "comment" }, { NULL, NULL } };

static const struct leaf identifiers[] = { { "header_from", "header_from" },
	{ "envelope_from", "envelope_from" }, { "envelope_to", "envelope_to" }, { NULL, NULL } };

static const struct leaf result[] = { { "domain", "domain" }, { "selector", "selector" },
	{ "scope", "scope" }, { "result", "result" }, { "human_result", "human_result" }, { NULL, NULL } };

/* -- the JSON -- */

static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	if (json_object_is_type(object, json_type_object))
		json_object_object_get_ex(object, name, &value);
	return value;
}

static gsize length(struct json_object *list)
{
	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

/* A text or a number without what XML forbids; NULL if it is neither. Transfer full. */
static char *value_text(struct json_object *value, const struct parser_limits *limits)
{
	switch (json_object_get_type(value)) {
	case json_type_string:
		return text_clean_line(json_object_get_string(value),
		    (gsize)json_object_get_string_len(value), limits->max_text);
	case json_type_int:
	case json_type_double:
		return g_strdup(json_object_get_string(value));
	case json_type_null:
	case json_type_boolean:
	case json_type_object:
	case json_type_array:
		break;
	}
	return NULL;
}

/* -- the XML -- */

struct writer {
	const struct parser_limits *limits;
	GString *xml; /* or the fields of a failure report */
};

static void write_value(struct writer *writer, const char *element, struct json_object *value)
{
	g_autofree char *text = value_text(value, writer->limits);
	g_autofree char *escaped = text == NULL ? NULL : g_markup_escape_text(text, -1);

	if (escaped != NULL)
		g_string_append_printf(writer->xml, "<%s>%s</%s>", element, escaped, element);
}

static void write_leaves(struct writer *writer, const struct leaf *leaves, struct json_object *object)
{
	for (; leaves->member != NULL; leaves++)
		write_value(writer, leaves->element, member(object, leaves->member));
}

/* element: around the leaves of each item. */
static void write_list(
    struct writer *writer, const char *element, const struct leaf *leaves, struct json_object *list)
{
	for (gsize i = 0; i < length(list); i++) {
		g_string_append_printf(writer->xml, "<%s>", element);
		write_leaves(writer, leaves, json_object_array_get_idx(list, i));
		g_string_append_printf(writer->xml, "</%s>", element);
	}
}

/* Signatures whose report had no selector have none here, either. */
static void drop_invented(struct json_object *signatures)
{
	for (gsize i = 0; i < length(signatures); i++) {
		struct json_object *signature = json_object_array_get_idx(signatures, i);

		if (g_strcmp0(json_object_get_string(member(signature, "selector")), INVENTED) == 0)
			json_object_object_del(signature, "selector");
	}
}

static void write_record(struct writer *writer, struct json_object *record)
{
	struct json_object *verdict = member(record, "policy_evaluated");
	struct json_object *results = member(record, "auth_results");

	drop_invented(member(results, "dkim"));
	g_string_append(writer->xml, "<record><row>");
	write_value(writer, "source_ip", member(member(record, "source"), "ip_address"));
	write_value(writer, "count", member(record, "count"));
	g_string_append(writer->xml, "<policy_evaluated>");
	write_leaves(writer, evaluated, verdict);
	write_list(writer, "reason", reason, member(verdict, "policy_override_reasons"));
	g_string_append(writer->xml, "</policy_evaluated></row><identifiers>");
	write_leaves(writer, identifiers, member(record, "identifiers"));
	g_string_append(writer->xml, "</identifiers><auth_results>");
	write_list(writer, "dkim", result, member(results, "dkim"));
	write_list(writer, "spf", result, member(results, "spf"));
	g_string_append(writer->xml, "</auth_results></record>");
}

/* A date in UTC, in seconds since 1970; -1 if it is none. */
static gint64 seconds_of(struct json_object *value)
{
	gboolean odd = FALSE;

	return json_object_is_type(value, json_type_string)
		   ? date_iso_seconds(json_object_get_string(value), &odd)
		   : -1;
}

/* The first interval_begin or the last interval_end of the records, or that of the head if they have none; -1
 * if there is none. */
static gint64 bound(
    struct json_object *head, struct json_object *records, const char *name, gboolean is_first)
{
	gint64 found = -1;

	for (gsize i = 0; i < length(records); i++) {
		gint64 seconds = seconds_of(member(json_object_array_get_idx(records, i), name));

		if (seconds >= 0 && (found < 0 || (is_first ? seconds < found : seconds > found)))
			found = seconds;
	}
	return found >= 0 ? found : seconds_of(member(head, name));
}

/* otherwise: the date of the report itself, in an unknown zone, for versions whose records have none. */
static void write_date(
    struct writer *writer, const char *element, gint64 seconds, struct json_object *otherwise)
{
	if (seconds >= 0)
		g_string_append_printf(
		    writer->xml, "<%s>%" G_GINT64_FORMAT "</%s>", element, seconds, element);
	else
		write_value(writer, element, otherwise);
}

static void write_metadata(struct writer *writer, struct json_object *report)
{
	struct json_object *head = member(report, "report_metadata");
	struct json_object *records = member(report, "records");
	struct json_object *errors = member(head, "errors");

	g_string_append(writer->xml, "<report_metadata>");
	write_leaves(writer, metadata, head);
	g_string_append(writer->xml, "<date_range>");
	write_date(writer, "begin", bound(head, records, "interval_begin", TRUE), member(head, "begin_date"));
	write_date(writer, "end", bound(head, records, "interval_end", FALSE), member(head, "end_date"));
	g_string_append(writer->xml, "</date_range>");
	for (gsize i = 0; i < length(errors); i++)
		write_value(writer, "error", json_object_array_get_idx(errors, i));
	write_value(writer, "generator", member(head, "generator"));
	g_string_append(writer->xml, "</report_metadata>");
}

static void write_report(struct writer *writer, struct json_object *report)
{
	struct json_object *schema = member(report, "xml_schema");
	struct json_object *records = member(report, "records");
	gboolean is_new = g_strcmp0(json_object_get_string(member(report, "xml_namespace")), NAMESPACE) == 0;

	g_string_append(writer->xml, is_new ? "<feedback xmlns=\"" NAMESPACE "\">" : "<feedback>");
	if (schema != NULL && g_ascii_isdigit(*json_object_get_string(schema)))
		write_value(writer, "version", schema);
	write_metadata(writer, report);
	g_string_append(writer->xml, "<policy_published>");
	write_leaves(writer, policy, member(report, "policy_published"));
	g_string_append(writer->xml, "</policy_published>");
	for (gsize i = 0; i < length(records); i++)
		write_record(writer, json_object_array_get_idx(records, i));
	g_string_append(writer->xml, "</feedback>\n");
}

/* -- TLS reports -- */

/* A member of the JSON, and its name in RFC 8460. */
static const struct leaf tls_policy[] = { { "policy_type", "policy-type" },
	{ "policy_strings", "policy-string" }, { "policy_domain", "policy-domain" },
	{ "mx_host_patterns", "mx-host" }, { NULL, NULL } };

static const struct leaf tls_summary[] = { { "successful_session_count", "total-successful-session-count" },
	{ "failed_session_count", "total-failure-session-count" }, { NULL, NULL } };

static const struct leaf tls_failure[] = { { "result_type", "result-type" },
	{ "sending_mta_ip", "sending-mta-ip" }, { "receiving_ip", "receiving-ip" },
	{ "receiving_mx_hostname", "receiving-mx-hostname" }, { "receiving_mx_helo", "receiving-mx-helo" },
	{ "failed_session_count", "failed-session-count" },
	{ "additional_info_uri", "additional-information" }, { "failure_reason_code", "failure-reason-code" },
	{ NULL, NULL } };

static const struct leaf tls_report[] = { { "organization_name", "organization-name" },
	{ "contact_info", "contact-info" }, { "report_id", "report-id" }, { NULL, NULL } };

/* Add the members of object to target by their names in the standard; null is what parsedmarc writes for an
 * absent one. */
static struct json_object *add_leaves(
    struct json_object *target, const struct leaf *leaves, struct json_object *object)
{
	for (; leaves->member != NULL; leaves++) {
		struct json_object *value = member(object, leaves->member);

		if (value != NULL)
			json_object_object_add(target, leaves->element, json_object_get(value));
	}
	return target;
}

static struct json_object *tls_failures(struct json_object *list)
{
	struct json_object *failures = json_object_new_array();

	for (gsize i = 0; i < length(list); i++)
		json_object_array_add(failures,
		    add_leaves(json_object_new_object(), tls_failure, json_object_array_get_idx(list, i)));
	return failures;
}

static struct json_object *tls_policies(struct json_object *list)
{
	struct json_object *policies = json_object_new_array();

	for (gsize i = 0; i < length(list); i++) {
		struct json_object *from = json_object_array_get_idx(list, i);
		struct json_object *to = json_object_new_object();

		json_object_object_add(to, "policy", add_leaves(json_object_new_object(), tls_policy, from));
		json_object_object_add(
		    to, "summary", add_leaves(json_object_new_object(), tls_summary, from));
		json_object_object_add(to, "failure-details", tls_failures(member(from, "failure_details")));
		json_object_array_add(policies, to);
	}
	return policies;
}

/* A date of the report, which is in UTC also where it has no zone. */
static void add_date(struct json_object *dates, const char *name, struct json_object *value)
{
	gint64 seconds = seconds_of(value);
	g_autoptr(GDateTime) moment = seconds < 0 ? NULL : g_date_time_new_from_unix_utc(seconds);
	g_autofree char *text = moment == NULL ? NULL : g_date_time_format(moment, "%Y-%m-%dT%H:%M:%SZ");

	if (text != NULL)
		json_object_object_add(dates, name, json_object_new_string(text));
	else if (value != NULL)
		json_object_object_add(dates, name, json_object_get(value));
}

static GString *tls_json(struct json_object *report)
{
	struct json_object *object = add_leaves(json_object_new_object(), tls_report, report);
	struct json_object *dates = json_object_new_object();
	GString *json;

	add_date(dates, "start-datetime", member(report, "begin_date"));
	add_date(dates, "end-datetime", member(report, "end_date"));
	json_object_object_add(object, "date-range", dates);
	json_object_object_add(object, "policies", tls_policies(member(report, "policies")));
	json = g_string_new(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
	json_object_put(object);
	return json;
}

/* -- failure reports -- */

static const struct leaf fields[] = { { "feedback_type", "Feedback-Type" }, { "user_agent", "User-Agent" },
	{ "version", "Version" }, { "original_envelope_id", "Original-Envelope-Id" },
	{ "original_mail_from", "Original-Mail-From" }, { "original_rcpt_to", "Original-Rcpt-To" },
	{ "arrival_date", "Arrival-Date" }, { "authentication_results", "Authentication-Results" },
	{ "delivery_result", "Delivery-Result" }, { "auth_failure", "Auth-Failure" },
	{ "authentication_mechanisms", "Identity-Alignment" }, { "dkim_domain", "DKIM-Domain" },
	{ "reported_domain", "Reported-Domain" }, { NULL, NULL } };

static void write_field(struct writer *writer, const char *name, struct json_object *value)
{
	g_autofree char *text = value_text(value, writer->limits);

	if (text != NULL && *text != '\0')
		g_string_append_printf(writer->xml, "%s: %s\r\n", name, text);
}

/* Several words of a field, which are a list in the JSON. */
static void write_words(struct writer *writer, const char *name, struct json_object *list)
{
	GString *words = g_string_new(NULL);
	struct json_object *joined;

	for (gsize i = 0; i < length(list); i++) {
		g_autofree char *text = value_text(json_object_array_get_idx(list, i), writer->limits);

		if (text != NULL)
			g_string_append_printf(words, "%s%s", words->len > 0 ? ", " : "", text);
	}
	joined = json_object_new_string_len(words->str, (int)words->len);
	write_field(writer, name, joined);
	json_object_put(joined);
	g_string_free(words, TRUE);
}

static void write_fields(struct writer *writer, struct json_object *report)
{
	for (const struct leaf *field = fields; field->member != NULL; field++) {
		struct json_object *value = member(report, field->member);

		if (json_object_is_type(value, json_type_array))
			write_words(writer, field->element, value);
		else
			write_field(writer, field->element, value);
	}
	write_field(writer, "Source-IP", member(member(report, "source"), "ip_address"));
}

static GString *sample_of(struct json_object *report)
{
	struct json_object *sample = member(report, "sample");

	return json_object_is_type(sample, json_type_string)
		   ? g_string_new_len(
			 json_object_get_string(sample), (gssize)json_object_get_string_len(sample))
		   : NULL;
}

/* -- the interface -- */

/* The members by which a report is recognised; each kind has a bit in a guint for each. */
#define MARKS 3

static const struct {
	enum parsedmarc_kind kind;
	const char *names[MARKS];
} kinds[] = {
	{ PARSEDMARC_AGGREGATE, { "report_metadata", "policy_published", "records" } },
	{ PARSEDMARC_TLS, { "organization_name", "begin_date", "policies" } },
	{ PARSEDMARC_FAILURE, { "reported_domain", "arrival_date_utc", "sample" } },
};

static void see_name(gpointer user, const char *name, gsize size)
{
	guint *seen = user;

	for (guint k = 0; k < G_N_ELEMENTS(kinds); k++)
		for (guint i = 0; i < MARKS; i++)
			if (size == strlen(kinds[k].names[i]) && memcmp(name, kinds[k].names[i], size) == 0)
				seen[k] |= 1u << i;
}

static enum parsedmarc_kind kind_seen(const guint *seen)
{
	for (guint k = 0; k < G_N_ELEMENTS(kinds); k++)
		if (seen[k] == (1u << MARKS) - 1)
			return kinds[k].kind;
	return PARSEDMARC_NONE;
}

/* Read a list that is JSON in a text. One that is none is left out. Returns how many names and values it
 * has. */
static gsize open_list(struct json_object *object, const char *name, const struct parser_limits *limits)
{
	struct json_object *value = member(object, name);
	struct json_object *list;
	struct jsontext text;

	if (!json_object_is_type(value, json_type_string))
		return 0;
	jsontext_read(&text, (const guint8 *)json_object_get_string(value),
	    (gsize)json_object_get_string_len(value), NULL, NULL);
	list = jsontext_tree(&text, limits, NULL);
	jsontext_clear(&text);
	json_object_object_add(object, name, list);
	return text.items;
}

/* The lists of dmarc-srg, which stores them as text. */
static gsize open_lists(struct json_object *report, const struct parser_limits *limits)
{
	struct json_object *records = member(report, "records");
	gsize items = open_list(member(report, "report_metadata"), "errors", limits);

	for (gsize i = 0; i < length(records); i++) {
		struct json_object *record = json_object_array_get_idx(records, i);

		items += open_list(member(record, "policy_evaluated"), "policy_override_reasons", limits);
		items += open_list(member(record, "auth_results"), "dkim", limits);
		items += open_list(member(record, "auth_results"), "spf", limits);
	}
	return items;
}

static void convert(struct parsedmarc *copy, struct json_object *report, const struct parser_limits *limits)
{
	struct writer writer = { limits, g_string_new(NULL) };

	copy->text = writer.xml;
	switch (copy->kind) {
	case PARSEDMARC_AGGREGATE:
		write_report(&writer, report);
		break;
	case PARSEDMARC_TLS:
		g_string_free(copy->text, TRUE);
		copy->text = tls_json(report);
		break;
	case PARSEDMARC_FAILURE:
		write_fields(&writer, report);
		copy->message = sample_of(report);
		break;
	case PARSEDMARC_NONE:
		break;
	}
}

gboolean parsedmarc_read(const guint8 *json, gsize size, const struct parser_limits *limits,
    struct parsedmarc *copy, GError **error)
{
	struct jsontext text;
	struct json_object *report = NULL;
	guint seen[G_N_ELEMENTS(kinds)] = { 0 };

	*copy = (struct parsedmarc){ .program = "parsedmarc" };
	jsontext_read(&text, json, size, see_name, seen);
	copy->items = text.items;
	copy->kind = kind_seen(seen);
	if (copy->kind != PARSEDMARC_NONE)
		report = jsontext_tree(&text, limits, error);
	jsontext_clear(&text);
	if (report == NULL)
		return copy->kind == PARSEDMARC_NONE;
	if (g_strcmp0(json_object_get_string(member(report, "copy_of")), "dmarc-srg") == 0) {
		copy->program = "dmarc-srg";
		copy->items += open_lists(report, limits);
	}
	convert(copy, report, limits);
	json_object_put(report);
	return TRUE;
}

void parsedmarc_clear(struct parsedmarc *copy)
{
	if (copy->text != NULL)
		g_string_free(copy->text, TRUE);
	if (copy->message != NULL)
		g_string_free(copy->message, TRUE);
	copy->text = copy->message = NULL;
}
