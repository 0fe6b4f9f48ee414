#include "server/cli/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "parser/error.h"

#define FOLDER_MODE 0750 /* the group has access to the database's socket */

static gboolean fail(GError **error, const char *what, const char *subject)
{
	int code = errno;

	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "%s \"%s\": %s", what, subject, g_strerror(code));
	return FALSE;
}

static const struct passwd *look_up(const char *user, GError **error)
{
	const struct passwd *entry = getpwnam(user);

	if (entry == NULL)
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
		    "server.user \"%s\": no such user (create it: adduser --system --group --no-create-home "
		    "%s)",
		    user, user);
	return entry;
}

/* Drop all capabilities except CAP_DAC_READ_SEARCH; if the kernel refuses, that one is dropped too. */
static void keep_only_reading(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	data[0].effective = data[0].permitted = 1U << CAP_DAC_READ_SEARCH;
	(void)syscall(SYS_capset, &header, data);
}

gboolean identity_become(const char *user, gboolean keep_reading, GError **error)
{
	const struct passwd *entry;

	if (geteuid() != 0)
		return TRUE;
	entry = look_up(user, error);
	if (entry == NULL)
		return FALSE;
	if (entry->pw_uid == 0) {
		g_set_error(
		    error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "server.user \"%s\": must not be root", user);
		return FALSE;
	}
	if (prctl(PR_SET_KEEPCAPS, keep_reading ? 1L : 0L) != 0)
		return fail(error, "cannot keep the right to read as", user);
	if (initgroups(user, entry->pw_gid) != 0 || setgid(entry->pw_gid) != 0 || setuid(entry->pw_uid) != 0)
		return fail(error, "cannot become user", user);
	if (keep_reading)
		keep_only_reading();
	return TRUE;
}

gboolean identity_assume(const char *user, GError **error)
{
	const struct passwd *entry;

	if (geteuid() != 0)
		return TRUE;
	entry = look_up(user, error);
	if (entry == NULL)
		return FALSE;
	if (setegid(entry->pw_gid) != 0 || seteuid(entry->pw_uid) != 0)
		return fail(error, "cannot act as user", user);
	return TRUE;
}

void identity_resume(void)
{
	if (getuid() == 0 && (seteuid(0) != 0 || setegid(0) != 0))
		g_error("cannot be root again: %s", g_strerror(errno));
}

/* Only a folder or a socket that is ours: in a folder of the user's, the path could be replaced by a link to
 * any file. */
static gboolean give(const char *path, uid_t uid, gid_t gid)
{
	struct stat status;
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	gboolean good;

	if (fd < 0)
		return FALSE;
	errno = EPERM;
	good = fstat(fd, &status) == 0 && (S_ISSOCK(status.st_mode) || S_ISDIR(status.st_mode)) &&
	       fchownat(fd, "", uid, gid, AT_EMPTY_PATH) == 0;
	close(fd);
	return good;
}

/* The number of the group. */
static gboolean look_up_group(const char *group, gid_t *gid, GError **error)
{
	const struct group *entry = getgrnam(group);

	if (entry == NULL) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
		    "group \"%s\": no such group (create it: addgroup --system %s)", group, group);
		return FALSE;
	}
	*gid = entry->gr_gid;
	return TRUE;
}

gboolean identity_give(const char *path, const char *user, const char *group, GError **error)
{
	uid_t uid = (uid_t)-1; /* unchanged */
	gid_t gid = (gid_t)-1;

	if (geteuid() == 0) {
		const struct passwd *entry = look_up(user, error);

		if (entry == NULL)
			return FALSE;
		uid = entry->pw_uid;
		gid = entry->pw_gid;
	} else if (*group == '\0') {
		return TRUE;
	}
	if (*group != '\0' && !look_up_group(group, &gid, error))
		return FALSE;
	return give(path, uid, gid) ? TRUE : fail(error, "cannot give away", path);
}

gboolean identity_make_folder(const char *path, const char *user, GError **error)
{
	g_autofree char *parent = g_path_get_dirname(path);

	if (g_file_test(path, G_FILE_TEST_IS_DIR))
		return TRUE;
	if (g_mkdir_with_parents(parent, 0755) != 0 || mkdir(path, FOLDER_MODE) != 0 ||
	    chmod(path, FOLDER_MODE) != 0)
		return fail(error, "cannot make the folder", path);
	return identity_give(path, user, "", error);
}

char *identity_user_name(void)
{
	const struct passwd *entry = getpwuid(getuid());
	const char *before = getuid() == 0 ? g_getenv("SUDO_USER") : NULL;

	if (before != NULL && *before != '\0')
		return g_strdup(before);
	return entry != NULL ? g_strdup(entry->pw_name) : g_strdup_printf("uid %d", (int)getuid());
}
