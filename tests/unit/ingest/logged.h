/*
 * logged.h - the messages that the code under test logs, as text.
 */
#pragma once

#include <glib.h>

/* Start to collect messages and fields. Call it once in a process. */
void logged_begin(void);

/* Returns the messages since the last call, each ended by "\n". Transfer full. */
char *logged(void);

/* Returns the fields RUAD_... since the last call, "RUAD_MAIL=7 " for each. Transfer full. */
char *logged_fields(void);
