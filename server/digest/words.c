#include "server/digest/words.h"

#include <math.h>
#include <string.h>

#include "server/common/visible.h"

#define VALUE_MOST 400 /* characters of a value in a text, as on the page */

/* The bytes of en.json; CMake sets the path. */
__asm__(".section .rodata\n"
	".globl words_texts\n"
	".hidden words_texts\n"
	"words_texts:\n"
	".incbin \"" TEXTS_JSON "\"\n"
	".byte 0\n"
	".previous\n");
extern const char words_texts[];

/* -- the texts -- */

static struct json_object *texts(void)
{
	static gsize parsed;

	if (g_once_init_enter(&parsed))
		g_once_init_leave(&parsed, (gsize)json_tokener_parse(words_texts));
	return (struct json_object *)
	    parsed; /* NOLINT(performance-no-int-to-ptr): as g_once_init_enter() has it */
}

static const char *find(const char *topic, const char *key)
{
	struct json_object *found = NULL;

	if (!json_object_object_get_ex(texts(), topic, &found) ||
	    !json_object_object_get_ex(found, key, &found))
		return NULL;
	if (json_object_is_type(found, json_type_object))
		json_object_object_get_ex(found, "text", &found);
	return json_object_get_string(found);
}

/* A value as the page writes it. */
static char *value_of(struct json_object *values, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(values, name, &value);
	if (json_object_is_type(value, json_type_int))
		return words_count(json_object_get_int64(value));
	if (json_object_is_type(value, json_type_string) &&
	    (g_str_equal(name, "since") || g_str_equal(name, "until")))
		return words_day(json_object_get_string(value));
	return words_clean(json_object_get_string(value), VALUE_MOST);
}

/* Append what stands for the braces around blank: "name", or "name:one|many". */
static void fill_blank(GString *filled, const char *blank, gsize size, struct json_object *values)
{
	g_autofree char *words = g_strndup(blank, size);
	char *choice = strchr(words, ':');
	g_autofree char *value = NULL;
	char *many;

	if (choice != NULL)
		*choice++ = '\0';
	value = value_of(values, words);
	if (choice == NULL) {
		g_string_append(filled, value);
		return;
	}
	many = strchr(choice, '|');
	if (many != NULL)
		*many++ = '\0';
	g_string_append(filled, g_str_equal(value, "1") || many == NULL ? choice : many);
}

char *words_fill(const char *topic, const char *key, struct json_object *values)
{
	const char *text = key != NULL ? find(topic, key) : NULL;
	GString *filled;

	if (text == NULL)
		return NULL;
	filled = g_string_new(NULL);
	while (*text != '\0') {
		const gsize plain = strcspn(text, "{");
		const char *end = strchr(text + plain, '}');

		g_string_append_len(filled, text, (gssize)plain);
		text += plain;
		if (end == NULL)
			break;
		fill_blank(filled, text + 1, (gsize)(end - text - 1), values);
		text = end + 1;
	}
	return g_string_free(filled, FALSE);
}

char *words_clean(const char *text, guint most)
{
	g_autofree char *clean = visible_text(text != NULL ? text : "");
	g_autofree char *part = NULL;

	if (g_utf8_strlen(clean, -1) <= (glong)most)
		return g_steal_pointer(&clean);
	part = g_utf8_substring(clean, 0, (glong)most - 1);
	return g_strconcat(part, "…", NULL);
}

/* -- numbers -- */

char *words_count(gint64 n)
{
	g_autofree char *digits = g_strdup_printf("%" G_GINT64_FORMAT, n);
	GString *text = g_string_new(digits);
	const gssize first = n < 0 ? 1 : 0;

	for (gssize at = (gssize)text->len - 3; at > first; at -= 3)
		g_string_insert_c(text, at, ',');
	return g_string_free(text, FALSE);
}

char *words_counted(gint64 n, const char *one, const char *many)
{
	g_autofree char *number = words_count(n);

	return g_strconcat(number, " ", n == 1 ? one : many, NULL);
}

char *words_percent(gint64 part, gint64 whole)
{
	double tenths;

	if (whole <= 0)
		return g_strdup("–");
	if (part == whole)
		return g_strdup("100%");
	if (part == 0)
		return g_strdup("0%");
	tenths = floor((double)part / (double)whole * 1000 + 0.5);
	return g_strdup_printf("%.1f%%", CLAMP(tenths, 1, 999) / 10);
}

/* -- days -- */

static char *day_of(GDateTime *time)
{
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
		"Oct", "Nov", "Dec" };
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	const char *month = months[g_date_time_get_month(time) - 1];

	if (g_date_time_get_year(time) == g_date_time_get_year(now))
		return g_strdup_printf("%d %s", g_date_time_get_day_of_month(time), month);
	return g_strdup_printf(
	    "%d %s %d", g_date_time_get_day_of_month(time), month, g_date_time_get_year(time));
}

/* A day or time, in UTC; NULL if it is none. */
static GDateTime *read_time(const char *text)
{
	g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
	g_autofree char *midnight = NULL;

	if (text == NULL)
		return NULL;
	midnight =
	    strlen(text) == strlen("2026-11-20") ? g_strconcat(text, "T00:00:00Z", NULL) : g_strdup(text);
	return g_date_time_new_from_iso8601(midnight, utc);
}

char *words_day(const char *time)
{
	g_autoptr(GDateTime) read = read_time(time);

	return read != NULL ? day_of(read) : words_clean(time, VALUE_MOST);
}

char *words_days(const char *from, const char *to)
{
	g_autoptr(GDateTime) end = read_time(to);
	g_autoptr(GDateTime) last = end != NULL ? g_date_time_add_days(end, -1) : NULL;
	g_autofree char *first_words = words_day(from);
	g_autofree char *last_words = last != NULL ? day_of(last) : g_strdup("");

	if (g_str_equal(first_words, last_words))
		return g_steal_pointer(&first_words);
	return g_strconcat(first_words, " – ", last_words, NULL);
}
