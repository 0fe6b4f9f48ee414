#include "tests/unit/ingest/logged.h"

static GMutex lines_lock;
static GString *lines, *values;

static GLogWriterOutput write_line(
    GLogLevelFlags level G_GNUC_UNUSED, const GLogField *fields, gsize n, gpointer user G_GNUC_UNUSED)
{
	g_autoptr(GMutexLocker) G_GNUC_UNUSED locker = g_mutex_locker_new(&lines_lock);

	for (gsize i = 0; i < n; i++)
		if (g_str_equal(fields[i].key, "MESSAGE"))
			g_string_append_printf(lines, "%s\n", (const char *)fields[i].value);
		else if (g_str_has_prefix(fields[i].key, "RUAD_"))
			g_string_append_printf(
			    values, "%s=%s ", fields[i].key, (const char *)fields[i].value);
	return G_LOG_WRITER_HANDLED;
}

void logged_begin(void)
{
	lines = g_string_new(NULL);
	values = g_string_new(NULL);
	g_log_set_writer_func(write_line, NULL, NULL);
}

static char *take(GString *collected)
{
	g_autoptr(GMutexLocker) G_GNUC_UNUSED locker = g_mutex_locker_new(&lines_lock);
	char *text = g_strdup(collected->str);

	g_string_truncate(collected, 0);
	return text;
}

char *logged(void)
{
	return take(lines);
}

char *logged_fields(void)
{
	return take(values);
}
