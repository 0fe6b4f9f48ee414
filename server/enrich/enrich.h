/*
 * enrich.h - one round of ruad-enrich: looks up what the database asks for in the DNS and in the admin's
 * files.
 *
 * A round is bounded by enrich.lookups, so that a mailbox full of old reports does not cause a flood of
 * queries; rounds follow each other while there is more to do. It uses only the functions of the database
 * that role ruad_enrich may call.
 */
#pragma once

#include "server/common/settings.h"
#include "server/enrich/quota.h"

struct enrich;

/* settings: borrowed until enrich_free(). RUAD_ERROR_SYNTAX: enrich.resolver or the file of enrich.services
 * is invalid; RUAD_ERROR_SYSTEM: c-ares cannot be initialised. */
struct enrich *enrich_new(const struct settings *settings, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void enrich_free(struct enrich *enrich);

/* First reads files that have changed; if a file cannot be used, this is logged and the old content stays. */
enum enrich_outcome enrich_round(struct enrich *enrich);

/* Seconds until the next round, so that enrich.lookups is respected. */
guint enrich_pause(const struct enrich *enrich, enum enrich_outcome outcome);
