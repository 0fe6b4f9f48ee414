/*
 * logged.h - what the code under test logs, as text.
 */
#pragma once

#include <glib.h>

/* Collect what is logged from now on. Once in a process. */
void logged_begin(void);

/* What was logged since the last call, each line ended by "\n". Transfer full. */
char *logged(void);
