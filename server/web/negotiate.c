#include "server/web/negotiate.h"

#include <gio/gio.h>
#include <string.h>

#define GZIP_LEVEL 6 /* zlib's default compromise; our JSON is small */

#define WHOLE 1000 /* the default weight, in thousandths */

/* Read "0.5" in thousandths; digits after the third are ignored, and anything but a number is 0 (RFC 9110
 * section 12.4.2). */
static int read_weight(const char *q)
{
	int weight = *q == '1' ? WHOLE : 0;
	int place = 100;

	if (*q == '\0' || q[1] != '.')
		return weight;
	for (q += 2; g_ascii_isdigit(*q) && place > 0; q++, place /= 10)
		weight += (*q - '0') * place;
	return MIN(weight, WHOLE);
}

/* The weight in the parameters of a list member (";level=1;q=0.5"), in thousandths. */
static int weight_of(const char *member)
{
	for (const char *at = strchr(member, ';'); at != NULL; at = strchr(at, ';')) {
		at += 1 + strspn(at + 1, " \t");
		if ((*at == 'q' || *at == 'Q') && at[1] == '=')
			return read_weight(at + 2);
	}
	return WHOLE;
}

/* The weight of name in a list, in thousandths, or -1 if it is not listed. */
static int weight_in(const char *list, const char *name)
{
	g_auto(GStrv) members = g_strsplit(list, ",", -1);

	for (gsize i = 0; members[i] != NULL; i++) {
		const char *member = g_strstrip(members[i]);
		gsize size = strcspn(member, "; \t");

		if (size == strlen(name) && g_ascii_strncasecmp(member, name, size) == 0)
			return weight_of(member);
	}
	return -1;
}

gboolean negotiate_csv(const char *accept)
{
	static const char *const json_names[] = { "application/json", "application/*", "*/*" };
	int csv = accept != NULL ? weight_in(accept, "text/csv") : -1;
	int json = -1;
	gsize i;

	if (csv <= 0)
		return FALSE;
	for (i = 0; json < 0 && i < G_N_ELEMENTS(json_names); i++)
		json = weight_in(accept, json_names[i]);
	return csv > json || (csv == json && i > 1);
}

gboolean negotiate_gzip(const char *accept_encoding)
{
	static const char *const names[] = { "gzip", "x-gzip", "*" };

	for (gsize i = 0; accept_encoding != NULL && i < G_N_ELEMENTS(names); i++) {
		int weight = weight_in(accept_encoding, names[i]);

		if (weight >= 0)
			return weight > 0;
	}
	return FALSE;
}

/* Whether a list member ("de", "de-AT;q=0.5") names language or a variant of it. */
static gboolean names_language(const char *member, const char *language)
{
	gsize size = strlen(language);

	return g_ascii_strncasecmp(member, language, size) == 0 && strchr("-; \t", member[size]) != NULL;
}

/* Whether member i of a list asks for language: by its name, or by a '*' where no member names it. */
static gboolean asks_for(char *const *members, gsize i, const char *language)
{
	if (names_language(members[i], language))
		return TRUE;
	if (!names_language(members[i], "*"))
		return FALSE;
	for (gsize k = 0; members[k] != NULL; k++)
		if (names_language(members[k], language))
			return FALSE;
	return TRUE;
}

const char *negotiate_language(const char *accept_language, const char *const *languages)
{
	g_auto(GStrv) members = g_strsplit(accept_language != NULL ? accept_language : "", ",", -1);
	const char *best = languages[0];
	int most = 0;

	for (gsize i = 0; members[i] != NULL; i++)
		g_strstrip(members[i]);
	for (gsize i = 0; members[i] != NULL; i++)
		for (gsize k = 0; languages[k] != NULL; k++)
			if (weight_of(members[i]) > most && asks_for(members, i, languages[k])) {
				most = weight_of(members[i]);
				best = languages[k];
			}
	return best;
}

char *negotiate_etag(GBytes *body)
{
	g_autofree char *sha256 = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, body);

	return g_strdup_printf("\"%s\"", sha256);
}

gboolean negotiate_matches(const char *if_none_match, const char *etag)
{
	const char *at = if_none_match;

	if (at == NULL)
		return FALSE;
	for (;;) {
		gsize size;

		at += strspn(at, " \t,");
		if (*at == '\0')
			return FALSE;
		if (*at == '*')
			return TRUE;
		if (strncmp(at, "W/", 2) == 0)
			at += 2;
		if (*at != '"')
			return FALSE;
		size = 1 + strcspn(at + 1, "\"") + 1;
		if (size == strlen(etag) && strncmp(at, etag, size) == 0)
			return TRUE;
		if (strlen(at) < size)
			return FALSE; /* no closing quote */
		at += size;
	}
}

GBytes *negotiate_compress(GBytes *body)
{
	g_autoptr(GZlibCompressor) compressor =
	    g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, GZIP_LEVEL);
	g_autoptr(GOutputStream) memory = g_memory_output_stream_new_resizable();
	g_autoptr(GOutputStream) packer = g_converter_output_stream_new(memory, G_CONVERTER(compressor));
	gsize size;
	const void *data = g_bytes_get_data(body, &size);

	/* from memory to memory: nothing can fail */
	if (!g_output_stream_write_all(packer, data, size, NULL, NULL, NULL) ||
	    !g_output_stream_close(packer, NULL, NULL))
		g_assert_not_reached();
	return g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(memory));
}
