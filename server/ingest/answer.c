#include "server/ingest/answer.h"

#include <stdlib.h>

#include "parser/error.h"

/* The columns in the order of ANSWER_COLUMNS. */
enum {
	COLUMN_MAIL_NO,
	COLUMN_ITEM_NO,
	COLUMN_MAIL_ID,
	COLUMN_STORED,
	COLUMN_DUPLICATES,
	COLUMN_CONFLICTS,
	COLUMN_UNREADABLE,
	COLUMN_KEEP_RAW,
	COLUMN_REPORT,
	COLUMN_DOMAIN_ID,
	COLUMN_REPORTER_ID,
	COLUMN_DAY,
	COLUMN_EPOCH
};

struct answer {
	struct db_rows *rows;
	struct found *const *mails;
	guint n;
	gboolean *answered; /* for each mail: its row was read */
	const char **keeps; /* number of each mail whose bytes must be stored, or NULL */
	GArray *reports;    /* struct new_report, by mail and item_no */
	gint64 epoch;
};

static gboolean refuse(GError **error, const char *what, const char *value)
{
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "database: ruad.ingest() gave %s \"%s\"", what,
	    value ? value : "NULL");
	return FALSE;
}

static guint row_count(const struct db_rows *rows, gsize row, guint column)
{
	const char *text = db_rows_get(rows, row, column);

	return text ? (guint)strtoul(text, NULL, 10) : 0;
}

/* Read a date such as "2026-11-29". */
static gboolean read_day(const char *text, struct new_report *report, GError **error)
{
	g_auto(GStrv) words = g_strsplit(text ? text : "", "-", 3);
	guint64 year, month, day;

	if (g_strv_length(words) != 3 || !g_ascii_string_to_unsigned(words[0], 10, 1, 9999, &year, NULL) ||
	    !g_ascii_string_to_unsigned(words[1], 10, 1, 12, &month, NULL) ||
	    !g_ascii_string_to_unsigned(words[2], 10, 1, 31, &day, NULL))
		return refuse(error, "a day", text);
	report->month = (guint32)(year * 12 + month);
	report->record.day = binary_day((int)year, (int)month, (int)day);
	report->day = text;
	return TRUE;
}

static gboolean read_report(struct answer *answer, gsize row, guint mail, GError **error)
{
	const struct db_rows *rows = answer->rows;
	struct new_report report = { .mail = mail };
	gint64 item_no = 0, id = 0, domain_id = 0, reporter_id = 0;

	if (!db_rows_number(rows, row, COLUMN_ITEM_NO, 1, G_MAXUINT32, &item_no, error) ||
	    !db_rows_number(rows, row, COLUMN_REPORT, 1, G_MAXINT64, &id, error) ||
	    !db_rows_number(rows, row, COLUMN_DOMAIN_ID, 0, G_MAXINT32, &domain_id, error) ||
	    !read_day(db_rows_get(rows, row, COLUMN_DAY), &report, error))
		return FALSE;
	report.record.has_reporter = db_rows_get(rows, row, COLUMN_REPORTER_ID) != NULL;
	if (report.record.has_reporter &&
	    !db_rows_number(rows, row, COLUMN_REPORTER_ID, 0, G_MAXINT32, &reporter_id, error))
		return FALSE;
	report.item_no = (guint)item_no;
	report.domain_id = db_rows_get(rows, row, COLUMN_DOMAIN_ID);
	report.record.report = id;
	report.record.domain_id = (gint32)domain_id;
	report.record.reporter_id = (gint32)reporter_id;
	if (!found_report_begin(answer->mails[mail], report.item_no, &report.record.begin))
		return refuse(error, "a report of item", db_rows_get(rows, row, COLUMN_ITEM_NO));
	g_array_append_val(answer->reports, report);
	return TRUE;
}

static gboolean read_mail(struct answer *answer, gsize row, guint mail, GError **error)
{
	const char *keep = db_rows_get(answer->rows, row, COLUMN_KEEP_RAW);
	gint64 id = 0;

	if (!db_rows_number(answer->rows, row, COLUMN_MAIL_ID, 1, G_MAXINT64, &id, error))
		return FALSE;
	*found_counts(answer->mails[mail]) =
	    (struct intake_counts){ .stored = row_count(answer->rows, row, COLUMN_STORED),
		    .duplicates = row_count(answer->rows, row, COLUMN_DUPLICATES),
		    .conflicts = row_count(answer->rows, row, COLUMN_CONFLICTS),
		    .unreadable = row_count(answer->rows, row, COLUMN_UNREADABLE),
		    .mail = id };
	if (keep && *keep == 't')
		answer->keeps[mail] = db_rows_get(answer->rows, row, COLUMN_MAIL_ID);
	return TRUE;
}

static gboolean read_row(struct answer *answer, gsize row, guint *n_mails, GError **error)
{
	gint64 mail_no;

	if (!db_rows_number(answer->rows, row, COLUMN_MAIL_NO, 1, answer->n, &mail_no, error))
		return FALSE;
	if (db_rows_get(answer->rows, row, COLUMN_ITEM_NO))
		return read_report(answer, row, (guint)mail_no - 1, error) &&
		       db_rows_number(
			   answer->rows, row, COLUMN_EPOCH, G_MININT64, G_MAXINT64, &answer->epoch, error);
	if (answer->answered[mail_no - 1])
		return refuse(error, "two rows for mail", db_rows_get(answer->rows, row, COLUMN_MAIL_NO));
	answer->answered[mail_no - 1] = TRUE;
	(*n_mails)++;
	return read_mail(answer, row, (guint)mail_no - 1, error);
}

static gint compare_reports(gconstpointer a, gconstpointer b)
{
	const struct new_report *x = a, *y = b;

	if (x->mail != y->mail)
		return x->mail < y->mail ? -1 : 1;
	return (x->item_no > y->item_no) - (x->item_no < y->item_no);
}

static gboolean read_rows(struct answer *answer, GError **error)
{
	guint n_mails = 0;

	for (gsize row = 0; row < db_rows_count(answer->rows); row++)
		if (!read_row(answer, row, &n_mails, error))
			return FALSE;
	g_array_sort(answer->reports, compare_reports);
	if (n_mails == answer->n)
		return TRUE;
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "database: ruad.ingest() speaks of %u mails of %u",
	    n_mails, answer->n);
	return FALSE;
}

struct answer *answer_new(struct db_rows *rows, struct found *const *mails, guint n, GError **error)
{
	struct answer *answer = g_new0(struct answer, 1);

	answer->rows = rows;
	answer->mails = mails;
	answer->n = n;
	answer->answered = g_new0(gboolean, n);
	answer->keeps = g_new0(const char *, n);
	answer->reports = g_array_new(FALSE, FALSE, sizeof(struct new_report));
	if (read_rows(answer, error))
		return answer;
	answer_free(answer);
	return NULL;
}

void answer_free(struct answer *answer)
{
	if (!answer)
		return;
	db_rows_free(answer->rows);
	g_free(answer->answered);
	g_free(answer->keeps);
	g_array_unref(answer->reports);
	g_free(answer);
}

static gint compare_mails(gconstpointer a, gconstpointer b)
{
	const struct new_report *x = a, *y = b;

	return (x->mail > y->mail) - (x->mail < y->mail);
}

gboolean answer_has_reports(const struct answer *answer, guint mail)
{
	const struct new_report wanted = { .mail = mail };

	return g_array_binary_search(answer->reports, &wanted, compare_mails, NULL);
}

const struct new_report *answer_report(const struct answer *answer, guint mail, guint item_no)
{
	const struct new_report wanted = { .mail = mail, .item_no = item_no };
	guint index;

	if (!g_array_binary_search(answer->reports, &wanted, compare_reports, &index))
		return NULL;
	return &g_array_index(answer->reports, struct new_report, index);
}

gboolean answer_epoch(const struct answer *answer, gint64 *epoch)
{
	*epoch = answer->epoch;
	return answer->reports->len > 0;
}

const char *answer_keeps(const struct answer *answer, guint mail)
{
	return answer->keeps[mail];
}
