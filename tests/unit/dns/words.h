/* words.h - findings as a line of words, for tables of tests. */
#pragma once

#include "server/dns/findings.h"

/* "dmarc_value@_dmarc.example.com TXT: p, ..." or, without places, "dmarc_value, ...", by severity. Transfer
 * full. */
char *findings_words(struct findings *findings, gboolean places);
