/* Bombs through the real ruad-parse: each is quarantined, within the worker's limits; the cost is printed. */
#include <archive.h>
#include <string.h>
#include <sys/resource.h>

#include "parser/error.h"
#include "server/worker/pool.h"
#include "tests/unit/parser/pack.h"
#include "tests/unit/parser/pack_msg.h"
#include "tests/unit/worker/cm.h"
#include "tests/unit/worker/sink.h"

static const char *ruad_parse;
static gsize first; /* of the bombs of this run */

#define MEMORY (G_GUINT64_CONSTANT(256) << 20) /* a quarter of the default */
#define CAP    30.0 /* seconds of processor time: ten times what the dearest takes under sanitizers */
#define PIECE  (16 * 1024 * 1024)
#define TOP                                                                                                  \
	"<feedback><report_metadata><date_range><begin>1</begin><end>2</end></date_range></report_metadata>" \
	"<policy_published><domain>a.example</domain></policy_published>"
#define JSON_TOP                                                                                             \
	"{\"report-id\":\"r\",\"date-range\":{\"start-datetime\":\"2024-02-29T00:00:00Z\",\"end-datetime\":" \
	"\"2024-02-29T23:59:59Z\"},\"policies\":[{\"policy\":{\"policy-type\":\"sts\",\"policy-domain\":"    \
	"\"a.example\"}"
#define JSON_SIZE (4 * 1024 * 1024) /* max_json */
#define OTHERS    "too many bytes of XML that are none of its records'"
#define MIXED     "Subject: s\nContent-Type: multipart/mixed; boundary=b\n\n"

static GByteArray *bytes(const char *text)
{
	GByteArray *out = g_byte_array_new();
	g_byte_array_append(out, (const guint8 *)text, (guint)strlen(text));
	return out;
}

/* head, then unit repeated up to size bytes. */
static GByteArray *fill(const char *head, const char *unit, gsize size)
{
	GByteArray *out = bytes(head);
	gsize n = strlen(unit);
	while (out->len + n <= size)
		g_byte_array_append(out, (const guint8 *)unit, (guint)n);
	return out;
}

static GByteArray *gzip(GByteArray *inner)
{
	GByteArray *out = pack_gzip(inner->data, inner->len);
	g_byte_array_unref(inner);
	return out;
}

static GByteArray *filtered_bomb(int filter)
{
	g_autoptr(GByteArray) inner = fill(TOP, " ", 64 * 1024 * 1024);
	return pack_filtered(inner->data, inner->len, filter);
}

static GByteArray *bzip2_bomb(void)
{
	return filtered_bomb(ARCHIVE_FILTER_BZIP2);
}

static GByteArray *zstd_bomb(void)
{
	return filtered_bomb(ARCHIVE_FILTER_ZSTD);
}

static GByteArray *xz_bomb(void)
{
	return filtered_bomb(ARCHIVE_FILTER_XZ);
}

static GByteArray *lzma_bomb(void)
{
	return filtered_bomb(ARCHIVE_FILTER_LZMA);
}

static GByteArray *zip_lzma_bomb(void)
{
	g_autoptr(GByteArray) inner = fill(TOP, " ", 64 * 1024 * 1024);
	return pack_zip_lzma("r.xml", inner->data, inner->len);
}

/* lzma in lzma in lzma, with this dictionary each. */
static GByteArray *lzma_of_dictionaries(const char *dictionary)
{
	GByteArray *out = fill(TOP, " ", PIECE);
	for (guint i = 0; i < 3; i++) {
		GByteArray *inner = out;
		out = pack_filtered(inner->data, inner->len, ARCHIVE_FILTER_LZMA);
		memcpy(out->data + 1, dictionary, 4);
		g_byte_array_unref(inner);
	}
	return out;
}

static GByteArray *lzma_of_large_dictionaries(void)
{
	return lzma_of_dictionaries("\0\0\0\x08");
}

static GByteArray *lzma_of_too_large_dictionaries(void)
{
	return lzma_of_dictionaries("\0\0\0\xc0");
}

static GByteArray *seven_zip_bomb(void)
{
	g_autoptr(GByteArray) inner = fill(TOP, " ", 64 * 1024 * 1024);
	const struct pack_member member[] = { { "r.xml", inner->data, inner->len },
		{ "s.xml", inner->data, inner->len } };
	return pack_7z(member, G_N_ELEMENTS(member), "lzma2");
}

/* The second member is behind 64 MiB that are of no use. */
static GByteArray *seven_zip_of_zeros(void)
{
	g_autoptr(GByteArray) inner = fill("", "0", 5 * PIECE);
	const struct pack_member member[] = { { "a", inner->data, inner->len },
		{ "r.xml", TOP, strlen(TOP) } };
	return pack_7z(member, G_N_ELEMENTS(member), "lzma1");
}

static GByteArray *seven_zip_of_many(void)
{
	g_autofree struct pack_member *member = g_new(struct pack_member, 20000);
	for (guint i = 0; i < 20000; i++)
		member[i] = (struct pack_member){ "r.xml", "x", 1 };
	return pack_7z(member, 20000, "lzma1");
}

static GByteArray *tar_of_many(void)
{
	g_autofree struct pack_member *member = g_new(struct pack_member, 20000);
	for (guint i = 0; i < 20000; i++)
		member[i] = (struct pack_member){ "r.xml", "x", 1 };
	return pack_tar(member, 20000);
}

static GByteArray *zip(GByteArray *inner, guint members)
{
	g_autofree struct pack_member *member = g_new(struct pack_member, members);
	for (guint i = 0; i < members; i++)
		member[i] = (struct pack_member){ "r.xml", inner->data, inner->len };
	GByteArray *out = pack_zip(member, members);
	g_byte_array_unref(inner);
	return out;
}

/*
 * A gzip of 992 MiB of unit in a report, and as many bytes behind it, where gzip has none, as let it unpack
 * to that many. Members of gzip are joined, so one is made and repeated.
 */
static GByteArray *gibibyte(const char *unit)
{
	GByteArray *out = gzip(bytes(TOP));
	g_autoptr(GByteArray) member = gzip(fill("", unit, PIECE));
	for (guint i = 0; i < 62; i++)
		pack_append(out, member);
	guint had = out->len;
	g_byte_array_set_size(out, MAX(had, 4 * 1024 * 1024));
	memset(out->data + had, 0, out->len - had);
	return out;
}

static GByteArray *blanks(void)
{
	return gibibyte(" ");
}

static GByteArray *foreign_elements(void)
{
	return gibibyte("<x/>");
}

static GByteArray *comments(void)
{
	return gibibyte("<!---->");
}

static GByteArray *many_attributes(void)
{
	return gibibyte("<x a='' b='' c='' d='' e='' f='' g='' h='' i='' j='' k='' l='' m='' n=''/>");
}

static GByteArray *references(void)
{
	return gibibyte("&#65;");
}

static GByteArray *records(void)
{
	return gibibyte("<record/>");
}

/* Records with as much XML as each may have on average. */
static GByteArray *padded(const char *head, const char *unit, const char *tail)
{
	g_autoptr(GByteArray) record = fill(head, unit, 60000);
	g_byte_array_append(record, (const guint8 *)tail, (guint)strlen(tail) + 1);
	return gibibyte((const char *)record->data);
}

static GByteArray *records_of_foreign_elements(void)
{
	return padded("<record>", "<x/>", "</record>");
}

static GByteArray *records_of_comments(void)
{
	return padded("<record>", "<!---->", "</record>");
}

static GByteArray *records_of_instructions(void)
{
	return padded("<record>", "<?x?>", "</record>");
}

static GByteArray *records_of_references(void)
{
	return padded("<record><identifiers><header_from>", "&#65;", "</header_from></identifiers></record>");
}

static GByteArray *records_of_empty_sections(void)
{
	return padded("<record>", "<![CDATA[]]>", "</record>");
}

static GByteArray *records_of_empty_results(void)
{
	return padded("<record><auth_results>", "<dkim/>", "</auth_results></record>");
}

static GByteArray *records_of_repeated_elements(void)
{
	return padded("<record>", "<row/>", "</record>");
}

static GByteArray *records_of_attributes(void)
{
	return padded("<record>", "<row a='xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' b='' c='' d=''/>", "</record>");
}

/* Many records, each with at most three foreign elements for each of a report's. */
static GByteArray *records_with_foreign_elements(void)
{
	return gibibyte(
	    "<record><row><count>1</count><x/><x/><x/><x/><x/><x/><x/><x/><x/><x/><x/><x/><x/><x/><x/><x/>"
	    "<x/><x/><x/><x/><x/><x/><x/><x/><x/><x/><x/><x/><x/><x/><x/><x/></row></record>");
}

static GByteArray *zeros(void)
{
	return gzip(fill("", "0", 4 * PIECE + 1));
}

static GByteArray *zip_bomb(void)
{
	return zip(fill(TOP, " ", 5 * PIECE), 1);
}

/* A zip whose sizes follow its members, and whose directory is not at the expected place. */
static GByteArray *zip_streamed(void)
{
	GByteArray *out = zip(fill(TOP, " ", 15 * PIECE), 1);
	guint had = out->len;
	g_byte_array_set_size(out, MAX(had, 4 * 1024 * 1024));
	memset(out->data + had, 0, out->len - had);
	return out;
}

static GByteArray *zip_of_many(void)
{
	return zip(fill(TOP, "<x/>", PIECE / 4), 99);
}

/* Zips that consist of the head of a zip and spaces: each is read completely before it is checked. */
static GByteArray *zip_of_heads(void)
{
	GByteArray *out = zip(fill("PK\3\4\24", " ", 4 * PIECE - 1), 15);
	guint had = out->len;
	g_byte_array_set_size(out, MAX(had, 4 * 1024 * 1024));
	memset(out->data + had, 0, out->len - had);
	return out;
}

static GByteArray *zip_in_zip(void)
{
	GByteArray *out = fill(TOP, " ", PIECE);
	for (guint i = 0; i < 9; i++)
		out = zip(out, i < 4 ? 1 : 8);
	return out;
}

static GByteArray *zips_of_zips(void)
{
	return zip(zip(zip(fill(TOP, " ", PIECE / 4), 10), 10), 10);
}

/* 10,000 members with the same bytes: all entries of the directory point to one place (APPNOTE 4.3.12,
 * 4.3.16). */
static GByteArray *overlapping_members(void)
{
	GByteArray *out = zip(fill(TOP, "<x/>", PIECE / 4), 1);
	const guint8 *entry = memmem(out->data, out->len, "PK\1\2", 4);
	const guint8 *end = memmem(out->data, out->len, "PK\5\6", 4);
	assert_true(entry != NULL && end > entry);
	g_autofree guint8 *one = g_memdup2(entry, (gsize)(end - entry)), *last = g_memdup2(end, 22);
	guint size = (guint)(end - entry), n = 10000, all = size * n;
	g_byte_array_set_size(out, (guint)(entry - out->data));
	for (guint i = 0; i < n; i++)
		g_byte_array_append(out, one, size);
	for (guint at = 8; at <= 10; at += 2) { /* entries here, and in all */
		last[at] = (guint8)n;
		last[at + 1] = (guint8)(n >> 8);
	}
	for (guint i = 0; i < 4; i++) /* bytes of the directory */
		last[12 + i] = (guint8)(all >> 8 * i);
	g_byte_array_append(out, last, 22);
	return out;
}

static GByteArray *tiny_members(void)
{
	return zip(fill("", "x", 1), 20000);
}

static GByteArray *gzip_of_gzip_of_gzip(void)
{
	return gzip(gzip(gzip(fill(TOP, " ", 15 * PIECE))));
}

static GByteArray *gzip_in_gzip(void)
{
	GByteArray *out = fill(TOP, " ", PIECE);
	for (guint i = 0; i < 9; i++)
		out = gzip(out);
	return out;
}

/* Ten entities, each with ten of the previous one: a billion laughs. */
static GByteArray *entities(void)
{
	GString *xml = g_string_new("<!DOCTYPE feedback [<!ENTITY a0 'ha'>");
	for (guint i = 1; i < 10; i++) {
		g_string_append_printf(xml, "<!ENTITY a%u '", i);
		for (guint j = 0; j < 10; j++)
			g_string_append_printf(xml, "&a%u;", i - 1);
		g_string_append(xml, "'>");
	}
	g_string_append(xml, "]><feedback>&a9;</feedback>");
	GByteArray *out = bytes(xml->str);
	g_string_free(xml, TRUE);
	return out;
}

static GByteArray *deep(void)
{
	return fill(TOP, "<x>", PIECE);
}

static GByteArray *one_tag(void)
{
	GString *xml = g_string_new(TOP "<x");
	for (guint i = 0; xml->len < PIECE; i++)
		g_string_append_printf(xml, " a%u=''", i);
	GByteArray *out = g_byte_array_new_take((guint8 *)xml->str, xml->len);
	g_string_free(xml, FALSE);
	return out;
}

static GByteArray *many_parts(void)
{
	return fill(MIXED, "--b\n\nx\n", 3 * PIECE);
}

static GByteArray *hundred_thousand_parts(void)
{
	return fill(MIXED, "--b\n\nx\n", strlen(MIXED) + 100000 * strlen("--b\n\nx\n"));
}

static GByteArray *deep_multiparts(void)
{
	GString *mail = g_string_new("Subject: s\n");
	for (guint i = 0; i < 10000; i++)
		g_string_append_printf(mail, "Content-Type: multipart/mixed; boundary=b%u\n\n--b%u\n", i, i);
	GByteArray *out = bytes(mail->str);
	g_string_free(mail, TRUE);
	return out;
}

static GByteArray *deep_messages(void)
{
	static const char INNER[] = "Content-Type: message/rfc822\n\n";
	return fill("Subject: s\n", INNER, 10000 * strlen(INNER));
}

/* A boundary as long as a header may be, and lines that are almost that boundary. */
static GByteArray *long_boundary(gsize size)
{
	g_autoptr(GByteArray) boundary = fill("", "b", size);
	g_autofree char *text = g_strndup((const char *)boundary->data, boundary->len);
	g_autofree char *head =
	    g_strconcat("Subject: s\nContent-Type: multipart/mixed; boundary=\"", text, "\"\n\n", NULL);
	g_autofree char *line = g_strconcat("--", text, "c\n", NULL);
	return fill(head, line, 2 * PIECE);
}

static GByteArray *boundary_of_a_mebibyte(void)
{
	return long_boundary(1024 * 1024);
}

static GByteArray *boundary_of_a_header(void)
{
	return long_boundary(250 * 1024);
}

static GByteArray *deep_parts(void)
{
	return fill("", "Content-Type: message/rfc822\n\n", 3 * PIECE);
}

/* As many parts as are read, each with its own gzip bomb. */
static GByteArray *parts_of_bombs(void)
{
	g_autoptr(GByteArray) bomb = gzip(fill(TOP, "<x/>", PIECE / 4));
	g_autofree char *base64 = g_base64_encode(bomb->data, bomb->len);
	g_autofree char *part = g_strconcat("--b\nContent-Transfer-Encoding: base64\n\n", base64, "\n", NULL);
	return fill(MIXED, part, strlen(MIXED) + 999 * strlen(part));
}

static GByteArray *json_deep(void)
{
	return fill(JSON_TOP "}],\"x\":", "[", JSON_SIZE);
}

static GByteArray *json_deep_objects(void)
{
	return fill(JSON_TOP "}],\"x\":", "{\"a\":", JSON_SIZE);
}

static GByteArray *json_arrays(void)
{
	return fill(JSON_TOP "}],\"x\":[", "[],", JSON_SIZE);
}

static GByteArray *json_objects(void)
{
	return fill(JSON_TOP "}],\"x\":[", "{},", JSON_SIZE);
}

static GByteArray *json_keys(void)
{
	GString *json = g_string_new(JSON_TOP "}]");
	for (guint i = 0; json->len < JSON_SIZE - 20; i++)
		g_string_append_printf(json, ",\"%x\":{}", i);
	g_string_append_c(json, '}');
	GByteArray *out = g_byte_array_new_take((guint8 *)json->str, json->len);
	g_string_free(json, FALSE);
	return out;
}

static GByteArray *json_string(void)
{
	return gzip(fill(JSON_TOP "}],\"x\":\"", "x", 4 * PIECE));
}

/* Parsed as a number, and then rejected for the bracket. */
static GByteArray *json_digits(void)
{
	GByteArray *out = fill(JSON_TOP "}],\"x\":0.", "9", JSON_SIZE - 1);
	g_byte_array_append(out, (const guint8 *)"]", 1);
	return out;
}

/* Each byte becomes three. */
static GByteArray *json_bytes(void)
{
	return fill(JSON_TOP "}],\"x\":\"", "\xff", JSON_SIZE);
}

/* Reports with as many names and values as allowed, in objects of json-c's largest size. */
static GByteArray *json_reports(void)
{
	GByteArray *report = fill(JSON_TOP "}],\"x\":[0", ",{}", strlen(JSON_TOP) + 3 * 131000);
	g_byte_array_append(report, (const guint8 *)"]}", 2);
	return zip(report, 99);
}

/* Failure details with almost no content, as many as one report may have. */
static GByteArray *json_failures(void)
{
	GByteArray *report = fill(JSON_TOP ",\"failure-details\":[{\"receiving-ip\":\"\"}",
	    ",{\"receiving-ip\":\"\"}", strlen(JSON_TOP) + 16000 * 20);
	g_byte_array_append(report, (const guint8 *)"]}]}", 4);
	return zip(report, 99);
}

/* None of them is a report: only checking costs time. */
static GByteArray *json_others(void)
{
	return zip(fill("{\"a\":[", "\"\\\"\",", JSON_SIZE), 60);
}

/* A .msg with attachments of one byte. */
static GByteArray *msg_of_many(void)
{
	struct pack_msg *msg = pack_msg_new();
	for (guint i = 0; i < 20000; i++)
		pack_msg_file(msg, "", i, NULL, "r.xml", "x", 1);
	return pack_msg_end(msg);
}

static GByteArray *msg_of_mails(void)
{
	struct pack_msg *msg = pack_msg_new();
	char *prefix = g_strdup("");
	for (guint i = 0; i < 500; i++) {
		char *inner = pack_msg_mail(msg, prefix, 0);
		g_free(prefix);
		prefix = inner;
	}
	g_free(prefix);
	return pack_msg_end(msg);
}

static guint32 number_at(const GByteArray *file, gsize at)
{
	return (guint32)file->data[at] | (guint32)file->data[at + 1] << 8 |
	       (guint32)file->data[at + 2] << 16 | (guint32)file->data[at + 3] << 24;
}

/* A .msg with 999 attachments, all of which are the same 16 MiB. */
static GByteArray *msg_of_shared_sectors(void)
{
	struct pack_msg *msg = pack_msg_new();
	g_autoptr(GByteArray) content = fill("", "0", PIECE);
	for (guint i = 0; i < 999; i++)
		pack_msg_file(msg, "", i, NULL, "r.xml", content->data, i == 0 ? content->len : 5000);
	GByteArray *out = pack_msg_end(msg);
	guint8 place[12];
	gboolean found = FALSE;
	for (gsize at = 512 + ((gsize)number_at(out, 48) << 9); at + 128 <= out->len; at += 128) {
		guint8 *entry = out->data + at;
		if (memcmp(entry, "_\0_\0s\0u\0b", 9) != 0 || number_at(out, at + 120) < 4096)
			continue;
		if (found)
			memcpy(entry + 116, place, sizeof place);
		else
			memcpy(place, entry + 116, sizeof place);
		found = TRUE;
	}
	assert_true(found);
	return out;
}

/* A .msg whose one attachment is a chain of sectors in a circle, of 4 GiB by its size. */
static GByteArray *msg_in_a_circle(void)
{
	struct pack_msg *msg = pack_msg_new();
	g_autoptr(GByteArray) content = fill("", "0", PIECE);
	pack_msg_file(msg, "", 0, NULL, "r.xml", content->data, content->len);
	GByteArray *out = pack_msg_end(msg);
	gsize fat = 512 + ((gsize)number_at(out, 76) << 9);
	memset(out->data + fat + 400, 0, 4); /* after sector 100, sector 0 */
	for (gsize at = 512 + ((gsize)number_at(out, 48) << 9); at + 128 <= out->len; at += 128)
		if (number_at(out, at + 120) == PIECE)
			memset(out->data + at + 120, 0xff, 4);
	return out;
}

/* A .msg in a .msg in a .msg, with 16 MiB. */
static GByteArray *msg_in_msg(void)
{
	GByteArray *out = fill(TOP, " ", PIECE);
	for (guint i = 0; i < 9; i++) {
		const struct pack_member member = { "r.msg", out->data, out->len };
		GByteArray *outer = pack_msg_files(NULL, NULL, &member, 1);
		g_byte_array_unref(out);
		out = outer;
	}
	return out;
}

/* A zip of 99 .msg with a megabyte of text each. */
static GByteArray *zip_of_msgs(void)
{
	g_autofree char *text = g_strnfill(1024 * 1024, 'x');
	return zip(pack_msg_files(NULL, text, NULL, 0), 99);
}

static const struct bomb {
	const char *name;
	GByteArray *(*make)(void);
	const char *want; /* is among what the worker told */
} BOMBS[] = {
	{ "gzip of zeros", zeros, "unreadable" },
	{ "gzip of blanks", blanks, "too many bytes of XML for its records" },
	{ "gzip of foreign elements", foreign_elements, "too many bytes of XML for its records" },
	{ "gzip of comments", comments, "too many bytes of XML for its records" },
	{ "gzip of elements with attributes", many_attributes, "too many bytes of XML for its records" },
	{ "gzip of character references", references, "too many bytes of XML for its records" },
	{ "gzip of records", records, "more than 2000000 records" },
	{ "gzip of records of foreign elements", records_of_foreign_elements, OTHERS },
	{ "gzip of records of comments", records_of_comments, OTHERS },
	{ "gzip of records of instructions", records_of_instructions, OTHERS },
	{ "gzip of records of references", records_of_references, OTHERS },
	{ "gzip of records of empty sections", records_of_empty_sections, OTHERS },
	{ "gzip of records of empty results", records_of_empty_results, OTHERS },
	{ "gzip of records of repeated elements", records_of_repeated_elements, OTHERS },
	{ "gzip of records of attributes", records_of_attributes, OTHERS },
	{ "gzip of records with foreign elements", records_with_foreign_elements, OTHERS },
	{ "zip of blanks", zip_bomb, "too many bytes of XML for its records" },
	{ "zip of 240 MiB of blanks, without directory", zip_streamed,
	    "too many bytes of XML for its records" },
	{ "zip of 99 members of foreign elements", zip_of_many, "too many bytes of XML for its records" },
	{ "zip of 15 heads of zips with 64 MiB of blanks", zip_of_heads,
	    "archives in archives of more bytes" },
	{ "zip in zip in zip, ten times", zip_in_zip, "archives inside one another" },
	{ "zips of ten zips of ten zips", zips_of_zips, "too many bytes of XML for its records" },
	{ "zip of 10,000 entries for one member", overlapping_members, "unreadable" },
	{ "zip of 20,000 members of a byte", tiny_members, "more archive members than" },
	{ "gzip of gzip of gzip of 240 MiB", gzip_of_gzip_of_gzip, "too many bytes of XML for its records" },
	{ "gzip in gzip, ten times", gzip_in_gzip, "archives inside one another" },
	{ "entities of ten entities", entities, "declaration of an entity" },
	{ "bzip2 of 64 MiB of blanks", bzip2_bomb, "too many bytes of XML for its records" },
	{ "zstd of 64 MiB of blanks", zstd_bomb, "too many bytes of XML for its records" },
	{ "xz of 64 MiB of blanks", xz_bomb, "too many bytes of XML for its records" },
	{ "lzma of 64 MiB of blanks", lzma_bomb, "too many bytes of XML for its records" },
	{ "zip by LZMA of 64 MiB of blanks", zip_lzma_bomb, "too many bytes of XML for its records" },
	{ "lzma of lzma of lzma, of 128 MiB of memory each", lzma_of_large_dictionaries,
	    "too many bytes of XML for its records" },
	{ "lzma of lzma of lzma, of 3 GiB of memory each", lzma_of_too_large_dictionaries,
	    "lzma: takes 3072 MiB of memory to unpack, more than 128" },
	{ "7z of two times 64 MiB of blanks", seven_zip_bomb, "too many bytes of XML for its records" },
	{ "7z of 80 MiB that are no report", seven_zip_of_zeros, "unpacks to more bytes than are allowed" },
	{ "7z of 20,000 members of a byte", seven_zip_of_many, "more archive members than" },
	{ "tar of 20,000 members of a byte", tar_of_many, "more archive members than" },
	{ ".msg of 20,000 files of a byte", msg_of_many, "lines that look like boundaries of parts" },
	{ ".msg of 500 mails in one another", msg_of_mails, "mails inside one another" },
	{ ".msg of 999 files that are the same 16 MiB", msg_of_shared_sectors, "a stream ends early" },
	{ ".msg with a chain of sectors in a circle", msg_in_a_circle, "a stream ends early" },
	{ ".msg in .msg, nine times", msg_in_msg, "archives in archives of more bytes" },
	{ "zip of 99 .msg of a megabyte of text", zip_of_msgs, "archives in archives of more bytes" },
	{ "deep XML", deep, "elements inside one another" },
	{ "one tag of 16 MiB of attributes", one_tag, "a tag, comment or the like of more than" },
	{ "seven million parts", many_parts, "lines that look like boundaries of parts" },
	{ "100,000 parts", hundred_thousand_parts, "lines that look like boundaries of parts" },
	{ "10,000 multiparts in one another", deep_multiparts, "lines that look like boundaries of parts" },
	{ "10,000 mails in one another", deep_messages, "parts inside one another" },
	{ "boundary of a mebibyte", boundary_of_a_mebibyte, "bytes in a header" },
	{ "boundary of 250 KiB, and lines like it", boundary_of_a_header, "not a DMARC report" },
	{ "mail in mail", deep_parts, "parts inside one another" },
	{ "999 parts, each a bomb", parts_of_bombs, "too many bytes of XML for its records" },
	{ "deep JSON of arrays", json_deep, "JSON of more than 32 values inside one another" },
	{ "deep JSON of objects", json_deep_objects, "JSON of more than 32 values inside one another" },
	{ "JSON of 1,400,000 empty arrays", json_arrays, "JSON of more than 131072 names and values" },
	{ "JSON of 1,400,000 empty objects", json_objects, "JSON of more than 131072 names and values" },
	{ "JSON of 350,000 names", json_keys, "JSON of more than 131072 names and values" },
	{ "JSON of one string of 64 MiB", json_string, "more than 4194304 bytes of JSON" },
	{ "JSON of one number of 4 MiB", json_digits, "(json): TLS report: byte" },
	{ "JSON of 4 MiB that are not UTF-8", json_bytes, "(json): TLS report: byte" },
	{ "zip of 99 TLS reports of empty objects", json_reports, "more JSON than is read for one mail" },
	{ "zip of 99 TLS reports of failures", json_failures, "more JSON than is read for one mail" },
	{ "zip of 60 JSON texts that are no report", json_others, "more JSON than is read for one mail" },
};

static double seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* Processor time of workers that have ended. */
static double cpu_of_children(void)
{
	struct rusage usage;
	assert_int_equal(getrusage(RUSAGE_CHILDREN, &usage), 0);
	return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

static void explode(const struct bomb *bomb)
{
	const struct pool_options options = { .worker = ruad_parse,
		.workers = 1,
		.max_mails = 1000,
		.seconds = 60,
		.max_seconds = 120,
		.memory = MEMORY,
		.limits = PARSER_LIMITS_DEFAULT };
	g_autoptr(GByteArray) document = bomb->make();
	g_autoptr(GError) error = NULL;
	struct pool *pool = pool_new(&options, NULL);
	struct diary diary;
	double before = cpu_of_children();
	assert_non_null(pool);
	diary_init(&diary);
	diary.brief = TRUE;
	/* a worker that crashes would be an error here: the parser itself must respect the limits */
	const struct pool_job job = {
		.document = document->data, .size = document->len, .sink = diary_sink(), .user = &diary
	};
	if (!pool_run(pool, &job, &error))
		fail_msg("%s: %s", bomb->name, error->message);
	pool_free(pool);
	double cost = cpu_of_children() - before;
	print_message("%-46s %8u bytes: %6.3f s of CPU\n", bomb->name, document->len, cost);
	if (strstr(diary.lines->str, bomb->want) == NULL || strstr(diary.lines->str, "\nend ") != NULL)
		fail_msg("%s: %.300s", bomb->name, diary.lines->str);
	if (cost > CAP)
		fail_msg("%s: %.1f seconds", bomb->name, cost);
	diary_clear(&diary);
}

static void bombs_end_quarantined(void **state)
{
	(void)state;
	for (gsize i = first; i < G_N_ELEMENTS(BOMBS); i += 2)
		explode(&BOMBS[i]);
}

/* test_bombs RUAD-PARSE even|odd: every second one, so that two processors can share them. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(bombs_end_quarantined) };
	if (argc != 3)
		return 2;
	ruad_parse = argv[1];
	first = g_str_equal(argv[2], "odd") ? 1 : 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
