#include "parser/tls.h"

#include "parser/date.h"
#include "parser/jsontext.h"
#include "parser/notes.h"
#include "parser/text.h"
#include "parser/values.h"

#include <nettle/sha2.h>
#include <string.h>

#define EPOCH_LEAST 100000000 /* less is a year or a day without dashes, not seconds since 1970 */
#define LOOKS       2         /* members of its own that make JSON a TLS report */
#define MAX_ROWS    8         /* members in the largest table */
#define REST_BYTES  64        /* of what follows the report, for its note */

/* section 4.3, and the registries that section 6 makes of it */
#define POLICY_TYPES TOKENS("tlsa", "sts", "no-policy-found")
#define RESULT_TYPES                                                                                         \
	TOKENS("starttls-not-supported", "certificate-host-mismatch", "certificate-expired",                 \
	    "certificate-not-trusted", "validation-failure", "tlsa-invalid", "dnssec-invalid",               \
	    "dane-required", "sts-policy-fetch-error", "sts-policy-invalid", "sts-webpki-invalid")

struct tls {
	struct tls_report report;
	struct values values;
	const struct parser_limits *limits;
	const char *domain;
	GPtrArray *arrays; /* of report's members */
	gsize items;       /* of its JSON */
	gsize elements;    /* policies, failure details and strings in lists */
	const char *date;  /* the first that could not be read */
	const char *code;
	char *reason;
};

struct member;
typedef void (*store_member)(
    struct tls *tls, const struct member *member, gpointer home, struct json_object *value);

/* A member of an object: how it is called, where its value goes, and how. */
struct member {
	const char *name;  /* in the report */
	const char *alias; /* another that is used for it, or NULL */
	const char *path;  /* in notes */
	store_member store;
	gsize offset;               /* in home */
	gsize n_offset;             /* for a list of strings: of their number */
	const char *const *tokens;  /* for store_token: those that are known */
	const struct member *inner; /* for store_inner: what goes into the same home; ends with a name NULL */
};

/* -- names -- */

/* The same but for case, '-' and '_'. */
static gboolean is_same_name(const char *name, const char *as_sent, gsize size)
{
	const char *end = as_sent + size;

	for (;;) {
		while (*name == '-')
			name++;
		while (as_sent < end && (*as_sent == '-' || *as_sent == '_'))
			as_sent++;
		if (*name == '\0' || as_sent == end)
			return *name == '\0' && as_sent == end;
		if (*name++ != g_ascii_tolower(*as_sent++))
			return FALSE;
	}
}

static gboolean is_named(const struct member *member, const char *as_sent)
{
	gsize size = strlen(as_sent);

	return is_same_name(member->name, as_sent, size) ||
	       (member->alias != NULL && is_same_name(member->alias, as_sent, size));
}

static guint find_member(const struct member *table, const char *as_sent)
{
	guint i = 0;

	while (table[i].name != NULL && !is_named(&table[i], as_sent))
		i++;
	return i;
}

/* Store the members of object in home, each once. Returns FALSE if none is known. */
static gboolean read_members(
    struct tls *tls, const struct member *table, gpointer home, struct json_object *object)
{
	struct json_object_iterator at = json_object_iter_begin(object), end = json_object_iter_end(object);
	gboolean seen[MAX_ROWS] = { FALSE }, any = FALSE;

	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
		const char *as_sent = json_object_iter_peek_name(&at);
		guint i = find_member(table, as_sent);

		if (table[i].name == NULL)
			continue;
		if (strcmp(as_sent, table[i].name) != 0)
			values_note(&tls->values, NOTE_NAME, table[i].path, as_sent);
		if (seen[i])
			values_note(&tls->values, NOTE_REPEATED, table[i].path, NULL);
		else
			table[i].store(tls, &table[i], home, json_object_iter_peek_value(&at));
		seen[i] = any = TRUE;
	}
	return any;
}

/* -- texts -- */

static const char *keep_trimmed(struct tls *tls, const char *path, const char *text, gsize size)
{
	g_autofree char *clean = text_is_clean(text, size) ? NULL : text_clean(text, size, 3 * size);
	gsize max = tls->limits->max_text;

	if (clean != NULL) {
		text = clean;
		size = strlen(clean);
	}
	size = text_trim(&text, size);
	if (size > max) {
		values_note(&tls->values, NOTE_CUT, path, NULL);
		size = text_cut(text, size, max);
		size = text_trim(&text, size);
	}
	return values_keep(&tls->values, text, size);
}

static void note_type(struct tls *tls, const struct member *member, struct json_object *value)
{
	gboolean scalar =
	    !json_object_is_type(value, json_type_object) && !json_object_is_type(value, json_type_array);
	const char *raw = !scalar ? NULL : value == NULL ? "null" : json_object_get_string(value);

	if (raw != NULL)
		raw = keep_trimmed(tls, member->path, raw, strlen(raw));
	values_note(&tls->values, NOTE_TYPE, member->path, raw);
}

/* The text of a string or, noted, of another scalar; NULL, noted, when it is neither. */
static const char *text_of(struct tls *tls, const struct member *member, struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_string:
		return keep_trimmed(tls, member->path, json_object_get_string(value),
		    (gsize)json_object_get_string_len(value));
	case json_type_int:
	case json_type_double:
	case json_type_boolean:
		note_type(tls, member, value);
		return keep_trimmed(
		    tls, member->path, json_object_get_string(value), strlen(json_object_get_string(value)));
	case json_type_null:
	case json_type_object:
	case json_type_array:
		note_type(tls, member, value);
		break;
	}
	return NULL;
}

static void store_text(struct tls *tls, const struct member *member, gpointer home, struct json_object *value)
{
	*(const char **)G_STRUCT_MEMBER_P(home, member->offset) = text_of(tls, member, value);
}

static void store_token(
    struct tls *tls, const struct member *member, gpointer home, struct json_object *value)
{
	const char *text = text_of(tls, member, value);
	g_autofree char *lower = g_strdup(text);

	if (text == NULL)
		return;
	if (text_lower(lower) || !g_strv_contains(member->tokens, lower))
		values_note(&tls->values, NOTE_TOKEN, member->path, text);
	*(const char **)G_STRUCT_MEMBER_P(home, member->offset) =
	    values_keep(&tls->values, lower, strlen(lower));
}

/* NULL stays NULL. */
static const char *domain_of(struct tls *tls, const char *path, const char *text)
{
	g_autofree char *domain = text == NULL ? NULL : text_domain(text);

	if (domain == NULL)
		return text;
	values_note(&tls->values, NOTE_DOMAIN, path, text);
	return keep_trimmed(tls, path, domain, strlen(domain));
}

static void store_domain(
    struct tls *tls, const struct member *member, gpointer home, struct json_object *value)
{
	*(const char **)G_STRUCT_MEMBER_P(home, member->offset) =
	    domain_of(tls, member->path, text_of(tls, member, value));
}

static void store_address(
    struct tls *tls, const struct member *member, gpointer home, struct json_object *value)
{
	const char *text = text_of(tls, member, value);
	char canonical[TEXT_ADDRESS_SIZE];
	gboolean mapped = FALSE;

	if (text == NULL)
		return;
	if (text_address(text, canonical, &mapped))
		*(const char **)G_STRUCT_MEMBER_P(home, member->offset) =
		    values_keep(&tls->values, canonical, strlen(canonical));
	else
		mapped = TRUE;
	if (mapped)
		values_note(&tls->values, NOTE_ADDRESS, member->path, text);
}

/* -- numbers -- */

/* The text of a number; a string of digits is one, noted. */
static const char *number_of(struct tls *tls, const struct member *member, struct json_object *value)
{
	if (json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double))
		return json_object_get_string(value);
	note_type(tls, member, value);
	return json_object_is_type(value, json_type_string) ? text_of(tls, member, value) : NULL;
}

static void store_count(
    struct tls *tls, const struct member *member, gpointer home, struct json_object *value)
{
	const char *text = number_of(tls, member, value);
	gint64 count = -1;
	enum text_number kind = text == NULL ? TEXT_NOT_A_NUMBER : text_number(text, &count);

	if (text == NULL)
		return;
	if (kind != TEXT_INTEGER || count < 0)
		values_note(&tls->values, NOTE_COUNT, member->path,
		    keep_trimmed(tls, member->path, text, strlen(text)));
	*(gint64 *)G_STRUCT_MEMBER_P(home, member->offset) = kind == TEXT_FRACTION || count < 0 ? -1 : count;
}

/* -- dates (RFC 3339 section 5.6) -- */

/* Seconds since 1970, or -1; *odd: it is not as RFC 3339 has it. */
static gint64 parse_date(const char *text, gboolean *odd)
{
	gint64 epoch = -1;

	if (text_number(text, &epoch) != TEXT_NOT_A_NUMBER) {
		*odd = TRUE;
		return epoch < EPOCH_LEAST || epoch > REPORT_TIME_MAX ? -1 : epoch;
	}
	return date_iso_seconds(text, odd);
}

static void store_date(struct tls *tls, const struct member *member, gpointer home, struct json_object *value)
{
	gboolean number =
	    json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double);
	const char *text = number ? json_object_get_string(value) : text_of(tls, member, value);
	gboolean odd = FALSE;
	gint64 epoch;

	if (text == NULL)
		return;
	text = keep_trimmed(tls, member->path, text, strlen(text));
	epoch = parse_date(text, &odd);
	if (odd)
		values_note(&tls->values, NOTE_DATE, member->path, text);
	if (epoch < 0 && tls->date == NULL)
		tls->date = text;
	*(gint64 *)G_STRUCT_MEMBER_P(home, member->offset) = epoch;
}

/* -- lists and objects -- */

static void count_elements(struct tls *tls, gsize n)
{
	tls->elements += n;
	if (tls->elements > tls->limits->max_json_items && tls->reason == NULL) {
		tls->code = "limit";
		tls->reason = g_strdup_printf("more than %u policies, failure details and strings in lists",
		    tls->limits->max_json_items);
	}
}

/* The elements of a list. A value that is not an array counts as its only element, null as none. */
static gsize list_size(struct json_object *value)
{
	return json_object_is_type(value, json_type_array) ? json_object_array_length(value) : value != NULL;
}

static struct json_object *list_element(struct json_object *value, gsize i)
{
	return json_object_is_type(value, json_type_array) ? json_object_array_get_idx(value, i) : value;
}

static void keep_strings(
    struct tls *tls, const struct member *member, gpointer home, struct json_object *value, gboolean domains)
{
	gsize n = list_size(value), kept = 0;
	const char **string = g_new(const char *, MAX(n, 1));

	g_ptr_array_add(tls->arrays, string);
	for (gsize i = 0; i < n; i++) {
		const char *text = text_of(tls, member, list_element(value, i));

		if (domains)
			text = domain_of(tls, member->path, text);
		if (text != NULL)
			string[kept++] = text;
	}
	*(const char *const **)G_STRUCT_MEMBER_P(home, member->offset) = string;
	*(gsize *)G_STRUCT_MEMBER_P(home, member->n_offset) = kept;
	count_elements(tls, kept);
}

/* An array; one string is noted. */
static void store_strings(
    struct tls *tls, const struct member *member, gpointer home, struct json_object *value)
{
	if (!json_object_is_type(value, json_type_array))
		note_type(tls, member, value);
	keep_strings(tls, member, home, value, FALSE);
}

/* A string, as the text of the section has it, or an array, as its example has. */
static void store_domains(
    struct tls *tls, const struct member *member, gpointer home, struct json_object *value)
{
	if (value == NULL)
		note_type(tls, member, value);
	keep_strings(tls, member, home, value, TRUE);
}

static void store_inner(
    struct tls *tls, const struct member *member, gpointer home, struct json_object *value)
{
	if (json_object_is_type(value, json_type_object))
		read_members(tls, member->inner, home, value);
	else
		note_type(tls, member, value);
}

/* One element more of a list of objects; of no use where nothing in it is known. */
static gboolean read_element(struct tls *tls, const struct member *list, const struct member *table,
    gpointer home, struct json_object *value)
{
	if (json_object_is_type(value, json_type_object) && read_members(tls, table, home, value))
		return TRUE;
	note_type(tls, list, value);
	return FALSE;
}

#define AT(type, member) G_STRUCT_OFFSET(struct type, member)
#define END                                                                                                  \
	{                                                                                                    \
		.name = NULL                                                                                 \
	}

/* Names as RFC 8460 has them, paths as ours. */
#define MEMBER(json, folder, type, member, how)                                                              \
	.name = json, .path = folder #member, .store = how, .offset = G_STRUCT_OFFSET(struct type, member)
#define FAILURE_MEMBER(json, member, how)                                                                    \
	MEMBER(json, "policies/failure_details/", tls_failure_details, member, how)
#define POLICY_MEMBER(json, member, how)  MEMBER(json, "policies/policy/", tls_policy, member, how)
#define SUMMARY_MEMBER(json, member, how) MEMBER(json, "policies/summary/", tls_policy, member, how)
#define DATE_MEMBER(json, member, how)    MEMBER(json, "date_range/", tls_report, member, how)
#define REPORT_MEMBER(json, member, how)  MEMBER(json, "", tls_report, member, how)

static const struct member FAILURE_TABLE[] = {
	{ FAILURE_MEMBER("result-type", result_type, store_token), .tokens = RESULT_TYPES },
	{ FAILURE_MEMBER("sending-mta-ip", sending_mta_ip, store_address) },
	{ FAILURE_MEMBER("receiving-mx-hostname", receiving_mx_hostname, store_domain) },
	{ FAILURE_MEMBER("receiving-mx-helo", receiving_mx_helo, store_text) },
	{ FAILURE_MEMBER("receiving-ip", receiving_ip, store_address) },
	{ FAILURE_MEMBER("failed-session-count", failed_session_count, store_count) },
	{ FAILURE_MEMBER("additional-information", additional_information, store_text),
	    .alias = "additional-info-uri" },
	{ FAILURE_MEMBER("failure-reason-code", failure_reason_code, store_text) },
	{ .name = NULL },
};

static const struct member POLICY[] = {
	{ POLICY_MEMBER("policy-type", policy_type, store_token), .tokens = POLICY_TYPES },
	{ POLICY_MEMBER("policy-string", policy_string, store_strings),
	    .n_offset = G_STRUCT_OFFSET(struct tls_policy, n_policy_string) },
	{ POLICY_MEMBER("policy-domain", policy_domain, store_domain) },
	{ POLICY_MEMBER("mx-host", mx_host, store_domains),
	    .n_offset = G_STRUCT_OFFSET(struct tls_policy, n_mx_host), .alias = "mx-host-pattern" },
	{ .name = NULL },
};

static const struct member SUMMARY[] = {
	{ SUMMARY_MEMBER("total-successful-session-count", total_successful_session_count, store_count) },
	{ SUMMARY_MEMBER("total-failure-session-count", total_failure_session_count, store_count) },
	{ .name = NULL },
};

/* An absent count is noted like an invalid one. */
static void miss_count(struct tls *tls, const char *path, gint64 count)
{
	if (count < 0)
		values_note(&tls->values, NOTE_COUNT, path, NULL);
}

static void store_failure_details(
    struct tls *tls, const struct member *member, gpointer home, struct json_object *value)
{
	struct tls_policy *policy = home;
	gsize n = list_size(value);
	struct tls_failure_details *details = g_new0(struct tls_failure_details, MAX(n, 1));

	g_ptr_array_add(tls->arrays, details);
	policy->failure_details = details;
	if (!json_object_is_type(value, json_type_array))
		note_type(tls, member, value);
	for (gsize i = 0; i < n; i++) {
		struct tls_failure_details *next = &details[policy->n_failure_details];

		next->failed_session_count = -1;
		if (!read_element(tls, member, FAILURE_TABLE, next, list_element(value, i)))
			continue;
		miss_count(tls, "policies/failure_details/failed_session_count", next->failed_session_count);
		policy->n_failure_details++;
	}
	count_elements(tls, policy->n_failure_details);
}

static const struct member POLICIES[] = {
	{ .name = "policy", .path = "policies/policy", .store = store_inner, .inner = POLICY },
	{ .name = "summary", .path = "policies/summary", .store = store_inner, .inner = SUMMARY },
	{ .name = "failure-details", .path = "policies/failure_details", .store = store_failure_details },
	{ .name = NULL },
};

/* J1: a mail says at least what domain it is about, and that is all where no policy was found. */
static void derive_domain(struct tls *tls, struct tls_policy *policy)
{
	const char *path = "policies/policy/policy_domain";
	g_autofree char *domain = NULL;
	gboolean none_found =
	    policy->policy_type != NULL && strcmp(policy->policy_type, "no-policy-found") == 0;

	if (policy->policy_domain != NULL && *policy->policy_domain != '\0')
		return;
	if (none_found && tls->domain != NULL && *tls->domain != '\0') {
		domain = text_domain_copy(tls->domain);
		policy->policy_domain = keep_trimmed(tls, path, domain, strlen(domain));
	}
	values_note(&tls->values, NOTE_NO_DOMAIN, path, policy->policy_domain);
}

static void store_policies(
    struct tls *tls, const struct member *member, gpointer home, struct json_object *value)
{
	struct tls_report *report = home;
	gsize n = list_size(value);
	struct tls_policy *policies = g_new0(struct tls_policy, MAX(n, 1));

	g_ptr_array_add(tls->arrays, policies);
	report->policies = policies;
	if (!json_object_is_type(value, json_type_array))
		note_type(tls, member, value);
	else if (n == 0)
		values_note(&tls->values, NOTE_EMPTY, member->path, NULL);
	for (gsize i = 0; i < n; i++) {
		struct tls_policy *next = &policies[report->n_policies];

		next->total_successful_session_count = next->total_failure_session_count = -1;
		if (!read_element(tls, member, POLICIES, next, list_element(value, i)))
			continue;
		miss_count(tls, "policies/summary/total_successful_session_count",
		    next->total_successful_session_count);
		miss_count(
		    tls, "policies/summary/total_failure_session_count", next->total_failure_session_count);
		derive_domain(tls, next);
		report->n_policies++;
	}
	count_elements(tls, report->n_policies);
}

static const struct member DATES[] = {
	{ DATE_MEMBER("start-datetime", start_datetime, store_date) },
	{ DATE_MEMBER("end-datetime", end_datetime, store_date) },
	{ .name = NULL },
};

static const struct member REPORT[] = {
	{ REPORT_MEMBER("organization-name", organization_name, store_text) },
	{ .name = "date-range", .path = "date_range", .store = store_inner, .inner = DATES },
	{ REPORT_MEMBER("contact-info", contact_info, store_text) },
	{ REPORT_MEMBER("report-id", report_id, store_text) },
	{ .name = "policies", .path = "policies", .store = store_policies },
	{ .name = NULL },
};

/* -- the report -- */

static void see_name(gpointer user, const char *name, gsize size)
{
	guint *seen = user;

	for (guint i = 0; REPORT[i].name != NULL; i++)
		if (is_same_name(REPORT[i].name, name, size))
			*seen |= 1u << i;
}

static gboolean looks_like_one(guint seen)
{
	guint n = 0;

	for (; seen != 0; seen &= seen - 1)
		n++;
	return n >= LOOKS;
}

static void refuse(struct tls *tls, const char *code, char *reason)
{
	if (tls->reason != NULL)
		g_free(reason);
	else {
		tls->code = code;
		tls->reason = reason;
	}
}

/* What follows a report does not make it less whole: a list's footer, a gateway's. But what begins like
 * another one would be lost with it. */
static void judge_rest(struct tls *tls, const struct jsontext *text)
{
	gsize size = strlen(text->rest);
	const char *rest = text->rest;

	if (size == 0)
		return;
	if (*rest == '{' || *rest == '[' || *rest == ',') {
		refuse(
		    tls, "json", g_strdup("JSON behind the report: two in one text (RFC 8460 section 4.4)"));
		return;
	}
	rest = keep_trimmed(tls, "report", rest, text_cut(rest, size, REST_BYTES));
	values_note(&tls->values, NOTE_REST, "report", rest);
}

static void list_notes(struct tls *tls)
{
	tls->report.note = (const struct report_note *)(gconstpointer)tls->values.notes->data;
	tls->report.n_note = tls->values.notes->len;
}

static void judge(struct tls *tls)
{
	struct tls_report *report = &tls->report;

	if (tls->values.bytes > tls->limits->max_json)
		refuse(tls, "limit",
		    g_strdup_printf("values of more than %" G_GSIZE_FORMAT " bytes", tls->limits->max_json));
	if (tls->date != NULL)
		refuse(tls, "incomplete",
		    g_strdup_printf("date-range \"%s\": not a date (RFC 3339 section 5.6)", tls->date));
	if (report->start_datetime < 0 || report->end_datetime < 0)
		refuse(tls, "incomplete", g_strdup("no date-range (RFC 8460 section 4.4)"));
	if (report->n_policies == 0 && !values_has_note(&tls->values, NOTE_EMPTY, "policies"))
		refuse(tls, "incomplete", g_strdup("no policies (RFC 8460 section 4.4)"));
	list_notes(tls);
}

static void read_text(struct tls *tls, const struct jsontext *text)
{
	g_autoptr(GError) fault = NULL;
	struct json_object *tree = jsontext_tree(text, tls->limits, &fault);

	if (tree == NULL) {
		gboolean limit = g_error_matches(fault, RUAD_ERROR, RUAD_ERROR_LIMIT);

		refuse(tls, limit ? "limit" : "json", g_strdup_printf("TLS report: %s", fault->message));
		return;
	}
	if (text->utf16 || text->repaired)
		values_note(&tls->values, NOTE_JSON, "report", text->utf16 ? "UTF-16" : NULL);
	read_members(tls, REPORT, &tls->report, tree);
	json_object_put(tree);
	judge_rest(tls, text);
	judge(tls);
}

static struct tls *tls_new(const char *domain, const struct parser_limits *limits)
{
	struct tls *tls = g_new0(struct tls, 1);

	values_init(&tls->values, limits);
	tls->arrays = g_ptr_array_new_with_free_func(g_free);
	tls->limits = limits;
	tls->domain = domain;
	tls->report.start_datetime = tls->report.end_datetime = -1;
	return tls;
}

static void digest(const guint8 *json, gsize size, guint8 sha256[32])
{
	struct sha256_ctx state;

	sha256_init(&state);
	sha256_update(&state, size, json);
	sha256_digest(&state, 32, sha256);
}

struct tls *tls_read(const guint8 *json, gsize size, const char *domain, const struct parser_limits *limits)
{
	struct jsontext text;
	struct tls *tls = NULL;
	guint seen = 0;

	jsontext_read(&text, json, size, see_name, &seen);
	if (looks_like_one(seen)) {
		tls = tls_new(domain, limits);
		tls->items = text.items;
		digest(json, size, tls->report.sha256);
		read_text(tls, &text);
	}
	jsontext_clear(&text);
	return tls;
}

void tls_free(struct tls *tls)
{
	if (tls == NULL)
		return;
	values_clear(&tls->values);
	g_ptr_array_unref(tls->arrays);
	g_free(tls->reason);
	g_free(tls);
}

void tls_note_copy(struct tls *tls, const char *program)
{
	values_note(&tls->values, NOTE_COPY, "report", program);
	list_notes(tls);
}

const struct tls_report *tls_report(const struct tls *tls)
{
	return tls->reason == NULL ? &tls->report : NULL;
}

const char *tls_code(const struct tls *tls)
{
	return tls->code;
}

const char *tls_reason(const struct tls *tls)
{
	return tls->reason;
}

gsize tls_items(const struct tls *tls)
{
	return tls->items;
}
