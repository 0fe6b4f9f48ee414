/*
 * authentic.h - what our own MTA says of a mail in Authentication-Results (RFC 8601) into a verdict.
 *
 * A report must itself pass DMARC (RFC 7489 section 7.2.1.1, RFC 9990 section 3.5), so that forged ones can be told.
 * Whoever sends a mail can write such fields too. Ours is the topmost of those that carry our authserv-id: an MTA
 * puts its field above all that came in, so what a sender forged with our id stands below it. It need not be the
 * topmost field of all, because other hops inside of our site may have put theirs, with their ids, above it; and
 * looking at the topmost of all alone would be no safer, for where our MTA writes none, a forger's stands there, too.
 * That MTA must write one for every mail, and should take out those that come in with its id (RFC 8601 section 5).
 *
 * Knows nothing of mails, and no DNS.
 */
#pragma once

#include "parser/report.h"

/*
 * The body of one Authentication-Results field, folded or not. FALSE: its authserv-id is another than ours
 * (compared without regard to case, RFC 8601 section 2.5), and *verdict is untouched. from: the domain of the mail's
 * From, lower-case A-labels; NULL when there is no From, or not one.
 *
 * PASS  dmarc=pass, whose header.from, if given, is from; or, where dmarc is not said or none, dkim=pass whose
 *       header.d (else the domain of header.i), or spf=pass whose smtp.mailfrom is aligned with from (relaxed, by
 *       the public suffix list: RFC 7489 section 3.1)
 * FAIL  dmarc=fail, whatever else stands there, or dmarc=pass for another From; or dkim or spf is said, and neither
 *       is such a pass
 * NONE  nothing of these is said; no from; dmarc is temperror or permerror; dkim or spf that would decide is
 *       temperror; or a comment or string has no end, so that what is said is not certain
 */
gboolean authentic_read(
    const char *field, const char *authserv_id, const char *from, enum authentic *verdict);
