/*
 * moment.h - a date or time of the command line as a time for the database.
 */
#pragma once

#include <glib.h>

/*
 * "2026-11-20" (the day's beginning, UTC) or a time of RFC 3339 ("2026-11-20T12:00:00+01:00", the T may be a blank), as
 * "2026-11-20T11:00:00.000000Z". Transfer full; NULL when text is neither, or there is no such day.
 */
char *moment_read(const char *text) G_GNUC_WARN_UNUSED_RESULT;
