#include "server/common/message.h"

#include <string.h>

#define LINE_MOST    78 /* RFC 5322 section 2.1.1 */
#define WORD_LINE    76 /* a line with encoded words (RFC 2047 section 2) */
#define WORD_MARKS   12 /* of these, what is around the text of a word */
#define QUOTED_MOST  76 /* characters in a line of quoted-printable (RFC 2045 section 6.7) */
#define BASE64_LINE  57 /* bytes, which are 76 characters */
#define SUBJECT_MOST 200

/* -- headers -- */

/* The value without what would end the line or could not be shown. Transfer full. */
static char *one_line(const char *value)
{
	char *line = g_utf8_make_valid(value, -1);

	for (char *at = line; *at != '\0'; at++)
		if (g_ascii_iscntrl(*at))
			*at = ' ';
	return line;
}

static gboolean is_plain(const char *value)
{
	for (const char *at = value; *at != '\0'; at++)
		if (!g_ascii_isprint(*at))
			return FALSE;
	return strstr(value, "=?") == NULL;
}

/* Bytes of whole characters at the beginning of text, at most this many, which is enough for one. */
static gsize word_length(const char *text, gsize most)
{
	gsize length = 0;

	while (text[length] != '\0') {
		gsize next = length + (gsize)(g_utf8_next_char(text + length) - (text + length));

		if (next > most)
			break;
		length = next;
	}
	return length;
}

/* column: where the first word begins in its line. */
static void append_encoded(GString *out, const char *value, gsize column)
{
	for (const char *at = value; *at != '\0'; column = 1) {
		gsize length = word_length(at, (WORD_LINE - WORD_MARKS - column) / 4 * 3);
		g_autofree char *word = g_base64_encode((const guchar *)at, length);

		g_string_append_printf(out, "%s=?UTF-8?B?%s?=", at == value ? "" : "\r\n ", word);
		at += length;
	}
}

void message_header(GString *out, const char *name, const char *value)
{
	g_autofree char *line = one_line(value);

	g_string_append_printf(out, "%s: ", name);
	if (is_plain(line) && strlen(name) + 2 + strlen(line) <= LINE_MOST)
		g_string_append(out, line);
	else
		append_encoded(out, line, strlen(name) + 2);
	g_string_append(out, "\r\n");
}

/* A header of addresses or ids, which are not encoded. */
static void append_plain(GString *out, const char *name, const char *value)
{
	g_autofree char *line = one_line(value);

	g_string_append_printf(out, "%s: %s\r\n", name, line);
}

static void append_recipients(GString *out, const char *const *to)
{
	for (gsize i = 0; to[i] != NULL; i++) {
		g_autofree char *line = one_line(to[i]);

		g_string_append_printf(out, "%s%s", i == 0 ? "To: " : ",\r\n ", line);
	}
	g_string_append(out, "\r\n");
}

static void append_date(GString *out, gint64 date)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(date);
	g_autofree char *words = g_date_time_format(time, "%a, %d %b %Y %H:%M:%S +0000");

	append_plain(out, "Date", words);
}

/* -- the text -- */

/* Append a byte of a line; column is where it stands. */
static void append_quoted(GString *out, guchar byte, gboolean literal, gsize *column)
{
	gsize width = literal ? 1 : 3;

	if (*column + width > QUOTED_MOST - 1) {
		g_string_append(out, "=\r\n");
		*column = 0;
	}
	if (literal)
		g_string_append_c(out, (char)byte);
	else
		g_string_append_printf(out, "=%02X", byte);
	*column += width;
}

void message_quoted(GString *out, const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	gsize column = 0;

	for (const char *at = valid; *at != '\0'; at++) {
		gboolean ends = at[1] == '\n' || at[1] == '\0';

		if (*at == '\n') {
			g_string_append(out, "\r\n");
			column = 0;
		} else {
			append_quoted(out, (guchar)*at,
			    (g_ascii_isgraph(*at) && *at != '=') || (*at == ' ' && !ends), &column);
		}
	}
	if (column > 0)
		g_string_append(out, "\r\n");
}

void message_base64(GString *out, const guint8 *bytes, gsize size)
{
	for (gsize at = 0; at < size; at += BASE64_LINE) {
		g_autofree char *line = g_base64_encode(bytes + at, MIN(size - at, BASE64_LINE));

		g_string_append_printf(out, "%s\r\n", line);
	}
}

static void append_body(GString *out, const struct message *message)
{
	g_string_append(out, "MIME-Version: 1.0\r\n");
	if (message->text != NULL)
		g_string_append(out, MESSAGE_TEXT_HEADERS("plain"));
	else
		append_plain(out, "Content-Type", message->type);
	g_string_append(out, "Auto-Submitted: auto-generated\r\n\r\n"); /* RFC 3834: no automatic replies */
	if (message->text != NULL)
		message_quoted(out, message->text);
	else
		g_string_append(out, message->body);
}

GBytes *message_make(const struct message *message)
{
	GString *out = g_string_new(NULL);
	g_autofree char *from = g_strdup_printf("ruad <%s>", message->from);
	g_autofree char *id = g_strdup_printf("<%s>", message->id);
	g_autofree char *valid = g_utf8_make_valid(message->subject, -1);
	g_autofree char *subject = g_utf8_substring(valid, 0, MIN(g_utf8_strlen(valid, -1), SUBJECT_MOST));

	append_date(out, message->date);
	append_plain(out, "From", from);
	if (message->to[0] != NULL)
		append_recipients(out, message->to);
	message_header(out, "Subject", subject);
	append_plain(out, "Message-ID", id);
	append_body(out, message);
	return g_string_free_to_bytes(out);
}

/* -- names -- */

gboolean message_is_address(const char *text)
{
	const char *at = strchr(text, '@');

	for (const char *c = text; *c != '\0'; c++)
		if (!g_ascii_isgraph(*c) || strchr("<>()[]\\,;:\"", *c) != NULL)
			return FALSE;
	return at != NULL && at != text && at[1] != '\0' && strchr(at + 1, '@') == NULL;
}

char *message_sender(const struct settings *settings)
{
	const char *from = settings_string(settings, "notify.mail_from");

	return *from != '\0' ? g_strdup(from) : g_strconcat("ruad@", g_get_host_name(), NULL);
}

char *message_id(const char *sender)
{
	g_autofree char *uuid = g_uuid_string_random();
	const char *at = strrchr(sender, '@');

	return g_strdup_printf("%s.ruad%s", uuid, at != NULL ? at : "@localhost");
}
