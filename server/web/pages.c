#include "server/web/pages.h"

#include <string.h>

static const char *const pages[] = {
	"/",
	"/audit",
	"/domain",
	"/domains",
	"/failure",
	"/failures",
	"/help",
	"/intake",
	"/ip",
	"/labels",
	"/records",
	"/report",
	"/reporters",
	"/reports",
	"/source",
	"/sources",
	"/tls",
	"/tlsreport",
	NULL,
};

const struct asset *pages_find(const struct asset *files, gsize n, const char *path)
{
	const char *name = g_strv_contains(pages, path) ? "index.html" : path + 1;

	for (gsize i = 0; i < n; i++)
		if (strcmp(files[i].path, name) == 0)
			return &files[i];
	return NULL;
}
