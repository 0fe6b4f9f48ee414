/* A CMS structure: what it encloses lies in the input, or is no larger. */
#include "parser/cms.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	g_autoptr(GByteArray) joined = NULL;
	const guint8 *content = NULL;
	gsize content_size = 0;
	enum cms_kind kind = cms_read(data, size, &content, &content_size, &joined);

	if (kind != CMS_SIGNED)
		return 0;
	g_assert(content_size < size);
	if (joined == NULL)
		g_assert(content >= data && content + content_size <= data + size);
	else
		g_assert(content == joined->data && content_size == joined->len);
	return 0;
}
