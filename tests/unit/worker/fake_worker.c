/*
 * fake_worker - a ruad-parse that does what the document's first word says, for test_pool.c.
 *
 * A correct answer is one empty report whose place is this process's id.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "server/worker/wire.h"

#define FD 3

static struct wire_writer *writer;

static void must(gboolean ok)
{
	if (!ok)
		_exit(9);
}

static void read_all(guint8 *data, gsize size)
{
	for (gsize got = 0; got < size;) {
		ssize_t n = read(FD, data + got, size - got);
		if (n <= 0)
			_exit(n == 0 && got == 0 ? 0 : 8);
		got += (gsize)n;
	}
}

static void put_report(guint64 records)
{
	const struct report_sink *sink = wire_writer_sink();
	const struct aggregate_header header = {
		.dialect = "draft", .domain = "a.example", .pct = -1, .records = records
	};
	const struct aggregate_record record = { .source_ip = "192.0.2.1", .count = 1 };
	g_autofree char *place = g_strdup_printf("%d", (int)getpid());
	must(sink->report_begin(writer, place, NULL));
	for (guint64 i = 0; i < records; i++)
		must(sink->record(writer, &record, NULL));
	must(sink->report_end(writer, &header, NULL));
}

static void put_bytes(const void *bytes, gsize size)
{
	must(write(FD, bytes, size) == (ssize_t)size);
}

static void honest(void)
{
	put_report(0);
	must(wire_writer_done(writer, NULL) && wire_writer_flush(writer, NULL));
}

static void many(void)
{
	put_report(100000);
	must(wire_writer_done(writer, NULL) && wire_writer_flush(writer, NULL));
}

static void some(void)
{
	put_report(5000);
	must(wire_writer_done(writer, NULL) && wire_writer_flush(writer, NULL));
}

static void unreadable(void)
{
	const struct unreadable u = { .place = "x", .code = "xml", .reason = "no" };
	put_report(0);
	must(wire_writer_sink()->unreadable(writer, &u, NULL));
	must(wire_writer_done(writer, NULL) && wire_writer_flush(writer, NULL));
}

static void killed(void)
{
	raise(SIGKILL);
}

static void closes(void)
{
	_exit(7);
}

static void hangs(void)
{
	for (;;)
		pause();
}

/* Sending a byte now and then counts as silence: it never becomes a frame. */
static void dribbles(void)
{
	put_bytes("U\0\0\1\0", 5);
	for (;;) {
		put_bytes("a", 1);
		g_usleep(100 * 1000);
	}
}

static void garbage(void)
{
	put_bytes("HTTP/1.1 200 OK\r\n\r\n", 19);
	hangs();
}

static void huge_frame(void)
{
	put_bytes("B\377\377\377\377", 5);
	hangs();
}

static void says_nothing(void)
{
	must(wire_writer_done(writer, NULL) && wire_writer_flush(writer, NULL));
}

static void dies_within(void)
{
	put_report(20000);
	raise(SIGTERM);
}

/* Check that no secret of the parent is in the environment. */
static void environment(void)
{
	if (g_getenv("RUAD_DATABASE_URL") != NULL)
		_exit(4);
	honest();
}

static void says_too_much(void)
{
	put_report(0);
	must(wire_writer_done(writer, NULL) && wire_writer_flush(writer, NULL));
	put_bytes("D\0\0\0\0", 5);
}

static void stops_listening(void)
{
	close(FD);
	hangs();
}

/* A frame now and then, forever: U is an unreadable, of three texts. */
static void endless(void)
{
	for (;;) {
		put_bytes("U\6\0\0\0x\0a\0b\0", 11);
		g_usleep(300 * 1000);
	}
}

static void slow(void)
{
	g_usleep(600 * 1000);
	honest();
}

/* Half a second of processor time. */
static void works(void)
{
	while (clock() < CLOCKS_PER_SEC / 2)
		;
	honest();
}

static void sleeps(void)
{
	g_usleep(5 * G_USEC_PER_SEC);
	honest();
}

static void say(const char *words)
{
	must(write(STDERR_FILENO, words, strlen(words)) == (ssize_t)strlen(words));
}

static void forges(void)
{
	say("ok\nruad-ingest: all is \"well\"\033[2K\n");
	honest();
}

/* Write more than a pipe holds. */
static void floods(void)
{
	for (int i = 0; i < 100000; i++)
		say("words\n");
	honest();
}

static const struct {
	const char *word;
	void (*act)(void);
} acts[] = {
	{ "honest", honest },
	{ "environment", environment },
	{ "many", many },
	{ "some", some },
	{ "unreadable", unreadable },
	{ "killed", killed },
	{ "closes", closes },
	{ "hangs", hangs },
	{ "dribbles", dribbles },
	{ "garbage", garbage },
	{ "huge-frame", huge_frame },
	{ "says-nothing", says_nothing },
	{ "dies-within", dies_within },
	{ "says-too-much", says_too_much },
	{ "stops-listening", stops_listening },
	{ "endless", endless },
	{ "slow", slow },
	{ "works", works },
	{ "sleeps", sleeps },
	{ "forges", forges },
	{ "floods", floods },
};

static void act_on(const char *document)
{
	for (gsize i = 0; i < G_N_ELEMENTS(acts); i++) {
		if (g_str_has_prefix(document, acts[i].word)) {
			acts[i].act();
			return;
		}
	}
	_exit(6);
}

/* What happens to a document that is longer than a socket's buffer, chosen by its first letter. */
static void act_early(guint8 first)
{
	if (first == '!') { /* a long answer first: both sides write at the same time */
		put_report(100000);
	} else if (first == '?') { /* the whole answer, and the document is never read */
		honest();
		hangs();
	} else if (first == '#') {
		hangs();
	}
}

static void serve(void)
{
	guint8 head[WIRE_REQUEST];
	for (;;) {
		read_all(head, sizeof(head));
		gsize size = wire_request_decode(head).size;
		g_autofree char *document = g_malloc0(size + 1);
		read_all((guint8 *)document, MIN(size, 1));
		act_early((guint8)document[0]);
		if (size > 1)
			read_all((guint8 *)document + 1, size - 1);
		if (document[0] == '!')
			must(wire_writer_done(writer, NULL) && wire_writer_flush(writer, NULL));
		else
			act_on(document);
	}
}

/* The pool passes no environment on, so a file next to the program says how to start. */
static char *how_to_start(const char *program)
{
	char *word = NULL;
	g_autofree char *file = g_strconcat(program, ".start", NULL);
	(void)g_file_get_contents(file, &word, NULL, NULL);
	return word;
}

int main(int argc G_GNUC_UNUSED, char **argv)
{
	g_autofree char *start = how_to_start(argv[0]);
	signal(SIGPIPE, SIG_IGN);
	writer = wire_writer_new(FD);
	if (g_strcmp0(start, "fails") == 0)
		return 5;
	if (g_strcmp0(start, "hangs") == 0)
		hangs();
	if (g_strcmp0(start, "other-version") == 0)
		put_bytes("H\3\0\0\0"
			  "0.0",
		    8);
	else
		must(wire_writer_hello(writer, NULL));
	serve();
}
