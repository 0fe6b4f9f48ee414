/*
 * identity.h - from root to the user ruad: whom the process acts as.
 *
 * Every function does nothing, successfully, when the process is not root: started by
 * another user, ruad stays that user.
 */
#pragma once

#include <glib.h>

/*
 * Become user for good: groups, group, user. keep_reading keeps the one right to read any file (CAP_DAC_READ_SEARCH),
 * for an import of other people's mailboxes; programs started later do not get it.
 *
 * RUAD_ERROR_SYNTAX  no such user
 * RUAD_ERROR_SYSTEM  the kernel refused
 */
gboolean identity_become(const char *user, gboolean keep_reading, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Act as user until identity_resume(), to touch files in the folder of that user. Only while there is one thread. */
gboolean identity_assume(const char *user, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void identity_resume(void);

/* Make the folder, owned by user, mode 0750, and what is missing above it; one that is there stays as it is. Also when not root. */
gboolean identity_make_folder(const char *path, const char *user, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Give the file to user. */
gboolean identity_give(const char *path, const char *user, GError **error) G_GNUC_WARN_UNUSED_RESULT;
