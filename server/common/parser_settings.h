/*
 * parser_settings.h - the limits of the parser that an admin may set: one list for the settings, the pool and
 * ruad-parse.
 *
 * Each limit has one name: key of [parser] = member of struct parser_limits = option of ruad-parse
 * (--max_parts=N). Limits that are not listed here protect libraries, and do not limit the size of reports.
 * Does not read the settings file, since ruad-parse links it.
 */
#pragma once

#include "parser/limits.h"

/* ROW(member, SIZE or INT, default in the format of the settings file, minimum, maximum, help). A test checks
 * that the default is that of PARSER_LIMITS_DEFAULT. The maximum keeps an answer within the limits of wire.h
 * (records, reports, frames) and recursion within the stack. */
/* clang-format off */
#define PARSER_SETTINGS(ROW)                                                                                 \
	ROW(max_unpacked, SIZE, "1G", 1, G_GUINT64_CONSTANT(16) << 30,                                       \
	    "Bytes that all archives of a mail may unpack to, whatever its size.")                           \
	ROW(free_unpacked, SIZE, "64M", 0, G_GUINT64_CONSTANT(16) << 30,                                     \
	    "Bytes that the archives of any mail may unpack to, however small it is.")                       \
	ROW(max_ratio, INT, "300", 1, 10000,                                                                 \
	    "Ratio of unpacked to packed size that a mail may have beyond free_unpacked. Real reports "      \
	    "reach 129.")                                                                                    \
	ROW(max_members, INT, "100", 1, 4000, "Number of members in all archives of a mail.")                \
	ROW(max_inner, SIZE, "64M", 1, 1 << 30,                                                              \
	    "Bytes of all nested archives of a mail, which are held in memory.")                             \
	ROW(max_nesting, INT, "4", 1, 16, "Nesting depth of archives.")                                      \
	ROW(max_parts, INT, "1000", 1, 5000, "Number of MIME parts in a mail; each needs over 1 KB.")        \
	ROW(max_part_depth, INT, "16", 1, 100, "Nesting depth of MIME parts and attached mails.")            \
	ROW(max_header_bytes, SIZE, "256K", 1, 16 << 20, "Bytes of the header of a mail or MIME part.")      \
	ROW(max_records, INT, "2000000", 1, 10000000, "Number of records in a report.")                      \
	ROW(max_record_items, INT, "128", 1, 1024,                                                           \
	    "Number of signatures, SPF results or reasons kept of a record, and errors of a report; longer " \
	    "lists are truncated, with a note (T2).")                                                        \
	ROW(max_tag_bytes, SIZE, "64K", 256, 1 << 20, "Bytes of one XML tag or comment.")                    \
	ROW(max_attributes, INT, "32", 1, 1000, "Number of attributes of an XML element.")                   \
	ROW(max_names, INT, "8192", 256, 65536, "Number of different names in an XML document.")             \
	ROW(max_depth, INT, "64", 5, 250, "Nesting depth of XML elements; reports need 5.")                  \
	ROW(max_record_xml, SIZE, "64K", 256, 1 << 30,                                                       \
	    "Bytes of XML that a mail may contain for each of its records, in addition to those of 64 "      \
	    "records. Real records have about 600.")                                                         \
	ROW(max_foreign, SIZE, "16M", 1, 1 << 30,                                                            \
	    "Bytes of XML in a mail that do not belong to a report, in addition to 128 for each record: "    \
	    "unknown or repeated elements, comments and the like.")                                          \
	ROW(max_text, SIZE, "8K", 256, 64 << 10,                                                             \
	    "Bytes of one value of a report; a longer value is truncated, with a note (T1).")                \
	ROW(max_failure, SIZE, "2M", 64 << 10, 3 << 20,                                                      \
	    "Bytes of all values of a failure report and the stored part of its message. A longer body is "  \
	    "truncated, with a note (T1).")                                                                  \
	ROW(max_fields, INT, "1000", 50, 1000, "Number of fields in a failure report; RFC 6591 defines 25.") \
	ROW(max_json, SIZE, "4M", 1, 4 << 20, "Bytes of an SMTP TLS report.")                                \
	ROW(max_json_depth, INT, "32", 5, 250, "Nesting depth of JSON in an SMTP TLS report.")               \
	ROW(max_json_items, INT, "16384", 1, 32768,                                                          \
	    "Number of policies, failure details and strings in lists in an SMTP TLS report.")
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

/* Set a limit; value is from min to max (asserted). */
void parser_setting_set(const struct parser_setting *setting, struct parser_limits *limits, guint64 value);

/* Set a limit from text, which must be decimal digits only. RUAD_ERROR_SYNTAX names setting, text and
 * range. */
gboolean parser_setting_parse(const struct parser_setting *setting, struct parser_limits *limits,
    const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;
