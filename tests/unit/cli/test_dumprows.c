/* test_dumprows.c - the rows of a dump of MySQL: which statements, columns and values are read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/cli/dumprows.h"

#define CREATE "CREATE TABLE `t` (`a` int(10), `b` text DEFAULT 'x', PRIMARY KEY (`a`), KEY `k` (`b`));\n"

struct print {
	GString *out;
	char **columns; /* of the table of the next rows */
};

/* Wanted are tables with a column "a". */
static guint table(gpointer user, const char *const *columns)
{
	struct print *print = user;

	g_strfreev(print->columns);
	print->columns = g_strdupv((char **)columns);
	return g_strv_contains(columns, "a") ? 1 : 0;
}

static void row(gpointer user, guint kind, const struct dumprow *values)
{
	struct print *print = user;

	assert_int_equal(kind, 1);
	for (char **column = print->columns; *column != NULL; column++) {
		gsize size = 0;
		const char *value = dumprow_value(values, *column, &size);

		g_string_append_printf(print->out, "%s%s=", column == print->columns ? "" : " ", *column);
		if (value == NULL) {
			g_string_append_c(print->out, '-');
			continue;
		}
		assert_int_equal(value[size], '\0');
		if (size > 300)
			g_string_append_printf(print->out, "%" G_GSIZE_FORMAT " bytes", size);
		else
			for (gsize i = 0; i < size; i++)
				g_string_append_printf(print->out,
				    g_ascii_isprint(value[i]) ? "%c" : "\\%03o", (guchar)value[i]);
	}
	g_string_append_c(print->out, ';');
}

/* The rows of a dump as "a=1 b=x;". Transfer full. */
static char *rows_of(const char *dump)
{
	struct print print = { g_string_new(NULL), NULL };
	struct dumprows *rows = dumprows_new(table, row, &print);

	for (const char *c = dump; *c != '\0'; c++)
		dumprows_next(rows, *c);
	dumprows_free(rows);
	g_strfreev(print.columns);
	return g_string_free(print.out, FALSE);
}

static void rows_are_read_as_mysql_reads_them(void **state)
{
	static const struct {
		const char *name, *dump, *want;
	} cases[] = {
		{ "a row", CREATE "INSERT INTO `t` VALUES (1,'x');", "a=1 b=x;" },
		{ "two rows", CREATE "INSERT INTO `t` VALUES (1,'x'),(2,'y');", "a=1 b=x;a=2 b=y;" },
		{ "blanks", CREATE "INSERT INTO `t` VALUES\n( 1 ,\t'x' )\n;", "a=1 b=x;" },
		{ "small letters", "create table `t` (`a` int, `b` text); insert into `t` values (1,'x');",
		    "a=1 b=x;" },
		{ "IGNORE", CREATE "INSERT IGNORE INTO `t` VALUES (1,'x');", "a=1 b=x;" },
		{ "REPLACE", CREATE "REPLACE INTO `t` VALUES (1,'x');", "a=1 b=x;" },
		{ "numbers", CREATE "INSERT INTO `t` VALUES (-5,1.5e+3);", "a=-5 b=1.5e+3;" },
		{ "NULL", CREATE "INSERT INTO `t` VALUES (NULL,null);", "a=- b=-;" },
		{ "a text that says NULL", CREATE "INSERT INTO `t` VALUES ('NULL','0x41');",
		    "a=NULL b=0x41;" },
		{ "an empty text", CREATE "INSERT INTO `t` VALUES ('',1);", "a= b=1;" },
		{ "escapes", CREATE "INSERT INTO `t` VALUES ('\\0\\b\\n\\r\\t\\Z','\\'\\\\\\q\\\"');",
		    "a=\\000\\010\\012\\015\\011\\032 b='\\q\";" },
		{ "marks in a text", CREATE "INSERT INTO `t` VALUES ('),(;`--#/*',2);", "a=),(;`--#/* b=2;" },
		{ "bytes", CREATE "INSERT INTO `t` VALUES (0x4142,0X00fF);", "a=AB b=\\000\\377;" },
		{ "half a byte", CREATE "INSERT INTO `t` VALUES (0x414,0x4g);", "a=A b=;" },
		{ "a binary text", CREATE "INSERT INTO `t` VALUES (_binary 'x',_utf8mb4 'y');", "a=x b=y;" },
		{ "more values than columns", CREATE "INSERT INTO `t` VALUES (1,'x',3);", "a=1 b=x;" },
		{ "fewer", CREATE "INSERT INTO `t` VALUES (1);", "a=1 b=-;" },
		{ "none of them", CREATE "INSERT INTO `t` VALUES ();", "a=- b=-;" },
		{ "a value of the row before is forgotten", CREATE "INSERT INTO `t` VALUES (1,'x'),(2);",
		    "a=1 b=x;a=2 b=-;" },
		{ "a value that is missing is not that of the row before",
		    CREATE "INSERT INTO `t` VALUES (1,'x'),(2,),(,'y');", "a=1 b=x;a=2 b=-;a=- b=y;" },
		{ "a row ends once", CREATE "INSERT INTO `t` VALUES (1,'x')),'y',(2,'z');",
		    "a=1 b=x;a=2 b=z;" },
		{ "a table that was not ended",
		    "CREATE TABLE `t` (`c` int,(;" CREATE "INSERT INTO `t` VALUES (1,'x');", "a=1 b=x;" },
		{ "names behind the columns",
		    "CREATE TABLE `t` (`a` int) PARTITION BY (`c`);INSERT INTO `t` VALUES (1);", "a=1;" },
		{ "a statement within another", "DROP CREATE TABLE `t` (`a` int);INSERT INTO `t` VALUES (1);",
		    "" },
		{ "a text before the name", CREATE "INSERT 'x' `t` VALUES (1,'x');", "" },
		{ "something before the rows", CREATE "INSERT INTO `t` 'x' VALUES (1,'x');", "" },
		{ "columns of the INSERT", CREATE "INSERT INTO `t` (`b`, `a`) VALUES ('x',1);", "b=x a=1;" },
		{ "columns of the INSERT only", "INSERT INTO `t` (`a`) VALUES (1);", "a=1;" },
		{ "which hold for it alone",
		    CREATE "INSERT INTO `t` (`b`,`a`) VALUES ('x',1);INSERT INTO `t` VALUES (1,'x');",
		    "b=x a=1;a=1 b=x;" },
		{ "two lists of columns", CREATE "INSERT INTO `t` (`a`) (`b`) VALUES (1);", "" },
		{ "a table twice", CREATE "CREATE TABLE `t` (`a` int);INSERT INTO `t` VALUES (1);", "a=1;" },
		{ "two tables",
		    CREATE "CREATE TABLE `u` (`c` int, `a` int);INSERT INTO `u` VALUES (1,2);"
			   "INSERT INTO `t` VALUES (3,4);",
		    "c=1 a=2;a=3 b=4;" },
		{ "an unwanted table", "CREATE TABLE `t` (`c` int);INSERT INTO `t` VALUES (1);", "" },
		{ "an unknown table", CREATE "INSERT INTO `u` VALUES (1);", "" },
		{ "a name without quotes", CREATE "INSERT INTO t VALUES (1,'x');", "" },
		{ "no VALUES", CREATE "INSERT INTO `t` SELECT (1);", "" },
		{ "another statement", CREATE "DELETE INTO `t` VALUES (1,'x');", "" },
		{ "a text as a statement", CREATE "'INSERT' INTO `t` VALUES (1,'x');", "" },
		{ "a mark before the name", CREATE "INSERT (`t`) VALUES (1,'x');", "" },
		{ "no row yet", CREATE "INSERT INTO `t` VALUES (1,'x'", "" },
		{ "no row", CREATE "INSERT INTO `t` VALUES 1,2);", "" },
		{ "a statement that ends in a row",
		    CREATE "INSERT INTO `t` VALUES (1;INSERT INTO `t` VALUES (2,3);", "a=2 b=3;" },
		{ "comments",
		    "-- '\n# '\n/* ' */" CREATE
		    "INSERT /* a */ INTO `t` /***/ VALUES (1 -- ;\n,/* * / ' */2 # )\n);",
		    "a=1 b=2;" },
		{ "a stroke and a hyphen that begin no comment", CREATE "INSERT INTO `t` VALUES (1/2,3- 4);",
		    "a=2 b=4;" },
		{ "a hyphen before a text", CREATE "INSERT INTO `t` VALUES (-'x',/'y');", "a=x b=y;" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *got = rows_of(cases[i].dump);

		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s: %s", cases[i].name, got);
	}
}

static void a_value_of_the_largest_size_is_kept_and_a_larger_one_is_null(void **state)
{
	for (gsize size = DUMPROWS_VALUE_MAX - 1; size <= DUMPROWS_VALUE_MAX + 1; size++) {
		g_autofree char *text = g_strnfill(size, 'x');
		g_autofree char *dump = g_strconcat(CREATE "INSERT INTO `t` VALUES ('", text, "',2);", NULL);
		g_autofree char *got = rows_of(dump);
		g_autofree char *kept = g_strdup_printf("a=%" G_GSIZE_FORMAT " bytes b=2;", size);

		(void)state;
		assert_string_equal(got, size <= DUMPROWS_VALUE_MAX ? kept : "a=- b=2;");
	}
}

/* Of a long word or name, 256 bytes are kept: two names that differ after these are the same. */
static void a_name_has_a_largest_size(void **state)
{
	g_autofree char *name = g_strnfill(256, 'n'), *shorter = g_strnfill(255, 'n');
	static const struct {
		const char *end, *want;
	} rows[] = { { "", "a=1;" }, { "x", "a=1;" } };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *dump = g_strdup_printf(
		    "CREATE TABLE `%s` (`a` int);INSERT INTO `%s%s` VALUES (1);", name, name, rows[i].end);
		g_autofree char *got = rows_of(dump);

		assert_string_equal(got, rows[i].want);
	}
	{
		g_autofree char *dump = g_strdup_printf(
		    "CREATE TABLE `%sx` (`a` int);INSERT INTO `%sy` VALUES (1);", shorter, shorter);
		g_autofree char *got = rows_of(dump);

		assert_string_equal(got, "");
	}
}

/* "c1=1 ... a=64;": the last column that is read is a. */
static void sixty_four_columns_are_read(void **state)
{
	for (guint n = DUMPROWS_COLUMNS - 1; n <= DUMPROWS_COLUMNS + 1; n++) {
		g_autoptr(GString) names = g_string_new("CREATE TABLE `t` (`a`"), values = g_string_new("(0");
		g_autofree char *dump = NULL, *got = NULL, *last = g_strdup_printf(" c%u=%u;", n - 1, n - 1);

		(void)state;
		for (guint i = 1; i < n; i++) {
			g_string_append_printf(names, ",`c%u`", i);
			g_string_append_printf(values, ",%u", i);
		}
		dump = g_strconcat(
		    names->str, ");INSERT INTO `t` VALUES ", values->str, "),", values->str, ");", NULL);
		got = rows_of(dump);
		assert_int_equal(g_str_has_suffix(got, last), n <= DUMPROWS_COLUMNS);
		assert_true(n <= DUMPROWS_COLUMNS || g_str_has_suffix(got, " c63=63;"));
		assert_non_null(strstr(strchr(got, ';'), ";a=0 c1=1 "));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_read_as_mysql_reads_them),
		cmocka_unit_test(a_value_of_the_largest_size_is_kept_and_a_larger_one_is_null),
		cmocka_unit_test(a_name_has_a_largest_size),
		cmocka_unit_test(sixty_four_columns_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
