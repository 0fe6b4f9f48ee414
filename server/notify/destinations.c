#include "server/notify/destinations.h"

#include <string.h>

#include "server/common/message.h"
#include "server/notify/mail.h"
#include "server/notify/webhook.h"

static void add_mail(GStrvBuilder *builder, const struct settings *settings)
{
	const char *const *addresses = settings_list(settings, "notify.mail_to");

	for (gsize i = 0; addresses[i] != NULL; i++) {
		g_autofree char *name = g_strconcat(DESTINATION_MAIL, addresses[i], NULL);

		g_strv_builder_add(builder, name);
	}
}

char **destinations_mail(const struct settings *settings)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

	add_mail(builder, settings);
	return g_strv_builder_end(builder);
}

char **destinations_all(const struct settings *settings)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

	add_mail(builder, settings);
	if (*settings_string(settings, "notify.webhook") != '\0')
		g_strv_builder_add(builder, DESTINATION_WEBHOOK);
	return g_strv_builder_end(builder);
}

char *destination_send(const struct settings *settings, const char *destination, const char *key,
    GBytes *content, GError **error)
{
	g_autofree char *from = message_sender(settings);
	struct mail_route mail = mail_route_of(settings, from);
	struct webhook_route webhook = webhook_route_of(settings);

	if (g_str_has_prefix(destination, DESTINATION_MAIL))
		return mail_send(&mail, destination + strlen(DESTINATION_MAIL), content, error);
	return webhook_send(&webhook, key, content, error);
}
