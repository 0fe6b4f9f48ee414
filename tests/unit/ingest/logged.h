/*
 * logged.h - the messages that the code under test logs, as text.
 */
#pragma once

#include <glib.h>

/* Start to collect messages and the values of a field. Call it once in a process. */
void logged_begin(const char *field);

/* Returns the messages since the last call, each ended by "\n". Transfer full. */
char *logged(void);

/* Returns the values of that field since the last call, each ended by " ". Transfer full. */
char *logged_field(void);
