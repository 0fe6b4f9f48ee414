/*
 * sink.h - a report_sink that records its calls, one per line, so that a test compares text.
 */
#pragma once

#include "parser/report.h"

struct diary {
	GString *lines; /* "mail ...", "begin ...", "record ...", "end ...", "failure ...", "tls ...",
			   "unreadable ..." */
	gboolean brief; /* records are only counted */
	guint64 records;
	guint fail_after; /* the record at which the sink fails, or 0 */
};

void diary_init(struct diary *diary);
void diary_clear(struct diary *diary);
const struct report_sink *diary_sink(void);
