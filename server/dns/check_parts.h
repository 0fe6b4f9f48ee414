/*
 * check_parts.h - the parts of a check, for check.c: each looks up its records, sets its members of struct
 * check and adds its findings.
 */
#pragma once

#include "server/dns/check.h"

/* DMARC: discovery, the record, and where its reports go. */
void check_dmarc(const struct dns_source *source, const struct check_options *options, struct check *check);

/* The domain's MX hosts. */
void check_mx(const struct dns_source *source, struct check *check);

/* SPF. Call after check_mx(), whose result is used in the record to publish. */
void check_spf(const struct dns_source *source, struct check *check);

/* The keys of the selectors in options. */
void check_dkim(const struct dns_source *source, const struct check_options *options, struct check *check);

/* The name servers of the domain's zone. */
void check_name_servers(const struct dns_source *source, struct check *check);

/* DNSSEC of the zone; call after check_name_servers(). */
void check_dnssec(const struct dns_source *source, struct check *check);

/* TLSA records of the MX hosts; call after check_mx() and check_dnssec(). */
void check_tlsa(const struct dns_source *source, struct check *check);

/* BIMI; call after check_dmarc(). */
void check_bimi(const struct dns_source *source, struct check *check);

/* TLS reporting, the record and policy of MTA-STS; call after check_mx(). */
void check_tls(const struct dns_source *source, const struct check_options *options, struct check *check);

/* Block lists, if options has some; call after check_senders(). */
void check_blocklists(
    const struct dns_source *source, const struct check_options *options, struct check *check);

/* Names of the addresses of MX and SPF. Call after check_mx() and check_spf(). */
void check_senders(const struct dns_source *source, struct check *check);

/* Add a finding for each tag of a record that has no effect: it is not in known (NULL-terminated), or is
 * there again. name: of the record. */
void check_tags(struct check *check, enum finding_code code, const char *name, const char *text,
    const char *const *known);

/* Whether the domain has an MX that is not the null MX. */
gboolean check_takes_mail(const struct check *check);

/* Whether a host has an MX or an address, and does not refuse mail. */
enum check_known check_accepts_mail(const struct dns_source *source, const char *host);
