#include "server/ingest/item.h"

#include <string.h>
#include <time.h>

#include "server/ingest/literal.h"

#define TIME_MIN G_GINT64_CONSTANT(-62135596800) /* 0001-01-01 */
#define TIME_MAX G_GINT64_CONSTANT(253402300799) /* 9999-12-31 */

struct item {
	GString *text;               /* of all values, each with its NUL */
	gsize at[ITEM_COLUMN_COUNT]; /* position of a value, from 1; 0 is NULL */
};

struct item *item_new(void)
{
	struct item *item = g_new0(struct item, 1);

	item->text = g_string_new(NULL);
	return item;
}

void item_free(struct item *item)
{
	if (item == NULL)
		return;
	g_string_free(item->text, TRUE);
	g_free(item);
}

void item_clear(struct item *item)
{
	g_string_truncate(item->text, 0);
	for (gsize i = 0; i < ITEM_COLUMN_COUNT; i++)
		item->at[i] = 0;
}

void item_text(struct item *item, enum item_column column, const char *value)
{
	if (value == NULL)
		return;
	item->at[column] = item->text->len + 1;
	g_string_append_len(item->text, value, (gssize)strlen(value) + 1);
}

/* Write the last digits of value in front of at. Returns where they begin. */
static char *put_digits(char *at, guint64 value, guint digits)
{
	for (guint i = 0; i < digits; i++, value /= 10)
		*--at = (char)('0' + value % 10);
	return at;
}

void item_number(struct item *item, enum item_column column, gint64 value)
{
	char text[32];
	char *at = text + sizeof text - 1;
	guint64 left = value < 0 ? -(guint64)value : (guint64)value;

	*at = '\0';
	do {
		at = put_digits(at, left, 1);
		left /= 10;
	} while (left > 0);
	if (value < 0)
		*--at = '-';
	item_text(item, column, at);
}

void item_boolean(struct item *item, enum item_column column, gboolean value)
{
	item_text(item, column, value ? "t" : "f");
}

char *item_hash_text(const guint8 sha256[32])
{
	static const char digits[] = "0123456789abcdef";
	char *text = g_malloc(2 + 2 * 32 + 1);

	text[0] = '\\';
	text[1] = 'x';
	for (gsize i = 0; i < 32; i++) {
		text[2 + 2 * i] = digits[sha256[i] >> 4];
		text[3 + 2 * i] = digits[sha256[i] & 15];
	}
	text[2 + 2 * 32] = '\0';
	return text;
}

void item_hash(struct item *item, enum item_column column, const guint8 sha256[32])
{
	g_autofree char *text = item_hash_text(sha256);

	item_text(item, column, text);
}

/* Without GDateTime and printf(), which took a tenth of the time that a small mail needs. */
char *item_time_text(gint64 seconds)
{
	static const char form[] = "0000-00-00 00:00:00+00";
	const time_t moment = seconds;
	struct tm time;
	char *text;

	if (seconds < TIME_MIN || seconds > TIME_MAX || gmtime_r(&moment, &time) == NULL)
		return NULL;
	text = g_memdup2(form, sizeof form);
	put_digits(text + 4, (guint)time.tm_year + 1900, 4);
	put_digits(text + 7, (guint)time.tm_mon + 1, 2);
	put_digits(text + 10, (guint64)time.tm_mday, 2);
	put_digits(text + 13, (guint64)time.tm_hour, 2);
	put_digits(text + 16, (guint64)time.tm_min, 2);
	put_digits(text + 19, (guint64)time.tm_sec, 2);
	return text;
}

void item_time(struct item *item, enum item_column column, gint64 seconds)
{
	g_autofree char *text = item_time_text(seconds);

	item_text(item, column, text ? text : "out of range");
}

void item_fields(const struct item *item, GString *fields)
{
	for (gsize i = 0; i < ITEM_COLUMN_COUNT; i++)
		literal_field(fields, item->at[i] > 0 ? item->text->str + item->at[i] - 1 : NULL);
}
