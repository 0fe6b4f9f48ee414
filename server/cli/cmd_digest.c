/*
 * cmd_digest.c - ruad digest: prints the digest of the last whole week or month.
 */
#include <stdio.h>
#include <string.h>

#include "server/cli/commands.h"
#include "server/cli/database.h"
#include "server/cli/moment.h"
#include "server/common/message.h"
#include "server/digest/digest.h"

#define COMMAND "digest"

/* The request of the command line. */
struct request {
	const struct settings *settings;
	struct digest_wish wish;
	gboolean week, month; /* as given */
	gboolean text, html, eml;
	char *until;
	char *user;
	char **domains;
};

/* The mail that ruad-notify would send. */
static gboolean print_message(const struct settings *settings, const struct digest *digest, GError **error)
{
	g_autofree char *sender = message_sender(settings);
	const struct mime_envelope envelope = { .from = sender,
		.to = settings_list(settings, "notify.mail_to") };
	g_autoptr(GBytes) message = digest_message(digest, &envelope, error);

	if (message == NULL)
		return FALSE;
	fwrite(g_bytes_get_data(message, NULL), 1, g_bytes_get_size(message), stdout);
	return TRUE;
}

static gboolean print(const struct request *request, const struct digest *digest, GError **error)
{
	g_autofree char *text = NULL;

	if (request->eml)
		return print_message(request->settings, digest, error);
	text = request->html ? digest_html(digest) : digest_text(digest);
	fputs(text, stdout);
	return TRUE;
}

static gboolean fulfil(struct db *db, gpointer user, GError **error)
{
	const struct request *request = user;
	struct digest *digest = digest_fetch(db, &request->wish, error);
	gboolean good = digest != NULL && print(request, digest, error);

	digest_free(digest);
	return good;
}

/* Returns whether text is a day, YYYY-MM-DD. */
static gboolean is_day(const char *text)
{
	g_autofree char *moment = strlen(text) == strlen("2026-11-20") ? moment_read(text) : NULL;

	return moment != NULL;
}

/* Returns what is wrong with the arguments, or NULL. */
static const char *objection(const struct request *request, int argc)
{
	if (argc > 1)
		return "takes no operand; name domains by --domain";
	if (request->week && request->month)
		return "say --week or --month";
	if (request->text + request->html + request->eml > 1)
		return "say one of --print, --html and --eml";
	if (request->until != NULL && !is_day(request->until))
		return "--until takes a day, YYYY-MM-DD";
	if (request->user != NULL && request->domains != NULL)
		return "say --domain or --user";
	return NULL;
}

int command_digest(const struct settings *settings, int argc, char **argv)
{
	struct request request = { .settings = settings };
	const char *wrong;
	int code;
	const GOptionEntry entries[] = {
		{ "week", 0, 0, G_OPTION_ARG_NONE, &request.week, NULL, NULL },
		{ "month", 0, 0, G_OPTION_ARG_NONE, &request.month, NULL, NULL },
		{ "until", 0, 0, G_OPTION_ARG_STRING, &request.until, NULL, NULL },
		{ "domain", 0, 0, G_OPTION_ARG_STRING_ARRAY, &request.domains, NULL, NULL },
		{ "user", 0, 0, G_OPTION_ARG_STRING, &request.user, NULL, NULL },
		{ "print", 0, 0, G_OPTION_ARG_NONE, &request.text, NULL, NULL },
		{ "html", 0, 0, G_OPTION_ARG_NONE, &request.html, NULL, NULL },
		{ "eml", 0, 0, G_OPTION_ARG_NONE, &request.eml, NULL, NULL },
		G_OPTION_ENTRY_NULL,
	};

	if (!command_options(entries, &argc, &argv))
		return COMMAND_USAGE;
	request.wish = (struct digest_wish){ .period = request.month ? "month" : "week",
		.until = request.until,
		.domains = (const char *const *)request.domains,
		.user = request.user };
	wrong = objection(&request, argc);
	code = wrong != NULL ? command_fail(COMMAND, COMMAND_USAGE, "%s", wrong)
			     : database_run(settings, COMMAND, FALSE, fulfil, &request);
	g_free(request.until);
	g_free(request.user);
	g_strfreev(request.domains);
	return code;
}
