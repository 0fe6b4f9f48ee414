#include "parser/error.h"

gboolean ruad_error_over_limit(GError **error, const char *what, gsize limit)
{
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_LIMIT, "%s: more than %" G_GSIZE_FORMAT, what, limit);
	return FALSE;
}

gboolean ruad_error_at(GError **error, const char *place, const char *format, ...)
{
	va_list args;
	g_autofree char *words = NULL;

	va_start(args, format);
	words = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "%s: %s", place, words);
	return FALSE;
}

/* clang-format off */
G_DEFINE_QUARK(ruad-error-quark, ruad_error)
