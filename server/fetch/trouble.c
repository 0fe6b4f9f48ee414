#include "server/fetch/trouble.h"

#include "parser/error.h"
#include "server/common/log.h"

guint trouble_tell(struct trouble *trouble, const char *name, const GError *error)
{
	gboolean lost = g_error_matches(error, RUAD_ERROR, RUAD_ERROR_SYSTEM);
	guint first = lost ? TROUBLE_LOST_FIRST : TROUBLE_REFUSED_FIRST;
	guint most = lost ? TROUBLE_LOST_MOST : TROUBLE_REFUSED_MOST;

	if (g_strcmp0(trouble->said, error->message) != 0)
		log_error("%s: %s", name, error->message);
	g_free(trouble->said);
	trouble->said = g_strdup(error->message);
	trouble->failures++;
	return MIN(most, first << MIN(trouble->failures - 1, 10));
}

void trouble_over(struct trouble *trouble, const char *name)
{
	if (trouble->said != NULL)
		log_info("%s: works again", name);
	trouble_clear(trouble);
}

void trouble_clear(struct trouble *trouble)
{
	g_clear_pointer(&trouble->said, g_free);
	trouble->failures = 0;
}
