#include "server/web/param.h"

#include <arpa/inet.h>
#include <string.h>

#include "parser/error.h"

static char *refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Returns NULL, with error set to the message. */
static char *refuse(GError **error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (error != NULL)
		*error = g_error_new_valist(RUAD_ERROR, RUAD_ERROR_SYNTAX, format, args);
	va_end(args);
	return NULL;
}

static gboolean has_control(const char *text)
{
	for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at))
		if (g_unichar_iscntrl(g_utf8_get_char(at)))
			return TRUE;
	return FALSE;
}

static char *read_text(const struct param *param, const char *value, GError **error)
{
	if (*value == '\0')
		return refuse(error, "must not be empty");
	if (g_utf8_strlen(value, -1) < param->min)
		return refuse(error, "must be at least %" G_GINT64_FORMAT " characters", param->min);
	if (g_utf8_strlen(value, -1) > param->max)
		return refuse(error, "must be at most %" G_GINT64_FORMAT " characters", param->max);
	if (has_control(value))
		return refuse(error, "must not have control characters");
	return g_strdup(value);
}

/* n decimal digits at text, or -1. */
static int digits(const char *text, guint n)
{
	int number = 0;

	for (guint i = 0; i < n; i++) {
		if (!g_ascii_isdigit(text[i]))
			return -1;
		number = number * 10 + (text[i] - '0');
	}
	return number;
}

static char *read_date(const char *value, GError **error)
{
	if (strlen(value) == 10 && value[4] == '-' && value[7] == '-') {
		int year = digits(value, 4);
		int month = digits(value + 5, 2);
		int day = digits(value + 8, 2);

		if (year >= 1970 && month >= 1 && day >= 1 &&
		    g_date_valid_dmy((GDateDay)day, (GDateMonth)month, (GDateYear)year))
			return g_strdup(value);
	}
	return refuse(error, "must be a date like 2026-11-24");
}

/* Decimal digits without sign or leading zero, min .. max. */
static gboolean read_number(const char *text, gint64 min, gint64 max, gint64 *number)
{
	guint64 found;

	if (text[0] == '0' && text[1] != '\0')
		return FALSE;
	if (!g_ascii_string_to_unsigned(text, 10, (guint64)min, (guint64)max, &found, NULL))
		return FALSE;
	*number = (gint64)found;
	return TRUE;
}

static char *read_int(const struct param *param, const char *value, GError **error)
{
	gint64 number;

	if (!read_number(value, param->min, param->max, &number))
		return refuse(error, "must be a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
		    param->min, param->max);
	return g_strdup(value);
}

static char *read_network(const char *value, GError **error)
{
	const char *slash = strchr(value, '/');
	g_autofree char *address = g_strndup(value, slash != NULL ? (gsize)(slash - value) : strlen(value));
	guint8 bytes[sizeof(struct in6_addr)];
	gint64 bits;
	int most = 0;

	if (inet_pton(AF_INET, address, bytes) == 1)
		most = 32;
	else if (inet_pton(AF_INET6, address, bytes) == 1)
		most = 128;
	else
		return refuse(error, "must be an IP address or a network like 192.0.2.0/24 or 2001:db8::/32");
	if (slash != NULL && !read_number(slash + 1, 0, most, &bits))
		return refuse(error, "must have 0 to %d bits after '/'", most);
	return g_strdup(value);
}

static char *read_choice(const struct param *param, const char *value, GError **error)
{
	g_autofree char *all = NULL;

	if (g_strv_contains(param->choices, value))
		return g_strdup(value);
	all = g_strjoinv(", ", (char **)param->choices);
	return refuse(error, "must be one of %s", all);
}

static char *read_bool(const char *value, GError **error)
{
	if (strcmp(value, "0") == 0 || strcmp(value, "1") == 0)
		return g_strdup(value);
	return refuse(error, "must be 0 or 1");
}

static char *read_asn(const char *value, GError **error)
{
	gint64 number;

	if (strcmp(value, "none") == 0 || read_number(value, 0, G_MAXUINT32, &number))
		return g_strdup(value);
	return refuse(error, "must be the number of an autonomous system, or none");
}

static char *read_country(const char *value, GError **error)
{
	if (strcmp(value, "none") == 0)
		return g_strdup(value);
	if (g_ascii_isalpha(value[0]) && g_ascii_isalpha(value[1]) && value[2] == '\0')
		return g_ascii_strup(value, 2);
	return refuse(error, "must be a country's two letters, or none");
}

char *param_read(const struct param *param, const char *value, GError **error)
{
	switch (param->type) {
	case PARAM_TEXT:
		return read_text(param, value, error);
	case PARAM_DATE:
		return read_date(value, error);
	case PARAM_NETWORK:
		return read_network(value, error);
	case PARAM_INT:
		return read_int(param, value, error);
	case PARAM_BOOL:
		return read_bool(value, error);
	case PARAM_CHOICE:
		return read_choice(param, value, error);
	case PARAM_ASN:
		return read_asn(value, error);
	case PARAM_COUNTRY:
		return read_country(value, error);
	}
	g_assert_not_reached();
}

char *param_array(const char *const *values, gsize n_values)
{
	GString *literal = g_string_new("{");

	for (gsize i = 0; i < n_values; i++) {
		if (i > 0)
			g_string_append_c(literal, ',');
		g_string_append_c(literal, '"');
		for (const char *at = values[i]; *at != '\0'; at++) {
			if (*at == '"' || *at == '\\')
				g_string_append_c(literal, '\\');
			g_string_append_c(literal, *at);
		}
		g_string_append_c(literal, '"');
	}
	g_string_append_c(literal, '}');
	return g_string_free(literal, FALSE);
}
