#include "server/cli/settings_check.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "parser/error.h"
#include "server/common/message.h"
#include "server/common/net.h"
#include "server/dns/resolver.h"
#include "server/fetch/account.h"
#include "server/fetch/maildir.h"
#include "server/notify/destinations.h"
#include "server/web/auth.h"

/* -- words -- */

static gboolean check_addresses(const struct settings *settings, const char *key, GError **error)
{
	const char *const *addresses = settings_list(settings, key);
	struct net_address address;

	for (gsize i = 0; addresses[i] != NULL; i++)
		if (!net_parse(addresses[i], &address, error)) {
			g_prefix_error(error, "%s: ", key);
			return FALSE;
		}
	return TRUE;
}

/* What is wrong with a pattern of mailboxes, which then matches no address; or NULL. */
static const char *mailbox_fault(const char *pattern)
{
	const char *at = strchr(pattern, '@');

	if (strpbrk(pattern, "<>()\"';\\") != NULL)
		return "write the address alone, such as dmarc@example.com";
	if (g_ascii_strncasecmp(pattern, "mailto:", strlen("mailto:")) == 0)
		return "write the address without mailto:";
	if (at == NULL)
		return strchr(pattern, '*') != NULL ? NULL : "not a mailbox: write NAME@DOMAIN, or NAME@*";
	if (at == pattern || at[1] == '\0' || strchr(at + 1, '@') != NULL)
		return "not a mailbox: write NAME@DOMAIN, where * matches any text";
	return NULL;
}

static gboolean check_mailboxes(const struct settings *settings, GError **error)
{
	static const char key[] = "lmtp.recipients";
	const char *const *patterns = settings_list(settings, key);

	if (patterns[0] == NULL)
		return ruad_error_at(
		    error, key, "empty: every report would be rejected; name the mailboxes of this server");
	for (gsize i = 0; patterns[i] != NULL; i++) {
		const char *fault = mailbox_fault(patterns[i]);

		if (fault != NULL)
			return ruad_error_at(error, key, "\"%s\": %s", patterns[i], fault);
	}
	return TRUE;
}

/* A pattern that can match no domain would hide all reports. */
static gboolean check_domains(const struct settings *settings, const char *key, GError **error)
{
	const char *const *patterns = settings_list(settings, key);

	for (gsize i = 0; patterns[i] != NULL; i++) {
		const char *name = g_str_has_prefix(patterns[i], "*.") ? patterns[i] + 2 : patterns[i];

		if (strpbrk(name, "*@/:,") != NULL || strchr(name, '.') == NULL || *name == '.')
			return ruad_error_at(error, key,
			    "\"%s\": not a domain: write example.com, or *.example.com for all names below "
			    "it",
			    patterns[i]);
	}
	return TRUE;
}

/* Returns whether requests may arrive that nothing proves to be the proxy's. */
static gboolean listens_without_proof(const struct settings *settings)
{
	const char *const *addresses = settings_list(settings, "http.listen");
	g_autofree int *handed = net_activated("http");

	if (handed != NULL || *settings_string(settings, "http.proxy_secret") != '\0')
		return FALSE;
	for (gsize i = 0; addresses[i] != NULL; i++)
		if (!g_str_has_prefix(addresses[i], "unix:"))
			return TRUE;
	return FALSE;
}

/* Returns whether url may be a link on the page, which must not run a script ("javascript:...") or lead to
 * the host of another scheme ("//host"). */
static gboolean is_link(const char *url)
{
	return g_str_has_prefix(url, "https://") || g_str_has_prefix(url, "http://") ||
	       (url[0] == '/' && url[1] != '/' && url[1] != '\\');
}

static gboolean check_logout(const struct settings *settings, GError **error)
{
	const char *url = settings_string(settings, "http.logout_url");

	if (*url == '\0')
		return TRUE;
	if (settings_choice(settings, "http.auth") != AUTH_PROXY)
		return ruad_error_at(error, "http.logout_url", "only for http.auth = proxy");
	return is_link(url) || ruad_error_at(error, "http.logout_url",
				   "\"%s\": must begin with https://, http:// or one slash", url);
}

static gboolean check_auth(const struct settings *settings, GError **error)
{
	enum auth_mode auth = (enum auth_mode)settings_choice(settings, "http.auth");

	if (auth == AUTH_NONE && settings_list(settings, "http.editors")[0] != NULL)
		return ruad_error_at(error, "http.editors", "nobody signs in while http.auth is none");
	if (auth == AUTH_BASIC && *settings_string(settings, "http.htpasswd") == '\0')
		return ruad_error_at(error, "http.auth", "basic needs http.htpasswd");
	if (auth == AUTH_PROXY && *settings_string(settings, "http.user_header") == '\0')
		return ruad_error_at(error, "http.auth", "proxy needs http.user_header");
	if (auth == AUTH_PROXY && listens_without_proof(settings))
		return ruad_error_at(error, "http.auth",
		    "proxy needs http.proxy_secret_file, or only Unix sockets in http.listen");
	return check_logout(settings, error);
}

static gboolean check_resolver(const struct settings *settings, GError **error)
{
	struct resolver_options options = RESOLVER_OPTIONS_DEFAULT;
	g_autoptr(GError) cause = NULL;
	struct resolver *resolver = NULL;

	options.server = settings_string(settings, "enrich.resolver");
	if (!settings_bool(settings, "enrich.enabled") || *options.server == '\0')
		return TRUE;
	resolver = resolver_new(&options, &cause);
	resolver_free(resolver);
	return g_error_matches(cause, RUAD_ERROR, RUAD_ERROR_SYNTAX)
		   ? ruad_error_at(error, "enrich.resolver", "%s", cause->message)
		   : TRUE;
}

/* -- notices -- */

/* Whether url has one of two schemes, and a host. */
static gboolean is_url(const char *url, const char *scheme, const char *tls_scheme)
{
	g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_NONE, NULL);

	return uri != NULL && g_uri_get_host(uri) != NULL && *g_uri_get_host(uri) != '\0' &&
	       (g_str_equal(g_uri_get_scheme(uri), scheme) || g_str_equal(g_uri_get_scheme(uri), tls_scheme));
}

static gboolean check_smtp(const struct settings *settings, GError **error)
{
	const char *url = settings_string(settings, "notify.smtp");
	gboolean has_user = *settings_string(settings, "notify.smtp_user") != '\0';

	if (!is_url(url, "smtp", "smtps"))
		return ruad_error_at(
		    error, "notify.smtp", "\"%s\": write smtp://HOST:PORT or smtps://HOST:PORT", url);
	if (has_user != (*settings_string(settings, "notify.smtp_password") != '\0'))
		return ruad_error_at(
		    error, "notify.smtp_user", "needs notify.smtp_password, and the other way round");
	if (has_user && !g_str_has_prefix(url, "smtps:") && !settings_bool(settings, "notify.smtp_starttls"))
		return ruad_error_at(error, "notify.smtp_password",
		    "would be sent in the clear: use smtps:// in notify.smtp, or notify.smtp_starttls = on");
	return TRUE;
}

static gboolean check_mail_to(const struct settings *settings, const char *key, GError **error)
{
	const char *const *addresses = settings_list(settings, key);

	for (gsize i = 0; addresses[i] != NULL; i++)
		if (!message_is_address(addresses[i]))
			return ruad_error_at(
			    error, key, "\"%s\": not an address such as ann@example.com", addresses[i]);
	return TRUE;
}

/* A digest of a section with a name must be one; [digest] may be left out. */
static gboolean check_digest(const struct settings *digest, GError **error)
{
	gboolean is_off = settings_choice(digest, "digest.period") == 0;

	if (settings_name(digest) != NULL && is_off)
		return ruad_error_at(error, "digest.period", "write weekly or monthly");
	if (!is_off && destinations_digest(digest)[0] == NULL)
		return ruad_error_at(
		    error, "digest.mail_to", "empty, as is notify.mail_to: name who gets the digest");
	if (settings_list(digest, "digest.domains")[0] != NULL &&
	    *settings_string(digest, "digest.user") != '\0')
		return ruad_error_at(error, "digest.user", "does not go with digest.domains: remove one");
	return check_mail_to(digest, "digest.mail_to", error) &&
	       check_domains(digest, "digest.domains", error);
}

static gboolean check_digests(const struct settings *settings, GError **error)
{
	g_autoptr(GPtrArray) digests = settings_sections(settings, "digest");

	for (guint i = 0; i < digests->len; i++)
		if (!check_digest(digests->pdata[i], error)) {
			if (i > 0)
				g_prefix_error(error, "[digest %s]: ", settings_name(digests->pdata[i]));
			return FALSE;
		}
	return TRUE;
}

static gboolean check_notify(const struct settings *settings, GError **error)
{
	const char *from = settings_string(settings, "notify.mail_from");
	const char *webhook = settings_string(settings, "notify.webhook");

	if (!check_mail_to(settings, "notify.mail_to", error))
		return FALSE;
	if (*from != '\0' && !message_is_address(from))
		return ruad_error_at(
		    error, "notify.mail_from", "\"%s\": not an address such as ruad@example.com", from);
	/* the URL may be a secret: no part of it is shown */
	if (*webhook != '\0' && !is_url(webhook, "http", "https"))
		return ruad_error_at(
		    error, "notify.webhook", "not a URL that begins with https:// or http://");
	return check_smtp(settings, error);
}

/* -- mail that is fetched -- */

/* Settings of an account without imap.url would have no effect. */
static gboolean check_no_account(const struct settings *settings, GError **error)
{
	static const char *const keys[] = { "imap.user", "imap.password", "imap.token_command" };

	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
		if (*settings_string(settings, keys[i]) != '\0')
			return ruad_error_at(
			    error, "imap.url", "empty, although %s is set: name the server", keys[i]);
	return TRUE;
}

static gboolean check_account(const struct settings *settings, GError **error)
{
	struct account *account;

	if (!account_is_set(settings))
		return check_no_account(settings, error);
	account = account_new(settings, error);
	account_free(account);
	return account != NULL;
}

static gboolean check_imap(const struct settings *settings, GError **error)
{
	g_autoptr(GPtrArray) accounts = settings_sections(settings, "imap");

	for (guint i = 0; i < accounts->len; i++)
		if (!check_account(accounts->pdata[i], error))
			return FALSE;
	return TRUE;
}

static gboolean check_maildirs(const struct settings *settings, GError **error)
{
	const char *const *paths = settings_list(settings, "maildir.path");

	for (gsize i = 0; paths[i] != NULL; i++)
		if (!g_path_is_absolute(paths[i]))
			return ruad_error_at(
			    error, "maildir.path", "\"%s\": must begin with a slash", paths[i]);
	return TRUE;
}

gboolean settings_check(const struct settings *settings, GError **error)
{
	return check_addresses(settings, "lmtp.listen", error) &&
	       check_addresses(settings, "http.listen", error) &&
	       check_addresses(settings, "http.health_listen", error) && check_mailboxes(settings, error) &&
	       check_domains(settings, "server.domains", error) && check_auth(settings, error) &&
	       check_resolver(settings, error) && check_notify(settings, error) &&
	       check_digests(settings, error) && check_imap(settings, error) &&
	       check_maildirs(settings, error);
}

/* -- files -- */

/* Why the current user cannot read a file, transfer full; NULL if it can. */
static char *file_fault(const char *key, const char *path)
{
	if (eaccess(path, R_OK) == 0 && !g_file_test(path, G_FILE_TEST_IS_DIR))
		return NULL;
	if (g_file_test(path, G_FILE_TEST_IS_DIR))
		errno = EISDIR;
	return g_strdup_printf("%s: cannot read \"%s\": %s", key, path, g_strerror(errno));
}

static void warn_of_file(GPtrArray *warnings, const char *key, const char *path)
{
	char *fault = *path == '\0' ? NULL : file_fault(key, path);

	if (fault != NULL)
		g_ptr_array_add(warnings, fault);
}

static void warn_of_accounts(const struct settings *settings, GPtrArray *warnings)
{
	g_autoptr(GPtrArray) accounts = settings_sections(settings, "imap");

	for (guint i = 0; i < accounts->len; i++) {
		const char *name = settings_name(accounts->pdata[i]);
		g_autofree char *key =
		    name == NULL ? g_strdup("imap.ca_file") : g_strdup_printf("imap.%s.ca_file", name);

		warn_of_file(warnings, key, settings_string(accounts->pdata[i], "imap.ca_file"));
	}
}

/* That a Maildir cannot be used now does not keep mail from the others. */
static void warn_of_maildirs(const struct settings *settings, GPtrArray *warnings)
{
	const char *const *paths = settings_list(settings, "maildir.path");

	for (gsize i = 0; paths[i] != NULL; i++) {
		g_autoptr(GError) cause = NULL;
		struct maildir *maildir = maildir_open(paths[i], &cause);

		if (maildir == NULL)
			g_ptr_array_add(warnings, g_strdup_printf("maildir.path: %s", cause->message));
		maildir_close(maildir);
	}
}

gboolean settings_check_files(const struct settings *settings, GPtrArray *warnings, GError **error)
{
	const char *const *networks = settings_list(settings, "enrich.mmdb");

	if (settings_choice(settings, "http.auth") == AUTH_BASIC) {
		g_autofree char *fault =
		    file_fault("http.htpasswd", settings_string(settings, "http.htpasswd"));

		if (fault != NULL) {
			g_set_error_literal(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, fault);
			return FALSE;
		}
	}
	warn_of_accounts(settings, warnings);
	warn_of_file(warnings, "notify.smtp_ca_file", settings_string(settings, "notify.smtp_ca_file"));
	warn_of_maildirs(settings, warnings);
	if (!settings_bool(settings, "enrich.enabled"))
		return TRUE;
	warn_of_file(warnings, "enrich.services", settings_string(settings, "enrich.services"));
	for (gsize i = 0; networks[i] != NULL; i++)
		warn_of_file(warnings, "enrich.mmdb", networks[i]);
	return TRUE;
}
