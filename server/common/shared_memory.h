/*
 * shared_memory.h - memory that several processes use by a descriptor, which they inherit.
 *
 * Its size cannot change: a process that could shrink it would end the others by SIGBUS.
 */
#pragma once

#include <glib.h>

/* Make size bytes of memory, all 0. name: for people who look at /proc. Returns a descriptor, close-on-exec,
 * or -1. */
int shared_memory_create(const char *name, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Map the memory of a descriptor, which is closed. NULL if it has another size. */
gpointer shared_memory_open(int fd, gsize size, gboolean writable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* NULL is allowed. */
void shared_memory_close(gpointer memory, gsize size);
