#include "server/database/postgres_program.h"

#include <sys/stat.h>
#include <unistd.h>

enum postgres_program postgres_program_compare(const char *running, const char *installed, guint64 *inode)
{
	struct stat here;
	struct stat there;

	if (stat(running, &here) != 0)
		return POSTGRES_PROGRAM_SAME;
	if (stat(installed, &there) != 0 || access(installed, X_OK) != 0)
		return POSTGRES_PROGRAM_MISSING;
	if (here.st_dev == there.st_dev && here.st_ino == there.st_ino)
		return POSTGRES_PROGRAM_SAME;
	*inode = there.st_ino;
	return POSTGRES_PROGRAM_REPLACED;
}
