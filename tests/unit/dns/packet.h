/* packet.h - answers of a DNS server, byte by byte, for tests. */
#pragma once

#include <glib.h>

/* The header and the question; rcode: 0 NOERROR, 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED. */
GByteArray *packet_new(guint16 id, guint rcode, const char *name, guint16 type);

/* A name, uncompressed. */
void packet_name(GByteArray *packet, const char *name);

/* A record of the answer section; data: as on the wire. owner NULL: the name asked for, as a pointer. */
void packet_answer(
    GByteArray *packet, const char *owner, guint16 type, guint32 ttl, const void *data, gsize size);

/* The same with a name as data, behind a preference where type is MX. */
void packet_answer_name(
    GByteArray *packet, const char *owner, guint16 type, guint32 ttl, guint16 preference, const char *target);

/* A TXT record of one string, at most 255 bytes. */
void packet_answer_text(GByteArray *packet, guint32 ttl, const char *text);

/* A SOA in the authority section. */
void packet_soa(GByteArray *packet, guint32 ttl, guint32 minimum);

/* A name server of the zone, in the authority section. */
void packet_ns(GByteArray *packet, const char *server);

/* Clear RA: the server asks no others. */
void packet_no_recursion(GByteArray *packet);

/* Set TC: there is more by TCP. */
void packet_truncate(GByteArray *packet);

/* Set AD: the server has validated the answer. */
void packet_authentic(GByteArray *packet);
