/*
 * settings.h - the effective settings: defaults, then the INI file, then credentials of systemd
 * ($CREDENTIALS_DIRECTORY/section.key), then RUAD_SECTION_KEY of the environment, then -o section.key=value.
 *
 * One table lists every key with its type, default and help; settings_print() and the manual are generated
 * from it. An unknown key or a value of the wrong type is an error that names file, line and the nearest
 * key. Any key may be given as KEY_file, which names a file that contains the value (for secrets). A key
 * that is set twice in the file, quotes around a value and a comment after it are errors, too.
 *
 * [imap] and [digest] may be there several times, the others as [imap NAME]: each of these named sections has
 * all keys of its kind, with their defaults. Their keys are imap.NAME.key for -o, and RUAD_IMAP_NAME_KEY in
 * the environment.
 */
#pragma once

#include <glib.h>
#include <stdio.h>

#define SETTINGS_FILE          "/etc/ruad/ruad.conf"
#define SETTINGS_FILE_VARIABLE "RUAD_CONFIG" /* environment: another file, or "" for none */
#define SETTINGS_NAME_MAX      32            /* bytes in the name of a section */

struct settings;

/*
 * file: a path, or NULL for the one in RUAD_CONFIG, or else SETTINGS_FILE if it exists (a file that is named
 * must exist). overrides: NULL-terminated "section.key=value", or NULL. RUAD_ERROR_SYNTAX as described above.
 */
struct settings *settings_load(
    const char *file, const char *const *overrides, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void settings_free(struct settings *settings);

/*
 * The same for a command that every user may run: without file, a settings file or the file of a KEY_file
 * that this user may not read is left out, and settings_are_partial() says so.
 */
struct settings *settings_load_readable(
    const char *file, const char *const *overrides, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean settings_are_partial(const struct settings *settings);

/*
 * A warning for each RUAD_ variable of the environment that is not a setting, NULL-terminated, transfer full.
 * Not an error, since container managers set such variables themselves (RUAD_PORT for a service with the
 * name ruad).
 */
char **settings_unknown_variables(void) G_GNUC_WARN_UNUSED_RESULT;

/* Typed reads; key is "section.key" and must be in the table with that type (asserted). Strings are borrowed;
 * an empty value is "". Sizes are bytes ("50M" is 50 * 2^20), durations seconds or days. Lists are
 * NULL-terminated. */
const char *settings_string(const struct settings *settings, const char *key);
const char *const *settings_list(const struct settings *settings, const char *key);
gint64 settings_int(const struct settings *settings, const char *key);
guint64 settings_size(const struct settings *settings, const char *key);
gint64 settings_seconds(const struct settings *settings, const char *key);
gint64 settings_days(const struct settings *settings, const char *key);
gboolean settings_bool(const struct settings *settings, const char *key);
guint settings_choice(
    const struct settings *settings, const char *key); /* which of setting_words(), from 0 */

/*
 * The sections of a kind ("imap"): first settings, which has [imap], then one for each [imap NAME], sorted by
 * name. In these the keys of the kind have that section's values, and all others those of settings. The
 * elements are borrowed from settings.
 */
GPtrArray *settings_sections(const struct settings *settings, const char *section) G_GNUC_WARN_UNUSED_RESULT;
const char *settings_name(const struct settings *settings); /* NAME, or NULL for the first */

/* Print all effective values as an INI file with their help as comments; secrets are masked. */
void settings_print(const struct settings *settings, FILE *out);

/* Print an example of the settings file: every key with its help, commented out, at its default. */
void settings_print_example(FILE *out);

/* Print the list of keys as roff, for ruad.conf(5). */
void settings_print_manual(FILE *out);

/* Find the word in words (NULL-terminated, not empty) with the smallest edit distance to word, for "did you
 * mean". */
const char *settings_nearest(const char *word, const char *const *words);

/* Append the environment of a child program to envp (transfer full, returned): RUAD_SECTION_KEY=value for the
 * named sections (NULL-terminated) where they differ from the default, and RUAD_CONFIG= so that it reads no
 * file. */
char **settings_environment(const struct settings *settings, const char *const *sections, char **envp);

/* The same for the named sections of a kind, as RUAD_SECTION_NAME_KEY=value. */
char **settings_environment_named(const struct settings *settings, const char *section, char **envp);
