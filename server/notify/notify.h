/*
 * notify.h - one round of ruad-notify: looks which conditions are present, queues what is to be told about
 * them, and sends what waits.
 *
 * It uses only the functions of the database that role ruad_notify may call (sql/notify/).
 */
#pragma once

#include "server/common/errands.h"
#include "server/common/settings.h"
#include "server/notify/server.h"

struct notify;

/* settings, what watch points to, and errand (or NULL), which counts messages and rounds: borrowed until
 * notify_free(). */
struct notify *notify_new(
    const struct settings *settings, const struct server_watch *watch, struct errand *errand);
void notify_free(struct notify *notify);

/* at_once: search the reports even if that was done within the hour. FALSE: the database failed, which is
 * logged once. */
gboolean notify_round(struct notify *notify, gboolean at_once);
