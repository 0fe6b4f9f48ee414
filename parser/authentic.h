/*
 * authentic.h - what our own MTA says of a mail in Authentication-Results (RFC 8601) into a verdict.
 *
 * A mail with a report must itself pass DMARC (RFC 7489 section 7.2.1.1, RFC 9990 section 3.5), which
 * distinguishes genuine reports from forged ones. A sender can write such fields too. Ours is the topmost
 * field with our authserv-id: an MTA adds its field above all that it received, so a field that a sender
 * forged with our id is below it. It need not be the topmost field of all, because other hops at our site may
 * have added fields with their own ids. Reading only the topmost field would not be safer: if our MTA adds
 * none, the forged one is the topmost. The MTA must add a field to each mail, and should remove those that
 * arrive with its id (RFC 8601 section 5).
 *
 * Knows nothing of mails and the DNS.
 */
#pragma once

#include "parser/report.h"

/*
 * Read the body of one Authentication-Results field, folded or not. Returns FALSE if its authserv-id is not
 * ours (compared case-insensitively, RFC 8601 section 2.5); *verdict is then untouched. from: the domain of
 * the mail's From in lower-case A-labels; NULL if there is not exactly one.
 *
 * PASS  dmarc=pass, with header.from, if given, equal to from; or, if dmarc is absent or none, dkim=pass with
 *       header.d (else the domain of header.i), or spf=pass with smtp.mailfrom, aligned with from (relaxed,
 *       by the public suffix list: RFC 7489 section 3.1)
 * FAIL  dmarc=fail, whatever else the field has, or dmarc=pass for another From; or dkim or spf is given, and
 *       neither is such a pass
 * NONE  none of these is given; from is NULL; dmarc is temperror or permerror; the dkim or spf that would
 *       decide is temperror; or a comment or string does not end, so the content is uncertain
 */
gboolean authentic_read(
    const char *field, const char *authserv_id, const char *from, enum authentic *verdict);
