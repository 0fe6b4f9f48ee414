/*
 * text.h - one value of a report or mail, made safe and comparable.
 *
 * White space is that of XML: blank, TAB, CR, LF. Knows nothing of elements or mails.
 */
#pragma once

#include <glib.h>

/* A NULL-terminated array of words, for a member of a table. */
#define TOKENS(...) ((const char *const[]){ __VA_ARGS__, NULL })

#define TEXT_ADDRESS_SIZE 46  /* bytes of the longest IPv6 address as text, with its NUL */
#define TEXT_DOMAIN_MAX   253 /* bytes of a name in the DNS as text (RFC 1035 section 3.1) */

/* White space. Inline, because it is called for nearly each byte of a report. */
static inline gboolean text_is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* Skip white space at both ends: moves *text to the first other byte, and returns how many bytes remain. */
gsize text_trim(const char **text, gsize size);

/* How many bytes the line at the start of text[0..size) has, with its LF if there is one. */
gsize text_line_size(const char *text, gsize size);

/* Whether a line, with its end, has nothing but its end: LF or CRLF. */
gboolean text_is_blank_line(const char *line, gsize size);

/* The largest size, at most max, at which text[0..size) in UTF-8 can be cut between characters. */
gsize text_cut(const char *text, gsize size, gsize max);

/* text[0..size) as valid UTF-8 without control characters, at most max bytes (G_MAXSIZE: no limit),
 * NUL-terminated. Control characters except CR, LF, TAB, and invalid UTF-8 become U+FFFD. Transfer full. */
char *text_clean(const char *text, gsize size, gsize max) G_GNUC_WARN_UNUSED_RESULT;

/* As text_clean(), on one line: white space at the ends is removed, and each run of it inside becomes one
 * blank. */
char *text_clean_line(const char *text, gsize size, gsize max) G_GNUC_WARN_UNUSED_RESULT;

/* Returns FALSE if text has a control character other than CR, LF, TAB, or is not UTF-8. */
gboolean text_is_clean(const char *text, gsize size);

enum text_number {
	TEXT_NOT_A_NUMBER, /* *value is untouched */
	TEXT_INTEGER,      /* "12", "-12" */
	TEXT_WHOLE,        /* "12.", "12.00" */
	TEXT_FRACTION,     /* "12.5": *value is 12 */
};

/* Parse a number: an optional '-', decimal digits, an optional fraction, and nothing else. The integer must
 * fit into 64 bits. */
enum text_number text_number(const char *text, gint64 *value);

/* Change ASCII capitals to lower case, in place. Returns TRUE if there were any. */
gboolean text_lower(char *text);

/* text as a name in lower-case A-labels without a final dot, transfer full; NULL if it is one already. A name
 * that IDNA cannot map is only changed to lower case. */
char *text_domain(const char *text) G_GNUC_WARN_UNUSED_RESULT;

/* The same, but returns a copy if it is one already. Transfer full. */
char *text_domain_copy(const char *text) G_GNUC_WARN_UNUSED_RESULT;

/* Parse an IPv4 address in its only form, four decimal numbers without leading zeros. *address: in the host's
 * byte order. */
gboolean text_ipv4(const char *text, guint32 *address);

/* Parse an IPv4 or IPv6 address into its canonical text. Returns FALSE if text is not an address. *mapped: it
 * was an IPv4-mapped IPv6 address, and canonical has the IPv4 address. */
gboolean text_address(const char *text, char canonical[TEXT_ADDRESS_SIZE], gboolean *mapped);
