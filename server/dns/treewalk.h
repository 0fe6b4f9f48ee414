/*
 * treewalk.h - a name and the DNS into its Organizational Domain and the DMARC record that applies to it.
 *
 * The DNS Tree Walk of RFC 9989 section 4.10: at most eight TXT queries, from the name upwards, steered by the tag psd
 * of the records on the way. Pure: the DNS is the caller's function. A report can not be judged by it, because what
 * counts is the DNS of that day and of that reporter: consistency.h decides by the public suffix list, and not at
 * all where that would not do. This is for the check of one's own records (`ruad check`).
 *
 * Of a record, only what the walk needs is read: that it is one (section 4.8: "v=DMARC1" comes first), and psd.
 */
#pragma once

#include <glib.h>

#define TREEWALK_MAX_QUERIES 8

/*
 * The TXT records at name ("_dmarc.example.com"): each string, its pieces joined without blanks, is appended to txt,
 * which frees them with g_free(). No such name and no such record are no error: nothing is appended. FALSE with error
 * set ends the walk: the answer is not known.
 */
typedef gboolean (*treewalk_lookup)(gpointer user, const char *name, GPtrArray *txt, GError **error);

/* A DMARC record. */
struct treewalk_record {
	char *domain; /* whose it is: without "_dmarc." */
	char *text;
	char psd; /* 'y', 'n' or 'u' (which is what it is when it is not said, or something else is) */
};

struct treewalk {
	char *name; /* where it began */
	char *org;  /* the Organizational Domain; name where no record was found */
	struct treewalk_record record[TREEWALK_MAX_QUERIES]; /* those found, from name upwards */
	guint n_record;
	guint queries;
};

/* Walk up from name: lower-case A-labels, without final dot, not empty. *walk is to be cleared when it returns
 * TRUE. Only lookup fails. */
gboolean treewalk_run(const char *name, treewalk_lookup lookup, gpointer user, struct treewalk *walk,
    GError **error) G_GNUC_WARN_UNUSED_RESULT;
void treewalk_clear(struct treewalk *walk);

/* Which tag of a record is the policy for a name. */
enum treewalk_tag {
	TREEWALK_P,  /* the record is the name's own */
	TREEWALK_SP, /* it is from above: sp, else p */
	TREEWALK_NP, /* it is from above, and the name does not exist: np, else sp, else p */
};

/*
 * Policy discovery (section 4.10.1) after a walk from an author domain: the record at that domain, else at its
 * Organizational Domain, else of the public suffix above. exists: the author domain does, i.e. a query for it did
 * not end in NXDOMAIN. NULL: there is none, and DMARC does not apply. Borrowed from walk.
 */
const struct treewalk_record *treewalk_policy(
    const struct treewalk *walk, gboolean exists, enum treewalk_tag *tag);

/* TRUE when a TXT record is a DMARC record; *psd: as in struct treewalk_record. */
gboolean treewalk_is_record(const char *txt, char *psd);
