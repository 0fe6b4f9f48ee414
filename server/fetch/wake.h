/*
 * wake.h - pauses that SIGHUP ends.
 */
#pragma once

#include <glib.h>

/* A descriptor that is readable while a SIGHUP waits to be noticed. Call it before any thread is started. */
int wake_open(void);

/* Wait for seconds, until SIGHUP, or until other (a descriptor, or -1) is readable. A SIGHUP is noticed. */
void wake_wait(int wake, int other, guint seconds);
