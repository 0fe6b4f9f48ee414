#include "tests/unit/ingest/fake_intake.h"

#include "parser/error.h"

struct intake *fake_intake_new(void)
{
	struct intake *intake = g_new0(struct intake, 1);

	g_mutex_init(&intake->lock);
	intake->mails = g_string_new(NULL);
	return intake;
}

void fake_intake_free(struct intake *intake)
{
	g_string_free(intake->mails, TRUE);
	g_mutex_clear(&intake->lock);
	g_free(intake);
}

char *fake_intake_mails(struct intake *intake)
{
	g_autoptr(GMutexLocker) G_GNUC_UNUSED locker = g_mutex_locker_new(&intake->lock);
	char *mails = g_strdup(intake->mails->str);

	g_string_truncate(intake->mails, 0);
	return mails;
}

gboolean intake_take(struct intake *intake, const struct envelope *envelope, const guint8 *document,
    gsize size, struct intake_counts *counts, GError **error)
{
	g_autoptr(GMutexLocker) G_GNUC_UNUSED locker = g_mutex_locker_new(&intake->lock);

	g_string_append_printf(intake->mails, "%s <%s>", envelope->source, envelope->from);
	for (const char *const *recipient = envelope->recipients; *recipient != NULL; recipient++)
		g_string_append_printf(intake->mails, " <%s>", *recipient);
	g_string_append_printf(intake->mails, ": %.*s|", (int)size, (const char *)document);
	if (!intake->fails) {
		*counts = intake->counts;
		log_fields_add(envelope->fields, FIELD_QUEUE_ID, intake->queue_id);
		log_fields_add(envelope->fields, FIELD_MESSAGE_ID, intake->message_id);
		return TRUE;
	}
	g_set_error_literal(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "the database is away");
	return FALSE;
}
