#include "server/cli/check_csv.h"

#include <stdio.h>
#include <string.h>

#include "server/common/visible.h"

/* -- cells -- */

static gboolean begins_formula(const char *text)
{
	return *text != '\0' && strchr("=+-@\t\r", *text) != NULL;
}

/* NULL is empty. Transfer full. */
static char *text_cell(const char *text)
{
	g_autofree char *visible = visible_text(text == NULL ? "" : text);
	g_autofree char *safe = g_strconcat(begins_formula(visible) ? "'" : "", visible, NULL);
	g_auto(GStrv) parts = NULL;
	g_autofree char *doubled = NULL;

	if (strpbrk(safe, ",\"\r\n") == NULL)
		return g_steal_pointer(&safe);
	parts = g_strsplit(safe, "\"", -1);
	doubled = g_strjoinv("\"\"", parts);
	return g_strdup_printf("\"%s\"", doubled);
}

static char *number_cell(guint number)
{
	return g_strdup_printf("%u", number);
}

/* Texts with blanks between. Transfer full. */
static char *joined_cell(GPtrArray *texts)
{
	g_autofree char *joined = NULL;

	g_ptr_array_add(texts, NULL);
	joined = g_strjoinv(" ", (char **)texts->pdata);
	return text_cell(joined);
}

/* -- columns -- */

static char *findings_cell(struct check *check, enum finding_severity severity)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new();

	for (guint i = 0; i < findings_count(check->findings); i++) {
		enum finding_code code = findings_get(check->findings, i)->code;
		const char *word = finding_code_word(code);

		if (finding_severity_of(code) == severity && !g_ptr_array_find(words, word, NULL))
			g_ptr_array_add(words, (gpointer)word);
	}
	return joined_cell(words);
}

static char *domain_cell(struct check *check)
{
	return text_cell(check->domain);
}

static char *ok_cell(struct check *check)
{
	return g_strdup(!check->answered ? "" : findings_have_error(check->findings) ? "false" : "true");
}

static char *errors_cell(struct check *check)
{
	return number_cell(findings_count_of(check->findings, FINDING_ERROR));
}

static char *warnings_cell(struct check *check)
{
	return number_cell(findings_count_of(check->findings, FINDING_WARNING));
}

static char *error_codes_cell(struct check *check)
{
	return findings_cell(check, FINDING_ERROR);
}

static char *warning_codes_cell(struct check *check)
{
	return findings_cell(check, FINDING_WARNING);
}

static char *policy_cell(struct check *check)
{
	return text_cell(check->dmarc.policy);
}

static char *subdomains_cell(struct check *check)
{
	return text_cell(check->dmarc.subdomains);
}

static char *dmarc_cell(struct check *check)
{
	return text_cell(check->dmarc.record.text);
}

static char *reports_cell(struct check *check)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new();

	for (guint i = 0; check->reports != NULL && i < check->reports->len; i++) {
		const struct check_report *report = g_ptr_array_index(check->reports, i);

		if (strcmp(report->tag, "rua") == 0)
			g_ptr_array_add(words, report->address);
	}
	return joined_cell(words);
}

static char *spf_cell(struct check *check)
{
	return text_cell(check->spf.record);
}

static char *spf_result_cell(struct check *check)
{
	return text_cell(spf_state_word(check->spf.state));
}

static char *lookups_cell(struct check *check)
{
	return number_cell(check->spf.lookups);
}

static char *dkim_cell(struct check *check)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new();

	for (guint i = 0; check->dkim != NULL && i < check->dkim->len; i++) {
		const struct check_dkim *dkim = g_ptr_array_index(check->dkim, i);

		if (dkim->key.status == DKIM_OK)
			g_ptr_array_add(words, dkim->selector);
	}
	return joined_cell(words);
}

static char *mx_cell(struct check *check)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new();

	for (guint i = 0; check->mx != NULL && i < check->mx->len; i++) {
		const struct check_mx *mx = g_ptr_array_index(check->mx, i);

		g_ptr_array_add(words, *mx->host == '\0' ? (gpointer) "." : mx->host);
	}
	return joined_cell(words);
}

static char *tls_cell(struct check *check)
{
	return text_cell(check->tls_rpt);
}

static char *sts_cell(struct check *check)
{
	return text_cell(check->sts);
}

/* The hosts with TLSA records that count, as far as is known. */
static char *tlsa_cell(struct check *check)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new();

	for (guint i = 0; check->mx != NULL && i < check->mx->len; i++) {
		const struct check_mx *mx = g_ptr_array_index(check->mx, i);
		gboolean usable = FALSE;

		for (guint j = 0; mx->tlsa != NULL && j < mx->tlsa->len; j++)
			usable |= ((const struct check_tlsa *)g_ptr_array_index(mx->tlsa, j))->usable;
		if (usable && mx->tlsa_authentic != CHECK_NO)
			g_ptr_array_add(words, mx->host);
	}
	return joined_cell(words);
}

static char *dnssec_cell(struct check *check)
{
	static const char *const SIGNED[] = { "unsigned", "signed", "" };

	return g_strdup(!check->answered                ? ""
			: check->validated == CHECK_YES ? "validated"
							: SIGNED[check->is_signed]);
}

static char *bimi_cell(struct check *check)
{
	return text_cell(check->bimi);
}

static char *blocklists_cell(struct check *check)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new();

	for (guint i = 0; check->blocklists != NULL && i < check->blocklists->len; i++) {
		const struct blocklist_result *result = g_ptr_array_index(check->blocklists, i);

		if (result->found->len > 0)
			g_ptr_array_add(words, result->zone);
	}
	return joined_cell(words);
}

static const struct {
	const char *name;
	char *(*cell)(struct check *check); /* transfer full */
} COLUMNS[] = {
	{ "domain", domain_cell },
	{ "ok", ok_cell },
	{ "errors", errors_cell },
	{ "warnings", warnings_cell },
	{ "error_codes", error_codes_cell },
	{ "warning_codes", warning_codes_cell },
	{ "policy", policy_cell },
	{ "subdomains", subdomains_cell },
	{ "rua", reports_cell },
	{ "dmarc", dmarc_cell },
	{ "spf_result", spf_result_cell },
	{ "spf_lookups", lookups_cell },
	{ "spf", spf_cell },
	{ "dkim_selectors", dkim_cell },
	{ "mx", mx_cell },
	{ "tls_rpt", tls_cell },
	{ "mta_sts", sts_cell },
	{ "blocklists", blocklists_cell },
	{ "dnssec", dnssec_cell },
	{ "tlsa", tlsa_cell },
	{ "bimi", bimi_cell },
};

void check_csv_print_head(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(COLUMNS); i++)
		printf("%s%s", i == 0 ? "" : ",", COLUMNS[i].name);
	fputs("\r\n", stdout);
}

void check_csv_print(struct check *check)
{
	for (gsize i = 0; i < G_N_ELEMENTS(COLUMNS); i++) {
		g_autofree char *cell = COLUMNS[i].cell(check);

		printf("%s%s", i == 0 ? "" : ",", cell);
	}
	fputs("\r\n", stdout);
}
