#include "server/fetch/maildir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parser/error.h"

#define INFO  ":2," /* before the flags */
#define PIECE (64 * 1024)

struct maildir {
	char *path;
	int new_fd; /* folders */
	int cur_fd;
};

/* Always returns FALSE; errno is the cause. */
static gboolean fail(const struct maildir *maildir, GError **error, const char *what)
{
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "%s: %s", what, g_strerror(errno));
	g_prefix_error(error, "\"%s\": ", maildir->path);
	return FALSE;
}

/* -- names -- */

gboolean maildir_wants(const char *name, gboolean is_new)
{
	const char *info = strstr(name, INFO);

	if (*name == '.')
		return FALSE;
	return is_new || info == NULL || strpbrk(info + strlen(INFO), "ST") == NULL;
}

static gint by_value(gconstpointer a, gconstpointer b)
{
	return *(const char *)a - *(const char *)b;
}

char *maildir_marked_name(const char *name, const char *flags)
{
	const char *info = strstr(name, INFO);
	g_autofree char *base = g_strndup(name, strcspn(name, ":"));
	g_autoptr(GString) all = g_string_new(info != NULL ? info + strlen(INFO) : "");

	for (; *flags != '\0'; flags++)
		if (strchr(all->str, *flags) == NULL)
			g_string_append_c(all, *flags);
	qsort(all->str, all->len, 1, by_value);
	return g_strconcat(base, INFO, all->str, NULL);
}

/* -- folders -- */

static int open_folder(const struct maildir *maildir, int parent, const char *name, GError **error)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || faccessat(parent, name, R_OK | W_OK | X_OK, AT_EACCESS) != 0) {
		(void)fail(maildir, error, name);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

struct maildir *maildir_open(const char *path, GError **error)
{
	struct maildir *maildir = g_new0(struct maildir, 1);
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	maildir->path = g_strdup(path);
	maildir->new_fd = maildir->cur_fd = -1;
	if (fd < 0) {
		(void)fail(maildir, error, "cannot open it");
	} else {
		maildir->new_fd = open_folder(maildir, fd, "new", error);
		if (maildir->new_fd >= 0)
			maildir->cur_fd = open_folder(maildir, fd, "cur", error);
		close(fd);
	}
	if (maildir->cur_fd < 0)
		g_clear_pointer(&maildir, maildir_close);
	return maildir;
}

void maildir_close(struct maildir *maildir)
{
	if (maildir == NULL)
		return;
	if (maildir->new_fd >= 0)
		close(maildir->new_fd);
	if (maildir->cur_fd >= 0)
		close(maildir->cur_fd);
	g_free(maildir->path);
	g_free(maildir);
}

static int folder_of(const struct maildir *maildir, const struct maildir_mail *mail)
{
	return mail->is_new ? maildir->new_fd : maildir->cur_fd;
}

/* -- listing -- */

static void free_mail(gpointer data)
{
	struct maildir_mail *mail = data;

	g_free(mail->name);
	g_free(mail);
}

static gint by_name(gconstpointer a, gconstpointer b)
{
	const struct maildir_mail *const *one = a;
	const struct maildir_mail *const *other = b;

	return strcmp((*one)->name, (*other)->name);
}

static gboolean list_folder(
    const struct maildir *maildir, gboolean is_new, guint max, GPtrArray *mails, GError **error)
{
	int fd = openat(is_new ? maildir->new_fd : maildir->cur_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (folder == NULL) {
		(void)fail(maildir, error, "cannot list it");
		if (fd >= 0)
			close(fd);
		return FALSE;
	}
	while (mails->len < max && (entry = readdir(folder)) != NULL) {
		struct maildir_mail *mail;

		if (!maildir_wants(entry->d_name, is_new))
			continue;
		mail = g_new0(struct maildir_mail, 1);
		mail->name = g_strdup(entry->d_name);
		mail->is_new = is_new;
		g_ptr_array_add(mails, mail);
	}
	closedir(folder);
	return TRUE;
}

GPtrArray *maildir_list(struct maildir *maildir, guint max, GError **error)
{
	g_autoptr(GPtrArray) mails = g_ptr_array_new_with_free_func(free_mail);

	if (!list_folder(maildir, TRUE, max, mails, error) || !list_folder(maildir, FALSE, max, mails, error))
		return NULL;
	g_ptr_array_sort(mails, by_name);
	return g_steal_pointer(&mails);
}

/* -- reading -- */

/* *got: MAILDIR_NO_FILE if the disk cannot give all of it. */
static gboolean read_file(int fd, guint64 max, struct spool *spool, enum maildir_got *got, GError **error)
{
	g_autofree char *piece = g_malloc(PIECE);
	ssize_t n = 1;

	while (n != 0 && spool_size(spool) <= max) {
		n = read(fd, piece, PIECE);
		if (n < 0 && errno != EINTR) {
			*got = MAILDIR_NO_FILE;
			return TRUE;
		}
		if (n > 0 && !spool_write(spool, piece, (gsize)n, error))
			return FALSE;
	}
	*got = spool_size(spool) > max ? MAILDIR_TOO_LARGE : MAILDIR_GOT;
	return TRUE;
}

gboolean maildir_read(const struct maildir *maildir, const struct maildir_mail *mail, guint64 max,
    struct spool *spool, enum maildir_got *got, GError **error)
{
	/* a named pipe must not block */
	int fd = openat(
	    folder_of(maildir, mail), mail->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat status;
	gboolean good = TRUE;

	spool_clear(spool);
	if (fd < 0) {
		*got = errno == ENOENT ? MAILDIR_GONE : MAILDIR_NO_FILE;
		return TRUE;
	}
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		*got = MAILDIR_NO_FILE;
	} else if ((guint64)status.st_size > max) {
		*got = MAILDIR_TOO_LARGE;
	} else {
		good = read_file(fd, max, spool, got, error);
	}
	close(fd);
	return good;
}

/* -- marking -- */

/* Not every file system has RENAME_NOREPLACE. */
static gboolean move_file(int from, const char *name, int to, const char *target)
{
	struct stat status;

	if (renameat2(from, name, to, target, RENAME_NOREPLACE) == 0)
		return TRUE;
	if (errno != EINVAL && errno != ENOSYS)
		return FALSE;
	if (fstatat(to, target, &status, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return FALSE;
	}
	return renameat(from, name, to, target) == 0;
}

gboolean maildir_mark(
    const struct maildir *maildir, const struct maildir_mail *mail, const char *flags, GError **error)
{
	g_autofree char *target = maildir_marked_name(mail->name, flags);

	if (move_file(folder_of(maildir, mail), mail->name, maildir->cur_fd, target) || errno == ENOENT)
		return TRUE;
	return fail(maildir, error, "cannot move a mail to cur");
}

gboolean maildir_delete(const struct maildir *maildir, const struct maildir_mail *mail, GError **error)
{
	if (unlinkat(folder_of(maildir, mail), mail->name, 0) == 0 || errno == ENOENT)
		return TRUE;
	return fail(maildir, error, "cannot delete a mail");
}
