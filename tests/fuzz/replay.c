/*
 * replay.c - runs a fuzz target over files instead of under libFuzzer: each argument is a file or a folder of
 * files and folders.
 *
 * So ctest replays in every build, also gcc's, what fuzzing has found. Fails if there was nothing to run.
 */
#include <glib.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static guint replay(const char *path)
{
	g_autofree char *content = NULL;
	gsize size;
	if (!g_file_get_contents(path, &content, &size, NULL)) {
		fprintf(stderr, "%s: cannot be read\n", path);
		return 0;
	}
	/* A copy of exactly that size, so that the sanitizer notices a read past the end. */
	g_autofree guint8 *exact = g_memdup2(content, size);
	LLVMFuzzerTestOneInput(exact, size);
	return 1;
}

static guint replay_folder(const char *path)
{
	g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
	if (!folder)
		return replay(path);
	guint n = 0;
	for (const char *name = g_dir_read_name(folder); name; name = g_dir_read_name(folder)) {
		g_autofree char *file = g_build_filename(path, name, NULL);
		n += replay_folder(file);
	}
	return n;
}

int main(int argc, char **argv)
{
	guint n = 0;
	LLVMFuzzerTestOneInput((const guint8 *)"", 0);
	for (int i = 1; i < argc; i++)
		n += replay_folder(argv[i]);
	printf("%u files replayed\n", n);
	return n ? 0 : 1;
}
