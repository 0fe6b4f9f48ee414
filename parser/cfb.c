#include "parser/cfb.h"

#include <string.h>

#define HEADER       512 /* bytes, also where sectors are larger (section 2.2) */
#define HEADER_FATS  109 /* sectors of the FAT that the header names; chained sectors name the others */
#define MINI_SHIFT   6   /* sectors of 64 bytes in the mini stream */
#define ENTRY        128 /* bytes of the directory (section 2.6.1) */
#define END_OF_CHAIN 0xfffffffe
#define NO_SECTOR    0xffffffff

/* Types of an entry. */
enum {
	UNUSED = 0,
	STORAGE = 1,
	STREAM = 2,
	ROOT = 5,
};

/* Where an entry's tree of siblings goes on. */
struct links {
	guint32 left;
	guint32 right;
	guint32 child;
	gboolean used;
	gboolean seen;
};

/* Sectors of one size, and which follows which. */
struct sectors {
	const guint8 *data; /* of sector 0 */
	gsize size;
	guint shift; /* 2^shift bytes each; the last one may be shorter */
	guint32 n;
	guint8 *claimed; /* by sector: it was read */
};

struct cfb {
	const guint8 *data;
	const char *damage;

	struct sectors sectors;
	guint32 *fat; /* the sectors of the FAT */
	guint32 n_fat;

	struct sectors mini;
	GByteArray *mini_stream; /* NULL: not read yet */
	GByteArray *mini_fat;
	guint32 mini_cutoff; /* bytes of the smallest stream that is not in the mini stream */

	struct cfb_entry *entry;
	guint n;
};

static guint32 number_at(const guint8 *at)
{
	guint32 number;

	memcpy(&number, at, sizeof number);
	return GUINT32_FROM_LE(number);
}

static guint16 short_at(const guint8 *at)
{
	return (guint16)(at[0] | at[1] << 8);
}

static void damaged(struct cfb *cfb, const char *words)
{
	if (cfb->damage == NULL)
		cfb->damage = words;
}

gboolean cfb_begins(const guint8 *data, gsize size)
{
	return size >= 8 && memcmp(data, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8) == 0;
}

/* -- sectors -- */

static void sectors_init(struct sectors *sectors, const guint8 *data, gsize size, guint shift)
{
	*sectors = (struct sectors){ .data = data, .size = size, .shift = shift };
	sectors->n = (guint32)MIN((size + (1U << shift) - 1) >> shift, END_OF_CHAIN);
	sectors->claimed = g_malloc0((gsize)sectors->n + 1);
}

/* The bytes of a sector that is read for the first time; or NULL. */
static const guint8 *sectors_claim(struct sectors *sectors, guint32 sector, gsize *size)
{
	gsize at = (gsize)sector << sectors->shift;

	if (sector >= sectors->n || sectors->claimed[sector] != 0)
		return NULL;
	sectors->claimed[sector] = 1;
	*size = MIN((gsize)1 << sectors->shift, sectors->size - at);
	return sectors->data + at;
}

/* The sector after this one: an entry of the FAT, which is in sectors itself. */
static guint32 next_sector(const struct cfb *cfb, guint32 sector)
{
	guint per_shift = cfb->sectors.shift - 2;
	guint32 fat = sector >> per_shift;
	gsize at;

	if (fat >= cfb->n_fat || cfb->fat[fat] >= cfb->sectors.n)
		return NO_SECTOR;
	at = ((gsize)cfb->fat[fat] << cfb->sectors.shift) + (gsize)(sector & ((1U << per_shift) - 1)) * 4;
	return at + 4 > cfb->sectors.size ? NO_SECTOR : number_at(cfb->sectors.data + at);
}

static guint32 next_mini_sector(const struct cfb *cfb, guint32 sector)
{
	gsize at = (gsize)sector * 4;

	return at + 4 > cfb->mini_fat->len ? NO_SECTOR : number_at(cfb->mini_fat->data + at);
}

/* At most max bytes of a chain. *ended: the chain did, as it should. */
static GByteArray *read_chain(struct cfb *cfb, gboolean mini, guint32 sector, guint64 max, gboolean *ended)
{
	struct sectors *sectors = mini ? &cfb->mini : &cfb->sectors;
	GByteArray *out = g_byte_array_new();

	while (out->len < max && sector != END_OF_CHAIN) {
		gsize size = 0;
		const guint8 *data = sectors_claim(sectors, sector, &size);

		if (data == NULL)
			break;
		g_byte_array_append(out, data, (guint)MIN(size, max - out->len));
		sector = mini ? next_mini_sector(cfb, sector) : next_sector(cfb, sector);
	}
	*ended = sector == END_OF_CHAIN;
	return out;
}

/* A chain whose size is not stated. */
static GByteArray *read_whole_chain(struct cfb *cfb, guint32 sector)
{
	gboolean ended;
	GByteArray *out = read_chain(cfb, FALSE, sector, G_MAXUINT64, &ended);

	if (!ended)
		damaged(cfb, "a chain of sectors does not end");
	return out;
}

/* A chain with a size. */
static GByteArray *read_stream(struct cfb *cfb, gboolean mini, guint32 sector, guint64 size)
{
	gboolean ended;
	GByteArray *out = read_chain(cfb, mini, sector, size, &ended);

	if (out->len < size)
		damaged(cfb, "a stream ends early");
	return out;
}

/* -- the FAT -- */

/* One more sector of the FAT, if all sectors do not have their entries yet. */
static gboolean add_fat(struct cfb *cfb, guint32 sector, guint32 max)
{
	gsize size;

	if (cfb->n_fat == max || sectors_claim(&cfb->sectors, sector, &size) == NULL)
		return FALSE;
	cfb->fat[cfb->n_fat++] = sector;
	return TRUE;
}

/* Where the FAT is: in the header, then in a chain of sectors, each of which ends with the next one. */
static void find_fat(struct cfb *cfb)
{
	gsize per = (gsize)1 << (cfb->sectors.shift - 2), size;
	guint32 max = (guint32)((cfb->sectors.n + per - 1) / per), next = number_at(cfb->data + 68);
	const guint8 *more;
	gboolean another = TRUE;

	cfb->fat = g_new(guint32, (gsize)max + 1);
	for (guint i = 0; another && i < HEADER_FATS; i++)
		another = add_fat(cfb, number_at(cfb->data + 76 + (gsize)4 * i), max);
	while (another && (more = sectors_claim(&cfb->sectors, next, &size)) != NULL) {
		for (gsize i = 0; another && (i + 2) * 4 <= size; i++)
			another = add_fat(cfb, number_at(more + 4 * i), max);
		next = size < per * 4 ? END_OF_CHAIN : number_at(more + (per - 1) * 4);
	}
}

/* -- the directory -- */

static void read_name(struct cfb_entry *entry, const guint8 *data)
{
	gsize bytes = MIN(short_at(data + 64), 2 * CFB_NAME_SIZE); /* with the NUL */

	for (gsize i = 0; i + 1 < bytes / 2; i++) {
		guint16 c = short_at(data + 2 * i);

		entry->name[i] = c >= ' ' && c < 0x7f ? (char)c : '?';
	}
}

static void read_entry(struct cfb_entry *entry, struct links *links, const guint8 *data, gboolean is_v3)
{
	guint8 type = data[66];

	read_name(entry, data);
	entry->is_storage = type == STORAGE || type == ROOT;
	entry->first = entry->next = CFB_NONE;
	entry->start = number_at(data + 116);
	entry->size = number_at(data + 120); /* version 3 has but these four bytes (section 2.6.1) */
	if (!is_v3)
		entry->size |= (guint64)number_at(data + 124) << 32;
	links->left = number_at(data + 68);
	links->right = number_at(data + 72);
	links->child = number_at(data + 76);
	links->used = type == STORAGE || type == STREAM;
}

/* Append the tree of siblings below root to the storage, in its order; no entry is there twice. */
static void add_siblings(struct cfb *cfb, struct links *links, guint storage, GArray *stack, GArray *storages)
{
	guint32 at = links[storage].child;
	guint *end = &cfb->entry[storage].first;

	for (;;) {
		for (; at < cfb->n && links[at].used && !links[at].seen; at = links[at].left) {
			links[at].seen = TRUE;
			g_array_append_val(stack, at);
		}
		if (stack->len == 0)
			return;
		at = g_array_index(stack, guint32, stack->len - 1);
		g_array_set_size(stack, stack->len - 1);
		*end = at;
		end = &cfb->entry[at].next;
		if (cfb->entry[at].is_storage)
			g_array_append_val(storages, at);
		at = links[at].right;
	}
}

/* Which entries are in which storage. */
static void link_entries(struct cfb *cfb, struct links *links)
{
	g_autoptr(GArray) stack = g_array_new(FALSE, FALSE, sizeof(guint32));
	g_autoptr(GArray) storages = g_array_new(FALSE, FALSE, sizeof(guint32));
	guint32 root = CFB_ROOT;

	g_array_append_val(storages, root);
	links[CFB_ROOT].seen = TRUE;
	for (guint i = 0; i < storages->len; i++)
		add_siblings(cfb, links, g_array_index(storages, guint32, i), stack, storages);
	for (guint i = 0; i < cfb->n; i++)
		if (links[i].used && !links[i].seen)
			damaged(cfb, "an entry of the directory is in no storage");
}

static gboolean read_directory(struct cfb *cfb)
{
	g_autoptr(GByteArray) directory = read_whole_chain(cfb, number_at(cfb->data + 48));
	gboolean is_v3 = short_at(cfb->data + 26) < 4;
	g_autofree struct links *links = NULL;

	cfb->n = directory->len / ENTRY;
	if (cfb->n == 0 || directory->data[66] != ROOT)
		return FALSE;
	cfb->entry = g_new0(struct cfb_entry, cfb->n);
	links = g_new0(struct links, cfb->n);
	for (guint i = 0; i < cfb->n; i++)
		read_entry(&cfb->entry[i], &links[i], directory->data + (gsize)ENTRY * i, is_v3);
	link_entries(cfb, links);
	return TRUE;
}

static gboolean read_header(struct cfb *cfb, gsize size)
{
	guint shift = size < HEADER ? 0 : short_at(cfb->data + 30);
	gsize first = (gsize)1 << MIN(shift, 12); /* sector: the header takes the place of one */

	if ((shift != 9 && shift != 12) || short_at(cfb->data + 32) != MINI_SHIFT || size <= first)
		return FALSE;
	cfb->mini_cutoff = number_at(cfb->data + 56);
	sectors_init(&cfb->sectors, cfb->data + first, size - first, shift);
	find_fat(cfb);
	return TRUE;
}

struct cfb *cfb_new(const guint8 *data, gsize size, GError **error)
{
	struct cfb *cfb = g_new0(struct cfb, 1);

	cfb->data = data;
	if (read_header(cfb, size) && read_directory(cfb))
		return cfb;
	cfb_free(cfb);
	g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYNTAX, "OLE2 file: damaged header or directory");
	return NULL;
}

void cfb_free(struct cfb *cfb)
{
	if (cfb == NULL)
		return;
	g_clear_pointer(&cfb->mini_stream, g_byte_array_unref);
	g_clear_pointer(&cfb->mini_fat, g_byte_array_unref);
	g_free(cfb->sectors.claimed);
	g_free(cfb->mini.claimed);
	g_free(cfb->fat);
	g_free(cfb->entry);
	g_free(cfb);
}

const struct cfb_entry *cfb_entry(const struct cfb *cfb, guint entry)
{
	return &cfb->entry[entry];
}

guint cfb_find(const struct cfb *cfb, guint storage, const char *name)
{
	for (guint i = cfb->entry[storage].first; i != CFB_NONE; i = cfb->entry[i].next)
		if (!cfb->entry[i].is_storage && g_ascii_strcasecmp(cfb->entry[i].name, name) == 0)
			return i;
	return CFB_NONE;
}

/* The stream that holds all small ones. */
static void read_mini_stream(struct cfb *cfb)
{
	const struct cfb_entry *root = &cfb->entry[CFB_ROOT];

	cfb->mini_fat = read_whole_chain(cfb, number_at(cfb->data + 60));
	cfb->mini_stream = read_stream(cfb, FALSE, root->start, root->size);
	sectors_init(&cfb->mini, cfb->mini_stream->data, cfb->mini_stream->len, MINI_SHIFT);
}

GByteArray *cfb_read(struct cfb *cfb, guint entry)
{
	const struct cfb_entry *stream = &cfb->entry[entry];
	gboolean mini = stream->size < cfb->mini_cutoff;

	if (stream->size == 0)
		return g_byte_array_new();
	if (mini && cfb->mini_stream == NULL)
		read_mini_stream(cfb);
	return read_stream(cfb, mini, stream->start, stream->size);
}

const char *cfb_damage(const struct cfb *cfb)
{
	return cfb->damage;
}
