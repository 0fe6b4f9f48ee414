/*
 * wire_reports.h - encodes a failure report or TLS report as the GVariant of one frame and decodes it;
 * private to the wire*.c files.
 *
 * Members are in the order of report.h, after the place. Data from the worker is checked: lists are counted
 * before anything is allocated for them.
 */
#pragma once

#include "parser/report.h"

#define WIRE_NOTES_TYPE "a(ssms)"

#define WIRE_FAILURE_TYPE                                                                                    \
	"(s"                                                                                                 \
	"msmsmsms"                                                                                           \
	"as"                                                                                                 \
	"msmsmsms"                                                                                           \
	"as"                                                                                                 \
	"msx"                                                                                                \
	"msms"                                                                                               \
	"ix"                                                                                                 \
	"asas"                                                                                               \
	"msmsmsmsmsmsms"                                                                                     \
	"as"                                                                                                 \
	"msmsmsmsms"                                                                                         \
	"ay" WIRE_NOTES_TYPE ")"
#define WIRE_DETAILS_TYPE "a(msmsmsmsmsxmsms)"
#define WIRE_POLICY_TYPE  "(msasmsasxx" WIRE_DETAILS_TYPE ")"
#define WIRE_TLS_TYPE     "(smsmsmsxxa" WIRE_POLICY_TYPE "ay" WIRE_NOTES_TYPE ")"

/* Returns a floating reference. */
GVariant *wire_notes_encode(const struct report_note *note, gsize n);
GVariant *wire_failure_encode(const char *place, const struct failure_report *failure);
GVariant *wire_tls_encode(const char *place, const struct tls_report *tls);

/* Decode value, which is normal and of the type, and pass it to sink: RUAD_ERROR_SYNTAX if it breaks a rule,
 * or the sink's own error. */
gboolean wire_failure_decode(
    GVariant *value, const struct report_sink *sink, gpointer user, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean wire_tls_decode(
    GVariant *value, const struct report_sink *sink, gpointer user, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Functions for the other frames. All errors are RUAD_ERROR_SYNTAX; wire_refuse() always returns FALSE. */
gboolean wire_refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
gboolean wire_check_items(guint64 n, guint64 most, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean wire_check_address(
    const char *member, const char *address, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean wire_sha256_decode(GVariant *value, guint8 sha256[32], GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The notes or strings of value; the array is transfer full (g_free), the strings are borrowed from value's
 * bytes. */
gboolean wire_notes_decode(
    GVariant *value, struct report_note **note, gsize *n, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean wire_strings_decode(
    GVariant *value, guint64 most, const char ***strings, gsize *n, GError **error) G_GNUC_WARN_UNUSED_RESULT;
