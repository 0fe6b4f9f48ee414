/*
 * pack_msg.h - compound files and .msg files of Outlook for tests, made in memory (MS-CFB, MS-OXMSG).
 */
#pragma once

#include "tests/unit/parser/pack.h"

#define PACK_MSG_PROPERTIES "__properties_version1.0"
#define PACK_MSG_ATTACHMENT "__attach_version1.0_#%08X/" /* by its number */

/* Streams by path ("storage/stream"), whose folders are storages, in sectors of 2^shift bytes: 9 is version
 * 3, 12 is version 4. Transfer full. */
GByteArray *pack_ole2(const struct pack_member *member, gsize n, guint shift);

/* The members of a .msg, to be added to. */
struct pack_msg;

struct pack_msg *pack_msg_new(void);

/* A stream below prefix, which is "" or that of an attachment: a text in UTF-16, or bytes as they are. id: of
 * the property. */
void pack_msg_text(struct pack_msg *msg, const char *prefix, guint id, const char *text);
void pack_msg_bytes(struct pack_msg *msg, const char *prefix, guint id, const void *data, gsize size);

/* What every message and attachment has besides. header: its bytes before the properties, 8 to 32. */
void pack_msg_begin(struct pack_msg *msg, const char *prefix, guint header);

/* A file; type and name may be NULL. */
void pack_msg_file(struct pack_msg *msg, const char *prefix, guint number, const char *type, const char *name,
    const void *data, gsize size);

/* A mail as attachment; returns the prefix of what is in it, transfer full. */
char *pack_msg_mail(struct pack_msg *msg, const char *prefix, guint number);

/* The file; msg is freed. Transfer full. */
GByteArray *pack_msg_end(struct pack_msg *msg);

/* A .msg of these files, with a text and a header; both may be NULL. Transfer full. */
GByteArray *pack_msg_files(const char *header, const char *text, const struct pack_member *member, gsize n);
