/*
 * mmdb.h - a small MMDB file for tests: networks of IPv6 and IPv4 addresses, each with a map of texts and
 * numbers.
 *
 * MaxMind DB file format 2.0; records of 24 bits, IPv4 below ::/96.
 */
#pragma once

#include <glib.h>

struct mmdb;

struct mmdb *mmdb_new(const char *type);

/*
 * Add a network: "192.0.2.0/24", "2001:db8::/32"; none may be inside another. value: words "key=text",
 * "key=#number" and "key.inner=text", separated by ';' (the keys of one map must be neighbours).
 */
void mmdb_add(struct mmdb *mmdb, const char *network, const char *value);

/* Write the file, and free mmdb. */
void mmdb_write(struct mmdb *mmdb, const char *path);
