/*
 * tls.h - the JSON of one SMTP TLS report (RFC 8460 section 4.4) into a struct tls_report.
 *
 * JSON is one when it is an object with two of the five members that section names; all other is none of ours. Names
 * are taken by any case and with '-', '_' or neither; unknown members are passed over. Knows nothing of mails and
 * archives.
 */
#pragma once

#include "parser/limits.h"
#include "parser/report.h"

struct tls;

/*
 * Read json[0..size), all that there is or at least max_json + 1 bytes. domain is what the mail says the report is
 * about, or NULL: it stands for a policy-domain that is not said where no policy was found. NULL: not a TLS report.
 */
struct tls *tls_read(const guint8 *json, gsize size, const char *domain,
    const struct parser_limits *limits) G_GNUC_WARN_UNUSED_RESULT;
void tls_free(struct tls *tls); /* NULL is allowed */

/* The report, borrowed; NULL: it could not be read, for the reason below. */
const struct tls_report *tls_report(const struct tls *tls);

/* "json", "incomplete" or "limit" (parse.h), and words; NULL when it could be read. */
const char *tls_code(const struct tls *tls);
const char *tls_reason(const struct tls *tls);

/* Names and values that its JSON has: what it costs. */
gsize tls_items(const struct tls *tls);
