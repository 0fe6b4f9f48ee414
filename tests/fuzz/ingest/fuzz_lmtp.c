/*
 * fuzz_lmtp.c - a client that sends anything: replies and mails are the same however its bytes are split.
 */
#include <string.h>

#include "server/ingest/lmtp.h"

#define MAX_MESSAGE_SIZE 64

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

/* Mails are written to the replies, so that one comparison covers both. */
static gint64 take_mail(gpointer user, const struct lmtp_mail *mail, enum lmtp_reply *replies)
{
	GString *heard = user;

	g_assert(mail->n_recipients >= 1 && mail->size <= MAX_MESSAGE_SIZE &&
		 g_utf8_validate(mail->from, -1, NULL));
	for (guint i = 0; i < mail->n_recipients; i++) {
		g_assert(g_utf8_validate(mail->recipients[i], -1, NULL));
		replies[i] = LMTP_STORED;
	}
	g_string_append_len(heard, (const char *)mail->content, (gssize)mail->size);
	g_string_append_c(heard, '|');
	return (gint64)mail->size;
}

static gboolean is_recipient(gpointer user, const char *address)
{
	static const char *const patterns[] = { "a*", NULL };

	(void)user;
	return lmtp_recipient_match(patterns, address);
}

/* The complete output if data is sent in pieces of that size. */
static GString *session(const guint8 *data, gsize size, gsize piece)
{
	static const struct lmtp_options options = {
		.name = "mx.example", .max_message_size = MAX_MESSAGE_SIZE, .max_recipients = 2
	};
	static const struct lmtp_handler handler = { .recipient = is_recipient, .mail = take_mail };
	GString *heard = g_string_new(NULL);
	struct lmtp *lmtp = lmtp_new(&options, &handler, heard);

	for (gsize i = 0; i < size; i += piece)
		lmtp_input(lmtp, (const char *)data + i, MIN(piece, size - i));
	g_string_append_len(heard, lmtp_output(lmtp)->str, (gssize)lmtp_output(lmtp)->len);
	lmtp_free(lmtp);
	return heard;
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(GString) whole = session(data, size, size + 1);
	g_autoptr(GString) bytes = session(data, size, 1);

	g_assert(g_string_equal(whole, bytes));
	return 0;
}
