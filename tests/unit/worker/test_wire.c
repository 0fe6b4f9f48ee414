/* What the wire format carries in both directions, and what it rejects. */
#include "server/worker/wire.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "parser/error.h"
#include "parser/limits.h"
#include "server/worker/wire_tables.h"
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
	struct wire_reader *reader = wire_reader_new();
	wire_reader_begin(reader, sink, user);
	guint8 head[WIRE_HEAD];
	gboolean done = FALSE, ok = TRUE;
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	while (ok && !done && read(fd, head, sizeof(head)) == (ssize_t)sizeof(head)) {
		gsize length = wire_frame_length(head);
		assert_true(length <= WIRE_FRAME_MAX);
		guint8 *data = g_malloc(length + 1);
		assert_int_equal(read(fd, data, length), length);
		ok = wire_reader_frame(reader, head[0], data, length, &done, error);
		g_free(data);
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
	const struct mail_header mail = { .message_id = "<1@example>",
		.subject = NULL,
		.from = "",
		.queue_id = "4Xyz",
		.authentic = AUTHENTIC_FAIL };
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
	assert_true(wire_writer_done(writer, NULL) && wire_writer_flush(writer, NULL));
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
	    "mail <1@example> ~ '' 4Xyz authentic 2\n"
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
	assert_true(wire_writer_done(writer, NULL) && wire_writer_flush(writer, NULL));
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
	assert_true(wire_writer_done(writer, NULL));
	assert_false(wire_writer_flush(writer, &error));
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

/* The content of a frame with a structure. */
static GByteArray *content_of(const struct wire_type *type, const void *value)
{
	GByteArray *content = g_byte_array_new();
	wire_put(content, type, value);
	return content;
}

/* The same for those that a place precedes. */
static GByteArray *content_at(const struct wire_type *type, const void *value)
{
	GByteArray *content = g_byte_array_new();
	wire_put_text(content, "x");
	wire_put(content, type, value);
	return content;
}

/* A report_end that is complete except for what a row changes. */
struct end {
	const char *dialect, *domain;
	gint64 begin, end;
	gint32 pct;
	guint64 records;
	gsize notes, errors;
};

static GByteArray *make_end(const struct end *e)
{
	static struct report_note notes[2 * WIRE_ITEMS_MAX];
	static const char *errors[2 * WIRE_ITEMS_MAX];
	for (gsize i = 0; i < G_N_ELEMENTS(notes); i++) {
		notes[i] = (struct report_note){ "V1", "x", NULL };
		errors[i] = "x";
	}
	const struct aggregate_header header = { .dialect = e->dialect,
		.domain = e->domain,
		.begin = e->begin,
		.end = e->end,
		.pct = e->pct,
		.records = e->records,
		.note = notes,
		.n_note = e->notes,
		.error = errors,
		.n_error = e->errors };
	return content_of(&wire_aggregate_header, &header);
}

static gboolean give_bytes(
    struct wire_reader *reader, guint8 type, const void *data, gsize size, GError **error)
{
	/* of exactly this size, so that a sanitizer sees what is read beyond */
	g_autofree guint8 *copy = g_malloc(MAX(size, 1));
	gboolean done = FALSE;
	if (size > 0)
		memcpy(copy, data, size);
	return wire_reader_frame(reader, type, copy, size, &done, error);
}

/* content is transfer full. */
static gboolean give(struct wire_reader *reader, guint8 type, GByteArray *content, GError **error)
{
	gboolean ok = give_bytes(reader, type, content->data, content->len, error);
	g_byte_array_unref(content);
	return ok;
}

static GByteArray *make_begin(void)
{
	GByteArray *content = g_byte_array_new();
	wire_put_text(content, "x");
	return content;
}

static GByteArray *make_unreadable(void)
{
	const struct unreadable u = { .place = "x", .code = "xml", .reason = "x" };
	return content_of(&wire_unreadable, &u);
}

static struct wire_reader *reader_of(struct diary *diary, gboolean in_report)
{
	diary_init(diary);
	struct wire_reader *reader = wire_reader_new();
	wire_reader_begin(reader, diary_sink(), diary);
	if (in_report)
		assert_true(give(reader, 'B', make_begin(), NULL));
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
		{ "whole", { "draft", "a", 0, 1, 0, 0, 0, 0 }, NULL },
		{ "last second", { "draft", "a", 0, 253402300799, 100, 0, 1024, 0 }, NULL },
		{ "dialect", { "klingon", "a", 0, 1, 0, 0, 0, 0 }, "dialect" },
		{ "no dialect", { NULL, "a", 0, 1, 0, 0, 0, 0 }, "dialect is missing" },
		{ "domain", { "draft", "", 0, 1, 0, 0, 0, 0 }, "policy domain" },
		{ "no domain", { "draft", NULL, 0, 1, 0, 0, 0, 0 }, "domain is missing" },
		{ "begin", { "draft", "a", -1, 1, 0, 0, 0, 0 }, "begin -1" },
		{ "end", { "draft", "a", 0, 253402300800, 0, 0, 0, 0 }, "end 253402300800" },
		{ "pct low", { "draft", "a", 0, 1, -2, 0, 0, 0 }, "pct -2" },
		{ "pct high", { "draft", "a", 0, 1, 101, 0, 0, 0 }, "pct 101" },
		{ "records", { "draft", "a", 0, 1, 0, 1, 0, 0 }, "1 records were announced, 0 came" },
		{ "wild records", { "draft", "a", 0, 1, 0, G_MAXUINT64, 0, 0 }, "records -1" },
		{ "notes", { "draft", "a", 0, 1, 0, 0, 1025, 0 }, "1025 items" },
		{ "most errors", { "draft", "a", 0, 1, 0, 0, 0, 1024 }, NULL },
		{ "errors", { "draft", "a", 0, 1, 0, 0, 0, 1025 }, "1025 items" },
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

/* Bytes of a record. */
#define A           "\xff\0" /* an absent text */
#define N0          "\0\0\0\0\0\0\0\0"
#define N1          "\1\0\0\0\0\0\0\0"
#define N1000       "\xe8\3\0\0\0\0\0\0"
#define N1025       "\1\4\0\0\0\0\0\0"
#define MINUS1      "\xff\xff\xff\xff\xff\xff\xff\xff"
#define MINUS2      "\xfe\xff\xff\xff\xff\xff\xff\xff"
#define HUGE_N      "\xff\xff\xff\xff\xff\xff\xff\x7f"
#define EVALUATED   A A A
#define IDENTIFIERS A A A
#define EMPTY       A N1 EVALUATED N0 IDENTIFIERS N0 N0 N0 /* an empty record of one message */
#define BYTES(text) text, sizeof(text) - 1

static void chunks_that_lie_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		const char *bytes;
		gsize size;
		const char *words; /* NULL: is taken */
	} rows[] = {
		{ "whole", BYTES(EMPTY), NULL },
		{ "two", BYTES(EMPTY EMPTY), NULL },
		{ "nothing", BYTES(""), "a text is missing" },
		{ "one and a byte", BYTES(EMPTY "x"), "a text is missing" },
		{ "one and a text", BYTES(EMPTY A), "a number is missing" },
		{ "a number cut off", BYTES(A "\1\0\0\0\0\0\0"), "a number is missing" },
		{ "no list of notes", BYTES(A N1 EVALUATED N0 IDENTIFIERS N0 N0), "a number is missing" },
		{ "count -1", BYTES(A MINUS1 EVALUATED N0 IDENTIFIERS N0 N0 N0), NULL },
		{ "count -2", BYTES(A MINUS2 EVALUATED N0 IDENTIFIERS N0 N0 N0), "count -2" },
		{ "negative list", BYTES(A N1 EVALUATED MINUS1 IDENTIFIERS N0 N0 N0), "reason: -1 items" },
		{ "long list", BYTES(A N1 EVALUATED N0 IDENTIFIERS N1025 N0 N0), "auth_dkim: 1025 items" },
		{ "huge list", BYTES(A N1 EVALUATED N0 IDENTIFIERS N0 HUGE_N N0),
		    "auth_spf: 9223372036854775807 items" },
		{ "list without texts", BYTES(A N1 EVALUATED N0 IDENTIFIERS N0 N1000 N0),
		    "a text is missing" },
		{ "list of nothing", BYTES(A N1 EVALUATED N0 IDENTIFIERS N0 N0 N1000), "a text is missing" },
		{ "not UTF-8", BYTES(A N1 "\xc3(\0" A A N0 IDENTIFIERS N0 N0 N0), "a text is not UTF-8" },
		{ "absent and more",
		    BYTES(A N1 "\xff"
			       "a\0" A A N0 IDENTIFIERS N0 N0 N0),
		    "a text is not UTF-8" },
		{ "address", BYTES("1\0" N1 EVALUATED N0 IDENTIFIERS N0 N0 N0),
		    "source_ip is not an IP address" },
		{ "note without code", BYTES(A N1 EVALUATED N0 IDENTIFIERS N0 N0 N1 A A A),
		    "code is missing" },
		{ "note without path", BYTES(A N1 EVALUATED N0 IDENTIFIERS N0 N0 N1 "V1\0" A A),
		    "path is missing" },
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct diary diary;
		GError *error = NULL;
		struct wire_reader *reader = reader_in_report(&diary);
		gboolean ok = give_bytes(reader, 'R', rows[i].bytes, rows[i].size, &error);
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
	return give(reader, 'F', content_at(&wire_failure_report, failure), error);
}

static gboolean give_tls(struct wire_reader *reader, const struct tls_report *tls, GError **error)
{
	return give(reader, 'T', content_at(&wire_tls_report, tls), error);
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
		struct wire_reader *reader = wire_reader_new();
		wire_reader_begin(reader, diary_sink(), &diary);
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
	const guint most = WIRE_ITEMS_TOTAL;
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
		struct wire_reader *reader = wire_reader_new();
		wire_reader_begin(reader, diary_sink(), &diary);
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
		assert_true(wire_writer_done(writer, NULL) && wire_writer_flush(writer, NULL));
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
	assert_true(wire_writer_done(writer, NULL) && wire_writer_flush(writer, NULL));
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
	static const struct end whole = { "draft", "a", 0, 1, 0, 0, 0, 0 };
	static const struct mail_header no_mail = { 0 };
	static const struct aggregate_record record = { 0 };
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct diary diary;
		diary_init(&diary);
		struct wire_reader *reader = wire_reader_new();
		wire_reader_begin(reader, diary_sink(), &diary);
		for (const char *at = rows[i].frames; *at != '\0'; at++) {
			GError *error = NULL;
			GByteArray *content = *at == 'M'   ? content_of(&wire_mail_header, &no_mail)
					      : *at == 'F' ? content_at(&wire_failure_report, &empty_failure)
					      : *at == 'T' ? content_at(&wire_tls_report, &empty_tls)
					      : *at == 'B' ? make_begin()
					      : *at == 'R' ? content_of(&wire_aggregate_record, &record)
					      : *at == 'E' ? make_end(&whole)
					      : *at == 'U' ? make_unreadable()
							   : g_byte_array_new();
			gboolean ok = give(reader, (guint8)*at, content, &error);
			if (at[1] == '\0')
				assert_refused(ok, error, rows[i].words, rows[i].frames);
			else if (!ok)
				fail_msg("%s: '%c': %s", rows[i].frames, *at, error->message);
		}
		wire_reader_free(reader);
		diary_clear(&diary);
	}
}

static void bytes_that_are_no_structure_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		guint8 type;
		const char *bytes;
		gsize size;
		const char *words;
	} rows[] = {
		{ "begin without NUL", 'B', BYTES("abc"), "a text is missing" },
		{ "begin, empty", 'B', BYTES(""), "a text is missing" },
		{ "begin, two texts", 'B', BYTES("a\0b\0"), "2 bytes are left over" },
		{ "begin, absent", 'B', BYTES(A), "place is missing" },
		{ "begin, not UTF-8", 'B', BYTES("\xc3(\0"), "a text is not UTF-8" },
		{ "mail, cut off", 'M', BYTES("a\0"), "a text is missing" },
		{ "mail, no verdict", 'M', BYTES(A A A A), "a number is missing" },
		{ "unreadable and more", 'U', BYTES("a\0b\0c\0\xff"), "1 bytes are left over" },
		{ "unreadable, cut off", 'U', BYTES("a\0b\0c"), "a text is missing" },
		{ "failure, cut off", 'F', BYTES("a\0"), "a text is missing" },
		{ "failure, empty", 'F', BYTES(""), "a text is missing" },
		{ "TLS, cut off", 'T', BYTES("a\0"), "a text is missing" },
		{ "TLS, empty", 'T', BYTES(""), "a text is missing" },
		{ "TLS, no hash", 'T', BYTES("a\0" A A A N0 N0 N0 "123"), "a SHA-256 is missing" },
		{ "done, with bytes", 'D', BYTES("a"), "1 bytes are left over" },
	};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct diary diary;
		GError *error = NULL;
		diary_init(&diary);
		struct wire_reader *reader = wire_reader_new();
		wire_reader_begin(reader, diary_sink(), &diary);
		if (rows[i].type == 'D')
			assert_true(give(reader, 'U', make_unreadable(), NULL));
		gboolean ok = give_bytes(reader, rows[i].type, rows[i].bytes, rows[i].size, &error);
		assert_refused(ok, error, rows[i].words, rows[i].name);
		wire_reader_free(reader);
		diary_clear(&diary);
	}
}

/* Every prefix and every single flipped bit of a correct frame is either rejected or accepted. */
static void damaged_frames_do_no_harm(void **state)
{
	(void)state;
	static const struct end whole = { "draft", "a", 0, 1, 0, 0, 3, 1 };
	const struct {
		guint8 type;
		GByteArray *content;
	} frames[] = { { 'E', make_end(&whole) }, { 'R', content_of(&wire_aggregate_record, &full_record) },
		{ 'F', content_at(&wire_failure_report, &full_failure) },
		{ 'T', content_at(&wire_tls_report, &full_tls) } };
	for (gsize f = 0; f < G_N_ELEMENTS(frames); f++) {
		gboolean inside = frames[f].type == 'E' || frames[f].type == 'R';
		gsize size = frames[f].content->len, taken = 0;
		for (gsize i = 0; i < size * 9; i++) {
			struct diary diary;
			g_autofree guint8 *copy = g_memdup2(frames[f].content->data, size);
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
		g_byte_array_unref(frames[f].content);
	}
}

static void a_verdict_that_is_none_is_refused(void **state)
{
	(void)state;
	struct diary diary;
	GError *error = NULL;
	struct wire_reader *reader = reader_of(&diary, FALSE);
	const struct mail_header mail = { .authentic = AUTHENTIC_FAIL + 1 };
	gboolean ok = give(reader, 'M', content_of(&wire_mail_header, &mail), &error);
	assert_refused(ok, error, "authentic 3", "mail");
	wire_reader_free(reader);
	diary_clear(&diary);
}

static void too_many_reports_are_refused(void **state)
{
	(void)state;
	struct diary diary;
	GError *error = NULL;
	diary_init(&diary);
	struct wire_reader *reader = wire_reader_new();
	wire_reader_begin(reader, diary_sink(), &diary);
	for (guint i = 0; i < WIRE_REPORTS_MAX; i++)
		assert_true(give(reader, 'U', make_unreadable(), NULL));
	gboolean ok = give(reader, 'U', make_unreadable(), &error);
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
		cmocka_unit_test(bytes_that_are_no_structure_are_refused),
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
