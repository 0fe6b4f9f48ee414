/*
 * srg.h - the aggregate reports in a dump of dmarc-srg's database (MySQL, MariaDB), each as one JSON object.
 *
 * dmarc-srg stores no reports as they were sent, but their values in the tables domains, reports and
 * rptrecords, whose names may have a prefix: they are recognised by their columns. The JSON has the shape of
 * parsedmarc's (parser/parsedmarc.h) with "copy_of": "dmarc-srg", so that ruad-parse, in its sandbox, reads
 * both. All values are texts, also the lists that dmarc-srg stores as JSON: whatever they hold cannot make
 * the report unreadable.
 *
 * What is missing: the elements that dmarc-srg does not store, such as version, the order of elements, the
 * result of a DKIM or SPF evaluation that is neither pass nor fail ("unknown"), and the text of the XML.
 */
#pragma once

#include <glib.h>

#define SRG_MOST (G_GUINT64_CONSTANT(1) << 30) /* bytes kept, since records follow all reports */

struct srg;

struct srg *srg_new(void);
void srg_free(struct srg *srg); /* NULL is allowed */

/* The next byte of the dump. */
void srg_next(struct srg *srg, char byte);

/* After the last byte: the next report, transfer full; NULL if there is none. */
GBytes *srg_report(struct srg *srg);

/* Whether the dump had more reports than are kept: some of them are missing. */
gboolean srg_is_full(const struct srg *srg);
