/*
 * check_seen.h - the DKIM selectors that stored reports name, if the database is there.
 *
 * Starts nothing, and waits for nobody: "ruad check" also works without a database, and for users who may not read
 * it.
 */
#pragma once

#include <json-c/json.h>

#include "server/common/settings.h"

struct check_seen;

/* Connect to the database of the settings, as its own user if the process is root. Returns NULL if this is not
 * possible; *why is then the reason (transfer full). */
struct check_seen *check_seen_new(const struct settings *settings, char **why) G_GNUC_WARN_UNUSED_RESULT;
void check_seen_free(struct check_seen *seen); /* NULL is allowed */

/* [{"domain", "selector"}, ...] of a domain (lower-case A-labels); NULL if the database fails. Transfer full. */
struct json_object *check_seen_of(struct check_seen *seen, const char *domain) G_GNUC_WARN_UNUSED_RESULT;
