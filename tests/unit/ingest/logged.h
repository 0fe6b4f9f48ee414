/*
 * logged.h - the messages that the code under test logs, as text.
 */
#pragma once

#include <glib.h>

/* Start to collect messages. Call it once in a process. */
void logged_begin(void);

/* Returns the messages since the last call, each ended by "\n". Transfer full. */
char *logged(void);
