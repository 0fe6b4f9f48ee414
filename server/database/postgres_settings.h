/*
 * postgres_settings.h - the configuration file of the private cluster, sized for the machine's memory.
 *
 * The machine often runs other software (a mail server), so ruad uses a modest share of the memory. The table
 * in postgres_settings.c has each value with its share, limits and reason. Reads and writes no file.
 */
#pragma once

#include <glib.h>

/* In the data directory; written by ruad at every start. */
#define POSTGRES_SETTINGS "postgresql.ruad.conf"

/* In the state directory, which is the folder above; for the administrator. ruad never writes it. */
#define POSTGRES_LOCAL_SETTINGS "postgresql.local.conf"

/*
 * The text of POSTGRES_SETTINGS, transfer full: it includes the postgresql.conf that initdb made, sets ruad's
 * values, and includes POSTGRES_LOCAL_SETTINGS last, whose values therefore win.
 *
 * memory       bytes; 0: unknown, which gives the lowest values
 * connections  max_connections, >= 1
 */
char *postgres_settings_text(guint64 memory, guint connections);
