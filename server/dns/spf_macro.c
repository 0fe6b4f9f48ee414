/* spf_macro.c - macros in domain-specs (RFC 7208 section 7). */
#include "server/dns/spf.h"

#include <string.h>

#include "parser/text.h"

#define PARTS_KEPT_MAX 128  /* more labels than a name can have */
#define EXPANDED_MAX   8192 /* bytes put together at a time: only the last 253 are used */

/* %{letter digits r delimiters} */
struct macro {
	char letter; /* in small */
	gboolean escaped;
	guint keep; /* of the parts, from the right; 0: all */
	gboolean reversed;
	char delimiters[8]; /* "." where none are given */
};

/* Read the macro that begins with "%{" at text. Returns its size, or 0 if it is invalid. */
static gsize read_macro(const char *text, gboolean is_exp, struct macro *macro)
{
	const char *letters = is_exp ? "slodipvhcrt" : "slodipvh";
	const char *at = text + strlen("%{");
	gsize delimiters;

	*macro = (struct macro){ .letter = g_ascii_tolower(*at), .escaped = g_ascii_isupper(*at) };
	if (*at == '\0' || strchr(letters, macro->letter) == NULL)
		return 0;
	at++;
	if (g_ascii_isdigit(*at)) {
		for (; g_ascii_isdigit(*at); at++)
			macro->keep = MIN(10 * macro->keep + (guint)(*at - '0'), PARTS_KEPT_MAX);
		if (macro->keep == 0)
			return 0;
	}
	if (g_ascii_tolower(*at) == 'r') {
		macro->reversed = TRUE;
		at++;
	}
	delimiters = strspn(at, ".-+,/_=");
	g_strlcpy(macro->delimiters, ".", sizeof(macro->delimiters));
	for (gsize i = 0, n = 0; i < delimiters; i++)
		if (n == 0 || strchr(macro->delimiters, at[i]) == NULL) {
			macro->delimiters[n++] = at[i];
			macro->delimiters[n] = '\0';
		}
	at += delimiters;
	return *at == '}' ? (gsize)(at + 1 - text) : 0;
}

/* Bytes of the next piece of a macro-string: a macro, an escape ("%%") or one visible character; 0: it is
 * none. */
static gsize piece_size(const char *text, gboolean is_exp, struct macro *macro)
{
	macro->letter = '\0';
	if (*text != '%')
		return g_ascii_isgraph(*text) || (is_exp && *text == ' ') ? 1 : 0;
	if (text[1] == '{')
		return read_macro(text, is_exp, macro);
	return text[1] != '\0' && strchr("%_-", text[1]) != NULL ? 2 : 0;
}

gboolean spf_macro_is_good(const char *text, gboolean is_exp)
{
	while (*text != '\0') {
		struct macro macro;
		gsize size = piece_size(text, is_exp, &macro);

		if (size == 0)
			return FALSE;
		text += size;
	}
	return TRUE;
}

gboolean spf_macro_needs_name(const char *text)
{
	while (*text != '\0') {
		struct macro macro;
		gsize size = piece_size(text, FALSE, &macro);

		if (size == 0 || macro.letter == 'p')
			return size != 0;
		text += size;
	}
	return FALSE;
}

/* -- values -- */

/* An address in the form of %{i}: IPv6 as nibbles with dots between (section 7.3). */
static char *dotted(const struct ip_range *ip)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < ip->size; i++) {
		if (ip->size == 4)
			g_string_append_printf(text, "%s%u", i == 0 ? "" : ".", ip->bytes[i]);
		else
			g_string_append_printf(
			    text, "%s%x.%x", i == 0 ? "" : ".", ip->bytes[i] >> 4, ip->bytes[i] & 15U);
	}
	return g_string_free(text, FALSE);
}

/* Transfer full; NULL: it is not known. */
static char *value_of(
    char letter, const struct spf_identity *identity, const char *domain, const char *validated)
{
	switch (letter) {
	case 's':
		return identity->local == NULL || identity->sender_domain == NULL
			   ? NULL
			   : g_strconcat(identity->local, "@", identity->sender_domain, NULL);
	case 'l':
		return g_strdup(identity->local);
	case 'o':
		return g_strdup(identity->sender_domain);
	case 'd':
		return g_strdup(domain);
	case 'i':
		return identity->ip == NULL ? NULL : dotted(identity->ip);
	case 'v':
		return identity->ip == NULL ? NULL : g_strdup(identity->ip->size == 4 ? "in-addr" : "ip6");
	case 'p':
		return g_strdup(validated);
	case 'h':
		return g_strdup(identity->helo);
	default:
		return NULL; /* those of an explanation are not asked for */
	}
}

/* Split, reverse, keep the last ones, join by dots (section 7.3). */
static void append_parts(GString *out, const char *value, const struct macro *macro)
{
	g_auto(GStrv) parts = g_strsplit_set(value, macro->delimiters, -1);
	g_autoptr(GString) joined = g_string_new(NULL);
	guint n = g_strv_length(parts);
	guint first = macro->keep == 0 || macro->keep > n ? 0 : n - macro->keep;

	for (guint i = first; i < n; i++)
		g_string_append_printf(
		    joined, "%s%s", i == first ? "" : ".", parts[macro->reversed ? n - 1 - i : i]);
	if (macro->escaped)
		g_string_append_uri_escaped(out, joined->str, NULL, FALSE);
	else
		g_string_append(out, joined->str);
}

/* A name that is too long loses labels on the left (section 7.3). */
static char *shortened(const char *name)
{
	gsize size = strlen(name);
	const char *at = name;

	while (size - (gsize)(at - name) > TEXT_DOMAIN_MAX) {
		const char *dot = strchr(at, '.');

		if (dot == NULL)
			break;
		at = dot + 1;
	}
	return g_ascii_strdown(at, -1);
}

char *spf_macro_expand(
    const char *text, const struct spf_identity *identity, const char *domain, const char *validated)
{
	g_autoptr(GString) out = g_string_new(NULL);

	while (*text != '\0') {
		struct macro macro;
		gsize size = piece_size(text, FALSE, &macro);

		if (size == 0)
			return NULL;
		if (macro.letter != '\0') {
			g_autofree char *value = value_of(macro.letter, identity, domain, validated);

			if (value == NULL)
				return NULL;
			append_parts(out, value, &macro);
		} else if (size == 1) {
			g_string_append_c(out, *text);
		} else {
			g_string_append(out, text[1] == '%' ? "%" : text[1] == '_' ? " " : "%20");
		}
		if (out->len > EXPANDED_MAX)
			g_string_erase(out, 0, (gssize)(out->len - EXPANDED_MAX / 2));
		text += size;
	}
	if (out->len > 0 && out->str[out->len - 1] == '.')
		g_string_truncate(out, out->len - 1);
	return shortened(out->str);
}
