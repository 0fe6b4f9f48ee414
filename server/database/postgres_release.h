/*
 * postgres_release.h - what must be done before an upgrade of the operating system removes the PostgreSQL
 * that the private cluster needs.
 */
#pragma once

#include <glib.h>

/* os and release are ID and VERSION_ID of os-release(5), or NULL; version is that of the cluster. Returns
 * the advice, transfer full, or NULL if no upgrade is known that does harm. */
char *postgres_release_advice(const char *os, const char *release, guint version) G_GNUC_WARN_UNUSED_RESULT;
