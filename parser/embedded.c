#include "parser/embedded.h"

#include "parser/jsontext.h"
#include "parser/kind.h"
#include "parser/text.h"

#include <string.h>

#define BASE64_LINE 60 /* characters of a line, at least: 60, 64, 72 and 76 are usual */
#define PLAIN_TRIES 16 /* so that no text takes time in the square of its size */

/* -- base64 -- */

/* The value of each letter plus one; 0: it is none. */
static const guint8 BASE64[256] = {
	['A'] = 1,
	2,
	3,
	4,
	5,
	6,
	7,
	8,
	9,
	10,
	11,
	12,
	13,
	14,
	15,
	16,
	17,
	18,
	19,
	20,
	21,
	22,
	23,
	24,
	25,
	26,
	['a'] = 27,
	28,
	29,
	30,
	31,
	32,
	33,
	34,
	35,
	36,
	37,
	38,
	39,
	40,
	41,
	42,
	43,
	44,
	45,
	46,
	47,
	48,
	49,
	50,
	51,
	52,
	['0'] = 53,
	54,
	55,
	56,
	57,
	58,
	59,
	60,
	61,
	62,
	['+'] = 63,
	['/'] = 64,
};

static gint base64_value(guint8 c)
{
	return (gint)BASE64[c] - 1;
}

/* The bytes of a group of n letters, of which the last may be missing. Returns where they end. */
static guint8 *base64_put(guint8 *out, guint32 group, guint n)
{
	if (n < 2)
		return out;
	group <<= 6 * (4 - n);
	*out++ = (guint8)(group >> 16);
	if (n > 2)
		*out++ = (guint8)(group >> 8);
	if (n > 3)
		*out++ = (guint8)group;
	return out;
}

GByteArray *embedded_decode_base64(const guint8 *text, gsize size)
{
	GByteArray *out = g_byte_array_new();
	guint8 *at;
	guint32 group = 0;
	guint n = 0;

	g_byte_array_set_size(out, (guint)(size / 4 * 3 + 3));
	at = out->data;
	for (gsize i = 0; i < size; i++) {
		gint value = base64_value(text[i]);

		if (value >= 0) {
			group = group << 6 | (guint32)value;
			n++;
		}
		if (n == 4 || text[i] == '=') {
			at = base64_put(at, group, n);
			n = 0;
			group = 0;
		}
	}
	at = base64_put(at, group, n);
	g_byte_array_set_size(out, (guint)(at - out->data));
	return out;
}

static const char *const STARTS[] = { "H4sI", "UEsDB", "PD94bWwg", "PGZlZWRiYWNr", "77u/PD94bWwg",
	"77u/PGZlZWRiYWNr", "eyJ", "eyAi", "ewog", "ewoJ", "ewoi", "ew0K",
	"RmVlZGJhY2stV" /* Feedback-Type: */ };

static gboolean is_base64_start(const guint8 *text, gsize size)
{
	for (gsize i = 0; i < G_N_ELEMENTS(STARTS); i++) {
		gsize n = strlen(STARTS[i]);

		if (size > n && memcmp(text, STARTS[i], n) == 0)
			return TRUE;
	}
	return FALSE;
}

gboolean embedded_is_base64(const guint8 *text, gsize size)
{
	gsize at = 0;

	while (at < size && text_is_space((char)text[at]))
		at++;
	return is_base64_start(text + at, size - at);
}

/* -- lines -- */

/* To the end of the line at text, and without what ends it and the blanks before. */
static gsize line_size(const guint8 *text, gsize left, gsize *letters)
{
	const guint8 *end = memchr(text, '\n', left);
	gsize size = end == NULL ? left : (gsize)(end - text) + 1;

	*letters = size;
	while (*letters > 0 && text_is_space((char)text[*letters - 1]))
		--*letters;
	return size;
}

static gboolean is_base64_line(const guint8 *line, gsize letters)
{
	for (gsize i = 0; i < letters; i++)
		if (base64_value(line[i]) < 0 && line[i] != '=')
			return FALSE;
	return letters > 0;
}

/* Lines of base64 from the start of text; how many bytes they are. */
static gsize base64_size(const guint8 *text, gsize size)
{
	gsize at = 0, letters;

	while (at < size) {
		gsize line = line_size(text + at, size - at, &letters);

		if (!is_base64_line(text + at, letters))
			break;
		at += line;
	}
	return at;
}

gboolean embedded_is_no_base64(const guint8 *text, gsize size)
{
	gsize others = 0;

	for (gsize i = 0; i < size; i++)
		others += base64_value(text[i]) < 0 && text[i] != '=' && !text_is_space((char)text[i]);
	return others > size / 16;
}

gboolean embedded_is_all_base64(const guint8 *text, gsize size)
{
	const char *trimmed = (const char *)text;
	gsize n = text_trim(&trimmed, size), letters;

	line_size((const guint8 *)trimmed, n, &letters);
	return letters >= BASE64_LINE && letters % 4 == 0 && base64_size((const guint8 *)trimmed, n) == n;
}

/* -- uuencode -- */

/* "begin 644 name": the name. */
static gboolean is_uu_begin(const guint8 *line, gsize letters, const char **name, gsize *name_size)
{
	const char *text = (const char *)line;
	gsize at = strlen("begin ");

	if (letters <= at || memcmp(text, "begin ", at) != 0)
		return FALSE;
	while (at < letters && text[at] >= '0' && text[at] <= '7')
		at++;
	if (at < strlen("begin 644") || at >= letters || text[at] != ' ')
		return FALSE;
	*name = text + at + 1;
	*name_size = letters - at - 1;
	return TRUE;
}

/* A letter's six bits; blanks at the end of a line may have been lost. */
static guint32 uu_bits(const guint8 *line, gsize letters, gsize i)
{
	return i < letters ? (guint32)(line[i] - ' ') & 63 : 0;
}

/* Decode one line. Returns FALSE if it is invalid, or the last one. */
static gboolean uu_line(const guint8 *line, gsize letters, GByteArray *out)
{
	guint n = letters == 0 ? 0 : uu_bits(line, letters, 0);

	for (gsize i = 0; i < letters; i++)
		if (line[i] < ' ' || line[i] > '`')
			return FALSE;
	for (gsize i = 1; n > 0; i += 4) {
		guint32 group = uu_bits(line, letters, i) << 18 | uu_bits(line, letters, i + 1) << 12 |
				uu_bits(line, letters, i + 2) << 6 | uu_bits(line, letters, i + 3);
		const guint8 bytes[3] = { (guint8)(group >> 16), (guint8)(group >> 8), (guint8)group };
		guint take = MIN(n, 3);

		g_byte_array_append(out, bytes, take);
		n -= take;
	}
	return letters > 0 && uu_bits(line, letters, 0) > 0;
}

/* Lines of uuencode from the start of text; how many bytes they are. */
static gsize uu_decode(const guint8 *text, gsize size, GByteArray *out)
{
	gsize at = 0, letters;
	gboolean more = TRUE;

	while (at < size && more) {
		gsize line = line_size(text + at, size - at, &letters);

		more = uu_line(text + at, letters, out);
		if (more)
			at += line;
	}
	return at;
}

/* -- reports as they are -- */

/* How often a search to the end of the text may still fail. */
struct plain {
	guint xml_tries;
	guint json_tries;
};

static gboolean has_word(const guint8 *text, gsize size, const char *word)
{
	gsize n = strlen(word);

	for (gsize at = 0; at + n <= size; at++)
		if (g_ascii_strncasecmp((const char *)text + at, word, n) == 0)
			return TRUE;
	return FALSE;
}

/* The size of a report up to the end tag of its root, or to the end of the text. */
static gsize xml_size(const guint8 *text, gsize size)
{
	for (gsize at = 0; at + 2 < size; at++) {
		gsize name = at + 2;

		if (text[at] != '<' || text[at + 1] != '/')
			continue;
		while (name < size && (g_ascii_isalnum(text[name]) || text[name] == '-' || text[name] == '_'))
			name++;
		name = name < size && text[name] == ':' ? name + 1 : at + 2;
		if (size - name < 8 || g_ascii_strncasecmp((const char *)text + name, "feedback", 8) != 0)
			continue;
		for (name += 8; name < size && text[name] != '>' && text[name] != '\n';)
			name++;
		return MIN(name + 1, size);
	}
	return size;
}

static gboolean begins(const guint8 *text, gsize size, const char *tag)
{
	return size > strlen(tag) && g_ascii_strncasecmp((const char *)text, tag, strlen(tag)) == 0;
}

/* The bytes of records that follow the end of their report, which then says so. */
static gsize records_size(const guint8 *text, gsize size)
{
	gsize end = 0;

	for (gsize at = kind_blank(text, size); at < size && begins(text + at, size - at, "<record");
	     at = end + kind_blank(text + end, size - end)) {
		while (at < size && !begins(text + at, size - at, "</record>"))
			at++;
		end = MIN(size, at + strlen("</record>"));
	}
	return end;
}

/* The bytes of the XML of a report that begins here, or 0. */
static gsize plain_xml(struct plain *plain, const guint8 *text, gsize size)
{
	gsize n;

	if (plain->xml_tries == 0 || !kind_is_report_start(text, size))
		return 0;
	n = xml_size(text, size);
	if (has_word(text, n, "metadata"))
		return n + records_size(text + n, size - n);
	plain->xml_tries -= n == size;
	return 0;
}

/* The bytes of the JSON of a TLS report that begins here, or 0. */
static gsize plain_json(struct plain *plain, const guint8 *text, gsize size)
{
	gsize at = 1, n;

	while (at < size && text_is_space((char)text[at]))
		at++;
	if (plain->json_tries == 0 || at == size || text[at] != '"')
		return 0;
	n = jsontext_object_size(text, size);
	plain->json_tries -= n == 0;
	return has_word(text, n, "policies") ? n : 0;
}

/* The bytes of the first report that begins in this line, or 0; *begin: before it. */
static gsize plain_size(struct plain *plain, const guint8 *text, gsize size, gsize line, gsize *begin)
{
	gsize n = 0;

	for (gsize at = 0; at < line && n == 0; at++) {
		if (text[at] == '<')
			n = plain_xml(plain, text + at, size - at);
		else if (text[at] == '{')
			n = plain_json(plain, text + at, size - at);
		*begin = at;
	}
	return n;
}

/* A copy of the XML behind a '>' for the text before it, which repair.h removes and notes. */
static GByteArray *plain_copy(const guint8 *text, gsize size)
{
	GByteArray *out = g_byte_array_sized_new((guint)size + 1);

	if (text[0] == '<')
		g_byte_array_append(out, (const guint8 *)">", 1);
	g_byte_array_append(out, text, (guint)size);
	return out;
}

gboolean embedded_walk(const guint8 *text, gsize size, embedded_cb found, gpointer user, GError **error)
{
	struct plain plain = { PLAIN_TRIES, PLAIN_TRIES };
	gsize at = 0, letters;

	while (at < size) {
		g_autoptr(GByteArray) out = NULL;
		const char *name = NULL;
		gsize name_size = 0, begin, report, line = line_size(text + at, size - at, &letters);

		if (is_base64_start(text + at, letters)) {
			line = MAX(line, base64_size(text + at, size - at));
			out = embedded_decode_base64(text + at, line);
		} else if (is_uu_begin(text + at, letters, &name, &name_size)) {
			out = g_byte_array_new();
			line += uu_decode(text + at + line, size - at - line, out);
		} else if ((report = plain_size(&plain, text + at, size - at, line, &begin)) > 0) {
			out = plain_copy(text + at + begin, report);
			line = begin + report;
		}
		if (out != NULL && out->len > 0 && !found(user, name, name_size, out->data, out->len, error))
			return FALSE;
		at += line;
	}
	return TRUE;
}
