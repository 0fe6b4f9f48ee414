/*
 * message.h - the bytes of a DNS server's answer (RFC 1035 section 4) into a struct dns_answer.
 *
 * Takes the records that belong to the name asked for, through its CNAMEs. Pure; the bytes are not trusted.
 */
#pragma once

#include "server/dns/dns.h"

/* answer is filled whatever the bytes are, and to be cleared. name and type: what was asked. */
void message_read(
    const guint8 *bytes, gsize size, const char *name, enum dns_type type, struct dns_answer *answer);
