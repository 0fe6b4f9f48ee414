/*
 * tls.h - the JSON of one SMTP TLS report (RFC 8460 section 4.4) into a struct tls_report.
 *
 * An object is a TLS report if it has two of the five members that this section requires; other JSON is
 * ignored. Names match in any case and with '-', '_' or neither; unknown members are skipped. Knows nothing
 * of mails and archives.
 */
#pragma once

#include "parser/limits.h"
#include "parser/report.h"

struct tls;

/*
 * Read json[0..size): the complete text, or at least max_json + 1 bytes of it. domain: the mail's policy
 * domain, or NULL; it replaces a missing policy-domain if no policy was found. Returns NULL if it is not a
 * TLS report.
 */
struct tls *tls_read(const guint8 *json, gsize size, const char *domain,
    const struct parser_limits *limits) G_GNUC_WARN_UNUSED_RESULT;
void tls_free(struct tls *tls); /* NULL is allowed */

/* Note that it was converted from the copy that a program keeps (K1). */
void tls_note_copy(struct tls *tls, const char *program);

/* The report, borrowed; NULL if it cannot be read, for the reason below. */
const struct tls_report *tls_report(const struct tls *tls);

/* "json", "incomplete" or "limit" (parse.h), and a sentence; both NULL if it could be read. Borrowed. */
const char *tls_code(const struct tls *tls);
const char *tls_reason(const struct tls *tls);

/* How many names and values its JSON has: a measure of the memory used. */
gsize tls_items(const struct tls *tls);
