#include "server/common/disk.h"

#include <errno.h>
#include <sys/statvfs.h>

#include "parser/error.h"

gboolean disk_ask(const char *folder, struct disk *disk, GError **error)
{
	struct statvfs status;

	if (statvfs(folder, &status) != 0) {
		g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "%s: %s", folder, g_strerror(errno));
		return FALSE;
	}
	disk->available = (guint64)status.f_bavail * status.f_frsize;
	disk->read_only = (status.f_flag & ST_RDONLY) != 0;
	return TRUE;
}
