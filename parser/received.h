/*
 * received.h - a Received field (RFC 5321 section 4.4) into the name under which its host kept the mail.
 *
 * A mail server adds the field when it receives a mail, with its queue id after the word "id", and writes the
 * same id into each line of its log about the mail. Knows nothing of mails.
 */
#pragma once

#define RECEIVED_ID_MAX 100 /* bytes; Exim's have 16 or 23, Postfix's up to 20 */

/*
 * The id in the body of a Received field, folded or not; transfer full. NULL if it has none, or one that is
 * longer than RECEIVED_ID_MAX or has other characters than an id (RFC 5321: an atom or a msg-id).
 *
 * The words before the date are pairs of a name and a value ("by mx.example", "with LMTP", "id 4Xyz"), so
 * that a host that calls itself "id" does not take the place of the id.
 */
char *received_id(const char *field);
