#include "server/common/settings.h"
#include "server/ingest/intake.h"

struct intake_options intake_options_of(
    const struct settings *settings, const char *conninfo, const char *worker)
{
	return (struct intake_options){
		.conninfo = conninfo,
		.pool = pool_options_of(settings, worker),
		.require_authentic = settings_choice(settings, "lmtp.require_authentic"),
		.max_raw = settings_size(settings, "retention.max_raw"),
		.min_free = settings_size(settings, "retention.min_free"),
		.spill_folder = settings_string(settings, "server.state_dir"),
	};
}
