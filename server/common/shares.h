/*
 * shares.h - how many of something each client has, such as connections. Not thread-safe.
 */
#pragma once

#include <glib.h>

struct shares;

struct shares *shares_new(void) G_GNUC_WARN_UNUSED_RESULT;
void shares_free(struct shares *shares); /* NULL is allowed */

/* How many a client has; 0 if it is unknown. */
guint shares_of(const struct shares *shares, const char *client);

/* A client has one more, or one less than before; it has one. A client without any is forgotten. */
void shares_add(struct shares *shares, const char *client);
void shares_remove(struct shares *shares, const char *client);
