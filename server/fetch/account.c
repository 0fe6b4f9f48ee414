#include "server/fetch/account.h"

#include <string.h>

#include <gio/gio.h>

#include "parser/error.h"
#include "server/fetch/imap_answer.h"

#define MOVE_PREFIX "move:"

enum tls { TLS_REQUIRED, TLS_NONE }; /* words of imap.tls */

gboolean account_is_set(const struct settings *settings)
{
	return settings_name(settings) != NULL || *settings_string(settings, "imap.url") != '\0';
}

void account_free(struct account *account)
{
	if (account == NULL)
		return;
	g_free(account->url);
	g_free(account->host);
	g_free(account->name);
	g_free(account->user);
	g_free(account->password);
	g_strfreev(account->token_command);
	g_free(account->mailbox);
	g_free(account->folder);
	g_free(account->ca_file);
	g_free(account);
}

/* -- imap.url -- */

static gboolean is_loopback(const char *host)
{
	g_autoptr(GInetAddress) address = g_inet_address_new_from_string(host);

	return address != NULL ? g_inet_address_get_is_loopback(address)
			       : g_ascii_strcasecmp(host, "localhost") == 0;
}

static gboolean is_bare(GUri *uri)
{
	const char *path = g_uri_get_path(uri);

	return g_uri_get_userinfo(uri) == NULL && g_uri_get_query(uri) == NULL &&
	       g_uri_get_fragment(uri) == NULL && (*path == '\0' || g_str_equal(path, "/"));
}

static gboolean take_url(struct account *account, const char *url, gboolean plain, GError **error)
{
	static const char key[] = "imap.url";
	g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_NONE, NULL);
	const char *scheme = uri != NULL ? g_uri_get_scheme(uri) : "";
	const char *host = uri != NULL ? g_uri_get_host(uri) : NULL;
	gboolean is_imap = g_str_equal(scheme, "imap");

	if ((!is_imap && !g_str_equal(scheme, "imaps")) || host == NULL || *host == '\0')
		return ruad_error_at(
		    error, key, "\"%s\": write imaps://HOST, imaps://HOST:PORT or imap://HOST", url);
	if (!is_bare(uri))
		return ruad_error_at(error, key,
		    "\"%s\": write only the host and its port: user, password and mailbox are settings of "
		    "their own",
		    url);
	if (plain && (!is_imap || !is_loopback(host)))
		return ruad_error_at(error, "imap.tls",
		    "none is only for imap:// and a server on this machine, such as imap://127.0.0.1");
	account->plain = plain;
	account->url = g_uri_to_string(uri);
	account->host = g_strdup(host);
	return TRUE;
}

/* -- the other keys -- */

static gboolean take_login(struct account *account, const struct settings *settings, GError **error)
{
	const char *password = settings_string(settings, "imap.password");
	const char *command = settings_string(settings, "imap.token_command");
	g_autoptr(GError) cause = NULL;

	account->user = g_strdup(settings_string(settings, "imap.user"));
	if (*account->user == '\0')
		return ruad_error_at(error, "imap.user", "empty: name the user of the account");
	if ((*password == '\0') == (*command == '\0'))
		return ruad_error_at(
		    error, "imap.password", "set imap.password_file or imap.token_command, and not both");
	if (*password != '\0')
		account->password = g_strdup(password);
	else if (!g_shell_parse_argv(command, NULL, &account->token_command, &cause))
		return ruad_error_at(error, "imap.token_command", "%s", cause->message);
	return TRUE;
}

static char *quote_mailbox(const char *key, const char *name, GError **error)
{
	char *quoted = *name == '\0' ? NULL : imap_quote(name);

	if (quoted == NULL)
		(void)ruad_error_at(error, key,
		    "\"%s\": not the name of a mailbox; write letters beyond ASCII as IMAP does "
		    "(Entw&APw-rfe)",
		    name);
	return quoted;
}

static gboolean take_after(struct account *account, const char *after, GError **error)
{
	if (g_str_equal(after, "mark"))
		account->after = AFTER_MARK;
	else if (g_str_equal(after, "delete"))
		account->after = AFTER_DELETE;
	else if (g_str_has_prefix(after, MOVE_PREFIX))
		account->after = AFTER_MOVE;
	else
		return ruad_error_at(
		    error, "imap.after", "\"%s\": none of: mark, move:FOLDER, delete", after);
	if (account->after == AFTER_MOVE)
		account->folder = quote_mailbox("imap.after", after + strlen(MOVE_PREFIX), error);
	return account->after != AFTER_MOVE || account->folder != NULL;
}

static gboolean take(struct account *account, const struct settings *settings, GError **error)
{
	const char *ca_file = settings_string(settings, "imap.ca_file");
	gboolean plain = settings_choice(settings, "imap.tls") == TLS_NONE;

	account->mailbox = quote_mailbox("imap.mailbox", settings_string(settings, "imap.mailbox"), error);
	account->ca_file = *ca_file == '\0' ? NULL : g_strdup(ca_file);
	account->poll = (guint)settings_seconds(settings, "imap.poll");
	if (account->mailbox == NULL ||
	    !take_url(account, settings_string(settings, "imap.url"), plain, error) ||
	    !take_login(account, settings, error) ||
	    !take_after(account, settings_string(settings, "imap.after"), error))
		return FALSE;
	account->name = g_strdup_printf("%s at %s", account->user, account->host);
	return TRUE;
}

struct account *account_new(const struct settings *settings, GError **error)
{
	struct account *account = g_new0(struct account, 1);

	if (!take(account, settings, error)) {
		if (settings_name(settings) != NULL)
			g_prefix_error(error, "[imap %s]: ", settings_name(settings));
		g_clear_pointer(&account, account_free);
	}
	return account;
}
