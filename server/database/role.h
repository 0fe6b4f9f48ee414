/*
 * role.h - the database roles of ruad: how a session acts as one.
 *
 * sql/migrations/0001_roles.sql says what each role is for, and how long it may wait and work; sql/README.md
 * what it may do.
 */
#pragma once

#include "server/database/db.h"

/*
 * Make the session act as role ("ruad_web"), with the role's time-outs: PostgreSQL applies these only to a
 * login with the role's own name, and the logins of ruad may have other names.
 *
 * RUAD_ERROR_SYSTEM  the login may not act as role, or the database is away
 */
gboolean role_assume(struct db *db, const char *role, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Check that the session's login may act as each of roles (NULL-terminated). If ruad_owner is among them, the
 * login must also inherit its rights.
 *
 * RUAD_ERROR_SYSTEM  it may not (the message has the statements that grant the right), or the database is
 *                    away
 */
gboolean role_check(struct db *db, const char *const *roles, GError **error) G_GNUC_WARN_UNUSED_RESULT;
