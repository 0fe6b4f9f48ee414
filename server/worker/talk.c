#include "server/worker/talk.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "parser/error.h"

#define READ_CHUNK (32 * 1024) /* bytes asked from the socket at a time */
#define SLOW_WAIT  60 /* times bounds->quick that we wait: a usual mail waits so long on no machine */

struct talk {
	struct process *process;
	const struct talk_bounds *bounds;
	const struct talk_request *requests;
	gsize n;
	gsize answered;
	gboolean ended;  /* there will be no further answer */
	gint64 deadline; /* of the silence, monotonic microseconds */
	gint64 waited;   /* microseconds, in total */
	gint64 before;   /* of these, those before the last answer */
	gint64 cpu;      /* microseconds of processor time that the process had used then; for is_slow() */
	guint8 heads[TALK_MOST][WIRE_REQUEST];
	gsize size;      /* of all heads and documents together */
	gsize sent;      /* bytes of them */
	GByteArray *in;  /* the bytes received */
	gsize taken;     /* bytes of it that were complete frames */
	gboolean closed; /* the process closed its end */
	gboolean mute;   /* the process also closed its standard error */
};

static gboolean refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Always returns FALSE. */
static gboolean refuse(GError **error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_propagate_error(error, g_error_new_valist(RUAD_ERROR, RUAD_ERROR_SYNTAX, format, args));
	va_end(args);
	return FALSE;
}

/* The processor time that the process has used; 0 if nothing depends on it. */
static gint64 used_now(const struct process *process, const struct talk_bounds *bounds)
{
	return bounds->quick > 0 ? process_cpu(process) : 0;
}

static void renew(struct talk *talk)
{
	talk->deadline = g_get_monotonic_time() + talk->bounds->silence;
}

static void talk_init(struct talk *talk, struct process *process, const struct talk_bounds *bounds,
    const struct talk_request *requests, gsize n)
{
	*talk = (struct talk){ .process = process,
		.bounds = bounds,
		.requests = requests,
		.n = n,
		.cpu = used_now(process, bounds),
		.in = g_byte_array_new() };
	g_assert(n <= TALK_MOST);
	for (gsize i = 0; i < n; i++) {
		wire_request_encode(
		    talk->heads[i], (struct wire_request){ requests[i].size, requests[i].received });
		talk->size += WIRE_REQUEST + requests[i].size;
	}
	renew(talk);
}

/* If the process hung up, error also says how it ended. */
static void talk_end(struct talk *talk, GError **error)
{
	g_byte_array_unref(talk->in);
	if (!talk->closed || error == NULL || *error == NULL)
		return;
	g_autofree char *words = process_last_words(talk->process);
	g_autofree char *message = g_strdup_printf("%s: it %s", (*error)->message, words);
	g_clear_error(error);
	g_set_error_literal(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, message);
}

/* -- bytes -- */

static gboolean sent_all(const struct talk *talk)
{
	return talk->sent == talk->size;
}

/* What is left to be sent. Returns the number of pieces. */
static gsize list_pieces(struct talk *talk, struct iovec pieces[2 * TALK_MOST])
{
	gsize n = 2 * talk->n, skip = talk->sent;

	for (gsize i = 0; i < talk->n; i++) {
		const struct talk_request *request = &talk->requests[i];
		pieces[2 * i] = (struct iovec){ talk->heads[i], WIRE_REQUEST };
		pieces[2 * i + 1] = (struct iovec){ (guint8 *)request->document, request->size };
	}
	for (gsize i = 0; i < n; i++) {
		gsize done = MIN(skip, pieces[i].iov_len);
		if (done > 0)
			pieces[i].iov_base = (guint8 *)pieces[i].iov_base + done;
		pieces[i].iov_len -= done;
		skip -= done;
	}
	return n;
}

/* Send what the socket accepts, all documents together, so that the process wakes up once. */
static gboolean send_some(struct talk *talk, GError **error)
{
	struct iovec pieces[2 * TALK_MOST];
	const struct msghdr message = { .msg_iov = pieces, .msg_iovlen = list_pieces(talk, pieces) };
	ssize_t n = sendmsg(process_socket(talk->process), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n >= 0) {
		talk->sent += (gsize)n;
		if (sent_all(talk))
			renew(talk); /* the worker has read the document; parsing gets a new timeout */
		return TRUE;
	}
	if (errno == EAGAIN || errno == EINTR)
		return TRUE;
	if (errno == EPIPE || errno == ECONNRESET)
		talk->closed = TRUE;
	return refuse(error, "could not hand the document to the parser: %s", g_strerror(errno));
}

static gboolean receive_some(struct talk *talk, GError **error)
{
	guint had = talk->in->len;
	g_byte_array_set_size(talk->in, had + READ_CHUNK);
	ssize_t n = recv(process_socket(talk->process), talk->in->data + had, READ_CHUNK, MSG_DONTWAIT);
	int problem = errno;
	g_byte_array_set_size(talk->in, had + (guint)MAX(n, 0));
	if (n > 0 || (n < 0 && (problem == EAGAIN || problem == EINTR)))
		return TRUE;
	talk->closed = n == 0 || problem == ECONNRESET;
	return refuse(
	    error, "the parser %s", talk->closed ? "closed without an answer" : g_strerror(problem));
}

/* Microseconds that we have waited for the next answer. */
static gint64 waited_now(const struct talk *talk)
{
	return talk->waited - talk->before;
}

/* Wait for one of the descriptors, at most until a deadline. Returns the number of those that are ready, like
 * poll(). */
static int wait_for(struct talk *talk, struct pollfd *ready, gsize n)
{
	gint64 start = g_get_monotonic_time();
	gint64 left = MIN(talk->deadline - start, talk->bounds->total - waited_now(talk));
	if (talk->bounds->quick > 0)
		left = MIN(left, talk->bounds->quick);
	int count = left > 0 ? poll(ready, n, (int)MIN(left / 1000 + 1, G_MAXINT)) : 0;
	int problem = errno;

	talk->waited += g_get_monotonic_time() - start;
	errno = problem;
	return count;
}

/* Waiting may last longer than the process works: others use the processors, too. */
static gboolean is_slow(const struct talk *talk)
{
	gint64 quick = talk->bounds->quick;
	return quick > 0 &&
	       (process_cpu(talk->process) - talk->cpu > quick || waited_now(talk) > SLOW_WAIT * quick);
}

static gboolean within_bounds(const struct talk *talk, GError **error)
{
	if (waited_now(talk) >= talk->bounds->total)
		return refuse(error, "the parser took more than %" G_GINT64_FORMAT " seconds",
		    talk->bounds->total / G_USEC_PER_SEC);
	if (g_get_monotonic_time() >= talk->deadline)
		return refuse(error, "the parser was silent for %" G_GINT64_FORMAT " seconds",
		    talk->bounds->silence / G_USEC_PER_SEC);
	return !is_slow(talk) || refuse(error, "the parser is slow");
}

/* Wait until the process is ready and move bytes in both directions. */
static gboolean move_some(struct talk *talk, GError **error)
{
	struct pollfd ready[] = {
		{ .fd = process_socket(talk->process), .events = POLLIN },
		{ .fd = talk->mute ? -1 : process_stderr(talk->process), .events = POLLIN },
	};
	if (!sent_all(talk))
		ready[0].events |= POLLOUT;
	int n = wait_for(talk, ready, G_N_ELEMENTS(ready));
	if (n < 0)
		return errno == EINTR ||
		       refuse(error, "could not wait for the parser: %s", g_strerror(errno));
	if (n == 0 || is_slow(talk))
		return within_bounds(talk, error);
	if (ready[1].revents != 0)
		talk->mute = !process_log_stderr(talk->process);
	if ((ready[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !receive_some(talk, error))
		return FALSE;
	return (ready[0].revents & POLLOUT) == 0 || send_some(talk, error);
}

/* -- frames -- */

static gsize waiting(const struct talk *talk)
{
	return talk->in->len - talk->taken;
}

/* A frame that was received; its content is borrowed from the input, until more is received. */
struct frame {
	guint8 type;
	const guint8 *content;
	gsize size;
};

/* Take a complete frame from the input. Returns FALSE without error if there is none yet. */
static gboolean take_frame(struct talk *talk, struct frame *taken, GError **error)
{
	if (waiting(talk) < WIRE_HEAD)
		return FALSE;
	const guint8 *frame = talk->in->data + talk->taken;
	gsize length = wire_frame_length(frame);
	if (length > WIRE_FRAME_MAX) {
		refuse(error, "the parser's answer: a frame of %" G_GSIZE_FORMAT " bytes", length);
		return FALSE;
	}
	if (waiting(talk) < WIRE_HEAD + length)
		return FALSE;
	*taken = (struct frame){ .type = frame[0], .content = frame + WIRE_HEAD, .size = length };
	talk->taken += WIRE_HEAD + length;
	return TRUE;
}

/* Remove the frames that were taken: once for all of them, otherwise many small ones would take quadratic
 * time. */
static void compact(struct talk *talk)
{
	if (talk->taken > 0)
		g_byte_array_remove_range(talk->in, 0, (guint)talk->taken);
	talk->taken = 0;
}

/* All documents are answered: nothing may be left. */
static gboolean check_end(const struct talk *talk, GError **error)
{
	if (sent_all(talk) && waiting(talk) == 0)
		return TRUE;
	return refuse(error, "the parser's answer: %s",
	    waiting(talk) > 0 ? "bytes after its end" : "it ended before the document was read");
}

/* Pass the frames of one answer to the reader, as far as they are available. The time that its sink takes
 * does not count against the process. */
static gboolean read_answer(struct talk *talk, struct wire_reader *reader, gboolean *done, GError **error)
{
	struct frame frame;
	g_autoptr(GError) problem = NULL;
	while (!*done && take_frame(talk, &frame, &problem)) {
		if (!wire_reader_frame(reader, frame.type, frame.content, frame.size, done, error))
			return FALSE;
		renew(talk);
	}
	if (problem == NULL)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&problem));
	return FALSE;
}

/* The next answer is about to come, if there is one: after one that says that something is unreadable the
 * process reads no further document. */
static void begin_answer(struct talk *talk, struct wire_reader *reader)
{
	const struct talk_request *request = &talk->requests[talk->answered];

	talk->ended = talk->answered == talk->n || (talk->answered > 0 && !wire_reader_all_readable(reader));
	if (!talk->ended)
		wire_reader_begin(reader, request->sink, request->user);
}

/* Pass the available answers to their sinks. */
static gboolean read_answers(struct talk *talk, struct wire_reader *reader, GError **error)
{
	gsize had = talk->answered;
	gboolean done = TRUE;

	while (done && !talk->ended) {
		done = FALSE;
		if (!read_answer(talk, reader, &done, error))
			return FALSE;
		if (!done)
			break;
		if (talk->answered + 1 == talk->n && !check_end(talk, error))
			return FALSE;
		talk->answered++;
		begin_answer(talk, reader);
	}
	compact(talk);
	if (talk->answered > had) {
		talk->before = talk->waited;
		talk->cpu = used_now(talk->process, talk->bounds);
	}
	return TRUE;
}

/* -- both conversations -- */

static gboolean converse(struct talk *talk, struct wire_reader *reader, GError **error)
{
	begin_answer(talk, reader);
	if (!send_some(talk, error))
		return FALSE;
	while (!talk->ended) {
		if (!move_some(talk, error) || !read_answers(talk, reader, error))
			return FALSE;
	}
	return TRUE;
}

gboolean talk_documents(struct process *process, const struct talk_bounds *bounds,
    const struct talk_request *requests, gsize n, struct wire_reader *reader, struct talk_result *result,
    GError **error)
{
	struct talk talk;
	g_autoptr(GError) problem = NULL;
	talk_init(&talk, process, bounds, requests, n);
	gboolean ok = converse(&talk, reader, &problem);
	*result = (struct talk_result){ .answered = talk.answered,
		.waited = talk.waited,
		.clean = ok && talk.answered == n && wire_reader_all_readable(reader),
		.slow = !ok && is_slow(&talk) };
	talk_end(&talk, &problem);
	if (!ok)
		g_propagate_error(error, g_steal_pointer(&problem));
	return ok;
}

static gboolean check_greeting(const struct frame *frame, GError **error)
{
	return (frame->type == WIRE_HELLO && frame->size == strlen(RUAD_VERSION) &&
		   memcmp(frame->content, RUAD_VERSION, frame->size) == 0) ||
	       refuse(error, "it is not the ruad-parse of ruad " RUAD_VERSION);
}

static gboolean hear_greeting(struct talk *talk, GError **error)
{
	struct frame frame;
	g_autoptr(GError) problem = NULL;
	while (!take_frame(talk, &frame, &problem)) {
		if (problem == NULL)
			(void)move_some(talk, &problem);
		if (problem != NULL) {
			g_propagate_error(error, g_steal_pointer(&problem));
			return FALSE;
		}
	}
	return check_greeting(&frame, error);
}

gboolean talk_greeting(struct process *process, const struct talk_bounds *bounds, GError **error)
{
	struct talk talk;
	g_autoptr(GError) problem = NULL;
	talk_init(&talk, process, bounds, NULL, 0);
	gboolean ok = hear_greeting(&talk, &problem);
	talk_end(&talk, &problem);
	if (!ok)
		g_propagate_error(error, g_steal_pointer(&problem));
	return ok;
}
