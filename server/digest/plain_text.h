/*
 * plain_text.h - prints a digest as text of at most 76 columns, for terminals and for mail.
 */
#pragma once

#include "server/digest/block.h"

/* Lines that end in LF. Transfer full. */
char *plain_text_print(const struct content *content) G_GNUC_WARN_UNUSED_RESULT;
