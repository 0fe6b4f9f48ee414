/*
 * pages.h - which embedded file answers a path.
 *
 * Pages lie one level deep ("/sources?domain=..."), so that relative addresses of assets and API hold below
 * any prefix a reverse proxy puts before them; index.html is the answer to all of them.
 */
#pragma once

#include "server/web/assets.h"

/* The file for path ("/", "/sources", "/assets/app-3KX4QZ7A.js") out of files[0..n), or NULL. */
const struct asset *pages_find(const struct asset *files, gsize n, const char *path);
