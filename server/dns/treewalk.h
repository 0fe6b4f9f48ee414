/*
 * treewalk.h - a name and the DNS into its Organizational Domain and the DMARC record that applies to it.
 *
 * The DNS Tree Walk of RFC 9989 section 4.10: at most eight TXT queries, from the name upwards, controlled by
 * the tag psd of the records that are found. Pure: the caller's function does the look-ups. For checks of
 * records as they are now. It cannot check a report, because the reporter used the DNS of that day: see
 * consistency.h.
 *
 * Reads only what the walk needs of a record: that it is one (section 4.8: "v=DMARC1" comes first), and psd.
 */
#pragma once

#include <glib.h>

#define TREEWALK_MAX_QUERIES 8

/*
 * Append the TXT records at name ("_dmarc.example.com"), each as one string, to txt, which frees them with
 * g_free(). A missing name or record is not an error: nothing is appended. Returning FALSE with error set
 * ends the walk: the answer is unknown.
 */
typedef gboolean (*treewalk_lookup)(gpointer user, const char *name, GPtrArray *txt, GError **error);

/* A DMARC record. */
struct treewalk_record {
	char *domain; /* its name without "_dmarc." */
	char *text;
	char psd; /* 'y', 'n' or 'u'; 'u' if absent or invalid */
};

struct treewalk {
	char *name; /* where the walk began */
	char *org;  /* the Organizational Domain; name if no record was found */
	struct treewalk_record record[TREEWALK_MAX_QUERIES]; /* from name upwards */
	guint n_record;
	guint queries;
};

/* Walk up from name (lower-case A-labels without a final dot, not empty). Fails only if lookup fails;
 * otherwise *walk must be cleared. */
gboolean treewalk_run(const char *name, treewalk_lookup lookup, gpointer user, struct treewalk *walk,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;
void treewalk_clear(struct treewalk *walk);

/* Which tag of a record has the policy for a name. */
enum treewalk_tag {
	TREEWALK_P,  /* the record is the name's own */
	TREEWALK_SP, /* the record is from a parent: sp, else p */
	TREEWALK_NP, /* the record is from a parent, and the name does not exist: np, else sp, else p */
};

/*
 * Policy discovery (section 4.10.1) after a walk from an author domain: the record at this domain, else at
 * its Organizational Domain, else of the public suffix above. exists: the author domain exists, i.e. a query
 * for it did not end in NXDOMAIN. Borrowed from walk; NULL if there is none, and DMARC does not apply.
 */
const struct treewalk_record *treewalk_policy(
    const struct treewalk *walk, gboolean exists, enum treewalk_tag *tag);

/* Whether a TXT record is a DMARC record; *psd: as in struct treewalk_record. */
gboolean treewalk_is_record(const char *txt, char *psd);
