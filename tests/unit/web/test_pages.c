#include "server/web/pages.h"

#include <gio/gio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The embedded files are those of the folder page/ next to this test. */

static const struct asset *find(const char *path)
{
	return pages_find(assets, n_assets, path);
}

static void every_file_is_embedded_byte_for_byte(void **state)
{
	(void)state;
	assert_int_equal(n_assets, 4);
	for (gsize i = 0; i < n_assets; i++) {
		g_autofree char *path = g_build_filename(TEST_FOLDER, "page", assets[i].path, NULL);
		g_autofree char *content = NULL;
		g_autofree char *sha256 = NULL;
		g_autofree char *etag = NULL;
		gsize size;

		assert_true(g_file_get_contents(path, &content, &size, NULL));
		assert_int_equal(assets[i].data_end - assets[i].data, size);
		assert_memory_equal(assets[i].data, content, size);
		sha256 = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)content, size);
		etag = g_strdup_printf("\"%s\"", sha256);
		assert_string_equal(assets[i].etag, etag);
	}
}

static void packed_forms_unpack_to_the_file(void **state)
{
	guint packed = 0;

	(void)state;
	for (gsize i = 0; i < n_assets; i++) {
		gsize size = (gsize)(assets[i].data_end - assets[i].data);
		gsize gzip_size = (gsize)(assets[i].gzip_end - assets[i].gzip);
		g_autofree guint8 *back = g_malloc(size + 1);
		g_autoptr(GZlibDecompressor) decompressor =
		    g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP);
		gsize read;
		gsize written;

		if (assets[i].gzip == NULL)
			continue;
		packed++;
		assert_true(gzip_size < size);
		assert_int_equal(g_converter_convert(G_CONVERTER(decompressor), assets[i].gzip, gzip_size,
				     back, size + 1, G_CONVERTER_INPUT_AT_END, &read, &written, NULL),
		    G_CONVERTER_FINISHED);
		assert_int_equal(written, size);
		assert_memory_equal(back, assets[i].data, size);
	}
	assert_int_equal(packed, 2); /* two files are too small to gain */
}

static void types_and_caching_follow_the_name(void **state)
{
	static const struct {
		const char *path;
		const char *type;
		gboolean immutable;
	} rows[] = {
		{ "/", "text/html; charset=utf-8", FALSE },
		{ "/assets/app.ABCD2345.js", "text/javascript; charset=utf-8", TRUE },
		{ "/assets/plain.css", "text/css; charset=utf-8", FALSE },
		{ "/assets/icon.svg", "image/svg+xml", FALSE },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const struct asset *asset = find(rows[i].path);

		assert_non_null(asset);
		assert_string_equal(asset->type, rows[i].type);
		assert_int_equal(asset->immutable, rows[i].immutable);
	}
}

static void pages_are_one_level_deep(void **state)
{
	static const char *const pages[] = { "/", "/sources", "/source", "/ip", "/domains", "/records",
		"/reports", "/report", "/reporters", "/failures", "/tls", "/intake", "/help" };
	static const char *const strange[] = { "/sources/", "/sources/x", "/nosuch", "//", "/.", "/..",
		"/assets", "/assets/", "/assets/../index.html", "/Sources", "/assets/app.ABCD2345.js/",
		"/page/index.html" };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(pages); i++) {
		const struct asset *asset = find(pages[i]);

		assert_non_null(asset);
		assert_string_equal(asset->path, "index.html");
	}
	for (gsize i = 0; i < G_N_ELEMENTS(strange); i++)
		if (find(strange[i]) != NULL)
			fail_msg("%s should not be there", strange[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_file_is_embedded_byte_for_byte),
		cmocka_unit_test(packed_forms_unpack_to_the_file),
		cmocka_unit_test(types_and_caching_follow_the_name),
		cmocka_unit_test(pages_are_one_level_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
