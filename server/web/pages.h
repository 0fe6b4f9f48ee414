/*
 * pages.h - finds the embedded file for a path.
 *
 * Pages are one level deep ("/sources?domain=..."), so that relative addresses of assets and API work below
 * any prefix that a reverse proxy adds; index.html is the response for all of them.
 */
#pragma once

#include "server/web/assets.h"

/* The file for path ("/", "/sources", "/assets/app-3KX4QZ7A.js") out of files[0..n), or NULL. */
const struct asset *pages_find(const struct asset *files, gsize n, const char *path);
