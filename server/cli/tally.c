#include "server/cli/tally.h"

#include "parser/error.h"

void tally_init(struct tally *tally)
{
	*tally = (struct tally){ .unreadable = g_ptr_array_new_with_free_func(g_free) };
}

void tally_clear(struct tally *tally)
{
	g_clear_pointer(&tally->unreadable, g_ptr_array_unref);
}

static gboolean on_mail(gpointer user, const struct mail_header *mail, GError **error)
{
	struct tally *tally = user;

	(void)error;
	tally->authentic = mail->authentic;
	return TRUE;
}

static gboolean on_begin(gpointer user, const char *place, GError **error)
{
	(void)user;
	(void)place;
	(void)error;
	return TRUE;
}

static gboolean on_record(gpointer user, const struct aggregate_record *record, GError **error)
{
	(void)user;
	(void)record;
	(void)error;
	return TRUE;
}

static gboolean on_report(struct tally *tally)
{
	tally->reports++;
	return TRUE;
}

static gboolean on_end(gpointer user, const struct aggregate_header *header, GError **error)
{
	(void)header;
	(void)error;
	return on_report(user);
}

static gboolean on_failure(
    gpointer user, const char *place, const struct failure_report *failure, GError **error)
{
	(void)place;
	(void)failure;
	(void)error;
	return on_report(user);
}

static gboolean on_tls(gpointer user, const char *place, const struct tls_report *tls, GError **error)
{
	(void)place;
	(void)tls;
	(void)error;
	return on_report(user);
}

static gboolean on_unreadable(gpointer user, const struct unreadable *unreadable, GError **error)
{
	struct tally *tally = user;

	(void)error;
	g_ptr_array_add(tally->unreadable, g_strdup(unreadable->code));
	return TRUE;
}

gboolean tally_read(struct tally *tally, struct pool *pool, GBytes *document, GError **error)
{
	static const struct report_sink sink = { .mail = on_mail,
		.report_begin = on_begin,
		.record = on_record,
		.report_end = on_end,
		.failure = on_failure,
		.tls = on_tls,
		.unreadable = on_unreadable };
	g_autoptr(GError) why = NULL;
	gsize size = 0;
	const guint8 *bytes = g_bytes_get_data(document, &size);
	guint reports = tally->reports;
	guint unreadable = tally->unreadable->len;
	const struct pool_job job = { .document = bytes, .size = size, .sink = &sink, .user = tally };

	if (pool_run(pool, &job, &why))
		return TRUE;
	if (!g_error_matches(why, RUAD_ERROR, RUAD_ERROR_SYNTAX)) {
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	tally->reports = reports; /* the output of a failed worker does not count */
	g_ptr_array_set_size(tally->unreadable, (gint)unreadable);
	g_ptr_array_add(tally->unreadable, g_strdup("worker"));
	return TRUE;
}
