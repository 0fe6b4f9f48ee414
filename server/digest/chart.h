/*
 * chart.h - messages by day as a picture for mail: a PNG of stacked bars, what passed below what failed.
 *
 * The background is transparent and the colours are those of the page, so that it can be seen on light and on
 * dark. It has no letters: the mail has these around it, and the figures in the text that stands for the
 * picture.
 */
#pragma once

#include <glib.h>

#define CHART_WIDTH  552 /* pixels as shown; the picture has twice as many */
#define CHART_HEIGHT 96

struct chart_day {
	char *day;         /* "20 Nov" */
	gint64 pass, fail; /* messages, >= 0 */
};

struct chart {
	GArray *days; /* of struct chart_day */
};

struct chart *chart_new(void) G_GNUC_WARN_UNUSED_RESULT;
void chart_free(struct chart *chart);

/* Add a day, transfer full. */
void chart_add(struct chart *chart, char *day, gint64 pass, gint64 fail);

/* The most messages on a day. */
gint64 chart_most(const struct chart *chart);

/* The figures in a sentence. Transfer full. */
char *chart_words(const struct chart *chart) G_GNUC_WARN_UNUSED_RESULT;

/* The picture. Transfer full. */
GBytes *chart_png(const struct chart *chart) G_GNUC_WARN_UNUSED_RESULT;
