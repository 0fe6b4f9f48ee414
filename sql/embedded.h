/*
 * embedded.h - the SQL of this folder as text in the program: migrations, and definitions of functions and
 * views.
 *
 * embed.cmake makes it from the files that CMakeLists.txt names; migrate.h says how it is applied.
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

/* All functions and views, each once, in an order in which they can be made. */
struct definitions {
	const char *text; /* SQL, UTF-8, several statements for one transaction */
	gsize size;       /* bytes of text */
};

extern const struct definitions definitions;
