#include "server/database/memory.h"

#include <string.h>
#include <unistd.h>

#define GROUPS     "/proc/self/cgroup"
#define GROUP_ROOT "/sys/fs/cgroup"

/* Version 2 is hierarchy number 0 and names no controllers. */
#define VERSION_2 "0::"

/* The number in a file of a control group; "max" and a missing file are no limit. */
static guint64 read_limit(const char *root, const char *group, const char *name)
{
	g_autofree char *path = g_build_filename(root, group, name, NULL);
	g_autofree char *content = NULL;
	guint64 limit = 0;

	if (!g_file_get_contents(path, &content, NULL, NULL) ||
	    !g_ascii_string_to_unsigned(g_strchomp(content), 10, 1, G_MAXUINT64, &limit, NULL))
		return MEMORY_UNLIMITED;
	return limit;
}

/* The path of the group of version 2, transfer full; NULL if groups has none. */
static char *find_group(const char *groups)
{
	g_auto(GStrv) lines = g_strsplit(groups, "\n", -1);

	for (gsize i = 0; lines[i] != NULL; i++)
		if (g_str_has_prefix(lines[i], VERSION_2 "/"))
			return g_strdup(lines[i] + strlen(VERSION_2));
	return NULL;
}

guint64 memory_group_limit(const char *groups, const char *root)
{
	g_autofree char *group = find_group(groups);
	guint64 limit = MEMORY_UNLIMITED;

	while (group != NULL) {
		limit = MIN(limit, read_limit(root, group, "memory.max"));
		limit = MIN(limit, read_limit(root, group, "memory.high"));
		if (*group == '\0')
			break;
		*strrchr(group, '/') = '\0';
	}
	return limit;
}

static guint64 machine_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES);
	long size = sysconf(_SC_PAGE_SIZE);

	return pages > 0 && size > 0 ? (guint64)pages * (guint64)size : 0;
}

guint64 memory_usable(void)
{
	g_autofree char *groups = NULL;

	if (!g_file_get_contents(GROUPS, &groups, NULL, NULL))
		return machine_memory();
	return MIN(machine_memory(), memory_group_limit(groups, GROUP_ROOT));
}
