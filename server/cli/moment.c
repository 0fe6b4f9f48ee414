#include "server/cli/moment.h"

/* GLib reads all of ISO 8601, of which much is easily misread; this is RFC 3339 section 5.6. */
#define DAY_PATTERN "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
#define TIME_PATTERN                                                                                         \
	"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$"

char *moment_read(const char *text)
{
	g_autofree char *upper = g_ascii_strup(text, -1);
	g_autofree char *whole = NULL;
	g_autoptr(GDateTime) local = NULL;
	g_autoptr(GDateTime) time = NULL;

	if (g_regex_match_simple(DAY_PATTERN, upper, G_REGEX_DOLLAR_ENDONLY, 0))
		whole = g_strconcat(upper, "T00:00:00Z", NULL);
	else if (g_regex_match_simple(TIME_PATTERN, upper, G_REGEX_DOLLAR_ENDONLY, 0))
		whole = g_steal_pointer(&upper);
	else
		return NULL;
	local = g_date_time_new_from_iso8601(whole, NULL);
	time = local != NULL ? g_date_time_to_utc(local) : NULL;
	return time != NULL ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%S.%fZ") : NULL;
}
