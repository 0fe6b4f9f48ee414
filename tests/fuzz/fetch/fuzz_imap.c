/*
 * fuzz_imap.c - an IMAP server that sends anything: what is read is the same however its bytes are split.
 */
#include <string.h>

#include "server/fetch/imap_answer.h"
#include "server/fetch/imap_reader.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static gboolean on_literal(const char *line, guint64 size, gpointer user, GError **error G_GNUC_UNUSED)
{
	g_string_append_printf(user, "%d:%" G_GUINT64_FORMAT "|", imap_answer_awaits_body(line), size);
	return TRUE;
}

static gboolean on_bytes(const char *data, gsize size, gpointer user, GError **error G_GNUC_UNUSED)
{
	g_string_append_len(user, data, (gssize)size);
	return TRUE;
}

static gboolean on_line(const char *line, gpointer user, GError **error)
{
	g_autoptr(GArray) uids = g_array_new(FALSE, FALSE, sizeof(guint32));
	struct imap_answer answer;

	g_assert(strlen(line) < IMAP_LINE_MAX);
	if (!imap_answer_parse(line, "r1", &answer, uids, error))
		return FALSE;
	g_assert((answer.kind != IMAP_DONE && answer.kind != IMAP_BYE) || answer.text != NULL);
	for (guint i = 0; i < uids->len; i++)
		g_assert(g_array_index(uids, guint32, i) != 0);
	g_string_append_printf(
	    user, "%d %u %u %d %u\n", answer.kind, answer.number, answer.abilities, answer.body, uids->len);
	return TRUE;
}

/* All that is read if data comes in pieces of that size. */
static GString *session(const guint8 *data, gsize size, gsize piece)
{
	GString *heard = g_string_new(NULL);
	const struct imap_sink sink = { on_literal, on_bytes, on_line, heard };
	struct imap_reader *reader = imap_reader_new(&sink);
	g_autoptr(GError) error = NULL;
	gboolean good = TRUE;

	for (gsize at = 0; good && at < size; at += piece)
		good = imap_reader_push(reader, (const char *)data + at, MIN(piece, size - at), &error);
	g_assert(good == (error == NULL));
	imap_reader_free(reader);
	return heard;
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(GString) whole = session(data, size, MAX(size, 1));
	g_autoptr(GString) bytes = session(data, size, 1);

	g_assert(g_string_equal(whole, bytes));
	return 0;
}
