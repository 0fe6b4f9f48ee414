#include "parser/tnef.h"

#include <string.h>

#define HEAD      6 /* bytes: signature and key (section 2.1.3.1) */
#define ATTRIBUTE 9 /* bytes before its data: level, id, length; a checksum of 2 bytes follows the data */
#define CHECKSUM  2

#define IN_ATTACHMENT 2 /* level (section 2.1.3.2) */

/* Ids (section 2.1.3.3). */
#define ATTACHMENT_BEGINS 0x00069002 /* attAttachRendData */
#define ATTACHMENT_TITLE  0x00018010
#define ATTACHMENT_DATA   0x0006800f

struct attribute {
	guint8 level;
	guint32 id;
	const guint8 *data;
	gsize size; /* that is there */
};

static guint32 number_at(const guint8 *at)
{
	guint32 number;

	memcpy(&number, at, sizeof number);
	return GUINT32_FROM_LE(number);
}

gboolean tnef_begins(const guint8 *data, gsize size)
{
	return size >= HEAD && memcmp(data, "\x78\x9f\x3e\x22", 4) == 0;
}

void tnef_init(struct tnef *tnef, const guint8 *data, gsize size)
{
	*tnef = (struct tnef){ .at = data + HEAD, .left = size - HEAD };
}

/* Look at the next attribute; returns FALSE at the end. */
static gboolean attribute_at(struct tnef *tnef, struct attribute *attribute)
{
	gsize size;

	if (tnef->left < ATTRIBUTE) {
		tnef->truncated |= tnef->left > 0;
		return FALSE;
	}
	size = number_at(tnef->at + 5);
	*attribute = (struct attribute){ tnef->at[0], number_at(tnef->at + 1), tnef->at + ATTRIBUTE,
		MIN(size, tnef->left - ATTRIBUTE) };
	tnef->truncated |= attribute->size < size;
	return TRUE;
}

static void attribute_pass(struct tnef *tnef, const struct attribute *attribute)
{
	gsize size = MIN(ATTRIBUTE + attribute->size + CHECKSUM, tnef->left);

	tnef->at += size;
	tnef->left -= size;
}

/* The title ends with a NUL. */
static void take_title(struct tnef_file *file, const struct attribute *attribute)
{
	g_free(file->name);
	file->name = g_strndup((const char *)attribute->data, attribute->size);
}

static void take(struct tnef_file *file, const struct attribute *attribute)
{
	if (attribute->level != IN_ATTACHMENT)
		return;
	if (attribute->id == ATTACHMENT_TITLE)
		take_title(file, attribute);
	if (attribute->id != ATTACHMENT_DATA)
		return;
	file->data = attribute->data;
	file->size = attribute->size;
}

static gboolean is_next_file(const struct tnef_file *file, const struct attribute *attribute)
{
	return file->data != NULL && attribute->level == IN_ATTACHMENT &&
	       (attribute->id == ATTACHMENT_BEGINS || attribute->id == ATTACHMENT_DATA);
}

gboolean tnef_next(struct tnef *tnef, struct tnef_file *file)
{
	struct attribute attribute;

	*file = (struct tnef_file){ 0 };
	while (attribute_at(tnef, &attribute) && !is_next_file(file, &attribute)) {
		if (attribute.level == IN_ATTACHMENT && attribute.id == ATTACHMENT_BEGINS)
			g_clear_pointer(&file->name, g_free); /* of one without data */
		take(file, &attribute);
		attribute_pass(tnef, &attribute);
	}
	if (file->data != NULL)
		return TRUE;
	g_clear_pointer(&file->name, g_free);
	return FALSE;
}
