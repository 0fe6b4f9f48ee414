/*
 * dmarc_fix.c - the DMARC record that its author meant.
 *
 * Reads more than receivers do: tags without ';', addresses without "mailto:". Gives up where a policy or an
 * address would be lost, or where the author may have meant less than the result enforces.
 */
#include "server/dns/dmarc.h"

#include <string.h>

#include "parser/text.h"
#include "server/dns/tags.h"

enum { TAG_P, TAG_SP, TAG_NP, TAG_ADKIM, TAG_ASPF, TAG_FO, TAG_PSD, TAG_T, TAGS_KEPT };

/* In the order of TAG_P...; the rest have no value that is kept. */
static const char *const NAMES[] = { "p", "sp", "np", "adkim", "aspf", "fo", "psd", "t", "rua", "ruf", "v",
	"pct", "rf", "ri" };

#define RUA TAGS_KEPT
#define RUF (TAGS_KEPT + 1)
#define PCT (TAGS_KEPT + 3)

struct fix {
	char *value[TAGS_KEPT];
	GPtrArray *uris[2]; /* char *: of rua and ruf */
	guint last;         /* index of the last tag in NAMES */
	gboolean unclear;   /* something that the author wrote would be lost */
	gboolean no_below;  /* sp or np has an invalid value */
	guint pct;          /* the smallest; 100 if absent */
	gboolean bad_pct;   /* pct has no number */
};

/* Index in NAMES of the name with size bytes; G_N_ELEMENTS(NAMES) if it is not a tag. */
static guint find_name(const char *name, gsize size)
{
	guint i = 0;

	while (i < G_N_ELEMENTS(NAMES) &&
	       (strlen(NAMES[i]) != size || g_ascii_strncasecmp(NAMES[i], name, size) != 0))
		i++;
	return i;
}

/* -- the text into tags -- */

/* The text behind "v=DMARC1" in any form. */
static const char *behind_version(const char *text)
{
	static const char BLANK[] = " \t\"'";
	const char *at = text + strspn(text, BLANK);

	if (g_ascii_tolower(*at) == 'v' && strchr(" \t=:", at[1]) != NULL)
		at += 1 + strspn(at + 1, " \t=:\"");
	if (g_ascii_strncasecmp(at, "dmarc", strlen("dmarc")) != 0)
		return text;
	at += strlen("dmarc");
	return at + strspn(at, "0123456789.,:; \t\"'");
}

/* Whether a tag begins at text: a known name and '='. */
static gboolean begins_tag(const char *text)
{
	gsize size = 0, blanks;

	while (g_ascii_isalpha(text[size]))
		size++;
	blanks = strspn(text + size, " \t");
	return text[size + blanks] == '=' && find_name(text, size) < G_N_ELEMENTS(NAMES);
}

/* The text with a ';' before each known tag, and without quotes. */
static char *separate(const char *text)
{
	GString *out = g_string_new(NULL);

	for (const char *at = text; *at != '\0'; at++) {
		if (at > text && strchr(" \t,", at[-1]) != NULL && begins_tag(at))
			g_string_append_c(out, ';');
		if (*at != '"')
			g_string_append_c(out, *at);
	}
	return g_string_free(out, FALSE);
}

/* -- addresses -- */

/* Append text with all but ASCII escaped. */
static void append_escaped(GString *out, const char *text, gsize size)
{
	for (gsize i = 0; i < size; i++)
		if ((guchar)text[i] < 0x80)
			g_string_append_c(out, text[i]);
		else
			g_string_append_printf(out, "%%%02X", (guint)(guchar)text[i]);
}

/* The URI in ASCII: its host in A-labels. Transfer full. */
static char *print_uri(const struct dmarc_uri *uri)
{
	gsize size = strcspn(uri->uri, "?");
	const char *sign = g_strrstr_len(uri->uri, (gssize)size, "@");
	GString *out = g_string_new(NULL);

	if (g_str_is_ascii(uri->uri) || sign == NULL)
		return g_string_free(g_string_append(out, uri->uri), FALSE);
	append_escaped(out, uri->uri, (gsize)(sign + 1 - uri->uri));
	g_string_append(out, uri->host);
	append_escaped(out, uri->uri + size, strlen(uri->uri + size));
	return g_string_free(out, FALSE);
}

static void take_uri(struct fix *fix, GPtrArray *uris, const char *word)
{
	gboolean bare = strchr(word, ':') == NULL && strchr(word, '@') != NULL;
	g_autofree char *text = g_strconcat(bare ? "mailto:" : "", word, NULL);
	struct dmarc_uri uri = { 0 };
	const char *why;
	gboolean size;
	char *printed;

	if (!dmarc_uri_read(text, &uri, &size, &why)) {
		fix->unclear = TRUE;
		return;
	}
	printed = print_uri(&uri);
	dmarc_uri_clear(&uri);
	if (g_ptr_array_find_with_equal_func(uris, printed, g_str_equal, NULL))
		g_free(printed);
	else
		g_ptr_array_add(uris, printed);
}

static void take_uris(struct fix *fix, guint tag, const char *value)
{
	g_auto(GStrv) words = g_strsplit_set(value, ", \t<>", -1);

	for (char **word = words; *word != NULL; word++)
		if (**word != '\0' && g_ascii_strcasecmp(*word, "mailto:") != 0)
			take_uri(fix, fix->uris[tag - RUA], *word);
}

/* -- other tags -- */

static gboolean is_policy(const char *value)
{
	static const char *const WORDS[] = { "none", "quarantine", "reject", NULL };

	return g_strv_contains(WORDS, value);
}

/* Whether text may be meant to enforce something. */
static gboolean may_enforce(const char *text)
{
	return *text == 'r' || *text == 'q' || strstr(text, "reject") != NULL ||
	       strstr(text, "quarantine") != NULL;
}

static void take_policy(struct fix *fix, guint tag, const char *value)
{
	if (!is_policy(value)) {
		if (tag == TAG_P || may_enforce(value))
			fix->unclear = TRUE;
		else
			fix->no_below = TRUE;
	} else if (fix->value[tag] == NULL) {
		fix->value[tag] = g_strdup(value);
	} else if (strcmp(fix->value[tag], value) != 0) {
		fix->unclear = TRUE;
	}
}

/* The milder one wins: "r" of alignment, "y" of t. An unknown value of t may mean "y". */
static void take_mild(struct fix *fix, guint tag, const char *value)
{
	const char *mild = tag == TAG_T ? "y" : "r", *strict = tag == TAG_T ? "n" : "s";
	gboolean is_strict = strcmp(value, strict) == 0;

	if (is_strict && fix->value[tag] != NULL)
		return;
	g_free(fix->value[tag]);
	fix->value[tag] = g_strdup(is_strict ? strict : mild);
}

static void take_fo(struct fix *fix, const char *value)
{
	g_autofree char *text = g_strdup_printf("v=DMARC1; fo=%s", value);
	struct dmarc_record record;

	dmarc_read("", text, &record, NULL);
	if (fix->value[TAG_FO] == NULL)
		fix->value[TAG_FO] = g_steal_pointer(&record.fo);
	dmarc_clear(&record);
}

/* "50", also as "50%". */
static void take_pct(struct fix *fix, char *value)
{
	guint64 pct = 0;

	if (g_str_has_suffix(value, "%"))
		value[strlen(value) - 1] = '\0';
	if (g_ascii_string_to_unsigned(value, 10, 0, 100, &pct, NULL))
		fix->pct = MIN(fix->pct, (guint)pct);
	else
		fix->bad_pct = TRUE;
}

static void take_value(struct fix *fix, guint tag, char *value)
{
	gsize size;

	if (tag == RUA || tag == RUF) {
		take_uris(fix, tag, value);
		return;
	}
	text_lower(value);
	size = strlen(value);
	while (size > 0 && strchr(" \t,.'", value[size - 1]) != NULL)
		value[--size] = '\0';
	if (tag <= TAG_NP)
		take_policy(fix, tag, value);
	else if (tag == TAG_ADKIM || tag == TAG_ASPF || tag == TAG_T)
		take_mild(fix, tag, value);
	else if (tag == TAG_FO)
		take_fo(fix, value);
	else if (tag == TAG_PSD && fix->value[tag] == NULL && strlen(value) == 1 &&
		 strchr("ynu", *value) != NULL)
		fix->value[tag] = g_strdup(value);
	else if (tag == PCT)
		take_pct(fix, value);
}

/* What is not a known tag: an address may belong to the tag before; anything else must not be a policy. */
static void take_rest(struct fix *fix, const char *text)
{
	static const char *const WORDS[] = { "none", "quarantine", "reject" };
	g_autofree char *lower = g_strdup(text);

	text_lower(lower);
	if (strchr(text, '@') != NULL && strchr(text, '=') == NULL && (fix->last == RUA || fix->last == RUF))
		take_uris(fix, fix->last, text);
	else if (strchr(text, '@') != NULL)
		fix->unclear = TRUE;
	for (gsize i = 0; i < G_N_ELEMENTS(WORDS); i++)
		fix->unclear |= strstr(lower, WORDS[i]) != NULL;
}

static void take_tags(struct fix *fix, const char *text)
{
	struct tag tag;

	while (tag_next(&text, &tag)) {
		guint i = find_name(tag.name, tag.name_size);
		g_autofree char *value = tag_value(&tag);
		g_autofree char *all = NULL;

		if (i < G_N_ELEMENTS(NAMES)) {
			fix->last = i;
			take_value(fix, i, value);
			continue;
		}
		all = tag.name_size == 0
			  ? g_strdup(value)
			  : g_strndup(tag.name, (gsize)(tag.value + tag.value_size - tag.name));
		take_rest(fix, all);
	}
}

/* -- the record -- */

/* Whether a policy enforces anything. */
static gboolean enforces(const struct fix *fix)
{
	for (guint i = TAG_P; i <= TAG_NP; i++)
		if (fix->value[i] != NULL && strcmp(fix->value[i], "none") != 0)
			return TRUE;
	return FALSE;
}

static void print_tag(GString *out, const struct fix *fix, guint tag)
{
	if (fix->value[tag] != NULL)
		g_string_append_printf(out, "; %s=%s", NAMES[tag], fix->value[tag]);
}

static void print_uris(GString *out, const struct fix *fix, guint tag)
{
	const GPtrArray *uris = fix->uris[tag - RUA];

	for (guint i = 0; i < uris->len; i++) {
		if (i == 0)
			g_string_append_printf(out, "; %s=", NAMES[tag]);
		else
			g_string_append_c(out, ',');
		g_string_append(out, g_ptr_array_index(uris, i));
	}
}

static char *print(const struct fix *fix)
{
	GString *out = g_string_new("v=DMARC1");

	if (fix->value[TAG_P] == NULL)
		g_string_append(out, "; p=none");
	for (guint i = TAG_P; i <= TAG_ASPF; i++)
		print_tag(out, fix, i);
	print_uris(out, fix, RUA);
	print_uris(out, fix, RUF);
	if (fix->uris[RUF - RUA]->len > 0)
		print_tag(out, fix, TAG_FO);
	print_tag(out, fix, TAG_PSD);
	if (fix->pct < 100 && enforces(fix))
		g_string_append_printf(out, "; pct=%u", fix->pct);
	print_tag(out, fix, TAG_T);
	return g_string_free(out, FALSE);
}

char *dmarc_fix(const char *text)
{
	g_autofree char *tags = separate(behind_version(text));
	struct fix fix = { .last = G_N_ELEMENTS(NAMES), .pct = 100 };
	char *fixed = NULL;

	for (guint i = 0; i < G_N_ELEMENTS(fix.uris); i++)
		fix.uris[i] = g_ptr_array_new_with_free_func(g_free);
	take_tags(&fix, tags);
	if (fix.pct < 100 && enforces(&fix))
		take_mild(&fix, TAG_T, "y");
	if (!fix.unclear && !((fix.no_below || fix.bad_pct) && enforces(&fix)))
		fixed = print(&fix);
	for (guint i = 0; i < TAGS_KEPT; i++)
		g_free(fix.value[i]);
	for (guint i = 0; i < G_N_ELEMENTS(fix.uris); i++)
		g_ptr_array_unref(fix.uris[i]);
	return fixed;
}
