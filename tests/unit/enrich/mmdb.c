#include "tests/unit/enrich/mmdb.h"

#include <arpa/inet.h>
#include <string.h>

#define UTF8   2 /* types of the data section */
#define UINT16 5
#define UINT32 6
#define MAP    7
#define UINT64 9
#define ARRAY  11

#define SHORT_MAX 28 /* bytes, or members, that the control byte itself can say */
#define EMPTY     0  /* a record that is no node: node 0 is the root */

struct node {
	guint32 record[2]; /* another node, or EMPTY, or LEAF and where its data begin */
};

#define LEAF 0x80000000u

struct mmdb {
	const char *type;
	GArray *nodes;    /* struct node */
	GByteArray *data; /* the data section */
};

struct mmdb *mmdb_new(const char *type)
{
	struct mmdb *mmdb = g_new0(struct mmdb, 1);
	struct node root = { { EMPTY, EMPTY } };

	mmdb->type = type;
	mmdb->nodes = g_array_new(FALSE, TRUE, sizeof(struct node));
	mmdb->data = g_byte_array_new();
	g_array_append_val(mmdb->nodes, root);
	return mmdb;
}

static void put_control(GByteArray *out, guint type, gsize size)
{
	guint8 bytes[3];
	guint n = 0;

	g_assert(size <= SHORT_MAX + 256);
	bytes[n++] = (guint8)((type <= 7 ? type << 5 : 0) | MIN(size, SHORT_MAX + 1));
	if (type > 7)
		bytes[n++] = (guint8)(type - 7);
	if (size > SHORT_MAX)
		bytes[n++] = (guint8)(size - SHORT_MAX - 1);
	g_byte_array_append(out, bytes, n);
}

static void put_text(GByteArray *out, const char *text)
{
	put_control(out, UTF8, strlen(text));
	g_byte_array_append(out, (const guint8 *)text, (guint)strlen(text));
}

static void put_number(GByteArray *out, guint type, guint32 number)
{
	guint size = type == UINT16 ? 2 : 4;
	guint32 wire = htonl(number);

	put_control(out, type, size);
	g_byte_array_append(out, (const guint8 *)&wire + 4 - size, size);
}

/* Words of one map that begin with prefix, as far as they are neighbours; returns how many. */
static gsize same_map(char *const *words, const char *prefix, gsize size)
{
	gsize n = 0;

	while (words[n] != NULL && strncmp(words[n], prefix, size) == 0)
		n++;
	return n;
}

/* The words as a map; skip: bytes of each that are the name of the map. */
static void put_map(GByteArray *out, char *const *words, gsize n, gsize skip)
{
	gsize keys = 0;

	for (int pass = 0; pass < 2; pass++) {
		if (pass == 1)
			put_control(out, MAP, keys);
		for (gsize i = 0; i < n;) {
			const char *word = words[i] + skip, *equals = strchr(word, '=');
			gsize size = strcspn(word, ".=");
			g_autofree char *key = g_strndup(word, size);
			gsize inner = word[size] == '.' ? same_map(words + i, words[i], skip + size + 1) : 1;

			g_assert(equals != NULL);
			i += inner;
			keys += pass == 0;
			if (pass == 0)
				continue;
			put_text(out, key);
			if (word[size] == '.')
				put_map(out, words + i - inner, inner, skip + size + 1);
			else if (equals[1] == '#')
				put_number(out, UINT32, (guint32)g_ascii_strtoull(equals + 2, NULL, 10));
			else
				put_text(out, equals + 1);
		}
	}
}

/* The 128 bits of an address; *bits becomes the length of the network among them. */
static void parse_network(const char *network, guint8 address[16], guint *bits)
{
	const char *slash = strchr(network, '/');
	g_autofree char *ip = g_strndup(network, (gsize)(slash - network));

	*bits = (guint)g_ascii_strtoull(slash + 1, NULL, 10);
	memset(address, 0, 16);
	if (inet_pton(AF_INET, ip, address + 12) == 1)
		*bits += 96;
	else
		g_assert(inet_pton(AF_INET6, ip, address) == 1);
}

void mmdb_add(struct mmdb *mmdb, const char *network, const char *value)
{
	g_auto(GStrv) words = g_strsplit(value, ";", -1);
	guint8 address[16];
	guint bits, at = 0;

	parse_network(network, address, &bits);
	for (guint bit = 0; bit < bits; bit++) {
		guint side = address[bit / 8] >> (7 - bit % 8) & 1;
		struct node fresh = { { EMPTY, EMPTY } };
		guint32 next = g_array_index(mmdb->nodes, struct node, at).record[side];

		g_assert((next & LEAF) == 0);
		if (bit + 1 == bits) {
			next = LEAF | mmdb->data->len;
		} else if (next == EMPTY) {
			next = mmdb->nodes->len;
			g_array_append_val(mmdb->nodes, fresh);
		}
		g_array_index(mmdb->nodes, struct node, at).record[side] = next;
		at = next;
	}
	put_map(mmdb->data, words, g_strv_length(words), 0);
}

static void put_record(GByteArray *out, guint32 record, guint32 n_nodes)
{
	guint32 value = record == EMPTY        ? n_nodes
			: (record & LEAF) != 0 ? n_nodes + 16 + (record & ~LEAF)
					       : record;
	const guint8 bytes[3] = { (guint8)(value >> 16), (guint8)(value >> 8), (guint8)value };

	g_byte_array_append(out, bytes, sizeof bytes);
}

static void put_metadata(GByteArray *out, const struct mmdb *mmdb)
{
	static const guint8 MARK[] = "\xab\xcd\xefMaxMind.com";

	g_byte_array_append(out, MARK, sizeof MARK - 1);
	put_control(out, MAP, 9);
	put_text(out, "binary_format_major_version");
	put_number(out, UINT16, 2);
	put_text(out, "binary_format_minor_version");
	put_number(out, UINT16, 0);
	put_text(out, "build_epoch");
	put_number(out, UINT64, 1700000000);
	put_text(out, "database_type");
	put_text(out, mmdb->type);
	put_text(out, "description");
	put_control(out, MAP, 0);
	put_text(out, "ip_version");
	put_number(out, UINT16, 6);
	put_text(out, "languages");
	put_control(out, ARRAY, 0);
	put_text(out, "node_count");
	put_number(out, UINT32, mmdb->nodes->len);
	put_text(out, "record_size");
	put_number(out, UINT16, 24);
}

void mmdb_write(struct mmdb *mmdb, const char *path)
{
	static const guint8 SEPARATOR[16] = { 0 };
	g_autoptr(GByteArray) out = g_byte_array_new();
	gboolean written;

	for (guint i = 0; i < mmdb->nodes->len; i++)
		for (guint side = 0; side < 2; side++)
			put_record(
			    out, g_array_index(mmdb->nodes, struct node, i).record[side], mmdb->nodes->len);
	g_byte_array_append(out, SEPARATOR, sizeof SEPARATOR);
	g_byte_array_append(out, mmdb->data->data, mmdb->data->len);
	put_metadata(out, mmdb);
	written = g_file_set_contents(path, (const char *)out->data, out->len, NULL);
	g_assert(written);
	g_array_unref(mmdb->nodes);
	g_byte_array_unref(mmdb->data);
	g_free(mmdb);
}
