#include "parser/error.h"

gboolean ruad_error_over_limit(GError **error, const char *what, gsize limit)
{
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_LIMIT, "%s: more than %" G_GSIZE_FORMAT, what, limit);
	return FALSE;
}

/* clang-format off */
G_DEFINE_QUARK(ruad-error-quark, ruad_error)
