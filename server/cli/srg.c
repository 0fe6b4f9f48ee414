#include "server/cli/srg.h"

#include <string.h>

#include <gio/gio.h>

#include "server/cli/dumprows.h"
#include "server/common/json_writer.h"

enum table { TABLE_OTHER, TABLE_DOMAINS, TABLE_REPORTS, TABLE_RECORDS };

/* A row of table reports, and its records. */
struct report {
	char *domain_id;
	GString *metadata;  /* JSON; NULL: only records were seen */
	GString *policy;    /* JSON, without the domain, and not ended */
	GString *records;   /* JSON, an array that is not ended */
	guint64 begin, end; /* seconds since 1970; of the records, too */
};

struct srg {
	struct dumprows *rows;
	GHashTable *domains; /* id: name */
	GHashTable *reports; /* id: struct report */
	GPtrArray *order;    /* the same, as they came; owned */
	guint given;         /* of these, by srg_report() */
	guint64 bytes;
	gboolean full;
};

/* -- tables -- */

static guint table_of(gpointer user G_GNUC_UNUSED, const char *const *columns)
{
	static const struct {
		enum table table;
		const char *columns[4];
	} tables[] = {
		{ TABLE_DOMAINS, { "id", "fqdn", "active", NULL } },
		{ TABLE_REPORTS, { "domain_id", "begin_time", "external_id", NULL } },
		{ TABLE_RECORDS, { "report_id", "rcount", "dkim_align", NULL } },
	};

	for (gsize t = 0; t < G_N_ELEMENTS(tables); t++) {
		gboolean has_all = TRUE;

		for (gsize i = 0; tables[t].columns[i] != NULL; i++)
			has_all = has_all && g_strv_contains(columns, tables[t].columns[i]);
		if (has_all)
			return tables[t].table;
	}
	return TABLE_OTHER;
}

/* -- values -- */

/* A text of a column as JSON; dmarc-srg stores an absent one as NULL or as an empty text. */
static void write_text(GString *json, const char *name, const struct dumprow *row, const char *column)
{
	gsize size = 0;
	const char *value = dumprow_value(row, column, &size);
	g_autofree char *valid = size == 0 ? NULL : g_utf8_make_valid(value, (gssize)size);

	json_text_member(json, name, valid);
}

/* The word that dmarc-srg stores as a number. */
static void write_word(
    GString *json, const char *name, const struct dumprow *row, const char *column, const char *const *words)
{
	const char *value = dumprow_value(row, column, NULL);
	gboolean known = value != NULL && value[0] >= '0' && value[0] <= '2' && value[1] == '\0';

	json_text_member(json, name, known ? words[value[0] - '0'] : NULL);
}

/* An address of 4 or 16 bytes. */
static void write_address(GString *json, const struct dumprow *row)
{
	gsize size = 0;
	const guint8 *bytes = (const guint8 *)dumprow_value(row, "ip", &size);
	g_autoptr(GInetAddress) address = NULL;
	g_autofree char *text = NULL;

	if (bytes != NULL && (size == 4 || size == 16))
		address = g_inet_address_new_from_bytes(
		    bytes, size == 4 ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6);
	if (address != NULL)
		text = g_inet_address_to_string(address);
	json_text_member(json, "ip_address", text);
}

/* -- rows -- */

static struct report *report_of(struct srg *srg, const char *id)
{
	struct report *report = g_hash_table_lookup(srg->reports, id);

	if (report != NULL)
		return report;
	report = g_new0(struct report, 1);
	report->records = g_string_new(NULL);
	json_begin(report->records, '[');
	g_hash_table_insert(srg->reports, g_strdup(id), report);
	g_ptr_array_add(srg->order, report);
	return report;
}

static void take_domain(struct srg *srg, const char *id, const struct dumprow *row)
{
	gsize size = 0;
	const char *name = dumprow_value(row, "fqdn", &size);

	if (name != NULL)
		g_hash_table_replace(srg->domains, g_strdup(id), g_utf8_make_valid(name, (gssize)size));
}

static void take_report(struct srg *srg, const char *id, const struct dumprow *row)
{
	static const char *const policies[][2] = { { "adkim", "policy_adkim" }, { "aspf", "policy_aspf" },
		{ "p", "policy_p" }, { "sp", "policy_sp" }, { "np", "policy_np" }, { "pct", "policy_pct" },
		{ "fo", "policy_fo" } };
	struct report *report = report_of(srg, id);

	if (report->metadata != NULL) /* the same id twice: no dump has that */
		return;
	report->domain_id = g_strdup(dumprow_value(row, "domain_id", NULL));
	report->metadata = g_string_new(NULL);
	json_begin(report->metadata, '{');
	write_text(report->metadata, "org_name", row, "org");
	write_text(report->metadata, "org_email", row, "email");
	write_text(report->metadata, "org_extra_contact_info", row, "extra_contact_info");
	write_text(report->metadata, "report_id", row, "external_id");
	write_text(report->metadata, "interval_begin", row, "begin_time"); /* in UTC */
	write_text(report->metadata, "interval_end", row, "end_time");
	write_text(report->metadata, "errors", row, "error_string"); /* JSON in a text, as the lists below */
	json_end(report->metadata, '}');
	report->policy = g_string_new(NULL);
	json_begin(report->policy, '{');
	for (gsize i = 0; i < G_N_ELEMENTS(policies); i++)
		write_text(report->policy, policies[i][0], row, policies[i][1]);
	srg->bytes += report->metadata->len + report->policy->len;
}

static void write_verdict(GString *json, const struct dumprow *row)
{
	static const char *const dispositions[] = { "reject", "quarantine", "none" };
	static const char *const alignments[] = { "fail", NULL, "pass" };

	json_name(json, "policy_evaluated");
	json_begin(json, '{');
	write_word(json, "disposition", row, "disposition", dispositions);
	write_word(json, "dkim", row, "dkim_align", alignments);
	write_word(json, "spf", row, "spf_align", alignments);
	write_text(json, "policy_override_reasons", row, "reason");
	json_end(json, '}');
}

static void take_record(struct srg *srg, const char *id, const struct dumprow *row)
{
	struct report *report = report_of(srg, id);
	GString *json = report->records;
	gsize before = json->len;

	json_begin(json, '{');
	json_name(json, "source");
	json_begin(json, '{');
	write_address(json, row);
	json_end(json, '}');
	write_text(json, "count", row, "rcount");
	write_verdict(json, row);
	json_name(json, "identifiers");
	json_begin(json, '{');
	write_text(json, "header_from", row, "header_from");
	write_text(json, "envelope_from", row, "envelope_from");
	write_text(json, "envelope_to", row, "envelope_to");
	json_end(json, '}');
	json_name(json, "auth_results");
	json_begin(json, '{');
	write_text(json, "dkim", row, "dkim_auth");
	write_text(json, "spf", row, "spf_auth");
	json_end(json, '}');
	json_end(json, '}');
	srg->bytes += json->len - before;
}

static void take_row(gpointer user, guint kind, const struct dumprow *row)
{
	struct srg *srg = user;
	const char *id = dumprow_value(row, kind == TABLE_RECORDS ? "report_id" : "id", NULL);

	srg->full = srg->full || srg->bytes > SRG_MOST;
	if (id == NULL || srg->full)
		return;
	srg->bytes += sizeof(struct report) + strlen(id);
	if (kind == TABLE_DOMAINS)
		take_domain(srg, id, row);
	else if (kind == TABLE_REPORTS)
		take_report(srg, id, row);
	else
		take_record(srg, id, row);
}

/* -- the interface -- */

static void free_report(gpointer data)
{
	struct report *report = data;

	g_free(report->domain_id);
	if (report->metadata != NULL)
		g_string_free(report->metadata, TRUE);
	if (report->policy != NULL)
		g_string_free(report->policy, TRUE);
	g_string_free(report->records, TRUE);
	g_free(report);
}

struct srg *srg_new(void)
{
	struct srg *srg = g_new0(struct srg, 1);

	srg->rows = dumprows_new(table_of, take_row, srg);
	srg->domains = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	srg->reports = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	srg->order = g_ptr_array_new_with_free_func(free_report);
	return srg;
}

void srg_free(struct srg *srg)
{
	if (srg == NULL)
		return;
	dumprows_free(srg->rows);
	g_hash_table_unref(srg->domains);
	g_hash_table_unref(srg->reports);
	g_ptr_array_unref(srg->order);
	g_free(srg);
}

void srg_next(struct srg *srg, char byte)
{
	dumprows_next(srg->rows, byte);
}

static GBytes *print_report(const struct srg *srg, const struct report *report)
{
	const char *domain =
	    report->domain_id != NULL ? g_hash_table_lookup(srg->domains, report->domain_id) : NULL;
	GString *json = g_string_new(NULL);

	json_begin(json, '{');
	json_text_member(json, "copy_of", "dmarc-srg");
	json_name(json, "report_metadata");
	g_string_append(json, report->metadata->str);
	json_name(json, "policy_published");
	g_string_append(json, report->policy->str);
	json_text_member(json, "domain", domain);
	json_end(json, '}');
	json_name(json, "records");
	g_string_append_len(json, report->records->str, (gssize)report->records->len);
	json_end(json, ']');
	json_end(json, '}');
	return g_string_free_to_bytes(json);
}

GBytes *srg_report(struct srg *srg)
{
	while (srg->given < srg->order->len) {
		const struct report *report = srg->order->pdata[srg->given++];

		if (report->metadata != NULL)
			return print_report(srg, report);
	}
	return NULL;
}

gboolean srg_is_full(const struct srg *srg)
{
	return srg->full;
}
