#include "parser/msg.h"

#include "parser/cfb.h"
#include "parser/kind.h"
#include "parser/text.h"

#include <string.h>

#define PROPERTIES  "__properties_version1.0" /* each message and attachment has this stream (section 2.4) */
#define PROPERTY    "__substg1.0_"            /* then an id and a type, in hexadecimal (section 2.3) */
#define ATTACHMENT  "__attach_version1.0_#"
#define FIELD_BYTES 1000 /* of From and the like */
#define NAME_BYTES  200  /* of a file name */
#define OTHER_TYPE  "application/octet-stream"

/* Types of a property (MS-OXCDATA section 2.11.1). */
enum {
	OBJECT = 0x000d, /* a storage, all others are streams */
	STRING8 = 0x001e,
	STRING = 0x001f, /* UTF-16LE */
	BINARY = 0x0102,
};

enum property {
	SUBJECT,
	HEADER,
	SENDER_NAME,
	SENDER_ADDRESS,
	SENDER_SMTP,
	MESSAGE_ID,
	BODY,
	HTML,
	RTF,
	DATA,
	LONG_NAME,
	SHORT_NAME,
	DISPLAY_NAME,
	MIME_TYPE,
	N_PROPERTIES,
};

/* Their ids (MS-OXPROPS). */
static const guint16 IDS[N_PROPERTIES] = {
	[SUBJECT] = 0x0037,
	[HEADER] = 0x007d,
	[SENDER_NAME] = 0x0c1a,
	[SENDER_ADDRESS] = 0x0c1f,
	[SENDER_SMTP] = 0x5d01,
	[MESSAGE_ID] = 0x1035,
	[BODY] = 0x1000,
	[HTML] = 0x1013,
	[RTF] = 0x1009,
	[DATA] = 0x3701,
	[LONG_NAME] = 0x3707,
	[SHORT_NAME] = 0x3704,
	[DISPLAY_NAME] = 0x3001,
	[MIME_TYPE] = 0x370e,
};

/* The properties of a message or an attachment. */
struct properties {
	struct {
		guint entry; /* or CFB_NONE */
		guint type;
	} of[N_PROPERTIES];
};

struct writer {
	struct cfb *cfb;
	GByteArray *mail;
	guint boundaries;
	gboolean too_deep;
};

/* -- properties -- */

/* The entry may be a property, and one of those. */
static void read_property(struct properties *properties, const struct cfb_entry *entry, guint index)
{
	const char *digits = entry->name + strlen(PROPERTY);
	guint id = 0;

	if (!g_str_has_prefix(entry->name, PROPERTY) || strlen(digits) != 8)
		return;
	for (gsize i = 0; i < 8; i++) {
		if (!g_ascii_isxdigit(digits[i]))
			return;
		id = id << 4 | (guint)g_ascii_xdigit_value(digits[i]);
	}
	if (entry->is_storage != ((id & 0xffff) == OBJECT))
		return;
	for (gsize i = 0; i < N_PROPERTIES; i++)
		if (IDS[i] == id >> 16) {
			properties->of[i].entry = index;
			properties->of[i].type = id & 0xffff;
		}
}

static void read_properties(struct writer *w, struct properties *properties, guint storage)
{
	for (gsize i = 0; i < N_PROPERTIES; i++)
		properties->of[i].entry = CFB_NONE;
	for (guint i = cfb_entry(w->cfb, storage)->first; i != CFB_NONE; i = cfb_entry(w->cfb, i)->next)
		read_property(properties, cfb_entry(w->cfb, i), i);
}

static void append_utf16(GString *text, const guint8 *data, gsize size)
{
	for (gsize i = 0; i + 1 < size; i += 2) {
		gunichar c = (gunichar)(data[i] | data[i + 1] << 8);
		gunichar low = i + 3 < size ? (gunichar)(data[i + 2] | data[i + 3] << 8) : 0;

		if ((c & 0xfc00) == 0xd800 && (low & 0xfc00) == 0xdc00) {
			c = 0x10000 + ((c & 0x3ff) << 10) + (low & 0x3ff);
			i += 2;
		} else if ((c & 0xf800) == 0xd800) {
			c = 0xfffd;
		}
		if (c < 0x80)
			g_string_append_c(text, (char)c);
		else
			g_string_append_unichar(text, c);
	}
}

/* A property's text in UTF-8, or as it is if it has 8-bit characters; empty if it is absent. */
static GString *take_text(struct writer *w, const struct properties *properties, enum property property)
{
	guint entry = properties->of[property].entry;
	GString *text = g_string_new(NULL);
	g_autoptr(GByteArray) bytes = NULL;

	if (entry == CFB_NONE || properties->of[property].type == OBJECT)
		return text;
	bytes = cfb_read(w->cfb, entry);
	if (properties->of[property].type == STRING)
		append_utf16(text, bytes->data, bytes->len);
	else
		g_string_append_len(text, (const char *)bytes->data, (gssize)bytes->len);
	return text;
}

/* The same, on one line. */
static char *take_line(
    struct writer *w, const struct properties *properties, enum property property, gsize max)
{
	GString *text = take_text(w, properties, property);
	gsize size = strnlen(text->str, text->len);
	char *line = text_clean_line(text->str, size, max);

	g_string_free(text, TRUE);
	return line;
}

/* -- MIME -- */

static void put(struct writer *w, const char *text)
{
	g_byte_array_append(w->mail, (const guint8 *)text, (guint)strlen(text));
}

static void put_field(struct writer *w, const char *name, const char *value)
{
	if (*value == '\0')
		return;
	put(w, name);
	put(w, ": ");
	put(w, value);
	put(w, "\n");
}

static void put_boundary(struct writer *w, guint boundary, const char *end)
{
	g_autofree char *line = g_strdup_printf("\n--ruad=msg=%u%s\n", boundary, end);

	put(w, line);
}

static void put_base64(struct writer *w, const guint8 *data, gsize size)
{
	gsize had = w->mail->len, room = (size / 3 + 1) * 4 + 4, n;
	gint state = 0, save = 0;
	char *to;

	g_byte_array_set_size(w->mail, (guint)(had + room + room / 72 + 1));
	to = (char *)w->mail->data + had;
	n = g_base64_encode_step(data, size, TRUE, to, &state, &save);
	n += g_base64_encode_close(TRUE, to + n, &state, &save);
	g_byte_array_set_size(w->mail, (guint)(had + n));
}

/* A file name, in the form of RFC 2231. */
static void put_name(struct writer *w, const char *name)
{
	g_autofree char *escaped = g_uri_escape_string(name, NULL, FALSE);

	if (*name == '\0')
		return;
	put(w, "Content-Disposition: attachment; filename*=utf-8''");
	put(w, escaped);
	put(w, "\n");
}

static void put_part(struct writer *w, const char *type, const char *name, const guint8 *data, gsize size)
{
	put_field(w, "Content-Type", type);
	put_name(w, name);
	put(w, "Content-Transfer-Encoding: base64\n\n");
	put_base64(w, data, size);
}

/* -- the header -- */

/* What the header that is written has already. */
struct fields {
	gboolean from;
	gboolean subject;
	gboolean message_id;
	gboolean feedback; /* its parts are a feedback report (RFC 5965) */
};

static gboolean begins(const char *line, const char *name)
{
	return g_ascii_strncasecmp(line, name, strlen(name)) == 0;
}

/* Whether this line of the header as it was received is kept. A line that may be a boundary is none of a
 * header, and of new parts the old types are not true. */
static gboolean is_kept(const char *line, gsize size, gboolean new_parts, struct fields *fields)
{
	if (!g_ascii_isalpha(*line) || !kind_is_field((const guint8 *)line, size) || begins(line, "From "))
		return FALSE;
	if (new_parts && (begins(line, "Content-") || begins(line, "MIME-Version")))
		return FALSE;
	fields->from |= begins(line, "From:");
	fields->subject |= begins(line, "Subject:");
	fields->message_id |= begins(line, "Message-ID:");
	return TRUE;
}

/* The header as it was received, up to an empty line. */
static void put_received(struct writer *w, const GString *header, gboolean new_parts, struct fields *fields)
{
	gboolean keep = FALSE, is_type = FALSE, begun = FALSE;

	for (gsize at = 0, line; at < header->len; at += line) {
		const char *start = header->str + at, *text = start;
		gsize size;

		line = text_line_size(start, header->len - at);
		size = text_trim(&text, line);
		if (size == 0 && begun)
			break;
		if (size == 0)
			continue;
		if (text == start) {
			keep = is_kept(text, size, new_parts, fields);
			is_type = begins(text, "Content-Type:");
		}
		begun |= keep;
		fields->feedback |= is_type && g_strstr_len(text, (gssize)size, "feedback-report") != NULL;
		if (!keep)
			continue;
		g_byte_array_append(w->mail, (const guint8 *)start, (guint)((gsize)(text - start) + size));
		put(w, "\n");
	}
}

static void put_from(struct writer *w, const struct properties *properties)
{
	g_autofree char *name = take_line(w, properties, SENDER_NAME, FIELD_BYTES);
	g_autofree char *address = take_line(w, properties, SENDER_ADDRESS, FIELD_BYTES);
	g_autofree char *smtp = take_line(w, properties, SENDER_SMTP, FIELD_BYTES);
	const char *best = *smtp != '\0' ? smtp : address;
	g_autofree char *from = NULL;

	g_strdelimit(name, "\"\\<>", ' ');
	from = *name == '\0'               ? g_strdup(best)
	       : strchr(best, '@') != NULL ? g_strdup_printf("\"%s\" <%s>", name, best)
					   : g_strdup(name);
	put_field(w, "From", from);
}

/* The header of a message without its end. new_parts: without the fields that say what its parts were. */
static void put_header(
    struct writer *w, const struct properties *properties, gboolean new_parts, struct fields *fields)
{
	GString *header = take_text(w, properties, HEADER);
	g_autofree char *subject = take_line(w, properties, SUBJECT, FIELD_BYTES);
	g_autofree char *id = take_line(w, properties, MESSAGE_ID, FIELD_BYTES);

	*fields = (struct fields){ 0 };
	put_received(w, header, new_parts, fields);
	g_string_free(header, TRUE);
	if (!fields->from)
		put_from(w, properties);
	if (!fields->subject)
		put_field(w, "Subject", subject);
	if (!fields->message_id)
		put_field(w, "Message-ID", id);
}

/* -- parts -- */

/* Returns whether there is such a text. */
static gboolean put_text(struct writer *w, const struct properties *properties, enum property property,
    const char *type, guint boundary)
{
	GString *text = take_text(w, properties, property);
	gboolean is_there = text->len > 0;

	if (is_there) {
		put_boundary(w, boundary, "");
		put_part(w, type, "", (const guint8 *)text->str, text->len);
	}
	g_string_free(text, TRUE);
	return is_there;
}

/* A type and a subtype of the characters that tokens have (RFC 2045 section 5.1). */
static gboolean is_media_type(const char *type)
{
	const char *slash = strchr(type, '/');

	for (const char *c = type; *c != '\0'; c++)
		if (c != slash && !g_ascii_isalnum(*c) && strchr("!#$&^_.+-", *c) == NULL)
			return FALSE;
	return slash != NULL && slash > type && slash[1] != '\0';
}

/* Media types of which the content has parts, so that it cannot be in base64. */
static gboolean is_composite(const char *type)
{
	static const char *const NAMES[] = { "message/rfc822", "message/rfc2822", "message/news",
		"message/global", "message/partial" };

	for (gsize i = 0; i < G_N_ELEMENTS(NAMES); i++)
		if (strcmp(type, NAMES[i]) == 0)
			return TRUE;
	return g_str_has_prefix(type, "multipart/");
}

/* A mail that is attached as it is; or what was signed of a mail, with its own header. */
static void put_mail(struct writer *w, const char *name, const GByteArray *data)
{
	put_field(w, "Content-Type", "message/rfc822");
	put_name(w, name);
	put(w, "\n");
	g_byte_array_append(w->mail, data->data, data->len);
}

/* Returns whether its type is that of the fields of a feedback report. */
static gboolean put_file(struct writer *w, const struct properties *properties, const char *name)
{
	g_autofree char *type = take_line(w, properties, MIME_TYPE, NAME_BYTES);
	guint entry = properties->of[DATA].entry;
	gboolean absent = entry == CFB_NONE || properties->of[DATA].type != BINARY;
	g_autoptr(GByteArray) data = absent ? g_byte_array_new() : cfb_read(w->cfb, entry);

	text_lower(type);
	if (is_composite(type) && kind_is_field(data->data, data->len))
		put_mail(w, name, data);
	else
		put_part(w, is_media_type(type) && !is_composite(type) ? type : OTHER_TYPE, name, data->data,
		    data->len);
	return strcmp(type, "message/feedback-report") == 0;
}

static char *take_name(struct writer *w, const struct properties *properties)
{
	static const enum property NAMES[] = { LONG_NAME, SHORT_NAME, DISPLAY_NAME };
	char *name = NULL;

	for (gsize i = 0; i < G_N_ELEMENTS(NAMES) && (name == NULL || *name == '\0'); i++) {
		g_free(name);
		name = take_line(w, properties, NAMES[i], NAME_BYTES);
	}
	return name;
}

/* The message that a failure report is about, with the header that it had; its parts are not read. */
static void put_reported(struct writer *w, guint storage)
{
	struct properties properties;
	struct fields fields;
	GString *text;

	read_properties(w, &properties, storage);
	put_header(w, &properties, FALSE, &fields);
	text = take_text(w, &properties, BODY);
	put(w, "\n");
	g_byte_array_append(w->mail, (const guint8 *)text->str, (guint)text->len);
	g_string_free(text, TRUE);
}

static void put_message(struct writer *w, guint storage, guint depth);

/* feedback: it is a part of a feedback report; set if its type says so. */
static void put_attachment(struct writer *w, guint storage, guint depth, gboolean *feedback)
{
	struct properties properties;
	g_autofree char *name = NULL;
	guint data;

	read_properties(w, &properties, storage);
	name = take_name(w, &properties);
	data = properties.of[DATA].entry;
	if (data == CFB_NONE || !cfb_entry(w->cfb, data)->is_storage ||
	    cfb_find(w->cfb, data, PROPERTIES) == CFB_NONE) {
		*feedback |= put_file(w, &properties, name);
		return;
	}
	put_field(w, "Content-Type", "message/rfc822");
	put_name(w, name);
	put(w, "\n");
	if (*feedback)
		put_reported(w, data);
	else
		put_message(w, data, depth + 1);
}

static void put_parts(
    struct writer *w, const struct properties *properties, guint storage, guint depth, gboolean feedback)
{
	guint boundary = ++w->boundaries;
	gboolean has_text;
	g_autofree char *type = g_strdup_printf("multipart/%s; boundary=\"ruad=msg=%u\"",
	    feedback ? "report; report-type=feedback-report" : "mixed", boundary);

	put_field(w, "MIME-Version", "1.0");
	put_field(w, "Content-Type", type);
	has_text = put_text(w, properties, BODY, "text/plain; charset=utf-8", boundary);
	has_text |= put_text(w, properties, HTML, "text/html", boundary);
	if (!has_text) /* else it is the same text; it stays compressed */
		put_text(w, properties, RTF, "application/rtf", boundary);
	for (guint i = cfb_entry(w->cfb, storage)->first; i != CFB_NONE; i = cfb_entry(w->cfb, i)->next) {
		const struct cfb_entry *entry = cfb_entry(w->cfb, i);

		if (!entry->is_storage || !g_str_has_prefix(entry->name, ATTACHMENT))
			continue;
		put_boundary(w, boundary, "");
		put_attachment(w, i, depth, &feedback);
	}
	put_boundary(w, boundary, "--");
}

/* Calls itself for mails in mails, up to MSG_DEPTH. */
static void put_message(struct writer *w, guint storage, guint depth)
{
	struct properties properties;
	struct fields fields;

	if (depth > MSG_DEPTH) {
		w->too_deep = TRUE;
		return;
	}
	read_properties(w, &properties, storage);
	put_header(w, &properties, TRUE, &fields);
	put_parts(w, &properties, storage, depth, fields.feedback);
}

static void set_damage(const struct writer *w, GError **error)
{
	if (w->too_deep)
		ruad_error_over_limit(error, "Outlook .msg: mails inside one another", MSG_DEPTH);
	else if (cfb_damage(w->cfb) != NULL)
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "%s: damaged: %s",
		    w->mail != NULL ? "Outlook .msg" : "OLE2 file", cfb_damage(w->cfb));
}

GBytes *msg_read(const guint8 *data, gsize size, GError **error)
{
	struct writer w = { .cfb = cfb_new(data, size, error) };
	gsize n;

	if (w.cfb == NULL)
		return NULL;
	if (cfb_find(w.cfb, CFB_ROOT, PROPERTIES) != CFB_NONE) {
		w.mail = g_byte_array_new();
		put_message(&w, CFB_ROOT, 1);
	}
	set_damage(&w, error); /* without those, it may have been one */
	cfb_free(w.cfb);
	if (w.mail == NULL)
		return NULL;
	n = w.mail->len; /* an array has room for up to twice as many */
	return g_bytes_new_take(g_realloc(g_byte_array_free(w.mail, FALSE), n), n);
}
