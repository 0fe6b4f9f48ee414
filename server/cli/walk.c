#include "server/cli/walk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "parser/kind.h"
#include "server/cli/commands.h"
#include "server/common/splitter.h"
#include "server/common/visible.h"

void walk_init(struct walk *walk)
{
	*walk = (struct walk){ .files = g_ptr_array_new_with_free_func(g_free) };
}

void walk_clear(struct walk *walk)
{
	g_ptr_array_unref(walk->files);
}

static void complain(struct walk *walk, const char *path)
{
	const char *why = g_strerror(errno);
	g_autofree char *visible = visible_text(path);

	walk->failed++;
	command_fail("import", COMMAND_FAILED, "%s: %s", visible, why);
}

static void take(struct walk *walk, const char *path, goffset size)
{
	g_ptr_array_add(walk->files, g_strdup(path));
	walk->bytes += (guint64)size;
}

/* Returns whether head begins with a header field: a name, then a colon (RFC 5322 section 2.2). */
static gboolean starts_with_field(const guint8 *head, gsize size)
{
	gsize at = 0;

	while (at < size && head[at] > ' ' && head[at] < 127 && head[at] != ':')
		at++;
	return at > 0 && at < size && head[at] == ':';
}

/* Returns whether the first bytes of the file look like a format that reports are sent in. */
static gboolean looks_importable(const char *path, gboolean *readable)
{
	guint8 head[KIND_HEAD];
	FILE *file = fopen(path, "rbe");
	gsize size;

	*readable = file != NULL;
	if (file == NULL)
		return FALSE;
	size = fread(head, 1, sizeof(head), file);
	*readable = !ferror(file);
	fclose(file);
	if (size >= 5 && memcmp(head, "From ", 5) == 0)
		return TRUE;
	return starts_with_field(head, size) || kind_of(head, size) != KIND_OTHER ||
	       splitter_kind_of((const char *)head, size) != SPLITTER_NONE;
}

static void walk_folder(struct walk *walk, const char *path);

/* Handle an entry of a folder, which the user did not name. */
static void walk_entry(struct walk *walk, const char *path, gboolean files_too)
{
	struct stat status;
	gboolean readable = TRUE;

	if (lstat(path, &status) != 0) {
		complain(walk, path);
	} else if (S_ISDIR(status.st_mode)) {
		walk_folder(walk, path);
	} else if (files_too && stat(path, &status) == 0 && S_ISREG(status.st_mode)) {
		if (looks_importable(path, &readable))
			take(walk, path, status.st_size);
		else if (!readable)
			complain(walk, path);
		else
			walk->skipped++;
	}
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Returns the names in a folder, sorted, or NULL. */
static GPtrArray *list_folder(const char *path)
{
	GDir *folder = g_dir_open(path, 0, NULL);
	GPtrArray *names = NULL;
	const char *name;

	if (folder == NULL)
		return NULL;
	names = g_ptr_array_new_with_free_func(g_free);
	while ((name = g_dir_read_name(folder)) != NULL)
		g_ptr_array_add(names, g_strdup(name));
	g_dir_close(folder);
	g_ptr_array_sort(names, compare_names);
	return names;
}

static gboolean is_maildir(const char *path)
{
	g_autofree char *cur = g_build_filename(path, "cur", NULL);
	g_autofree char *new = g_build_filename(path, "new", NULL);

	return g_file_test(cur, G_FILE_TEST_IS_DIR) && g_file_test(new, G_FILE_TEST_IS_DIR);
}

/* The tmp/ of a Maildir contains mail that is being delivered, and its own files are indexes of the mail
 * server. */
static void walk_folder(struct walk *walk, const char *path)
{
	g_autoptr(GPtrArray) names = list_folder(path);
	gboolean maildir = is_maildir(path);

	if (names == NULL) {
		complain(walk, path);
		return;
	}
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *below = g_build_filename(path, names->pdata[i], NULL);

		if (!maildir || !g_str_equal(names->pdata[i], "tmp"))
			walk_entry(walk, below, !maildir);
	}
}

void walk_add(struct walk *walk, const char *path)
{
	struct stat status;

	if (g_str_equal(path, "-"))
		take(walk, path, 0);
	else if (stat(path, &status) != 0)
		complain(walk, path);
	else if (S_ISDIR(status.st_mode))
		walk_folder(walk, path);
	else
		take(walk, path, S_ISREG(status.st_mode) ? status.st_size : 0);
}
