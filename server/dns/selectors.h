/*
 * selectors.h - which DKIM keys the check of a domain looks for: those that its reports have, then usual
 * names.
 */
#pragma once

#include <json-c/json.h>

#include "server/dns/check.h"

/*
 * seen: [{"domain", "selector"}, ...] as ruad.dns_selectors() gives them; anything else has none. Its selectors,
 * then the usual ones of domain that are not among them, which are marked as probed. An array of struct
 * check_selector, transfer full; its texts are borrowed from seen.
 */
GArray *selectors_of(json_object *seen, const char *domain) G_GNUC_WARN_UNUSED_RESULT;
