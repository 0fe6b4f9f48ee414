/*
 * auditor_name.h - which names `ruad auditor` accepts for a login.
 *
 * Knows nothing of the database: ruad.auditor_add() checks whether the name is already used there.
 */
#pragma once

#include <glib.h>

/* Returns what is wrong with the name, or NULL. */
const char *auditor_name_objection(const char *name);
