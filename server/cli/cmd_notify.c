/*
 * cmd_notify.c - ruad notify: lists and silences the notices that ruad-notify sends, and tests their
 * destinations.
 */
#include <stdio.h>

#include "server/cli/commands.h"
#include "server/cli/database.h"
#include "server/cli/identity.h"
#include "server/cli/moment.h"
#include "server/cli/settings_check.h"
#include "server/common/visible.h"
#include "server/notify/destinations.h"
#include "server/notify/notice_hook.h"

#define COMMAND "notify"
#define LIST    "SELECT key, state, severity, since, told_at, silenced_until, title FROM ruad.notice_list()"
#define SILENCE "SELECT ruad.notice_silence($1::text, $2::timestamptz, $3::text)"
#define PAST    "-infinity"

/* The request of the command line. */
struct wish {
	gboolean list, test;
	char *silence, *unsilence; /* keys */
	char *until;               /* as typed */
	char *moment;              /* the same for PostgreSQL; NULL: for ever */
	char *user;                /* who made the request */
};

/* -- list and silence -- */

static void print_row(const struct db_rows *rows, gsize i)
{
	const char *told = db_rows_get(rows, i, 4);
	const char *until = db_rows_get(rows, i, 5);
	g_autofree char *title = visible_text(db_rows_get(rows, i, 6));

	printf("%-8s %-7s %s %s\n         since %s, %s%s", db_rows_get(rows, i, 1), db_rows_get(rows, i, 2),
	    db_rows_get(rows, i, 0), title, db_rows_get(rows, i, 3), told != NULL ? "sent " : "not sent",
	    told != NULL ? told : "");
	if (until != NULL)
		printf(", silenced %s%s", g_str_equal(until, "infinity") ? "for ever" : "until ",
		    g_str_equal(until, "infinity") ? "" : until);
	putchar('\n');
}

static gboolean list(struct db *db, gpointer user G_GNUC_UNUSED, GError **error)
{
	struct db_rows *rows = db_query(db, LIST, NULL, 0, error);

	if (rows == NULL)
		return FALSE;
	for (gsize i = 0; i < db_rows_count(rows); i++)
		print_row(rows, i);
	db_rows_free(rows);
	return TRUE;
}

static gboolean silence(struct db *db, gpointer user, GError **error)
{
	const struct wish *wish = user;
	const struct db_value params[] = {
		DB_TEXT(wish->silence != NULL ? wish->silence : wish->unsilence),
		DB_TEXT(wish->unsilence != NULL ? PAST : wish->moment),
		DB_TEXT(wish->user),
	};

	return db_exec(db, SILENCE, params, G_N_ELEMENTS(params), error);
}

/* -- test -- */

/* Send to one destination, and print what it answered. */
static gboolean test_destination(
    const struct settings *settings, const char *destination, GBytes *message, GBytes *document)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *key = g_uuid_string_random();
	g_autofree char *said = destination_send(settings, destination, key,
	    g_str_equal(destination, DESTINATION_WEBHOOK) ? document : message, &error);
	g_autofree char *visible = visible_text(said != NULL ? said : error->message);

	printf("%s: %s%s\n", destination, said != NULL ? "" : "failed: ", visible);
	return said != NULL;
}

static int test(const struct settings *settings)
{
	const struct notices notices = { &notice_of_test, 1, g_get_host_name() };
	g_auto(GStrv) destinations = destinations_notices(settings);
	g_autoptr(GBytes) document =
	    notice_hook(&notices, (enum webhook_format)settings_choice(settings, "notify.webhook_format"));
	g_autoptr(GBytes) message = NULL;
	g_autoptr(GError) error = NULL;
	int code = COMMAND_OK;

	if (!settings_check(settings, &error))
		return command_fail(COMMAND, COMMAND_CONFIG, "%s", error->message);
	if (destinations[0] == NULL)
		return command_fail(
		    COMMAND, COMMAND_CONFIG, "[notify] has no destination: set mail_to or webhook");
	if (!identity_become(settings_string(settings, "server.user"), FALSE, &error))
		return command_failed(COMMAND, error);
	message = notice_message(settings, &notices);
	for (gsize i = 0; destinations[i] != NULL; i++)
		if (!test_destination(settings, destinations[i], message, document))
			code = COMMAND_FAILED;
	return code;
}

/* -- the command -- */

/* Returns what is wrong with the arguments, or NULL; reads the date. */
static const char *objection(struct wish *wish, int argc)
{
	int wishes = wish->list + wish->test + (wish->silence != NULL) + (wish->unsilence != NULL);

	if (argc > 1)
		return "takes no operands";
	if (wishes != 1)
		return "takes one of --list, --silence, --unsilence and --test";
	if (wish->until != NULL && wish->silence == NULL)
		return "--until goes with --silence";
	if (wish->until != NULL && (wish->moment = moment_read(wish->until)) == NULL)
		return "--until takes YYYY-MM-DD, or a time of RFC 3339";
	return NULL;
}

static int run(const struct settings *settings, struct wish *wish)
{
	if (wish->test)
		return test(settings);
	wish->user = identity_user_name(); /* before the process becomes another user */
	return database_run(settings, COMMAND, FALSE, wish->list ? list : silence, wish);
}

int command_notify(const struct settings *settings, int argc, char **argv)
{
	struct wish wish = { 0 };
	const char *wrong;
	int code;
	const GOptionEntry entries[] = {
		{ "list", 0, 0, G_OPTION_ARG_NONE, &wish.list, NULL, NULL },
		{ "silence", 0, 0, G_OPTION_ARG_STRING, &wish.silence, NULL, NULL },
		{ "unsilence", 0, 0, G_OPTION_ARG_STRING, &wish.unsilence, NULL, NULL },
		{ "until", 0, 0, G_OPTION_ARG_STRING, &wish.until, NULL, NULL },
		{ "test", 0, 0, G_OPTION_ARG_NONE, &wish.test, NULL, NULL },
		G_OPTION_ENTRY_NULL,
	};

	if (!command_options(entries, &argc, &argv))
		return COMMAND_USAGE;
	wrong = objection(&wish, argc);
	code = wrong != NULL ? command_fail(COMMAND, COMMAND_USAGE, "%s", wrong) : run(settings, &wish);
	g_free(wish.silence);
	g_free(wish.unsilence);
	g_free(wish.until);
	g_free(wish.moment);
	g_free(wish.user);
	return code;
}
