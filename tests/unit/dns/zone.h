/*
 * zone.h - a zone in memory as a source of answers, for tests.
 *
 * A line a record: "NAME TYPE DATA", as in "example.com MX 10 mail.example.com"; TXT without quotes; "*.NAME"
 * is a wildcard, and "192.0.2.53!NAME" what one server says; "." is the root. A TYPE with "+AD" behind it is
 * authentic. Data "!timeout", "!servfail" and the like are
 * answers that fail. Names that have no record, nor any below, are NXDOMAIN.
 */
#pragma once

#include "server/dns/dns.h"

struct zone;

struct zone *zone_new(const char *lines);
void zone_free(struct zone *zone);

struct dns_source zone_source(struct zone *zone);

/* What was asked, in order, once each: "TXT example.com, MX example.com". Lasts until the next question. */
const char *zone_asked(const struct zone *zone);

/* How often something was asked, repetitions included. */
guint zone_questions(const struct zone *zone);

/* What was asked although nobody had said before that it would be, and so costs a round trip of its own; in
 * order, once each. And what was expected, but not asked until now. Both transfer full. */
char *zone_unexpected(const struct zone *zone);
char *zone_unasked(const struct zone *zone);
