/* An archive, walked as the format of its first bytes, or as a zip if these are unknown. */
#include "parser/unpack.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

struct count {
	gsize bytes;
	guint members;
	gboolean open;
};

static gboolean on_begin(gpointer user, const char *name, GError **error)
{
	struct count *count = user;

	(void)name, (void)error;
	g_assert(!count->open);
	count->open = TRUE;
	count->members++;
	return TRUE;
}

static enum unpack_next on_piece(gpointer user, const guint8 *data, gsize size, GError **error)
{
	struct count *count = user;

	(void)error;
	g_assert(count->open && size > 0);
	count->bytes += size;
	return data[size - 1] == '!' ? UNPACK_SKIP : UNPACK_MORE; /* reads the last byte, too */
}

static gboolean on_end(gpointer user, const GError *broken, GError **error)
{
	struct count *count = user;

	(void)error;
	g_assert(count->open);
	g_assert(broken == NULL || broken->domain == RUAD_ERROR);
	count->open = FALSE;
	return TRUE;
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	static const struct unpack_visitor VISITOR = { on_begin, on_piece, on_end };
	struct unpack_budget budget = { 1024 * 1024, 100 };
	struct count count = { 0 };
	enum kind kind = kind_of(data, size);
	g_autoptr(GError) error = NULL;
	gboolean ok = unpack_walk(
	    data, size, kind_is_archive(kind) ? kind : KIND_ZIP, &budget, &VISITOR, &count, &error);

	g_assert(ok == (error == NULL));
	g_assert(ok || error->domain == RUAD_ERROR);
	g_assert(!count.open && count.bytes <= 1024 * 1024 && count.members <= 100);
	return 0;
}
