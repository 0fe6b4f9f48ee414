#include "server/dns/dkim.h"

#include <string.h>

#include "parser/text.h"
#include "server/dns/tags.h"

#define TAGS_MAX     64    /* of a record that are read; seven have a meaning */
#define SHORT_BITS   1024  /* shorter RSA keys must not be used (RFC 8301 section 3.2) */
#define WEAK_BITS    2048  /* and should not be shorter than this */
#define ED25519_SIZE 32    /* bytes (RFC 8463 section 4.2) */
#define KEY_BITS_MAX 65536 /* of a modulus in a TXT record */

struct reading {
	struct dkim_key key;
	struct findings *findings; /* or NULL */
	const char *name;
	guint position;
	gboolean has_p;
	char *type, *hashes, *services, *flags, *p; /* NULL: absent */
};

static void G_GNUC_PRINTF(4, 5)
    note(struct reading *reading, enum finding_code code, const char *part, const char *format, ...)
{
	g_autofree char *place = g_strdup_printf("%s TXT: %s", reading->name, part);
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	if (reading->findings != NULL)
		findings_add(reading->findings, code, place, NULL, "%s", text);
	if (code == FINDING_DKIM_INVALID)
		reading->key.status = DKIM_INVALID;
}

/* -- DER (ITU-T X.690), as much as there is in a public key -- */

struct der {
	const guint8 *at;
	gsize size;
};

/* Take the element of this tag off the front; its content. FALSE: it is another one, or longer than what is
 * there. */
static gboolean der_take(struct der *der, guint8 tag, struct der *content)
{
	gsize length, head = 2;

	if (der->size < 2 || der->at[0] != tag)
		return FALSE;
	length = der->at[1];
	if (length >= 0x80) {
		gsize bytes = length & 0x7f;

		if (bytes == 0 || bytes > 4 || der->size < 2 + bytes)
			return FALSE;
		length = 0;
		for (gsize i = 0; i < bytes; i++)
			length = length << 8 | der->at[2 + i];
		head += bytes;
	}
	if (length > der->size - head)
		return FALSE;
	*content = (struct der){ der->at + head, length };
	der->at += head + length;
	der->size -= head + length;
	return TRUE;
}

/* Bits of the modulus of an RSAPublicKey (RFC 8017 appendix A.1.1); 0 if it is invalid. */
static guint modulus_bits(struct der key)
{
	struct der sequence, modulus, exponent;
	guint bits;

	if (!der_take(&key, 0x30, &sequence) || !der_take(&sequence, 0x02, &modulus) ||
	    !der_take(&sequence, 0x02, &exponent))
		return 0;
	while (modulus.size > 0 && *modulus.at == 0) {
		modulus.at++;
		modulus.size--;
	}
	if (modulus.size == 0 || modulus.size > KEY_BITS_MAX / 8)
		return 0;
	bits = (guint)modulus.size * 8;
	for (guint8 top = *modulus.at; (top & 0x80) == 0; top = (guint8)(top << 1))
		bits--;
	return bits;
}

/* Bits of an RSA key: a SubjectPublicKeyInfo (RFC 5280 section 4.1), or what is in one, as RFC 6376 erratum
 * 3017 allows. */
static guint rsa_bits(const guint8 *bytes, gsize size)
{
	struct der all = { bytes, size }, info, algorithm, key;

	if (der_take(&all, 0x30, &info) && der_take(&info, 0x30, &algorithm)) {
		if (!der_take(&info, 0x03, &key) || key.size < 1 || *key.at != 0)
			return 0;
		return modulus_bits((struct der){ key.at + 1, key.size - 1 });
	}
	return modulus_bits((struct der){ bytes, size });
}

/* -- tags -- */

static void take_tag(struct reading *reading, const struct tag *tag)
{
	struct {
		const char *name;
		char **value;
	} tags[] = { { "k", &reading->type }, { "h", &reading->hashes }, { "s", &reading->services },
		{ "t", &reading->flags }, { "p", &reading->p } };
	g_autofree char *value = tag_value(tag);

	reading->position++;
	if (!tag->clean) {
		note(reading, FINDING_DKIM_INVALID, "syntax", "\"%s\" is not a tag", value);
		return;
	}
	if (tag_is(tag, "v") && (reading->position > 1 || strcmp(value, "DKIM1") != 0))
		note(reading, FINDING_DKIM_INVALID, "v", "\"v\" must come first and be \"DKIM1\"");
	for (gsize i = 0; i < G_N_ELEMENTS(tags); i++) {
		if (!tag_is(tag, tags[i].name))
			continue;
		if (*tags[i].value != NULL)
			note(reading, FINDING_DKIM_INVALID, tags[i].name, "the tag occurs twice");
		else
			*tags[i].value = g_steal_pointer(&value);
		return;
	}
}

/* Whether a list with ':' between has one of the words. */
static gboolean has_word(const char *list, const char *one, const char *other)
{
	g_auto(GStrv) words = g_strsplit(list, ":", -1);

	for (char **word = words; *word != NULL; word++) {
		g_strstrip(*word);
		if (g_ascii_strcasecmp(*word, one) == 0 || g_ascii_strcasecmp(*word, other) == 0)
			return TRUE;
	}
	return FALSE;
}

/* -- the key -- */

/* Decode base64 with white space (RFC 6376 section 3.2). Returns NULL if it is invalid. */
static guint8 *decode(char *text, gsize *size)
{
	gsize to = 0;

	for (const char *from = text; *from != '\0'; from++) {
		if (text_is_space(*from))
			continue;
		if (!g_ascii_isalnum(*from) && strchr("+/=", *from) == NULL)
			return NULL;
		text[to++] = *from;
	}
	text[to] = '\0';
	return to % 4 == 0 ? g_base64_decode(text, size) : NULL;
}

static void judge_rsa(struct reading *reading, const guint8 *bytes, gsize size)
{
	guint bits = rsa_bits(bytes, size);

	reading->key.bits = bits;
	if (bits == 0)
		note(reading, FINDING_DKIM_INVALID, "p", "there is no RSA key in it");
	else if (bits < SHORT_BITS)
		note(reading, FINDING_DKIM_SHORT, "p",
		    "an RSA key of %u bits is too short: it must have 1024 and should have 2048 (RFC 8301 "
		    "section 3.2)",
		    bits);
	else if (bits < WEAK_BITS)
		note(reading, FINDING_DKIM_WEAK, "p",
		    "an RSA key of %u bits should have 2048 (RFC 8301 section 3.2)", bits);
}

static void judge_ed25519(struct reading *reading, gsize size)
{
	if (size == ED25519_SIZE)
		reading->key.bits = 8 * ED25519_SIZE;
	else
		note(reading, FINDING_DKIM_INVALID, "p", "an Ed25519 key has 32 bytes, not %zu (RFC 8463)",
		    size);
}

static void judge_key(struct reading *reading)
{
	g_autofree guint8 *bytes = NULL;
	gsize size = 0;

	if (reading->p == NULL) {
		note(reading, FINDING_DKIM_INVALID, "p", "there is no \"p\", which has the key");
		return;
	}
	if (*reading->p == '\0') {
		reading->key.status = DKIM_REVOKED;
		note(reading, FINDING_DKIM_REVOKED, "p", "the key is revoked: its signatures fail");
		return;
	}
	bytes = decode(reading->p, &size);
	if (bytes == NULL)
		note(reading, FINDING_DKIM_INVALID, "p", "the key is not base64");
	else if (g_strcmp0(reading->key.key_type, "rsa") == 0)
		judge_rsa(reading, bytes, size);
	else if (reading->key.key_type != NULL)
		judge_ed25519(reading, size);
}

static void judge(struct reading *reading)
{
	const char *type = reading->type == NULL ? "rsa" : reading->type;

	if (g_ascii_strcasecmp(type, "rsa") == 0)
		reading->key.key_type = "rsa";
	else if (g_ascii_strcasecmp(type, "ed25519") == 0)
		reading->key.key_type = "ed25519";
	else
		note(reading, FINDING_DKIM_INVALID, "k", "\"%s\" is neither rsa nor ed25519", type);
	if (reading->hashes != NULL && !has_word(reading->hashes, "sha256", "sha256"))
		note(reading, FINDING_DKIM_INVALID, "h",
		    "sha256 is not allowed by it, and nothing else may be used");
	if (reading->services != NULL && !has_word(reading->services, "*", "email"))
		note(reading, FINDING_DKIM_INVALID, "s", "the key is not for mail");
	reading->key.testing = reading->flags != NULL && has_word(reading->flags, "y", "y");
	if (reading->key.testing)
		note(reading, FINDING_DKIM_TESTING, "t", "the domain says that it only tests DKIM");
	judge_key(reading);
}

struct dkim_key dkim_read(const char *name, const char *text, struct findings *findings)
{
	struct reading reading = { .key.status = DKIM_OK, .findings = findings, .name = name };
	struct tag tag;

	while (tag_next(&text, &tag) && reading.position < TAGS_MAX)
		take_tag(&reading, &tag);
	judge(&reading);
	g_free(reading.type);
	g_free(reading.hashes);
	g_free(reading.services);
	g_free(reading.flags);
	g_free(reading.p);
	return reading.key;
}

gboolean dkim_is_key(const char *text)
{
	struct tag tag;

	for (guint i = 0; i < TAGS_MAX && tag_next(&text, &tag); i++)
		if (tag_is(&tag, "p") || (tag_is(&tag, "v") && tag.value_size == strlen("DKIM1") &&
					     strncmp(tag.value, "DKIM1", tag.value_size) == 0))
			return TRUE;
	return FALSE;
}

const char *dkim_status_word(enum dkim_status status)
{
	static const char *const WORDS[] = { "unknown", "missing", "invalid", "revoked", "ok" };

	return WORDS[status];
}

char *dkim_name(const char *selector, const char *domain)
{
	return g_strconcat(selector, "._domainkey.", domain, NULL);
}
