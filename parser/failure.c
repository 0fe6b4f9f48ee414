#include "parser/failure.h"

#include "parser/address.h"
#include "parser/consistency.h"
#include "parser/date.h"
#include "parser/fields.h"
#include "parser/mask.h"
#include "parser/notes.h"
#include "parser/text.h"
#include "parser/values.h"

#include <gmime/gmime.h>
#include <nettle/sha2.h>
#include <string.h>

#define SNIFF_BYTES   (16 * 1024) /* from the start, in which a report shows itself */
#define SNIFF_FIELDS  100
#define INCIDENTS_MAX G_GINT64_CONSTANT(4294967295) /* RFC 5965 section 3.2 */

enum list {
	LIST_AUTHENTICATION_RESULTS,
	LIST_RCPT_TO,
	LIST_DOMAIN,
	LIST_URI,
	LIST_SPF_DNS,
	N_LISTS,
	NO_LIST = N_LISTS
};

struct failure {
	struct failure_report report;
	struct values values;
	GPtrArray *lists[N_LISTS];
	struct mask *mask; /* NULL: nothing is masked */
	const struct parser_options *options;
	guint32 seen;  /* a bit for each row of ROWS */
	gsize bytes;   /* of what is not in values */
	char *headers; /* owned, as report.original_headers */
	char *body;    /* likewise */
};

enum type {
	TYPE_LINE,    /* as sent */
	TYPE_ID,      /* as sent, and never masked */
	TYPE_WORD,    /* a token of a registry */
	TYPE_WORDS,   /* several, with commas */
	TYPE_MAILBOX, /* with or without <> */
	TYPE_NAME,    /* of a domain */
	TYPE_IP,
	TYPE_PORT,
	TYPE_INCIDENTS,
	TYPE_ARRIVAL,
	TYPE_BASE64, /* of the message: only with failure_bodies, at any length */
};

struct row {
	const char *name;          /* of the field */
	const char *path;          /* of notes: the member */
	const char *const *tokens; /* that are known, or NULL */
	gsize offset;              /* of the member in struct failure_report */
	enum type type;
	enum list list; /* to which it belongs, or NO_LIST */
};

#define ONE(name, type, member, tokens)                                                                      \
	{                                                                                                    \
		name, #member, tokens, G_STRUCT_OFFSET(struct failure_report, member), type, NO_LIST         \
	}
#define MANY(name, type, member, list)                                                                       \
	{                                                                                                    \
		name, #member, NULL, 0, type, list                                                           \
	}

enum {
	ROW_FEEDBACK_TYPE,
	ROW_USER_AGENT,
	ROW_VERSION,
	ROW_AUTH_FAILURE,
	ROW_AUTHENTICATION_RESULTS,
	ROW_IDENTITY_ALIGNMENT,
	ROW_REPORTED_DOMAIN,
	ROW_ARRIVAL_DATE,
	ROW_RECEIVED_DATE,
	ROW_SOURCE_IP
};

/* RFC 5965 section 3, RFC 6591 section 3, RFC 6692 section 3, RFC 9991 section 4. The first as enumerated
 * above. */
static const struct row ROWS[] = {
	ONE("Feedback-Type", TYPE_WORD, feedback_type,
	    TOKENS("abuse", "auth-failure", "fraud", "not-spam", "other", "virus")),
	ONE("User-Agent", TYPE_LINE, user_agent, NULL),
	ONE("Version", TYPE_WORD, version, TOKENS("1")),
	ONE("Auth-Failure", TYPE_WORDS, auth_failure,
	    TOKENS("adsp", "bodyhash", "dmarc", "revoked", "signature", "spf")),
	MANY("Authentication-Results", TYPE_LINE, authentication_results, LIST_AUTHENTICATION_RESULTS),
	ONE("Identity-Alignment", TYPE_LINE, identity_alignment, NULL),
	MANY("Reported-Domain", TYPE_NAME, reported_domain, LIST_DOMAIN),
	ONE("Arrival-Date", TYPE_ARRIVAL, arrival_date, NULL),
	ONE("Received-Date", TYPE_ARRIVAL, arrival_date, NULL),
	ONE("Source-IP", TYPE_IP, source_ip, NULL),
	ONE("Source-Port", TYPE_PORT, source_port, NULL),
	ONE("Delivery-Result", TYPE_WORD, delivery_result,
	    TOKENS("delivered", "other", "policy", "reject", "spam")),
	ONE("Original-Envelope-Id", TYPE_ID, original_envelope_id, NULL),
	ONE("Original-Mail-From", TYPE_MAILBOX, original_mail_from, NULL),
	MANY("Original-Rcpt-To", TYPE_MAILBOX, original_rcpt_to, LIST_RCPT_TO),
	ONE("Reporting-MTA", TYPE_LINE, reporting_mta, NULL),
	ONE("Incidents", TYPE_INCIDENTS, incidents, NULL),
	MANY("Reported-URI", TYPE_LINE, reported_uri, LIST_URI),
	ONE("DKIM-Domain", TYPE_NAME, dkim_domain, NULL),
	ONE("DKIM-Identity", TYPE_LINE, dkim_identity, NULL),
	ONE("DKIM-Selector", TYPE_LINE, dkim_selector, NULL),
	ONE("DKIM-Canonicalized-Header", TYPE_BASE64, dkim_canonicalized_header, NULL),
	ONE("DKIM-Canonicalized-Body", TYPE_BASE64, dkim_canonicalized_body, NULL),
	ONE("DKIM-Selector-DNS", TYPE_LINE, dkim_selector_dns, NULL),
	ONE("DKIM-ADSP-DNS", TYPE_LINE, dkim_adsp_dns, NULL),
	MANY("SPF-DNS", TYPE_LINE, spf_dns, LIST_SPF_DNS),
};

G_STATIC_ASSERT(G_N_ELEMENTS(ROWS) <= 32);

static const struct row *find_row(const struct field *field)
{
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++)
		if (field_is(field, ROWS[i].name))
			return &ROWS[i];
	return NULL;
}

static gboolean has_seen(const struct failure *failure, guint row)
{
	return (failure->seen & 1U << row) != 0;
}

/* -- values -- */

/* text[0..size) on one line, third parties masked. Transfer full. */
static char *prepare(struct failure *failure, enum type type, const char *text, gsize size)
{
	g_autofree char *line = text_clean_line(text, size, G_MAXSIZE);

	if (failure->mask == NULL || type == TYPE_ID)
		return g_steal_pointer(&line);
	return type == TYPE_MAILBOX ? mask_address(failure->mask, line) : mask_text(failure->mask, line);
}

/* Kept, and cut where it is too long. */
static const char *keep(struct failure *failure, const char *path, const char *text)
{
	gsize size = strlen(text), cut = text_cut(text, size, failure->options->limits.max_text);

	if (cut < size)
		values_note(&failure->values, NOTE_CUT, path, NULL);
	cut = text_trim(&text, cut);
	return values_keep(&failure->values, text, cut);
}

static void note(struct failure *failure, const char *code, const char *path, const char *raw)
{
	gsize size = raw == NULL ? 0 : text_cut(raw, strlen(raw), failure->options->limits.max_text);
	g_autofree char *cut = NULL;

	if (raw != NULL) {
		size = text_trim(&raw, size);
		cut = g_strndup(raw, size);
	}
	values_note(&failure->values, code, path, cut);
}

/* Without comments (RFC 5322 section 3.2.2), on one line. Transfer full. */
static char *strip_comments(const char *text)
{
	GString *rest = g_string_sized_new(strlen(text));
	gboolean quoted = FALSE;
	guint depth = 0;
	char *clean;

	for (; *text != '\0'; text++) {
		if (*text == '"' && depth == 0)
			quoted = !quoted;
		if (*text == '(' && !quoted && depth++ == 0)
			g_string_append_c(rest, ' ');
		if (depth == 0)
			g_string_append_c(rest, *text);
		else if (*text == ')')
			depth--;
	}
	clean = text_clean_line(rest->str, rest->len, rest->len);
	g_string_free(rest, TRUE);
	return clean;
}

/* Whether each of the words, parted by commas, blanks or ';', is one of tokens. */
static gboolean are_known(const char *const *tokens, const char *words)
{
	g_auto(GStrv) each = g_strsplit_set(words, ",; ", -1);
	gboolean any = FALSE;

	for (gsize i = 0; each[i] != NULL; i++) {
		if (*each[i] == '\0')
			continue;
		if (!g_strv_contains(tokens, each[i]))
			return FALSE;
		any = TRUE;
	}
	return any;
}

static const char *read_words(struct failure *failure, const struct row *row, const char *text)
{
	g_autofree char *words = strip_comments(text);
	gboolean capitals = text_lower(words);
	gboolean single = row->type == TYPE_WORDS || strpbrk(words, ",; ") == NULL;
	const char *kept = keep(failure, row->path, words);

	if (capitals || !single || !are_known(row->tokens, kept))
		note(failure, NOTE_TOKEN, row->path, text);
	return kept;
}

static const char *read_name(struct failure *failure, const struct row *row, const char *text)
{
	g_autofree char *name = strip_comments(text);
	g_autofree char *domain = text_domain(name);

	if (domain != NULL)
		note(failure, NOTE_DOMAIN, row->path, text);
	return keep(failure, row->path, domain != NULL ? domain : name);
}

static const char *read_mailbox(struct failure *failure, const struct row *row, const char *text)
{
	gsize size = strlen(text);
	g_autofree char *inner = NULL;

	if (size < 2 || text[0] != '<' || text[size - 1] != '>')
		return keep(failure, row->path, text);
	inner = g_strndup(text + 1, size - 2);
	return keep(failure, row->path, g_strstrip(inner));
}

/* RFC 5321 section 4.1.3, without brackets: "192.0.2.1", "IPv6:2001:db8::1". *plain: just as that section has
 * it. */
static gboolean read_ip(const char *text, char canonical[TEXT_ADDRESS_SIZE], gboolean *plain)
{
	g_autofree char *word = g_strndup(text, strcspn(text, " (,;"));
	char *at = word, *port;
	gsize size;
	gboolean tagged, mapped;

	*plain = strlen(word) == strlen(text) && *at != '[';
	if (*at == '[' || *at == '(')
		at++;
	size = strcspn(at, "])");
	at[size] = '\0';
	tagged = g_ascii_strncasecmp(at, "IPv6:", 5) == 0;
	if (tagged)
		at += 5;
	port = strchr(at, ':');
	if (port != NULL && strchr(port + 1, ':') == NULL) {
		*port = '\0';
		*plain = FALSE;
	}
	if (!text_address(at, canonical, &mapped))
		return FALSE;
	*plain = *plain && !mapped && tagged == (strchr(canonical, ':') != NULL);
	return TRUE;
}

static const char *read_source_ip(struct failure *failure, const struct row *row, const char *text)
{
	char canonical[TEXT_ADDRESS_SIZE];
	gboolean plain;

	if (!read_ip(text, canonical, &plain)) {
		note(failure, NOTE_ADDRESS, row->path, text);
		return NULL;
	}
	if (!plain || !consistency_is_global(canonical))
		note(failure, NOTE_ADDRESS, row->path, text);
	return keep(failure, row->path, canonical);
}

/* A number from 0 to max, or -1. */
static gint64 read_number(struct failure *failure, const struct row *row, const char *text, gint64 max)
{
	g_autofree char *bare = strip_comments(text);
	gint64 value = -1;
	enum text_number kind = text_number(bare, &value);

	if (kind == TEXT_FRACTION || value < 0 || value > max)
		value = -1;
	if (kind != TEXT_INTEGER || value < 0)
		note(failure, NOTE_COUNT, row->path, text);
	return value;
}

/* The first of Arrival-Date; Received-Date is its old name (RFC 5965 section 3.2). */
static const char *read_arrival(struct failure *failure, const struct row *row, const char *text)
{
	struct failure_report *report = &failure->report;
	gboolean guessed = FALSE;

	if (has_seen(failure, ROW_ARRIVAL_DATE) && has_seen(failure, ROW_RECEIVED_DATE)) {
		gboolean older = row == &ROWS[ROW_RECEIVED_DATE];

		note(failure, NOTE_TWO_DATES, row->path, older ? text : report->arrival_date);
		if (older)
			return report->arrival_date;
	}
	report->arrival_time = date_seconds(text, &guessed);
	if (report->arrival_time < 0 || guessed)
		note(failure, NOTE_DATE, row->path, text);
	return keep(failure, row->path, text);
}

/* Without white space and at its full length; counted apart from other values. */
static const char *read_base64(struct failure *failure, const char *text)
{
	GString *packed = g_string_sized_new(strlen(text));
	const char *kept;

	for (; *text != '\0'; text++)
		if (!text_is_space(*text))
			g_string_append_c(packed, *text);
	kept = values_copy(&failure->values, packed->str, packed->len);
	g_string_free(packed, TRUE);
	return kept;
}

/* The list to which row belongs gets one more, or its member its value. */
static void put(struct failure *failure, const struct row *row, const char *value)
{
	if (row->list != NO_LIST)
		g_ptr_array_add(failure->lists[row->list], (gpointer)(gsize)value);
	else
		*(const char **)((char *)&failure->report + row->offset) = value;
}

static void store(struct failure *failure, const struct row *row, const char *text, gsize size)
{
	g_autofree char *line = NULL;

	if (row->type == TYPE_BASE64 && failure->mask != NULL)
		return;
	line = prepare(failure, row->type, text, size);
	switch (row->type) {
	case TYPE_LINE:
	case TYPE_ID:
		put(failure, row, keep(failure, row->path, line));
		break;
	case TYPE_WORD:
	case TYPE_WORDS:
		put(failure, row, read_words(failure, row, line));
		break;
	case TYPE_MAILBOX:
		put(failure, row, read_mailbox(failure, row, line));
		break;
	case TYPE_NAME:
		put(failure, row, read_name(failure, row, line));
		break;
	case TYPE_IP:
		put(failure, row, read_source_ip(failure, row, line));
		break;
	case TYPE_PORT:
		failure->report.source_port = (gint)read_number(failure, row, line, G_MAXUINT16);
		break;
	case TYPE_INCIDENTS:
		failure->report.incidents = read_number(failure, row, line, INCIDENTS_MAX);
		break;
	case TYPE_ARRIVAL:
		put(failure, row, read_arrival(failure, row, line));
		break;
	case TYPE_BASE64:
		put(failure, row, read_base64(failure, line));
		break;
	}
}

static gboolean check_bytes(const struct failure *failure, GError **error)
{
	gsize max = failure->options->limits.max_failure;

	return failure->values.bytes + failure->bytes <= max ||
	       ruad_error_over_limit(error, "bytes in the values of a feedback report", max);
}

/* -- the second part -- */

/* Who is no third party must be known before anything is kept. */
static void find_own(struct failure *failure, const struct field *field)
{
	g_autofree char *line = NULL;
	g_autofree char *name = NULL;
	g_autofree char *domain = NULL;

	if (failure->mask == NULL || field->value_size > failure->options->limits.max_text)
		return;
	line = text_clean_line(field->value, field->value_size, G_MAXSIZE);
	name = strip_comments(line);
	domain = text_domain_copy(name);
	mask_add_own(failure->mask, domain);
}

static gboolean look_ahead(struct failure *failure, const char *text, gsize size, GError **error)
{
	guint max = failure->options->limits.max_fields, n = 0;
	struct fields fields;
	struct field field;

	fields_init(&fields, text, size, FIELDS_LENIENT);
	while (fields_next(&fields, &field)) {
		if (++n > max)
			return ruad_error_over_limit(error, "fields in a feedback report", max);
		if (find_row(&field) == &ROWS[ROW_REPORTED_DOMAIN])
			find_own(failure, &field);
	}
	return TRUE;
}

static gboolean read_fields(struct failure *failure, const char *text, gsize size, GError **error)
{
	struct fields fields;
	struct field field;

	fields_init(&fields, text, size, FIELDS_LENIENT);
	while (fields_next(&fields, &field)) {
		const struct row *row = find_row(&field);
		guint index = row == NULL ? 0 : (guint)(row - ROWS);

		if (row == NULL)
			continue;
		if (has_seen(failure, index) && row->list == NO_LIST) {
			note(failure, NOTE_REPEATED, row->path, NULL);
			continue;
		}
		failure->seen |= 1U << index;
		store(failure, row, field.value, field.value_size);
		if (!check_bytes(failure, error))
			return FALSE;
	}
	return TRUE;
}

/* RFC 9991 section 4: "none", or "dkim", "spf" or both, each once; the list itself stays as sent. */
static void check_alignment(struct failure *failure)
{
	const char *raw = failure->report.identity_alignment;
	g_autofree char *words = NULL;
	g_auto(GStrv) each = NULL;
	guint dkim = 0, spf = 0, none = 0, others = 0;

	if (raw == NULL)
		return;
	words = strip_comments(raw);
	each = g_strsplit(words, ",", -1);
	for (gsize i = 0; each[i] != NULL; i++) {
		const char *word = g_strstrip(each[i]);

		dkim += g_str_equal(word, "dkim");
		spf += g_str_equal(word, "spf");
		none += g_str_equal(word, "none");
		others++;
	}
	if (others != dkim + spf + none || dkim > 1 || spf > 1 || none > 1 || others == 0 ||
	    (none > 0 && others > 1))
		note(failure, NOTE_TOKEN, "identity_alignment", raw);
}

static void require(struct failure *failure, guint row)
{
	if (!has_seen(failure, row))
		note(failure, NOTE_FIELD_ABSENT, ROWS[row].path, NULL);
}

static void check_required(struct failure *failure)
{
	const char *mechanism = failure->report.auth_failure;

	require(failure, ROW_FEEDBACK_TYPE);
	require(failure, ROW_USER_AGENT);
	require(failure, ROW_VERSION);
	if (!failure_is_authentication(&failure->report))
		return;
	require(failure, ROW_AUTH_FAILURE);
	require(failure, ROW_AUTHENTICATION_RESULTS);
	require(failure, ROW_REPORTED_DOMAIN);
	if (mechanism != NULL && strstr(mechanism, "dmarc") != NULL)
		require(failure, ROW_IDENTITY_ALIGNMENT);
}

gboolean failure_is_fields(const char *text, gsize size)
{
	struct fields fields;
	struct field field;
	guint n = 0;

	while (size > 0 && text_is_space(*text)) {
		text++;
		size--;
	}
	fields_init(&fields, text, MIN(size, SNIFF_BYTES), FIELDS_STRICT);
	for (; n < SNIFF_FIELDS && fields_next(&fields, &field); n++) {
		const struct row *row = find_row(&field);

		if (n == 0 && row == NULL)
			return FALSE;
		if (row == &ROWS[ROW_FEEDBACK_TYPE])
			return TRUE;
	}
	return FALSE;
}

/* -- a report in prose -- */

enum { PROSE_DOMAIN, PROSE_IP, PROSE_DATE, PROSE_SPF, PROSE_DKIM, PROSE_DMARC, N_PROSE };

struct prose {
	struct field line[N_PROSE]; /* value NULL: it is not there */
	const char *copy;           /* of the header, or NULL */
	gsize copy_size;
};

static const char *const PROSE[N_PROSE] = { "Sender Domain", "Sender IP Address", "Received Date",
	"SPF Alignment", "DKIM Alignment", "DMARC Results" };

/* One line; "  Sender Domain: example.com". */
static void read_prose_line(struct prose *prose, const char *line, gsize size)
{
	const char *colon = memchr(line, ':', size);
	struct field field = { .name = line };

	if (colon == NULL)
		return;
	field.name_size = text_trim(&field.name, (gsize)(colon - line));
	field.value = colon + 1;
	field.value_size = text_trim(&field.value, size - (gsize)(colon + 1 - line));
	for (guint i = 0; i < N_PROSE; i++)
		if (prose->line[i].value == NULL && field_is(&field, PROSE[i]))
			prose->line[i] = field;
}

/* The rest of a separator that is broken over two lines: its indented lines. */
static gsize prose_folded(const char *text, gsize size)
{
	gsize at = 0;

	while (at < size && (text[at] == ' ' || text[at] == '\t'))
		at += text_line_size(text + at, size - at);
	return at;
}

static void read_prose(struct prose *prose, const char *text, gsize size)
{
	gsize sniffed = MIN(size, SNIFF_BYTES), at = 0;

	*prose = (struct prose){ .copy = NULL };
	while (at < sniffed) {
		const char *line = text + at;
		const char *end = memchr(line, '\n', sniffed - at);
		gsize line_size = end == NULL ? sniffed - at : (gsize)(end - line);

		at += line_size + (end != NULL);
		if (line_size > 3 && memcmp(line, "---", 3) == 0) {
			at += prose_folded(text + at, size - at);
			while (at < size && text_is_space(text[at]))
				at++;
			prose->copy = text + at;
			prose->copy_size = size - at;
			return;
		}
		read_prose_line(prose, line, line_size);
	}
}

gboolean failure_is_prose(const char *text, gsize size)
{
	struct prose prose;
	char canonical[TEXT_ADDRESS_SIZE];
	gboolean plain;
	guint others = 0;
	g_autofree char *ip = NULL;

	read_prose(&prose, text, size);
	if (prose.line[PROSE_DOMAIN].value_size == 0 || prose.line[PROSE_IP].value_size == 0)
		return FALSE;
	for (guint i = PROSE_DATE; i < N_PROSE; i++)
		others += prose.line[i].value != NULL;
	ip = text_clean_line(prose.line[PROSE_IP].value, prose.line[PROSE_IP].value_size, TEXT_ADDRESS_SIZE);
	return others >= 2 && read_ip(ip, canonical, &plain);
}

static void store_prose(struct failure *failure, const struct prose *prose)
{
	static const guint TO[] = { ROW_REPORTED_DOMAIN, ROW_SOURCE_IP, ROW_ARRIVAL_DATE };

	if (prose->line[PROSE_DOMAIN].value != NULL)
		find_own(failure, &prose->line[PROSE_DOMAIN]);
	for (guint i = 0; i < G_N_ELEMENTS(TO); i++) {
		const struct field *line = &prose->line[i];

		if (line->value == NULL)
			continue;
		failure->seen |= 1U << TO[i];
		store(failure, &ROWS[TO[i]], line->value, line->value_size);
	}
}

/* -- the message in the third part -- */

/* Bytes as valid UTF-8 with lines ended by LF. Transfer full. */
static char *clean_lines(const char *text, gsize size, gsize max)
{
	GString *lines = g_string_sized_new(size);
	char *clean;

	for (gsize i = 0; i < size; i++)
		if (text[i] != '\r')
			g_string_append_c(lines, text[i]);
		else if (i + 1 < size && text[i + 1] != '\n')
			g_string_append_c(lines, ' ');
	clean = text_clean(lines->str, lines->len, max);
	g_string_free(lines, TRUE);
	return clean;
}

static void read_message_field(struct failure *failure, const struct field *field)
{
	struct failure_report *report = &failure->report;
	g_autofree char *text = NULL;
	g_autofree char *line = NULL;

	if (report->header_from == NULL && field_is(field, "From")) {
		text = address_first_domain(field->value, field->value_size);
		report->header_from = text == NULL ? NULL : keep(failure, "header_from", text);
	} else if (report->message_id == NULL && field_is(field, "Message-ID")) {
		const char *open = memchr(field->value, '<', field->value_size);
		const char *close =
		    open == NULL ? NULL
				 : memrchr(open, '>', field->value_size - (gsize)(open - field->value));

		text = close == NULL ? text_clean_line(field->value, field->value_size, G_MAXSIZE)
				     : text_clean_line(open + 1, (gsize)(close - open - 1), G_MAXSIZE);
		report->message_id = keep(failure, "message_id", text);
	} else if (report->subject == NULL && field_is(field, "Subject")) {
		g_autofree char *raw = g_strndup(field->value, field->value_size);

		text = g_mime_utils_header_decode_text(NULL, raw);
		line = prepare(failure, TYPE_LINE, text, strlen(text));
		report->subject = keep(failure, "subject", line);
	}
}

/* Whole fields, without those that would make it longer than a header may be. */
static void read_headers(struct failure *failure, struct fields *fields)
{
	gsize max = failure->options->limits.max_header_bytes;
	GString *headers = g_string_new(NULL);
	struct field field = { .name = NULL };

	while (fields_next(fields, &field)) {
		gsize before = headers->len;

		if (failure->mask != NULL) {
			mask_field(failure->mask, &field, headers);
		} else {
			g_string_append_len(headers, field.name,
			    (gssize)((gsize)(field.value - field.name) + field.value_size));
			g_string_append_c(headers, '\n');
		}
		if (headers->len > max) {
			g_string_truncate(headers, before);
			note(failure, NOTE_CUT, "original_headers", NULL);
		}
		read_message_field(failure, &field);
	}
	failure->headers = clean_lines(headers->str, headers->len, headers->len * 3);
	g_string_free(headers, TRUE);
}

static gboolean read_message(struct failure *failure, const char *message, gsize size, GError **error)
{
	struct failure_report *report = &failure->report;
	gsize left;
	struct fields fields;

	fields_init(&fields, message, size, FIELDS_STRICT);
	read_headers(failure, &fields);
	report->original_headers = failure->headers;
	failure->bytes += strlen(failure->headers) + 1;
	if (!check_bytes(failure, error))
		return FALSE;
	if (failure->mask != NULL || fields.left == 0)
		return TRUE;
	left = failure->options->limits.max_failure - failure->values.bytes - failure->bytes;
	failure->body = clean_lines(fields.at, fields.left, fields.left * 3);
	if (strlen(failure->body) > left) {
		failure->body[text_cut(failure->body, strlen(failure->body), left)] = '\0';
		note(failure, NOTE_CUT, "original_body", NULL);
	}
	report->original_body = failure->body;
	return TRUE;
}

/* -- the report -- */

/* Lines' ends differ by the way that a mail took. */
static void hash_lines(struct sha256_ctx *sha256, const guint8 *text, gsize size)
{
	while (size > 0) {
		const guint8 *end = memchr(text, '\r', size);
		gsize n = end == NULL ? size : (gsize)(end - text);

		sha256_update(sha256, n, text);
		if (n < size) {
			if (n + 1 == size || text[n + 1] != '\n')
				sha256_update(sha256, 1, text + n);
			n++;
		}
		text += n;
		size -= n;
	}
}

static void hash(struct failure *failure, const struct mail_feedback *feedback)
{
	static const guint8 BETWEEN = '\0';
	struct sha256_ctx sha256;

	sha256_init(&sha256);
	hash_lines(&sha256, feedback->fields, feedback->fields_size);
	sha256_update(&sha256, 1, &BETWEEN);
	hash_lines(&sha256, feedback->message, feedback->message_size);
	sha256_digest(&sha256, sizeof failure->report.sha256, failure->report.sha256);
}

static gboolean read_second(
    struct failure *failure, const struct mail_feedback *feedback, struct prose *prose, GError **error)
{
	const char *text = (const char *)feedback->fields;

	if (feedback->form == MAIL_FEEDBACK_FIELDS) {
		if (!look_ahead(failure, text, feedback->fields_size, error) ||
		    !read_fields(failure, text, feedback->fields_size, error))
			return FALSE;
		check_alignment(failure);
		check_required(failure);
		return TRUE;
	}
	note(failure, NOTE_NO_FEEDBACK, "feedback_type", NULL);
	if (feedback->form == MAIL_FEEDBACK_PROSE) {
		read_prose(prose, text, feedback->fields_size);
		store_prose(failure, prose);
	}
	return check_bytes(failure, error);
}

static gboolean read_third(
    struct failure *failure, const struct mail_feedback *feedback, const struct prose *prose, GError **error)
{
	if (feedback->message != NULL)
		return read_message(failure, (const char *)feedback->message, feedback->message_size, error);
	if (prose->copy_size > 0)
		return read_message(failure, prose->copy, prose->copy_size, error);
	note(failure, NOTE_NO_MESSAGE, "original_headers", NULL);
	return TRUE;
}

#define FINISH(failure, list, member)                                                                        \
	do {                                                                                                 \
		(failure)->report.n_##member = (failure)->lists[list]->len;                                  \
		(failure)->report.member = (const char *const *)(failure)->lists[list]->pdata;               \
	} while (0)

static void finish(struct failure *failure)
{
	FINISH(failure, LIST_AUTHENTICATION_RESULTS, authentication_results);
	FINISH(failure, LIST_RCPT_TO, original_rcpt_to);
	FINISH(failure, LIST_DOMAIN, reported_domain);
	FINISH(failure, LIST_URI, reported_uri);
	FINISH(failure, LIST_SPF_DNS, spf_dns);
	failure->report.note = (const struct report_note *)(gpointer)failure->values.notes->data;
	failure->report.n_note = failure->values.notes->len;
}

static gboolean read_all(struct failure *failure, const struct mail_feedback *feedback, GError **error)
{
	struct prose prose = { .copy = NULL };

	if (feedback->copy_of != NULL)
		note(failure, NOTE_COPY, "report", feedback->copy_of);
	else if (feedback->report_type == NULL || strcmp(feedback->report_type, "feedback-report") != 0)
		note(failure, NOTE_REPORT_TYPE, "report_type", feedback->report_type);
	if (!read_second(failure, feedback, &prose, error) || !read_third(failure, feedback, &prose, error) ||
	    !check_bytes(failure, error))
		return FALSE;
	hash(failure, feedback);
	finish(failure);
	return TRUE;
}

struct failure *failure_read(
    const struct mail_feedback *feedback, const struct parser_options *options, GError **error)
{
	struct failure *failure = g_new0(struct failure, 1);

	failure->options = options;
	failure->report = (struct failure_report){ .arrival_time = -1, .source_port = -1, .incidents = 1 };
	failure->mask = options->failure_bodies ? NULL : mask_new();
	values_init(&failure->values, &options->limits);
	for (guint i = 0; i < N_LISTS; i++)
		failure->lists[i] = g_ptr_array_new();
	if (read_all(failure, feedback, error))
		return failure;
	failure_free(failure);
	return NULL;
}

const struct failure_report *failure_report(const struct failure *failure)
{
	return &failure->report;
}

void failure_free(struct failure *failure)
{
	if (failure == NULL)
		return;
	for (guint i = 0; i < N_LISTS; i++)
		g_ptr_array_unref(failure->lists[i]);
	values_clear(&failure->values);
	mask_free(failure->mask);
	g_free(failure->headers);
	g_free(failure->body);
	g_free(failure);
}
