/*
 * notice_hook.h - notices as the JSON document that a webhook expects.
 *
 * Chats interpret parts of a text: each format has a place or an escape where they do not, so that a name in
 * a report cannot mention everybody or show a link under another name.
 */
#pragma once

#include "server/notify/notice.h"
#include "server/notify/webhook.h"

#define NOTICE_HOOK_MOST 20 /* notices in a message of a chat; the generic document has all */

GBytes *notice_hook(const struct notices *notices, enum webhook_format format) G_GNUC_WARN_UNUSED_RESULT;
