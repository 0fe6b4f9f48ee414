/*
 * msg.h - a mail that Outlook saved as a .msg file (MS-OXMSG), as a mail in MIME.
 *
 * A .msg has the properties of the mail in streams of a compound file (cfb.h): the header that it had when it
 * was received, its texts, and its attachments, of which mails are storages in the same file. From these a
 * mail is made with the same parts, so that what is in them is read by the same rules as of any mail
 * (mail.h). A text in RTF becomes a part only if there is no other text, and stays compressed: the text of a
 * mail that came as plain text is always there, too, so no report is in RTF alone. The header has From,
 * Subject and Message-ID whenever the properties have them.
 *
 * Time and memory grow with the size of the file only. Knows nothing of reports.
 */
#pragma once

#include "parser/error.h"

#define MSG_DEPTH 32 /* mails inside one another that are read: mail.h allows fewer parts */

/*
 * The mail in data[0..size), for which cfb_begins() is true; transfer full. NULL without an error: it is
 * another file of OLE2. The error may also be set when there is a mail, which then lacks something.
 *
 * RUAD_ERROR_SYNTAX  damaged
 * RUAD_ERROR_LIMIT   more than MSG_DEPTH mails inside one another
 */
GBytes *msg_read(const guint8 *data, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
