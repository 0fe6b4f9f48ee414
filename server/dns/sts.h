/*
 * sts.h - the policy file of MTA-STS (RFC 8461 section 3.2): its lines into values, and which hosts it
 * allows.
 *
 * Knows nothing of how the file is fetched.
 */
#pragma once

#include <glib.h>

#define STS_FILE_MAX 65536 /* bytes of the file that are read (section 3.2: more need not be) */
#define STS_MX_MAX   100   /* patterns that are kept */

struct sts_policy {
	const char *mode; /* "enforce", "testing", "none"; static */
	guint64 max_age;  /* seconds */
	GPtrArray *mx;    /* char *: host names, in lower case; "*.example.com" */
};

/* Read text. RUAD_ERROR_SYNTAX: what is wrong with it. *policy must be cleared. */
gboolean sts_policy_read(
    const char *text, struct sts_policy *policy, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void sts_policy_clear(struct sts_policy *policy);

/* Whether mail may go to an MX host (lower-case A-labels); "*." stands for one label. */
gboolean sts_policy_allows(const struct sts_policy *policy, const char *host);
