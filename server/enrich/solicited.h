/*
 * solicited.h - whether a domain asked for its reports to be sent to this server, by the check of its DNS and
 * our mailboxes.
 */
#pragma once

#include <glib.h>
#include <json-c/json.h>

/*
 * check: the document of check.h; recipients: patterns as in lmtp.recipients, NULL-terminated. Returns a
 * boolean, transfer full: whether an address in rua (or ruf) is one of our mailboxes; NULL (JSON null) if the
 * domain's DMARC record could not be looked up.
 */
json_object *solicited_json(json_object *check, const char *const *recipients) G_GNUC_WARN_UNUSED_RESULT;
