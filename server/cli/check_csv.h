/*
 * check_csv.h - checks of DNS as CSV (RFC 4180), one line for each domain, for spreadsheets.
 *
 * As in the API, a text that a spreadsheet would read as a formula begins with an apostrophe, and characters that a
 * reader would not see are escaped.
 */
#pragma once

#include "server/dns/check.h"

/* The line of the columns' names. */
void check_csv_print_head(void);

void check_csv_print(struct check *check);
