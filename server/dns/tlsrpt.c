#include "server/dns/tlsrpt.h"

#include <string.h>

#include "server/dns/dmarc.h"
#include "server/dns/tags.h"

#define TAGS_MAX 64 /* of a record that are read; two have a meaning */

static const char VERSION[] = "v=TLSRPTv1";

gboolean tlsrpt_is_record(const char *text)
{
	gsize size = strlen(VERSION);

	if (strncmp(text, VERSION, size) != 0)
		return FALSE;
	text += size + strspn(text + size, " \t");
	return *text == ';' || *text == '\0';
}

/* NULL: reports can be sent there. */
static const char *fault_of(const char *text)
{
	struct dmarc_uri uri = { 0 };
	const char *why = NULL;
	gboolean size = FALSE;

	if (g_ascii_strncasecmp(text, "https://", strlen("https://")) == 0)
		return g_uri_is_valid(text, G_URI_FLAGS_NONE, NULL) ? NULL : "it is no URI";
	if (!dmarc_uri_read(text, &uri, &size, &why))
		return strchr(text, ':') != NULL &&
			       g_ascii_strncasecmp(text, "mailto:", strlen("mailto:")) != 0
			   ? "reports go to \"mailto:\" and \"https:\" only"
			   : why;
	dmarc_uri_clear(&uri);
	return size ? "there are no sizes in these records" : NULL;
}

static void read_uris(const char *place, const char *list, GPtrArray *rua, struct findings *findings)
{
	g_auto(GStrv) texts = g_strsplit(list, ",", -1);
	guint n = 0;

	for (char **text = texts; *text != NULL && n < DMARC_URIS_MAX; text++, n++) {
		const char *fault = fault_of(g_strstrip(*text));

		if (fault == NULL)
			g_ptr_array_add(rua, g_strdup(*text));
		else if (findings != NULL)
			findings_add(findings, FINDING_TLSRPT_INVALID, place, NULL,
			    "\"%s\" gets no reports: %s", *text, fault);
	}
}

gboolean tlsrpt_read(const char *name, const char *text, GPtrArray *rua, struct findings *findings)
{
	g_autofree char *place = g_strdup_printf("%s TXT: rua", name);
	guint had = rua->len, uris = 0;
	struct tag tag;

	for (guint i = 0; i < TAGS_MAX && tag_next(&text, &tag); i++) {
		g_autofree char *value = tag_value(&tag);

		if (tag_is(&tag, "rua") && uris++ == 0)
			read_uris(place, value, rua, findings);
	}
	if (uris != 1 && findings != NULL)
		findings_add(findings, FINDING_TLSRPT_INVALID, place, NULL,
		    uris == 0 ? "there is no \"rua\", so nobody receives reports" : "\"rua\" occurs twice");
	return rua->len > had;
}
