/*
 * check_text.h - a check of DNS as text for a terminal: first what is wrong, then the records.
 *
 * Text from the DNS is made visible, on one line each.
 */
#pragma once

#include "server/dns/check.h"

struct check_text {
	gboolean colour;
	gboolean explain;   /* say what each tag does */
	const char *unseen; /* why the selectors that reports name are unknown, or NULL */
};

void check_text_print(struct check *check, const struct check_text *options);

/* The result of SPF for one sender, and of block lists (struct blocklist_result; NULL: not asked). */
void check_text_print_verdict(const char *domain, const char *ip, const struct spf_verdict *verdict,
    const GPtrArray *blocklists, const struct check_text *options);

/* text from the DNS on one line, cut after CHECK_TEXT_MAX bytes. Transfer full. */
char *check_text_shown(const char *text) G_GNUC_WARN_UNUSED_RESULT;
