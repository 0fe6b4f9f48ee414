#include "server/database/postgres_words.h"

#include <string.h>

/* Add a message to those before it. */
static void append(GString *joined, const char *message)
{
	g_string_append_printf(joined, "%s%s", joined->len == 0 ? "" : "; ", message);
}

char *postgres_words_messages(const char *log, const char *prefix)
{
	g_auto(GStrv) lines = g_strsplit(log, "\n", -1);
	GString *messages = g_string_new(NULL);

	for (gsize i = 0; lines[i] != NULL; i++) {
		const char *message = g_str_has_prefix(lines[i], prefix) ? strstr(lines[i], ":  ") : NULL;

		if (message != NULL)
			append(messages, message + strlen(":  "));
	}
	return g_string_free(messages, FALSE);
}

/* The message of a line that is an error, of a program ("initdb: error: ...") or of the server that it runs
 * ("... FATAL:  ..."); or NULL. Borrowed. */
static const char *error_in(const char *line)
{
	static const char *const marks[] = { "error: ", "fatal: ", "ERROR:  ", "FATAL:  ", "PANIC:  " };

	for (gsize i = 0; i < G_N_ELEMENTS(marks); i++) {
		const char *found = strstr(line, marks[i]);

		if (found != NULL)
			return found + strlen(marks[i]);
	}
	return NULL;
}

char *postgres_words_cause(const char *words)
{
	g_autofree char *text = g_strchomp(g_strdup(words));
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	GString *cause = g_string_new(NULL);

	for (gsize i = 0; lines[i] != NULL; i++)
		if (error_in(lines[i]) != NULL)
			append(cause, error_in(lines[i]));
	if (cause->len == 0 && lines[0] != NULL)
		append(cause, lines[g_strv_length(lines) - 1]);
	return g_string_free(cause, FALSE);
}
