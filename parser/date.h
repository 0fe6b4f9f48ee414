/*
 * date.h - dates of mails (RFC 5322 section 3.3, and the obsolete forms of section 4.3) and of RFC 3339 into
 * seconds.
 *
 * In dates of mails the day of the week and comments are ignored. Day, month, year and time may be in any
 * order, because their forms differ.
 */
#pragma once

#include <glib.h>

/* The date of a mail in seconds since 1970 UTC, 0 .. REPORT_TIME_MAX; -1 if text is not a date. *guessed: the
 * zone is absent or ambiguous, and UTC was assumed. */
gint64 date_seconds(const char *text, gboolean *guessed);

/* "2024-02-29T23:59:59Z" in seconds since 1970 UTC, 0 .. REPORT_TIME_MAX; -1 if text is not a date. *odd: not
 * in the form of RFC 3339, but unambiguous: with a fraction (dropped), without seconds, time or zone (UTC is
 * assumed), with a blank for 'T', a zone without ':', or hour 24. */
gint64 date_iso_seconds(const char *text, gboolean *odd);
