/*
 * account.h - whether the answer of the parser accounts for all that a mail has in it.
 *
 * A report is accounted for if it was read with all its records; or if a note says what of it was not read
 * (R1, R2, or O2 or X2 on a record); or if it was quarantined: an unreadable() at one of the files around it,
 * or at the mail. Nothing is read twice.
 */
#pragma once

#include "tests/unit/parser/generate.h"

/* Parse the mail. Returns NULL if all of it is accounted for, else what is not. Transfer full. */
char *account_for(const struct generated *generated) G_GNUC_WARN_UNUSED_RESULT;
