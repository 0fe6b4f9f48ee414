/*
 * cfb.h - the storages and streams in a compound file, which is how OLE2 programs such as Outlook save
 * (MS-CFB).
 *
 * A stream is a chain of sectors, and nothing in the file prevents two chains from sharing sectors, or one
 * from running in a circle. Here each sector is read at most once: a chain that comes to a sector for the
 * second time ends there as damaged. So all streams together have at most as many bytes as the file, and time
 * and memory grow with its size only. Knows nothing of what the streams mean.
 */
#pragma once

#include "parser/error.h"

#define CFB_ROOT      0         /* the entry of the storage that holds all others */
#define CFB_NONE      G_MAXUINT /* no entry */
#define CFB_NAME_SIZE 32        /* bytes of a name with its NUL (section 2.6.1) */

struct cfb_entry {
	char name[CFB_NAME_SIZE]; /* characters beyond ASCII are '?' */
	gboolean is_storage;      /* else a stream */
	guint first;              /* of a storage: its first entry; or CFB_NONE */
	guint next;               /* in the same storage, in the order of the file; or CFB_NONE */
	guint32 start;            /* of a stream: its first sector */
	guint64 size;             /* of a stream: its bytes */
};

struct cfb;

/* Whether data[0..size) begins like a compound file. */
gboolean cfb_begins(const guint8 *data, gsize size);

/*
 * Read the directory of data[0..size), which is borrowed until cfb_free(), and for which cfb_begins() is
 * true. NULL with RUAD_ERROR_SYNTAX: damaged.
 */
struct cfb *cfb_new(const guint8 *data, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void cfb_free(struct cfb *cfb);

/* An entry that CFB_ROOT, first or next says. */
const struct cfb_entry *cfb_entry(const struct cfb *cfb, guint entry);

/* The stream of this name in a storage, in any case of its letters; or CFB_NONE. */
guint cfb_find(const struct cfb *cfb, guint storage, const char *name);

/*
 * The bytes of a stream, transfer full. Each stream is read once at most. If they are not all there, those
 * before, and cfb_damage() then says so.
 */
GByteArray *cfb_read(struct cfb *cfb, guint entry) G_GNUC_WARN_UNUSED_RESULT;

/* What is damaged as far as the file was read, in words; or NULL. */
const char *cfb_damage(const struct cfb *cfb);
