/*
 * memory.h - how much memory this process may use: the machine's, or less where a control group limits it.
 *
 * Reads control groups of version 2 only (Documentation/admin-guide/cgroup-v2.rst in the Linux kernel).
 */
#pragma once

#include <glib.h>

#define MEMORY_UNLIMITED G_MAXUINT64

/* Bytes that this process and its children may use together; 0 if the system does not say. */
guint64 memory_usable(void);

/*
 * The lowest memory.max or memory.high of a control group and all groups above it, in bytes, or
 * MEMORY_UNLIMITED. groups is the content of /proc/self/cgroup; root is the folder where the hierarchy is
 * mounted.
 */
guint64 memory_group_limit(const char *groups, const char *root);
