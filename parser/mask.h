/*
 * mask.h - masks third parties in a failure report: the local part of an address becomes "***".
 *
 * A failure report (RFC 6591 section 5, RFC 9991 section 7) is about a message between two persons. The
 * domain's owner needs the domains, not the persons: only addresses in the reported domain and in domains of
 * the same organization are kept. In doubt, more is masked:
 *
 *   - whatever is before an '@' that is not followed by a domain of ours: quoted, with blanks, comments or
 *     more than one '@', and with '@' written as %40, +40 or =40;
 *   - an address of ours whose local part may contain another address (VERP, SRS, '%' and '!' routes);
 *   - encoded words (RFC 2047) are decoded first; an encoded word that remains is masked;
 *   - in address fields, the display names of masked addresses, and all that is not an address.
 *
 * Message-ID, References and In-Reply-To are kept: they identify the mail in the owner's logs.
 */
#pragma once

#include "parser/fields.h"

struct mask;

struct mask *mask_new(void) G_GNUC_WARN_UNUSED_RESULT;
void mask_free(struct mask *mask); /* NULL is allowed */

/* Addresses in domain (a lower-case A-label name) and in its organization are ours. */
void mask_add_own(struct mask *mask, const char *domain);

/* Mask a text that may contain addresses. Transfer full. */
char *mask_text(struct mask *mask, const char *text) G_GNUC_WARN_UNUSED_RESULT;

/* Mask one address, which may lack its domain. Transfer full. */
char *mask_address(struct mask *mask, const char *text) G_GNUC_WARN_UNUSED_RESULT;

/* Append a header field to out, masked by the rules for its name, with LF. A field whose name may be an
 * address itself is left out. */
void mask_field(struct mask *mask, const struct field *field, GString *out);
