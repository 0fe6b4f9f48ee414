#include "server/digest/chart.h"

#include <png.h>

#include "server/digest/words.h"

#define SCALE   2 /* for screens with many pixels */
#define COLUMNS (CHART_WIDTH * SCALE)
#define ROWS    (CHART_HEIGHT * SCALE)
#define GAP     (3 * SCALE) /* between bars, if they are wide enough */

/* The palette; NOTHING is transparent. */
enum colour { NOTHING, PASS, FAIL, GROUND, N_COLOURS };

static const png_color palette[N_COLOURS] = {
	[NOTHING] = { 255, 255, 255 },
	[PASS] = { 0x3f, 0x9a, 0x82 },
	[FAIL] = { 0xc9, 0x3b, 0x50 },
	[GROUND] = { 0x86, 0x8f, 0x9e },
};

static void clear_day(gpointer day)
{
	g_free(((struct chart_day *)day)->day);
}

struct chart *chart_new(void)
{
	struct chart *chart = g_new0(struct chart, 1);

	chart->days = g_array_new(FALSE, TRUE, sizeof(struct chart_day));
	g_array_set_clear_func(chart->days, clear_day);
	return chart;
}

void chart_free(struct chart *chart)
{
	if (chart == NULL)
		return;
	g_array_unref(chart->days);
	g_free(chart);
}

void chart_add(struct chart *chart, char *day, gint64 pass, gint64 fail)
{
	const struct chart_day added = { .day = day, .pass = MAX(pass, 0), .fail = MAX(fail, 0) };

	g_array_append_val(chart->days, added);
}

static const struct chart_day *day_at(const struct chart *chart, guint i)
{
	return &g_array_index(chart->days, struct chart_day, i);
}

gint64 chart_most(const struct chart *chart)
{
	gint64 most = 0;

	for (guint i = 0; i < chart->days->len; i++)
		most = MAX(most, day_at(chart, i)->pass + day_at(chart, i)->fail);
	return most;
}

char *chart_words(const struct chart *chart)
{
	GString *words = g_string_new("Messages that passed and failed by day: ");

	for (guint i = 0; i < chart->days->len; i++) {
		const struct chart_day *day = day_at(chart, i);
		g_autofree char *pass = words_count(day->pass);
		g_autofree char *fail = words_count(day->fail);

		g_string_append_printf(words, "%s%s %s and %s", i > 0 ? ", " : "", day->day, pass, fail);
	}
	g_string_append_c(words, '.');
	return g_string_free(words, FALSE);
}

/* -- the picture -- */

/* Pixels of n messages; what is there has one at least. */
static guint height_of(gint64 n, gint64 most)
{
	const guint whole = ROWS - SCALE;

	if (n <= 0 || most <= 0)
		return 0;
	return MAX(SCALE, (guint)((double)n / (double)most * whole + 0.5));
}

static void fill(guint8 *pixels, guint left, guint right, guint top, guint bottom, enum colour colour)
{
	for (guint y = top; y < bottom; y++)
		for (guint x = left; x < right; x++)
			pixels[y * COLUMNS + x] = (guint8)colour;
}

static void draw_day(guint8 *pixels, const struct chart *chart, guint i, gint64 most)
{
	const struct chart_day *day = day_at(chart, i);
	const guint step = COLUMNS / chart->days->len;
	const guint left = COLUMNS * i / chart->days->len;
	const guint gap = step > 2 * GAP ? GAP : 0;
	const guint ground = ROWS - SCALE;
	const guint fail = MIN(height_of(day->fail, most), ground);
	const guint pass = MIN(height_of(day->pass, most), ground - fail);

	fill(pixels, left + gap, left + step - gap, ground - pass, ground, PASS);
	fill(pixels, left + gap, left + step - gap, ground - pass - fail, ground - pass, FAIL);
}

static void append(png_structp png, png_bytep data, png_size_t size)
{
	g_byte_array_append(png_get_io_ptr(png), data, (guint)size);
}

static void flush(png_structp png)
{
	(void)png;
}

static void write_header(png_structp png, png_infop info)
{
	png_byte opaque[] = { 0 }; /* the first colour of the palette */

	png_set_IHDR(png, info, COLUMNS, ROWS, 2, PNG_COLOR_TYPE_PALETTE, PNG_INTERLACE_NONE,
	    PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_set_PLTE(png, info, palette, N_COLOURS);
	png_set_tRNS(png, info, opaque, G_N_ELEMENTS(opaque), NULL);
	png_write_info(png, info);
	png_set_packing(png);
}

/* libpng ends the process if it runs out of memory, as GLib does: there is nothing else that could fail. */
static GBytes *encode(guint8 *pixels)
{
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png_create_info_struct(png);
	GByteArray *bytes = g_byte_array_new();

	png_set_write_fn(png, bytes, append, flush);
	write_header(png, info);
	for (guint y = 0; y < ROWS; y++)
		png_write_row(png, pixels + (gsize)y * COLUMNS);
	png_write_end(png, NULL);
	png_destroy_write_struct(&png, &info);
	return g_byte_array_free_to_bytes(bytes);
}

GBytes *chart_png(const struct chart *chart)
{
	g_autofree guint8 *pixels = g_malloc0((gsize)COLUMNS * ROWS);
	const gint64 most = chart_most(chart);

	for (guint i = 0; i < chart->days->len; i++)
		draw_day(pixels, chart, i, most);
	fill(pixels, 0, COLUMNS, ROWS - SCALE, ROWS, GROUND);
	return encode(pixels);
}
