#include "tests/unit/parser/generate.h"

#include "tests/unit/parser/pack.h"

#include <string.h>

#define MAX_DEPTH   6  /* parts and mails inside one another: below max_part_depth with those in archives */
#define MAX_PACKED  3  /* archives inside one another: below max_nesting */
#define MAX_PLANTED 60 /* reports in a mail */

struct maker {
	struct choices *choices;
	gsize used; /* bytes of choices */
	GArray *planted;
	guint records, names, boundaries; /* so far: each has a number */
	GString *around;                  /* as in struct planted */
	guint depth, packed;
	gboolean in_mbox;
	gboolean wrong;    /* a multipart around has another boundary than it says */
	guint files, file; /* so far; the innermost one */
};

/* One of 0 .. n-1. */
static guint choose(struct maker *m, guint n)
{
	struct choices *c = m->choices;
	guint64 z;

	if (c->data != NULL)
		return m->used < c->size ? c->data[m->used++] % n : 0;
	/* splitmix64 */
	z = c->seed += G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT(0x94d049bb133111eb);
	return (guint)((z ^ (z >> 31)) >> 33) % n;
}

static const char *pick(struct maker *m, const char *const *words, guint n)
{
	return words[choose(m, n)];
}

#define PICK(m, words) pick((m), (words), G_N_ELEMENTS(words))

/* Takes bytes. */
static void append_bytes(GString *out, GByteArray *bytes)
{
	g_string_append_len(out, (const char *)bytes->data, bytes->len);
	g_byte_array_unref(bytes);
}

static struct planted *plant(struct maker *m, enum planted_kind kind)
{
	struct planted planted = { kind, m->records, 0, m->file, g_string_new(m->around->str) };

	g_array_append_val(m->planted, planted);
	return &g_array_index(m->planted, struct planted, m->planted->len - 1);
}

/* -- the XML of a report -- */

static const char *const XMLNS[] = { "", "", " xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\"",
	" xmlns=\"http://dmarc.org/dmarc-xml/0.1\"", " xmlns=\"urn:nobody:knows\"" };

static void add_record(struct maker *m, struct planted *planted, GString *out, const char *tag)
{
	guint k = m->records++;

	planted->n++;
	g_string_append_printf(out, "<%s>\n<row><source_ip>10.%u.%u.%u</source_ip><count>%u</count>", tag,
	    k >> 16 & 255, k >> 8 & 255, k & 255, 1 + choose(m, 9));
	g_string_append(out, "<policy_evaluated><disposition>none</disposition><dkim>pass</dkim>"
			     "<spf>fail</spf></policy_evaluated></row>\n"
			     "<identifiers><header_from>a.example</header_from></identifiers>"
			     "<auth_results><dkim><domain>a.example</domain><result>pass</result></dkim>");
	if (choose(m, 12) == 1)
		add_record(m, planted, out, "record"); /* in a wrong place */
	g_string_append_printf(out, "</auth_results></%s>\n", tag);
}

/* A record as it should be, or around it what some write. */
static void add_record_somehow(struct maker *m, struct planted *planted, GString *out)
{
	switch (choose(m, 14)) {
	case 1:
		g_string_append(out, "<records>");
		add_record(m, planted, out, "record");
		add_record(m, planted, out, "record");
		g_string_append(out, "</records>");
		break;
	case 2:
		g_string_append(out, "<x:data xmlns:x=\"urn:x\">");
		add_record(m, planted, out, "record");
		g_string_append(out, "</x:data>");
		break;
	case 3:
		add_record(m, planted, out, "Record");
		break;
	case 4:
		g_string_append(out, "<wrap xmlns=\"urn:other\">");
		add_record(m, planted, out, "record");
		g_string_append(out, "</wrap>");
		break;
	case 5:
		g_string_append(out, "<a><b><c>");
		add_record(m, planted, out, "record");
		g_string_append(out, "</c></b></a>");
		break;
	case 6:
		add_record(m, planted, out, "x:record");
		break;
	default:
		add_record(m, planted, out, "record");
	}
}

static void add_metadata(struct maker *m, struct planted *planted, GString *out)
{
	static const char *const ORGS[] = { "rep.example", "R&amp;D \xc3\xa9", "A & B", "caf\xe9" };

	g_string_append_printf(out,
	    "<report_metadata><org_name>%s</org_name><email>r@rep.example</email>"
	    "<report_id>doc-%u</report_id>",
	    PICK(m, ORGS), m->planted->len - 1);
	if (choose(m, 15) == 1)
		add_record(m, planted, out, "record");
	g_string_append(out, "<date_range><begin>1700000000</begin><end>1700086399</end></date_range>"
			     "</report_metadata>\n");
}

static void add_policy(struct maker *m, struct planted *planted, GString *out)
{
	g_string_append(out, "<policy_published><domain>a.example</domain><p>none</p>");
	if (choose(m, 15) == 1)
		add_record(m, planted, out, "record");
	g_string_append(out, "</policy_published>\n");
}

/* Between the elements of feedback. */
static void add_between(struct maker *m, GString *out)
{
	static const char *const TEXTS[] = { "", "\n", "<!-- a note -->", "words", "<x/>",
		"<version>1.0</version>", "<![CDATA[<record>]]>", "<extension><y>1</y></extension>" };

	g_string_append(out, PICK(m, TEXTS));
}

static void add_elements(struct maker *m, struct planted *planted, GString *out)
{
	guint order = choose(m, 4), n = choose(m, 4);

	if (order != 1)
		add_metadata(m, planted, out);
	if (order != 2)
		add_policy(m, planted, out);
	for (guint i = 0; i < n; i++) {
		add_between(m, out);
		add_record_somehow(m, planted, out);
	}
	if (order == 1)
		add_metadata(m, planted, out);
	if (order == 2)
		add_policy(m, planted, out);
}

/* A report as XML in UTF-8, more or less. */
static void add_xml(struct maker *m, GString *out)
{
	static const char *const STARTS[] = { "", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
		"<?xml version=\"1.0\"?>", "<?xml version='1.0' encoding='ISO-8859-1'?>\r\n",
		"\xef\xbb\xbf<?xml version=\"1.0\"?>", "<!DOCTYPE feedback>", "<!-- made by x -->\n",
		"<?xml version=\"1.0\" encoding=\"x-none\"?>" };
	static const char *const TAGS[] = { "feedback", "feedback", "Feedback", "d:feedback" };
	static const char *const ENDS[] = { "", "\n", "", " and words", "<!-- end -->" };
	const char *tag = PICK(m, TAGS);
	struct planted *planted = plant(m, PLANTED_AGGREGATE);
	guint damage = choose(m, 12);

	g_string_append(out, PICK(m, STARTS));
	g_string_append_printf(out, "<%s%s>", tag, PICK(m, XMLNS));
	add_elements(m, planted, out);
	if (damage == 1)
		g_string_append(out, "</oops>");
	else if (damage == 2)
		g_string_append(out, "<record><row>");
	if (damage != 3)
		g_string_append_printf(out, "</%s>", tag);
	if (damage == 4) { /* behind its end */
		add_record(m, planted, out, "record");
	}
	g_string_append(out, PICK(m, ENDS));
}

/* As UTF-16, of which the first bytes are the mark. */
static void to_utf16(GString *text, gboolean big)
{
	g_autoptr(GString) out = g_string_new(NULL);

	for (gsize i = 0; i < text->len; i++) {
		const char c[2] = { big ? '\0' : text->str[i], big ? text->str[i] : '\0' };

		g_string_append_len(out, c, 2);
	}
	g_string_assign(text, big ? "\xfe\xff" : "\xff\xfe");
	g_string_append_len(text, out->str, (gssize)out->len);
}

static void add_xml_somehow(struct maker *m, GString *out)
{
	gsize before = out->len;

	switch (choose(m, 8)) {
	case 1:
		g_string_append(out, "<reports>");
		add_xml(m, out);
		add_xml(m, out);
		g_string_append(out, "</reports>");
		break;
	case 2:
		add_xml(m, out);
		add_xml(m, out);
		if (choose(m, 2) == 1)
			add_xml(m, out);
		break;
	case 3:
		add_xml(m, out);
		if (before == 0 && g_str_is_ascii(out->str))
			to_utf16(out, choose(m, 2) == 1);
		break;
	default:
		add_xml(m, out);
	}
}

/* -- other reports -- */

static void add_tls(struct maker *m, GString *out)
{
	plant(m, PLANTED_TLS);
	g_string_append_printf(out,
	    "{\"organization-name\":\"rep\",%s\"report-id\":\"doc-%u\",\"date-range\":{\"start-datetime\":"
	    "\"2026-01-01T00:00:00Z\",\"end-datetime\":\"2026-01-01T23:59:59Z\"},\"policies\":[]}",
	    choose(m, 2) == 1 ? "\n " : "", m->planted->len - 1);
}

static void add_json(struct maker *m, GString *out)
{
	static const char *const BETWEEN[] = { "\n", "", ",", "\r\n\r\n", " and ", "\n-- \nwords\n" };
	guint n = 1 + choose(m, 3);
	gboolean list = choose(m, 6) == 1;

	if (choose(m, 6) == 1)
		g_string_append(out, "{\"a\":1}\n");
	if (list)
		g_string_append_c(out, '[');
	for (guint i = 0; i < n; i++) {
		if (i > 0)
			g_string_append(out, list ? "," : PICK(m, BETWEEN));
		add_tls(m, out);
	}
	if (list)
		g_string_append_c(out, ']');
}

/* -- files -- */

static void add_mail(struct maker *m, GString *out);

/* A name for the next file; the caller removes it from m->around. */
static char *new_name(struct maker *m, const char *end)
{
	char *name = g_strdup_printf("f%u-x%s", m->names++, end);

	g_string_append_printf(m->around, "/%s/", name);
	return name;
}

static void add_file(struct maker *m, GString *out);

static void add_archive(struct maker *m, GString *out)
{
	static const char *const ENDS[] = { ".xml", ".json", ".eml", ".txt", "", ".bin" };
	guint n = 1 + choose(m, 3), tar = choose(m, 3);
	struct pack_member member[3] = { { NULL, NULL, 0 } };
	g_autoptr(GPtrArray) texts = g_ptr_array_new();

	m->packed++;
	for (guint i = 0; i < n; i++) {
		GString *text = g_string_new(NULL);
		gsize around = m->around->len;

		member[i].name = new_name(m, PICK(m, ENDS));
		add_file(m, text);
		g_string_truncate(m->around, around);
		member[i].data = text->str;
		member[i].size = text->len;
		g_ptr_array_add(texts, text);
	}
	m->packed--;
	append_bytes(out, tar == 1   ? pack_tar(member, n)
			  : tar == 2 ? pack_7z(member, n, "lzma2")
				     : pack_zip(member, n));
	for (guint i = 0; i < n; i++) {
		g_free((gpointer)member[i].name);
		g_string_free(g_ptr_array_index(texts, i), TRUE);
	}
}

static void add_gzip(struct maker *m, GString *out)
{
	g_autoptr(GString) text = g_string_new(NULL);

	m->packed++;
	add_file(m, text);
	m->packed--;
	append_bytes(out, pack_gzip(text->str, text->len));
	if (choose(m, 4) == 1)
		g_string_append(out, "-- \nfooter");
}

/* A report within words. */
static void add_text(struct maker *m, GString *out)
{
	static const char *const LEADS[] = { "", "", "  ", "Here it is: ", "\t" };
	static const char *const TAILS[] = { "\n", "\nRegards\n", "\r\n\r\n" };
	guint n = 1 + choose(m, 2);

	g_string_append(out, "Hello.\n\n");
	for (guint i = 0; i < n; i++) {
		g_string_append(out, PICK(m, LEADS));
		if (choose(m, 3) == 1)
			add_tls(m, out);
		else
			add_xml(m, out);
		g_string_append(out, PICK(m, TAILS));
	}
}

/* A file with reports in it, of any kind. */
static void add_file(struct maker *m, GString *out)
{
	guint kind = m->planted->len >= MAX_PLANTED ? 0 : choose(m, 12), outer = m->file;

	m->file = ++m->files;
	if (m->packed >= MAX_PACKED && (kind == 4 || kind == 5))
		kind = 0;
	if (m->depth >= MAX_DEPTH && kind == 6)
		kind = 0;
	switch (kind) {
	case 1:
		add_text(m, out);
		break;
	case 2:
	case 3:
		add_json(m, out);
		break;
	case 4:
		add_gzip(m, out);
		break;
	case 5:
		add_archive(m, out);
		break;
	case 6:
		add_mail(m, out);
		break;
	default:
		add_xml_somehow(m, out);
	}
	m->file = outer;
}

/* -- MIME -- */

static void add_base64(GString *out, const GString *bytes)
{
	g_autofree char *text = g_base64_encode((const guint8 *)bytes->str, bytes->len);
	gsize size = strlen(text);

	for (gsize at = 0; at < size; at += 76)
		g_string_append_printf(out, "%.76s\r\n", text + at);
}

static void add_quoted(GString *out, const GString *bytes)
{
	gboolean is_text = memchr(bytes->str, '\0', bytes->len) == NULL;
	guint line = 0;

	for (gsize i = 0; i < bytes->len; i++) {
		guint8 c = (guint8)bytes->str[i];

		if (c == '\n' && is_text) {
			g_string_append(out, "\r\n");
			line = 0;
			continue;
		}
		if (c == '\r' && is_text)
			continue;
		if (line > 70) {
			g_string_append(out, "=\r\n");
			line = 0;
		}
		if (c < ' ' || c > '~' || c == '=')
			g_string_append_printf(out, "=%02X", c);
		else
			g_string_append_c(out, (char)c);
		line += c < ' ' || c > '~' || c == '=' ? 3 : 1;
	}
	g_string_append(out, "\r\n");
}

/* A name of a file in one of the forms of a header. */
static void add_name_fields(struct maker *m, GString *out, const char *type, const char *name)
{
	switch (choose(m, 5)) {
	case 0:
		g_string_append_printf(out, "Content-Type: %s; name=\"%s\"\r\n", type, name);
		break;
	case 1:
		g_string_append_printf(out,
		    "Content-Type: %s\r\nContent-Disposition: attachment; filename=\"%s\"\r\n", type, name);
		break;
	case 2:
		g_string_append_printf(out, "Content-Type: %s;\r\n name*=UTF-8''%s\r\n", type, name);
		break;
	case 3:
		g_string_append_printf(out, "Content-Type: %s; name=\"=?UTF-8?Q?%s?=\"\r\n", type, name);
		break;
	default:
		g_string_append_printf(out, "Content-disposition:attachment;\r\n\tfilename=%s\r\n", name);
	}
}

/* A leaf, with its header. */
static void add_leaf(struct maker *m, GString *out)
{
	static const char *const TYPES[] = { "application/octet-stream", "application/gzip", "text/plain",
		"text/xml", "application/zip", "image/png", "application/tlsrpt+json", "x-nonsense/y",
		"text/html; charset=utf-16" };
	static const char *const ENDS[] = { ".xml", ".xml.gz", ".zip", "", ".txt", ".json.gz" };
	g_autoptr(GString) bytes = g_string_new(NULL);
	const char *type = PICK(m, TYPES);
	gsize around = m->around->len;

	if (choose(m, 4) == 1) {
		g_string_append_printf(out, "Content-Type: %s\r\n", type);
		g_string_append(m->around, "/?/"); /* no name */
	} else {
		g_autofree char *name = new_name(m, PICK(m, ENDS));

		add_name_fields(m, out, type, name);
	}
	add_file(m, bytes);
	g_string_truncate(m->around, around);
	switch (choose(m, 6)) {
	case 1:
		g_string_append(out, "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
		add_quoted(out, bytes);
		break;
	case 2: /* wrongly declared */
		g_string_append(out, "Content-Transfer-Encoding: 7bit\r\n\r\n");
		add_base64(out, bytes);
		break;
	case 3:
		g_string_append(out, "Content-Transfer-Encoding: 8bit\r\n\r\n");
		g_string_append_len(out, bytes->str, (gssize)bytes->len);
		g_string_append(out, "\r\n");
		break;
	case 4: /* as it is, declared as base64 */
		g_string_append(out, "Content-Transfer-Encoding: BASE64\r\n\r\n");
		g_string_append_len(out, bytes->str, (gssize)bytes->len);
		g_string_append(out, "\r\n");
		break;
	default:
		g_string_append(out, "Content-Transfer-Encoding: base64\r\n\r\n");
		add_base64(out, bytes);
	}
}

static void add_entity(struct maker *m, GString *out);

static void add_words(struct maker *m, GString *out)
{
	static const char *const PARTS[] = { "Content-Type: text/plain\r\n\r\nHello.\r\n",
		"\r\nJust words: and more.\r\n",
		"Content-Type: text/html\r\n\r\n<html><p>Hello</p></html>\r\n",
		"Content-Type: image/png; name=logo.png\r\n\r\n\x89PNG\r\n" };

	g_string_append(out, PICK(m, PARTS));
}

static void add_failure(struct maker *m, GString *out)
{
	guint b = m->boundaries++;

	plant(m, PLANTED_FAILURE);
	g_string_append_printf(out,
	    "Content-Type: multipart/report; report-type=feedback-report; boundary=\"b%u-\"\r\n\r\n"
	    "--b%u-\r\n\r\nA report.\r\n--b%u-\r\nContent-Type: message/feedback-report\r\n\r\n"
	    "Feedback-Type: auth-failure\r\nUser-Agent: doc-%u\r\nVersion: 1\r\nAuth-Failure: dmarc\r\n"
	    "\r\n--b%u-\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nbody\r\n--b%u---\r\n",
	    b, b, b, m->planted->len - 1, b, b);
}

static void add_multipart(struct maker *m, GString *out)
{
	static const char *const SUBTYPES[] = { "mixed", "related", "alternative", "report", "signed",
		"digest" };
	guint b = m->boundaries++, n = choose(m, 4), wrong = choose(m, 12);
	gboolean outer = m->wrong, unclosed;

	g_string_append_printf(out, "Content-Type: multipart/%s; boundary=\"b%u-\"\r\n\r\n",
	    PICK(m, SUBTYPES), wrong == 1 && !m->wrong ? 1000 + b : b);
	m->wrong |= wrong == 1;
	if (choose(m, 5) == 1)
		add_text(m, out);
	for (guint i = 0; i <= n; i++) {
		g_string_append_printf(out, "\r\n--b%u-\r\n", b);
		add_entity(m, out);
	}
	unclosed = choose(m, 8) == 1 && !m->wrong;
	m->wrong = outer;
	if (unclosed)
		return;
	g_string_append_printf(out, "\r\n--b%u---\r\n", b);
	switch (choose(m, 6)) {
	case 1:
		add_text(m, out);
		break;
	case 2:
		g_string_append_printf(out, "\r\n--b%u-\r\n", b);
		add_leaf(m, out);
		break;
	case 3:
		g_string_append_printf(out, "--other%u-\r\n", b);
		add_leaf(m, out);
		break;
	default:
		break;
	}
}

static void add_inner_mail(struct maker *m, GString *out)
{
	g_autoptr(GString) mail = g_string_new(NULL);
	gsize around = m->around->len;
	g_autofree char *name = NULL;

	switch (choose(m, 4)) {
	case 1:
		name = new_name(m, ".eml");
		g_string_append_printf(out, "Content-Type: application/octet-stream; name=%s\r\n", name);
		g_string_append(out, "Content-Transfer-Encoding: base64\r\n\r\n");
		add_mail(m, mail);
		add_base64(out, mail);
		break;
	case 2:
		g_string_append(
		    out, "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n");
		add_mail(m, mail);
		add_base64(out, mail);
		break;
	case 3:
		g_string_append(out, "Content-Type: text/plain\r\n\r\n");
		add_mail(m, out);
		break;
	default:
		g_string_append(out, "Content-Type: message/rfc822\r\n\r\n");
		add_mail(m, out);
	}
	g_string_truncate(m->around, around);
}

/* The header and the content of a part or a mail. */
static void add_entity(struct maker *m, GString *out)
{
	guint kind = choose(m, 10);

	m->depth++;
	if (kind == 1)
		add_words(m, out);
	else if (kind == 2)
		add_failure(m, out);
	else if (m->depth < MAX_DEPTH && m->planted->len < MAX_PLANTED &&
		 (kind == 3 || kind == 4 || kind == 5))
		add_multipart(m, out);
	else if (m->depth < MAX_DEPTH && m->planted->len < MAX_PLANTED && kind == 6)
		add_inner_mail(m, out);
	else
		add_leaf(m, out);
	m->depth--;
}

static void add_mail_or_mbox(struct maker *m, GString *out)
{
	static const char *const SUBJECTS[] = { "Report Domain: a.example Submitter: rep.example",
		"Fwd: report", "=?UTF-8?B?SGVsbG8=?=" };

	if (!m->in_mbox && choose(m, 8) == 1) {
		m->in_mbox = TRUE; /* a separator inside of its mails would be one */
		for (guint i = 0; i < 2; i++) {
			g_string_append(out, "From r@rep.example Thu Jan  1 00:00:00 2026\r\n");
			g_string_append(out, "From: r@rep.example\r\nMIME-Version: 1.0\r\n");
			add_entity(m, out);
			g_string_append(out, "\r\n\r\n");
		}
		m->in_mbox = FALSE;
		return;
	}
	g_string_append_printf(
	    out, "From: r@rep.example\r\nSubject: %s\r\nMIME-Version: 1.0\r\n", PICK(m, SUBJECTS));
	add_entity(m, out);
}

/* The names of files around a mail are not in the places of its parts, unless it is in an archive. */
static void add_mail(struct maker *m, GString *out)
{
	g_autofree char *around = g_strdup(m->around->str);

	if (m->packed == 0)
		g_string_truncate(m->around, 0);
	add_mail_or_mbox(m, out);
	g_string_assign(m->around, around);
}

struct generated *generate_mail(struct choices *choices)
{
	struct generated *generated = g_new0(struct generated, 1);
	struct maker maker = { .choices = choices,
		.planted = g_array_new(FALSE, TRUE, sizeof(struct planted)),
		.around = g_string_new(NULL) };
	g_autoptr(GString) out = g_string_new(NULL);

	add_mail(&maker, out);
	g_string_free(maker.around, TRUE);
	generated->planted = maker.planted;
	generated->mail = g_byte_array_new();
	g_byte_array_append(generated->mail, (const guint8 *)out->str, (guint)out->len);
	return generated;
}

void generate_free(struct generated *generated)
{
	for (guint i = 0; i < generated->planted->len; i++)
		g_string_free(g_array_index(generated->planted, struct planted, i).around, TRUE);
	g_array_unref(generated->planted);
	g_byte_array_unref(generated->mail);
	g_free(generated);
}
