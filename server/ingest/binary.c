#include "server/ingest/binary.h"

#include <string.h>
#include <sys/socket.h>

#define EPOCH_SECONDS G_GINT64_CONSTANT(946684800) /* 2000-01-01 in seconds since 1970 */
#define COLUMNS       9
#define INET          AF_INET       /* PGSQL_AF_INET */
#define INET6         (AF_INET + 1) /* PGSQL_AF_INET6, which is not AF_INET6 */

static void put16(GString *out, gint16 value)
{
	gint16 big = GINT16_TO_BE(value);

	g_string_append_len(out, (const char *)&big, sizeof big);
}

static void put32(GString *out, gint32 value)
{
	gint32 big = GINT32_TO_BE(value);

	g_string_append_len(out, (const char *)&big, sizeof big);
}

/* Fields: the size in bytes, or -1 for NULL, and the value. */

static void field32(GString *out, gint32 value)
{
	put32(out, sizeof value);
	put32(out, value);
}

static void field64(GString *out, gint64 value)
{
	gint64 big = GINT64_TO_BE(value);

	put32(out, sizeof value);
	g_string_append_len(out, (const char *)&big, sizeof big);
}

static void field_null(GString *out)
{
	put32(out, -1);
}

/* inet: family, bits of the network, whether it is a cidr, size, address. */
static void field_address(GString *out, const guint8 *address, guint8 size)
{
	const guint8 head[] = { size == 4 ? INET : INET6, (guint8)(size * 8), 0, size };

	put32(out, (gint32)sizeof head + size);
	g_string_append_len(out, (const char *)head, sizeof head);
	g_string_append_len(out, (const char *)address, size);
}

gint32 binary_day(int year, int month, int day)
{
	/* years begin in March, so that a leap day is the last day of its year */
	int y = month > 2 ? year : year - 1;
	int m = month > 2 ? month - 3 : month + 9;

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 730426;
}

void binary_begin(GString *out)
{
	static const char signature[11] = { 'P', 'G', 'C', 'O', 'P', 'Y', '\n', '\377', '\r', '\n', '\0' };

	g_string_append_len(out, signature, sizeof signature);
	put32(out, 0); /* flags */
	put32(out, 0); /* size of the header extension */
}

void binary_record(GString *out, const struct binary_record *record)
{
	put16(out, COLUMNS);
	field64(out, (record->begin - EPOCH_SECONDS) * G_USEC_PER_SEC);
	field64(out, record->report);
	if (record->count >= 0)
		field64(out, record->count);
	else
		field_null(out);
	field64(out, record->evaluation);
	field32(out, record->day);
	field32(out, record->domain_id);
	if (record->has_reporter)
		field32(out, record->reporter_id);
	else
		field_null(out);
	field32(out, record->record_no);
	if (record->address_size > 0)
		field_address(out, record->address, record->address_size);
	else
		field_null(out);
}

void binary_end(GString *out)
{
	put16(out, -1);
}
