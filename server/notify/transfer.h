/*
 * transfer.h - one transfer of libcurl: what smtp.h and webhook.h have in common.
 */
#pragma once

#include <curl/curl.h>
#include <glib.h>

struct transfer {
	CURL *curl;
	char message[CURL_ERROR_SIZE]; /* of libcurl, "" without one */
	GString *line; /* the last line of the answer that is not empty: a reply, or a header */
	GString *body; /* the first bytes of the answer's body */
};

/* Prepare a transfer with url, one of the protocols ("smtp,smtps") and no more than seconds. FALSE:
 * RUAD_ERROR_SYSTEM, libcurl cannot be used. */
gboolean transfer_init(struct transfer *transfer, const char *url, const char *protocols, guint seconds,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Run it. FALSE: RUAD_ERROR_SYSTEM with the words of libcurl and those of the server. */
gboolean transfer_run(struct transfer *transfer, GError **error) G_GNUC_WARN_UNUSED_RESULT;

void transfer_clear(struct transfer *transfer);
