#include "server/fetch/imap.h"

#include <string.h>

#include "parser/error.h"
#include "server/common/log.h"
#include "server/fetch/imap_reader.h"
#include "server/fetch/imap_stream.h"

#define SILENCE_SECONDS 120                       /* of the server, within a command */
#define COMMAND_TIME    (60 * G_TIME_SPAN_MINUTE) /* for all of it: a large mail over a slow line */
#define INPUT_SIZE      (64 * 1024)               /* bytes read at once */
#define TAG_SIZE        16

struct imap {
	struct imap_stream *stream;
	struct imap_reader *reader;
	char *input; /* of INPUT_SIZE */
	guint abilities;
	struct imap_mailbox mailbox;
	gboolean news; /* mail was announced */

	/* the command in progress */
	guint number;
	char tag[TAG_SIZE];
	gboolean may_go_on; /* the server wants more of it */
	gboolean is_done;
	enum imap_result result;
	char *words;  /* the server's, of its end */
	GArray *uids; /* of a search, or NULL */

	/* a fetch in progress */
	struct spool *spool; /* NULL: there is none */
	guint32 uid;
	guint64 max;
	gboolean to_spool; /* the literal is the mail */
	gboolean has_mail; /* the spool has it */
	gboolean too_large;
};

/* -- answers -- */

static gboolean on_literal(const char *line, guint64 size, gpointer user, GError **error G_GNUC_UNUSED)
{
	struct imap *imap = user;

	imap->to_spool = imap->spool != NULL && !imap->has_mail && imap_answer_awaits_body(line);
	if (!imap->to_spool)
		return TRUE;
	imap->too_large = size > imap->max;
	imap->to_spool = !imap->too_large;
	spool_clear(imap->spool);
	return TRUE;
}

static gboolean on_bytes(const char *data, gsize size, gpointer user, GError **error)
{
	struct imap *imap = user;

	return !imap->to_spool || spool_write(imap->spool, data, size, error);
}

/* What was spooled may be another mail: only now its UID is known. */
static void end_fetch(struct imap *imap, const struct imap_answer *answer)
{
	if (imap->spool == NULL || imap->has_mail || answer->body == IMAP_BODY_NONE)
		return;
	imap->has_mail =
	    answer->number == imap->uid &&
	    (answer->body == IMAP_BODY_EMPTY || (answer->body == IMAP_BODY_LITERAL && imap->to_spool));
	if (answer->number != imap->uid)
		imap->too_large = FALSE;
	if (!imap->has_mail || answer->body == IMAP_BODY_EMPTY)
		spool_clear(imap->spool);
}

static gboolean on_end(struct imap *imap, const struct imap_answer *answer)
{
	imap->is_done = TRUE;
	imap->result = answer->result;
	g_free(imap->words);
	imap->words = log_quote(answer->text);
	imap->mailbox.read_only = imap->mailbox.read_only || answer->read_only;
	return TRUE;
}

static gboolean on_bye(const struct imap_answer *answer, GError **error)
{
	g_autofree char *words = log_quote(answer->text);

	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "IMAP server: it closes the connection: %s", words);
	return FALSE;
}

static gboolean on_line(const char *line, gpointer user, GError **error)
{
	struct imap *imap = user;
	struct imap_answer answer;

	if (!imap_answer_parse(line, imap->tag, &answer, imap->uids, error))
		return FALSE;
	switch (answer.kind) {
	case IMAP_OTHER:
		break;
	case IMAP_DONE:
		return on_end(imap, &answer);
	case IMAP_CONTINUE:
		imap->may_go_on = TRUE;
		break;
	case IMAP_BYE:
		return on_bye(&answer, error);
	case IMAP_EXISTS:
		imap->news = imap->news || answer.number > imap->mailbox.exists;
		imap->mailbox.exists = answer.number;
		break;
	case IMAP_EXPUNGED:
		imap->mailbox.exists -= imap->mailbox.exists > 0 ? 1 : 0;
		break;
	case IMAP_SEARCH:
		break;
	case IMAP_FETCH:
		end_fetch(imap, &answer);
		break;
	case IMAP_CAPABLE:
		imap->abilities = answer.abilities;
		break;
	case IMAP_FLAGS:
		imap->mailbox.abilities = answer.abilities;
		break;
	case IMAP_VALIDITY:
		imap->mailbox.validity = answer.number;
		break;
	}
	return TRUE;
}

/* -- commands -- */

/* Read what comes within seconds. *n: 0 if nothing came. */
static gboolean read_some(struct imap *imap, guint seconds, int wake, gssize *n, GError **error)
{
	*n = imap_stream_read(imap->stream, imap->input, INPUT_SIZE, seconds, wake, error);
	return *n >= 0 && (*n == 0 || imap_reader_push(imap->reader, imap->input, (gsize)*n, error));
}

static gboolean fail(GError **error, const char *words)
{
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "IMAP server: %s", words);
	return FALSE;
}

/* Read answers until *flag is set or the command has ended. */
static gboolean read_until(struct imap *imap, const gboolean *flag, GError **error)
{
	gint64 deadline = g_get_monotonic_time() + COMMAND_TIME;

	while (!*flag && !imap->is_done) {
		gssize n = 0;

		if (!read_some(imap, SILENCE_SECONDS, -1, &n, error))
			return FALSE;
		if (n == 0 || g_get_monotonic_time() > deadline)
			return fail(error, "no answer in time");
	}
	return TRUE;
}

static gboolean send_command(struct imap *imap, const char *command, GError **error)
{
	g_autofree char *line = NULL;

	g_snprintf(imap->tag, sizeof(imap->tag), "r%u", ++imap->number);
	imap->is_done = imap->may_go_on = FALSE;
	line = g_strdup_printf("%s %s\r\n", imap->tag, command);
	return imap_stream_write(imap->stream, line, strlen(line), error);
}

/* Send a command and read its answers; imap->result is how it ended. */
static gboolean ask(struct imap *imap, const char *command, GError **error)
{
	return send_command(imap, command, error) && read_until(imap, &imap->is_done, error);
}

static gboolean refused(const struct imap *imap, const char *command, GError **error)
{
	g_autofree char *verb = g_strndup(command, strcspn(command, " "));

	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "IMAP server: %s refused: %s", verb, imap->words);
	return FALSE;
}

/* The same for a command that must succeed. */
static gboolean demand(struct imap *imap, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);

static gboolean demand(struct imap *imap, GError **error, const char *format, ...)
{
	g_autofree char *command = NULL;
	va_list args;

	va_start(args, format);
	command = g_strdup_vprintf(format, args);
	va_end(args);
	if (!ask(imap, command, error))
		return FALSE;
	return imap->result == IMAP_OK || refused(imap, command, error);
}

/* -- the session -- */

struct imap *imap_open(const struct account *account, const char *token, GError **error)
{
	struct imap_stream *stream = imap_stream_open(account, token, error);
	struct imap_sink sink = { .literal = on_literal, .bytes = on_bytes, .line = on_line };
	struct imap *imap;

	if (stream == NULL)
		return NULL;
	imap = g_new0(struct imap, 1);
	sink.user = imap;
	imap->stream = stream;
	imap->reader = imap_reader_new(&sink);
	imap->input = g_malloc(INPUT_SIZE);
	if (!demand(imap, error, "CAPABILITY"))
		g_clear_pointer(&imap, imap_close);
	return imap;
}

void imap_close(struct imap *imap)
{
	if (imap == NULL)
		return;
	imap_stream_close(imap->stream);
	imap_reader_free(imap->reader);
	g_free(imap->input);
	g_free(imap->words);
	g_free(imap);
}

guint imap_abilities(const struct imap *imap)
{
	return imap->abilities;
}

const struct imap_mailbox *imap_mailbox(const struct imap *imap)
{
	return &imap->mailbox;
}

/* RFC 9051 section 7.1: without PERMANENTFLAGS, the client should assume that all flags can be changed. */
gboolean imap_select(struct imap *imap, const char *mailbox, GError **error)
{
	imap->mailbox =
	    (struct imap_mailbox){ .abilities = IMAP_KEEPS_SEEN | IMAP_KEEPS_DELETED | IMAP_KEEPS_FLAGGED };
	return demand(imap, error, "SELECT %s", mailbox);
}

gboolean imap_check(struct imap *imap, const char *mailbox, GError **error)
{
	return demand(imap, error, "STATUS %s (UIDVALIDITY)", mailbox);
}

gboolean imap_search(
    struct imap *imap, guint32 low, guint32 high, const char *criteria, GArray *uids, GError **error)
{
	gboolean good;

	imap->news = FALSE;
	imap->uids = uids;
	good = demand(imap, error, "UID SEARCH %u:%u %s", low, high, criteria);
	imap->uids = NULL;
	return good;
}

static enum imap_fetched fetched_of(const struct imap *imap)
{
	if (imap->too_large)
		return IMAP_TOO_LARGE;
	if (imap->result == IMAP_NO)
		return IMAP_REFUSED;
	return imap->has_mail ? IMAP_FETCHED : IMAP_GONE;
}

gboolean imap_fetch(struct imap *imap, guint32 uid, guint64 max, struct spool *spool,
    enum imap_fetched *fetched, GError **error)
{
	g_autofree char *command =
	    g_strdup_printf("UID FETCH %u (BODY.PEEK[]<0.%" G_GUINT64_FORMAT ">)", uid, max + 1);
	gboolean good;

	spool_clear(spool);
	imap->spool = spool;
	imap->uid = uid;
	imap->max = max;
	imap->has_mail = imap->too_large = imap->to_spool = FALSE;
	good = ask(imap, command, error);
	imap->spool = NULL;
	if (!good)
		return FALSE;
	if (imap->result == IMAP_BAD)
		return refused(imap, command, error);
	*fetched = fetched_of(imap);
	return TRUE;
}

gboolean imap_store(struct imap *imap, guint32 uid, const char *flags, GError **error)
{
	return demand(imap, error, "UID STORE %u +FLAGS.SILENT %s", uid, flags);
}

gboolean imap_delete(struct imap *imap, guint32 uid, GError **error)
{
	if (!imap_store(imap, uid, "(\\Deleted)", error))
		return FALSE;
	return (imap->abilities & IMAP_CAN_UIDPLUS) == 0 || demand(imap, error, "UID EXPUNGE %u", uid);
}

gboolean imap_move(struct imap *imap, guint32 uid, const char *mailbox, GError **error)
{
	if ((imap->abilities & IMAP_CAN_MOVE) != 0)
		return demand(imap, error, "UID MOVE %u %s", uid, mailbox);
	return demand(imap, error, "UID COPY %u %s", uid, mailbox) && imap_delete(imap, uid, error);
}

/* Read until mail is announced, the time is over, or wake is readable. */
static gboolean wait_for_news(struct imap *imap, guint seconds, int wake, GError **error)
{
	gint64 deadline = g_get_monotonic_time() + seconds * G_TIME_SPAN_SECOND;

	while (!imap->news && !imap->is_done) {
		gint64 left = (deadline - g_get_monotonic_time()) / G_TIME_SPAN_SECOND;
		gssize n = 0;

		if (!read_some(imap, (guint)MAX(left, 0), wake, &n, error))
			return FALSE;
		if (n == 0)
			return TRUE;
	}
	return TRUE;
}

gboolean imap_idle(struct imap *imap, guint seconds, int wake, GError **error)
{
	static const char done[] = "DONE\r\n";

	if (imap->news)
		return TRUE;
	if (!send_command(imap, "IDLE", error) || !read_until(imap, &imap->may_go_on, error) ||
	    !wait_for_news(imap, seconds, wake, error))
		return FALSE;
	if (!imap->is_done && (!imap_stream_write(imap->stream, done, strlen(done), error) ||
				  !read_until(imap, &imap->is_done, error)))
		return FALSE;
	return imap->result == IMAP_OK || refused(imap, "IDLE", error);
}
