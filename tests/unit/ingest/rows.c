#include "tests/unit/ingest/rows.h"

#include <string.h>

#include "tests/unit/worker/cm.h"

struct rows {
	char **columns;
	GPtrArray *rows; /* of GPtrArray of char * */
};

char **rows_columns(const char *path, const char *type)
{
	g_autoptr(GPtrArray) columns = g_ptr_array_new();
	g_autofree char *begin = g_strdup_printf("CREATE TYPE %s AS (", type);
	g_autofree char *text = NULL;
	g_auto(GStrv) lines = NULL;
	gboolean within = FALSE;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		fail_msg("%s cannot be read", path);
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line != NULL && !(within && g_str_equal(*line, ");")); line++) {
		if (within) {
			char *name = g_strstrip(*line);
			name[strcspn(name, " ")] = '\0';
			g_ptr_array_add(columns, g_strdup(g_strdelimit(name, "\"", ' ')));
			g_strstrip(columns->pdata[columns->len - 1]);
		}
		within |= g_str_equal(*line, begin);
	}
	assert_true(columns->len > 0);
	g_ptr_array_add(columns, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&columns), FALSE);
}

/* Read one quoted element as array_in() does; *text moves past it. */
static char *read_element(const char **text)
{
	g_autoptr(GString) element = g_string_new(NULL);
	const char *at = *text;

	assert_int_equal(*at, '"');
	for (at++; *at != '"'; at++) {
		if (*at == '\\')
			at++;
		assert_int_not_equal(*at, '\0');
		g_string_append_c(element, *at);
	}
	*text = at + 1;
	return g_string_free(g_steal_pointer(&element), FALSE);
}

/* Read one field as record_in() does; *text moves to the comma or parenthesis after it. Returns NULL if it is
 * empty and not quoted. */
static char *read_field(const char **text)
{
	g_autoptr(GString) field = g_string_new(NULL);
	gboolean quoted = FALSE, any = FALSE;
	const char *at = *text;

	for (; quoted || (*at != ',' && *at != ')'); at++) {
		assert_int_not_equal(*at, '\0');
		any = TRUE;
		if (*at == '\\') {
			at++;
			assert_int_not_equal(*at, '\0');
		} else if (*at == '"' && quoted && at[1] == '"') {
			at++;
		} else if (*at == '"') {
			quoted = !quoted;
			continue;
		}
		g_string_append_c(field, *at);
	}
	*text = at;
	return any ? g_string_free(g_steal_pointer(&field), FALSE) : NULL;
}

static GPtrArray *read_row(const char *text)
{
	GPtrArray *row = g_ptr_array_new_with_free_func(g_free);

	assert_int_equal(*text, '(');
	do {
		text++;
		g_ptr_array_add(row, read_field(&text));
	} while (*text == ',');
	assert_string_equal(text, ")");
	return row;
}

struct rows *rows_read(const char *array, char **columns)
{
	struct rows *rows = g_new0(struct rows, 1);

	rows->columns = columns;
	rows->rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
	assert_int_equal(*array, '{');
	array++;
	while (*array != '}') {
		g_autofree char *element = read_element(&array);
		GPtrArray *row = read_row(element);

		g_ptr_array_add(rows->rows, row);
		assert_int_equal(row->len, g_strv_length(columns));
		if (*array == ',') {
			array++;
			assert_int_equal(*array, '"');
		} else {
			assert_int_equal(*array, '}');
		}
	}
	assert_string_equal(array, "}");
	return rows;
}

void rows_free(struct rows *rows)
{
	g_ptr_array_unref(rows->rows);
	g_free(rows);
}

guint rows_count(const struct rows *rows)
{
	return rows->rows->len;
}

const char *rows_get(const struct rows *rows, guint row, const char *column)
{
	assert_true(row < rows->rows->len);
	for (guint i = 0; rows->columns[i] != NULL; i++)
		if (g_str_equal(rows->columns[i], column))
			return ((GPtrArray *)rows->rows->pdata[row])->pdata[i];
	fail_msg("no column is called %s", column);
	return NULL;
}

static const char *wanted(const char *const (*want)[2], const char *column)
{
	for (; (*want)[0] != NULL; want++)
		if (g_str_equal((*want)[0], column))
			return (*want)[1];
	return NULL;
}

void rows_equal(const struct rows *rows, guint row, const char *const (*want)[2])
{
	for (guint i = 0; want[i][0] != NULL; i++)
		(void)rows_get(rows, row, want[i][0]); /* fails if there is no such column */
	for (char **column = rows->columns; *column != NULL; column++) {
		const char *value = rows_get(rows, row, *column);

		if (g_strcmp0(value, wanted(want, *column)) != 0)
			fail_msg("row %u, %s: %s instead of %s", row, *column, value ? value : "NULL",
			    wanted(want, *column) ? wanted(want, *column) : "NULL");
	}
}
