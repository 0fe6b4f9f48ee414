/*
 * collect.h - a report_sink that writes each call as a line, so that tests compare texts.
 *
 * What is NULL (or -1, for numbers; 1 for incidents) is left out. Notes follow on the line as "{code path
 * raw}".
 */
#pragma once

#include "parser/report.h"

struct collect {
	GString *lines;
	guint calls;
	guint fail_at;     /* the call of this number fails; 0: none */
	gboolean absent;   /* notes that an element of an aggregate report is absent are shown, too */
	guint8 sha256[32]; /* of the last report */
};

extern const struct report_sink COLLECT;

void collect_init(struct collect *collect);
void collect_clear(struct collect *collect);
