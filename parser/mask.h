/*
 * mask.h - third parties out of what a failure report tells: the local part of an address becomes "***".
 *
 * A failure report (RFC 6591 section 5, RFC 9991 section 7) is about a message that somebody wrote to somebody. Of
 * those the domain's owner needs the domains, hardly the persons: an address stays whole only in the reported domain
 * and in domains of the same organization. Masked is more rather than less:
 *
 *   - whatever stands before an '@' that no domain of ours follows, however it is written: quoted, with blanks, comments or
 *     more than one '@', as %40, +40 or =40;
 *   - an address of ours whose local part may hold another address (VERP, SRS, '%' and '!' routes);
 *   - encoded words (RFC 2047) are decoded first; what is still one then is masked;
 *   - in fields of addresses the names to be shown of masked addresses, and all that is no address.
 *
 * Message-ID, References and In-Reply-To stay: they find the mail in one's own logs.
 */
#pragma once

#include "parser/fields.h"

struct mask;

struct mask *mask_new(void) G_GNUC_WARN_UNUSED_RESULT;
void mask_free(struct mask *mask); /* NULL is allowed */

/* Addresses in domain (a lower-case A-label name) and in its organization are ours. */
void mask_add_own(struct mask *mask, const char *domain);

/* A text that may hold addresses. Transfer full. */
char *mask_text(struct mask *mask, const char *text) G_GNUC_WARN_UNUSED_RESULT;

/* One address, which may lack its domain. Transfer full. */
char *mask_address(struct mask *mask, const char *text) G_GNUC_WARN_UNUSED_RESULT;

/* Put the field of a header, by the rules for its name, at the end of out, with LF; a field whose name may be an address
 * itself is left out. */
void mask_field(struct mask *mask, const struct field *field, GString *out);
