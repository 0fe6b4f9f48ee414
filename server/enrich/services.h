/*
 * services.h - services that send mail for others: from the text of an INI file to what ruad.enrich_services() takes.
 *
 * services.ini beside this file shows the form; ruad's own list is that file, embedded. Knows no files and no database.
 */
#pragma once

#include <glib.h>

extern const char services_own[]; /* the text of services.ini */

/*
 * text: an INI file; where: its name for errors. The JSON array, transfer full. RUAD_ERROR_SYNTAX names file, service, key, value and
 * rule: keys are a-z, 0-9 and '-'; name and type are needed; names are domains with a dot; at least one rule.
 */
char *services_read(const char *text, const char *where, GError **error) G_GNUC_WARN_UNUSED_RESULT;
