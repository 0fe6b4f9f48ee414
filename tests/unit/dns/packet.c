#include "tests/unit/dns/packet.h"

#include <string.h>

#define HEADER_ANSWERS   6 /* where the counts are */
#define HEADER_AUTHORITY 8

static void add16(GByteArray *packet, guint value)
{
	guint8 bytes[] = { (guint8)(value >> 8), (guint8)value };

	g_byte_array_append(packet, bytes, sizeof(bytes));
}

static void add32(GByteArray *packet, guint32 value)
{
	add16(packet, value >> 16);
	add16(packet, value & 0xffff);
}

void packet_name(GByteArray *packet, const char *name)
{
	g_auto(GStrv) labels = g_strsplit(name, ".", -1);
	guint8 end = 0;

	for (char **label = labels; *label != NULL && **label != '\0'; label++) {
		guint8 size = (guint8)strlen(*label);

		g_byte_array_append(packet, &size, 1);
		g_byte_array_append(packet, (const guint8 *)*label, size);
	}
	g_byte_array_append(packet, &end, 1);
}

GByteArray *packet_new(guint16 id, guint rcode, const char *name, guint16 type)
{
	GByteArray *packet = g_byte_array_new();

	add16(packet, id);
	add16(packet, 0x8180 | rcode); /* an answer, recursion wanted and available */
	add16(packet, 1);
	add16(packet, 0);
	add16(packet, 0);
	add16(packet, 0);
	packet_name(packet, name);
	add16(packet, type);
	add16(packet, 1);
	return packet;
}

static void count(GByteArray *packet, guint where)
{
	packet->data[where + 1]++;
}

/* Owner, type, class, TTL; the size of the data is left 0. Where it stands. */
static guint begin_record(GByteArray *packet, const char *owner, guint16 type, guint32 ttl)
{
	if (owner == NULL)
		add16(packet, 0xc00c);
	else
		packet_name(packet, owner);
	add16(packet, type);
	add16(packet, 1);
	add32(packet, ttl);
	add16(packet, 0);
	return packet->len - 2;
}

static void end_record(GByteArray *packet, guint size_at)
{
	guint size = packet->len - size_at - 2;

	packet->data[size_at] = (guint8)(size >> 8);
	packet->data[size_at + 1] = (guint8)size;
}

void packet_answer(
    GByteArray *packet, const char *owner, guint16 type, guint32 ttl, const void *data, gsize size)
{
	guint at = begin_record(packet, owner, type, ttl);

	g_byte_array_append(packet, data, (guint)size);
	end_record(packet, at);
	count(packet, HEADER_ANSWERS);
}

void packet_answer_name(
    GByteArray *packet, const char *owner, guint16 type, guint32 ttl, guint16 preference, const char *target)
{
	guint at = begin_record(packet, owner, type, ttl);

	if (type == 15)
		add16(packet, preference);
	packet_name(packet, target);
	end_record(packet, at);
	count(packet, HEADER_ANSWERS);
}

void packet_answer_text(GByteArray *packet, guint32 ttl, const char *text)
{
	guint at = begin_record(packet, NULL, 16, ttl);
	guint8 size = (guint8)strlen(text);

	g_byte_array_append(packet, &size, 1);
	g_byte_array_append(packet, (const guint8 *)text, size);
	end_record(packet, at);
	count(packet, HEADER_ANSWERS);
}

void packet_soa(GByteArray *packet, guint32 ttl, guint32 minimum)
{
	guint at = begin_record(packet, "example", 6, ttl);

	packet_name(packet, "ns.example");
	packet_name(packet, "root.example");
	for (guint i = 0; i < 4; i++)
		add32(packet, 1);
	add32(packet, minimum);
	end_record(packet, at);
	count(packet, HEADER_AUTHORITY);
}

void packet_ns(GByteArray *packet, const char *server)
{
	guint at = begin_record(packet, "example", 2, 300);

	packet_name(packet, server);
	end_record(packet, at);
	count(packet, HEADER_AUTHORITY);
}

void packet_no_recursion(GByteArray *packet)
{
	packet->data[3] &= 0x7f;
}

void packet_truncate(GByteArray *packet)
{
	packet->data[2] |= 2;
}

void packet_authentic(GByteArray *packet)
{
	packet->data[3] |= 0x20;
}
