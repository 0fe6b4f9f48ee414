/* dump FILE... - what parse_document() finds in each, as lines of key=value: for the corpus tests and for
 * people. */
#include "parser/parse.h"

#include <stdio.h>

struct dump {
	const char *file;
	guint64 messages, pass_records, pass_messages;
	gboolean notes;
};

static void put(const char *key, const char *value)
{
	g_autofree char *safe = value == NULL ? NULL : g_strescape(value, NULL);

	printf(" %s=%s", key, safe == NULL ? "\\0" : safe);
}

static gboolean on_mail(gpointer user, const struct mail_header *mail, GError **error)
{
	(void)user, (void)mail, (void)error;
	return TRUE;
}

static gboolean on_begin(gpointer user, const char *place, GError **error)
{
	struct dump *dump = user;

	(void)place, (void)error;
	dump->messages = dump->pass_records = dump->pass_messages = 0;
	return TRUE;
}

static void put_notes(const struct dump *dump, const struct report_note *note, gsize n)
{
	for (gsize i = 0; dump->notes && i < n; i++)
		printf("\tnote\t%s\t%s\t%s\t%s\n", dump->file, note[i].code, note[i].path,
		    note[i].raw ? note[i].raw : "");
}

static gboolean on_record(gpointer user, const struct aggregate_record *record, GError **error)
{
	struct dump *dump = user;
	guint64 count = record->count > 0 ? (guint64)record->count : 0;

	(void)error;
	dump->messages += count;
	if (g_strcmp0(record->dkim, "pass") == 0 || g_strcmp0(record->spf, "pass") == 0) {
		dump->pass_records++;
		dump->pass_messages += count;
	}
	put_notes(dump, record->note, record->n_note);
	return TRUE;
}

static gboolean on_end(gpointer user, const struct aggregate_header *header, GError **error)
{
	struct dump *dump = user;

	(void)error;
	printf("report\t%s\t", dump->file);
	put("dialect", header->dialect);
	put("org_name", header->org_name);
	put("report_id", header->report_id);
	put("domain", header->domain);
	printf(" begin=%" G_GINT64_FORMAT " end=%" G_GINT64_FORMAT " records=%" G_GUINT64_FORMAT
	       " messages=%" G_GUINT64_FORMAT " pass_records=%" G_GUINT64_FORMAT
	       " pass_messages=%" G_GUINT64_FORMAT "\n",
	    header->begin, header->end, header->records, dump->messages, dump->pass_records,
	    dump->pass_messages);
	put_notes(dump, header->note, header->n_note);
	return TRUE;
}

static gboolean on_unreadable(gpointer user, const struct unreadable *unreadable, GError **error)
{
	struct dump *dump = user;

	(void)error;
	printf("unreadable\t%s\t%s\t%s\t%s\n", dump->file, unreadable->code, unreadable->place,
	    unreadable->reason);
	return TRUE;
}

static const struct report_sink SINK = { on_mail, on_begin, on_record, on_end, on_unreadable };

static gboolean dump_file(const char *file, gboolean notes)
{
	static const struct parser_limits LIMITS = PARSER_LIMITS_DEFAULT;
	g_autoptr(GError) error = NULL;
	struct dump dump = { .file = file, .notes = notes };
	g_autofree char *bytes = NULL;
	gsize size;

	if (g_file_get_contents(file, &bytes, &size, &error) &&
	    parse_document((const guint8 *)bytes, size, &LIMITS, &SINK, &dump, &error))
		return TRUE;
	g_printerr("%s: %s\n", file, error->message);
	return FALSE;
}

int main(int argc, char **argv)
{
	int first = argc > 1 && g_str_equal(argv[1], "-n") ? 2 : 1;
	gboolean ok = TRUE;

	parse_init();
	for (int i = first; i < argc; i++)
		ok &= dump_file(argv[i], first == 2);
	return ok ? 0 : 1;
}
