/*
 * parser_settings.h - the limits of the parser that an admin may set: one list for the settings, the pool and
 * ruad-parse.
 *
 * Each has one name: key of [parser] = member of struct parser_limits = option of ruad-parse (--max_parts=N).
 * The bounds that are not here keep libraries of ours from misbehaving, not reports from being large. Knows no
 * settings file: ruad-parse links it.
 */
#pragma once

#include "parser/limits.h"

/* ROW(member, SIZE or INT, default as it stands in the file, least, most, help). The default is the one of
 * PARSER_LIMITS_DEFAULT: a test sees to it. The most keeps an answer within what wire.h lets through (records,
 * reports, frames) and recursion within the stack. */
/* clang-format off */
#define PARSER_SETTINGS(ROW)                                                                                 \
	ROW(max_unpacked, SIZE, "1G", 1, G_GUINT64_CONSTANT(16) << 30,                                        \
	    "Bytes that all archives of a mail may unpack to, however large the mail is.")                   \
	ROW(free_unpacked, SIZE, "64M", 0, G_GUINT64_CONSTANT(16) << 30,                                      \
	    "Bytes that the archives of any mail may unpack to, however small it is.")                       \
	ROW(max_ratio, INT, "300", 1, 10000,                                                                 \
	    "How many times its own size a mail may unpack to, once beyond free_unpacked. Honest reports "   \
	    "reach 129.")                                                                                    \
	ROW(max_members, INT, "100", 1, 4000, "Members of all archives of a mail.")                        \
	ROW(max_inner, SIZE, "64M", 1, 1 << 30,                                                              \
	    "Bytes of all archives of a mail that lie packed in others; a parser process gathers them in memory.")         \
	ROW(max_nesting, INT, "4", 1, 16, "Archives inside one another.")                                    \
	ROW(max_parts, INT, "1000", 1, 5000, "MIME parts of a mail; each costs over 1 KB of memory.")      \
	ROW(max_part_depth, INT, "16", 1, 100, "MIME parts and attached mails inside one another.")          \
	ROW(max_header_bytes, SIZE, "256K", 1, 16 << 20, "Bytes of one header of a mail or a MIME part.")    \
	ROW(max_records, INT, "2000000", 1, 10000000, "Records of one report.")                            \
	ROW(max_depth, INT, "64", 5, 250, "XML elements inside one another; reports need 5.")                \
	ROW(max_record_xml, SIZE, "64K", 256, 1 << 30,                                                       \
	    "Bytes of XML that a mail may hold for each record in it, besides those of 64 records that any " \
	    "mail may. Honest records have about 600.")                                                     \
	ROW(max_foreign, SIZE, "16M", 1, 1 << 30,                                                            \
	    "Bytes of XML of a mail, besides 128 for each record, that are none of a report's: foreign or "  \
	    "repeated elements, comments and the like.")                                                     \
	ROW(max_text, SIZE, "8K", 256, 64 << 10,                                                             \
	    "Bytes of one value of a report; a longer one is cut there, with a note (T1).")                  \
	ROW(max_failure, SIZE, "2M", 64 << 10, 3 << 20,                                                      \
	    "Bytes of all values of one failure report, with what is kept of its message. A body beyond "    \
	    "is cut, with a note (T1).")                                                                      \
	ROW(max_fields, INT, "1000", 50, 1000, "Fields of one failure report; RFC 6591 knows 25.")                                                                          \
	ROW(max_json, SIZE, "4M", 1, 4 << 20, "Bytes of one SMTP TLS report.")                                \
	ROW(max_json_items, INT, "16384", 1, 32768,                                                          \
	    "Policies, failure details and strings in lists of one SMTP TLS report.")
/* clang-format on */

struct parser_setting {
	const char *name;
	gsize offset; /* of the member in struct parser_limits */
	gsize width;  /* sizeof the member: 4 or 8 */
	guint64 min, max;
};

extern const struct parser_setting parser_setting_table[];
extern const gsize parser_setting_table_size;

guint64 parser_setting_get(const struct parser_setting *setting, const struct parser_limits *limits);

/* value: from min to max (asserted). */
void parser_setting_set(const struct parser_setting *setting, struct parser_limits *limits, guint64 value);

/* text: decimal digits and nothing else. RUAD_ERROR_SYNTAX names setting, text and range. */
gboolean parser_setting_parse(const struct parser_setting *setting, struct parser_limits *limits,
    const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;
