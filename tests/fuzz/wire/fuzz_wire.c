/* Any output of a worker: frames as they arrive over the socket, to a sink that checks every string. */
#include "server/worker/wire.h"

#include <string.h>

#include "tests/unit/worker/sink.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	struct diary diary;
	gboolean done = FALSE, ok = TRUE;
	diary_init(&diary);
	struct wire_reader *reader = wire_reader_new(diary_sink(), &diary);
	while (ok && !done && size >= WIRE_HEAD) {
		gsize length = wire_frame_length(data);
		if (length > size - WIRE_HEAD)
			break;
		g_autofree guint8 *content = g_malloc(MAX(length, 1)); /* of its size: an overrun is seen */
		memcpy(content, data + WIRE_HEAD, length);
		ok = wire_reader_frame(reader, data[0], content, length, &done, NULL);
		data += WIRE_HEAD + length;
		size -= WIRE_HEAD + length;
	}
	wire_reader_free(reader);
	diary_clear(&diary);
	return 0;
}
