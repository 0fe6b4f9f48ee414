/*
 * identity.h - changes the process from root to the user of ruad.
 *
 * Unless it says otherwise, a function does nothing and succeeds if the process is not root: started by
 * another user, ruad stays that user.
 */
#pragma once

#include <glib.h>

/*
 * Become user permanently: groups, group, user. keep_reading keeps the right to read any file
 * (CAP_DAC_READ_SEARCH), to import the mailboxes of other users; child programs do not get it.
 *
 * RUAD_ERROR_SYNTAX  no such user
 * RUAD_ERROR_SYSTEM  the kernel refused
 */
gboolean identity_become(const char *user, gboolean keep_reading, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Act as user until identity_resume(), to access files in that user's folder. Only while there is one
 * thread. */
gboolean identity_assume(const char *user, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void identity_resume(void);

/* Create the folder and missing parent folders, owned by user, with mode 0750; an existing folder is
 * unchanged. Also if not root. */
gboolean identity_make_folder(const char *path, const char *user, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The user who typed the command; sudo tells who that was before becoming root. Transfer full. */
char *identity_user_name(void) G_GNUC_WARN_UNUSED_RESULT;

/*
 * Change the owner of the folder or socket to user, and its group to group, or to that of user if it is "". A
 * process that is not root changes the group alone, which it must be a member of; without a group it changes
 * nothing.
 *
 * RUAD_ERROR_SYNTAX  no such user or group
 * RUAD_ERROR_SYSTEM  the kernel refused
 */
gboolean identity_give(
    const char *path, const char *user, const char *group, GError **error) G_GNUC_WARN_UNUSED_RESULT;
