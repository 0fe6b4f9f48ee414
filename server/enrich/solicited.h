/*
 * solicited.h - whether a domain asked for its reports to come here: by the check of its DNS and the mailboxes that are ours.
 */
#pragma once

#include <glib.h>
#include <json-c/json.h>

/*
 * check: the document of check.h; recipients: patterns as in lmtp.recipients, NULL-terminated. A boolean, transfer full: whether an address
 * of a rua (or ruf) is a mailbox of ours; NULL (JSON null) when the domain's DMARC record could not be looked up.
 */
json_object *solicited_json(json_object *check, const char *const *recipients) G_GNUC_WARN_UNUSED_RESULT;
