#include "parser/authentic.h"

#include "parser/orgdomain.h"
#include "parser/scan.h"
#include "parser/text.h"

#include <string.h>

#define VALUE_MAX_BYTES 1024 /* of an address that is looked at: 253 characters, 64 before '@' */

/* -- tokens: RFC 8601 section 2.2 -- */

/* value, or the address of a pvalue: words and strings without blanks between them. */
static void read_value(struct scan *scan, GString *value)
{
	g_string_truncate(value, 0);
	scan_blank(scan);
	while (*scan->at != '\0' && *scan->at != ';' && *scan->at != '(' && !text_is_space(*scan->at)) {
		if (*scan->at == '"')
			scan_quoted(scan, value);
		else
			g_string_append_c(value, *scan->at++);
	}
}

/* Joins the words of "header.from" and "dkim/1". */
static gboolean is_joint(char c)
{
	return c == '.' || c == '/';
}

/* Read a key in lower case, and skip the '=' after it. Returns FALSE if there is a word without '=', which is
 * skipped, or if this is ';' or the end. */
static gboolean read_key(struct scan *scan, GString *key)
{
	gsize size;

	g_string_truncate(key, 0);
	do {
		scan_blank(scan);
		size = strcspn(scan->at, " \t\r\n;=(\"");
		g_string_append_len(key, scan->at, (gssize)size);
		scan->at += size;
		scan_blank(scan);
	} while (size > 0 && (is_joint(*scan->at) || is_joint(key->str[key->len - 1])));
	text_lower(key->str);
	if (*scan->at == '=') {
		scan->at++;
		return TRUE;
	}
	if (size == 0 && *scan->at == '"')
		scan_quoted(scan, key);
	return FALSE;
}

static gboolean at_end_of_result(struct scan *scan)
{
	scan_blank(scan);
	return *scan->at == '\0' || *scan->at == ';';
}

/* -- results -- */

static const struct method {
	const char *name;
	const char *property; /* that names what was authenticated */
	const char *second;   /* where that is not there */
} METHODS[] = {
	{ "dmarc", "header.from", NULL },
	{ "dkim", "header.d", "header.i" },
	{ "spf", "smtp.mailfrom", NULL },
};

struct judge {
	const char *from;
	struct orgdomains *orgdomains;
	/* dmarc */
	gboolean dmarc_pass, dmarc_fail, dmarc_error;
	/* dkim and spf */
	gboolean said, pass, error;
};

/* The domain of an address, or a domain, as a lower-case A-label name; or NULL. */
static char *domain_of(const GString *value)
{
	const char *at = strrchr(value->str, '@');
	g_autofree char *bare = NULL;
	char *domain;

	if (value->len > VALUE_MAX_BYTES)
		return NULL;
	bare = g_strdup(at == NULL ? value->str : at + 1);
	g_strdelimit(bare, "<>", ' ');
	domain = text_domain_copy(g_strstrip(bare));
	if (*domain == '\0' || strlen(domain) > TEXT_DOMAIN_MAX)
		g_clear_pointer(&domain, g_free);
	return domain;
}

static gboolean is_aligned(const struct judge *judge, const char *domain)
{
	const char *org = orgdomain_of(judge->orgdomains, domain);

	return strcmp(domain, judge->from) == 0 ||
	       strcmp(org, orgdomain_of(judge->orgdomains, judge->from)) == 0;
}

static void judge_dmarc(struct judge *judge, const char *result, const char *domain)
{
	gboolean of_from = domain == NULL || strcmp(domain, judge->from) == 0;

	if (strcmp(result, "pass") == 0 && of_from)
		judge->dmarc_pass = TRUE;
	else if (strcmp(result, "pass") == 0 || strcmp(result, "fail") == 0)
		judge->dmarc_fail = TRUE;
	else if (strcmp(result, "temperror") == 0 || strcmp(result, "permerror") == 0)
		judge->dmarc_error = TRUE;
}

static void judge_identifier(struct judge *judge, const char *result, const char *domain)
{
	gboolean aligned = domain != NULL && is_aligned(judge, domain);

	judge->said = TRUE;
	if (aligned && strcmp(result, "pass") == 0)
		judge->pass = TRUE;
	if ((aligned || domain == NULL) && strcmp(result, "temperror") == 0)
		judge->error = TRUE;
}

static enum authentic verdict_of(const struct judge *judge)
{
	if (judge->dmarc_fail)
		return AUTHENTIC_FAIL;
	if (judge->dmarc_pass)
		return AUTHENTIC_PASS;
	if (judge->dmarc_error)
		return AUTHENTIC_NONE;
	if (judge->pass)
		return AUTHENTIC_PASS;
	return judge->error || !judge->said ? AUTHENTIC_NONE : AUTHENTIC_FAIL;
}

/* "dkim", "dkim/1": another version means something else. */
static const struct method *find_method(const char *key)
{
	for (gsize i = 0; i < G_N_ELEMENTS(METHODS); i++) {
		gsize size = strlen(METHODS[i].name);

		if (strncmp(key, METHODS[i].name, size) == 0 &&
		    (key[size] == '\0' || strcmp(key + size, "/1") == 0))
			return &METHODS[i];
	}
	return NULL;
}

/* Of the properties up to the next result, the value of the one that counts is left in identity. */
static void read_properties(
    struct scan *scan, const struct method *method, GString *key, GString *value, GString *identity)
{
	g_string_truncate(identity, 0);
	while (!at_end_of_result(scan)) {
		if (!read_key(scan, key))
			continue;
		read_value(scan, value);
		if (method == NULL)
			continue;
		if (strcmp(key->str, method->property) == 0 ||
		    (identity->len == 0 && g_strcmp0(key->str, method->second) == 0))
			g_string_assign(identity, value->str);
	}
}

/* One method with its result and properties, behind ';'. */
static void read_result(
    struct scan *scan, struct judge *judge, GString *key, GString *value, GString *identity)
{
	const struct method *method = NULL;
	g_autofree char *result = NULL, *domain = NULL;

	if (!at_end_of_result(scan) && read_key(scan, key)) {
		method = find_method(key->str);
		read_value(scan, value);
		result = g_ascii_strdown(value->str, -1);
	}
	read_properties(scan, method, key, value, identity);
	if (method == NULL)
		return;
	domain = domain_of(identity);
	if (method == &METHODS[0])
		judge_dmarc(judge, result, domain);
	else
		judge_identifier(judge, result, domain);
}

static enum authentic read_results(struct scan *scan, const char *from)
{
	struct judge judge = { .from = from, .orgdomains = orgdomains_new() };
	GString *key = g_string_new(NULL), *value = g_string_new(NULL), *identity = g_string_new(NULL);

	read_properties(scan, NULL, key, value, identity); /* the version, or what else may stand there */
	while (*scan->at == ';') {
		scan->at++;
		read_result(scan, &judge, key, value, identity);
	}
	g_string_free(key, TRUE);
	g_string_free(value, TRUE);
	g_string_free(identity, TRUE);
	orgdomains_free(judge.orgdomains);
	return scan->broken ? AUTHENTIC_NONE : verdict_of(&judge);
}

gboolean authentic_read(const char *field, const char *authserv_id, const char *from, enum authentic *verdict)
{
	struct scan scan = { .at = field };
	GString *id = g_string_new(NULL);
	gboolean ours;

	read_value(&scan, id);
	ours = id->len > 0 && g_ascii_strcasecmp(id->str, authserv_id) == 0;
	g_string_free(id, TRUE);
	if (ours)
		*verdict = from == NULL ? AUTHENTIC_NONE : read_results(&scan, from);
	return ours;
}
