/*
 * auditor_name.h - which names `ruad auditor` takes for a login.
 *
 * Knows nothing of the database: whether the name is taken there is for ruad.auditor_add() to say.
 */
#pragma once

#include <glib.h>

/* What is wrong with the name, or NULL. */
const char *auditor_name_objection(const char *name);
