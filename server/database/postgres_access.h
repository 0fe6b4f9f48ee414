/*
 * postgres_access.h - who may connect to the private cluster as which role: the texts of pg_hba.conf and
 * pg_ident.conf.
 *
 * All connections are local, and the operating system authenticates them (peer). Reads and writes no file.
 */
#pragma once

#include <glib.h>

#define POSTGRES_DATABASE "ruad"
#define POSTGRES_ADMIN    "postgres" /* the superuser's role */

/* The text of pg_hba.conf; static. */
extern const char postgres_access_hba[];

/* The text of pg_ident.conf, transfer full. user: the login that ruad runs as. It and root may act as each
 * role of ruad; others only as the role of their own name (auditors). */
char *postgres_access_ident(const char *user) G_GNUC_WARN_UNUSED_RESULT;
