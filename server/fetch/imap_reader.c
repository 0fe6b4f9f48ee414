#include "server/fetch/imap_reader.h"

#include <string.h>

#include "parser/error.h"

#define PLACE "IMAP server"

struct imap_reader {
	struct imap_sink sink;
	GString *line;
	guint64 literal_left; /* bytes */
	guint literals;       /* of this answer */
	gsize tail;           /* where the line goes on after the last of them */
};

struct imap_reader *imap_reader_new(const struct imap_sink *sink)
{
	struct imap_reader *reader = g_new0(struct imap_reader, 1);

	reader->sink = *sink;
	reader->line = g_string_new(NULL);
	return reader;
}

void imap_reader_free(struct imap_reader *reader)
{
	if (reader == NULL)
		return;
	g_string_free(reader->line, TRUE);
	g_free(reader);
}

/* "text {42}": cut the size off. Returns FALSE with error unset if the line ends without a literal after
 * tail. */
static gboolean cut_size(GString *line, gsize tail, guint64 *size, GError **error)
{
	gboolean ends = line->len > tail && line->str[line->len - 1] == '}';
	const char *brace = ends ? strrchr(line->str + tail, '{') : NULL;
	g_autofree char *digits = NULL;

	if (brace == NULL)
		return FALSE;
	digits = g_strndup(brace + 1, line->len - 1 - (gsize)(brace + 1 - line->str));
	if (!g_ascii_string_to_unsigned(digits, 10, 0, G_MAXUINT32, size, NULL))
		return ruad_error_at(error, PLACE, "a literal without a valid size");
	g_string_truncate(line, (gsize)(brace - line->str));
	return TRUE;
}

static gboolean begin_literal(struct imap_reader *reader, guint64 size, GError **error)
{
	if (++reader->literals > IMAP_LITERALS_MAX)
		return ruad_error_over_limit(error, PLACE ": literals in an answer", IMAP_LITERALS_MAX);
	if (!reader->sink.literal(reader->line->str, size, reader->sink.user, error))
		return FALSE;
	g_string_append(reader->line, "{}");
	reader->tail = reader->line->len;
	reader->literal_left = size;
	return TRUE;
}

/* The line in the buffer ends here, with CR. */
static gboolean end_line(struct imap_reader *reader, GError **error)
{
	g_autoptr(GError) cause = NULL;
	guint64 size = 0;
	gboolean good;

	if (reader->line->len == 0 || reader->line->str[reader->line->len - 1] != '\r')
		return ruad_error_at(error, PLACE, "a line that does not end with CRLF");
	g_string_truncate(reader->line, reader->line->len - 1);
	if (cut_size(reader->line, reader->tail, &size, &cause))
		return begin_literal(reader, size, error);
	if (cause != NULL) {
		g_propagate_error(error, g_steal_pointer(&cause));
		return FALSE;
	}
	good = reader->sink.line(reader->line->str, reader->sink.user, error);
	g_string_truncate(reader->line, 0);
	reader->literals = 0;
	reader->tail = 0;
	return good;
}

static gboolean push_literal(struct imap_reader *reader, const char *data, gsize size, GError **error)
{
	reader->literal_left -= size;
	return reader->sink.bytes(data, size, reader->sink.user, error);
}

/* Bytes of a line, without LF. */
static gboolean push_text(struct imap_reader *reader, const char *data, gsize size, GError **error)
{
	if (size > IMAP_LINE_MAX - MIN(reader->line->len, IMAP_LINE_MAX))
		return ruad_error_over_limit(error, PLACE ": bytes of an answer", IMAP_LINE_MAX);
	if (memchr(data, '\0', size) != NULL)
		return ruad_error_at(error, PLACE, "a NUL byte in an answer");
	g_string_append_len(reader->line, data, (gssize)size);
	return TRUE;
}

gboolean imap_reader_push(struct imap_reader *reader, const char *data, gsize size, GError **error)
{
	while (size > 0) {
		gsize used;

		if (reader->literal_left > 0) {
			used = (gsize)MIN(size, reader->literal_left);
			if (!push_literal(reader, data, used, error))
				return FALSE;
		} else {
			const char *lf = memchr(data, '\n', size);
			gsize text = lf != NULL ? (gsize)(lf - data) : size;

			used = text + (lf != NULL ? 1 : 0);
			if (!push_text(reader, data, text, error) || (lf != NULL && !end_line(reader, error)))
				return FALSE;
		}
		data += used;
		size -= used;
	}
	return TRUE;
}
