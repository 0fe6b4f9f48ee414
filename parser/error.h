/*
 * error.h - the one error domain of ruad.
 *
 * A code exists only if a caller acts on it. Messages are for people: they name the thing, the value and the
 * rule.
 */
#pragma once

#include <glib.h>

#define RUAD_ERROR (ruad_error_quark())

enum ruad_error {
	RUAD_ERROR_SYNTAX, /* the input breaks its format: quarantine, 250 */
	RUAD_ERROR_LIMIT,  /* the input asks for more than we allow: quarantine, 250 */
	RUAD_ERROR_SYSTEM, /* our side failed (database, disk, process): 451, try again */
	RUAD_ERROR_FULL,   /* our side has no room for what it would have to keep: 452, try again */
};

/* Set RUAD_ERROR_LIMIT with "what: more than limit". Always returns FALSE. */
gboolean ruad_error_over_limit(GError **error, const char *what, gsize limit);

/* Set RUAD_ERROR_SYNTAX with "place: " and the words; place is a file's line, a setting or the like. Always
 * returns FALSE. */
gboolean ruad_error_at(GError **error, const char *place, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* The quark behind RUAD_ERROR. */
GQuark ruad_error_quark(void);
