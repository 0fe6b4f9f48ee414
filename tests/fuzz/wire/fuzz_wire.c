/* Any output of a worker: the frames of several answers as they arrive over the socket, to a sink that checks
 * every string. As in talk.c, nothing is read after an answer that says that something is unreadable. */
#include "server/worker/wire.h"

#include <string.h>

#include "tests/unit/worker/sink.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	struct diary diary;
	gboolean done = FALSE, ok = TRUE;
	diary_init(&diary);
	struct wire_reader *reader = wire_reader_new();
	wire_reader_begin(reader, diary_sink(), &diary);
	while (ok && size >= WIRE_HEAD) {
		gsize length = wire_frame_length(data);
		if (length > size - WIRE_HEAD)
			break;
		g_autofree guint8 *content = g_malloc(MAX(length, 1)); /* of its size: an overrun is seen */
		memcpy(content, data + WIRE_HEAD, length);
		ok = wire_reader_frame(reader, data[0], content, length, &done, NULL);
		data += WIRE_HEAD + length;
		size -= WIRE_HEAD + length;
		if (done && !wire_reader_all_readable(reader))
			break;
		if (done)
			wire_reader_begin(reader, diary_sink(), &diary);
		done = FALSE;
	}
	wire_reader_free(reader);
	diary_clear(&diary);
	return 0;
}
