/*
 * feedback.h - which parts of a multipart are a feedback report (RFC 5965), and which message each report is
 * about.
 *
 * Parts are recognised by media type, and where that says too little by their first bytes. What the fields
 * mean is in failure.h. Knows nothing of MIME's encodings.
 */
#pragma once

#include <glib.h>

#define FEEDBACK_HEAD (16 * 1024) /* bytes of a part, decoded, that suffice to recognise it */

enum feedback_role {
	FEEDBACK_OTHER,
	FEEDBACK_FIELDS,  /* the fields of a report: its second part */
	FEEDBACK_PROSE,   /* a text for people that is a report (failure_is_prose()) */
	FEEDBACK_MESSAGE, /* a message or its header: the third part of a report */
};

struct feedback_part {
	const char *type; /* media type in lower case, borrowed */
	enum feedback_role role;
	const struct feedback_part *message; /* of fields or prose: what is reported, or NULL */
	gboolean reported;                   /* of a message: a report is about it */
};

/* The first FEEDBACK_HEAD bytes of part i, decoded, or all there are; borrowed until the next call. Returns
 * FALSE if the part has no bytes of its own. */
typedef gboolean (*feedback_head_cb)(gpointer user, guint i, const guint8 **data, gsize *size);

/*
 * Find the roles of the parts [0..n) of one multipart, whose types are set and whose other members are 0.
 * report_type: of the multipart, in lower case, or NULL. Returns FALSE if there is no feedback report among
 * them. A declared report may consist of messages only.
 */
gboolean feedback_find(struct feedback_part *part, guint n, const char *report_type, feedback_head_cb head,
    gpointer user) G_GNUC_WARN_UNUSED_RESULT;

/* Fields or prose. */
gboolean feedback_is_report(const struct feedback_part *part);

/* The role of a part without others beside it: FEEDBACK_FIELDS, FEEDBACK_PROSE or FEEDBACK_OTHER. */
enum feedback_role feedback_alone(const char *type, const guint8 *data, gsize size);
