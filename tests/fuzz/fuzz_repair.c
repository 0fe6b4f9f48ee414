/* Damaged XML into repaired XML: the same in pieces of any size, and what is well-formed is not changed. */
#include "parser/repair.h"

#include <libxml/parser.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

struct output {
	GString *bytes;
	GString *codes;
};

static void on_bytes(gpointer user, const guint8 *data, gsize size)
{
	struct output *output = user;

	g_string_append_len(output->bytes, (const char *)data, (gssize)size);
}

static void on_repaired(gpointer user, const char *code)
{
	struct output *output = user;

	g_assert(strlen(code) == 2);
	g_string_append(output->codes, code);
}

static struct output run(const guint8 *data, gsize size, gsize step, guint max)
{
	static const struct repair_visitor VISITOR = { on_bytes, on_repaired, NULL };
	struct parser_limits limits = PARSER_LIMITS_DEFAULT;
	struct output output = { g_string_new(NULL), g_string_new(NULL) };
	struct repair *repair;

	limits.max_tag_bytes = max;
	repair = repair_new(&limits, &VISITOR, &output);
	for (gsize at = 0; at < size; at += step)
		repair_push(repair, data + at, MIN(step, size - at));
	repair_end(repair);
	repair_free(repair);
	return output;
}

static void clear(struct output *output)
{
	g_string_free(output->bytes, TRUE);
	g_string_free(output->codes, TRUE);
}

/* By libxml2, which accepts some damaged declarations. */
static gboolean is_well_formed(const guint8 *data, gsize size)
{
	const char *text = (const char *)data;
	xmlDocPtr document;

	if (!g_utf8_validate_len(text, size, NULL) || size < 4 ||
	    g_strstr_len(text, (gssize)size, "<?") != NULL)
		return FALSE;
	document = xmlReadMemory(
	    text, (int)size, NULL, "UTF-8", XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (document == NULL)
		return FALSE;
	xmlFreeDoc(document);
	return TRUE;
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
	static const struct parser_limits LIMITS = PARSER_LIMITS_DEFAULT;
	guint max = LIMITS.max_tag_bytes;
	struct output whole, pieces;

	if (size == 0)
		return 0;
	if (data[0] >= 0x80)
		max = 64; /* so that limits are reached */
	whole = run(data + 1, size - 1, size, max);
	pieces = run(data + 1, size - 1, (gsize)(data[0] & 0x7f) + 1, max);
	g_assert(g_string_equal(whole.bytes, pieces.bytes));
	g_assert(g_string_equal(whole.codes, pieces.codes));
	if (is_well_formed(data + 1, size - 1)) {
		g_assert(whole.codes->len == 0);
		g_assert(whole.bytes->len == size - 1 && memcmp(whole.bytes->str, data + 1, size - 1) == 0);
	}
	clear(&whole);
	clear(&pieces);
	return 0;
}
