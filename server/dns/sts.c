#include "server/dns/sts.h"

#include <string.h>

#include "parser/error.h"
#include "parser/text.h"

#define MAX_AGE_MAX 31557600 /* seconds: a year (RFC 8461 section 3.2) */

/* Values as written; the first of each key counts, but each mx. */
struct lines {
	char *version, *mode, *max_age;
	GPtrArray *mx; /* char * */
};

static void take_line(struct lines *lines, char *line)
{
	char *colon = strchr(line, ':');
	const char *value;

	if (colon == NULL)
		return;
	*colon = '\0';
	value = g_strstrip(colon + 1);
	g_strstrip(line);
	if (strcmp(line, "version") == 0 && lines->version == NULL)
		lines->version = g_strdup(value);
	else if (strcmp(line, "mode") == 0 && lines->mode == NULL)
		lines->mode = g_strdup(value);
	else if (strcmp(line, "max_age") == 0 && lines->max_age == NULL)
		lines->max_age = g_strdup(value);
	else if (strcmp(line, "mx") == 0 && lines->mx->len < STS_MX_MAX)
		g_ptr_array_add(lines->mx, text_domain_copy(value));
}

static gboolean fail(GError **error, const char *why, const char *value)
{
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "%s: \"%s\"", why, value == NULL ? "" : value);
	return FALSE;
}

static const char *mode_of(const char *word)
{
	static const char *const MODES[] = { "enforce", "testing", "none" };

	for (gsize i = 0; i < G_N_ELEMENTS(MODES); i++)
		if (g_strcmp0(word, MODES[i]) == 0)
			return MODES[i];
	return NULL;
}

static gboolean judge(struct lines *lines, struct sts_policy *policy, GError **error)
{
	policy->mode = mode_of(lines->mode);
	if (g_strcmp0(lines->version, "STSv1") != 0)
		return fail(error, "version is not STSv1", lines->version);
	if (policy->mode == NULL)
		return fail(error, "mode is none of enforce, testing and none", lines->mode);
	if (lines->max_age == NULL ||
	    !g_ascii_string_to_unsigned(lines->max_age, 10, 0, MAX_AGE_MAX, &policy->max_age, NULL))
		return fail(error, "max_age is not a number of seconds up to a year", lines->max_age);
	if (lines->mx->len == 0 && strcmp(policy->mode, "none") != 0)
		return fail(error, "there is no mx", NULL);
	policy->mx = g_ptr_array_ref(lines->mx);
	return TRUE;
}

gboolean sts_policy_read(const char *text, struct sts_policy *policy, GError **error)
{
	struct lines lines = { .mx = g_ptr_array_new_with_free_func(g_free) };
	g_auto(GStrv) all = g_strsplit(text, "\n", -1);
	struct sts_policy read = { 0 };
	gboolean good;

	for (char **line = all; *line != NULL; line++)
		take_line(&lines, *line);
	good = judge(&lines, &read, error);
	if (good)
		*policy = read;
	g_free(lines.version);
	g_free(lines.mode);
	g_free(lines.max_age);
	g_ptr_array_unref(lines.mx);
	return good;
}

void sts_policy_clear(struct sts_policy *policy)
{
	g_clear_pointer(&policy->mx, g_ptr_array_unref);
}

gboolean sts_policy_allows(const struct sts_policy *policy, const char *host)
{
	const char *above = strchr(host, '.');

	for (guint i = 0; i < policy->mx->len; i++) {
		const char *pattern = g_ptr_array_index(policy->mx, i);

		if (strcmp(pattern, host) == 0)
			return TRUE;
		if (g_str_has_prefix(pattern, "*.") && above != NULL && strcmp(pattern + 1, above) == 0)
			return TRUE;
	}
	return FALSE;
}
