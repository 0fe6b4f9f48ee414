/*
 * date.h - the date of a mail (RFC 5322 section 3.3, obsolete forms of section 4.3 as well) in seconds.
 *
 * The day of the week is not looked at, comments are passed over, and the order of day, month, year and time does not
 * matter, as all of them differ in form.
 */
#pragma once

#include <glib.h>

/* Seconds since 1970 UTC, 0 .. 253402300799; -1 when text is no date. *guessed: the zone was absent, or not one that has
 * one meaning only, and UTC was taken. */
gint64 date_seconds(const char *text, gboolean *guessed);
