#include "server/notify/digests.h"

#include "parser/error.h"
#include "server/common/log.h"
#include "server/common/message.h"
#include "server/digest/digest.h"
#include "server/notify/destinations.h"
#include "server/notify/outbox.h"

#define TAKE "SELECT ruad.digest_take($1::text, $2::integer, $3::text[])"

/* The words of notify.digest, as the database knows them. */
static const char *const periods[] = { NULL, "week", "month" };

static gboolean queue(struct db *db, const struct settings *settings, const char *const *destinations,
    const char *answer, GError **error)
{
	g_autofree char *sender = message_sender(settings);
	const struct mime_envelope envelope = {
		.from = sender, .to = settings_list(settings, "notify.mail_to"), .crlf = TRUE
	};
	struct digest *digest = digest_read(answer, error);
	g_autoptr(GBytes) message = digest != NULL ? digest_message(digest, &envelope, error) : NULL;
	gboolean queued = FALSE;

	digest_free(digest);
	if (message == NULL || !outbox_add(db, "digest", destinations, message, &queued, error))
		return FALSE;
	if (!queued) /* filled since ruad.digest_take() looked */
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "too many messages wait to be sent");
	return queued;
}

gboolean digests_queue(struct db *db, const struct settings *settings, GError **error)
{
	const char *period = periods[settings_choice(settings, "notify.digest")];
	g_autofree char *hour =
	    g_strdup_printf("%" G_GINT64_FORMAT, settings_int(settings, "notify.digest_hour"));
	g_auto(GStrv) destinations = destinations_mail(settings);
	g_autofree char *array = outbox_array((const char *const *)destinations);
	const struct db_value params[] = { DB_TEXT(period), DB_TEXT(hour), DB_TEXT(array) };
	struct db_rows *rows;
	gboolean good;

	if (period == NULL || destinations[0] == NULL)
		return TRUE;
	rows = db_query(db, TAKE, params, G_N_ELEMENTS(params), error);
	if (rows == NULL)
		return FALSE;
	good = db_rows_get(rows, 0, 0) == NULL ||
	       queue(db, settings, (const char *const *)destinations, db_rows_get(rows, 0, 0), error);
	db_rows_free(rows);
	return good;
}
