#include "server/worker/pool_options.h"

#include "server/common/parser_settings.h"
#include "server/common/settings.h"

/* The value of a row, of the type that it has in the settings. */
#define READ_SIZE(key) settings_size(settings, key)
#define READ_INT(key)  (guint64) settings_int(settings, key)
#define ROW(member, type, fallback, min, max, help)                                                          \
	parser_setting_set(row++, limits, READ_##type("parser." #member));

static void read_limits(struct parser_limits *limits, const struct settings *settings)
{
	const struct parser_setting *row = parser_setting_table;

	PARSER_SETTINGS(ROW)
}

struct pool_options pool_options_of(const struct settings *settings, const char *worker)
{
	gint64 workers = settings_int(settings, "parser.workers");
	struct pool_options options = {
		.worker = worker,
		.workers = workers > 0 ? (guint)workers : g_get_num_processors(),
		.max_mails = (guint)settings_int(settings, "parser.max_mails"),
		.seconds = (guint)settings_seconds(settings, "parser.timeout"),
		.max_seconds = (guint)settings_seconds(settings, "parser.max_time"),
		.memory = settings_size(settings, "parser.memory"),
		.limits = PARSER_LIMITS_DEFAULT,
		.authserv_id = settings_string(settings, "lmtp.authserv_id"),
		.failure_bodies = settings_bool(settings, "retention.failure_bodies"),
	};

	read_limits(&options.limits, settings);
	return options;
}
