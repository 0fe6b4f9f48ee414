#include "server/common/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/common/visible.h"

#define LOG_VALUE_MAX 200 /* bytes of an external value in one line */

/* Set once by log_init(), before any thread is started. */
static char program_name[32] = "ruad";
static gboolean show_debug;
static gboolean to_journal;

/* One write() per line, so that the lines of several processes on one standard error do not mix. */
static void write_line(const char *message)
{
	g_autofree char *line = g_strdup_printf("%s: %s\n", program_name, message);
	gsize done = 0;
	gsize size = strlen(line);

	while (done < size) {
		ssize_t n = write(STDERR_FILENO, line + done, size - done);

		if (n <= 0)
			return;
		done += (gsize)n;
	}
}

static GLogWriterOutput write_log(
    GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user G_GNUC_UNUSED)
{
	if ((level & G_LOG_LEVEL_DEBUG) && !show_debug)
		return G_LOG_WRITER_HANDLED;
	if (to_journal && g_log_writer_journald(level, fields, n_fields, NULL) == G_LOG_WRITER_HANDLED)
		return G_LOG_WRITER_HANDLED;
	for (gsize i = 0; i < n_fields; i++)
		if (g_str_equal(fields[i].key, "MESSAGE"))
			write_line(fields[i].value);
	return G_LOG_WRITER_HANDLED;
}

void log_init(const char *program, gboolean verbose)
{
	g_strlcpy(program_name, program, sizeof(program_name));
	show_debug = verbose || g_getenv(LOG_VERBOSE_VARIABLE) != NULL;
	to_journal = g_log_writer_is_journald(STDERR_FILENO);
	g_log_set_writer_func(write_log, NULL, NULL);
}

static void log_words(GLogLevelFlags level, const char *priority, const char *format, va_list args)
    G_GNUC_PRINTF(3, 0);

static void log_words(GLogLevelFlags level, const char *priority, const char *format, va_list args)
{
	g_autofree char *words = g_strdup_vprintf(format, args);
	g_autofree char *message = visible_lines(words);
	const GLogField fields[] = {
		{ "MESSAGE", message, -1 },
		{ "PRIORITY", priority, -1 },
		{ "SYSLOG_IDENTIFIER", program_name, -1 },
	};

	g_log_structured_array(level, fields, G_N_ELEMENTS(fields));
}

/* Priorities are those of syslog(3). GLib's "error" level ends the process, so log_error() uses its
 * "critical". */
#define LOG_FUNCTION(name, level, priority)                                                                  \
	void name(const char *format, ...)                                                                   \
	{                                                                                                    \
		va_list args;                                                                                \
                                                                                                             \
		va_start(args, format);                                                                      \
		log_words(level, priority, format, args);                                                    \
		va_end(args);                                                                                \
	}

LOG_FUNCTION(log_info, G_LOG_LEVEL_INFO, "6")
LOG_FUNCTION(log_warning, G_LOG_LEVEL_WARNING, "4")
LOG_FUNCTION(log_error, G_LOG_LEVEL_CRITICAL, "3")
LOG_FUNCTION(log_debug, G_LOG_LEVEL_DEBUG, "7")

/* -- lines with fields -- */

struct log_field {
	const char *name; /* borrowed */
	char *value;
};

struct log_fields {
	GArray *array; /* of struct log_field */
};

static void field_clear(gpointer field)
{
	g_free(((struct log_field *)field)->value);
}

struct log_fields *log_fields_new(void)
{
	struct log_fields *fields = g_new0(struct log_fields, 1);

	fields->array = g_array_new(FALSE, FALSE, sizeof(struct log_field));
	g_array_set_clear_func(fields->array, field_clear);
	return fields;
}

void log_fields_free(struct log_fields *fields)
{
	if (fields == NULL)
		return;
	g_array_unref(fields->array);
	g_free(fields);
}

/* Append value, which may come from outside, and cut it. quotes: those in it are escaped. */
static void append_foreign(GString *text, const char *value, gboolean quotes)
{
	g_autofree char *valid = g_utf8_make_valid(value, (gssize)strnlen(value, LOG_VALUE_MAX + 1));
	gsize start = text->len;

	for (const char *c = valid; *c != '\0'; c = g_utf8_next_char(c)) {
		gunichar ch = g_utf8_get_char(c);

		if (text->len - start >= LOG_VALUE_MAX) {
			g_string_append(text, "...");
			return;
		}
		if (quotes && (ch == '"' || ch == '\\'))
			g_string_append_printf(text, "\\%c", (int)ch);
		else
			visible_append(text, ch);
	}
}

void log_fields_add(struct log_fields *fields, const char *name, const char *value)
{
	g_autoptr(GString) text = g_string_new(NULL);
	guint values = 0;

	if (value == NULL || *value == '\0')
		return;
	append_foreign(text, value, FALSE);
	for (guint i = 0; i < fields->array->len; i++) {
		const struct log_field *field = &g_array_index(fields->array, struct log_field, i);

		if (!g_str_equal(field->name, name))
			continue;
		if (++values == LOG_FIELD_VALUES || g_str_equal(field->value, text->str))
			return;
	}
	g_array_append_val(fields->array, ((struct log_field){ name, g_strdup(text->str) }));
}

const char *log_fields_get(const struct log_fields *fields, const char *name)
{
	for (guint i = 0; i < fields->array->len; i++) {
		const struct log_field *field = &g_array_index(fields->array, struct log_field, i);

		if (g_str_equal(field->name, name))
			return field->value;
	}
	return NULL;
}

void log_fields_remove(struct log_fields *fields, const char *name)
{
	for (guint i = fields->array->len; i > 0; i--)
		if (g_str_equal(g_array_index(fields->array, struct log_field, i - 1).name, name))
			g_array_remove_index(fields->array, i - 1);
}

void log_info_about(const struct log_fields *fields, const char *format, ...)
{
	g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(GLogField));
	g_autofree char *words = NULL, *message = NULL;
	va_list args;

	va_start(args, format);
	words = g_strdup_vprintf(format, args);
	va_end(args);
	message = visible_lines(words);
	g_array_append_vals(all,
	    (const GLogField[]){ { "MESSAGE", message, -1 }, { "PRIORITY", "6", -1 },
		{ "SYSLOG_IDENTIFIER", program_name, -1 } },
	    3);
	for (guint i = 0; i < fields->array->len; i++) {
		const struct log_field *field = &g_array_index(fields->array, struct log_field, i);

		g_array_append_val(all, ((GLogField){ field->name, field->value, -1 }));
	}
	g_log_structured_array(G_LOG_LEVEL_INFO, (const GLogField *)(gpointer)all->data, all->len);
}

/* -- one line a minute for each cause -- */

#define PACE       G_TIME_SPAN_MINUTE
#define CAUSES_MAX 100 /* that are remembered */

struct cause {
	gint64 written; /* monotonic time of the last line */
	guint kept_back;
};

static GMutex pace_lock;
static GHashTable *causes; /* text -> struct cause */

static struct cause *cause_find(const char *text)
{
	struct cause *cause;

	if (causes == NULL)
		causes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	cause = g_hash_table_lookup(causes, text);
	if (cause != NULL)
		return cause;
	if (g_hash_table_size(causes) >= CAUSES_MAX)
		g_hash_table_remove_all(causes);
	cause = g_new0(struct cause, 1);
	g_hash_table_insert(causes, g_strdup(text), cause);
	return cause;
}

/* Returns whether a line is due, and how many were not written since the last one. */
static gboolean pace_allows(const char *text, guint *kept_back)
{
	g_autoptr(GMutexLocker) G_GNUC_UNUSED locker = g_mutex_locker_new(&pace_lock);
	struct cause *cause = cause_find(text);
	gint64 now = g_get_monotonic_time();

	if (cause->written != 0 && now - cause->written < PACE) {
		cause->kept_back++;
		return FALSE;
	}
	*kept_back = cause->kept_back;
	*cause = (struct cause){ .written = now };
	return TRUE;
}

void log_warning_paced(const char *cause, const char *format, ...)
{
	g_autofree char *message = NULL;
	guint kept_back = 0;
	va_list args;

	if (!pace_allows(cause, &kept_back))
		return;
	va_start(args, format);
	message = g_strdup_vprintf(format, args);
	va_end(args);
	if (kept_back > 0)
		log_warning("%s (and %u times more since the last such line)", message, kept_back);
	else
		log_warning("%s", message);
}

char *log_quote(const char *value)
{
	GString *quoted = g_string_new("\"");

	append_foreign(quoted, value, TRUE);
	g_string_append_c(quoted, '"');
	return g_string_free(quoted, FALSE);
}
