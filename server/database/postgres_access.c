#include "server/database/postgres_access.h"

#define WRITTEN_BY "# Written by ruad at every start: changes are lost.\n"

/* An auditor's login has the name of a user of the operating system, so it needs no map. */
const char postgres_access_hba[] =
    WRITTEN_BY "local all  " POSTGRES_ADMIN " peer map=ruad\n"
	       "local " POSTGRES_DATABASE " ruad_owner,ruad_ingest,ruad_web,"
	       "ruad_editor,ruad_enrich,ruad_notify,ruad_auditor peer map=ruad\n"
	       "local " POSTGRES_DATABASE " +ruad_auditor,+ruad_viewer peer\n";

static const char *const own_roles[] = { POSTGRES_ADMIN, "ruad_owner", "ruad_ingest", "ruad_web",
	"ruad_editor", "ruad_enrich", "ruad_notify", "ruad_auditor" };

char *postgres_access_ident(const char *user)
{
	GString *words = g_string_new(WRITTEN_BY);

	for (gsize i = 0; i < G_N_ELEMENTS(own_roles); i++)
		g_string_append_printf(
		    words, "ruad \"%s\" %s\nruad root %s\n", user, own_roles[i], own_roles[i]);
	return g_string_free(words, FALSE);
}
