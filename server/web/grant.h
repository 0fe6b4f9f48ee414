/*
 * grant.h - the rights that `ruad user` gave a user, as api.user_grant() prints them.
 *
 * Knows nothing of HTTP or of the database.
 */
#pragma once

#include <glib.h>

enum grant_role {   /* each may do what the ones before may */
	GRANT_NONE, /* the user has no grant: the settings decide */
	GRANT_VIEWER,
	GRANT_EDITOR,
	GRANT_ADMIN,
};

struct grant {
	enum grant_role role;
	char **domains; /* names and patterns that limit what the user sees; NULL: all domains */
};

/*
 * Read {"role": ..., "domains": [...] or null}; a NULL document is a user without a grant. grant is
 * overwritten, free it with grant_clear(). RUAD_ERROR_SYNTAX if it is something else.
 */
gboolean grant_read(GBytes *document, struct grant *grant, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void grant_clear(struct grant *grant);

/* Returns whether the user sees only some domains. */
gboolean grant_is_limited(const struct grant *grant);

/* Returns whether the user may label sources; is_editor is what the settings say (auth_is_editor()). */
gboolean grant_edits(const struct grant *grant, gboolean is_editor);
