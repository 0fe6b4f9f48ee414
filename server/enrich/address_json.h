/*
 * address_json.h - what was found about an address, as the JSON objects that the database takes.
 *
 * Absent values are null. Knows no DNS and no files.
 */
#pragma once

#include <json-c/json.h>

#include "server/enrich/names.h"
#include "server/enrich/network.h"

/* For ruad.enrich_networks(): source_ip, asn, as_name, country. Transfer full. */
json_object *address_network_json(const char *ip, const struct network *network) G_GNUC_WARN_UNUSED_RESULT;

/* For ruad.enrich_store(): the same with keep (seconds), failed (the DNS did not answer), rdns and
 * rdns_domain (the Organizational Domain of rdns; NULL without one). Transfer full. */
json_object *address_json(const struct name *name, const char *rdns_domain, const struct network *network,
    gint64 keep) G_GNUC_WARN_UNUSED_RESULT;
