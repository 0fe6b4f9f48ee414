/* What the wire carries both ways, and what it refuses. */
#include "server/common/wire.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "parser/error.h"
#include "tests/unit/worker/cm.h"
#include "tests/unit/worker/sink.h"

/* ---- helpers ---- */

static int make_file(void)
{
	int fd = memfd_create("wire", MFD_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* Read the frames of fd, from its begin, into sink. TRUE when the closing frame came. */
static gboolean read_frames(int fd, const struct report_sink *sink, gpointer user, GError **error)
{
	struct wire_reader *reader = wire_reader_new(sink, user);
	guint8 head[WIRE_HEAD];
	gboolean done = FALSE, ok = TRUE;
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	while (ok && !done && read(fd, head, sizeof(head)) == (ssize_t)sizeof(head)) {
		gsize length = wire_frame_length(head);
		assert_true(length <= WIRE_FRAME_MAX);
		guint8 *data = g_malloc(length + 1);
		assert_int_equal(read(fd, data, length), length);
		GBytes *content = g_bytes_new_take(data, length);
		ok = wire_reader_frame(reader, head[0], content, &done, error);
		g_bytes_unref(content);
	}
	wire_reader_free(reader);
	return ok && done;
}

static const struct auth_result_dkim two_dkim[] = { { "a.example", "s1", "pass", NULL },
	{ "b.example", NULL, "fail", "" } };
static const struct auth_result_spf one_spf[] = { { "a.example", "mfrom", "softfail", "no \xe2\x82\xac" } };
static const struct aggregate_reason one_reason[] = { { "local_policy", NULL } };
static const struct report_note one_note[] = { { "V1", "row/count", "1.0" } };
static const char *const two_errors[] = { "first", "" };

static const struct aggregate_record full_record = { .source_ip = "2001:db8::1",
	.count = G_MAXINT64,
	.disposition = "none",
	.dkim = "pass",
	.spf = "fail",
	.reason = one_reason,
	.n_reason = 1,
	.header_from = "a.example",
	.envelope_from = "",
	.auth_dkim = two_dkim,
	.n_auth_dkim = 2,
	.auth_spf = one_spf,
	.n_auth_spf = 1,
	.note = one_note,
	.n_note = 1 };
static const struct aggregate_record empty_record = { .count = -1 };

static struct aggregate_header full_header(guint64 records)
{
	struct aggregate_header header = { .dialect = "rfc9990",
		.version = "1.0",
		.xmlns = "urn:ietf:params:xml:ns:dmarc-2.0",
		.org_name = "Example",
		.email = "dmarc@example.com",
		.report_id = "1",
		.begin = 0,
		.end = G_GINT64_CONSTANT(253402300799),
		.error = two_errors,
		.n_error = 2,
		.domain = "a.example",
		.p = "reject",
		.pct = -1,
		.records = records,
		.note = one_note,
		.n_note = 1 };
	memset(header.sha256, 0xab, sizeof(header.sha256));
	return header;
}

/* ---- round trips ---- */

static void write_everything(struct wire_writer *writer)
{
	const struct report_sink *sink = wire_writer_sink();
	const struct mail_header mail = { .message_id = "<1@example>", .subject = NULL, .from = "" };
	const struct unreadable broken = { .place = "part 2", .code = "xml", .reason = "no" };
	const struct aggregate_header header = full_header(2);
	assert_true(sink->mail(writer, &mail, NULL));
	assert_true(sink->report_begin(writer, "part 1", NULL));
	assert_true(sink->record(writer, &full_record, NULL));
	assert_true(sink->record(writer, &empty_record, NULL));
	assert_true(sink->report_end(writer, &header, NULL));
	assert_true(sink->report_begin(writer, "part 2", NULL));
	assert_true(sink->record(writer, &full_record, NULL));
	assert_true(sink->unreadable(writer, &broken, NULL));
	assert_true(sink->unreadable(writer, &broken, NULL));
	assert_true(wire_writer_done(writer, NULL));
}

static void everything_arrives_as_it_was_sent(void **state)
{
	(void)state;
	struct diary diary;
	int fd = make_file();
	struct wire_writer *writer = wire_writer_new(fd);
	GError *error = NULL;
	diary_init(&diary);
	write_everything(writer);
	assert_true(read_frames(fd, diary_sink(), &diary, &error));
	assert_null(error);
	assert_string_equal(diary.lines->str,
	    "mail <1@example> ~ ''\n"
	    "begin part 1\n"
	    "record 9223372036854775807 2001:db8::1 none pass fail a.example '' ~ reason local_policy ~"
	    " dkim a.example s1 pass ~ dkim b.example ~ fail '' spf a.example mfrom softfail no \xe2\x82\xac"
	    " note V1 row/count 1.0\n"
	    "record -1 ~ ~ ~ ~ ~ ~ ~\n"
	    "end 0 253402300799 pct -1 records 2 sha256 ab..ab rfc9990 1.0 urn:ietf:params:xml:ns:dmarc-2.0 "
	    "Example"
	    " dmarc@example.com ~ 1 ~ a.example ~ ~ reject ~ ~ ~ ~ ~ error first '' note V1 row/count 1.0\n"
	    "begin part 2\n"
	    "unreadable part 2 (xml): no\n"
	    "unreadable part 2 (xml): no\n");
	wire_writer_free(writer);
	diary_clear(&diary);
	close(fd);
}

static void many_records_travel_in_chunks(void **state)
{
	(void)state;
	enum { many = 20000 };
	struct diary diary;
	int fd = make_file();
	struct wire_writer *writer = wire_writer_new(fd);
	const struct report_sink *sink = wire_writer_sink();
	const struct aggregate_header header = full_header(many);
	guint8 head[WIRE_HEAD];
	guint frames = 0;

	diary_init(&diary);
	diary.brief = TRUE;
	assert_true(sink->report_begin(writer, "", NULL));
	for (int i = 0; i < many; i++)
		assert_true(sink->record(writer, i % 2 ? &full_record : &empty_record, NULL));
	assert_true(sink->report_end(writer, &header, NULL));
	assert_true(wire_writer_done(writer, NULL));
	wire_writer_free(writer);

	assert_true(read_frames(fd, diary_sink(), &diary, NULL));
	assert_int_equal(diary.records, many);
	lseek(fd, 0, SEEK_SET);
	while (read(fd, head, sizeof(head)) == (ssize_t)sizeof(head)) {
		assert_true(wire_frame_length(head) < 256 * 1024 + 1024);
		lseek(fd, (off_t)wire_frame_length(head), SEEK_CUR);
		frames++;
	}
	assert_in_range(frames, 3 + 5, 3 + 30);
	diary_clear(&diary);
	close(fd);
}

static void the_sinks_own_error_comes_through(void **state)
{
	(void)state;
	struct diary diary;
	int fd = make_file();
	struct wire_writer *writer = wire_writer_new(fd);
	GError *error = NULL;
	diary_init(&diary);
	diary.fail_after = 2;
	write_everything(writer);
	assert_false(read_frames(fd, diary_sink(), &diary, &error));
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYSTEM));
	assert_string_equal(error != NULL ? error->message : "", "the sink is full");
	g_clear_error(&error);
	wire_writer_free(writer);
	diary_clear(&diary);
	close(fd);
}

static void a_closed_socket_is_a_system_error(void **state)
{
	(void)state;
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct wire_writer *writer = wire_writer_new(fd);
	GError *error = NULL;
	assert_false(wire_writer_done(writer, &error));
	assert_true(g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYSTEM));
	g_clear_error(&error);
	wire_writer_free(writer);
	close(fd);
}

static void request_heads_go_both_ways(void **state)
{
	(void)state;
	const guint64 sizes[] = { 0, 1, 255, 256, G_GUINT64_CONSTANT(1) << 40, G_MAXUINT64 };
	guint8 head[WIRE_REQUEST];
	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
		wire_request_encode(head, sizes[i]);
		assert_true(wire_request_decode(head) == sizes[i]);
	}
	wire_request_encode(head, 258);
	assert_memory_equal(head, "\2\1\0\0\0\0\0\0", 8);
}

/* ---- lies ---- */

/* A report_end, whole but for what a row changes. */
struct end {
	const char *dialect, *domain;
	gint64 begin, end;
	gint32 pct;
	guint64 records;
	gsize sha256, notes;
};

static GVariant *make_end(const struct end *e)
{
	static const guint8 zeros[64] = { 0 };
	GVariantBuilder notes;
	g_variant_builder_init(&notes, G_VARIANT_TYPE("a(ssms)"));
	for (gsize i = 0; i < e->notes; i++)
		g_variant_builder_add(&notes, "(ssms)", "V1", "x", NULL);
	const char *none = NULL;
	return g_variant_new("(smsmsmsmsmsmsxx^asmssmsmsmsmsmsimsmsmst@aya(ssms))", e->dialect, none, none,
	    none, none, none, none, e->begin, e->end, &none, none, e->domain, none, none, none, none, none,
	    e->pct, none, none, none, e->records,
	    g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, zeros, e->sha256, 1), &notes);
}

/* A chunk of one record with the numbers and strings given. */
static GVariant *make_chunk(const gint64 *numbers, gsize n, const char *text, gsize size)
{
	return g_variant_new("(@ax@at)", g_variant_new_fixed_array(G_VARIANT_TYPE_INT64, numbers, n, 8),
	    g_variant_new_fixed_array(G_VARIANT_TYPE_UINT64, text, size / 8, 8));
}

static gboolean give(struct wire_reader *reader, guint8 type, GVariant *value, GError **error)
{
	gboolean done = FALSE;
	g_variant_ref_sink(value);
	GBytes *content = g_variant_get_data_as_bytes(value);
	gboolean ok = wire_reader_frame(reader, type, content, &done, error);
	g_bytes_unref(content);
	g_variant_unref(value);
	return ok;
}

static gboolean give_bytes(
    struct wire_reader *reader, guint8 type, const void *data, gsize size, GError **error)
{
	gboolean done = FALSE;
	GBytes *content = g_bytes_new(data, size);
	gboolean ok = wire_reader_frame(reader, type, content, &done, error);
	g_bytes_unref(content);
	return ok;
}

static struct wire_reader *reader_in_report(struct diary *diary)
{
	diary_init(diary);
	struct wire_reader *reader = wire_reader_new(diary_sink(), diary);
	assert_true(give(reader, 'B', g_variant_new("(s)", "x"), NULL));
	return reader;
}

static void assert_refused(gboolean ok, GError *error, const char *words, const char *name)
{
	if (ok || !g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX) ||
	    strstr(error->message, words) == NULL)
		fail_msg("%s: %s, wanted \"%s\"", name, ok ? "taken" : error->message, words);
	g_error_free(error);
}

static void ends_out_of_range_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		struct end end;
		const char *words; /* NULL: is taken */
	} rows[] = {
		{ "whole", { "draft", "a", 0, 1, 0, 0, 32, 0 }, NULL },
		{ "last second", { "draft", "a", 0, 253402300799, 100, 0, 32, 1024 }, NULL },
		{ "dialect", { "klingon", "a", 0, 1, 0, 0, 32, 0 }, "dialect" },
		{ "domain", { "draft", "", 0, 1, 0, 0, 32, 0 }, "policy domain" },
		{ "begin", { "draft", "a", -1, 1, 0, 0, 32, 0 }, "date_range" },
		{ "end", { "draft", "a", 0, 253402300800, 0, 0, 32, 0 }, "date_range" },
		{ "pct low", { "draft", "a", 0, 1, -2, 0, 32, 0 }, "pct" },
		{ "pct high", { "draft", "a", 0, 1, 101, 0, 32, 0 }, "pct" },
		{ "records", { "draft", "a", 0, 1, 0, 1, 32, 0 }, "1 records were announced, 0 came" },
		{ "short hash", { "draft", "a", 0, 1, 0, 0, 31, 0 }, "SHA-256" },
		{ "long hash", { "draft", "a", 0, 1, 0, 0, 33, 0 }, "SHA-256" },
		{ "notes", { "draft", "a", 0, 1, 0, 0, 32, 1025 }, "1025 items" },
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct diary diary;
		GError *error = NULL;
		struct wire_reader *reader = reader_in_report(&diary);
		gboolean ok = give(reader, 'E', make_end(&rows[i].end), &error);
		if (rows[i].words != NULL) {
			assert_refused(ok, error, rows[i].words, rows[i].name);
			assert_null(strstr(diary.lines->str, "end "));
		} else if (!ok) {
			fail_msg("%s: %s", rows[i].name, error->message);
		}
		wire_reader_free(reader);
		diary_clear(&diary);
	}
}

#define ABSENT7 "\xff\0\xff\0\xff\0\xff\0\xff\0\xff\0\xff\0" /* the strings of an empty record */
#define FILL    "\0\0"                                       /* behind them, to a whole word */

static void chunks_that_lie_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		gint64 numbers[10];
		gsize n;
		char text[48];
		gsize size;
		const char *words; /* NULL: is taken */
	} rows[] = {
		{ "whole", { 1, 0, 0, 0, 0 }, 5, ABSENT7 FILL, 16, NULL },
		{ "no numbers", { 0 }, 0, ABSENT7 FILL, 16, "not made of records" },
		{ "four numbers", { 1, 0, 0, 0 }, 4, ABSENT7 FILL, 16, "not made of records" },
		{ "no text", { 1, 0, 0, 0, 0 }, 5, "", 0, "not made of records" },
		{ "no last NUL", { 1, 0, 0, 0, 0 }, 5, "aaaaaaaaaaaaaaaa", 16, "not made of records" },
		{ "count -1", { -1, 0, 0, 0, 0 }, 5, ABSENT7 FILL, 16, NULL },
		{ "count -2", { -2, 0, 0, 0, 0 }, 5, ABSENT7 FILL, 16, "count -2" },
		{ "negative list", { 1, -1, 0, 0, 0 }, 5, ABSENT7 FILL, 16, "-1 items" },
		{ "long list", { 1, 0, 1025, 0, 0 }, 5, ABSENT7 FILL, 16, "1025 items" },
		{ "huge list", { 1, 0, 0, G_MAXINT64, 0 }, 5, ABSENT7 FILL, 16, "9223372036854775807 items" },
		{ "list without strings", { 1, 0, 0, 1000, 0 }, 5, ABSENT7 FILL, 16, "strings are missing" },
		{ "two records, strings of one", { 1, 0, 0, 0, 0, 1, 0, 0, 0, 0 }, 10, ABSENT7 FILL, 16,
		    "strings are missing" },
		{ "strings of two, one record", { 1, 0, 0, 0, 0 }, 5, ABSENT7 ABSENT7 FILL FILL, 32,
		    "left over" },
		{ "a word too much", { 1, 0, 0, 0, 0 }, 5, ABSENT7 FILL, 24, "left over" },
		{ "fill that is not NUL", { 1, 0, 0, 0, 0 }, 5, ABSENT7 "x", 16, "left over" },
		{ "not UTF-8", { 1, 0, 0, 0, 0 }, 5, "\xff\0\xc3(\0\xff\0\xff\0\xff\0\xff\0\xff\0", 16,
		    "not UTF-8" },
		{ "absent and more", { 1, 0, 0, 0, 0 }, 5,
		    "\xff\0\xff"
		    "a\0\xff\0\xff\0\xff\0\xff\0\xff\0",
		    16, "not UTF-8" },
		{ "address", { 1, 0, 0, 0, 0 }, 5, "1\0\xff\0\xff\0\xff\0\xff\0\xff\0\xff\0", 16,
		    "not an IP address" },
		{ "note without code", { 1, 0, 0, 0, 1 }, 5, ABSENT7 "\xff\0\xff\0\xff\0" FILL FILL, 24,
		    "without code or path" },
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct diary diary;
		GError *error = NULL;
		struct wire_reader *reader = reader_in_report(&diary);
		gboolean ok = give(
		    reader, 'R', make_chunk(rows[i].numbers, rows[i].n, rows[i].text, rows[i].size), &error);
		if (rows[i].words != NULL)
			assert_refused(ok, error, rows[i].words, rows[i].name);
		else if (!ok)
			fail_msg("%s: %s", rows[i].name, error->message);
		wire_reader_free(reader);
		diary_clear(&diary);
	}
}

/* Each letter is a well-formed frame of that type; the last one must be refused, all before it taken. */
static void frames_out_of_order_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *frames;
		const char *words;
	} rows[] = {
		{ "D", "it says nothing" },
		{ "MD", "it says nothing" },
		{ "MM", "out of order" },
		{ "UM", "out of order" },
		{ "BM", "out of order" },
		{ "BB", "out of order" },
		{ "BD", "out of order" },
		{ "R", "out of order" },
		{ "E", "out of order" },
		{ "BEE", "out of order" },
		{ "BER", "out of order" },
		{ "BUR", "out of order" },
		{ "UDU", "out of order" },
		{ "UDD", "out of order" },
		{ "UDM", "out of order" },
		{ "X", "no frame has type" },
		{ "H", "no frame has type" },
	};
	static const gint64 numbers[5] = { 1 };
	static const struct end whole = { "draft", "a", 0, 1, 0, 0, 32, 0 };
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct diary diary;
		diary_init(&diary);
		struct wire_reader *reader = wire_reader_new(diary_sink(), &diary);
		for (const char *at = rows[i].frames; *at != '\0'; at++) {
			GError *error = NULL;
			GVariant *value = *at == 'M'   ? g_variant_new("(msmsms)", NULL, NULL, NULL)
					  : *at == 'B' ? g_variant_new("(s)", "x")
					  : *at == 'R' ? make_chunk(numbers, 5, ABSENT7 FILL, 16)
					  : *at == 'E' ? make_end(&whole)
					  : *at == 'U' ? g_variant_new("(sss)", "x", "xml", "x")
						       : g_variant_new("()");
			gboolean ok = give(reader, (guint8)*at, value, &error);
			if (at[1] == '\0')
				assert_refused(ok, error, rows[i].words, rows[i].frames);
			else if (!ok)
				fail_msg("%s: '%c': %s", rows[i].frames, *at, error->message);
		}
		wire_reader_free(reader);
		diary_clear(&diary);
	}
}

static void bytes_that_are_no_gvariant_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		guint8 type;
		const char *bytes;
		gsize size;
	} rows[] = {
		{ "begin without NUL", 'B', "abc", 3 },
		{ "begin, empty", 'B', "", 0 },
		{ "begin, two NULs", 'B', "a\0b\0", 4 },
		{ "begin, not UTF-8", 'B', "\xff\0", 2 },
		{ "mail, cut off", 'M', "a\0", 2 },
		{ "unreadable, wild offset", 'U', "a\0b\0c\0\xff\xff", 8 },
		{ "done, with bytes", 'D', "a", 1 },
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct diary diary;
		GError *error = NULL;
		diary_init(&diary);
		struct wire_reader *reader = wire_reader_new(diary_sink(), &diary);
		if (rows[i].type == 'D')
			assert_true(give(reader, 'U', g_variant_new("(sss)", "x", "xml", "x"), NULL));
		gboolean ok = give_bytes(reader, rows[i].type, rows[i].bytes, rows[i].size, &error);
		assert_refused(ok, error, "not in normal form", rows[i].name);
		wire_reader_free(reader);
		diary_clear(&diary);
	}
}

/* Every prefix and every single flipped byte of an honest end and chunk: refused or taken, never worse. */
static void damaged_frames_do_no_harm(void **state)
{
	(void)state;
	static const struct end whole = { "draft", "a", 0, 1, 0, 0, 32, 3 };
	static const gint64 numbers[5] = { 1 };
	GVariant *frames[] = { make_end(&whole), make_chunk(numbers, 5, ABSENT7 FILL, 16) };
	for (gsize f = 0; f < 2; f++) {
		g_variant_ref_sink(frames[f]);
		gsize size = g_variant_get_size(frames[f]), taken = 0;
		const guint8 *bytes = g_variant_get_data(frames[f]);
		for (gsize i = 0; i < size * 9; i++) {
			struct diary diary;
			g_autofree guint8 *copy = g_memdup2(bytes, size);
			struct wire_reader *reader = reader_in_report(&diary);
			if (i >= size)
				copy[i % size] ^= (guint8)(1u << (i / size - 1));
			gboolean ok = give_bytes(reader, f == 0 ? 'E' : 'R', copy, i < size ? i : size, NULL);
			assert_false(ok && i < size);
			taken += ok ? 1 : 0;
			wire_reader_free(reader);
			diary_clear(&diary);
		}
		assert_in_range(taken, 1, size * 8 - 1);
		g_variant_unref(frames[f]);
	}
}

static void too_many_reports_are_refused(void **state)
{
	(void)state;
	struct diary diary;
	GError *error = NULL;
	diary_init(&diary);
	struct wire_reader *reader = wire_reader_new(diary_sink(), &diary);
	for (guint i = 0; i < WIRE_REPORTS_MAX; i++)
		assert_true(give(reader, 'U', g_variant_new("(sss)", "x", "xml", "x"), NULL));
	gboolean ok = give(reader, 'U', g_variant_new("(sss)", "x", "xml", "x"), &error);
	assert_refused(ok, error, "more than", "flood");
	wire_reader_free(reader);
	diary_clear(&diary);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_arrives_as_it_was_sent),
		cmocka_unit_test(many_records_travel_in_chunks),
		cmocka_unit_test(the_sinks_own_error_comes_through),
		cmocka_unit_test(a_closed_socket_is_a_system_error),
		cmocka_unit_test(request_heads_go_both_ways),
		cmocka_unit_test(ends_out_of_range_are_refused),
		cmocka_unit_test(chunks_that_lie_are_refused),
		cmocka_unit_test(frames_out_of_order_are_refused),
		cmocka_unit_test(bytes_that_are_no_gvariant_are_refused),
		cmocka_unit_test(damaged_frames_do_no_harm),
		cmocka_unit_test(too_many_reports_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
