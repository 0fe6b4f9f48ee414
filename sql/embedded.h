/*
 * embedded.h - the migrations of sql/migrations, as text in the program.
 *
 * embed.cmake makes the array from the numbered files at build time; what they mean is migrate.h's affair.
 */
#pragma once

#include <glib.h>

struct migration {
	gint number;      /* 1, 2, 3, ... without a gap */
	const char *name; /* the file's: "tables" of 0002_tables.sql */
	const char *text; /* SQL, UTF-8, several statements */
	gsize size;       /* bytes of text */
};

extern const struct migration migrations[]; /* in order of number */
extern const gsize n_migrations;
