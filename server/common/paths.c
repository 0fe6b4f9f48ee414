#include "server/common/paths.h"

#include <errno.h>
#include <unistd.h>

char *paths_libexec(const char *program)
{
	const char *folder = g_getenv("RUAD_LIBEXEC");
	if (folder != NULL && *folder != '\0')
		return g_build_filename(folder, program, NULL);

	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	if (self != NULL) {
		g_autofree char *bin = g_path_get_dirname(self);
		g_autofree char *prefix = g_path_get_dirname(bin);
		g_autofree char *beside = g_build_filename(prefix, "libexec", "ruad", program, NULL);
		if (access(beside, X_OK) == 0 || errno == EACCES)
			return g_steal_pointer(&beside);
	}
	return g_build_filename(RUAD_LIBEXECDIR, program, NULL);
}
