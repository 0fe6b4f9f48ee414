#include "server/web/negotiate.h"

#include <gio/gio.h>
#include <string.h>

#define GZIP_LEVEL 6 /* measured by zlib's authors as the best bargain; JSON of ours is small */

/* The weight of a list member's parameters (";q=0.5") is 0: "0", "0.", "0.0", "0.00" or "0.000". */
static gboolean weight_is_zero(const char *parameters)
{
	const char *q = strchr(parameters, ';');

	if (q == NULL)
		return FALSE;
	q += 1 + strspn(q + 1, " \t");
	if ((*q != 'q' && *q != 'Q') || q[1] != '=')
		return FALSE;
	q += 2;
	return *q == '0' && q[strspn(q, "0. \t")] == '\0';
}

gboolean negotiate_gzip(const char *accept_encoding)
{
	g_auto(GStrv) members = NULL;
	gboolean any = FALSE;

	if (accept_encoding == NULL)
		return FALSE;
	members = g_strsplit(accept_encoding, ",", -1);
	for (gsize i = 0; members[i] != NULL; i++) {
		const char *member = g_strstrip(members[i]);
		g_autofree char *coding = g_strndup(member, strcspn(member, "; \t"));

		if (g_ascii_strcasecmp(coding, "gzip") == 0 || g_ascii_strcasecmp(coding, "x-gzip") == 0)
			return !weight_is_zero(member); /* outweighs '*' */
		if (strcmp(coding, "*") == 0)
			any = !weight_is_zero(member);
	}
	return any;
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

	/* into memory, from memory: there is nothing that could fail */
	if (!g_output_stream_write_all(packer, data, size, NULL, NULL, NULL) ||
	    !g_output_stream_close(packer, NULL, NULL))
		g_assert_not_reached();
	return g_memory_output_stream_steal_as_bytes(G_MEMORY_OUTPUT_STREAM(memory));
}
