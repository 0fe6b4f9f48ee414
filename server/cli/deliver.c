#include "server/cli/deliver.h"

#include <string.h>

#include "parser/error.h"
#include "server/common/lmtp_client.h"
#include "server/common/report_mail.h"

struct deliver {
	const struct settings *settings;
	char *recipient;
	struct lmtp_client *client; /* NULL: it could not be reached */
};

/* Connect to one address; if that fails, add the reason to failures. */
static struct lmtp_client *try_address(const char *address, GString *failures)
{
	static const struct lmtp_client_times times = LMTP_CLIENT_TIMES;
	g_autoptr(GError) error = NULL;
	struct lmtp_client *client = lmtp_client_new(address, &times, &error);

	if (client == NULL)
		g_string_append_printf(failures, "%s%s", failures->len > 0 ? "; " : "", error->message);
	return client;
}

static struct lmtp_client *connect_to_server(const struct settings *settings, GError **error)
{
	const char *const *addresses = settings_list(settings, "lmtp.listen");
	g_autoptr(GString) failures = g_string_new(NULL);
	struct lmtp_client *client = NULL;

	for (; client == NULL && *addresses != NULL; addresses++)
		client = try_address(*addresses, failures);
	if (client == NULL)
		client = try_address(DELIVER_SYSTEMD_SOCKET, failures);
	if (client == NULL)
		g_set_error(
		    error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "no running ruad answers: %s", failures->str);
	return client;
}

struct deliver *deliver_new(const struct settings *settings, GError **error)
{
	const char *const *patterns = settings_list(settings, "lmtp.recipients");
	struct lmtp_client *client = connect_to_server(settings, error);
	struct deliver *deliver;

	if (client == NULL)
		return NULL;
	deliver = g_new0(struct deliver, 1);
	deliver->settings = settings;
	deliver->client = client;
	deliver->recipient = lmtp_client_recipient(patterns[0] != NULL ? patterns[0] : "postmaster");
	return deliver;
}

void deliver_free(struct deliver *deliver)
{
	if (deliver == NULL)
		return;
	lmtp_client_free(deliver->client);
	g_free(deliver->recipient);
	g_free(deliver);
}

gboolean deliver_alive(const struct deliver *deliver)
{
	return deliver->client != NULL;
}

/* A connection may have been lost since the last mail: the server was restarted, or waited long for us. */
static gboolean reconnect(struct deliver *deliver, GError **error)
{
	if (deliver->client != NULL && lmtp_client_alive(deliver->client))
		return TRUE;
	g_clear_pointer(&deliver->client, lmtp_client_free);
	deliver->client = connect_to_server(deliver->settings, error);
	return deliver->client != NULL;
}

static enum command_exit exit_of_error(const GError *error)
{
	if (g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX))
		return COMMAND_NOBODY;
	return g_error_matches(error, RUAD_ERROR, RUAD_ERROR_LIMIT) ? COMMAND_DATA : COMMAND_TEMPFAIL;
}

static enum command_exit exit_of_answer(const struct lmtp_answer *answer)
{
	return answer->code < 300 ? COMMAND_OK : answer->code < 500 ? COMMAND_TEMPFAIL : COMMAND_DATA;
}

static char *words_of_answer(const struct lmtp_answer *answer)
{
	if (answer->mail == 0)
		return g_strdup(answer->text);
	return g_strdup_printf(
	    "%s as mail %" G_GINT64_FORMAT, answer->is_quarantined ? "quarantined" : "stored", answer->mail);
}

enum command_exit deliver_document(
    struct deliver *deliver, GBytes *document, const char *name, gboolean *is_quarantined, char **words)
{
	g_autoptr(GBytes) mail = report_mail_of(document, name);
	g_autoptr(GError) error = NULL;
	struct lmtp_answer *answer = NULL;
	enum command_exit code;
	gsize size;
	const void *bytes = g_bytes_get_data(mail, &size);

	if (reconnect(deliver, &error))
		answer = lmtp_client_send(deliver->client, deliver->recipient, bytes, size, &error);
	if (answer == NULL) {
		*words = g_strdup(error->message);
		return exit_of_error(error);
	}
	code = exit_of_answer(answer);
	*words = words_of_answer(answer);
	*is_quarantined = answer->is_quarantined;
	lmtp_answer_free(answer);
	return code;
}
