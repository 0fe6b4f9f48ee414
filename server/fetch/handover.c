#include "server/fetch/handover.h"

#include "parser/error.h"
#include "server/common/lmtp_client.h"

#define PIECE      (64 * 1024) /* bytes */
#define PAUSE_MOST 60          /* seconds */

struct handover {
	char *address;
	char *recipient;
	struct lmtp_client *client; /* NULL: no connection */
	char *reason;
	guint pause;
};

struct handover *handover_new(const char *address, const char *recipient)
{
	struct handover *handover = g_new0(struct handover, 1);

	handover->address = g_strdup(address);
	handover->recipient = lmtp_client_recipient(recipient);
	handover->reason = g_strdup("");
	return handover;
}

void handover_rest(struct handover *handover)
{
	g_clear_pointer(&handover->client, lmtp_client_free);
}

const char *handover_reason(const struct handover *handover)
{
	return handover->reason;
}

guint handover_pause(const struct handover *handover)
{
	return handover->pause;
}

/* -- one mail -- */

static gboolean begin(struct handover *handover, guint64 size, GError **error)
{
	static const struct lmtp_client_times times = LMTP_CLIENT_TIMES;
	const char *const recipients[] = { handover->recipient, NULL };

	if (handover->client == NULL)
		handover->client = lmtp_client_new(handover->address, &times, error);
	return handover->client != NULL && lmtp_client_begin(handover->client, recipients, size, error);
}

/* The server may have closed a connection that was long idle, which shows only now. */
static gboolean begin_afresh(struct handover *handover, guint64 size, GError **error)
{
	gboolean was_kept = handover->client != NULL;
	g_autoptr(GError) cause = NULL;

	if (begin(handover, size, &cause))
		return TRUE;
	if (was_kept && !lmtp_client_alive(handover->client)) {
		handover_rest(handover);
		return begin(handover, size, error);
	}
	g_propagate_error(error, g_steal_pointer(&cause));
	return FALSE;
}

static gboolean write_content(struct handover *handover, const struct spool *mail, GError **error)
{
	g_autofree char *piece = g_malloc(PIECE);
	guint64 size = spool_size(mail);

	for (guint64 at = 0; at < size; at += PIECE) {
		gsize part = (gsize)MIN(size - at, PIECE);

		if (!spool_read(mail, at, piece, part, error) ||
		    !lmtp_client_write(handover->client, piece, part, error))
			return FALSE;
	}
	return TRUE;
}

static struct lmtp_answer *send_mail(struct handover *handover, const struct spool *mail, GError **error)
{
	g_autoptr(GPtrArray) answers = NULL;

	if (!begin_afresh(handover, spool_size(mail), error) || !write_content(handover, mail, error))
		return NULL;
	answers = lmtp_client_end(handover->client, error);
	return answers == NULL ? NULL : g_ptr_array_steal_index(answers, 0);
}

/* Before the content, only its size can be a reason to refuse a mail; any other is about our settings. */
static enum handed outcome(const struct lmtp_answer *answer, const GError *error)
{
	if (answer == NULL)
		return g_error_matches(error, RUAD_ERROR, RUAD_ERROR_LIMIT) ? HANDED_REFUSED : HANDED_LATER;
	if (answer->code < 300)
		return HANDED_STORED;
	return answer->code < 500 ? HANDED_LATER : HANDED_REFUSED;
}

enum handed handover_mail(struct handover *handover, const struct spool *mail)
{
	g_autoptr(GError) error = NULL;
	struct lmtp_answer *answer = send_mail(handover, mail, &error);
	enum handed handed = outcome(answer, error);

	g_free(handover->reason);
	handover->reason = g_strdup(answer != NULL ? answer->text : error->message);
	handover->pause = handed == HANDED_LATER ? CLAMP(handover->pause * 2, 1, PAUSE_MOST) : 0;
	if (answer == NULL)
		handover_rest(handover); /* it may hold a part of the mail */
	lmtp_answer_free(answer);
	return handed;
}
