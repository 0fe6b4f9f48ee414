#include "server/web/negotiate.h"

#include <gio/gio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void gzip_is_sent_to_those_who_take_it(void **state)
{
	static const struct {
		const char *header;
		gboolean want;
	} rows[] = {
		{ NULL, FALSE },
		{ "", FALSE },
		{ "gzip", TRUE },
		{ "GZIP", TRUE },
		{ "x-gzip", TRUE },
		{ "gzip, deflate, br", TRUE },
		{ "deflate , gzip;q=0.5", TRUE },
		{ "deflate", FALSE },
		{ "gzip;q=0", FALSE },
		{ "gzip; q=0", FALSE },
		{ "gzip;Q=0.000", FALSE },
		{ "gzip;q=0.001", TRUE },
		{ "*", TRUE },
		{ "*;q=0", FALSE },
		{ "gzip;q=0, *", FALSE },
		{ "*, gzip;q=0", FALSE },
		{ "*;q=0, gzip", TRUE },
		{ "identity", FALSE },
		{ "gzipped", FALSE },
		{ ",,;,", FALSE },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (negotiate_gzip(rows[i].header) != rows[i].want)
			fail_msg("\"%s\" should be %d", rows[i].header, rows[i].want);
}

static void csv_is_sent_to_those_who_would_rather_have_it(void **state)
{
	static const struct {
		const char *header;
		gboolean want;
	} rows[] = {
		{ NULL, FALSE },
		{ "", FALSE },
		{ "*/*", FALSE },
		{ "text/*", FALSE },
		{ "application/json", FALSE },
		{ "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
		    FALSE }, /* a browser's address bar */
		{ "text/csv", TRUE },
		{ "Text/CSV; header=present", TRUE },
		{ "text/csv;q=0", FALSE },
		{ "text/csv;q=0.000", FALSE },
		{ "text/csv;q=0.001", TRUE },
		{ "text/csv, */*", TRUE },
		{ "text/csv, */*;q=0.1", TRUE },
		{ "text/csv;q=0.5, */*", FALSE },
		{ "text/csv, application/*", TRUE },
		{ "text/csv, application/json", FALSE },
		{ "application/json;q=0.9, text/csv", TRUE },
		{ "application/json, text/csv;q=0.9", FALSE },
		{ "application/json;q=0, text/csv;q=0.1, */*", TRUE },
		{ "text/csv;q=1.0,application/json;q=0.999", TRUE },
		{ "text/csvx", FALSE },
		{ "xtext/csv", FALSE },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (negotiate_csv(rows[i].header) != rows[i].want)
			fail_msg("\"%s\" should be %d", rows[i].header, rows[i].want);
}

static void language_is_the_one_that_the_client_prefers(void **state)
{
	static const char *const languages[] = { "en", "de", NULL };
	static const struct {
		const char *header;
		const char *want;
	} rows[] = {
		{ NULL, "en" },
		{ "", "en" },
		{ "de", "de" },
		{ "DE", "de" },
		{ "de-AT", "de" },
		{ "de_AT", "en" },
		{ "den", "en" },
		{ "d", "en" },
		{ "fr", "en" },
		{ "fr, de;q=0.1", "de" },
		{ "de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7", "de" }, /* Firefox and Chromium in German */
		{ "en-US,en;q=0.9,de;q=0.8", "en" },
		{ "en;q=0.8,de;q=0.9", "de" },
		{ "en;q=0.5, de ; q=0.501", "de" },
		{ "en;q=0.501, de;q=0.5", "en" },
		{ "de, en", "de" },
		{ "en, de", "en" },
		{ "de;q=0.3, de-CH;q=0.9, en;q=0.5", "de" },
		{ "de;q=0", "en" },
		{ "de;q=0, en;q=0", "en" },
		{ "*", "en" },
		{ "*;q=0.5, en;q=0.1", "de" },
		{ "en;q=0, *", "de" },
		{ "de;q=0, *", "en" },
		{ "fr, *;q=0", "en" },
		{ ",,;,", "en" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		const char *found = negotiate_language(rows[i].header, languages);

		if (g_strcmp0(found, rows[i].want) != 0)
			fail_msg("\"%s\" gives %s, not %s", rows[i].header, found, rows[i].want);
	}
}

static void entity_tags_are_compared_one_by_one(void **state)
{
	static const struct {
		const char *header;
		gboolean want;
	} rows[] = {
		{ NULL, FALSE },
		{ "", FALSE },
		{ "\"abc\"", TRUE },
		{ "W/\"abc\"", TRUE },
		{ "*", TRUE },
		{ "\"x\", \"abc\"", TRUE },
		{ "\"x\",W/\"y\",W/\"abc\"", TRUE },
		{ "\"x\"", FALSE },
		{ "\"ab\"", FALSE },
		{ "\"abcd\"", FALSE },
		{ "abc", FALSE },
		{ "\"abc", FALSE },
		{ "\"", FALSE },
		{ "W/", FALSE },
		{ "\"x\" junk \"abc\"", FALSE },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (negotiate_matches(rows[i].header, "\"abc\"") != rows[i].want)
			fail_msg("%s should be %d", rows[i].header, rows[i].want);
}

static void entity_tag_is_the_hash_of_the_body(void **state)
{
	g_autoptr(GBytes) body = g_bytes_new_static("abc", 3);
	g_autofree char *etag = negotiate_etag(body);

	(void)state;
	assert_string_equal(
	    etag, "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\""); /* FIPS 180-2 */
}

static void compressed_body_unpacks_to_itself(void **state)
{
	static const gsize sizes[] = { 0, 1, 1000, 100000 };

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_autofree guint8 *data = g_malloc0(sizes[i] + 1);
		g_autoptr(GBytes) body = NULL;
		g_autoptr(GBytes) packed = NULL;
		g_autoptr(GBytes) back = NULL;
		g_autoptr(GInputStream) memory = NULL;
		g_autoptr(GInputStream) unpacker = NULL;
		g_autoptr(GZlibDecompressor) decompressor =
		    g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP);

		for (gsize n = 0; n < sizes[i]; n++)
			data[n] = (guint8)(n * n >> 3);
		body = g_bytes_new(data, sizes[i]);
		packed = negotiate_compress(body);
		memory = g_memory_input_stream_new_from_bytes(packed);
		unpacker = g_converter_input_stream_new(memory, G_CONVERTER(decompressor));
		back = g_input_stream_read_bytes(unpacker, sizes[i] + 1, NULL, NULL);
		assert_non_null(back);
		while (g_bytes_get_size(back) < sizes[i]) { /* reads come in pieces */
			g_autoptr(GBytes) more =
			    g_input_stream_read_bytes(unpacker, sizes[i] + 1, NULL, NULL);
			GByteArray *all = g_bytes_unref_to_array(g_steal_pointer(&back));

			assert_true(g_bytes_get_size(more) > 0);
			g_byte_array_append(all, g_bytes_get_data(more, NULL), (guint)g_bytes_get_size(more));
			back = g_byte_array_free_to_bytes(all);
		}
		assert_true(g_bytes_equal(back, body));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gzip_is_sent_to_those_who_take_it),
		cmocka_unit_test(csv_is_sent_to_those_who_would_rather_have_it),
		cmocka_unit_test(language_is_the_one_that_the_client_prefers),
		cmocka_unit_test(entity_tags_are_compared_one_by_one),
		cmocka_unit_test(entity_tag_is_the_hash_of_the_body),
		cmocka_unit_test(compressed_body_unpacks_to_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
