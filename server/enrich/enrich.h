/*
 * enrich.h - one round of ruad-enrich: from what the database wants to know to what the DNS and the admin's files say of it.
 *
 * A round is bounded by enrich.lookups, so that a mailbox full of old reports does not become a flood of questions; rounds follow one
 * another while there is more to do. The database is asked by the functions that role ruad_enrich may call, and by nothing else.
 */
#pragma once

#include "server/common/settings.h"

enum enrich_outcome {
	ENRICH_DONE,   /* nothing is left to do */
	ENRICH_MORE,   /* the budget of this round is spent */
	ENRICH_FAILED, /* the database is away, or no DNS server answers; logged once */
};

struct enrich;

/* settings: borrowed until enrich_free(). RUAD_ERROR_SYNTAX: enrich.resolver or the file that enrich.services names is not right;
 * RUAD_ERROR_SYSTEM: c-ares cannot begin. */
struct enrich *enrich_new(const struct settings *settings, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void enrich_free(struct enrich *enrich);

/* Files that changed are read again first; one that cannot be used is logged, and what was read before stays. */
enum enrich_outcome enrich_round(struct enrich *enrich);

/* Seconds until the next round, so that enrich.lookups holds. */
guint enrich_pause(const struct enrich *enrich, enum enrich_outcome outcome);
