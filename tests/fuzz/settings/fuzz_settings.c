/*
 * fuzz_settings.c - settings of any bytes: the file, then after each NUL a variable of the environment
 * ("RUAD_LMTP_LISTEN=…"), or an override ("-lmtp.listen=…").
 *
 * The result is passed to a child program and read again: both must see the same. Files that a KEY_file names
 * are really read, but no devices: some have no end.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "parser/error.h"
#include "server/common/settings_table.h"

extern char **environ;

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

/* Load with that environment and no other. */
static struct settings *load(const char *file, char **overrides, char **environment, GError **error)
{
	char **own = environ;
	struct settings *settings;

	environ = environment;
	settings = settings_load(file, (const char *const *)overrides, error);
	environ = own;
	return settings;
}

/* All sections of the table, some of them twice. */
static char **all_sections(void)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

	for (gsize i = 0; i < setting_table_size; i++) {
		const char *key = NULL;
		g_autofree char *section = setting_section(&setting_table[i], &key);

		g_strv_builder_add(builder, section);
	}
	return g_strv_builder_end(builder);
}

static void check_child(const struct settings *settings)
{
	g_auto(GStrv) sections = all_sections();
	g_auto(GStrv) environment =
	    settings_environment(settings, (const char *const *)sections, g_new0(char *, 1));
	g_autoptr(GError) error = NULL;
	struct settings *child = load(NULL, NULL, environment, &error);

	if (child == NULL)
		g_error("the child refuses: %s", error->message);
	for (gsize i = 0; i < setting_table_size; i++)
		g_assert_cmpstr(settings_text(settings, i), ==, settings_text(child, i));
	settings_free(child);
}

static void check_print(const struct settings *settings)
{
	g_autofree char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	settings_print(settings, out);
	g_assert(fclose(out) == 0 && length > 0);
}

/* A file in memory with the content; its path is transferred, the descriptor must be closed. */
static char *file_of(const char *content, gsize size, int *fd)
{
	*fd = memfd_create("settings", MFD_CLOEXEC);
	g_assert(*fd >= 0 && write(*fd, content, size) == (gssize)size);
	return g_strdup_printf("/proc/self/fd/%d", *fd);
}

static gboolean names_device(const guint8 *data, gsize size)
{
	return memmem(data, size, "/dev", 4) != NULL || memmem(data, size, "/proc", 5) != NULL;
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autofree char *text = g_malloc0(size + 1);
	g_autoptr(GPtrArray) overrides = g_ptr_array_new(), environment = g_ptr_array_new();
	g_autoptr(GError) error = NULL;
	g_autofree char *path = NULL;
	struct settings *settings;
	gsize file = size == 0 ? 0 : strnlen((const char *)data, size);
	int fd;

	if (size > 0 && names_device(data, size))
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	path = file_of(text, file, &fd);
	for (gsize at = file + 1; at < size; at += strlen(text + at) + 1)
		if (text[at] == '-')
			g_ptr_array_add(overrides, text + at + 1);
		else if (strchr(text + at, '=') != NULL)
			g_ptr_array_add(environment, text + at);
	g_ptr_array_add(overrides, NULL);
	g_ptr_array_add(environment, NULL);
	settings = load(path, (char **)overrides->pdata, (char **)environment->pdata, &error);
	g_assert((settings == NULL) == (error != NULL));
	g_assert(error == NULL || g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYNTAX));
	if (settings != NULL) {
		check_child(settings);
		check_print(settings);
		settings_free(settings);
	}
	close(fd);
	return 0;
}
