/*
 * fuzz_multipart.c - a form in pieces: the same files are found as in one piece.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "server/web/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static gboolean on_begin(gpointer user, const char *name, GError **error)
{
	(void)error;
	g_string_append_printf(user, "[%s]", name);
	return TRUE;
}

static gboolean on_data(gpointer user, const guint8 *data, gsize size, GError **error)
{
	(void)error;
	g_string_append_len(user, (const char *)data, (gssize)size);
	return TRUE;
}

static gboolean on_end(gpointer user, GError **error)
{
	(void)error;
	g_string_append_c(user, ';');
	return TRUE;
}

/* What is found in pieces of this size; NULL if the form is refused. */
static GString *find(const uint8_t *data, size_t size, size_t piece)
{
	static const struct multipart_handler handler = { on_begin, on_data, on_end };
	GString *found = g_string_new(NULL);
	struct multipart *multipart = multipart_new("b", &handler, found);
	gboolean good = TRUE;

	for (size_t at = 0; good && at < size; at += piece)
		good = multipart_add(multipart, data + at, MIN(piece, size - at), NULL);
	good = good && multipart_end(multipart, NULL);
	multipart_free(multipart);
	if (good)
		return found;
	g_string_free(found, TRUE);
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	GString *whole = find(data, size, MAX(size, 1));
	GString *split = find(data, size, 1);
	g_autofree char *type = g_strndup((const char *)data, size);
	g_autofree char *boundary G_GNUC_UNUSED = multipart_boundary(type);

	if (whole != NULL && (split == NULL || !g_string_equal(whole, split)))
		g_error("split input gives other files");
	if (whole != NULL)
		g_string_free(whole, TRUE);
	if (split != NULL)
		g_string_free(split, TRUE);
	return 0;
}
