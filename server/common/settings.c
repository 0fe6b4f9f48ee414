#include "server/common/settings.h"

#include <string.h>

#include "parser/error.h"
#include "server/common/setting_value.h"
#include "server/common/settings_table.h"

struct settings {
	struct setting_value *value; /* as many as setting_table has, in its order */
	gboolean lenient;            /* leave out what this user may not read */
	gboolean partial;            /* something was left out */
	GPtrArray *named;            /* of struct settings: the named sections, sorted by section and name */

	/* of a named section; otherwise NULL */
	const struct settings *base; /* has the values of all other sections */
	char *section;
	char *name;
};

/* The sections that may be there several times, as [SECTION NAME]. */
static const char *const nameable[] = { "imap", "digest", NULL };

/* -- names -- */

static gssize find(const char *name)
{
	for (gsize i = 0; i < setting_table_size; i++)
		if (g_str_equal(setting_table[i].name, name))
			return (gssize)i;
	return -1;
}

/* "lmtp.max_message_size" is RUAD_LMTP_MAX_MESSAGE_SIZE in the environment, and "imap.work.url"
 * RUAD_IMAP_WORK_URL. */
static char *variable_name(const char *name)
{
	g_autofree char *upper = g_ascii_strup(name, -1);

	return g_strconcat("RUAD_", g_strdelimit(upper, ".", '_'), NULL);
}

/* "imap.url" is "imap.work.url" in section [imap work]. name may be NULL: no change. Transfer full. */
static char *name_in(const char *key, const char *name)
{
	const char *dot = strchr(key, '.');

	return name == NULL ? g_strdup(key) : g_strdup_printf("%.*s.%s%s", (int)(dot - key), key, name, dot);
}

static gboolean setting_is_in(const struct setting *setting, const char *section)
{
	gsize length = strlen(section);

	return strncmp(setting->name, section, length) == 0 && setting->name[length] == '.';
}

static gboolean is_section_name(const char *name)
{
	gsize length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789");

	return g_ascii_islower(*name) && name[length] == '\0' && length <= SETTINGS_NAME_MAX;
}

/* The number of insertions, deletions and replacements of bytes between a and b (Levenshtein). */
static guint distance(const char *a, const char *b)
{
	gsize width = strlen(b);
	g_autofree guint *row = g_new(guint, width + 1);

	for (gsize j = 0; j <= width; j++)
		row[j] = (guint)j;
	for (gsize i = 1; a[i - 1] != '\0'; i++) {
		guint corner = row[0];

		row[0] = (guint)i;
		for (gsize j = 1; j <= width; j++) {
			guint replaced = corner + (a[i - 1] != b[j - 1]);

			corner = row[j];
			row[j] = MIN(replaced, MIN(row[j], row[j - 1]) + 1);
		}
	}
	return row[width];
}

const char *settings_nearest(const char *word, const char *const *words)
{
	const char *best = words[0];

	for (gsize i = 1; words[i] != NULL; i++)
		if (distance(word, words[i]) < distance(word, best))
			best = words[i];
	return best;
}

/* The names of all keys, as they are written in the file or in the environment; with those of section
 * [SECTION NAME] if name is not NULL. */
static char **all_names(gboolean as_variables, const char *section, const char *name)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

	for (gsize i = 0; i < 2 * setting_table_size; i++) {
		gboolean again = i >= setting_table_size;
		const struct setting *setting = &setting_table[i % setting_table_size];
		g_autofree char *key = name_in(setting->name, again ? name : NULL);
		g_autofree char *variable = variable_name(key);

		if (!again || (name != NULL && section != NULL && setting_is_in(setting, section)))
			g_strv_builder_add(builder, as_variables ? variable : key);
	}
	return g_strv_builder_end(builder);
}

/* -- named sections -- */

static gint compare_named(gconstpointer a, gconstpointer b)
{
	const struct settings *one = *(const struct settings *const *)a;
	const struct settings *other = *(const struct settings *const *)b;
	int sections = strcmp(one->section, other->section);

	return sections != 0 ? sections : strcmp(one->name, other->name);
}

static gboolean assign(
    struct settings *settings, gsize index, const char *place, const char *raw, GError **error);

/* The settings of section [SECTION NAME], which begins with the defaults. */
static struct settings *named_section(struct settings *settings, const char *section, const char *name)
{
	struct settings *fresh;

	for (guint i = 0; i < settings->named->len; i++) {
		struct settings *known = settings->named->pdata[i];

		if (g_str_equal(known->section, section) && g_str_equal(known->name, name))
			return known;
	}
	fresh = g_new0(struct settings, 1);
	fresh->value = g_new0(struct setting_value, setting_table_size);
	fresh->lenient = settings->lenient;
	fresh->base = settings;
	fresh->section = g_strdup(section);
	fresh->name = g_strdup(name);
	for (gsize i = 0; i < setting_table_size; i++)
		if (setting_is_in(&setting_table[i], section) &&
		    !assign(fresh, i, "default", setting_table[i].fallback, NULL))
			g_assert_not_reached();
	g_ptr_array_add(settings->named, fresh);
	return fresh;
}

/* -- keys -- */

/* Set the value of a key; place is where the value comes from. */
static gboolean assign(
    struct settings *settings, gsize index, const char *place, const char *raw, GError **error)
{
	g_autofree char *name = name_in(setting_table[index].name, settings->name);

	return setting_value_read(&setting_table[index], name, place, raw, &settings->value[index], error);
}

/* Whether to continue without a file that could not be read. */
static gboolean may_lack(struct settings *settings, const GError *cause)
{
	if (!settings->lenient || !g_error_matches(cause, G_FILE_ERROR, G_FILE_ERROR_ACCES))
		return FALSE;
	settings->partial = TRUE;
	return TRUE;
}

/* KEY_file: the value is the content of the file. */
static gboolean assign_from_file(
    struct settings *settings, gsize index, const char *place, const char *raw, GError **error)
{
	g_autofree char *name = name_in(setting_table[index].name, settings->name);
	g_autofree char *path = g_strstrip(g_strdup(raw));
	g_autofree char *content = NULL;
	g_autoptr(GError) cause = NULL;

	if (setting_value_is_quoted(path))
		return ruad_error_at(error, place, "%s_file: write the path without quotes", name);
	if (!g_file_get_contents(path, &content, NULL, &cause))
		return may_lack(settings, cause) ||
		       ruad_error_at(error, place, "%s_file: %s", name, cause->message);
	return assign(settings, index, place, content, error);
}

/* The index of the key "lmtp.listen", or of "database.url_file", for which *from_file is TRUE; or -1. */
static gssize find_key(const char *key, gboolean *from_file)
{
	gssize index = find(key);

	*from_file = FALSE;
	if (index < 0 && g_str_has_suffix(key, "_file")) {
		g_autofree char *plain = g_strndup(key, strlen(key) - strlen("_file"));

		*from_file = TRUE;
		index = find(plain);
	}
	return index;
}

/*
 * The index of the key that a name such as "lmtp.listen", "database.url_file" or "imap.work.url" refers to,
 * or -1. *section and *name (transfer full) are those of a named section, or NULL.
 */
static gssize find_named(const char *text, char **section, char **name, gboolean *from_file)
{
	g_auto(GStrv) parts = g_strsplit(text, ".", 3);
	g_autofree char *key = NULL;

	*section = *name = NULL;
	if (g_strv_length(parts) != 3 || !g_strv_contains(nameable, parts[0]) || !is_section_name(parts[1]))
		return find_key(text, from_file);
	*section = g_strdup(parts[0]);
	*name = g_strdup(parts[1]);
	key = g_strconcat(parts[0], ".", parts[2], NULL);
	return find_key(key, from_file);
}

static gboolean assign_by_name(
    struct settings *settings, const char *key, const char *place, const char *raw, GError **error)
{
	g_autofree char *section = NULL, *name = NULL;
	gboolean from_file = FALSE;
	gssize index = find_named(key, &section, &name, &from_file);

	if (index < 0) {
		g_auto(GStrv) names = all_names(FALSE, section, name);

		return ruad_error_at(error, place, "unknown key \"%s\": did you mean \"%s\"?", key,
		    settings_nearest(key, (const char *const *)names));
	}
	if (name != NULL)
		settings = named_section(settings, section, name);
	return (from_file ? assign_from_file : assign)(settings, (gsize)index, place, raw, error);
}

/* -- the file -- */

/* Scans the lines itself, since GKeyFile does not report line numbers: returns the line, from 1 and after
 * the line after, with the section's key; if key is NULL, with the section's head; if both are NULL, the
 * first line that is not valid in an INI file. 0 if there is none. */
static guint line_of(const char *content, const char *section, const char *key, guint after)
{
	g_auto(GStrv) lines = g_strsplit(content, "\n", -1);
	g_autofree char *here = NULL;

	for (guint i = 0; lines[i] != NULL; i++) {
		char *line = g_strstrip(lines[i]);
		char *equals = strchr(line, '=');

		if (line[0] == '\0' || line[0] == '#')
			continue;
		if (line[0] == '[' && g_str_has_suffix(line, "]")) {
			g_free(here);
			here = g_strndup(line + 1, strlen(line) - 2);
			if (section != NULL && key == NULL && g_str_equal(here, section))
				return i + 1;
			continue;
		}
		if (section == NULL && (equals == NULL || equals == line || here == NULL))
			return i + 1;
		if (equals != NULL)
			*equals = '\0';
		if (i >= after && section != NULL && key != NULL && g_strcmp0(here, section) == 0 &&
		    g_str_equal(g_strchomp(line), key))
			return i + 1;
	}
	return 0;
}

static char *place_in_file(const char *path, const char *content, const char *section, const char *key)
{
	guint line = line_of(content, section, key, 0);

	return line == 0 ? g_strdup(path) : g_strdup_printf("%s:%u", path, line);
}

static gboolean known_section(const char *section)
{
	g_autofree char *prefix = g_strconcat(section, ".", NULL);

	for (gsize i = 0; i < setting_table_size; i++)
		if (g_str_has_prefix(setting_table[i].name, prefix))
			return TRUE;
	return FALSE;
}

static gboolean unknown_section(const char *section, const char *place, GError **error)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
	g_auto(GStrv) sections = NULL;

	for (gsize i = 0; i < setting_table_size; i++) {
		const char *key = NULL;
		g_autofree char *name = setting_section(&setting_table[i], &key);

		g_strv_builder_add(builder, name);
	}
	sections = g_strv_builder_end(builder);
	return ruad_error_at(error, place, "unknown section [%s]: did you mean [%s]?", section,
	    settings_nearest(section, (const char *const *)sections));
}

/* Create section [SECTION NAME]; place is where it begins. */
static gboolean add_named(struct settings *settings, const char *head, const char *place, GError **error)
{
	const char *blank = strchr(head, ' ');
	g_autofree char *section = g_strndup(head, (gsize)(blank - head));

	if (!known_section(section))
		return unknown_section(section, place, error);
	if (!g_strv_contains(nameable, section))
		return ruad_error_at(
		    error, place, "section [%s]: there is only one [%s], without a name", head, section);
	if (!is_section_name(blank + 1))
		return ruad_error_at(error, place,
		    "section [%s]: \"%s\" is not a name: write 1 to %d lower-case letters and digits, of "
		    "which the first is a letter",
		    head, blank + 1, SETTINGS_NAME_MAX);
	(void)named_section(settings, section, blank + 1);
	return TRUE;
}

/* A key that is set twice, or by itself and by KEY_file: GKeyFile would use one of them silently. */
static gboolean check_once(
    const char *path, const char *content, const char *section, const char *key, GError **error)
{
	g_autofree char *file_key = g_strconcat(key, "_file", NULL);
	guint first = line_of(content, section, key, 0);
	guint again = line_of(content, section, key, first);
	guint by_file = line_of(content, section, file_key, 0);
	g_autofree char *prefix = g_strdelimit(g_strdup(section), " ", '.');

	if (again == 0 && by_file == 0)
		return TRUE;
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX,
	    "%s:%u: \"%s.%s\" is already set in line %u: remove one of the two", path,
	    again != 0 ? again : MAX(first, by_file), prefix, again != 0 || first > by_file ? key : file_key,
	    again != 0 ? first : MIN(first, by_file));
	return FALSE;
}

static gboolean read_section(struct settings *settings, GKeyFile *file, const char *path, const char *content,
    const char *section, GError **error)
{
	g_autofree char *head = place_in_file(path, content, section, NULL);
	g_autofree char *prefix = g_strdelimit(g_strdup(section), " ", '.');
	g_auto(GStrv) keys = NULL;

	if (strchr(section, ' ') != NULL && !add_named(settings, section, head, error))
		return FALSE;
	if (strchr(section, ' ') == NULL && !known_section(section))
		return unknown_section(section, head, error);
	keys = g_key_file_get_keys(file, section, NULL, NULL);
	for (gsize i = 0; keys[i] != NULL; i++) {
		g_autofree char *name = g_strconcat(prefix, ".", keys[i], NULL);
		g_autofree char *place = place_in_file(path, content, section, keys[i]);
		g_autofree char *raw = g_key_file_get_value(file, section, keys[i], NULL);

		if (!check_once(path, content, section, keys[i], error) ||
		    !assign_by_name(settings, name, place, raw, error))
			return FALSE;
	}
	return TRUE;
}

/* Editors of other systems begin a file with a byte order mark. */
static gboolean check_encoding(const char *path, const char *content, GError **error)
{
	static const char *const marks[] = { "\xef\xbb\xbf", "\xff\xfe", "\xfe\xff" };

	for (gsize i = 0; i < G_N_ELEMENTS(marks); i++)
		if (g_str_has_prefix(content, marks[i]))
			return ruad_error_at(error, path,
			    "begins with a byte order mark: save it as UTF-8 without one (\"without BOM\")");
	return TRUE;
}

static gboolean read_file(struct settings *settings, const char *path, GError **error)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autoptr(GError) cause = NULL;
	g_autofree char *content = NULL;
	g_auto(GStrv) sections = NULL;

	if (!g_file_get_contents(path, &content, NULL, &cause)) {
		if (may_lack(settings, cause))
			return TRUE;
		g_set_error_literal(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, cause->message);
		return FALSE;
	}
	if (!check_encoding(path, content, error))
		return FALSE;
	if (*content != '\0' &&
	    !g_key_file_load_from_data(file, content, strlen(content), G_KEY_FILE_NONE, NULL)) {
		g_autofree char *place = place_in_file(path, content, NULL, NULL);

		return ruad_error_at(error, place, "neither [section] nor key = value");
	}
	sections = g_key_file_get_groups(file, NULL);
	for (gsize i = 0; sections[i] != NULL; i++)
		if (!read_section(settings, file, path, content, sections[i], error))
			return FALSE;
	return TRUE;
}

/* -- credentials -- */

/* systemd's folder of files that only this service may read (LoadCredential=). */
#define CREDENTIALS_VARIABLE "CREDENTIALS_DIRECTORY"

static gboolean read_credential(
    struct settings *settings, const char *folder, const char *name, GError **error)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autofree char *content = NULL;
	g_autoptr(GError) cause = NULL;

	if (!g_file_get_contents(path, &content, NULL, &cause))
		return may_lack(settings, cause) ||
		       ruad_error_at(error, "credential", "%s: %s", name, cause->message);
	return assign_by_name(settings, name, "credential", content, error);
}

/* A file that is named as a key sets that key; other files are not for us. */
static gboolean read_credentials(struct settings *settings, GError **error)
{
	const char *folder = g_getenv(CREDENTIALS_VARIABLE);
	g_autoptr(GDir) files = folder != NULL ? g_dir_open(folder, 0, NULL) : NULL;
	const char *name;

	while (files != NULL && (name = g_dir_read_name(files)) != NULL) {
		const char *dot = strchr(name, '.');
		g_autofree char *section = dot != NULL ? g_strndup(name, (gsize)(dot - name)) : NULL;

		if (section != NULL && known_section(section) &&
		    !read_credential(settings, folder, name, error))
			return FALSE;
	}
	return TRUE;
}

/* -- the environment and -o -- */

static gboolean read_variable(struct settings *settings, gsize index, GError **error)
{
	g_autofree char *name = name_in(setting_table[index].name, settings->name);
	g_autofree char *variable = variable_name(name);
	g_autofree char *file_variable = g_strconcat(variable, "_FILE", NULL);
	const char *plain = g_getenv(variable);
	const char *path = g_getenv(file_variable);

	if (plain != NULL && path != NULL)
		return ruad_error_at(error, "environment", "both %s and %s are set", variable, file_variable);
	if (plain != NULL)
		return assign(settings, index, variable, plain, error);
	if (path != NULL)
		return assign_from_file(settings, index, file_variable, path, error);
	return TRUE;
}

/* The section that a variable such as RUAD_LMTP_LISTEN begins with, and in *rest what follows, both transfer
 * full; NULL if it begins with none. */
static char *section_of_variable(const char *variable, char **rest)
{
	g_autofree char *lower = g_ascii_strdown(variable + strlen("RUAD_"), -1);
	char *underscore = strchr(lower, '_');

	if (underscore == NULL)
		return NULL;
	*underscore = '\0';
	if (!known_section(lower))
		return NULL;
	*rest = g_strdup(underscore + 1);
	return g_steal_pointer(&lower);
}

/* The name in RUAD_SECTION_NAME_KEY, where rest is what follows the section. Transfer full; NULL if the
 * section cannot have one. */
static char *name_of_variable(const char *section, const char *rest)
{
	const char *underscore = strchr(rest, '_');
	g_autofree char *name = underscore == NULL ? NULL : g_strndup(rest, (gsize)(underscore - rest));

	return name != NULL && g_strv_contains(nameable, section) && is_section_name(name)
		   ? g_steal_pointer(&name)
		   : NULL;
}

enum variable_kind {
	VARIABLE_OTHER,   /* begins with no section */
	VARIABLE_SETTING, /* a key, or one of a named section */
	VARIABLE_UNKNOWN, /* begins with a section, but is none of its keys */
};

/* *section and *name (transfer full) are those of a named section, otherwise *name is NULL. */
static enum variable_kind variable_kind(const char *variable, char **section, char **name)
{
	g_autofree char *rest = NULL, *plain = NULL, *named = NULL;
	gboolean from_file = FALSE;

	*name = NULL;
	*section = section_of_variable(variable, &rest);
	if (*section == NULL)
		return VARIABLE_OTHER;
	plain = g_strconcat(*section, ".", rest, NULL);
	if (find_key(plain, &from_file) >= 0)
		return VARIABLE_SETTING;
	*name = name_of_variable(*section, rest);
	if (*name == NULL)
		return VARIABLE_UNKNOWN;
	named = g_strconcat(*section, ".", rest + strlen(*name) + 1, NULL);
	return find_key(named, &from_file) >= 0 ? VARIABLE_SETTING : VARIABLE_UNKNOWN;
}

/* Reject a misspelt RUAD_LMTP_LISTN, and create the named section of RUAD_IMAP_WORK_URL. */
static gboolean take_variable(struct settings *settings, const char *variable, GError **error)
{
	g_autofree char *section = NULL, *name = NULL;
	enum variable_kind kind = variable_kind(variable, &section, &name);

	if (kind == VARIABLE_UNKNOWN) {
		g_auto(GStrv) names = all_names(TRUE, section, name);

		return ruad_error_at(error, "environment", "unknown variable \"%s\": did you mean \"%s\"?",
		    variable, settings_nearest(variable, (const char *const *)names));
	}
	if (name != NULL)
		(void)named_section(settings, section, name);
	return TRUE;
}

static gboolean is_setting(const char *variable)
{
	g_autofree char *section = NULL, *name = NULL;

	return variable_kind(variable, &section, &name) == VARIABLE_SETTING;
}

/* RUAD_ variables that are not settings; those of server/quickstart are among them. */
static const char *const other_variables[] = { SETTINGS_FILE_VARIABLE, "RUAD_LIBEXEC", "RUAD_VERBOSE",
	"RUAD_BUILD", "RUAD_PROGRAMS", "RUAD_STATE_DIR", "RUAD_NO_INSTALL", NULL };

char **settings_unknown_variables(void)
{
	g_auto(GStrv) variables = g_listenv();
	g_auto(GStrv) names = all_names(TRUE, NULL, NULL);
	g_autoptr(GStrvBuilder) warnings = g_strv_builder_new();

	for (gsize i = 0; variables[i] != NULL; i++) {
		g_autofree char *plain = g_str_has_suffix(variables[i], "_FILE")
					     ? g_strndup(variables[i], strlen(variables[i]) - strlen("_FILE"))
					     : g_strdup(variables[i]);
		g_autofree char *warning = NULL;

		if (!g_str_has_prefix(plain, "RUAD_") || is_setting(plain) ||
		    g_strv_contains(other_variables, plain))
			continue;
		warning =
		    g_strdup_printf("the variable %s is not a setting and has no effect; the nearest is %s",
			variables[i], settings_nearest(plain, (const char *const *)names));
		g_strv_builder_add(warnings, warning);
	}
	return g_strv_builder_end(warnings);
}

/* Read the variables of the keys of one section; of all if section is NULL. */
static gboolean read_variables(struct settings *settings, const char *section, GError **error)
{
	for (gsize i = 0; i < setting_table_size; i++)
		if ((section == NULL || setting_is_in(&setting_table[i], section)) &&
		    !read_variable(settings, i, error))
			return FALSE;
	return TRUE;
}

static gboolean read_environment(struct settings *settings, GError **error)
{
	g_auto(GStrv) variables = g_listenv();

	for (gsize i = 0; variables[i] != NULL; i++)
		if (g_str_has_prefix(variables[i], "RUAD_") && !take_variable(settings, variables[i], error))
			return FALSE;
	for (guint i = 0; i < settings->named->len; i++) {
		struct settings *named = settings->named->pdata[i];

		if (!read_variables(named, named->section, error))
			return FALSE;
	}
	return read_variables(settings, NULL, error);
}

static gboolean read_override(struct settings *settings, const char *override, GError **error)
{
	const char *equals = strchr(override, '=');
	g_autofree char *name = NULL;

	if (equals == NULL)
		return ruad_error_at(error, "-o", "\"%s\": not section.key=value", override);
	name = g_strstrip(g_strndup(override, (gsize)(equals - override)));
	return assign_by_name(settings, name, "-o", equals + 1, error);
}

/* -- the interface -- */

/* The file to read, or NULL for none. */
static const char *choose_file(const char *file)
{
	const char *variable = g_getenv(SETTINGS_FILE_VARIABLE);

	if (file != NULL)
		return file;
	if (variable != NULL)
		return *variable == '\0' ? NULL : variable;
	return g_file_test(SETTINGS_FILE, G_FILE_TEST_EXISTS) ? SETTINGS_FILE : NULL;
}

static void free_settings(gpointer settings)
{
	settings_free(settings);
}

static struct settings *load(const char *path, const char *const *overrides, gboolean lenient, GError **error)
{
	struct settings *settings = g_new0(struct settings, 1);
	gboolean good = TRUE;

	settings->lenient = lenient;
	settings->value = g_new0(struct setting_value, setting_table_size);
	settings->named = g_ptr_array_new_with_free_func(free_settings);
	for (gsize i = 0; good && i < setting_table_size; i++)
		good = assign(settings, i, "default", setting_table[i].fallback, error);
	good = good && (path == NULL || read_file(settings, path, error)) &&
	       read_credentials(settings, error) && read_environment(settings, error);
	for (gsize i = 0; good && overrides != NULL && overrides[i] != NULL; i++)
		good = read_override(settings, overrides[i], error);
	g_ptr_array_sort(settings->named, compare_named);
	if (!good)
		g_clear_pointer(&settings, settings_free);
	return settings;
}

struct settings *settings_load(const char *file, const char *const *overrides, GError **error)
{
	return load(choose_file(file), overrides, FALSE, error);
}

struct settings *settings_load_readable(const char *file, const char *const *overrides, GError **error)
{
	return load(choose_file(file), overrides, file == NULL, error);
}

gboolean settings_are_partial(const struct settings *settings)
{
	gboolean partial = settings->partial;

	for (guint i = 0; i < settings->named->len; i++)
		partial = partial || ((const struct settings *)settings->named->pdata[i])->partial;
	return partial;
}

GPtrArray *settings_sections(const struct settings *settings, const char *section)
{
	GPtrArray *sections = g_ptr_array_new();

	g_ptr_array_add(sections, (gpointer)settings);
	for (guint i = 0; i < settings->named->len; i++) {
		struct settings *named = settings->named->pdata[i];

		if (g_str_equal(named->section, section))
			g_ptr_array_add(sections, named);
	}
	return sections;
}

const char *settings_name(const struct settings *settings)
{
	return settings->name;
}

void settings_free(struct settings *settings)
{
	if (settings == NULL)
		return;
	for (gsize i = 0; i < setting_table_size; i++)
		setting_value_clear(&settings->value[i]);
	g_free(settings->value);
	g_clear_pointer(&settings->named, g_ptr_array_unref);
	g_free(settings->section);
	g_free(settings->name);
	g_free(settings);
}

static const struct setting_value *value_of(const struct settings *settings, gsize index)
{
	gboolean is_own = settings->base == NULL || setting_is_in(&setting_table[index], settings->section);

	return is_own ? &settings->value[index] : &settings->base->value[index];
}

static const struct setting_value *get(
    const struct settings *settings, const char *key, enum setting_type type)
{
	gssize index = find(key);

	g_assert(index >= 0);
	g_assert(setting_table[index].type == type);
	return value_of(settings, (gsize)index);
}

const char *settings_string(const struct settings *settings, const char *key)
{
	gssize index = find(key);

	g_assert(index >= 0);
	return get(
	    settings, key, setting_table[index].type == SETTING_SECRET ? SETTING_SECRET : SETTING_STRING)
	    ->text;
}

const char *const *settings_list(const struct settings *settings, const char *key)
{
	return (const char *const *)get(settings, key, SETTING_LIST)->list;
}

gint64 settings_int(const struct settings *settings, const char *key)
{
	return (gint64)get(settings, key, SETTING_INT)->number;
}

guint64 settings_size(const struct settings *settings, const char *key)
{
	return get(settings, key, SETTING_SIZE)->number;
}

gint64 settings_seconds(const struct settings *settings, const char *key)
{
	return (gint64)get(settings, key, SETTING_SECONDS)->number;
}

gint64 settings_days(const struct settings *settings, const char *key)
{
	return (gint64)get(settings, key, SETTING_DAYS)->number;
}

gboolean settings_bool(const struct settings *settings, const char *key)
{
	return get(settings, key, SETTING_BOOL)->number != 0;
}

guint settings_choice(const struct settings *settings, const char *key)
{
	return (guint)get(settings, key, SETTING_CHOICE)->number;
}

const char *settings_text(const struct settings *settings, gsize index)
{
	return value_of(settings, index)->text;
}

/* Append the variable of a key to envp if its value differs from the default. name: of the section in the
 * variable, or NULL. */
static char **add_variable(const struct settings *settings, gsize index, const char *name, char **envp)
{
	g_autofree char *key = name_in(setting_table[index].name, name);
	g_autofree char *variable = variable_name(key);
	const char *text = settings_text(settings, index);

	return g_str_equal(text, setting_table[index].fallback)
		   ? envp
		   : g_environ_setenv(envp, variable, text, TRUE);
}

char **settings_environment(const struct settings *settings, const char *const *sections, char **envp)
{
	envp = g_environ_setenv(envp, SETTINGS_FILE_VARIABLE, "", TRUE);
	for (gsize i = 0; i < setting_table_size; i++) {
		const char *key = NULL;
		g_autofree char *section = setting_section(&setting_table[i], &key);

		if (g_strv_contains(sections, section))
			envp = add_variable(settings, i, NULL, envp);
	}
	return envp;
}

char **settings_environment_named(const struct settings *settings, const char *section, char **envp)
{
	g_autoptr(GPtrArray) sections = settings_sections(settings, section);

	for (guint s = 1; s < sections->len; s++)
		for (gsize i = 0; i < setting_table_size; i++)
			if (setting_is_in(&setting_table[i], section))
				envp = add_variable(
				    sections->pdata[s], i, settings_name(sections->pdata[s]), envp);
	return envp;
}
