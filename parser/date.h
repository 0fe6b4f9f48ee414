/*
 * date.h - dates in seconds: of a mail (RFC 5322 section 3.3, obsolete forms of section 4.3 as well), and of RFC 3339.
 *
 * In the first, the day of the week is not looked at, comments are passed over, and the order of day, month, year and time does not
 * matter, as all of them differ in form.
 */
#pragma once

#include <glib.h>

/* Seconds since 1970 UTC, 0 .. REPORT_TIME_MAX; -1 when text is no date. *guessed: the zone was absent, or not one that has
 * one meaning only, and UTC was taken. */
gint64 date_seconds(const char *text, gboolean *guessed);

/* Seconds since 1970 UTC, 0 .. REPORT_TIME_MAX, of "2024-02-29T23:59:59Z"; -1 when text is no date. *odd: not as RFC 3339
 * has it, but told: with a fraction (dropped), without seconds, time or zone (UTC), a blank for 'T', a zone without ':',
 * hour 24. */
gint64 date_iso_seconds(const char *text, gboolean *odd);
