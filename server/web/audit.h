/*
 * audit.h - adds entries to the audit log (dmarc.audit_log): who signs in and out, who fails to, who
 * downloads and uploads.
 *
 * Each function is one small INSERT at most. If it fails, the log of the program says so; only a download
 * then does not take place. Changes of labels are logged by the function that makes them (ruad.set_label()).
 */
#pragma once

#include "server/web/answer.h"

/* The user of the visit is identified. Logged once in 12 hours for each user, token and client. */
void audit_login(const struct visit *visit);

/* The password of user, or a token (user NULL), was rejected. At most ten a minute are logged; the next entry
 * says how many were not. */
void audit_login_failed(const struct visit *visit, const char *user);

/* The user asks to sign out; the next request is logged as a login again. */
void audit_logout(const struct visit *visit);

/* Seconds until the user of the visit may download again; 0: now. After many downloads there is one a second.
 */
guint audit_export_wait(const struct visit *visit);

/* The user uploaded reports; mails are gint64, the numbers of those that were stored. */
void audit_upload(const struct visit *visit, const GArray *mails);

/* The user asks for a download: a list as CSV, or a report as XML. */
gboolean audit_export(const struct visit *visit, GError **error) G_GNUC_WARN_UNUSED_RESULT;
