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
	GString *xml;
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

/* The first interval_begin or the last interval_end, in seconds since 1970 UTC; -1 if no record has one. */
static gint64 bound(struct json_object *records, const char *name, gboolean is_first)
{
	gint64 found = -1;

	for (gsize i = 0; i < length(records); i++) {
		struct json_object *value = member(json_object_array_get_idx(records, i), name);
		gboolean odd = FALSE;
		gint64 seconds = json_object_is_type(value, json_type_string)
				     ? date_iso_seconds(json_object_get_string(value), &odd)
				     : -1;

		if (seconds >= 0 && (found < 0 || (is_first ? seconds < found : seconds > found)))
			found = seconds;
	}
	return found;
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
	write_date(writer, "begin", bound(records, "interval_begin", TRUE), member(head, "begin_date"));
	write_date(writer, "end", bound(records, "interval_end", FALSE), member(head, "end_date"));
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

/* -- the interface -- */

static const char *const marks[] = { "report_metadata", "policy_published", "records" };

static void see_name(gpointer user, const char *name, gsize size)
{
	guint *seen = user;

	for (guint i = 0; i < G_N_ELEMENTS(marks); i++)
		if (size == strlen(marks[i]) && memcmp(name, marks[i], size) == 0)
			*seen |= 1u << i;
}

gboolean parsedmarc_read(const guint8 *json, gsize size, const struct parser_limits *limits, GString **xml,
    gsize *items, GError **error)
{
	struct jsontext text;
	struct writer writer = { limits, NULL };
	struct json_object *report = NULL;
	guint seen = 0;

	*xml = NULL;
	jsontext_read(&text, json, size, see_name, &seen);
	*items = text.items;
	if (seen == (1u << G_N_ELEMENTS(marks)) - 1) {
		report = jsontext_tree(&text, limits, error);
		if (report != NULL) {
			writer.xml = g_string_new(NULL);
			write_report(&writer, report);
			json_object_put(report);
		}
	}
	jsontext_clear(&text);
	*xml = writer.xml;
	return writer.xml != NULL || seen != (1u << G_N_ELEMENTS(marks)) - 1;
}
