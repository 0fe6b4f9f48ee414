/*
 * reply.h - the bytes of a DNS server's answer (RFC 1035 section 4) into a struct dns_answer.
 *
 * Keeps the records of the name that was asked for, through its CNAMEs. Pure; the bytes are not trusted.
 */
#pragma once

#include "server/dns/dns.h"

/* Read an answer; name and type: of the question. answer is always filled, and must be cleared;
 * answer->authentic is what the server says. */
void reply_read(
    const guint8 *bytes, gsize size, const char *name, enum dns_type type, struct dns_answer *answer);
