#include "server/common/report_mail.h"

#include <string.h>

#include "parser/kind.h"
#include "parser/mail.h"

#define PIECE 32768 /* bytes that are encoded at once */

struct report_mail {
	char *name;     /* UTF-8, or NULL */
	gboolean begun; /* the header was written */
	int state;      /* of GLib's encoder */
	int save;
};

gboolean report_mail_is_mail(const guint8 *head, gsize size)
{
	gsize blank = kind_blank(head, size);

	return kind_of_document(head, size) == KIND_MAIL && kind_is_field(head + blank, size - blank);
}

/* The last part of a path of any system; NULL if there is none. */
static char *base_name(const char *name)
{
	g_autofree char *text = g_strdelimit(g_utf8_make_valid(name != NULL ? name : "", -1), "\\", '/');
	const char *slash = strrchr(text, '/');
	const char *base = slash != NULL ? slash + 1 : text;
	gsize size = strlen(base);

	if (size > REPORT_MAIL_NAME_MAX)
		size = (gsize)(g_utf8_find_prev_char(base, base + REPORT_MAIL_NAME_MAX + 1) - base);
	return size > 0 ? g_strndup(base, size) : NULL;
}

struct report_mail *report_mail_new(const char *name)
{
	struct report_mail *mail = g_new0(struct report_mail, 1);

	mail->name = base_name(name);
	return mail;
}

void report_mail_free(struct report_mail *mail)
{
	if (mail == NULL)
		return;
	g_free(mail->name);
	g_free(mail);
}

/* The type does not say what the file is, which its content decides, but that it is one. The reserved
 * characters of RFC 5987's attr-char are those that URIs leave alone, too. */
static void begin(struct report_mail *mail, GString *out)
{
	mail->begun = TRUE;
	g_string_append(out, "From: ruad <ruad@localhost>\n"
			     "Subject: a report file\n"
			     "MIME-Version: 1.0\n"
			     "Content-Type: " MAIL_FILE_TYPE "\n"
			     "Content-Transfer-Encoding: base64\n"
			     "Content-Disposition: attachment");
	if (mail->name != NULL) {
		g_autofree char *escaped = g_uri_escape_string(mail->name, NULL, FALSE);

		g_string_append_printf(out, ";\n filename*=UTF-8''%s", escaped);
	}
	g_string_append(out, "\n\n");
}

void report_mail_add(struct report_mail *mail, const guint8 *data, gsize size, GString *out)
{
	char text[(PIECE / 3 + 1) * 4 + PIECE / 48 + 8]; /* with line ends, as GLib says */

	if (!mail->begun)
		begin(mail, out);
	while (size > 0) {
		gsize part = MIN(size, PIECE);
		gsize n = g_base64_encode_step(data, part, TRUE, text, &mail->state, &mail->save);

		g_string_append_len(out, text, (gssize)n);
		data += part;
		size -= part;
	}
}

void report_mail_end(struct report_mail *mail, GString *out)
{
	char text[8];
	gsize n;

	if (!mail->begun)
		begin(mail, out);
	n = g_base64_encode_close(TRUE, text, &mail->state, &mail->save);
	g_string_append_len(out, text, (gssize)n);
}

GBytes *report_mail_of(GBytes *document, const char *name)
{
	gsize size;
	const guint8 *data = g_bytes_get_data(document, &size);
	struct report_mail *mail;
	GString *out;

	if (report_mail_is_mail(data, MIN(size, REPORT_MAIL_HEAD)))
		return g_bytes_ref(document);
	mail = report_mail_new(name);
	out = g_string_sized_new(size / 3 * 4 + size / 48 + 1024);
	report_mail_add(mail, data, size, out);
	report_mail_end(mail, out);
	report_mail_free(mail);
	return g_string_free_to_bytes(out);
}
