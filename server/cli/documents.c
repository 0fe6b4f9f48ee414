#include "server/cli/documents.h"

#include <errno.h>
#include <string.h>

#include "parser/error.h"
#include "parser/mailsplit.h"
#include "parser/text.h"
#include "server/cli/srg.h"
#include "server/common/splitter.h"

#define PIECE_MAX 65536 /* bytes read at once; a longer line is split into pieces */

static const char from_words[] = "From ";

struct documents {
	FILE *in;
	char buffer[PIECE_MAX];
	gsize have; /* bytes in the buffer */
	gsize pos;  /* of these, already returned */
	guint64 limit;

	gboolean started;
	gboolean is_mbox;
	gboolean ended;
	gboolean line_start;  /* the next piece begins a line */
	gboolean after_blank; /* and the line before it was empty, or there is none */
	gboolean in_from;     /* within a separator line */
	gboolean timed;       /* separators have a time of day */
	struct splitter splitter;
	struct srg *srg; /* of a dump: the rows of dmarc-srg; NULL: none, or all were given */
};

struct documents *documents_new(FILE *in)
{
	struct documents *documents = g_new0(struct documents, 1);

	documents->in = in;
	documents->limit = DOCUMENT_MAX;
	documents->line_start = documents->after_blank = TRUE;
	return documents;
}

void documents_free(struct documents *documents)
{
	srg_free(documents->srg);
	g_free(documents);
}

const char *documents_part(const struct documents *documents)
{
	if (documents->is_mbox)
		return "mail";
	return documents->splitter.kind != SPLITTER_NONE ? "report" : NULL;
}

void documents_limit(struct documents *documents, guint64 bytes)
{
	documents->limit = bytes;
}

/* -- pieces: a line, or a part of a long one -- */

static gboolean fill(struct documents *documents, GError **error)
{
	memmove(documents->buffer, documents->buffer + documents->pos, documents->have - documents->pos);
	documents->have -= documents->pos;
	documents->pos = 0;
	documents->have +=
	    fread(documents->buffer + documents->have, 1, PIECE_MAX - documents->have, documents->in);
	if (!ferror(documents->in))
		return TRUE;
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "cannot read: %s", g_strerror(errno));
	return FALSE;
}

/* The next piece, borrowed until the next call; empty at the end. */
static gboolean next_piece(struct documents *documents, const char **piece, gsize *size, GError **error)
{
	const char *start = documents->buffer + documents->pos;
	const char *newline = memchr(start, '\n', documents->have - documents->pos);

	if (newline == NULL || documents->have - documents->pos < MAILSPLIT_HEAD) {
		if (!fill(documents, error))
			return FALSE;
		start = documents->buffer;
		newline = memchr(start, '\n', documents->have);
	}
	*piece = start;
	*size = newline != NULL ? (gsize)(newline - start) + 1 : documents->have - documents->pos;
	documents->pos += *size;
	return TRUE;
}

/* -- an mbox -- */

/* The next piece, which is size bytes before what is read next, begins a mail. */
static gboolean is_separator(const struct documents *documents, const char *piece, gsize size)
{
	gsize left = documents->have - documents->pos + size;

	return documents->line_start && documents->after_blank &&
	       mailsplit_is_separator((const guint8 *)piece, left, documents->timed);
}

static gboolean is_quoted_from(const char *piece, gsize size)
{
	gsize arrows = 0;

	while (arrows < size && piece[arrows] == '>')
		arrows++;
	return arrows > 0 && size - arrows >= strlen(from_words) &&
	       memcmp(piece + arrows, from_words, strlen(from_words)) == 0;
}

/* Track where in a line the next piece begins. */
static void pass(struct documents *documents, const char *piece, gsize size)
{
	documents->after_blank = documents->line_start && text_is_blank_line(piece, size);
	documents->line_start = piece[size - 1] == '\n';
}

/* Of a document that is too large, the rest is read but not stored. */
static void keep(
    const struct documents *documents, GByteArray *content, guint64 *total, const char *piece, gsize size)
{
	*total += size;
	if (*total <= documents->limit)
		g_byte_array_append(content, (const guint8 *)piece, (guint)size);
}

/* Remove the empty line before a separator: it belongs to the mbox, not to the mail. */
static void drop_blank(GByteArray *content)
{
	if (content->len >= 2 && content->data[content->len - 1] == '\n' &&
	    content->data[content->len - 2] == '\n')
		g_byte_array_set_size(content, content->len - 1);
	else if (content->len >= 4 && memcmp(content->data + content->len - 4, "\r\n\r\n", 4) == 0)
		g_byte_array_set_size(content, content->len - 2);
}

/* Read one mail and the separator line after it. */
static gboolean read_mail(struct documents *documents, GByteArray *content, guint64 *total, GError **error)
{
	const char *piece = NULL;
	gsize size = 0;

	for (;;) {
		if (!next_piece(documents, &piece, &size, error))
			return FALSE;
		if (size == 0)
			break;
		if (is_separator(documents, piece, size)) {
			documents->in_from = TRUE;
			pass(documents, piece, size);
			break;
		}
		if (documents->in_from)
			documents->in_from = !documents->line_start;
		if (documents->in_from)
			; /* the rest of a separator longer than a piece */
		else if (documents->line_start && is_quoted_from(piece, size))
			keep(documents, content, total, piece + 1, size - 1);
		else
			keep(documents, content, total, piece, size);
		pass(documents, piece, size);
	}
	documents->ended = size == 0;
	drop_blank(content);
	return TRUE;
}

/* -- a file of many reports -- */

/* The value of a dump is a report, which is decoded. */
static gboolean take_value(GByteArray *content)
{
	gboolean is_base64 = FALSE;
	gsize size = content->len;

	if (!splitter_is_report(content->data, content->len, &is_base64))
		return FALSE;
	if (is_base64) {
		g_byte_array_append(content, (const guint8 *)"", 1);
		g_base64_decode_inplace((char *)content->data, &size);
		g_byte_array_set_size(content, (guint)size);
	}
	return TRUE;
}

static gboolean read_split(struct documents *documents, GByteArray *content, guint64 *total, GError **error)
{
	for (;;) {
		enum splitter_step step;
		char byte;

		if (documents->pos == documents->have && !fill(documents, error))
			return FALSE;
		if (documents->have == 0)
			break;
		if (documents->srg != NULL)
			srg_next(documents->srg, documents->buffer[documents->pos]);
		step = splitter_next(&documents->splitter, documents->buffer[documents->pos++], &byte);
		if (step == SPLITTER_KEEP || step == SPLITTER_WHOLE)
			keep(documents, content, total, &byte, 1);
		if (step == SPLITTER_WHOLE || (step == SPLITTER_END && take_value(content)))
			return TRUE;
		if (step == SPLITTER_END) {
			g_byte_array_set_size(content, 0);
			*total = 0;
		}
	}
	documents->ended = TRUE;
	return TRUE;
}

/* The next report of dmarc-srg, whose tables are complete only at the end of the dump. */
static gboolean next_srg(struct documents *documents, GBytes **document, GError **error)
{
	gboolean full;

	if (documents->srg == NULL)
		return TRUE;
	*document = srg_report(documents->srg);
	if (*document != NULL)
		return TRUE;
	full = srg_is_full(documents->srg);
	g_clear_pointer(&documents->srg, srg_free);
	if (full)
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_LIMIT,
		    "more than %" G_GUINT64_FORMAT
		    " MiB of reports of dmarc-srg: the others are missing; dump and import them in parts "
		    "(mysqldump --where)",
		    SRG_MOST >> 20);
	return !full;
}

/* -- any other file -- */

static gboolean read_whole(struct documents *documents, GByteArray *content, guint64 *total, GError **error)
{
	do {
		keep(documents, content, total, documents->buffer + documents->pos,
		    documents->have - documents->pos);
		documents->pos = documents->have;
		if (!fill(documents, error))
			return FALSE;
	} while (documents->have > 0);
	documents->ended = TRUE;
	return TRUE;
}

/* Detect whether the file has several documents; of an mbox, the first separator is read. */
static gboolean start(struct documents *documents, GError **error)
{
	const char *piece = NULL;
	gsize size = 0;

	documents->started = TRUE;
	if (!fill(documents, error))
		return FALSE;
	documents->splitter.kind = splitter_kind_of(documents->buffer, documents->have);
	documents->is_mbox =
	    mailsplit_is_separator((const guint8 *)documents->buffer, documents->have, FALSE);
	if (documents->splitter.kind == SPLITTER_DUMP)
		documents->srg = srg_new();
	if (!documents->is_mbox)
		return TRUE;
	if (!next_piece(documents, &piece, &size, error))
		return FALSE;
	documents->in_from = TRUE;
	documents->timed = mailsplit_is_timed((const guint8 *)piece, size);
	pass(documents, piece, size);
	return TRUE;
}

typedef gboolean (*reader)(struct documents *documents, GByteArray *content, guint64 *total, GError **error);

static reader reader_of(const struct documents *documents)
{
	if (documents->is_mbox)
		return read_mail;
	return documents->splitter.kind != SPLITTER_NONE ? read_split : read_whole;
}

gboolean documents_next(struct documents *documents, GBytes **document, GError **error)
{
	g_autoptr(GByteArray) content = g_byte_array_new();
	guint64 total = 0;

	*document = NULL;
	if (!documents->started && !start(documents, error)) {
		documents->ended = TRUE;
		return FALSE;
	}
	if (documents->ended)
		return next_srg(documents, document, error);
	if (!reader_of(documents)(documents, content, &total, error)) {
		documents->ended = TRUE;
		return FALSE;
	}
	if (total > documents->limit) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_LIMIT, "larger than %" G_GUINT64_FORMAT " bytes",
		    documents->limit);
		return FALSE;
	}
	if (documents->splitter.kind != SPLITTER_NONE && content->len == 0)
		return next_srg(documents, document, error); /* nothing follows the last one */
	*document = g_byte_array_free_to_bytes(g_steal_pointer(&content));
	return TRUE;
}
