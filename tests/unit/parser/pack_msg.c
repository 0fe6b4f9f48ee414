#include "tests/unit/parser/pack_msg.h"

#include <string.h>

#define NONE     0xffffffffU
#define END      0xfffffffeU
#define IS_FAT   0xfffffffdU
#define IS_DIFAT 0xfffffffcU
#define CUTOFF   4096
#define NO_SIZE  0xffffffffU

static void put(GByteArray *to, guint64 value, guint bytes)
{
	for (guint i = 0; i < bytes; i++) {
		guint8 byte = i < 8 ? (guint8)(value >> 8 * i) : 0;

		g_byte_array_append(to, &byte, 1);
	}
}

static void fill_up(GByteArray *to, gsize unit, guint8 byte)
{
	while (to->len % unit != 0)
		g_byte_array_append(to, &byte, 1);
}

/* -- the compound file -- */

struct node {
	char *name; /* of this level */
	const void *data;
	gsize size;
	guint type;       /* 1 storage, 2 stream, 5 root */
	GArray *children; /* guint */
	guint32 left, right, child, start;
};

struct file {
	guint shift;
	GByteArray *sectors;
	GArray *fat; /* guint32 by sector */
	GByteArray *mini;
	GArray *mini_fat;
	GPtrArray *nodes;
};

static struct node *node_of(const struct file *file, guint i)
{
	return g_ptr_array_index(file->nodes, i);
}

static guint add_node(struct file *file, const char *name, gsize size, guint type)
{
	struct node *node = g_new0(struct node, 1);

	node->name = g_strndup(name, size);
	node->type = type;
	node->left = node->right = node->child = NONE;
	node->start = type == 2 ? END : 0;
	node->children = g_array_new(FALSE, FALSE, sizeof(guint));
	g_ptr_array_add(file->nodes, node);
	return file->nodes->len - 1;
}

/* The child of this name; it is added if it is not there. */
static guint child_of(struct file *file, guint parent, const char *name, gsize size, guint type)
{
	GArray *children = node_of(file, parent)->children;
	guint child;

	/* members come storage by storage, so it is the last one if it is there */
	if (children->len > 0) {
		const struct node *last;

		child = g_array_index(children, guint, children->len - 1);
		last = node_of(file, child);
		if (strlen(last->name) == size && memcmp(last->name, name, size) == 0)
			return child;
	}
	child = add_node(file, name, size, type);
	g_array_append_val(node_of(file, parent)->children, child);
	return child;
}

static void add_member(struct file *file, const struct pack_member *member)
{
	const char *at = member->name, *slash;
	guint parent = 0;

	for (; (slash = strchr(at, '/')) != NULL; at = slash + 1)
		parent = child_of(file, parent, at, (gsize)(slash - at), 1);
	parent = child_of(file, parent, at, strlen(at), 2);
	node_of(file, parent)->data = member->data;
	node_of(file, parent)->size = member->size;
}

/* A chain of sectors; its first. */
static guint32 add_chain(GByteArray *sectors, GArray *fat, guint shift, const void *data, gsize size)
{
	guint32 first = fat->len, n = (guint32)((size + (1U << shift) - 1) >> shift);

	for (guint32 i = 1; i <= n; i++) {
		guint32 next = i == n ? END : first + i;

		g_array_append_val(fat, next);
	}
	if (size > 0)
		g_byte_array_append(sectors, data, (guint)size);
	fill_up(sectors, (gsize)1 << shift, 0);
	return n == 0 ? END : first;
}

static guint32 add_sectors(struct file *file, const void *data, gsize size)
{
	return add_chain(file->sectors, file->fat, file->shift, data, size);
}

/* The balanced tree of children[from..to); its root. */
static guint32 link_tree(struct file *file, const GArray *children, guint from, guint to)
{
	guint middle = (from + to) / 2;
	guint32 root;

	if (from == to)
		return NONE;
	root = g_array_index(children, guint, middle);
	node_of(file, root)->left = link_tree(file, children, from, middle);
	node_of(file, root)->right = link_tree(file, children, middle + 1, to);
	return root;
}

/* Shorter names are first (section 2.6.4). */
static gint compare_nodes(gconstpointer a, gconstpointer b, gpointer user)
{
	const struct node *x = node_of(user, *(const guint *)a), *y = node_of(user, *(const guint *)b);
	gsize m = strlen(x->name), n = strlen(y->name);

	return m != n ? (m < n ? -1 : 1) : g_ascii_strcasecmp(x->name, y->name);
}

static void put_node(GByteArray *to, const struct node *node)
{
	gsize n = strlen(node->name);

	for (gsize i = 0; i < 32; i++)
		put(to, i < n ? (guint8)node->name[i] : 0, 2);
	put(to, 2 * (n + 1), 2);
	put(to, node->type, 1);
	put(to, 1, 1); /* black */
	put(to, node->left, 4);
	put(to, node->right, 4);
	put(to, node->child, 4);
	put(to, 0, 8);
	put(to, 0, 8); /* class, state, times */
	put(to, 0, 20);
	put(to, node->start, 4);
	put(to, node->size, 8);
}

static guint32 add_numbers(struct file *file, const GArray *numbers)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();

	for (guint i = 0; i < numbers->len; i++)
		put(bytes, g_array_index(numbers, guint32, i), 4);
	fill_up(bytes, (gsize)1 << file->shift, 0xff);
	return add_sectors(file, bytes->data, bytes->len);
}

static void add_streams(struct file *file)
{
	for (guint i = 1; i < file->nodes->len; i++) {
		struct node *node = node_of(file, i);

		g_array_sort_with_data(node->children, compare_nodes, file);
		node->child = link_tree(file, node->children, 0, node->children->len);
		if (node->type == 2 && node->size >= CUTOFF)
			node->start = add_sectors(file, node->data, node->size);
		else if (node->type == 2)
			node->start = add_chain(file->mini, file->mini_fat, 6, node->data, node->size);
	}
}

static guint32 add_directory(struct file *file)
{
	g_autoptr(GByteArray) directory = g_byte_array_new();
	struct node *root = node_of(file, 0);

	g_array_sort_with_data(root->children, compare_nodes, file);
	root->child = link_tree(file, root->children, 0, root->children->len);
	root->start = add_sectors(file, file->mini->data, file->mini->len);
	root->size = file->mini->len;
	for (guint i = 0; i < file->nodes->len; i++)
		put_node(directory, node_of(file, i));
	while (directory->len % (1U << file->shift) != 0) {
		const struct node unused = {
			.name = (char *)(gsize) "", .left = NONE, .right = NONE, .child = NONE
		};

		put_node(directory, &unused);
	}
	return add_sectors(file, directory->data, directory->len);
}

/* The FAT has entries for its own sectors, and for those that say where it is. */
static void add_fat(
    struct file *file, GByteArray *out, guint32 directory, guint32 mini_fat, guint32 n_mini_fat)
{
	guint per = 1U << (file->shift - 2), n_fat = 0, n_more = 0;
	guint32 used = file->fat->len, first_more, mark;
	GByteArray *sectors = file->sectors;

	while ((used + n_fat + n_more + per - 1) / per > n_fat) {
		n_fat++;
		n_more = n_fat > 109 ? (n_fat - 109 + per - 2) / (per - 1) : 0;
	}
	first_more = used + n_fat;
	for (guint i = 0; i < n_fat + n_more; i++) {
		mark = i < n_fat ? IS_FAT : IS_DIFAT;
		g_array_append_val(file->fat, mark);
	}
	for (guint i = 0; i < n_fat * per; i++)
		put(sectors, i < file->fat->len ? g_array_index(file->fat, guint32, i) : NONE, 4);
	for (guint i = 0; i < n_more; i++) {
		for (guint j = 0; j < per - 1; j++) {
			guint k = 109 + i * (per - 1) + j;

			put(sectors, k < n_fat ? used + k : NONE, 4);
		}
		put(sectors, i + 1 < n_more ? first_more + i + 1 : END, 4);
	}
	g_byte_array_append(out, (const guint8 *)"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8);
	put(out, 0, 16);
	put(out, 0x3e, 2);
	put(out, file->shift == 9 ? 3 : 4, 2);
	put(out, 0xfffe, 2);
	put(out, file->shift, 2);
	put(out, 6, 2);
	put(out, 0, 6);
	put(out, file->shift == 9 ? 0 : (file->nodes->len + 31) / 32, 4);
	put(out, n_fat, 4);
	put(out, directory, 4);
	put(out, 0, 4);
	put(out, CUTOFF, 4);
	put(out, mini_fat, 4);
	put(out, n_mini_fat, 4);
	put(out, n_more > 0 ? first_more : END, 4);
	put(out, n_more, 4);
	for (guint i = 0; i < 109; i++)
		put(out, i < n_fat ? used + i : NONE, 4);
	fill_up(out, (gsize)1 << file->shift, 0);
}

static void free_node(gpointer data)
{
	struct node *node = data;

	g_free(node->name);
	g_array_unref(node->children);
	g_free(node);
}

GByteArray *pack_ole2(const struct pack_member *member, gsize n, guint shift)
{
	struct file file = { .shift = shift,
		.sectors = g_byte_array_new(),
		.fat = g_array_new(FALSE, FALSE, sizeof(guint32)),
		.mini = g_byte_array_new(),
		.mini_fat = g_array_new(FALSE, FALSE, sizeof(guint32)),
		.nodes = g_ptr_array_new_with_free_func(free_node) };
	GByteArray *out = g_byte_array_new();
	guint32 mini_fat, directory;

	add_node(&file, "Root Entry", strlen("Root Entry"), 5);
	for (gsize i = 0; i < n; i++)
		add_member(&file, &member[i]);
	add_streams(&file);
	mini_fat = add_numbers(&file, file.mini_fat);
	directory = add_directory(&file);
	add_fat(&file, out, directory, mini_fat, (file.mini_fat->len * 4 + (1U << shift) - 1) >> shift);
	pack_append(out, file.sectors);
	g_byte_array_unref(file.sectors);
	g_array_unref(file.fat);
	g_byte_array_unref(file.mini);
	g_array_unref(file.mini_fat);
	g_ptr_array_unref(file.nodes);
	return out;
}

/* -- the .msg -- */

struct pack_msg {
	GArray *members;   /* struct pack_member */
	GPtrArray *memory; /* of names and contents */
};

struct pack_msg *pack_msg_new(void)
{
	struct pack_msg *msg = g_new0(struct pack_msg, 1);

	msg->members = g_array_new(FALSE, FALSE, sizeof(struct pack_member));
	msg->memory = g_ptr_array_new_with_free_func(g_free);
	pack_msg_begin(msg, "", 32);
	return msg;
}

static void add(struct pack_msg *msg, char *path, const void *data, gsize size)
{
	guint8 *copy = g_malloc0(size + 1);
	struct pack_member member = { path, copy, size };

	if (size > 0)
		memcpy(copy, data, size);
	g_ptr_array_add(msg->memory, path);
	g_ptr_array_add(msg->memory, copy);
	g_array_append_val(msg->members, member);
}

void pack_msg_begin(struct pack_msg *msg, const char *prefix, guint header)
{
	static const guint8 ZEROS[32];

	add(msg, g_strconcat(prefix, PACK_MSG_PROPERTIES, NULL), ZEROS, header);
}

void pack_msg_bytes(struct pack_msg *msg, const char *prefix, guint id, const void *data, gsize size)
{
	add(msg, g_strdup_printf("%s__substg1.0_%04X0102", prefix, id), data, size);
}

void pack_msg_text(struct pack_msg *msg, const char *prefix, guint id, const char *text)
{
	glong n = 0;
	g_autofree gunichar2 *wide = g_utf8_to_utf16(text, -1, NULL, &n, NULL);

	for (glong i = 0; i < n; i++)
		wide[i] = GUINT16_TO_LE(wide[i]);
	add(msg, g_strdup_printf("%s__substg1.0_%04X001F", prefix, id), wide, (gsize)n * 2);
}

void pack_msg_file(struct pack_msg *msg, const char *prefix, guint number, const char *type, const char *name,
    const void *data, gsize size)
{
	g_autofree char *storage = g_strdup_printf("%s" PACK_MSG_ATTACHMENT, prefix, number);

	pack_msg_begin(msg, storage, 8);
	pack_msg_bytes(msg, storage, 0x3701, data, size);
	if (name != NULL)
		pack_msg_text(msg, storage, 0x3707, name);
	if (type != NULL)
		pack_msg_text(msg, storage, 0x370e, type);
}

char *pack_msg_mail(struct pack_msg *msg, const char *prefix, guint number)
{
	g_autofree char *storage = g_strdup_printf("%s" PACK_MSG_ATTACHMENT, prefix, number);
	char *inner = g_strconcat(storage, "__substg1.0_3701000D/", NULL);

	pack_msg_begin(msg, storage, 8);
	pack_msg_begin(msg, inner, 24);
	return inner;
}

GByteArray *pack_msg_end(struct pack_msg *msg)
{
	GByteArray *out =
	    pack_ole2((const struct pack_member *)(gpointer)msg->members->data, msg->members->len, 9);

	g_array_unref(msg->members);
	g_ptr_array_unref(msg->memory);
	g_free(msg);
	return out;
}

GByteArray *pack_msg_files(const char *header, const char *text, const struct pack_member *member, gsize n)
{
	struct pack_msg *msg = pack_msg_new();

	if (header != NULL)
		pack_msg_text(msg, "", 0x007d, header);
	if (text != NULL)
		pack_msg_text(msg, "", 0x1000, text);
	for (guint i = 0; i < n; i++)
		pack_msg_file(msg, "", i, NULL, member[i].name, member[i].data, member[i].size);
	return pack_msg_end(msg);
}
