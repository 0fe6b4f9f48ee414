#include "tests/unit/parser/account.h"

#include "parser/notes.h"
#include "parser/parse.h"

#include <arpa/inet.h>
#include <string.h>

/* What was said of a report. */
struct answer {
	gboolean read;
	gboolean noted; /* that some of it was not read ... */
	gboolean cut;   /* ... nor what follows in the file */
};

struct account {
	const struct generated *generated;
	struct answer *answer; /* of each report */
	guint *seen;           /* each record: how often it was read */
	guint n_records;       /* in the mail */
	GArray *open;          /* numbers of the records since report_begin() */
	GPtrArray *places;     /* of each unreadable() */
	GString *words;        /* all unreadable(), for people */
	gboolean mixed;        /* a record of one report was read as another's */
	gboolean unknown;      /* something was read that is not in the mail */
};

static struct planted *planted_of(const struct account *a, guint i)
{
	return &g_array_index(a->generated->planted, struct planted, i);
}

/* The report of this ID. */
static struct answer *answer_of(struct account *a, const char *id)
{
	guint64 i;

	if (id == NULL || !g_str_has_prefix(id, "doc-") ||
	    !g_ascii_string_to_unsigned(id + strlen("doc-"), 10, 0, G_MAXUINT, &i, NULL) ||
	    i >= a->generated->planted->len) {
		a->unknown = TRUE;
		return NULL;
	}
	return &a->answer[i];
}

static gboolean on_mail(gpointer user, const struct mail_header *mail, GError **error)
{
	(void)user, (void)mail, (void)error;
	return TRUE;
}

static gboolean on_begin(gpointer user, const char *place, GError **error)
{
	struct account *a = user;

	(void)place, (void)error;
	g_array_set_size(a->open, 0);
	return TRUE;
}

static gboolean on_record(gpointer user, const struct aggregate_record *record, GError **error)
{
	struct account *a = user;
	guint8 byte[4];
	guint number;

	(void)error;
	/* an address that the damage around it took */
	if (record->source_ip == NULL || inet_pton(AF_INET, record->source_ip, byte) != 1 || byte[0] != 10)
		return TRUE;
	number = (guint)byte[1] << 16 | (guint)byte[2] << 8 | byte[3];
	g_array_append_val(a->open, number);
	return TRUE;
}

/* A report in the same file says that the rest of the file was not read. */
static gboolean is_cut_off(const struct account *a, guint i)
{
	for (guint k = 0; k < a->generated->planted->len; k++)
		if (planted_of(a, k)->file == planted_of(a, i)->file && a->answer[k].cut)
			return TRUE;
	return FALSE;
}

static gboolean says_unread(const struct report_note *note)
{
	gboolean on_record = strcmp(note->path, "record") == 0 || strcmp(note->path, "feedback") == 0;

	return strcmp(note->code, NOTE_PARTIAL) == 0 || strcmp(note->code, NOTE_AFTER) == 0 ||
	       (on_record &&
		   (strcmp(note->code, NOTE_PLACE) == 0 || strcmp(note->code, NOTE_NAMESPACE) == 0));
}

/* The records were those of this report. */
static void check_owner(struct account *a, const struct answer *answer)
{
	const struct planted *planted = planted_of(a, (guint)(answer - a->answer));

	for (guint i = 0; i < a->open->len; i++) {
		guint number = g_array_index(a->open, guint, i);

		a->mixed |= number < planted->first || number >= planted->first + planted->n;
	}
}

static gboolean on_end(gpointer user, const struct aggregate_header *header, GError **error)
{
	struct account *a = user;
	struct answer *answer = answer_of(a, header->report_id);

	(void)error;
	for (guint i = 0; i < a->open->len; i++) {
		guint number = g_array_index(a->open, guint, i);

		if (number < a->n_records)
			a->seen[number]++;
	}
	if (answer == NULL)
		return TRUE;
	answer->read = TRUE;
	check_owner(a, answer);
	for (gsize i = 0; i < header->n_note; i++)
		answer->noted |= says_unread(&header->note[i]);
	answer->cut = header->partial;
	return TRUE;
}

static gboolean on_failure(
    gpointer user, const char *place, const struct failure_report *failure, GError **error)
{
	struct answer *answer = answer_of(user, failure->user_agent);

	(void)place, (void)error;
	if (answer != NULL)
		answer->read = TRUE;
	return TRUE;
}

static gboolean on_tls(gpointer user, const char *place, const struct tls_report *tls, GError **error)
{
	struct answer *answer = answer_of(user, tls->report_id);

	(void)place, (void)error;
	if (answer != NULL)
		answer->read = TRUE;
	return TRUE;
}

static gboolean on_unreadable(gpointer user, const struct unreadable *unreadable, GError **error)
{
	struct account *a = user;

	(void)error;
	g_ptr_array_add(a->places, g_strdup(unreadable->place));
	g_string_append_printf(
	    a->words, "  %s: %s: %s\n", unreadable->place, unreadable->code, unreadable->reason);
	return TRUE;
}

static const struct report_sink ACCOUNT = { on_mail, on_begin, on_record, on_end, on_failure, on_tls,
	on_unreadable };

/* A place names a file around the report, or is the whole mail. */
static gboolean is_around(const char *place, const char *around)
{
	g_auto(GStrv) names = g_strsplit(around, "/", -1);

	if (strcmp(place, "mail") == 0)
		return TRUE;
	for (char **name = names; *name != NULL; name++)
		if (**name != '\0' && strstr(place, *name) != NULL)
			return TRUE;
	return FALSE;
}

/* It, or what it is in, has no name. */
static gboolean is_nameless(const char *around)
{
	return *around == '\0' || strstr(around, "/?/") != NULL;
}

static gboolean is_quarantined(const struct account *a, const struct planted *planted)
{
	for (guint i = 0; i < a->places->len; i++)
		if (is_around(g_ptr_array_index(a->places, i), planted->around->str))
			return TRUE;
	/* it has no name: any place without a name can be its */
	for (guint i = 0; i < a->places->len && is_nameless(planted->around->str); i++)
		if (strstr(g_ptr_array_index(a->places, i), "-x") == NULL)
			return TRUE;
	return FALSE;
}

static char *check_report(const struct account *a, guint i)
{
	const struct planted *planted = planted_of(a, i);
	guint read = 0;

	for (guint k = 0; k < planted->n; k++) {
		guint seen = a->seen[planted->first + k];

		if (seen > 1)
			return g_strdup_printf(
			    "doc-%u: record %u was read %u times", i, planted->first + k, seen);
		read += seen;
	}
	if ((a->answer[i].read && (a->answer[i].noted || read == planted->n)) || is_quarantined(a, planted) ||
	    is_cut_off(a, i))
		return NULL;
	return g_strdup_printf("doc-%u in \"%s\": %s, %u of its %u records\n%s", i, planted->around->str,
	    a->answer[i].read ? "read" : "not read", read, planted->n, a->words->str);
}

char *account_for(const struct generated *generated)
{
	const struct parser_options options = { .limits = PARSER_LIMITS_DEFAULT };
	guint n = generated->planted->len;
	struct account a = { .generated = generated,
		.open = g_array_new(FALSE, FALSE, sizeof(guint)),
		.places = g_ptr_array_new_with_free_func(g_free),
		.words = g_string_new(NULL) };
	char *fault = NULL;

	for (guint i = 0; i < n; i++)
		a.n_records += planted_of(&a, i)->n;
	a.answer = g_new0(struct answer, n + 1);
	a.seen = g_new0(guint, a.n_records + 1);
	if (!parse_document(generated->mail->data, generated->mail->len, &options, &ACCOUNT, &a, NULL))
		fault = g_strdup("the sink did not fail");
	if (fault == NULL && a.unknown)
		fault = g_strdup("something was read that is not in the mail");
	if (fault == NULL && a.mixed)
		fault = g_strdup("a record of one report was read as another's");
	for (guint i = 0; i < n && fault == NULL; i++)
		fault = check_report(&a, i);
	g_free(a.answer);
	g_free(a.seen);
	g_array_unref(a.open);
	g_ptr_array_unref(a.places);
	g_string_free(a.words, TRUE);
	return fault;
}
