/* spf_record.c - the grammar of RFC 7208 section 12. */
#include "server/dns/spf.h"

#include <string.h>

#include "parser/error.h"
#include "parser/text.h"

static const char VERSION[] = "v=spf1";

/* What may follow a mechanism's name. */
enum domain_use { NO_DOMAIN, MAY_HAVE_DOMAIN, NEEDS_DOMAIN };

static const struct mechanism {
	const char *name;
	enum spf_kind kind;
	enum domain_use domain;
	gboolean has_prefix;
} MECHANISMS[] = {
	{ "all", SPF_ALL, NO_DOMAIN, FALSE },
	{ "include", SPF_INCLUDE, NEEDS_DOMAIN, FALSE },
	{ "a", SPF_A, MAY_HAVE_DOMAIN, TRUE },
	{ "mx", SPF_MX, MAY_HAVE_DOMAIN, TRUE },
	{ "ptr", SPF_PTR, MAY_HAVE_DOMAIN, FALSE },
	{ "ip4", SPF_IP4, NEEDS_DOMAIN, TRUE },
	{ "ip6", SPF_IP6, NEEDS_DOMAIN, TRUE },
	{ "exists", SPF_EXISTS, NEEDS_DOMAIN, FALSE },
};

gboolean spf_is_record(const char *text)
{
	gsize size = strlen(VERSION);

	return g_ascii_strncasecmp(text, VERSION, size) == 0 && (text[size] == '\0' || text[size] == ' ');
}

gboolean spf_is_near(const char *text)
{
	if (spf_is_record(text))
		return FALSE;
	text += strspn(text, " \t\r\n\"'");
	return g_ascii_strncasecmp(text, VERSION, strlen(VERSION)) == 0 ||
	       g_ascii_strncasecmp(text, "spf1 ", strlen("spf1 ")) == 0;
}

/* Always FALSE. */
static gboolean fail(GError **error, const char *term, const char *why)
{
	g_autofree char *clean = text_clean_line(term, strlen(term), 200);

	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "\"%s\": %s", clean, why);
	return FALSE;
}

/* -- the parts of a term -- */

/* Remove "/bits" from the end of text, if it is there. Returns FALSE if bits is not a number up to max, or
 * has leading zeros. */
static gboolean take_bits(char *text, const char *mark, guint max, guint8 *bits)
{
	gsize size = strlen(text), digits = 0;
	guint64 value = 0;

	while (digits < size && g_ascii_isdigit(text[size - 1 - digits]))
		digits++;
	if (digits == size || size - digits < strlen(mark) ||
	    strncmp(text + size - digits - strlen(mark), mark, strlen(mark)) != 0)
		return TRUE;
	if (digits == 0 || (digits > 1 && text[size - digits] == '0') ||
	    !g_ascii_string_to_unsigned(text + size - digits, 10, 0, max, &value, NULL))
		return FALSE;
	*bits = (guint8)value;
	text[size - digits - strlen(mark)] = '\0';
	return TRUE;
}

/* The last label of a domain-spec, where it ends in no macro: letters, digits and '-', and not only digits
 * (section 7.1). */
static gboolean ends_well(const char *spec)
{
	g_autofree char *copy = g_strdup(spec);
	gsize size = strlen(copy);
	gboolean digits = TRUE;
	const char *label;

	if (size > 0 && copy[size - 1] == '}')
		return TRUE;
	if (size > 0 && copy[size - 1] == '.')
		copy[--size] = '\0';
	label = strrchr(copy, '.');
	if (label == NULL || label[1] == '\0' || label[1] == '-' || copy[size - 1] == '-')
		return FALSE;
	for (const char *at = label + 1; *at != '\0'; at++) {
		if (!g_ascii_isalnum(*at) && *at != '-')
			return FALSE;
		digits = digits && g_ascii_isdigit(*at);
	}
	return !digits;
}

static gboolean read_domain(struct spf_term *term, const char *spec, GError **error)
{
	struct ip_range ip;

	if (ip_parse(spec, &ip))
		return fail(error, term->text,
		    ip.size == 4 ? "an address needs \"ip4:\"" : "an address needs \"ip6:\"");
	if (!spf_macro_is_good(spec, FALSE) || !ends_well(spec))
		return fail(error, term->text, "there is no domain in it");
	term->domain = g_strdup(spec);
	return TRUE;
}

static gboolean read_network(struct spf_term *term, char *text, GError **error)
{
	guint size = term->kind == SPF_IP4 ? 4 : 16;
	guint8 bits = (guint8)(8 * size);
	struct ip_range address;

	if (!take_bits(text, "/", bits, &bits))
		return fail(error, term->text, "the prefix is not a number of bits");
	if (!ip_parse_sized(text, size, &address)) {
		if (ip_parse_sized(text, 20 - size, &address))
			return fail(error, term->text,
			    size == 4 ? "an IPv6 address needs \"ip6:\"" : "an IPv4 address needs \"ip4:\"");
		return fail(error, term->text, size == 4 ? "not an IPv4 network" : "not an IPv6 network");
	}
	term->network = ip_network(address, bits);
	term->host_bits = memcmp(term->network.bytes, address.bytes, size) != 0;
	return TRUE;
}

static gboolean read_prefixes(struct spf_term *term, char *rest, GError **error)
{
	if (take_bits(rest, "//", 128, &term->bits6) && take_bits(rest, "/", 32, &term->bits4))
		return TRUE;
	return fail(error, term->text, "the prefix is not a number of bits");
}

static gboolean read_mechanism(
    struct spf_term *term, const struct mechanism *mechanism, char *rest, GError **error)
{
	term->kind = mechanism->kind;
	term->bits4 = 32;
	term->bits6 = 128;
	if (mechanism->kind == SPF_IP4 || mechanism->kind == SPF_IP6)
		return *rest == ':' ? read_network(term, rest + 1, error)
				    : fail(error, term->text, "there is no address in it");
	if (mechanism->has_prefix && !read_prefixes(term, rest, error))
		return FALSE;
	if (*rest == '\0' && mechanism->domain != NEEDS_DOMAIN)
		return TRUE;
	if (mechanism->domain == NO_DOMAIN)
		return fail(error, term->text, "nothing may follow \"all\"");
	if (*rest != ':')
		return fail(error, term->text, "there is no domain in it");
	return read_domain(term, rest + 1, error);
}

/* -- terms -- */

static gsize name_size(const char *text)
{
	gsize size = 0;

	if (!g_ascii_isalpha(*text))
		return 0;
	while (g_ascii_isalnum(text[size]) || (text[size] != '\0' && strchr("-_.", text[size]) != NULL))
		size++;
	return size;
}

static gboolean is_name(const char *text, gsize size, const char *name)
{
	return strlen(name) == size && g_ascii_strncasecmp(text, name, size) == 0;
}

static gboolean read_modifier(struct spf_term *term, gsize name, GError **error)
{
	const char *value = term->text + name + 1;

	term->kind = is_name(term->text, name, "redirect") ? SPF_REDIRECT
		     : is_name(term->text, name, "exp")    ? SPF_EXP
							   : SPF_OTHER;
	if (term->kind != SPF_OTHER)
		return read_domain(term, value, error);
	return spf_macro_is_good(value, FALSE) ||
	       fail(error, term->text, "the value of a modifier cannot be like this");
}

static gboolean read_term(struct spf_term *term, GError **error)
{
	const char *text = term->text;
	gsize size = name_size(text);

	if (size > 0 && text[size] == '=')
		return read_modifier(term, size, error);
	term->qualifier = '+';
	if (*text != '\0' && strchr("+-~?", *text) != NULL)
		term->qualifier = *text++;
	size = name_size(text);
	for (gsize i = 0; i < G_N_ELEMENTS(MECHANISMS); i++) {
		g_autofree char *rest = g_strdup(text + size);

		if (is_name(text, size, MECHANISMS[i].name))
			return read_mechanism(term, &MECHANISMS[i], rest, error);
	}
	if (size > 0 && text[size] == '\0' && memchr(text, '.', size) != NULL)
		return fail(
		    error, term->text, "no such mechanism: is \"include:\" or \"a:\" missing before it?");
	return fail(error, term->text, "no such mechanism");
}

/* What must stand once, and what is looked for by name. */
static gboolean note_term(struct spf_record *record, const struct spf_term *term, GError **error)
{
	if (term->kind == SPF_ALL && record->all == NULL)
		record->all = term;
	if ((term->kind == SPF_REDIRECT && record->redirect != NULL) ||
	    (term->kind == SPF_EXP && record->exp != NULL))
		return fail(error, term->text, "the modifier may occur only once");
	if (term->kind == SPF_REDIRECT)
		record->redirect = term;
	if (term->kind == SPF_EXP)
		record->exp = term;
	return TRUE;
}

/* Words between blanks, of which there may be several. */
static guint count_terms(char **words)
{
	guint n = 0;

	for (char **word = words; *word != NULL; word++)
		n += **word != '\0' ? 1 : 0;
	return n;
}

static gboolean read_terms(char **words, struct spf_record *record, GError **error)
{
	for (char **word = words; *word != NULL; word++) {
		struct spf_term *term = &record->terms[record->n_terms];

		if (**word == '\0')
			continue;
		term->text = g_strdup(*word);
		record->n_terms++;
		if (!read_term(term, error) || !note_term(record, term, error))
			return FALSE;
	}
	return TRUE;
}

gboolean spf_record_read(const char *text, struct spf_record *record, GError **error)
{
	struct spf_record read = { 0 };
	g_auto(GStrv) words = NULL;
	guint n;

	text += strlen(VERSION);
	words = g_strsplit(text, " ", -1);
	n = count_terms(words);
	if (n > SPF_TERMS_MAX)
		return ruad_error_over_limit(error, "terms of an SPF record", SPF_TERMS_MAX);
	read.terms = g_new0(struct spf_term, n + 1);
	if (!read_terms(words, &read, error)) {
		spf_record_clear(&read);
		return FALSE;
	}
	*record = read;
	return TRUE;
}

void spf_record_clear(struct spf_record *record)
{
	for (guint i = 0; i < record->n_terms; i++) {
		g_free(record->terms[i].text);
		g_free(record->terms[i].domain);
	}
	g_clear_pointer(&record->terms, g_free);
	record->n_terms = 0;
}

const char *spf_result_word(enum spf_result result)
{
	static const char *const WORDS[] = { "none", "neutral", "pass", "fail", "softfail", "temperror",
		"permerror" };

	return WORDS[result];
}

const char *spf_state_word(enum spf_state state)
{
	static const char *const WORDS[] = { "none", "ok", "temperror", "permerror" };

	return WORDS[state];
}
