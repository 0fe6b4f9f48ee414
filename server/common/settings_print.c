#include "server/common/settings.h"

#include <string.h>

#include "server/common/settings_table.h"

#define HELP_WIDTH 98 /* columns of a help line, after "# " */

/* Prints one key. */
typedef void (*print_key)(const struct settings *settings, gsize index, const char *key, FILE *out);

static void print_wrapped(const char *help, FILE *out)
{
	g_auto(GStrv) words = g_strsplit(help, " ", -1);
	gsize column = 0;

	for (gsize i = 0; words[i] != NULL; i++) {
		if (column == 0 || column + 1 + strlen(words[i]) > HELP_WIDTH) {
			fputs(column == 0 ? "#" : "\n#", out);
			column = 0;
		}
		fprintf(out, " %s", words[i]);
		column += 1 + strlen(words[i]);
	}
	fputc('\n', out);
}

/* The keys of a section. */
static void print_keys(const struct settings *settings, const char *section, print_key print, FILE *out)
{
	for (gsize i = 0; i < setting_table_size; i++) {
		const char *key = NULL;
		g_autofree char *of = setting_section(&setting_table[i], &key);

		if (g_str_equal(of, section))
			print(settings, i, key, out);
	}
}

/* The sections [SECTION NAME], each with all keys. */
static void print_named(
    const struct settings *settings, const char *section, print_key print, const char *between, FILE *out)
{
	g_autoptr(GPtrArray) sections = settings_sections(settings, section);

	for (guint s = 1; s < sections->len; s++) {
		fprintf(out, "%s[%s %s]\n", between, section, settings_name(sections->pdata[s]));
		print_keys(sections->pdata[s], section, print, out);
	}
}

/* Print every key in the table's order, under the heads of the sections; between is printed before each
 * head. settings: NULL for those that have no values. */
static void print_all(const struct settings *settings, print_key print, const char *between, FILE *out)
{
	g_autofree char *here = NULL;

	for (gsize i = 0; i < setting_table_size; i++) {
		const char *key = NULL;
		g_autofree char *section = setting_section(&setting_table[i], &key);

		if (g_strcmp0(here, section) == 0)
			continue;
		fprintf(out, "%s[%s]\n", here == NULL && *between == '\n' ? "" : between, section);
		print_keys(settings, section, print, out);
		if (settings != NULL)
			print_named(settings, section, print, between, out);
		g_free(here);
		here = g_steal_pointer(&section);
	}
}

static void print_effective(const struct settings *settings, gsize index, const char *key, FILE *out)
{
	const char *text = settings_text(settings, index);
	gboolean masked = setting_table[index].type == SETTING_SECRET && *text != '\0';

	print_wrapped(setting_table[index].help, out);
	fprintf(out, "%s = %s\n", key, masked ? "********" : text);
}

void settings_print(const struct settings *settings, FILE *out)
{
	print_all(settings, print_effective, "\n", out);
}

static void print_example(
    const struct settings *settings G_GNUC_UNUSED, gsize index, const char *key, FILE *out)
{
	print_wrapped(setting_table[index].help, out);
	fprintf(out, "#%s = %s\n", key, setting_table[index].fallback);
}

void settings_print_example(FILE *out)
{
	fputs("# /etc/ruad/ruad.conf - settings of ruad, see ruad.conf(5). What is commented out shows the "
	      "default.\n\n",
	    out);
	print_all(NULL, print_example, "\n", out);
}

/* Text for roff: backslashes and leading dots would be commands, and a bare hyphen may become a dash. */
static void print_roff(const char *text, FILE *out)
{
	for (const char *c = text; *c != '\0'; c++) {
		if (*c == '\\')
			fputs("\\e", out);
		else if (*c == '-')
			fputs("\\-", out);
		else
			fputc(*c, out);
	}
}

static void print_manual(
    const struct settings *settings G_GNUC_UNUSED, gsize index, const char *key, FILE *out)
{
	const struct setting *setting = &setting_table[index];

	fputs(".TP\n.B ", out);
	print_roff(key, out);
	fputs("\n", out);
	print_roff(setting->help, out);
	fputs("\nDefault: ", out);
	print_roff(*setting->fallback == '\0' ? "empty" : setting->fallback, out);
	fputs(".\n", out);
}

void settings_print_manual(FILE *out)
{
	print_all(NULL, print_manual, ".SS ", out);
}
