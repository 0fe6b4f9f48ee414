#include "server/worker/wire_reports.h"

#include <arpa/inet.h>
#include <string.h>

#include "parser/error.h"
#include "server/worker/wire.h"

/* -- pieces -- */

gboolean wire_refuse(GError **error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *why = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "the parser's answer: %s", why);
	return FALSE;
}

gboolean wire_check_items(guint64 n, guint64 most, GError **error)
{
	return n <= most || wire_refuse(error, "%" G_GUINT64_FORMAT " items in a list", n);
}

gboolean wire_check_address(const char *member, const char *address, GError **error)
{
	guint8 binary[16];
	if (address == NULL ||
	    inet_pton(strchr(address, ':') != NULL ? AF_INET6 : AF_INET, address, binary) == 1)
		return TRUE;
	return wire_refuse(error, "%s is not an IP address", member);
}

static gboolean check_range(const char *member, gint64 value, gint64 least, gint64 most, GError **error)
{
	return (value >= least && value <= most) || wire_refuse(error, "%s %" G_GINT64_FORMAT, member, value);
}

gboolean wire_sha256_decode(GVariant *value, guint8 sha256[32], GError **error)
{
	gsize size;
	const guint8 *bytes = g_variant_get_fixed_array(value, &size, 1);
	if (size != 32)
		return wire_refuse(error, "a SHA-256 of %" G_GSIZE_FORMAT " bytes", size);
	memcpy(sha256, bytes, size);
	return TRUE;
}

static GVariant *encode_sha256(const guint8 sha256[32])
{
	return g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, sha256, 32, 1);
}

GVariant *wire_notes_encode(const struct report_note *note, gsize n)
{
	GVariantBuilder builder;
	g_variant_builder_init(&builder, G_VARIANT_TYPE(WIRE_NOTES_TYPE));
	for (gsize i = 0; i < n; i++)
		g_variant_builder_add(&builder, "(ssms)", note[i].code, note[i].path, note[i].raw);
	return g_variant_builder_end(&builder);
}

gboolean wire_notes_decode(GVariant *value, struct report_note **note, gsize *n, GError **error)
{
	gsize count = g_variant_n_children(value);
	if (!wire_check_items(count, WIRE_ITEMS_MAX, error))
		return FALSE;
	*note = g_new(struct report_note, count);
	*n = count;
	for (gsize i = 0; i < count; i++)
		g_variant_get_child(
		    value, i, "(&s&sm&s)", &(*note)[i].code, &(*note)[i].path, &(*note)[i].raw);
	return TRUE;
}

gboolean wire_strings_decode(GVariant *value, guint64 most, const char ***strings, gsize *n, GError **error)
{
	if (!wire_check_items(g_variant_n_children(value), most, error))
		return FALSE;
	*strings = g_variant_get_strv(value, n);
	return TRUE;
}

/* -- failure reports -- */

static GVariant *strv(const char *const *strings, gsize n)
{
	return g_variant_new_strv(strings, (gssize)n);
}

GVariant *wire_failure_encode(const char *place, const struct failure_report *f)
{
	return g_variant_new("(s"
			     "msmsmsms@as"
			     "msmsmsms@as"
			     "msxmsmsix"
			     "@as@as"
			     "msmsmsmsmsmsms@as"
			     "msmsmsmsms"
			     "@ay@" WIRE_NOTES_TYPE ")",
	    place, f->feedback_type, f->user_agent, f->version, f->auth_failure,
	    strv(f->authentication_results, f->n_authentication_results), f->identity_alignment,
	    f->delivery_result, f->original_envelope_id, f->original_mail_from,
	    strv(f->original_rcpt_to, f->n_original_rcpt_to), f->arrival_date, f->arrival_time,
	    f->reporting_mta, f->source_ip, f->source_port, f->incidents,
	    strv(f->reported_domain, f->n_reported_domain), strv(f->reported_uri, f->n_reported_uri),
	    f->dkim_domain, f->dkim_identity, f->dkim_selector, f->dkim_canonicalized_header,
	    f->dkim_canonicalized_body, f->dkim_selector_dns, f->dkim_adsp_dns,
	    strv(f->spf_dns, f->n_spf_dns), f->header_from, f->message_id, f->subject, f->original_headers,
	    f->original_body, encode_sha256(f->sha256), wire_notes_encode(f->note, f->n_note));
}

/* The lists of a struct failure_report, first packed, then unpacked. */
struct failure_lists {
	GVariant *authentication_results, *original_rcpt_to, *reported_domain, *reported_uri, *spf_dns;
	GVariant *sha256, *notes;
	const char **strings[5];
	struct report_note *note;
};

static void failure_lists_clear(struct failure_lists *lists)
{
	g_variant_unref(lists->authentication_results);
	g_variant_unref(lists->original_rcpt_to);
	g_variant_unref(lists->reported_domain);
	g_variant_unref(lists->reported_uri);
	g_variant_unref(lists->spf_dns);
	g_variant_unref(lists->sha256);
	g_variant_unref(lists->notes);
	for (gsize i = 0; i < G_N_ELEMENTS(lists->strings); i++)
		g_free(lists->strings[i]);
	g_free(lists->note);
}

static gboolean unpack_lists(struct failure_lists *lists, struct failure_report *f, GError **error)
{
	const struct {
		GVariant *packed;
		const char *const **strings;
		gsize *n;
	} rows[G_N_ELEMENTS(lists->strings)] = {
		{ lists->authentication_results, &f->authentication_results, &f->n_authentication_results },
		{ lists->original_rcpt_to, &f->original_rcpt_to, &f->n_original_rcpt_to },
		{ lists->reported_domain, &f->reported_domain, &f->n_reported_domain },
		{ lists->reported_uri, &f->reported_uri, &f->n_reported_uri },
		{ lists->spf_dns, &f->spf_dns, &f->n_spf_dns },
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		if (!wire_strings_decode(
			rows[i].packed, WIRE_FIELDS_MAX, &lists->strings[i], rows[i].n, error))
			return FALSE;
		*rows[i].strings = lists->strings[i];
	}
	if (!wire_notes_decode(lists->notes, &lists->note, &f->n_note, error))
		return FALSE;
	f->note = lists->note;
	return wire_sha256_decode(lists->sha256, f->sha256, error);
}

static gboolean check_failure(const struct failure_report *f, GError **error)
{
	return check_range("arrival_time", f->arrival_time, -1, REPORT_TIME_MAX, error) &&
	       check_range("source_port", f->source_port, -1, G_MAXUINT16, error) &&
	       check_range("incidents", f->incidents, -1, G_MAXINT64, error) &&
	       wire_check_address("source_ip", f->source_ip, error);
}

gboolean wire_failure_decode(GVariant *value, const struct report_sink *sink, gpointer user, GError **error)
{
	struct failure_report f = { 0 };
	struct failure_lists lists = { 0 };
	const char *place;

	g_variant_get(value,
	    "(&s"
	    "m&sm&sm&sm&s@as"
	    "m&sm&sm&sm&s@as"
	    "m&sxm&sm&six"
	    "@as@as"
	    "m&sm&sm&sm&sm&sm&sm&s@as"
	    "m&sm&sm&sm&sm&s"
	    "@ay@" WIRE_NOTES_TYPE ")",
	    &place, &f.feedback_type, &f.user_agent, &f.version, &f.auth_failure,
	    &lists.authentication_results, &f.identity_alignment, &f.delivery_result, &f.original_envelope_id,
	    &f.original_mail_from, &lists.original_rcpt_to, &f.arrival_date, &f.arrival_time,
	    &f.reporting_mta, &f.source_ip, &f.source_port, &f.incidents, &lists.reported_domain,
	    &lists.reported_uri, &f.dkim_domain, &f.dkim_identity, &f.dkim_selector,
	    &f.dkim_canonicalized_header, &f.dkim_canonicalized_body, &f.dkim_selector_dns, &f.dkim_adsp_dns,
	    &lists.spf_dns, &f.header_from, &f.message_id, &f.subject, &f.original_headers, &f.original_body,
	    &lists.sha256, &lists.notes);
	gboolean ok = unpack_lists(&lists, &f, error) && check_failure(&f, error) &&
		      sink->failure(user, place, &f, error);
	failure_lists_clear(&lists);
	return ok;
}

/* -- TLS reports -- */

static GVariant *encode_details(const struct tls_policy *policy)
{
	GVariantBuilder builder;
	g_variant_builder_init(&builder, G_VARIANT_TYPE(WIRE_DETAILS_TYPE));
	for (gsize i = 0; i < policy->n_failure_details; i++) {
		const struct tls_failure_details *d = &policy->failure_details[i];
		g_variant_builder_add(&builder, "(msmsmsmsmsxmsms)", d->result_type, d->sending_mta_ip,
		    d->receiving_mx_hostname, d->receiving_mx_helo, d->receiving_ip, d->failed_session_count,
		    d->additional_information, d->failure_reason_code);
	}
	return g_variant_builder_end(&builder);
}

static GVariant *encode_policies(const struct tls_report *tls)
{
	GVariantBuilder builder;
	g_variant_builder_init(&builder, G_VARIANT_TYPE("a" WIRE_POLICY_TYPE));
	for (gsize i = 0; i < tls->n_policies; i++) {
		const struct tls_policy *p = &tls->policies[i];
		g_variant_builder_add(&builder, "(ms@asms@asxx@" WIRE_DETAILS_TYPE ")", p->policy_type,
		    strv(p->policy_string, p->n_policy_string), p->policy_domain,
		    strv(p->mx_host, p->n_mx_host), p->total_successful_session_count,
		    p->total_failure_session_count, encode_details(p));
	}
	return g_variant_builder_end(&builder);
}

GVariant *wire_tls_encode(const char *place, const struct tls_report *tls)
{
	return g_variant_new("(smsmsmsxx@a" WIRE_POLICY_TYPE "@ay@" WIRE_NOTES_TYPE ")", place,
	    tls->organization_name, tls->contact_info, tls->report_id, tls->start_datetime, tls->end_datetime,
	    encode_policies(tls), encode_sha256(tls->sha256), wire_notes_encode(tls->note, tls->n_note));
}

/* The sizes for the policies of a report: everything is counted before it is allocated. */
struct tls_arrays {
	guint64 items;    /* policies, failure details and strings so far */
	GPtrArray *owned; /* lists of strings and details */
};

static gboolean take_items(struct tls_arrays *arrays, gsize n, GError **error)
{
	arrays->items += n;
	return wire_check_items(arrays->items, WIRE_TLS_ITEMS_MAX, error);
}

static gboolean decode_strings(
    struct tls_arrays *arrays, GVariant *value, const char *const **strings, gsize *n, GError **error)
{
	const char **list;
	if (!take_items(arrays, g_variant_n_children(value), error) ||
	    !wire_strings_decode(value, WIRE_TLS_ITEMS_MAX, &list, n, error))
		return FALSE;
	g_ptr_array_add(arrays->owned, list);
	*strings = list;
	return TRUE;
}

static gboolean decode_details(
    struct tls_arrays *arrays, GVariant *value, struct tls_policy *policy, GError **error)
{
	gsize n = g_variant_n_children(value);
	if (!take_items(arrays, n, error))
		return FALSE;
	struct tls_failure_details *details = g_new(struct tls_failure_details, n);
	g_ptr_array_add(arrays->owned, details);
	for (gsize i = 0; i < n; i++) {
		struct tls_failure_details *d = &details[i];
		g_variant_get_child(value, i, "(m&sm&sm&sm&sm&sxm&sm&s)", &d->result_type, &d->sending_mta_ip,
		    &d->receiving_mx_hostname, &d->receiving_mx_helo, &d->receiving_ip,
		    &d->failed_session_count, &d->additional_information, &d->failure_reason_code);
		if (!check_range("failed_session_count", d->failed_session_count, -1, G_MAXINT64, error) ||
		    !wire_check_address("sending_mta_ip", d->sending_mta_ip, error) ||
		    !wire_check_address("receiving_ip", d->receiving_ip, error))
			return FALSE;
	}
	policy->failure_details = details;
	policy->n_failure_details = n;
	return TRUE;
}

static gboolean decode_policy(
    struct tls_arrays *arrays, GVariant *value, struct tls_policy *p, GError **error)
{
	g_autoptr(GVariant) policy_string = NULL;
	g_autoptr(GVariant) mx_host = NULL;
	g_autoptr(GVariant) details = NULL;

	g_variant_get(value, "(m&s@asm&s@asxx@" WIRE_DETAILS_TYPE ")", &p->policy_type, &policy_string,
	    &p->policy_domain, &mx_host, &p->total_successful_session_count, &p->total_failure_session_count,
	    &details);
	return check_range("total_successful_session_count", p->total_successful_session_count, -1,
		   G_MAXINT64, error) &&
	       check_range(
		   "total_failure_session_count", p->total_failure_session_count, -1, G_MAXINT64, error) &&
	       decode_strings(arrays, policy_string, &p->policy_string, &p->n_policy_string, error) &&
	       decode_strings(arrays, mx_host, &p->mx_host, &p->n_mx_host, error) &&
	       decode_details(arrays, details, p, error);
}

static gboolean decode_policies(
    struct tls_arrays *arrays, GVariant *value, struct tls_report *tls, GError **error)
{
	gsize n = g_variant_n_children(value);
	if (!take_items(arrays, n, error))
		return FALSE;
	struct tls_policy *policies = g_new0(struct tls_policy, n);
	g_ptr_array_add(arrays->owned, policies);
	for (gsize i = 0; i < n; i++) {
		g_autoptr(GVariant) policy = g_variant_get_child_value(value, i);
		if (!decode_policy(arrays, policy, &policies[i], error))
			return FALSE;
	}
	tls->policies = policies;
	tls->n_policies = n;
	return TRUE;
}

static gboolean check_range_of_tls(const struct tls_report *tls, GError **error)
{
	return check_range("start_datetime", tls->start_datetime, 0, REPORT_TIME_MAX, error) &&
	       check_range("end_datetime", tls->end_datetime, 0, REPORT_TIME_MAX, error);
}

gboolean wire_tls_decode(GVariant *value, const struct report_sink *sink, gpointer user, GError **error)
{
	struct tls_report tls = { 0 };
	g_autoptr(GPtrArray) owned = g_ptr_array_new_with_free_func(g_free);
	struct tls_arrays arrays = { .owned = owned };
	g_autoptr(GVariant) policies = NULL;
	g_autoptr(GVariant) sha256 = NULL;
	g_autoptr(GVariant) notes = NULL;
	g_autofree struct report_note *note = NULL;
	const char *place;

	g_variant_get(value, "(&sm&sm&sm&sxx@a" WIRE_POLICY_TYPE "@ay@" WIRE_NOTES_TYPE ")", &place,
	    &tls.organization_name, &tls.contact_info, &tls.report_id, &tls.start_datetime, &tls.end_datetime,
	    &policies, &sha256, &notes);
	if (!check_range_of_tls(&tls, error) || !decode_policies(&arrays, policies, &tls, error) ||
	    !wire_sha256_decode(sha256, tls.sha256, error) ||
	    !wire_notes_decode(notes, &note, &tls.n_note, error))
		return FALSE;
	tls.note = note;
	return sink->tls(user, place, &tls, error);
}
