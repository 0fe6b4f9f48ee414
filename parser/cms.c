#include "parser/cms.h"

#include <string.h>

#define MAX_DEPTH 8 /* strings in strings, of which programs write one level */

/* Tags (X.690 section 8.1.2), with the bit of what is constructed. */
enum {
	INTEGER = 0x02,
	OCTET_STRING = 0x04,
	OBJECT_ID = 0x06,
	SEQUENCE = 0x30,
	SET = 0x31,
	OCTET_STRINGS = 0x24,
	EXPLICIT_0 = 0xa0,
};

struct ber {
	const guint8 *at;
	gsize left;
};

/* One element: its tag, and what is in it; with an indefinite length, all that follows. */
struct element {
	guint8 tag;
	gboolean indefinite;
	struct ber inside;
};

static gboolean read_length(struct ber *ber, gsize *length, gboolean *indefinite)
{
	guint8 first;

	if (ber->left == 0)
		return FALSE;
	first = *ber->at++;
	ber->left--;
	*indefinite = first == 0x80;
	*length = first < 0x80 ? first : 0;
	if (first <= 0x80)
		return TRUE;
	first &= 0x7f;
	if (first > 4 || first > ber->left)
		return FALSE;
	for (; first > 0; first--) {
		*length = *length << 8 | *ber->at++;
		ber->left--;
	}
	return TRUE;
}

/* The next element; what is truncated ends with the data. An indefinite one leaves ber where it begins. */
static gboolean next(struct ber *ber, struct element *element)
{
	gsize length;

	if (ber->left == 0 || (*ber->at & 0x1f) == 0x1f) /* tags of several bytes are not used */
		return FALSE;
	element->tag = *ber->at++;
	ber->left--;
	if (!read_length(ber, &length, &element->indefinite))
		return FALSE;
	if (element->indefinite) {
		element->inside = *ber;
		return (element->tag & 0x20) != 0;
	}
	element->inside = (struct ber){ ber->at, MIN(length, ber->left) };
	ber->at += element->inside.left;
	ber->left -= element->inside.left;
	return TRUE;
}

/* The next element has this tag; *inside is what is in it. */
static gboolean enter(struct ber *ber, guint8 tag, struct ber *inside)
{
	struct element element;

	if (!next(ber, &element) || element.tag != tag)
		return FALSE;
	*inside = element.inside;
	return TRUE;
}

static gboolean is_end(const struct ber *ber)
{
	return ber->left == 0 || (ber->left >= 2 && ber->at[0] == 0 && ber->at[1] == 0);
}

/* Pass over the next element, which may be of indefinite length. */
static gboolean pass(struct ber *ber, guint depth)
{
	struct element element;

	if (depth > MAX_DEPTH || !next(ber, &element))
		return FALSE;
	if (!element.indefinite)
		return TRUE;
	while (!is_end(ber))
		if (!pass(ber, depth + 1))
			return FALSE;
	if (ber->left < 2)
		return FALSE;
	ber->at += 2;
	ber->left -= 2;
	return TRUE;
}

/* -- octet strings -- */

/* Append the pieces of a string that is constructed; ber is then behind it. */
static void join(struct ber *ber, GByteArray *joined, guint depth)
{
	while (!is_end(ber)) {
		struct element element;

		if (depth > MAX_DEPTH || !next(ber, &element))
			return;
		if (element.tag == OCTET_STRING) {
			g_byte_array_append(joined, element.inside.at, (guint)element.inside.left);
		} else if (element.tag == OCTET_STRINGS && element.indefinite) {
			join(ber, joined, depth + 1);
			if (ber->left < 2)
				return;
			ber->at += 2;
			ber->left -= 2;
		} else if (element.tag == OCTET_STRINGS) {
			join(&element.inside, joined, depth + 1);
		} else {
			return;
		}
	}
}

static gboolean read_content(
    struct ber *ber, const guint8 **content, gsize *content_size, GByteArray **joined)
{
	struct element element;

	if (!next(ber, &element) || (element.tag != OCTET_STRING && element.tag != OCTET_STRINGS))
		return FALSE;
	if (element.tag == OCTET_STRINGS) {
		*joined = g_byte_array_new();
		join(&element.inside, *joined, 0);
		element.inside = (struct ber){ (*joined)->data, (*joined)->len };
	}
	*content = element.inside.at;
	*content_size = element.inside.left;
	return *content_size > 0;
}

/* -- structures -- */

static gboolean is_type(const struct ber *id, const char *type, gsize size)
{
	return id->left == size && memcmp(id->at, type, size) == 0;
}

#define PKCS7 "\x2a\x86\x48\x86\xf7\x0d\x01\x07"
#define SMIME "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01"

static enum cms_kind kind_of_type(const struct ber *id)
{
	if (is_type(id, PKCS7 "\x02", 9))
		return CMS_SIGNED;
	if (is_type(id, PKCS7 "\x03", 9) || is_type(id, PKCS7 "\x04", 9) || is_type(id, PKCS7 "\x06", 9) ||
	    is_type(id, SMIME "\x17", 11))
		return CMS_ENCRYPTED;
	return CMS_NONE;
}

/* SignedData (RFC 5652 section 5.1), up to the content that it encloses. */
static enum cms_kind read_signed(
    struct ber ber, const guint8 **content, gsize *content_size, GByteArray **joined)
{
	struct ber data, version, enclosed, type;

	if (!enter(&ber, EXPLICIT_0, &data) || !enter(&data, SEQUENCE, &data) ||
	    !enter(&data, INTEGER, &version) || !pass(&data, 0) || !enter(&data, SEQUENCE, &enclosed) ||
	    !enter(&enclosed, OBJECT_ID, &type))
		return CMS_NONE;
	if (kind_of_type(&type) == CMS_ENCRYPTED)
		return CMS_ENCRYPTED;
	if (!enter(&enclosed, EXPLICIT_0, &enclosed) ||
	    !read_content(&enclosed, content, content_size, joined))
		return CMS_NONE; /* a signature that stands alone, or around nothing */
	return CMS_SIGNED;
}

enum cms_kind cms_read(
    const guint8 *data, gsize size, const guint8 **content, gsize *content_size, GByteArray **joined)
{
	struct ber ber = { data, size }, type;
	enum cms_kind kind;

	if (!enter(&ber, SEQUENCE, &ber) || !enter(&ber, OBJECT_ID, &type))
		return CMS_NONE;
	kind = kind_of_type(&type);
	return kind == CMS_SIGNED ? read_signed(ber, content, content_size, joined) : kind;
}
