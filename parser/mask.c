#include "parser/mask.h"

#include "parser/address.h"
#include "parser/orgdomain.h"
#include "parser/text.h"

#include <gmime/gmime.h>
#include <string.h>

#define STARS             "***"
#define COMMENT_MAX_BYTES 200 /* between '@' and the domain: a limit, so that time stays linear */

struct mask {
	GHashTable *own; /* Organizational Domains */
	struct orgdomains *domains;
};

struct mask *mask_new(void)
{
	struct mask *mask = g_new0(struct mask, 1);

	mask->own = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	mask->domains = orgdomains_new();
	return mask;
}

void mask_free(struct mask *mask)
{
	if (mask == NULL)
		return;
	g_hash_table_unref(mask->own);
	orgdomains_free(mask->domains);
	g_free(mask);
}

void mask_add_own(struct mask *mask, const char *domain)
{
	if (*domain != '\0' && strlen(domain) <= TEXT_DOMAIN_MAX)
		g_hash_table_add(mask->own, g_strdup(orgdomain_of(mask->domains, domain)));
}

static gboolean is_own(struct mask *mask, const char *domain, gsize size)
{
	g_autofree char *name = NULL;
	g_autofree char *lower = NULL;

	if (size == 0 || size > TEXT_DOMAIN_MAX || g_hash_table_size(mask->own) == 0 ||
	    !g_utf8_validate_len(domain, size, NULL))
		return FALSE;
	name = g_strndup(domain, size);
	lower = text_domain_copy(name);
	return g_hash_table_contains(mask->own, orgdomain_of(mask->domains, lower));
}

/* A local part in which no other address can hide. */
static gboolean is_plain(const char *local, gsize size)
{
	for (gsize i = 0; i < size; i++)
		if (local[i] == '\0' || (!g_ascii_isalnum(local[i]) && strchr(".-_+'&~", local[i]) == NULL))
			return FALSE;
	return size > 0;
}

/* -- addresses anywhere in a text -- */

/* "mail.example": what makes "40" before it stand for '@'. */
static gboolean is_domain_like(const char *text, gsize size)
{
	gsize n = address_domain_size(text, MIN(size, TEXT_DOMAIN_MAX));
	const char *dot = memchr(text, '.', n);

	return dot != NULL && dot > text && dot + 1 < text + n &&
	       (g_ascii_isalpha(dot[1]) || (guchar)dot[1] >= 0x80);
}

/* The bytes of what stands for '@' there (as it is, full width, in a URL, in xtext or quoted-printable), or
 * 0. */
static gsize sign_size(const char *text, gsize size)
{
	switch (size > 0 ? text[0] : '\0') {
	case '@':
		return 1;
	case '\xef':
		return size >= 3 && memcmp(text, "\xef\xbc\xa0", 3) == 0 ? 3 : 0;
	case '%':
		if (size >= 3 && memcmp(text, "%40", 3) == 0)
			return 3;
		return size >= 5 && memcmp(text, "%2540", 5) == 0 ? 5 : 0;
	case '+':
	case '=':
		return size >= 3 && text[1] == '4' && text[2] == '0' && is_domain_like(text + 3, size - 3)
			   ? 3
			   : 0;
	default:
		return 0;
	}
}

static gboolean is_local_char(char c)
{
	return !text_is_space(c) && (c == '\0' || strchr("<>()[],;:\"", c) == NULL);
}

static gboolean has_sign(const char *text, gsize size)
{
	for (gsize i = 0; i < size; i++)
		if (sign_size(text + i, size - i) > 0)
			return TRUE;
	return FALSE;
}

/* Behind white space and comments at text[at], but for comments with an address of their own. */
static gsize skip_blank(const char *text, gsize at, gsize size)
{
	for (;;) {
		const char *close;

		while (at < size && text_is_space(text[at]))
			at++;
		if (at == size || text[at] != '(')
			return at;
		close = memchr(text + at, ')', MIN(size - at, COMMENT_MAX_BYTES));
		if (close == NULL || has_sign(text + at, (gsize)(close - text) - at))
			return at;
		at = (gsize)(close - text) + 1;
	}
}

/* Before white space and comments that end at text[at]; not before from. */
static gsize skip_blank_back(const char *text, gsize from, gsize at)
{
	for (;;) {
		const char *open;

		while (at > from && text_is_space(text[at - 1]))
			at--;
		if (at == from || text[at - 1] != ')')
			return at;
		open = memrchr(text + from, '(', at - 1 - from);
		if (open == NULL)
			return at;
		at = (gsize)(open - text);
	}
}

/* Before the word, or the quoted string, that ends at text[at]. A quote that nothing opened opens one itself;
 * but right before '@' (last) all there is may be in it. */
static gsize skip_word_back(const char *text, gsize from, gsize at, gboolean last)
{
	if (at > from && text[at - 1] == '"') {
		const char *open = memrchr(text + from, '"', at - 1 - from);

		return open != NULL ? (gsize)(open - text) : last ? from : at;
	}
	while (at > from && is_local_char(text[at - 1]))
		at--;
	return at;
}

/* "smtp.mailfrom", "envelope-from": what stands before '=' and an address (RFC 8601, RFC 7208 section
 * 9.1). */
static gboolean is_key(const char *text, gsize size)
{
	static const char *const KEYS[] = { "i", "from", "to", "for", "rcpt", "sender", "receiver",
		"identity", "helo", "mailfrom", "mail-from", "envelope-from", "envelope-to", "return-path" };
	static const char *const TYPES[] = { "smtp.", "header.", "policy.", "body.", "dns.", "arc." };

	for (gsize i = 0; i < G_N_ELEMENTS(KEYS); i++)
		if (size == strlen(KEYS[i]) && g_ascii_strncasecmp(text, KEYS[i], size) == 0)
			return TRUE;
	for (gsize i = 0; i < G_N_ELEMENTS(TYPES); i++) {
		gsize n = strlen(TYPES[i]);

		if (size <= n || size > n + 20 || g_ascii_strncasecmp(text, TYPES[i], n) != 0)
			continue;
		while (n < size && (g_ascii_isalpha(text[n]) || text[n] == '-'))
			n++;
		if (n == size)
			return TRUE;
	}
	return FALSE;
}

/* Where the local part begins in a word before '@' that may begin with a key, or with a URL's host. */
static gsize skip_prefix(const char *text, gsize from, gsize sign)
{
	const char *equals = memchr(text + from, '=', sign - from);

	if (sign - from >= 2 && text[from] == '/' && text[from + 1] == '/') {
		for (gsize at = from + 2; at < sign; at++)
			if (text[at] == '/' || text[at] == '?' || text[at] == '#')
				return at + 1;
		return from + 2;
	}
	if (equals != NULL && is_key(text + from, (gsize)(equals - text) - from))
		return (gsize)(equals - text) + 1;
	return from;
}

/* "//user:password@host": the password is directly before '@'. */
static gsize skip_user_back(const char *text, gsize from, gsize at)
{
	gsize user = at;

	if (at > from && text[at - 1] == ':')
		user = skip_word_back(text, from, at - 1, FALSE);
	return at - user > 3 && text[user] == '/' && text[user + 1] == '/' ? user : at;
}

/* Where the local part of the address begins whose '@' is at text[sign]; not before from. */
static gsize local_begin(const char *text, gsize from, gsize sign)
{
	gsize begin = sign;
	gboolean first = TRUE;

	for (;;) {
		gsize end = skip_blank_back(text, from, begin);
		gsize word = skip_word_back(text, from, end, first);

		if (word == end || (!first && end != begin && text[end - 1] != '.' && text[begin] != '.'))
			break;
		begin = word;
		first = FALSE;
	}
	return skip_prefix(text, skip_user_back(text, from, begin), sign);
}

/* Mask the address whose first '@', of width bytes, is at text[sign]; what is before text[done] is in out.
 * Returns where its domain ends. */
static gsize mask_one(
    struct mask *mask, const char *text, gsize done, gsize sign, gsize width, gsize size, GString *out)
{
	gsize begin = local_begin(text, done, sign), last = sign;
	gsize domain = skip_blank(text, sign + width, size);
	gsize end = domain + address_domain_size(text + domain, size - domain);
	gboolean simple = width == 1 && is_plain(text + begin, sign - begin);

	/* a@b@c, "a@b"@c: all before the last '@' is local */
	for (;;) {
		gsize next = end < size && text[end] == '"' ? end + 1 : end;

		width = sign_size(text + next, size - next);
		if (width == 0)
			break;
		if (next > end && begin > done && text[begin - 1] == '"')
			begin--;
		simple = FALSE;
		last = next;
		domain = skip_blank(text, next + width, size);
		end = domain + address_domain_size(text + domain, size - domain);
	}
	if (simple && is_own(mask, text + domain, end - domain)) {
		g_string_append_len(out, text + done, (gssize)(end - done));
		return end;
	}
	g_string_append_len(out, text + done, (gssize)(begin - done));
	if (last > begin)
		g_string_append(out, STARS);
	g_string_append_len(out, text + last, (gssize)(end - last));
	return end;
}

static void mask_bytes(struct mask *mask, const char *text, gsize size, GString *out)
{
	gsize done = 0, at = 0;

	while (at < size) {
		gsize width = sign_size(text + at, size - at);

		if (width == 0)
			at++;
		else
			at = done = mask_one(mask, text, done, at, width, size, out);
	}
	g_string_append_len(out, text + done, (gssize)(size - done));
}

/* Where text has two at or behind from, or its size. */
static gsize find_two(const GString *text, gsize from, const char *two)
{
	while (from + 1 < text->len && (text->str[from] != two[0] || text->str[from + 1] != two[1]))
		from++;
	return from + 1 < text->len ? from : text->len;
}

/* Encoded words that the decoder does not know, or that were inside others. */
static void mask_encoded_words(GString *text)
{
	GString *out = g_string_sized_new(text->len);
	gsize at = 0;

	while (at < text->len) {
		gsize word = find_two(text, at, "=?");

		g_string_append_len(out, text->str + at, (gssize)(word - at));
		if (word < text->len)
			g_string_append(out, STARS);
		at = word < text->len ? MIN(find_two(text, word + 2, "?=") + 2, text->len) : word;
	}
	g_string_assign(text, out->str);
	g_string_free(out, TRUE);
}

/* text[0..size) without encoded words, on one line when there were any. */
static GString *decode(const char *text, gsize size)
{
	g_autofree char *line = NULL;
	g_autofree char *decoded = NULL;
	g_autofree char *clean = NULL;
	GString *out;

	if (memmem(text, size, "=?", 2) == NULL)
		return g_string_new_len(text, (gssize)size);
	line = text_clean_line(text, size, G_MAXSIZE);
	decoded = g_mime_utils_header_decode_text(NULL, line);
	clean = text_clean_line(decoded, strlen(decoded), G_MAXSIZE);
	out = g_string_new(clean);
	mask_encoded_words(out);
	return out;
}

static void mask_value(struct mask *mask, const char *text, gsize size, GString *out)
{
	GString *plain = decode(text, size);

	mask_bytes(mask, plain->str, plain->len, out);
	g_string_free(plain, TRUE);
}

char *mask_text(struct mask *mask, const char *text)
{
	GString *out = g_string_new(NULL);

	mask_value(mask, text, strlen(text), out);
	return g_string_free(out, FALSE);
}

char *mask_address(struct mask *mask, const char *text)
{
	char *masked = mask_text(mask, text);

	if (*masked == '\0' || strcmp(masked, "<>") == 0 || has_sign(masked, strlen(masked)))
		return masked;
	g_free(masked);
	return g_strdup(STARS);
}

/* -- fields of a header -- */

static gboolean is_undisclosed(const struct address *address)
{
	return address->local_size >= 11 && g_ascii_strncasecmp(address->local, "undisclosed", 11) == 0;
}

static void put_address(struct mask *mask, const struct address *address, GString *out)
{
	if (address->domain == NULL) {
		if (is_undisclosed(address))
			g_string_append(out, "undisclosed-recipients");
		else if (address->local_size > 0)
			g_string_append(out, STARS);
		else if (address->angle)
			g_string_append(out, "<>");
		return;
	}
	if (address->clean && is_plain(address->local, address->local_size) &&
	    is_own(mask, address->domain, address->domain_size)) {
		mask_value(mask, address->phrase, address->phrase_size, out);
		g_string_append(out, address->phrase_size > 0 ? " <" : address->angle ? "<" : "");
		g_string_append_len(out, address->local, (gssize)address->local_size);
	} else {
		g_string_append(out, address->angle ? "<" STARS : STARS);
	}
	g_string_append_c(out, '@');
	g_string_append_len(out, address->domain, (gssize)address->domain_size);
	if (address->angle)
		g_string_append_c(out, '>');
}

static void mask_addresses(struct mask *mask, const char *value, gsize size, GString *out)
{
	struct address address;

	while (address_next(&value, &size, &address)) {
		if (address.domain != NULL || address.angle || address.local_size > 0)
			g_string_append_c(out, ' ');
		put_address(mask, &address, out);
		if (address.end != '\0')
			g_string_append_c(out, address.end);
	}
}

/* What stands in <> is an id and stays; old mails have addresses and names around it (RFC 822 section
 * 4.6.2). */
static void mask_ids(struct mask *mask, const char *value, gsize size, GString *out)
{
	while (size > 0) {
		const char *open = memchr(value, '<', size);
		const char *close = open == NULL ? NULL : memchr(open, '>', size - (gsize)(open - value));
		gsize before = close == NULL ? size : (gsize)(open - value);

		mask_value(mask, value, before, out);
		if (close == NULL)
			return;
		g_string_append_len(out, open, close + 1 - open);
		size -= (gsize)(close + 1 - value);
		value = close + 1;
	}
}

/* The mail's own id: without <>, too, if it is one word. */
static void mask_id(struct mask *mask, const char *value, gsize size, GString *out)
{
	const char *word = value;
	gsize word_size = text_trim(&word, size), n = 0;

	while (n < word_size && !text_is_space(word[n]))
		n++;
	if (n == word_size)
		g_string_append_len(out, value, (gssize)size);
	else
		mask_ids(mask, value, size, out);
}

/* URLs of a mailing list without their query, which identifies the recipient. */
static void mask_list_urls(struct mask *mask, const char *value, gsize size, GString *out)
{
	GString *plain = g_string_sized_new(size);

	for (gsize at = 0; at < size; at++) {
		g_string_append_c(plain, value[at]);
		if (value[at] != '?' || (at > 0 && value[at - 1] == '=') ||
		    (at + 1 < size && value[at + 1] == '='))
			continue;
		g_string_append(plain, STARS);
		while (at + 1 < size && value[at + 1] != '>' && value[at + 1] != ',' &&
		       !text_is_space(value[at + 1]))
			at++;
	}
	mask_value(mask, plain->str, plain->len, out);
	g_string_free(plain, TRUE);
}

/* A signature without z=, a copy of the fields that were signed (RFC 6376 section 3.5). */
static void mask_signature(struct mask *mask, const char *value, gsize size, GString *out)
{
	gboolean first = TRUE;

	while (size > 0) {
		const char *end = memchr(value, ';', size);
		gsize tag_size = end == NULL ? size : (gsize)(end - value);
		const char *tag = value;
		gsize left = text_trim(&tag, tag_size);

		if (!first)
			g_string_append_c(out, ';');
		first = FALSE;
		if (left > 0 && (tag[0] == 'z' || tag[0] == 'Z'))
			g_string_append(out, " z=" STARS);
		else
			mask_value(mask, value, tag_size, out);
		tag_size += end != NULL ? 1 : 0;
		value += tag_size;
		size -= tag_size;
	}
}

/* Behind the word at text[at] when it is that one, in any case, else 0. */
static gsize after_word(const char *text, gsize at, gsize size, const char *word)
{
	gsize n = strlen(word);

	if (size - at <= n || g_ascii_strncasecmp(text + at, word, n) != 0 ||
	    (at > 0 && is_local_char(text[at - 1])))
		return 0;
	return at + n;
}

/* "for <name>", "(Authenticated sender: name)": names of a host's own users, without an '@' to be known
 * by. */
static void mask_received(struct mask *mask, const char *value, gsize size, GString *out)
{
	GString *plain = g_string_sized_new(size);
	gsize at = 0;

	while (at < size) {
		gsize name = after_word(value, at, size, "for ");
		gsize end;

		if (name == 0)
			name = after_word(value, at, size, "sender:");
		if (name == 0) {
			g_string_append_c(plain, value[at++]);
			continue;
		}
		while (name < size && (text_is_space(value[name]) || value[name] == '<'))
			name++;
		for (end = name; end < size && is_local_char(value[end]);)
			end++;
		g_string_append_len(plain, value + at, (gssize)(name - at));
		if (memchr(value + name, '@', end - name) != NULL)
			g_string_append_len(plain, value + name, (gssize)(end - name));
		else if (end > name)
			g_string_append(plain, STARS);
		at = end;
	}
	mask_value(mask, plain->str, plain->len, out);
	g_string_free(plain, TRUE);
}

typedef void (*mask_rule)(struct mask *mask, const char *value, gsize size, GString *out);

static const struct {
	const char *name; /* a '*' at its end matches any text */
	mask_rule rule;
} RULES[] = { { "message-id", mask_id }, { "resent-message-id", mask_id }, { "references", mask_ids },
	{ "in-reply-to", mask_ids }, { "from", mask_addresses }, { "sender", mask_addresses },
	{ "reply-to", mask_addresses }, { "to", mask_addresses }, { "cc", mask_addresses },
	{ "bcc", mask_addresses }, { "resent-date", mask_value }, { "resent-*", mask_addresses },
	{ "return-path", mask_addresses }, { "delivered-to", mask_addresses },
	{ "x-original-to", mask_addresses }, { "x-delivered-to", mask_addresses },
	{ "envelope-*", mask_addresses }, { "x-envelope-*", mask_addresses }, { "x-rcpt-to", mask_addresses },
	{ "x-forwarded-*", mask_addresses }, { "x-sender", mask_addresses },
	{ "x-mail-from", mask_addresses }, { "x-authenticated-*", mask_addresses },
	{ "x-auth-*", mask_addresses }, { "apparently-*", mask_addresses }, { "errors-to", mask_addresses },
	{ "disposition-notification-to", mask_addresses }, { "return-receipt-to", mask_addresses },
	{ "mail-followup-to", mask_addresses }, { "mail-reply-to", mask_addresses },
	{ "original-recipient", mask_addresses }, { "received", mask_received },
	{ "x-received", mask_received }, { "received-spf", mask_value }, { "x-received-spf", mask_value },
	{ "authentication-results", mask_value }, { "x-authentication-results", mask_value },
	{ "arc-authentication-results", mask_value }, { "dkim-signature", mask_signature },
	{ "arc-message-signature", mask_signature }, { "x-google-dkim-signature", mask_signature },
	{ "domainkey-signature", mask_signature }, { "list-*", mask_list_urls },
	{ "x-list-*", mask_list_urls }, { "subject", mask_value } };

static gboolean matches(const struct field *field, const char *name)
{
	gsize size = strlen(name);

	if (name[size - 1] != '*')
		return field_is(field, name);
	return field->name_size >= size && g_ascii_strncasecmp(field->name, name, size - 1) == 0;
}

/* "... <a@b>": of other fields, those that have an address in <> are read as addresses, for the name before
 * it. */
static gboolean has_address(const char *value, gsize size)
{
	const char *open = memchr(value, '<', size);

	return open != NULL && memchr(open, '@', size - (gsize)(open - value)) != NULL;
}

static mask_rule rule_of(const struct field *field)
{
	for (gsize i = 0; i < G_N_ELEMENTS(RULES); i++)
		if (matches(field, RULES[i].name))
			return RULES[i].rule;
	return has_address(field->value, field->value_size) ? mask_addresses : mask_value;
}

void mask_field(struct mask *mask, const struct field *field, GString *out)
{
	gsize begin;

	for (gsize i = 0; i < field->name_size; i++)
		if (!g_ascii_isalnum(field->name[i]) && strchr("-_./", field->name[i]) == NULL)
			return;
	g_string_append_len(out, field->name, (gssize)field->name_size);
	g_string_append_c(out, ':');
	begin = out->len;
	rule_of(field)(mask, field->value, field->value_size, out);
	/* as decoding and addresses come on one line */
	if (out->len > begin && !text_is_space(out->str[begin]))
		g_string_insert_c(out, (gssize)begin, ' ');
	g_string_append_c(out, '\n');
}
