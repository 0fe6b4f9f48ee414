/*
 * check_parts.h - the parts of a check, for check.c: each asks, fills in its members and adds its findings.
 */
#pragma once

#include "server/dns/check.h"

/* Discovery, the record, and where its reports go. */
void check_dmarc(const struct dns_source *source, const struct check_options *options, struct check *check);

/* The domain's MX hosts. */
void check_mx(const struct dns_source *source, struct check *check);

/* SPF; needs MX for what to publish. */
void check_spf(const struct dns_source *source, struct check *check);

void check_dkim(const struct dns_source *source, const struct check_options *options, struct check *check);

void check_tls(const struct dns_source *source, struct check *check);

/* Names of the addresses of MX and SPF, which were checked before. */
void check_senders(const struct dns_source *source, struct check *check);
