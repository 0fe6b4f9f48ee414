#include "server/web/upload.h"

#include <json-c/json.h>
#include <string.h>

#include "parser/error.h"
#include "server/common/lmtp_client.h"
#include "server/common/report_mail.h"
#include "server/common/splitter.h"
#include "server/web/multipart.h"
#include "server/web/origin.h"

static struct upload_options options;

/* An upload in progress. */
struct sender {
	const struct http_request *request;
	struct lmtp_client *client; /* NULL: the server cannot be reached */
	char *recipient;
	gint64 begun; /* monotonic time */
	guint64 received;
	json_object *files;
	struct upload *upload;
	guint later; /* mails that the server put off */
	guint big;   /* mails that were too large for it */

	/* the file in progress */
	char *name; /* or NULL */
	GByteArray *head;
	GString *piece; /* of the mail, to be written */
	struct report_mail *wrapper;
	gboolean known;           /* the head was read: it is sent as one mail, or */
	struct splitter splitter; /* SPLITTER_JSON: a list, of which each report is sent as one */
	guint n_reports;          /* of the list, that began */
	gboolean in_report;
	gboolean failed; /* the outcome is known, what follows is ignored */
};

void upload_init(const struct upload_options *given)
{
	options = *given;
}

void upload_clear(struct upload *upload)
{
	g_free(upload->files);
	if (upload->mails != NULL)
		g_array_unref(upload->mails);
}

/* -- one mail -- */

static json_object *text_or_null(const char *text)
{
	return text != NULL ? json_object_new_string(text) : NULL;
}

/* Say what became of the mail. outcome: "refused", "later", or NULL: that is what the database says of mail.
 */
static void conclude(struct sender *sender, const char *outcome, gint64 mail, const char *reply)
{
	json_object *file = json_object_new_object();
	g_autofree char *number = mail > 0 ? g_strdup_printf("%" G_GINT64_FORMAT, mail) : NULL;

	json_object_object_add(file, "name", text_or_null(sender->name));
	json_object_object_add(file, "mail", text_or_null(number));
	json_object_object_add(file, "outcome", text_or_null(outcome));
	json_object_object_add(file, "reply", json_object_new_string(reply));
	json_object_array_add(sender->files, file);
	if (mail > 0)
		g_array_append_val(sender->upload->mails, mail);
	sender->failed = TRUE;
}

static void conclude_error(struct sender *sender, const GError *error)
{
	gboolean later = g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYSTEM);

	if (later)
		sender->later++;
	if (g_error_matches(error, RUAD_ERROR, RUAD_ERROR_LIMIT))
		sender->big++;
	conclude(sender, later ? "later" : "refused", 0, error->message);
}

static void conclude_answer(struct sender *sender, const struct lmtp_answer *answer)
{
	if (answer->code >= 400 && answer->code < 500)
		sender->later++;
	if (answer->code == 552)
		sender->big++;
	conclude(sender,
	    answer->code < 300   ? NULL
	    : answer->code < 500 ? "later"
				 : "refused",
	    answer->mail, answer->text);
}

static gboolean reconnect(struct sender *sender, GError **error)
{
	static const struct lmtp_client_times times = LMTP_CLIENT_TIMES;

	if (sender->client != NULL && lmtp_client_alive(sender->client))
		return TRUE;
	g_clear_pointer(&sender->client, lmtp_client_free);
	sender->client = lmtp_client_new(options.address, &times, error);
	return sender->client != NULL;
}

static void write_piece(struct sender *sender, const void *data, gsize size)
{
	g_autoptr(GError) error = NULL;

	if (sender->failed)
		return;
	if (sender->wrapper != NULL) {
		g_string_truncate(sender->piece, 0);
		report_mail_add(sender->wrapper, data, size, sender->piece);
		data = sender->piece->str;
		size = sender->piece->len;
	}
	if (!lmtp_client_write(sender->client, data, size, &error))
		conclude_error(sender, error);
}

static void start_sending(struct sender *sender, gboolean is_mail)
{
	const char *const recipients[] = { sender->recipient, NULL };
	g_autoptr(GError) error = NULL;

	sender->failed = FALSE;
	if (!reconnect(sender, &error) || !lmtp_client_begin(sender->client, recipients, 0, &error))
		conclude_error(sender, error);
	else if (!is_mail)
		sender->wrapper = report_mail_new(sender->name);
}

static void finish_sending(struct sender *sender)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) answers = NULL;

	if (sender->failed)
		return;
	if (sender->wrapper != NULL) {
		g_string_truncate(sender->piece, 0);
		report_mail_end(sender->wrapper, sender->piece);
		if (!lmtp_client_write(sender->client, sender->piece->str, sender->piece->len, &error)) {
			conclude_error(sender, error);
			return;
		}
	}
	answers = lmtp_client_end(sender->client, &error);
	if (answers == NULL)
		conclude_error(sender, error);
	else
		conclude_answer(sender, answers->pdata[0]);
}

/* -- a list of reports -- */

/* Too many are refused together: each costs a transaction, and a place in the answer. */
static void report_begin(struct sender *sender)
{
	sender->in_report = TRUE;
	sender->n_reports++;
	if (sender->n_reports <= UPLOAD_REPORTS_MAX)
		start_sending(sender, FALSE);
	else if (sender->n_reports == UPLOAD_REPORTS_MAX + 1)
		conclude(sender, "refused", 0,
		    "the list has more than " G_STRINGIFY(
			UPLOAD_REPORTS_MAX) " reports; ruad import takes any number");
}

static void report_end(struct sender *sender)
{
	finish_sending(sender);
	g_clear_pointer(&sender->wrapper, report_mail_free);
	sender->in_report = FALSE;
}

/* Each object of the list is sent as a mail. Between them nothing is kept. */
static void split(struct sender *sender, const guint8 *data, gsize size)
{
	gsize start = 0; /* of what was not written yet */

	for (gsize i = 0; i < size; i++) {
		char byte;
		enum splitter_step step = splitter_next(&sender->splitter, (char)data[i], &byte);

		if (step == SPLITTER_SKIP) {
			start = i + 1;
			continue;
		}
		if (!sender->in_report)
			report_begin(sender);
		if (step == SPLITTER_WHOLE) {
			write_piece(sender, data + start, i + 1 - start);
			report_end(sender);
			start = i + 1;
		}
	}
	if (size > start)
		write_piece(sender, data + start, size - start);
}

/* The last report of a list may be cut off: the parser says so. */
static void end_list(struct sender *sender)
{
	if (sender->in_report)
		report_end(sender);
	else if (sender->n_reports == 0)
		conclude(sender, "refused", 0, "the list has no report");
}

/* -- one file -- */

static gboolean is_list(const struct sender *sender)
{
	return sender->splitter.kind == SPLITTER_JSON;
}

static void pass_on(struct sender *sender, const guint8 *data, gsize size)
{
	if (is_list(sender))
		split(sender, data, size);
	else
		write_piece(sender, data, size);
}

/* The head shows whether the file is a mail, a report or a list of reports. */
static void begin_sending(struct sender *sender)
{
	sender->known = TRUE;
	if (splitter_kind_of((const char *)sender->head->data, sender->head->len) == SPLITTER_JSON)
		sender->splitter.kind = SPLITTER_JSON;
	else
		start_sending(sender, report_mail_is_mail(sender->head->data, sender->head->len));
	pass_on(sender, sender->head->data, sender->head->len);
}

static gboolean file_begin(gpointer user, const char *name, GError **error)
{
	struct sender *sender = user;

	if (sender->upload->n_files == UPLOAD_FILES_MAX)
		return ruad_error_over_limit(error, "number of files", UPLOAD_FILES_MAX);
	sender->upload->n_files++;
	sender->name = name != NULL ? g_utf8_make_valid(name, -1) : NULL;
	g_byte_array_set_size(sender->head, 0);
	sender->splitter = (struct splitter){ .kind = SPLITTER_NONE };
	sender->n_reports = 0;
	sender->known = sender->in_report = sender->failed = FALSE;
	return TRUE;
}

static gboolean file_data(gpointer user, const guint8 *data, gsize size, GError **error)
{
	struct sender *sender = user;
	gsize part = sender->known ? 0 : MIN(size, REPORT_MAIL_HEAD - sender->head->len);

	(void)error;
	g_byte_array_append(sender->head, data, (guint)part);
	if (!sender->known && sender->head->len == REPORT_MAIL_HEAD)
		begin_sending(sender);
	if (size > part)
		pass_on(sender, data + part, size - part);
	return TRUE;
}

static void file_clear(struct sender *sender)
{
	g_clear_pointer(&sender->wrapper, report_mail_free);
	g_clear_pointer(&sender->name, g_free);
}

static gboolean file_end(gpointer user, GError **error)
{
	struct sender *sender = user;

	(void)error;
	if (!sender->known)
		begin_sending(sender);
	if (is_list(sender))
		end_list(sender);
	else
		finish_sending(sender);
	file_clear(sender);
	return TRUE;
}

/* -- the body -- */

/* A client that is slow on purpose would occupy one of few threads. */
static gboolean is_slow(const struct sender *sender)
{
	gint64 seconds = (g_get_monotonic_time() - sender->begun) / G_USEC_PER_SEC;

	return seconds > options.max_time ||
	       (seconds > UPLOAD_GRACE &&
		   sender->received < (guint64)(seconds - UPLOAD_GRACE) * options.min_rate);
}

/* The next piece, transfer full; NULL at the end, or with the problem set. */
static GBytes *next_piece(struct sender *sender, struct problem *problem)
{
	gboolean failed = FALSE;
	g_autoptr(GBytes) piece = http_body_next(sender->request, &failed);

	if (failed)
		problem_set(problem, 400, "the body ended early");
	if (piece == NULL)
		return NULL;
	sender->received += g_bytes_get_size(piece);
	if (!is_slow(sender))
		return g_steal_pointer(&piece);
	problem_set(problem, 408, "the body arrives too slowly");
	return NULL;
}

static void send_single(struct sender *sender, const char *name, struct problem *problem)
{
	GBytes *piece;

	if (!file_begin(sender, name, NULL))
		return;
	while ((piece = next_piece(sender, problem)) != NULL) {
		gsize size;
		const guint8 *data = g_bytes_get_data(piece, &size);

		(void)file_data(sender, data, size, NULL);
		g_bytes_unref(piece);
	}
	if (problem->status == 0)
		(void)file_end(sender, NULL);
}

static gboolean parse_piece(struct multipart *multipart, GBytes *piece, struct problem *problem)
{
	g_autoptr(GError) error = NULL;
	gsize size;
	const guint8 *data = g_bytes_get_data(piece, &size);

	if (multipart_add(multipart, data, size, &error))
		return TRUE;
	problem_set(problem, g_error_matches(error, RUAD_ERROR, RUAD_ERROR_LIMIT) ? 413 : 400,
	    "the body is not multipart/form-data of at most %d files: %s", UPLOAD_FILES_MAX, error->message);
	return FALSE;
}

static void send_multipart(struct sender *sender, const char *boundary, struct problem *problem)
{
	static const struct multipart_handler handler = { file_begin, file_data, file_end };
	struct multipart *multipart = multipart_new(boundary, &handler, sender);
	g_autoptr(GError) error = NULL;
	gboolean good = TRUE;
	GBytes *piece;

	while (good && (piece = next_piece(sender, problem)) != NULL) {
		good = parse_piece(multipart, piece, problem);
		g_bytes_unref(piece);
	}
	if (problem->status == 0 && !multipart_end(multipart, &error))
		problem_set(problem, 400, "the body is not multipart/form-data: %s", error->message);
	else if (problem->status == 0 && sender->upload->n_files == 0)
		problem_set(problem, 400, "the body has no file: each needs a filename");
	multipart_free(multipart);
}

/* -- the request -- */

/* Media types of mails and reports; the content decides what it is. */
static gboolean is_taken(const char *content_type)
{
	static const char *const types[] = { "application/octet-stream", "message/rfc822", "message/global",
		"application/gzip", "application/x-gzip", "application/zip", "application/x-zip-compressed",
		"application/xml", "text/xml", "application/json", "application/tlsrpt+json",
		"application/tlsrpt+gzip", "multipart/form-data", NULL };
	g_autofree char *type = g_ascii_strdown(content_type != NULL ? content_type : types[0], -1);

	type[strcspn(type, "; \t")] = '\0';
	return g_strv_contains(types, type);
}

/* Check whether the body may be read at all. */
static gboolean may_be_read(const struct http_request *request, const char *boundary, struct problem *problem)
{
	if (!origin_is_ours(request))
		problem_set(problem, 403, "a request from another site must not upload");
	else if (request->body == HTTP_BODY_UNMEASURED)
		problem_set(problem, 411, "exactly one Content-Length must give the size of the body");
	else if (request->body != HTTP_BODY_STREAM)
		problem_set(problem, 400, "the body must be a mail or a report");
	else if (request->length > options.max_size)
		problem_set(problem, 413,
		    "the body is larger than %" G_GUINT64_FORMAT " bytes (lmtp.max_message_size)",
		    options.max_size);
	else if (!is_taken(request->content_type))
		problem_set(problem, 415,
		    "Content-Type must be message/rfc822, application/gzip, application/zip, "
		    "application/xml, "
		    "application/json, application/octet-stream or multipart/form-data");
	else if (multipart_is(request->content_type) && boundary == NULL)
		problem_set(problem, 400, "multipart/form-data without a valid boundary");
	return problem->status == 0;
}

/* A request of which the server took nothing is one to be sent again, or too large. */
static void judge(const struct sender *sender, struct problem *problem)
{
	gsize n = json_object_array_length(sender->files);

	if (problem->status != 0 || sender->upload->mails->len > 0)
		return;
	if (sender->later == n)
		problem_set(problem, 503, "reports cannot be taken now: %s",
		    sender->client != NULL ? lmtp_client_said(sender->client)
					   : "ruad-ingest does not answer");
	else if (sender->big == 1 && n == 1)
		problem_set(problem, 413, "%s (lmtp.max_message_size, after encoding)",
		    lmtp_client_said(sender->client));
}

static void send_body(struct sender *sender, const char *name, const char *boundary, struct problem *problem)
{
	g_autoptr(GError) error = NULL;

	if (!reconnect(sender, &error))
		problem_set(problem, 503, "reports cannot be taken now: %s", error->message);
	else if (boundary != NULL)
		send_multipart(sender, boundary, problem);
	else
		send_single(sender, name, problem);
	file_clear(sender);
	judge(sender, problem);
}

gboolean upload_run(
    const struct http_request *request, const char *name, struct upload *upload, struct problem *problem)
{
	g_autofree char *boundary = multipart_boundary(request->content_type);
	struct sender sender = { .request = request, .upload = upload, .begun = g_get_monotonic_time() };

	*upload = (struct upload){ .mails = g_array_new(FALSE, FALSE, sizeof(gint64)) };
	if (options.address == NULL)
		problem_set(
		    problem, 503, "uploads are not possible: ruad-web was not told where ruad-ingest is");
	else if (!may_be_read(request, boundary, problem))
		return FALSE;
	if (problem->status != 0)
		return FALSE;
	sender.recipient =
	    lmtp_client_recipient(options.recipients[0] != NULL ? options.recipients[0] : "postmaster");
	sender.files = json_object_new_array();
	sender.head = g_byte_array_new();
	sender.piece = g_string_new(NULL);
	send_body(&sender, name, boundary, problem);
	upload->files = g_strdup(json_object_to_json_string_ext(sender.files, JSON_C_TO_STRING_PLAIN));
	lmtp_client_free(sender.client);
	g_free(sender.recipient);
	g_byte_array_unref(sender.head);
	g_string_free(sender.piece, TRUE);
	json_object_put(sender.files);
	return problem->status == 0;
}
