/* What the wire format carries in both directions, and what it rejects. */
#include "server/worker/wire.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "parser/error.h"
#include "parser/limits.h"
#include "server/worker/wire_reports.h"
#include "tests/unit/worker/cm.h"
#include "tests/unit/worker/sink.h"

/* -- helpers -- */

static int make_file(void)
{
	int fd = memfd_create("wire", MFD_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

/* Read the frames of fd, from its beginning, into sink. Returns TRUE if the closing frame was received. */
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

/* A different value for each member, so that none can be mistaken for another. */
static const char *const lists[5][2] = { { "ar1", "ar2" }, { "rt1", "" }, { "rd1", "rd2" }, { "ru1", "ru2" },
	{ "sd1", "sd2" } };
static const struct failure_report full_failure = { .feedback_type = "ft",
	.user_agent = "ua",
	.version = "ve",
	.auth_failure = "af",
	.authentication_results = lists[0],
	.n_authentication_results = 2,
	.identity_alignment = "ia",
	.delivery_result = "dr",
	.original_envelope_id = "oe",
	.original_mail_from = "",
	.original_rcpt_to = lists[1],
	.n_original_rcpt_to = 2,
	.arrival_date = "ad",
	.arrival_time = 7,
	.reporting_mta = "rm",
	.source_ip = "192.0.2.1",
	.source_port = 65535,
	.incidents = G_MAXINT64,
	.reported_domain = lists[2],
	.n_reported_domain = 2,
	.reported_uri = lists[3],
	.n_reported_uri = 2,
	.dkim_domain = "dd",
	.dkim_identity = "di",
	.dkim_selector = "ds",
	.dkim_canonicalized_header = "dh",
	.dkim_canonicalized_body = "db",
	.dkim_selector_dns = "dn",
	.dkim_adsp_dns = "da",
	.spf_dns = lists[4],
	.n_spf_dns = 2,
	.header_from = "hf",
	.message_id = "mi",
	.subject = "su",
	.original_headers = "oh",
	.original_body = "ob",
	.sha256 = { 0x12, [31] = 0x34 },
	.note = one_note,
	.n_note = 1 };
static const struct failure_report empty_failure = { .arrival_time = -1, .source_port = -1, .incidents = -1 };

static const struct tls_failure_details two_details[] = { { "rt", "192.0.2.1", "mh", "me", "2001:db8::1",
							      G_MAXINT64, "ai", "rc" },
	{ .failed_session_count = -1 } };
static const struct tls_policy two_policies[] = { { .policy_type = "pt",
						      .policy_string = lists[0],
						      .n_policy_string = 2,
						      .policy_domain = "pd",
						      .mx_host = lists[1],
						      .n_mx_host = 2,
						      .total_successful_session_count = 1,
						      .total_failure_session_count = 2,
						      .failure_details = two_details,
						      .n_failure_details = 2 },
	{ .total_successful_session_count = -1, .total_failure_session_count = -1 } };
static const struct tls_report full_tls = { .organization_name = "on",
	.contact_info = "ci",
	.report_id = "ri",
	.start_datetime = 0,
	.end_datetime = G_GINT64_CONSTANT(253402300799),
	.policies = two_policies,
	.n_policies = 2,
	.sha256 = { 0x56, [31] = 0x78 },
	.note = one_note,
	.n_note = 1 };
static const struct tls_report empty_tls = { 0 };

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

/* -- round trips -- */

static void write_everything(struct wire_writer *writer)
{
	const struct report_sink *sink = wire_writer_sink();
	const struct mail_header mail = {
		.message_id = "<1@example>", .subject = NULL, .from = "", .authentic = AUTHENTIC_FAIL
	};
	const struct unreadable broken = { .place = "part 2", .code = "xml", .reason = "no" };
	const struct aggregate_header header = full_header(2);
	struct aggregate_header partial = full_header(0);
	partial.partial = TRUE;
	assert_true(sink->mail(writer, &mail, NULL));
	assert_true(sink->report_begin(writer, "part 1", NULL));
	assert_true(sink->record(writer, &full_record, NULL));
	assert_true(sink->record(writer, &empty_record, NULL));
	assert_true(sink->report_end(writer, &header, NULL));
	assert_true(sink->failure(writer, "part 3", &full_failure, NULL));
	assert_true(sink->failure(writer, "", &empty_failure, NULL));
	assert_true(sink->tls(writer, "part 4", &full_tls, NULL));
	assert_true(sink->tls(writer, "", &empty_tls, NULL));
	assert_true(sink->report_begin(writer, "part 5", NULL));
	assert_true(sink->report_end(writer, &partial, NULL));
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
	    "mail <1@example> ~ '' authentic 2\n"
	    "begin part 1\n"
	    "record 9223372036854775807 2001:db8::1 none pass fail a.example '' ~ reason local_policy ~"
	    " dkim a.example s1 pass ~ dkim b.example ~ fail '' spf a.example mfrom softfail no \xe2\x82\xac"
	    " note V1 row/count 1.0\n"
	    "record -1 ~ ~ ~ ~ ~ ~ ~\n"
	    "end 0 253402300799 pct -1 records 2 sha256 ab..ab rfc9990 1.0 urn:ietf:params:xml:ns:dmarc-2.0 "
	    "Example"
	    " dmarc@example.com ~ 1 ~ a.example ~ ~ reject ~ ~ ~ ~ ~ error first '' note V1 row/count 1.0\n"
	    "failure part 3: ft ua ve af [ ar1 ar2 ] ia dr oe '' [ rt1 '' ] ad 7 rm 192.0.2.1 65535 "
	    "9223372036854775807 [ rd1 rd2 ] [ ru1 ru2 ] dd di ds dh db dn da [ sd1 sd2 ] hf mi su oh ob"
	    " sha256 12..34 note V1 row/count 1.0\n"
	    "failure : ~ ~ ~ ~ [ ] ~ ~ ~ ~ [ ] ~ -1 ~ ~ -1 -1 [ ] [ ] ~ ~ ~ ~ ~ ~ ~ [ ] ~ ~ ~ ~ ~ sha256 "
	    "00..00\n"
	    "tls part 4: on ci ri 0 253402300799 sha256 56..78 policy pt [ ar1 ar2 ] pd [ rt1 '' ] 1 2"
	    " details rt 192.0.2.1 mh me 2001:db8::1 9223372036854775807 ai rc details ~ ~ ~ ~ ~ -1 ~ ~"
	    " policy ~ [ ] ~ [ ] -1 -1 note V1 row/count 1.0\n"
	    "tls : ~ ~ ~ 0 0 sha256 00..00\n"
	    "begin part 5\n"
	    "end partial 0 253402300799 pct -1 records 0 sha256 ab..ab rfc9990 1.0 "
	    "urn:ietf:params:xml:ns:dmarc-2.0 Example"
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
		struct wire_request got;

		wire_request_encode(head, (struct wire_request){ sizes[i], (gint64)i - 1 });
		got = wire_request_decode(head);
		assert_true(got.size == sizes[i] && got.received == (gint64)i - 1);
	}
	wire_request_encode(head, (struct wire_request){ 258, 3 });
	assert_memory_equal(head, "\2\1\0\0\0\0\0\0\3\0\0\0\0\0\0\0", WIRE_REQUEST);
}

/* -- lies -- */

/* A report_end that is complete except for what a row changes. */
struct end {
	const char *dialect, *domain;
	gint64 begin, end;
	gint32 pct;
	guint64 records;
	gsize sha256, notes, errors;
};

static GVariant *make_strings(gsize n)
{
	GVariantBuilder builder;
	g_variant_builder_init(&builder, G_VARIANT_TYPE("as"));
	for (gsize i = 0; i < n; i++)
		g_variant_builder_add(&builder, "s", "x");
	return g_variant_builder_end(&builder);
}

static GVariant *make_end(const struct end *e)
{
	static const guint8 zeros[64] = { 0 };
	GVariantBuilder notes;
	g_variant_builder_init(&notes, G_VARIANT_TYPE("a(ssms)"));
	for (gsize i = 0; i < e->notes; i++)
		g_variant_builder_add(&notes, "(ssms)", "V1", "x", NULL);
	const char *none = NULL;
	return g_variant_new("(smsmsmsmsmsmsxx@asmssmsmsmsmsmsimsmsmsbt@aya(ssms))", e->dialect, none, none,
	    none, none, none, none, e->begin, e->end, make_strings(e->errors), none, e->domain, none, none,
	    none, none, none, e->pct, none, none, none, FALSE, e->records,
	    g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, zeros, e->sha256, 1), &notes);
}

/* A chunk of one record with the given numbers and strings. */
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

static struct wire_reader *reader_of(struct diary *diary, gboolean in_report)
{
	diary_init(diary);
	struct wire_reader *reader = wire_reader_new(diary_sink(), diary);
	if (in_report)
		assert_true(give(reader, 'B', g_variant_new("(s)", "x"), NULL));
	return reader;
}

static struct wire_reader *reader_in_report(struct diary *diary)
{
	return reader_of(diary, TRUE);
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
		{ "whole", { "draft", "a", 0, 1, 0, 0, 32, 0, 0 }, NULL },
		{ "last second", { "draft", "a", 0, 253402300799, 100, 0, 32, 1024, 0 }, NULL },
		{ "dialect", { "klingon", "a", 0, 1, 0, 0, 32, 0, 0 }, "dialect" },
		{ "domain", { "draft", "", 0, 1, 0, 0, 32, 0, 0 }, "policy domain" },
		{ "begin", { "draft", "a", -1, 1, 0, 0, 32, 0, 0 }, "date_range" },
		{ "end", { "draft", "a", 0, 253402300800, 0, 0, 32, 0, 0 }, "date_range" },
		{ "pct low", { "draft", "a", 0, 1, -2, 0, 32, 0, 0 }, "pct" },
		{ "pct high", { "draft", "a", 0, 1, 101, 0, 32, 0, 0 }, "pct" },
		{ "records", { "draft", "a", 0, 1, 0, 1, 32, 0, 0 }, "1 records were announced, 0 came" },
		{ "short hash", { "draft", "a", 0, 1, 0, 0, 31, 0, 0 }, "SHA-256" },
		{ "long hash", { "draft", "a", 0, 1, 0, 0, 33, 0, 0 }, "SHA-256" },
		{ "notes", { "draft", "a", 0, 1, 0, 0, 32, 1025, 0 }, "1025 items" },
		{ "most errors", { "draft", "a", 0, 1, 0, 0, 32, 0, 1024 }, NULL },
		{ "errors", { "draft", "a", 0, 1, 0, 0, 32, 0, 1025 }, "1025 items" },
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

static gboolean give_failure(struct wire_reader *reader, const struct failure_report *failure, GError **error)
{
	return give(reader, 'F', wire_failure_encode("x", failure), error);
}

static gboolean give_tls(struct wire_reader *reader, const struct tls_report *tls, GError **error)
{
	return give(reader, 'T', wire_tls_encode("x", tls), error);
}

#define NUMBERS_OK .arrival_time = -1, .source_port = -1, .incidents = -1

static void failures_out_of_range_are_refused(void **state)
{
	(void)state;
	static struct report_note notes[WIRE_ITEMS_MAX + 1];
	const char *many[WIRE_FIELDS_MAX + 1];
	for (gsize i = 0; i < G_N_ELEMENTS(many); i++)
		many[i] = "x";
	for (gsize i = 0; i < G_N_ELEMENTS(notes); i++)
		notes[i] = (struct report_note){ "V1", "x", NULL };
	const struct {
		const char *name;
		struct failure_report failure;
		const char *words; /* NULL: is taken */
	} rows[] = {
		{ "least", { NUMBERS_OK }, NULL },
		{ "most",
		    { .arrival_time = 253402300799,
			.source_port = 65535,
			.incidents = G_MAXINT64,
			.authentication_results = many,
			.n_authentication_results = WIRE_FIELDS_MAX,
			.note = notes,
			.n_note = WIRE_ITEMS_MAX },
		    NULL },
		{ "time low", { .arrival_time = -2, .source_port = -1 }, "arrival_time -2" },
		{ "time high", { .arrival_time = 253402300800 }, "arrival_time 253402300800" },
		{ "port low", { .source_port = -2 }, "source_port -2" },
		{ "port high", { .source_port = 65536 }, "source_port 65536" },
		{ "incidents", { .incidents = -2 }, "incidents -2" },
		{ "address", { NUMBERS_OK, .source_ip = "192.0.2" }, "source_ip is not an IP address" },
		{ "notes", { NUMBERS_OK, .note = notes, .n_note = WIRE_ITEMS_MAX + 1 }, "1025 items" },
		{ "authentication_results",
		    { NUMBERS_OK, .authentication_results = many,
			.n_authentication_results = WIRE_FIELDS_MAX + 1 },
		    "4097 items" },
		{ "original_rcpt_to",
		    { NUMBERS_OK, .original_rcpt_to = many, .n_original_rcpt_to = WIRE_FIELDS_MAX + 1 },
		    "4097 items" },
		{ "reported_domain",
		    { NUMBERS_OK, .reported_domain = many, .n_reported_domain = WIRE_FIELDS_MAX + 1 },
		    "4097 items" },
		{ "reported_uri", { NUMBERS_OK, .reported_uri = many, .n_reported_uri = WIRE_FIELDS_MAX + 1 },
		    "4097 items" },
		{ "spf_dns", { NUMBERS_OK, .spf_dns = many, .n_spf_dns = WIRE_FIELDS_MAX + 1 },
		    "4097 items" },
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct diary diary;
		GError *error = NULL;
		diary_init(&diary);
		struct wire_reader *reader = wire_reader_new(diary_sink(), &diary);
		gboolean ok = give_failure(reader, &rows[i].failure, &error);
		if (rows[i].words != NULL)
			assert_refused(ok, error, rows[i].words, rows[i].name);
		else if (!ok)
			fail_msg("%s: %s", rows[i].name, error->message);
		assert_int_equal(diary.lines->len > 0, ok);
		wire_reader_free(reader);
		diary_clear(&diary);
	}
}

static void tls_reports_out_of_range_are_refused(void **state)
{
	(void)state;
	const guint most = WIRE_TLS_ITEMS_MAX;
	g_autofree const char **many = g_new(const char *, most + 1);
	g_autofree struct tls_failure_details *details = g_new0(struct tls_failure_details, most + 1);
	g_autofree struct tls_policy *policies = g_new0(struct tls_policy, most + 1);
	for (guint i = 0; i <= most; i++)
		many[i] = "x";
	const struct tls_failure_details no_sessions = { .failed_session_count = -2 };
	const struct tls_failure_details no_sender = { .sending_mta_ip = "x" };
	const struct tls_failure_details no_receiver = { .receiving_ip = "x" };
	/* the second of two policies, and what is around them */
	const struct {
		const char *name;
		struct tls_policy policy;
		gint64 start_datetime, end_datetime;
		const char *words; /* NULL: is taken */
	} rows[] = {
		{ "whole", { 0 }, 0, 0, NULL },
		{ "last second", { 0 }, 253402300799, 253402300799, NULL },
		{ "start low", { 0 }, -1, 0, "start_datetime -1" },
		{ "start high", { 0 }, 253402300800, 0, "start_datetime 253402300800" },
		{ "end low", { 0 }, 0, -1, "end_datetime -1" },
		{ "end high", { 0 }, 0, 253402300800, "end_datetime 253402300800" },
		{ "successes", { .total_successful_session_count = -2 }, 0, 0, "session_count -2" },
		{ "failures", { .total_failure_session_count = -2 }, 0, 0, "session_count -2" },
		{ "sessions", { .failure_details = &no_sessions, .n_failure_details = 1 }, 0, 0,
		    "failed_session_count -2" },
		{ "sender", { .failure_details = &no_sender, .n_failure_details = 1 }, 0, 0,
		    "sending_mta_ip is not" },
		{ "receiver", { .failure_details = &no_receiver, .n_failure_details = 1 }, 0, 0,
		    "receiving_ip is not" },
		/* two policies count, too */
		{ "most strings", { .mx_host = many, .n_mx_host = most - 2 }, 0, 0, NULL },
		{ "strings", { .mx_host = many, .n_mx_host = most - 1 }, 0, 0, "32769 items" },
		{ "strings and strings",
		    { .mx_host = many, .n_mx_host = 10, .policy_string = many, .n_policy_string = most - 11 },
		    0, 0, "32769 items" },
		{ "details", { .failure_details = details, .n_failure_details = most - 1 }, 0, 0,
		    "32769 items" },
	};
	for (gsize i = 0; i <= G_N_ELEMENTS(rows); i++) {
		struct diary diary;
		GError *error = NULL;
		diary_init(&diary);
		struct wire_reader *reader = wire_reader_new(diary_sink(), &diary);
		gboolean last = i == G_N_ELEMENTS(rows);
		policies[1] = last ? policies[0] : rows[i].policy;
		const struct tls_report tls = { .policies = policies,
			.n_policies = last ? most + 1 : 2,
			.start_datetime = last ? 0 : rows[i].start_datetime,
			.end_datetime = last ? 0 : rows[i].end_datetime };
		gboolean ok = give_tls(reader, &tls, &error);
		if (last)
			assert_refused(ok, error, "32769 items", "policies");
		else if (rows[i].words != NULL)
			assert_refused(ok, error, rows[i].words, rows[i].name);
		else if (!ok)
			fail_msg("%s: %s", rows[i].name, error->message);
		assert_int_equal(diary.lines->len > 0, ok);
		wire_reader_free(reader);
		diary_clear(&diary);
	}
}

/* One with max_failure, or with max_json in max_json_items, fits. */
static void a_report_too_large_to_travel_is_quarantined(void **state)
{
	(void)state;
	static const struct parser_limits limits = PARSER_LIMITS_DEFAULT;
	const gsize most = WIRE_FRAME_MAX;
	const gsize sizes[] = { limits.max_failure, limits.max_json, most - 200, most };
	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
		struct diary diary;
		int fd = make_file();
		struct wire_writer *writer = wire_writer_new(fd);
		g_autofree char *text = g_strnfill(sizes[i], 'x');
		const struct failure_report failure = { .original_headers = text, NUMBERS_OK };
		const struct tls_report tls = { .organization_name = text };
		diary_init(&diary);
		assert_true(wire_writer_sink()->failure(writer, "f", &failure, NULL));
		assert_true(wire_writer_sink()->tls(writer, "t", &tls, NULL));
		assert_true(wire_writer_done(writer, NULL));
		assert_true(read_frames(fd, diary_sink(), &diary, NULL));
		if (sizes[i] < most) {
			assert_true(g_str_has_prefix(diary.lines->str, "failure f:"));
			assert_non_null(strstr(diary.lines->str, "\ntls t:"));
		} else {
			assert_true(g_str_has_prefix(
			    diary.lines->str, "unreadable f (limit): the report takes 8388"));
			assert_non_null(
			    strstr(diary.lines->str, "\nunreadable t (limit): the report takes 8388"));
		}
		wire_writer_free(writer);
		diary_clear(&diary);
		close(fd);
	}
}

static void the_most_items_of_a_tls_report_travel(void **state)
{
	(void)state;
	static const struct parser_limits limits = PARSER_LIMITS_DEFAULT;
	struct diary diary;
	int fd = make_file();
	struct wire_writer *writer = wire_writer_new(fd);
	gsize n = limits.max_json_items - 1, each = limits.max_json / n;
	g_autofree char *text = g_strnfill(each / 4, 'x');
	g_autofree struct tls_failure_details *details = g_new(struct tls_failure_details, n);
	const struct tls_policy policy = { .failure_details = details, .n_failure_details = n };
	const struct tls_report tls = { .policies = &policy, .n_policies = 1 };
	for (gsize i = 0; i < n; i++)
		details[i] =
		    (struct tls_failure_details){ text, "192.0.2.1", text, text, "192.0.2.1", 1, text, text };
	diary_init(&diary);
	assert_true(wire_writer_sink()->tls(writer, "t", &tls, NULL));
	assert_true(wire_writer_done(writer, NULL));
	assert_true(read_frames(fd, diary_sink(), &diary, NULL));
	assert_true(g_str_has_prefix(diary.lines->str, "tls t:"));
	wire_writer_free(writer);
	diary_clear(&diary);
	close(fd);
}

/* Each letter is a well-formed frame of that type; the last one must be rejected, all others accepted. */
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
		{ "FM", "out of order" },
		{ "TM", "out of order" },
		{ "BF", "out of order" },
		{ "BT", "out of order" },
		{ "FR", "out of order" },
		{ "TE", "out of order" },
		{ "MFTFBEFTUFDF", "out of order" },
		{ "FTDT", "out of order" },
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
	static const struct end whole = { "draft", "a", 0, 1, 0, 0, 32, 0, 0 };
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct diary diary;
		diary_init(&diary);
		struct wire_reader *reader = wire_reader_new(diary_sink(), &diary);
		for (const char *at = rows[i].frames; *at != '\0'; at++) {
			GError *error = NULL;
			GVariant *value = *at == 'M'   ? g_variant_new("(msmsmsy)", NULL, NULL, NULL, 0)
					  : *at == 'F' ? wire_failure_encode("x", &empty_failure)
					  : *at == 'T' ? wire_tls_encode("x", &empty_tls)
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
		{ "failure, cut off", 'F', "a\0", 2 },
		{ "failure, empty", 'F', "", 0 },
		{ "TLS, cut off", 'T', "a\0", 2 },
		{ "TLS, empty", 'T', "", 0 },
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

/* Every prefix and every single flipped bit of a correct frame is either rejected or accepted. */
static void damaged_frames_do_no_harm(void **state)
{
	(void)state;
	static const struct end whole = { "draft", "a", 0, 1, 0, 0, 32, 3, 1 };
	static const gint64 numbers[5] = { 1 };
	const struct {
		guint8 type;
		GVariant *value;
	} frames[] = { { 'E', make_end(&whole) }, { 'R', make_chunk(numbers, 5, ABSENT7 FILL, 16) },
		{ 'F', wire_failure_encode("x", &full_failure) }, { 'T', wire_tls_encode("x", &full_tls) } };
	for (gsize f = 0; f < G_N_ELEMENTS(frames); f++) {
		gboolean inside = frames[f].type == 'E' || frames[f].type == 'R';
		g_variant_ref_sink(frames[f].value);
		gsize size = g_variant_get_size(frames[f].value), taken = 0;
		const guint8 *bytes = g_variant_get_data(frames[f].value);
		for (gsize i = 0; i < size * 9; i++) {
			struct diary diary;
			g_autofree guint8 *copy = g_memdup2(bytes, size);
			struct wire_reader *reader = reader_of(&diary, inside);
			if (i >= size)
				copy[i % size] ^= (guint8)(1u << (i / size - 1));
			gboolean ok = give_bytes(reader, frames[f].type, copy, i < size ? i : size, NULL);
			assert_false(ok && i < size);
			taken += ok ? 1 : 0;
			wire_reader_free(reader);
			diary_clear(&diary);
		}
		assert_in_range(taken, 1, size * 8 - 1);
		g_variant_unref(frames[f].value);
	}
}

static void a_verdict_that_is_none_is_refused(void **state)
{
	(void)state;
	struct diary diary;
	GError *error = NULL;
	struct wire_reader *reader = reader_of(&diary, FALSE);
	gboolean ok =
	    give(reader, 'M', g_variant_new("(msmsmsy)", NULL, NULL, NULL, AUTHENTIC_FAIL + 1), &error);
	assert_refused(ok, error, "an unknown verdict", "mail");
	wire_reader_free(reader);
	diary_clear(&diary);
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
	error = NULL;
	ok = give_failure(reader, &empty_failure, &error);
	assert_refused(ok, error, "more than", "failures");
	error = NULL;
	ok = give_tls(reader, &empty_tls, &error);
	assert_refused(ok, error, "more than", "TLS");
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
		cmocka_unit_test(failures_out_of_range_are_refused),
		cmocka_unit_test(tls_reports_out_of_range_are_refused),
		cmocka_unit_test(a_report_too_large_to_travel_is_quarantined),
		cmocka_unit_test(the_most_items_of_a_tls_report_travel),
		cmocka_unit_test(a_verdict_that_is_none_is_refused),
		cmocka_unit_test(too_many_reports_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
