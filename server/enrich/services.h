/*
 * services.h - services that send mail for others: converts an INI file to the argument of
 * ruad.enrich_services().
 *
 * services.ini shows the format; ruad's own list is that file, embedded. services_map.h reads CSV. Opens no
 * file and uses no database.
 */
#pragma once

#include <glib.h>

extern const char services_own[]; /* the text of services.ini */

/*
 * text: an INI file; where: its name in errors. Returns the JSON array, transfer full. RUAD_ERROR_SYNTAX
 * names file, service, key, value and rule: keys are a-z, 0-9 and '-'; name and type are required; names are
 * domains with a dot; at least one rule.
 */
char *services_read(const char *text, const char *where, GError **error) G_GNUC_WARN_UNUSED_RESULT;
