#include "server/notify/notify.h"

#include "parser/error.h"
#include "server/common/log.h"
#include "server/database/db.h"
#include "server/database/role.h"
#include "server/notify/destinations.h"
#include "server/notify/digests.h"
#include "server/notify/notice.h"
#include "server/notify/notice_hook.h"
#include "server/notify/outbox.h"

#define LOOK "SELECT ruad.notices_look($1::boolean, $2::jsonb, $3::integer, $4::bigint)"
#define TAKE                                                                                                 \
	"SELECT event, key, kind, domain, source, severity, title, evidence, action, since, gone_since "     \
	"FROM ruad.notices_take($1::text[])"

struct notify {
	const struct settings *settings;
	struct server_watch watch;
	struct db *db;                 /* NULL while it is unavailable */
	gboolean database_failed;      /* which was logged */
	GHashTable *failures;          /* of outbox_send(), and of digests: what was logged last */
	GPtrArray *digests;            /* of settings_sections() */
	const struct settings *digest; /* the one that queue_digest() is about */
};

struct notify *notify_new(const struct settings *settings, const struct server_watch *watch)
{
	struct notify *notify = g_new0(struct notify, 1);

	notify->settings = settings;
	notify->watch = *watch;
	notify->failures = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	notify->digests = settings_sections(settings, "digest");
	return notify;
}

void notify_free(struct notify *notify)
{
	if (notify == NULL)
		return;
	db_close(notify->db);
	g_hash_table_unref(notify->failures);
	g_ptr_array_unref(notify->digests);
	g_free(notify);
}

static gboolean open_database(struct notify *notify, GError **error)
{
	const char *conninfo = settings_string(notify->settings, "database.notify_url");
	g_auto(GStrv) destinations = destinations_all(notify->settings);

	if (notify->db != NULL)
		return TRUE;
	if (*conninfo == '\0')
		conninfo = settings_string(notify->settings, "database.url");
	notify->db = db_open(conninfo, "ruad-notify", error);
	if (notify->db != NULL && (!role_assume(notify->db, "ruad_notify", error) ||
				      !outbox_keep(notify->db, (const char *const *)destinations, error)))
		g_clear_pointer(&notify->db, db_close);
	return notify->db != NULL;
}

static gboolean look(struct notify *notify, gboolean at_once, GError **error)
{
	g_autofree char *server = server_conditions(&notify->watch);
	g_autofree char *hours =
	    g_strdup_printf("%" G_GINT64_FORMAT, settings_int(notify->settings, "notify.no_reports"));
	g_autofree char *max_raw = g_strdup_printf("%" G_GINT64_FORMAT,
	    (gint64)MIN(settings_size(notify->settings, "retention.max_raw"), (guint64)G_MAXINT64));
	const struct db_value params[] = { DB_TEXT(at_once ? "true" : "false"), DB_TEXT(server),
		DB_TEXT(hours), DB_TEXT(max_raw) };

	return db_exec(notify->db, LOOK, params, G_N_ELEMENTS(params), error);
}

/* -- telling -- */

/* The notices in rows, which they borrow from. */
static struct notice *read_notices(const struct db_rows *rows)
{
	gsize n = db_rows_count(rows);
	struct notice *notice = g_new0(struct notice, n);

	for (gsize i = 0; i < n; i++)
		notice[i] = (struct notice){
			.event = db_rows_get(rows, i, 0),
			.key = db_rows_get(rows, i, 1),
			.kind = db_rows_get(rows, i, 2),
			.domain = db_rows_get(rows, i, 3),
			.source = db_rows_get(rows, i, 4),
			.severity = db_rows_get(rows, i, 5),
			.title = db_rows_get(rows, i, 6),
			.evidence = db_rows_get(rows, i, 7),
			.action = db_rows_get(rows, i, 8),
			.since = db_rows_get(rows, i, 9),
			.gone_since = db_rows_get(rows, i, 10),
		};
	return notice;
}

/* Queue content for some of the destinations; without any, nothing. */
static gboolean queue(struct notify *notify, const char *const *destinations, GBytes *content, GError **error)
{
	gboolean queued = FALSE;

	if (destinations[0] == NULL)
		return TRUE;
	if (!outbox_add(notify->db, "notices", destinations, content, &queued, error))
		return FALSE;
	if (!queued) /* filled since ruad.notices_take() looked */
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "too many messages wait to be sent");
	return queued;
}

static gboolean queue_mail(struct notify *notify, const struct notices *notices, GError **error)
{
	g_auto(GStrv) destinations = destinations_mail(settings_list(notify->settings, "notify.mail_to"));
	g_autoptr(GBytes) message = notice_message(notify->settings, notices);

	return queue(notify, (const char *const *)destinations, message, error);
}

static gboolean queue_webhook(struct notify *notify, const struct notices *notices, GError **error)
{
	const char *const destinations[] = {
		*settings_string(notify->settings, "notify.webhook") != '\0' ? DESTINATION_WEBHOOK : NULL,
		NULL
	};
	g_autoptr(GBytes) document = notice_hook(
	    notices, (enum webhook_format)settings_choice(notify->settings, "notify.webhook_format"));

	return queue(notify, destinations, document, error);
}

/* What is taken counts as told when the transaction commits, and only then is it queued. */
static gboolean take_notices(struct notify *notify, const char *const *destinations, GError **error)
{
	g_autofree char *array = outbox_array(destinations);
	struct db_rows *rows = db_query(notify->db, TAKE, &DB_TEXT(array), 1, error);
	g_autofree struct notice *notice = rows != NULL ? read_notices(rows) : NULL;
	struct notices notices = { notice, 0, g_get_host_name() };
	gboolean good = rows != NULL;

	if (good)
		notices.n = db_rows_count(rows);
	if (notices.n > 0)
		good = queue_mail(notify, &notices, error) && queue_webhook(notify, &notices, error);
	db_rows_free(rows);
	return good;
}

/* Without a destination nothing counts as told: one may be set later. */
static gboolean tell(struct notify *notify, GError **error)
{
	g_auto(GStrv) destinations = destinations_notices(notify->settings);

	return destinations[0] == NULL || take_notices(notify, (const char *const *)destinations, error);
}

static gboolean queue_digest(struct notify *notify, GError **error)
{
	return digests_queue(notify->db, notify->digest, error);
}

/* Call work in a transaction, which it undoes by failing. */
static gboolean in_transaction(
    struct notify *notify, gboolean (*work)(struct notify *notify, GError **error), GError **error)
{
	if (db_exec(notify->db, "BEGIN", NULL, 0, error) && work(notify, error) &&
	    db_exec(notify->db, "COMMIT", NULL, 0, error))
		return TRUE;
	if (db_alive(notify->db) && !db_exec(notify->db, "ROLLBACK", NULL, 0, NULL))
		g_debug("rollback failed");
	return FALSE;
}

/* -- digests -- */

/* Log the failure of a digest once, until its message changes. */
static void note_digest(struct notify *notify, const GError *error)
{
	const char *name = settings_name(notify->digest);
	g_autofree char *key = name == NULL ? g_strdup("[digest]") : g_strdup_printf("[digest %s]", name);

	if (error == NULL)
		g_hash_table_remove(notify->failures, key);
	else if (g_strcmp0(g_hash_table_lookup(notify->failures, key), error->message) != 0) {
		log_warning("%s is not sent: %s", key, error->message);
		g_hash_table_replace(notify->failures, g_steal_pointer(&key), g_strdup(error->message));
	}
}

/* One that cannot be made does not stop the others. Returns FALSE if the database is unavailable. */
static gboolean queue_digests(struct notify *notify, GError **error)
{
	for (guint i = 0; i < notify->digests->len; i++) {
		g_autoptr(GError) cause = NULL;

		notify->digest = notify->digests->pdata[i];
		if (!in_transaction(notify, queue_digest, &cause) && !db_alive(notify->db)) {
			g_propagate_error(error, g_steal_pointer(&cause));
			return FALSE;
		}
		note_digest(notify, cause);
	}
	return TRUE;
}

/* -- a round -- */

/* Log a failure once, until a round succeeds again. */
static void note_failure(struct notify *notify, const GError *error)
{
	if (!notify->database_failed)
		log_warning("%s", error->message);
	notify->database_failed = TRUE;
	if (notify->db != NULL && !db_alive(notify->db))
		g_clear_pointer(&notify->db, db_close);
}

/* What waits is sent even if the search fails. */
gboolean notify_round(struct notify *notify, gboolean at_once)
{
	g_autoptr(GError) error = NULL;
	gboolean good = open_database(notify, &error) && look(notify, at_once, &error) &&
			in_transaction(notify, tell, &error) && queue_digests(notify, &error);

	if (!good)
		note_failure(notify, error);
	g_clear_error(&error);
	if (notify->db != NULL && !outbox_send(notify->db, notify->settings, notify->failures, &error)) {
		note_failure(notify, error);
		good = FALSE;
	}
	notify->database_failed = !good;
	return good;
}
