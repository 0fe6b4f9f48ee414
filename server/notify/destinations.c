#include "server/notify/destinations.h"

#include <string.h>

#include "server/common/message.h"
#include "server/notify/smtp.h"
#include "server/notify/webhook.h"

/* Append "mail:ADDRESS" for each address that is not there yet. */
static void add_mail(GPtrArray *names, const char *const *addresses)
{
	for (gsize i = 0; addresses[i] != NULL; i++) {
		g_autofree char *name = g_strconcat(DESTINATION_MAIL, addresses[i], NULL);

		if (!g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
			g_ptr_array_add(names, g_steal_pointer(&name));
	}
}

static char **finish(GPtrArray *names)
{
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}

char **destinations_mail(const char *const *addresses)
{
	GPtrArray *names = g_ptr_array_new();

	add_mail(names, addresses);
	return finish(names);
}

static void add_notices(GPtrArray *names, const struct settings *settings)
{
	add_mail(names, settings_list(settings, "notify.mail_to"));
	if (*settings_string(settings, "notify.webhook") != '\0')
		g_ptr_array_add(names, g_strdup(DESTINATION_WEBHOOK));
}

char **destinations_notices(const struct settings *settings)
{
	GPtrArray *names = g_ptr_array_new();

	add_notices(names, settings);
	return finish(names);
}

char **destinations_all(const struct settings *settings)
{
	g_autoptr(GPtrArray) digests = settings_sections(settings, "digest");
	GPtrArray *names = g_ptr_array_new();

	add_notices(names, settings);
	for (guint i = 0; i < digests->len; i++)
		if (settings_choice(digests->pdata[i], "digest.period") != 0)
			add_mail(names, destinations_digest(digests->pdata[i]));
	return finish(names);
}

const char *const *destinations_digest(const struct settings *digest)
{
	const char *const *addresses = settings_list(digest, "digest.mail_to");

	return addresses[0] != NULL ? addresses : settings_list(digest, "notify.mail_to");
}

char *destination_send(const struct settings *settings, const char *destination, const char *key,
    GBytes *content, GError **error)
{
	g_autofree char *from = message_sender(settings);
	struct smtp_route route = smtp_route_of(settings, from);
	struct webhook_route webhook = webhook_route_of(settings);

	if (g_str_has_prefix(destination, DESTINATION_MAIL))
		return smtp_send(&route, destination + strlen(DESTINATION_MAIL), content, error);
	return webhook_send(&webhook, key, content, error);
}
