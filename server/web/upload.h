/*
 * upload.h - the body of a request over LMTP to ruad-ingest: mails and report files take the same path as
 * mail from a mail server.
 *
 * The body is one mail or report file, or multipart/form-data with several. It is passed on while it arrives;
 * of a list of reports in JSON (splitter.h), as parsedmarc writes them, each report by itself.
 * Knows nothing of users or the database.
 */
#pragma once

#include "server/web/http.h"
#include "server/web/problem.h"

#define UPLOAD_FILES_MAX   100  /* in one request; the page sends each by itself */
#define UPLOAD_REPORTS_MAX 1000 /* in one list */
#define UPLOAD_GRACE       30   /* seconds before min_rate is asked of a client */
#define UPLOAD_RETRY       30   /* seconds, for Retry-After */

struct upload_options {
	const char *address;           /* of ruad-ingest (net.h); NULL: uploads are not possible */
	const char *const *recipients; /* patterns of our mailboxes; NULL-terminated */
	guint64 max_size;              /* bytes of a body */
	guint max_time;                /* seconds for it */
	guint64 min_rate;              /* bytes a second at which it arrives after UPLOAD_GRACE */
};

/* Call it once, before the first thread. options are copied, what they point to is borrowed. */
void upload_init(const struct upload_options *options);

/* The result of a request. */
struct upload {
	char *files;   /* JSON for api.uploaded(): what the server said of each mail; transfer full */
	GArray *mails; /* gint64: numbers of the stored mails; transfer full */
	guint n_files;
};
void upload_clear(struct upload *upload);

/*
 * Read the body of request and pass it on; name is that of the file if it is one, or NULL. *upload is set in
 * any case, since some files may be stored when the body ends early. Returns FALSE with problem set: 400,
 * 408, 411, 413, 415 the body cannot be used; 403 the request comes from another site; 503 ruad-ingest takes
 * no mail now.
 */
gboolean upload_run(const struct http_request *request, const char *name, struct upload *upload,
    struct problem *problem) G_GNUC_WARN_UNUSED_RESULT;
