#include "server/web/metrics.h"

#include <json-c/json.h>

#define CLASSES 5 /* of status: 1xx to 5xx */

static const struct vitals *vitals; /* set once, at the start */
static struct errands *errands;     /* likewise */
static guint64 answered[CLASSES];
static GMutex lock; /* protects answered */

void metrics_init(const struct vitals *of_ingest, struct errands *of_others)
{
	vitals = of_ingest;
	errands = of_others;
}

void metrics_count(guint status)
{
	guint class = CLAMP(status / 100, 1, CLASSES);

	g_mutex_lock(&lock);
	answered[class - 1]++;
	g_mutex_unlock(&lock);
}

static void append_head(GString *text, const char *name, const char *type, const char *help)
{
	g_string_append_printf(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void append_number(GString *text, const char *name, const char *type, const char *help, gint64 value)
{
	append_head(text, name, type, help);
	g_string_append_printf(text, "%s %" G_GINT64_FORMAT "\n", name, value);
}

/* name="value", escaped as the format requires. */
static void append_label(GString *text, const char *name, const char *value)
{
	g_string_append_printf(text, "%s=\"", name);
	for (const char *at = value != NULL ? value : ""; *at != '\0'; at++) {
		if (*at == '\\' || *at == '"')
			g_string_append_c(text, '\\');
		if (*at == '\n')
			g_string_append(text, "\\n");
		else
			g_string_append_c(text, *at);
	}
	g_string_append_c(text, '"');
}

static void append_process(GString *text, int schema)
{
	guint64 counts[CLASSES];

	g_mutex_lock(&lock);
	for (guint i = 0; i < CLASSES; i++)
		counts[i] = answered[i];
	g_mutex_unlock(&lock);
	append_head(text, "ruad_build_info", "gauge", "What this program is: always 1.");
	g_string_append_printf(
	    text, "ruad_build_info{version=\"" RUAD_VERSION "\",schema=\"%d\"} 1\n", schema);
	append_head(text, "ruad_http_requests_total", "counter",
	    "Requests answered since the start, by class of status.");
	for (guint i = 0; i < CLASSES; i++)
		g_string_append_printf(text,
		    "ruad_http_requests_total{code=\"%uxx\"} %" G_GUINT64_FORMAT "\n", i + 1, counts[i]);
}

/* -- ruad-ingest -- */

static void append_replies(GString *text)
{
	append_head(text, "ruad_lmtp_replies_total", "counter",
	    "Replies sent to LMTP clients by code, without those to LHLO.");
	for (guint code = VITALS_CODE_MIN; code <= VITALS_CODE_MAX; code++) {
		gint64 n = vitals_replies(vitals, code);

		if (n > 0)
			g_string_append_printf(
			    text, "ruad_lmtp_replies_total{code=\"%u\"} %" G_GINT64_FORMAT "\n", code, n);
	}
}

static void append_outcomes(GString *text)
{
	static const struct {
		enum vital vital;
		const char *outcome;
	} rows[] = {
		{ VITAL_STORED, "stored" },
		{ VITAL_DUPLICATES, "duplicate" },
		{ VITAL_CONFLICTS, "conflict" },
		{ VITAL_UNREADABLE, "unreadable" },
	};

	append_head(text, "ruad_ingested_total", "counter",
	    "What was found in the mails of committed transactions, by what became of it.");
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		g_string_append_printf(text, "ruad_ingested_total{outcome=\"%s\"} %" G_GINT64_FORMAT "\n",
		    rows[i].outcome, vitals_get(vitals, rows[i].vital));
}

/* Microseconds as seconds, without an exponent and independent of the locale. */
static void append_seconds(GString *text, gint64 time)
{
	g_string_append_printf(
	    text, "%" G_GINT64_FORMAT ".%06d", time / G_USEC_PER_SEC, (int)(time % G_USEC_PER_SEC));
}

/* The classes are read from the first to the last, and the count is the last one: never less than them. */
static void append_times(GString *text)
{
	append_head(text, "ruad_write_duration_seconds", "histogram",
	    "Duration of the transactions that store mails, with their commit.");
	for (guint i = 0; i < VITALS_BOUNDS; i++) {
		g_string_append(text, "ruad_write_duration_seconds_bucket{le=\"");
		append_seconds(text, vitals_bound(i));
		g_string_append_printf(text, "\"} %" G_GINT64_FORMAT "\n", vitals_times(vitals, i));
	}
	gint64 all = vitals_times(vitals, VITALS_BOUNDS);
	g_string_append_printf(
	    text, "ruad_write_duration_seconds_bucket{le=\"+Inf\"} %" G_GINT64_FORMAT "\n", all);
	g_string_append(text, "ruad_write_duration_seconds_sum ");
	append_seconds(text, vitals_times_sum(vitals));
	g_string_append_printf(text, "\nruad_write_duration_seconds_count %" G_GINT64_FORMAT "\n", all);
}

static void append_ingest(GString *text)
{
	static const struct {
		enum vital vital;
		const char *name, *type, *help;
	} rows[] = {
		{ VITAL_SESSIONS, "ruad_lmtp_sessions_total", "counter",
		    "LMTP connections that were accepted." },
		{ VITAL_SESSIONS_REFUSED, "ruad_lmtp_sessions_refused_total", "counter",
		    "LMTP connections that were answered 421 at once, because too many were open." },
		{ VITAL_SESSIONS_OPEN, "ruad_lmtp_sessions", "gauge", "LMTP connections that are open." },
		{ VITAL_PARSER_FAILURES, "ruad_parser_failures_total", "counter",
		    "Documents whose parser ended, hung, or answered wrongly; the mail is quarantined." },
		{ VITAL_MAILS_WAITING, "ruad_mails_waiting", "gauge",
		    "Mails that are parsed and wait for their transaction." },
		{ VITAL_MAILS_WRITTEN, "ruad_mails_written_total", "counter",
		    "Mails in committed transactions; divided by the count of ruad_write_duration_seconds: "
		    "mails in a "
		    "transaction." },
		{ VITAL_WRITES_FAILED, "ruad_writes_failed_total", "counter",
		    "Transactions with mails that failed; the clients keep the mails." },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		append_number(
		    text, rows[i].name, rows[i].type, rows[i].help, vitals_get(vitals, rows[i].vital));
	append_number(text, "ruad_mails_not_stored_seconds", "gauge",
	    "For how long no mail could be stored that came; 0: the last one was.",
	    MAX(vitals_failing(vitals), 0));
	append_outcomes(text);
	append_replies(text);
	append_times(text);
}

/* -- ruad-fetch and ruad-notify -- */

static const struct errand_row {
	gboolean of_notify;
	enum errand_count count; /* ERRAND_COUNTS: the time of the last success */
	const char *name, *help;
} errand_rows[] = {
	{ FALSE, ERRAND_DONE, "ruad_fetch_mails_total", "Mails that ruad-fetch took and ruad has stored." },
	{ FALSE, ERRAND_REFUSED, "ruad_fetch_mails_refused_total",
	    "Mails that ruad refused, and that ruad-fetch marked." },
	{ FALSE, ERRAND_LATER, "ruad_fetch_mails_later_total",
	    "Attempts with a mail that could not be stored then; they are repeated." },
	{ FALSE, ERRAND_FAILED, "ruad_fetch_failures_total",
	    "Failures of ruad-fetch to look for mail: no connection, no access." },
	{ FALSE, ERRAND_COUNTS, "ruad_fetch_last_success_timestamp_seconds",
	    "When ruad-fetch looked for mail without a failure last, in seconds since 1970." },
	{ TRUE, ERRAND_DONE, "ruad_notify_messages_total", "Messages that their destination has accepted." },
	{ TRUE, ERRAND_LATER, "ruad_notify_messages_later_total",
	    "Attempts to send a message that failed; they are repeated for a week." },
	{ TRUE, ERRAND_FAILED, "ruad_notify_failures_total",
	    "Rounds of ruad-notify that failed, as the database did not answer." },
	{ TRUE, ERRAND_COUNTS, "ruad_notify_last_success_timestamp_seconds",
	    "When a round of ruad-notify ended without a failure last, in seconds since 1970." },
};

/* Append the sample of one program; a time that is not known is left out. *head: its family has none yet. */
static void append_errand(GString *text, const struct errand_row *row, const struct errand *errand,
    const char *name, gboolean *head)
{
	gboolean is_time = row->count == ERRAND_COUNTS;
	gint64 value = is_time ? errand_succeeded_at(errand) : errand_get(errand, row->count);

	if (is_time && value == 0)
		return;
	if (*head)
		append_head(text, row->name, is_time ? "gauge" : "counter", row->help);
	*head = FALSE;
	g_string_append(text, row->name);
	if (!row->of_notify) {
		g_string_append_c(text, '{');
		append_label(text, "source", name);
		g_string_append_c(text, '}');
	}
	g_string_append_printf(text, " %" G_GINT64_FORMAT "\n", value);
}

static void append_errands(GString *text, const struct errand_row *row)
{
	const struct errand *errand;
	gboolean head = TRUE;

	for (int i = 0; (errand = errands_get(errands, i)) != NULL; i++) {
		g_autofree char *name = errand_name(errand);

		if (g_str_equal(name, ERRAND_NOTIFY) == row->of_notify)
			append_errand(text, row, errand, name, &head);
	}
}

/* -- the database -- */

static gint64 integer(json_object *object, const char *name)
{
	return json_object_get_int64(json_object_object_get(object, name));
}

static const char *string(json_object *object, const char *name)
{
	return json_object_get_string(json_object_object_get(object, name));
}

/* A gauge with a sample for each object of the array. labels: members that are its labels, NULL-terminated.
 * value: the member that is its value. */
static void append_each(GString *text, const char *name, const char *help, json_object *array,
    const char *const *labels, const char *value)
{
	gsize n = json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;

	append_head(text, name, "gauge", help);
	for (gsize i = 0; i < n; i++) {
		json_object *object = json_object_array_get_idx(array, i);

		g_string_append_printf(text, "%s{", name);
		for (gsize j = 0; labels[j] != NULL; j++) {
			if (j > 0)
				g_string_append_c(text, ',');
			append_label(text, labels[j], string(object, labels[j]));
		}
		g_string_append_printf(text, "} %" G_GINT64_FORMAT "\n", integer(object, value));
	}
}

/* Values that shrink when ruad prune removes old data, so none is a counter. One that is null is left out. */
static void append_database(GString *text, json_object *numbers)
{
	static const struct {
		const char *member, *name, *help;
	} rows[] = {
		{ "mails", "ruad_mails", "Mails that are known: received and not removed by ruad prune." },
		{ "last_prune_at", "ruad_last_prune_timestamp_seconds",
		    "Time of the last ruad prune that removed something, in seconds since 1970." },
		{ "last_dump_at", "ruad_last_backup_timestamp_seconds",
		    "Time of the last ruad database dump that succeeded, in seconds since 1970." },
		{ "addresses", "ruad_addresses", "Addresses that reports name." },
		{ "addresses_waiting", "ruad_addresses_waiting", "Addresses that were not looked up yet." },
		{ "domains_checked", "ruad_domains_checked", "Domains whose DNS was checked." },
		{ "domains_failing", "ruad_domains_failing",
		    "Domains whose last check of the DNS found an error." },
		{ "oldest_check_at", "ruad_oldest_domain_check_timestamp_seconds",
		    "Time of the check of the domain that has waited longest for another, in seconds since "
		    "1970." },
		{ "messages_waiting", "ruad_messages_waiting",
		    "Messages of ruad-notify that their destination has not accepted yet." },
		{ "oldest_message_at", "ruad_oldest_message_timestamp_seconds",
		    "Time at which the oldest of these was made, in seconds since 1970." },
	};

	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (json_object_object_get(numbers, rows[i].member) != NULL)
			append_number(
			    text, rows[i].name, "gauge", rows[i].help, integer(numbers, rows[i].member));
	append_each(text, "ruad_items",
	    "What was found in the mails that are known, by kind and by what became of it.",
	    json_object_object_get(numbers, "items"), (const char *const[]){ "kind", "status", NULL }, "n");
	append_each(text, "ruad_notices",
	    "Conditions of which notices are sent that are present, by severity.",
	    json_object_object_get(numbers, "notices"), (const char *const[]){ "severity", NULL }, "n");
	append_each(text, "ruad_last_report_timestamp_seconds",
	    "Time of receipt of the newest report of a kind, in seconds since 1970.",
	    json_object_object_get(numbers, "last_reports"), (const char *const[]){ "kind", NULL }, "at");
}

GBytes *metrics_print(int schema, GBytes *database)
{
	GString *text = g_string_new(NULL);
	gsize size = 0;
	const char *json = database != NULL ? g_bytes_get_data(database, &size) : NULL;
	json_tokener *tokener = json_tokener_new();
	json_object *numbers = json != NULL ? json_tokener_parse_ex(tokener, json, (int)size) : NULL;

	append_process(text, schema);
	if (vitals != NULL)
		append_ingest(text);
	for (gsize i = 0; i < G_N_ELEMENTS(errand_rows); i++)
		append_errands(text, &errand_rows[i]);
	append_number(
	    text, "ruad_database_up", "gauge", "1 when the database answered just now.", numbers != NULL);
	if (numbers != NULL)
		append_database(text, numbers);
	json_object_put(numbers);
	json_tokener_free(tokener);
	return g_string_free_to_bytes(text);
}
