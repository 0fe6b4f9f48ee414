#include "server/notify/digests.h"

#include "parser/error.h"
#include "server/common/message.h"
#include "server/digest/digest.h"
#include "server/notify/destinations.h"
#include "server/notify/outbox.h"

#define TAKE "SELECT ruad.digest_take($1::text, $2::text, $3::integer, $4::text[], $5::text[], $6::text)"

/* The words of digest.period, as the database knows them. */
static const char *const periods[] = { NULL, "week", "month" };

static gboolean queue(struct db *db, const struct settings *settings, const char *const *destinations,
    const char *answer, GError **error)
{
	g_autofree char *sender = message_sender(settings);
	const struct mime_envelope envelope = {
		.from = sender, .to = destinations_digest(settings), .crlf = TRUE
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

gboolean digests_queue(struct db *db, const struct settings *digest, GError **error)
{
	const char *name = settings_name(digest) != NULL ? settings_name(digest) : "";
	const char *period = periods[settings_choice(digest, "digest.period")];
	const char *const *domains = settings_list(digest, "digest.domains");
	const char *user = settings_string(digest, "digest.user");
	g_autofree char *hour = g_strdup_printf("%" G_GINT64_FORMAT, settings_int(digest, "digest.hour"));
	g_auto(GStrv) destinations = destinations_mail(destinations_digest(digest));
	g_autofree char *to = outbox_array((const char *const *)destinations);
	g_autofree char *names = domains[0] != NULL ? outbox_array(domains) : NULL;
	const struct db_value params[] = { DB_TEXT(name), DB_TEXT(period), DB_TEXT(hour), DB_TEXT(to),
		DB_TEXT(names), DB_TEXT(*user != '\0' ? user : NULL) };
	struct db_rows *rows;
	gboolean good;

	if (period == NULL || destinations[0] == NULL)
		return TRUE;
	rows = db_query(db, TAKE, params, G_N_ELEMENTS(params), error);
	if (rows == NULL)
		return FALSE;
	good = db_rows_get(rows, 0, 0) == NULL ||
	       queue(db, digest, (const char *const *)destinations, db_rows_get(rows, 0, 0), error);
	db_rows_free(rows);
	return good;
}
