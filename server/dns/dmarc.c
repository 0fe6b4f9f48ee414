#include "server/dns/dmarc.h"

#include <string.h>

#include "parser/text.h"
#include "server/dns/dns.h"
#include "server/dns/tags.h"
#include "server/dns/treewalk.h"

#define TAGS_MAX 64 /* of a record that are read; eleven have a meaning */

struct reading {
	struct dmarc_record *record;
	struct findings *findings; /* or NULL */
	const char *name;
	GString *seen;         /* " v p rua " */
	guint position;        /* of the tag, from 1 */
	guint p_position;      /* 0: none */
	const char *bad_below; /* "sp" or "np": its value is invalid; or NULL */
	gboolean had_a_uri; /* in rua: it is valid by its syntax, whether or not reports can be sent there */
	char *pct;          /* of RFC 7489; or NULL */
	GPtrArray *notes;   /* struct note: added when the fixed record is known */
};

/* A finding whose fix is a complete DMARC record. */
struct note {
	enum finding_code code;
	char *part;
	char *text;
};

/* One that has a list of values, a blank before and behind each. */
struct choice {
	const char *name;
	const char *values;
	gsize offset; /* of its member */
};

static const struct choice CHOICES[] = {
	{ "p", " none quarantine reject ", G_STRUCT_OFFSET(struct dmarc_record, p) },
	{ "sp", " none quarantine reject ", G_STRUCT_OFFSET(struct dmarc_record, sp) },
	{ "np", " none quarantine reject ", G_STRUCT_OFFSET(struct dmarc_record, np) },
	{ "adkim", " r s ", G_STRUCT_OFFSET(struct dmarc_record, adkim) },
	{ "aspf", " r s ", G_STRUCT_OFFSET(struct dmarc_record, aspf) },
	{ "psd", " y n u ", G_STRUCT_OFFSET(struct dmarc_record, psd) },
	{ "t", " y n ", G_STRUCT_OFFSET(struct dmarc_record, t) },
};

static char **member(struct dmarc_record *record, const struct choice *choice)
{
	return G_STRUCT_MEMBER_P(record, choice->offset);
}

static void free_note(gpointer data)
{
	struct note *note = data;

	g_free(note->part);
	g_free(note->text);
	g_free(note);
}

static void G_GNUC_PRINTF(4, 5)
    note(struct reading *reading, enum finding_code code, const char *part, const char *format, ...)
{
	struct note *note = g_new(struct note, 1);
	va_list args;

	va_start(args, format);
	*note = (struct note){ code, g_strdup(part), g_strdup_vprintf(format, args) };
	va_end(args);
	g_ptr_array_add(reading->notes, note);
}

/* -- addresses -- */

static void free_uri(gpointer data)
{
	dmarc_uri_clear(data);
	g_free(data);
}

void dmarc_uri_clear(struct dmarc_uri *uri)
{
	g_clear_pointer(&uri->uri, g_free);
	g_clear_pointer(&uri->address, g_free);
	g_clear_pointer(&uri->host, g_free);
}

/* Bytes of text without the size behind its last '!' (RFC 7489 section 6.2). */
static gsize without_size(const char *text)
{
	const char *mark = strrchr(text, '!');
	const char *at;

	if (mark == NULL)
		return strlen(text);
	at = mark + 1 + strspn(mark + 1, "0123456789");
	if (at > mark + 1 && *at != '\0' && strchr("kmgt", g_ascii_tolower(*at)) != NULL)
		at++;
	return at > mark + 1 && *at == '\0' ? (gsize)(mark - text) : strlen(text);
}

/* The address in "mailto:address?header", decoded. NULL: it is not a mailto, or its escapes are wrong. */
static char *mailto_address(const char *uri)
{
	static const char SCHEME[] = "mailto:";
	const char *at = uri + strlen(SCHEME);

	if (g_ascii_strncasecmp(uri, SCHEME, strlen(SCHEME)) != 0)
		return NULL;
	return g_uri_unescape_segment(at, at + strcspn(at, "?"), "");
}

static char *host_of(const char *address)
{
	const char *sign = strrchr(address, '@');
	char *host;

	if (sign == NULL || sign == address || !text_is_clean(address, strlen(address)))
		return NULL;
	host = text_domain_copy(sign + 1);
	if (dns_name_is_host(host))
		return host;
	g_free(host);
	return NULL;
}

gboolean dmarc_uri_read(const char *text, struct dmarc_uri *uri, gboolean *size, const char **why)
{
	struct dmarc_uri read = { .uri = g_strndup(text, without_size(text)) };

	*size = strlen(read.uri) < strlen(text);
	read.address = mailto_address(read.uri);
	read.host = read.address == NULL ? NULL : host_of(read.address);
	if (read.host != NULL) {
		*uri = read;
		return TRUE;
	}
	if (read.address != NULL)
		*why = "it has no mail address";
	else if (g_ascii_strncasecmp(read.uri, "mailto:", strlen("mailto:")) == 0)
		*why = "its % escapes are wrong";
	else if (strchr(read.uri, ':') != NULL)
		*why = "reporters only send to \"mailto:\"";
	else
		*why = strchr(read.uri, '@') != NULL ? "\"mailto:\" is missing before it" : "it is no URI";
	dmarc_uri_clear(&read);
	return FALSE;
}

/* -- tags -- */

/* Whether word is in list, in which each word has a blank before and after it (" these or those "). */
static gboolean has_word(const char *list, const char *word)
{
	gsize n;

	for (const char *at = list + 1; *at != '\0'; at += n + 1) {
		n = strcspn(at, " ");
		if (n == strlen(word) && memcmp(at, word, n) == 0)
			return TRUE;
	}
	return FALSE;
}

/* Read the addresses of a list. had_a_uri: also a URI that cannot be used makes the policy apply. */
static void read_uris(struct reading *reading, const char *part, char *value, GPtrArray *uris)
{
	g_auto(GStrv) texts = g_strsplit(value, ",", -1);
	guint n = 0;

	for (char **text = texts; *text != NULL; text++) {
		struct dmarc_uri uri = { 0 };
		const char *why = NULL;
		gboolean size = FALSE;

		g_strstrip(*text);
		if (**text == '\0')
			continue;
		if (++n > DMARC_URIS_MAX)
			break;
		reading->had_a_uri |= g_uri_is_valid(*text, G_URI_FLAGS_NONE, NULL);
		if (!dmarc_uri_read(*text, &uri, &size, &why)) {
			note(reading, FINDING_DMARC_URI, part, "\"%s\" gets no reports: %s", *text, why);
			continue;
		}
		if (size)
			note(reading, FINDING_DMARC_URI_SIZE, part,
			    "the size behind \"%s\" is obsolete: reporters ignore it (RFC 9989 section "
			    "4.7)",
			    *text);
		g_ptr_array_add(uris, g_memdup2(&uri, sizeof(uri)));
	}
	if (n > 2)
		note(reading, FINDING_DMARC_URI_MANY, part,
		    "more than two addresses: reporters need not send to more (RFC 7489 section 6.2)");
	if (n == 0)
		note(reading, FINDING_DMARC_URI, part, "there is no address in it");
}

/* "1", "d:s", ...: section 4.7. */
static void read_fo(struct reading *reading, const char *value)
{
	static const char OPTIONS[] = "01ds";
	g_auto(GStrv) options = g_strsplit(value, ":", -1);
	g_autoptr(GString) kept = g_string_new(NULL);
	gboolean has[sizeof(OPTIONS)] = { FALSE };

	for (char **option = options; *option != NULL; option++) {
		const char *found = NULL;

		g_strstrip(*option);
		text_lower(*option);
		if (strlen(*option) == 1)
			found = strchr(OPTIONS, **option);
		if (found == NULL)
			note(reading, FINDING_DMARC_FO, "fo", "\"%s\" is none of 0, 1, d and s", *option);
		else if (has[found - OPTIONS])
			note(reading, FINDING_DMARC_FO, "fo", "\"%s\" occurs twice", *option);
		else
			has[found - OPTIONS] = TRUE;
	}
	if (has[0] && has[1]) {
		note(reading, FINDING_DMARC_FO, "fo", "0 and 1 exclude each other, and 1 asks for more");
		has[0] = FALSE;
	}
	for (gsize i = 0; i < strlen(OPTIONS); i++)
		if (has[i])
			g_string_append_printf(kept, "%s%c", kept->len > 0 ? ":" : "", OPTIONS[i]);
	if (kept->len > 0)
		reading->record->fo = g_strdup(kept->str);
}

static void read_choice(struct reading *reading, const struct choice *choice, char *value)
{
	text_lower(value);
	if (*value != '\0' && has_word(choice->values, value))
		*member(reading->record, choice) = g_strdup(value);
	else {
		if (choice == &CHOICES[1] || choice == &CHOICES[2])
			reading->bad_below = choice->name;
		note(reading, FINDING_DMARC_VALUE, choice->name, "\"%s\" is none of its values:%.*s", value,
		    (int)strlen(choice->values) - 1, choice->values);
	}
}

static const struct choice *find_choice(const struct tag *tag)
{
	for (gsize i = 0; i < G_N_ELEMENTS(CHOICES); i++)
		if (tag_is(tag, CHOICES[i].name))
			return &CHOICES[i];
	return NULL;
}

static void take_other(struct reading *reading, const char *name, const char *value)
{
	if (g_str_equal(name, "rua"))
		return;
	if (g_str_equal(name, "pct"))
		reading->pct = g_strdup(value);
	else if (g_str_equal(name, "rf") || g_str_equal(name, "ri"))
		note(reading, FINDING_DMARC_REMOVED_TAG, name,
		    "\"%s=%s\" is a tag of RFC 7489 that RFC 9989 removed: it has no effect", name, value);
	else
		note(reading, FINDING_DMARC_UNKNOWN_TAG, name, "there is no such tag: it has no effect");
}

static void take_value(struct reading *reading, const struct tag *tag, const char *name, char *value)
{
	const struct choice *choice = find_choice(tag);
	gboolean had_a_uri = reading->had_a_uri;

	if (choice != NULL) {
		if (choice == &CHOICES[0])
			reading->p_position = reading->position;
		read_choice(reading, choice, value);
	} else if (g_str_equal(name, "rua")) {
		read_uris(reading, name, value, reading->record->rua);
	} else if (g_str_equal(name, "ruf")) {
		read_uris(reading, name, value, reading->record->ruf);
		reading->had_a_uri = had_a_uri; /* only those of rua count */
	} else if (g_str_equal(name, "fo")) {
		read_fo(reading, value);
	} else if (!g_str_equal(name, "v")) {
		take_other(reading, name, value);
	}
}

/* Returns FALSE if the tag occurred before. */
static gboolean see(struct reading *reading, const char *name)
{
	if (has_word(reading->seen->str, name))
		return FALSE;
	g_string_append_printf(reading->seen, "%s ", name);
	return TRUE;
}

static void take_tag(struct reading *reading, const struct tag *tag)
{
	g_autofree char *name = tag_name(tag);
	g_autofree char *value = tag_value(tag);
	const char *lost = tag_lost(tag);

	reading->position++;
	text_lower(name);
	if (!tag->clean) {
		if (g_str_equal(name, "sp") || g_str_equal(name, "np"))
			reading->bad_below = *name == 's' ? "sp" : "np";
		note(reading, FINDING_DMARC_SYNTAX, *name == '\0' ? value : name,
		    *name == '\0' ? "\"%s\" is not a tag: there is no \"=\"" : "\"%s\" cannot be a value",
		    value);
		return;
	}
	if (!see(reading, name)) {
		note(reading, FINDING_DMARC_DUPLICATE_TAG, name, "the tag occurs twice: the first counts");
		return;
	}
	if (lost != NULL)
		note(reading, FINDING_DMARC_SEPARATOR, name, "there is no \";\" before \"%.*s\"",
		    (int)(tag->value + tag->value_size - lost), lost);
	take_value(reading, tag, name, value);
}

/* -- what the tags mean together -- */

/* The tag that makes the record act as "p=none" (section 4.10.1), or NULL. */
static const char *invalid_tag(const struct reading *reading)
{
	if (reading->record->p == NULL)
		return "p";
	return reading->bad_below;
}

static void judge_policy(struct reading *reading)
{
	struct dmarc_record *record = reading->record;
	const char *bad = invalid_tag(reading);

	record->invalid = bad != NULL;
	record->applies = bad == NULL || reading->had_a_uri;
	if (record->p != NULL && reading->p_position != 2)
		note(reading, FINDING_DMARC_P_NOT_SECOND, "p",
		    "\"p\" does not follow \"v\": receivers of RFC 7489 may ignore the record");
	if (!record->applies)
		note(reading, FINDING_DMARC_NO_POLICY, bad,
		    "neither a valid \"%s\" nor a \"rua\": the record is not a policy (RFC 9989 section "
		    "4.10.1)",
		    bad);
	else if (record->p == NULL && reading->p_position == 0)
		note(reading, FINDING_DMARC_P_MISSING, "p",
		    "no \"p\": the policy is \"none\", and receivers of RFC 7489 may ignore the record");
	else if (bad != NULL)
		note(reading, FINDING_DMARC_AS_NONE, bad,
		    "the value of \"%s\" is invalid, so the complete record acts as \"p=none\" (RFC 9989 "
		    "section 4.10.1)",
		    bad);
	if (record->p == NULL)
		record->p = g_strdup("none");
}

static gboolean enforces(const char *policy)
{
	return policy != NULL && strcmp(policy, "none") != 0;
}

/* pct has a purpose only beside "t=y": each kind of receiver ignores one of them. */
static void judge_pct(struct reading *reading)
{
	const struct dmarc_record *record = reading->record;
	gboolean partly = g_strcmp0(reading->pct, "100") != 0 &&
			  (enforces(record->p) || enforces(record->sp) || enforces(record->np));

	if (reading->pct == NULL || (partly && g_strcmp0(record->t, "y") == 0))
		return;
	note(reading, FINDING_DMARC_REMOVED_TAG, "pct",
	    "\"pct=%s\" is a tag of RFC 7489 that RFC 9989 removed: it has no effect%s", reading->pct,
	    partly ? "; \"t=y\" beside it has one, and \"pct\" stays for receivers that only know RFC 7489"
		   : "");
}

static void judge_reports(struct reading *reading)
{
	struct dmarc_record *record = reading->record;

	if (record->rua->len == 0)
		note(reading, FINDING_DMARC_RUA_MISSING, "rua", "nobody receives aggregate reports");
	if (record->fo != NULL && record->ruf->len == 0)
		note(reading, FINDING_DMARC_FO, "fo", "it has no effect without \"ruf\"");
}

static void judge_strength(struct reading *reading)
{
	const struct dmarc_record *record = reading->record;
	gboolean is_none = strcmp(record->p, "none") == 0;

	if (is_none && record->applies)
		note(reading, FINDING_DMARC_P_NONE, "p",
		    "\"p=none\" only monitors: mail that fails is let through");
	if (record->invalid)
		is_none = TRUE; /* no matter what else the tags say */
	if (!is_none && g_strcmp0(record->sp, "none") == 0)
		note(reading, FINDING_DMARC_SUBDOMAINS_NONE, "sp",
		    "subdomains may be forged freely, while the domain itself is \"p=%s\"", record->p);
	else if (!is_none && g_strcmp0(record->np, "none") == 0)
		note(reading, FINDING_DMARC_SUBDOMAINS_NONE, "np",
		    "subdomains that do not exist may be forged freely, while the domain itself is \"p=%s\"",
		    record->p);
	if (g_strcmp0(record->t, "y") == 0)
		note(reading, FINDING_DMARC_TESTING, "t",
		    "test mode: reject is treated as quarantine, and quarantine as none");
	if (g_strcmp0(record->psd, "y") == 0)
		note(reading, FINDING_DMARC_PSD, "psd",
		    "the domain says that it is a public suffix: each name below it is an organization");
}

/* The tags of which only the text is wrong, as against what is policy, are fixed by the record as it should
 * be. */
static gboolean is_fixed(enum finding_code code)
{
	switch (code) {
	case FINDING_DMARC_P_NONE:
	case FINDING_DMARC_TESTING:
	case FINDING_DMARC_PSD:
	case FINDING_DMARC_NO_POLICY:
	case FINDING_DMARC_RUA_MISSING:
	case FINDING_DMARC_SUBDOMAINS_NONE:
	case FINDING_DMARC_URI_MANY:
		return FALSE;
	default:
		return TRUE;
	}
}

static void tell(const struct reading *reading)
{
	g_autofree char *fixed = dmarc_fix(reading->record->text);

	for (guint i = 0; i < reading->notes->len; i++) {
		const struct note *one = g_ptr_array_index(reading->notes, i);
		g_autofree char *place = g_strdup_printf("%s TXT: %s", reading->name, one->part);
		char *fix =
		    is_fixed(one->code) && fixed != NULL ? finding_txt_record(reading->name, fixed) : NULL;

		findings_add(reading->findings, one->code, place, fix, "%s", one->text);
	}
}

void dmarc_read(const char *name, const char *text, struct dmarc_record *record, struct findings *findings)
{
	struct reading reading = { .record = record, .findings = findings, .name = name };
	struct tag tag;
	const char *at = text;

	*record = (struct dmarc_record){ .text = g_strdup(text),
		.rua = g_ptr_array_new_with_free_func(free_uri),
		.ruf = g_ptr_array_new_with_free_func(free_uri) };
	reading.seen = g_string_new(" ");
	reading.notes = g_ptr_array_new_with_free_func(free_note);
	while (tag_next(&at, &tag) && reading.position < TAGS_MAX)
		take_tag(&reading, &tag);
	judge_pct(&reading);
	judge_policy(&reading);
	judge_reports(&reading);
	judge_strength(&reading);
	if (findings != NULL)
		tell(&reading);
	g_ptr_array_unref(reading.notes);
	g_string_free(reading.seen, TRUE);
	g_free(reading.pct);
}

void dmarc_clear(struct dmarc_record *record)
{
	g_clear_pointer(&record->text, g_free);
	g_clear_pointer(&record->fo, g_free);
	for (gsize i = 0; i < G_N_ELEMENTS(CHOICES); i++)
		g_clear_pointer(member(record, &CHOICES[i]), g_free);
	g_clear_pointer(&record->rua, g_ptr_array_unref);
	g_clear_pointer(&record->ruf, g_ptr_array_unref);
}

gboolean dmarc_is_near(const char *text)
{
	char psd;

	if (treewalk_is_record(text, &psd))
		return FALSE;
	while (text_is_space(*text) || *text == '"')
		text++;
	if (g_ascii_strncasecmp(text, "dmarc1", strlen("dmarc1")) == 0 ||
	    g_ascii_strncasecmp(text, "p=", strlen("p=")) == 0)
		return TRUE;
	if (g_ascii_tolower(*text) != 'v')
		return FALSE;
	text++;
	while (text_is_space(*text))
		text++;
	if (*text != '=' && *text != ':')
		return FALSE;
	text++;
	while (text_is_space(*text))
		text++;
	return g_ascii_strncasecmp(text, "dmarc", strlen("dmarc")) == 0;
}
