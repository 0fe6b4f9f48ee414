/*
 * limits.h - every limit of the parser, with its reason.
 *
 * A report that exceeds one is unreadable with code "limit" (parse.h), and never counted in part; reports of
 * the same mail that were read before it are kept. The numbers are far above what honest reporters send
 * (largest seen: 900,000 records, a compression of 129:1, 9 signatures in a record). max_text, max_notes,
 * max_record_items, max_record_bytes and max_header_bytes of a failure report only shorten a value or a list:
 * whoever can send one message must not be able to hide the other records of its day.
 */
#pragma once

#include <glib.h>

struct parser_limits {
	guint64 max_unpacked;  /* bytes of all members of a mail: a report of 1,000,000 records has ~600 MB */
	guint64 free_unpacked; /* bytes that any mail may unpack, however small it is */
	guint max_ratio;       /* unpacked : mail, beyond those: honest reports reach 129 */
	guint max_members;     /* archive members in a mail: honest zips hold one or two */
	gsize max_inner;       /* bytes of archives inside archives of a mail: they are held in memory */
	guint max_nesting;     /* archive in archive (gz in zip in gz): some gateways pack twice */
	guint max_parts;       /* MIME parts in a mail: GMime takes ~1.4 KB a part */
	guint max_part_depth;  /* multipart and message/rfc822 inside one another: forwards of forwards */
	gsize max_header_bytes; /* lines of one header: 256 KiB is twice what MTAs let through */
	guint max_groups;       /* ':' in one address field: GMime calls itself for each group in a group */
	guint64 max_records;    /* records in one report */
	guint max_record_items; /* reasons, signatures or SPF results in a record: RFC 9990 3.1.3 says 100 */
	/* values of a record, or of the header, after which its lists keep no more: one message to the
	 * parent */
	gsize max_record_bytes;
	guint max_tag_bytes;  /* one tag or comment: libxml2 rescans it with each piece */
	guint max_attributes; /* of one element, where the schema has two: libxml2 compares them in pairs */
	guint max_names;      /* different names in a document: libxml2 keeps each, in lists that get long */
	guint max_depth;      /* XML elements inside one another: the schema needs 5 */
	gsize max_record_xml; /* bytes of XML in a mail for each record of it: 100 signatures take 25 KB */
	gsize max_foreign;    /* bytes of XML in a mail that are not part of a report: 30 MB take a second */
	gsize max_text;       /* bytes of one value; longer values are cut there and noted (T1) */
	guint max_notes;      /* notes on one report or record; others are dropped */
	gsize max_json;       /* bytes of one TLS report: memory holds it several times */
	guint max_json_depth; /* JSON values inside one another: RFC 8460 needs 5, and freeing takes stack */
	/* policies, failure details and strings of one TLS report, which is one message to the parent. Its
	 * JSON may have 8 times as many names and values: json-c takes 800 bytes for "{}" */
	guint max_json_items;
	gsize max_failure; /* bytes of one failure report with its message: one message to the parent */
	guint max_fields;  /* header fields of its second part: RFC 6591 knows 25 */
};

/* Bytes that each record adds to max_foreign: an extension (RFC 9990 section 3.1.2), a comment. */
#define PARSER_RECORD_FOREIGN 128

/* Records added to a mail's own for max_record_xml: 4 MiB for what is around them. */
#define PARSER_FREE_RECORDS 64

/* The defaults. Tests lower them to reach each at n-1, n, n+1. */
#define PARSER_LIMITS_DEFAULT                                                                                \
	{                                                                                                    \
		.max_unpacked = G_GUINT64_CONSTANT(1) << 30, .free_unpacked = 64 * 1024 * 1024,              \
		.max_ratio = 300, .max_members = 100, .max_inner = 64 * 1024 * 1024, .max_nesting = 4,       \
		.max_parts = 1000, .max_part_depth = 16, .max_header_bytes = 256 * 1024, .max_groups = 1000, \
		.max_records = 2000000, .max_record_items = 128, .max_record_bytes = 1024 * 1024,            \
		.max_tag_bytes = 64 * 1024, .max_attributes = 32, .max_names = 8192, .max_depth = 64,        \
		.max_record_xml = 64 * 1024, .max_foreign = 16 * 1024 * 1024, .max_text = 8192,              \
		.max_notes = 64, .max_json = 4 * 1024 * 1024, .max_json_depth = 32, .max_json_items = 16384, \
		.max_failure = 2 * 1024 * 1024, .max_fields = 1000,                                          \
	}
