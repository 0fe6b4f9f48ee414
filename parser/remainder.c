#include "parser/remainder.h"

#include "parser/kind.h"

#include <string.h>

#define MAX_LISTED 10
#define TEXT_HEAD  (16 * 1024) /* bytes of a text in which such words are looked for */

void remainder_init(struct remainder *r)
{
	*r = (struct remainder){ .parts = g_string_new(NULL) };
}

void remainder_clear(struct remainder *r)
{
	g_string_free(r->parts, TRUE);
}

void remainder_subject(struct remainder *r, const char *subject)
{
	static const char *const WORDS[] = { "dmarc", "report domain", "report-id", "tls report", "tlsrpt" };
	g_autofree char *lower = g_ascii_strdown(subject != NULL ? subject : "", -1);

	for (gsize i = 0; i < G_N_ELEMENTS(WORDS); i++)
		r->is_candidate |= strstr(lower, WORDS[i]) != NULL;
}

/* Files that reports are sent as, also if they are empty or damaged. */
static gboolean is_named_like_report(const char *name)
{
	static const char *const ENDS[] = { ".xml", ".json", ".gz", ".zip", ".gzip", ".tgz", ".tar", ".7z",
		".bz2", ".xz", ".zst", ".lzma", ".eml", ".msg", ".mbox", ".p7m", ".dat" };
	g_autofree char *lower = g_ascii_strdown(name != NULL ? name : "", -1);

	for (gsize i = 0; i < G_N_ELEMENTS(ENDS); i++)
		if (g_str_has_suffix(lower, ENDS[i]))
			return TRUE;
	return FALSE;
}

/* Text, pictures, and what a bounce consists of (RFC 3464, RFC 6522). */
static gboolean is_of_people(const char *type)
{
	static const char *const STARTS[] = { "text/plain", "text/html", "text/calendar",
		"text/rfc822-headers", "text/enriched", "image/", "audio/", "video/", "font/",
		"message/delivery-status", "message/disposition-notification", "message/global",
		"message/rfc822-headers", "application/pdf", "application/rtf", "application/msword",
		"application/vnd.openxmlformats", "application/pgp-signature", "application/pkcs7-signature",
		"application/x-pkcs7-signature" };

	for (gsize i = 0; i < G_N_ELEMENTS(STARTS); i++)
		if (g_str_has_prefix(type, STARTS[i]))
			return TRUE;
	return FALSE;
}

/* Text with the words of a failure report, which are not where they should be. */
static gboolean mentions_fields(const struct mail_part *part)
{
	static const char *const WORDS[] = { "feedback-type:", "sender domain:" };
	gsize size = MIN(part->size, TEXT_HEAD);
	g_autofree char *lower = size == 0 ? NULL : g_ascii_strdown((const char *)part->data, (gssize)size);

	for (gsize i = 0; i < G_N_ELEMENTS(WORDS); i++)
		if (lower != NULL && memmem(lower, size, WORDS[i], strlen(WORDS[i])) != NULL)
			return TRUE;
	return FALSE;
}

static gboolean is_candidate(const struct mail_part *part, enum kind kind)
{
	gboolean is_page = kind == KIND_XML && !kind_is_report_like(part->data, part->size);

	if (part->declared || mentions_fields(part))
		return TRUE;
	if (is_named_like_report(part->name) || !is_of_people(part->type))
		return TRUE;
	/* office documents are zips, or OLE2 */
	if (kind == KIND_ZIP || kind == KIND_OLE2)
		return !g_str_has_prefix(part->type, "application/");
	return kind != KIND_OTHER && !is_page;
}

void remainder_add(struct remainder *r, const struct mail_part *part)
{
	enum kind kind = kind_of(part->data, part->size);

	r->is_candidate |= is_candidate(part, kind);
	if (r->n++ >= MAX_LISTED)
		return;
	g_string_append_printf(r->parts, "%s%s", r->parts->len > 0 ? "; " : "",
	    strcmp(part->type, MAIL_FILE_TYPE) == 0 ? "file" : part->type);
	if (part->name != NULL && *part->name != '\0')
		g_string_append_printf(r->parts, " \"%s\"", part->name);
	g_string_append_printf(r->parts, ", %" G_GSIZE_FORMAT " bytes: ", part->size);
	if (kind == KIND_OTHER)
		g_string_append(r->parts, "not XML, JSON or packed");
	else
		g_string_append_printf(r->parts, "read as %s", kind_name(kind));
}

char *remainder_words(const struct remainder *r)
{
	g_autofree char *more =
	    r->n > MAX_LISTED ? g_strdup_printf("; and %u more", r->n - MAX_LISTED) : NULL;
	g_autofree char *parts =
	    r->n == 1 ? g_strdup("the only part is not a") : g_strdup_printf("none of %u parts is a", r->n);

	return g_strdup_printf("%s DMARC report: %s%s", parts, r->parts->str, more != NULL ? more : "");
}
