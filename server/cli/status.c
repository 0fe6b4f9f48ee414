#include "server/cli/status.h"

#include <systemd/sd-daemon.h>

#define EVERY 10 /* seconds between looks */

struct status {
	const struct vitals *vitals;
	guint source; /* of the main context */
	char *told;   /* words */
};

static void append_time(GString *words, gint64 seconds)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);
	g_autofree char *text = time != NULL ? g_date_time_format(time, "%F %R UTC") : NULL;

	if (seconds > 0 && text != NULL)
		g_string_append_printf(words, ", last report %s", text);
}

char *status_words(const struct vitals *vitals)
{
	gint64 failing = vitals_failing(vitals);
	GString *words = g_string_new("ready");

	if (failing >= 0)
		g_string_append_printf(
		    words, ", but mail has not been stored for %" G_GINT64_FORMAT " s", failing);
	g_string_append_printf(words,
	    ": mails stored %" G_GINT64_FORMAT ", waiting %" G_GINT64_FORMAT
	    ", quarantined %" G_GINT64_FORMAT,
	    vitals_get(vitals, VITAL_MAILS_WRITTEN), vitals_get(vitals, VITAL_MAILS_WAITING),
	    vitals_get(vitals, VITAL_CONFLICTS) + vitals_get(vitals, VITAL_UNREADABLE));
	append_time(words, vitals_get(vitals, VITAL_LAST_STORED_AT));
	return g_string_free(words, FALSE);
}

static gboolean look(gpointer user)
{
	struct status *status = user;
	char *words = status_words(status->vitals);

	if (!g_str_equal(words, status->told))
		sd_notifyf(0, "STATUS=%s", words);
	g_free(status->told);
	status->told = words;
	return G_SOURCE_CONTINUE;
}

struct status *status_start(const struct vitals *vitals)
{
	struct status *status = g_new0(struct status, 1);

	status->vitals = vitals;
	status->told = status_words(vitals);
	status->source = g_timeout_add_seconds(EVERY, look, status);
	sd_notifyf(0, "READY=1\nSTATUS=%s", status->told);
	return status;
}

void status_stop(struct status *status)
{
	if (status == NULL)
		return;
	g_source_remove(status->source);
	g_free(status->told);
	g_free(status);
}
