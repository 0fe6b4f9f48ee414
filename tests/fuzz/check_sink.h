/*
 * check_sink.h - a report_sink that aborts if a call violates what parser/report.h promises.
 */
#pragma once

#include "parser/limits.h"
#include "parser/report.h"

struct check_sink {
	const struct parser_limits *limits;
	gboolean failure_bodies; /* as in struct parser_options */
	gboolean open;           /* report_begin() was called */
	guint64 records;         /* since then */
	guint64 notes;           /* of aggregate reports and their records */
	guint64 texts;           /* a hash of all texts, and of the counts of records */
	gboolean partial;        /* the last report was */
	guint findings;          /* reports and unreadables */
};

extern const struct report_sink CHECK_SINK;
