/*
 * services_map.h - a map of reverse names to organisations, in CSV: converts it to the argument of
 * ruad.enrich_services().
 *
 * The columns are base_reverse_dns, name and type, as in the public map that parsedmarc's authors keep. A
 * name that services.ini has is that service, with its rules and the names of the map; ruad's own rules win
 * over those of the map. Types of that map become ours: organisations that send no mail for others become
 * "organisation". Opens no file.
 */
#pragma once

#include <glib.h>

/* Returns whether text begins with the heading of such a map. */
gboolean services_map_is(const char *text) G_GNUC_WARN_UNUSED_RESULT;

/*
 * text: the map, UTF-8; own: the JSON of ruad's own list (services_read()); where: the file's name in errors.
 * Returns the JSON array, transfer full. Rows whose name is not a domain below a top-level domain are
 * skipped, since the map has such. RUAD_ERROR_SYNTAX names file, row and fault: text that is not UTF-8, a
 * quote that does not end, other than three columns.
 */
char *services_map_read(
    const char *text, const char *own, const char *where, GError **error) G_GNUC_WARN_UNUSED_RESULT;
