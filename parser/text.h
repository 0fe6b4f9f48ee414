/*
 * text.h - one value of a report or mail, made safe and comparable.
 *
 * White space is XML's: blank, TAB, CR, LF. Knows nothing of elements or mails.
 */
#pragma once

#include <glib.h>

#define TEXT_ADDRESS_SIZE 46  /* bytes of the longest IPv6 address as text, with its NUL */
#define TEXT_DOMAIN_MAX   253 /* bytes of a name in the DNS as text (RFC 1035 section 3.1) */

/* White space in XML's sense. Here, as it is asked of nearly each byte of a report. */
static inline gboolean text_is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* The bytes left when white space at both ends is gone; *text is moved to the first of them. */
gsize text_trim(const char **text, gsize size);

/* The bytes of the line at the start of text[0..size), with its LF where it has one. */
gsize text_line_size(const char *text, gsize size);

/* Where the word stands in list, words with a blank before and behind each (" these or those "); NULL: nowhere. */
const char *text_list_find(const char *list, const char *word, gsize size);

/* The most bytes, up to max, that end on a character's boundary; text is UTF-8. */
gsize text_cut(const char *text, gsize size, gsize max);

/* text[0..size) as valid UTF-8 without control characters (they, and what is not UTF-8, become U+FFFD; CR,
 * LF, TAB stay), at most max bytes, NUL-terminated. Transfer full. */
char *text_clean(const char *text, gsize size, gsize max) G_GNUC_WARN_UNUSED_RESULT;

/* As text_clean(), on one line: white space at the ends is gone and in between is one blank. */
char *text_clean_line(const char *text, gsize size, gsize max) G_GNUC_WARN_UNUSED_RESULT;

/* FALSE when text holds a control character other than CR, LF, TAB, or is not UTF-8. */
gboolean text_is_clean(const char *text, gsize size);

enum text_number {
	TEXT_NOT_A_NUMBER, /* *value is untouched */
	TEXT_INTEGER,      /* "12", "-12" */
	TEXT_WHOLE,        /* "12.", "12.00" */
	TEXT_FRACTION,     /* "12.5": *value is 12 */
};

/* The one reader of numbers: an optional '-', decimal digits, an optional fraction; nothing else, in 64 bits.
 */
enum text_number text_number(const char *text, gint64 *value);

/* ASCII capitals to small letters, in place; TRUE when there were any. */
gboolean text_lower(char *text);

/* text as a lower-case A-label name without a final dot. NULL: it is one already; else transfer full. What
 * IDNA cannot map is only put into lower case. */
char *text_domain(const char *text) G_GNUC_WARN_UNUSED_RESULT;

/* The same, but a copy where it is one already. Transfer full. */
char *text_domain_copy(const char *text) G_GNUC_WARN_UNUSED_RESULT;

/* An IPv4 or IPv6 address in canonical text; FALSE when text is none. *mapped: it was IPv4 inside IPv6, and
 * is now IPv4. */
gboolean text_address(const char *text, char canonical[TEXT_ADDRESS_SIZE], gboolean *mapped);
