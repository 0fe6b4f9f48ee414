/*
 * moment.h - converts a date or time of the command line to a time for the database.
 */
#pragma once

#include <glib.h>

/*
 * Read "2026-11-20" (the beginning of the day, UTC) or a time of RFC 3339 ("2026-11-20T12:00:00+01:00", a
 * space may replace the T) as "2026-11-20T11:00:00.000000Z". Transfer full; NULL if text is neither, or there
 * is no such day.
 */
char *moment_read(const char *text) G_GNUC_WARN_UNUSED_RESULT;
