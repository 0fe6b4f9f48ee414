#include "server/digest/chart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <png.h>

#include <cmocka.h>

/* A picture as read by libpng: pixels as red, green, blue, alpha. */
struct picture {
	guint width, height;
	guint8 *pixels;
};

static struct picture read_picture(GBytes *png)
{
	png_image image = { .version = PNG_IMAGE_VERSION };
	struct picture picture;
	gsize size;
	const void *data = g_bytes_get_data(png, &size);

	assert_true(png_image_begin_read_from_memory(&image, data, size) != 0);
	image.format = PNG_FORMAT_RGBA;
	picture = (struct picture){ image.width, image.height, g_malloc(PNG_IMAGE_SIZE(image)) };
	assert_true(png_image_finish_read(&image, NULL, picture.pixels, 0, NULL) != 0);
	return picture;
}

/* The pixels of a colour in the column of a place between 0 and 1, without the line at the foot. */
static guint count(const struct picture *picture, double place, guint8 red)
{
	const guint x = (guint)(place * picture->width);
	guint n = 0;

	for (guint y = 0; y + 2 < picture->height; y++) {
		const guint8 *pixel = picture->pixels + ((gsize)y * picture->width + x) * 4;

		n += pixel[3] == 255 && pixel[0] == red;
	}
	return n;
}

static void bars_are_as_high_as_their_numbers(void **state)
{
	struct chart *chart = chart_new();
	g_autoptr(GBytes) png = NULL;
	struct picture picture;

	(void)state;
	chart_add(chart, g_strdup("1 Nov"), 100, 100);
	chart_add(chart, g_strdup("2 Nov"), 50, 0);
	chart_add(chart, g_strdup("3 Nov"), 0, 0);
	chart_add(chart, g_strdup("4 Nov"), 0, 1);
	png = chart_png(chart);
	picture = read_picture(png);
	assert_int_equal(picture.width, CHART_WIDTH * 2);
	assert_int_equal(picture.height, CHART_HEIGHT * 2);
	assert_int_equal(count(&picture, 0.1, 0x3f), 95);
	assert_int_equal(count(&picture, 0.1, 0xc9), 95);
	assert_in_range(count(&picture, 0.4, 0x3f), 47, 49);
	assert_int_equal(count(&picture, 0.4, 0xc9), 0);
	assert_int_equal(count(&picture, 0.6, 0x3f) + count(&picture, 0.6, 0xc9), 0);
	assert_int_equal(count(&picture, 0.9, 0xc9), 2);
	assert_in_range(g_bytes_get_size(png), 100, 2000);
	g_free(picture.pixels);
	chart_free(chart);
}

static void a_chart_without_mail_or_with_huge_numbers_is_a_picture(void **state)
{
	struct chart *chart = chart_new();
	g_autoptr(GBytes) empty = chart_png(chart);
	g_autoptr(GBytes) huge = NULL;
	struct picture picture = read_picture(empty);

	(void)state;
	g_free(picture.pixels);
	for (guint i = 0; i < 3000; i++)
		chart_add(chart, g_strdup("1 Nov"), G_MAXINT64 / 2, G_MAXINT64 / 2);
	huge = chart_png(chart);
	picture = read_picture(huge);
	g_free(picture.pixels);
	chart_free(chart);
}

static void words_have_the_figures(void **state)
{
	struct chart *chart = chart_new();
	g_autofree char *words = NULL;

	(void)state;
	chart_add(chart, g_strdup("1 Nov"), 1234, 5);
	chart_add(chart, g_strdup("2 Nov"), 0, 0);
	words = chart_words(chart);
	assert_string_equal(
	    words, "Messages that passed and failed by day: 1 Nov 1,234 and 5, 2 Nov 0 and 0.");
	assert_int_equal(chart_most(chart), 1239);
	chart_free(chart);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bars_are_as_high_as_their_numbers),
		cmocka_unit_test(a_chart_without_mail_or_with_huge_numbers_is_a_picture),
		cmocka_unit_test(words_have_the_figures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
