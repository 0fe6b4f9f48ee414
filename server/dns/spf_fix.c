/*
 * spf_fix.c - the SPF record that its author meant.
 *
 * Repairs the usual slips of the pen, term by term. Each term stays, in its order, with its qualifier. Gives up
 * where a word may belong to another term, or may be meant with another qualifier.
 */
#include "server/dns/spf.h"

#include <string.h>

#include "server/dns/ip.h"

/* -- signs -- */

static gboolean is_dash(gunichar sign)
{
	return (sign >= 0x2010 && sign <= 0x2015) || sign == 0x2212;
}

/* Blanks other than ' ', quotes, and what word processors make of them. */
static gboolean is_blank(gunichar sign)
{
	return sign < 0x20 || sign == 0xa0 || sign == 0x200b || sign == '"' || sign == '\'' ||
	       (sign >= 0x2018 && sign <= 0x201f);
}

/* Dashes become '-'; other blanks, quotes, and separators outside of macros become blanks. Transfer full. */
static char *plain(const char *text)
{
	GString *out = g_string_new(NULL);
	gboolean in_macro = FALSE;

	for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at)) {
		gunichar sign = g_utf8_get_char(at);

		in_macro = sign == '{' || (in_macro && sign != '}');
		if (is_dash(sign))
			g_string_append_c(out, '-');
		else if (is_blank(sign) || (!in_macro && (sign == ',' || sign == ';')))
			g_string_append_c(out, ' ');
		else
			g_string_append_unichar(out, sign);
	}
	return g_string_free(out, FALSE);
}

/* -- terms -- */

/* The mechanism for an address or network: "ip4", "ip6", or NULL. */
static const char *mechanism_of(const char *value)
{
	g_autofree char *address = g_strndup(value, strcspn(value, "/"));
	struct ip_range ip;

	if (!ip_parse(address, &ip))
		return NULL;
	return ip.size == 4 ? "ip4" : "ip6";
}

static gboolean is_one_of(const char *const *words, const char *name)
{
	for (; *words != NULL; words++)
		if (g_ascii_strcasecmp(*words, name) == 0)
			return TRUE;
	return FALSE;
}

/* Whether word begins with the name of a term and ':' or '=': "a:b.example". */
static gboolean begins_term(const char *word)
{
	static const char *const NAMES[] = { "a", "mx", "ptr", "include", "exists", "ip4", "ip6", "redirect",
		"exp", NULL };
	gsize start = strspn(word, "+-~?"), size = strcspn(word + start, ":=");
	g_autofree char *name = g_strndup(word + start, size);

	return start > 0 || (word[size] != '\0' && is_one_of(NAMES, name));
}

/* Whether the term needs the next word: "ip4:", or '-' before "all". */
static gboolean is_cut(const char *word, const char *next)
{
	gsize size = strlen(word);

	if (size > 1 && word[size - 1] == ':')
		return !begins_term(next);
	return size == 1 && strchr("+-~?", *word) != NULL && g_ascii_strcasecmp(next, "all") == 0;
}

/* A bare address belongs to the mechanism that passes; behind one that does not, it may be meant as that.
 * Transfer full. */
static char *fix_term(const char *word, gboolean passing)
{
	static const char *const MECHANISMS[] = { "a", "mx", "ptr", "include", "exists", NULL };
	static const char *const NETWORKS[] = { "ip4", "ip6", "ipv4", "ipv6", "ip", "a", NULL };
	static const char *const MODIFIERS[] = { "redirect", "exp", NULL };
	gsize start = strspn(word, "+-~?");
	const char *name_at = word + start, *value = name_at + strcspn(name_at, ":=/");
	g_autofree char *name = g_strndup(name_at, (gsize)(value - name_at));
	gboolean has_value = *value == ':' || *value == '=';
	const char *mechanism = NULL;

	if (start == 0 && passing && mechanism_of(word) != NULL)
		return g_strdup_printf("%s:%s", mechanism_of(word), word);
	if (has_value && is_one_of(NETWORKS, name))
		mechanism = mechanism_of(value + 1);
	if (mechanism != NULL)
		return g_strdup_printf("%.*s%s:%s", (int)start, word, mechanism, value + 1);
	if (*value == '=' && is_one_of(MECHANISMS, name))
		return g_strdup_printf("%.*s%s:%s", (int)start, word, name, value + 1);
	if (start == 0 && *value == ':' && is_one_of(MODIFIERS, name))
		return g_strdup_printf("%s=%s", name, value + 1);
	return g_strdup(word);
}

static void append_terms(GString *out, char **words)
{
	gboolean passing = TRUE;

	for (; *words != NULL; words++) {
		g_autofree char *joined = NULL, *term = NULL;
		char **next = words + 1;

		if (**words == '\0' || g_ascii_strcasecmp(*words, "v=spf1") == 0)
			continue;
		while (*next != NULL && **next == '\0')
			next++;
		if (*next != NULL && is_cut(*words, *next)) {
			joined = g_strconcat(*words, *next, NULL);
			words = next;
		}
		term = fix_term(joined != NULL ? joined : *words, passing);
		passing = strchr("-~?", *term) == NULL;
		g_string_append_printf(out, " %s", term);
	}
}

char *spf_fix(const char *text)
{
	g_autoptr(GString) out = g_string_new("v=spf1");
	g_autofree char *signs = plain(text);
	const char *terms = strstr(signs, "1");
	g_auto(GStrv) words = g_strsplit(terms == NULL ? "" : terms + 1, " ", -1);
	struct spf_record record;

	append_terms(out, words);
	if (terms == NULL || !spf_record_read(out->str, &record, NULL))
		return NULL;
	spf_record_clear(&record);
	return g_strdup(out->str);
}
