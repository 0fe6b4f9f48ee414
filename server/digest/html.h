/*
 * html.h - prints a digest as HTML for mail clients: tables for the layout, styles in the elements, nothing
 * remote.
 *
 * All text is escaped. Colours can be read on white and, where a client inverts or honours it, on dark.
 */
#pragma once

#include "server/digest/block.h"

/* The document. Its pictures are chart_png() of the content's charts in their order: parts of a mail with the
 * Content-IDs html_cid(n, host), or part of the document if host is NULL. Transfer full. */
char *html_print(const struct content *content, const char *host) G_GNUC_WARN_UNUSED_RESULT;

/* "chart1@host"; n counts from 1. Transfer full. */
char *html_cid(guint n, const char *host) G_GNUC_WARN_UNUSED_RESULT;
