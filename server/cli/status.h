/*
 * status.h - the line that `systemctl status ruad` shows of a running ruad serve (STATUS= of sd_notify(3)).
 */
#pragma once

#include "server/common/vitals.h"

/* What ruad-ingest did since it was started, and whether mail can be stored; transfer full. */
char *status_words(const struct vitals *vitals) G_GNUC_WARN_UNUSED_RESULT;

struct status;

/* Tell systemd that ruad is ready, and its status now and when it has changed, at most every ten seconds.
 * Works on the default main context. vitals are borrowed until status_stop(). */
struct status *status_start(const struct vitals *vitals) G_GNUC_WARN_UNUSED_RESULT;

/* Tell systemd nothing more. NULL is allowed. */
void status_stop(struct status *status);
