#include "server/dns/treewalk.h"

#include <string.h>

#define JUMP_LABELS 7 /* left of a longer name after its own query: RFC 9989 section 4.10 */

/* -- records: RFC 9989 section 4.8 -- */

static const char *skip_blank(const char *at)
{
	while (*at == ' ' || *at == '\t')
		at++;
	return at;
}

/* Behind "v=DMARC1", up to ';' or the end; NULL: it does not begin so. The value is case-sensitive. */
static const char *behind_version(const char *txt)
{
	static const char VALUE[] = "DMARC1";

	if (g_ascii_tolower(*txt) != 'v')
		return NULL;
	txt = skip_blank(txt + 1);
	if (*txt != '=')
		return NULL;
	txt = skip_blank(txt + 1);
	if (strncmp(txt, VALUE, strlen(VALUE)) != 0)
		return NULL;
	txt = skip_blank(txt + strlen(VALUE));
	return *txt == ';' || *txt == '\0' ? txt : NULL;
}

/* The value of psd, if tag begins with "psd=". */
static char psd_of(const char *tag)
{
	char value;

	tag = skip_blank(tag);
	if (g_ascii_strncasecmp(tag, "psd", 3) != 0)
		return '\0';
	tag = skip_blank(tag + 3);
	if (*tag != '=')
		return '\0';
	tag = skip_blank(tag + 1);
	value = g_ascii_tolower(*tag);
	if (value == '\0' || strchr("ynu", value) == NULL)
		return 'u';
	tag = skip_blank(tag + 1);
	return *tag == ';' || *tag == '\0' ? value : 'u';
}

gboolean treewalk_is_record(const char *txt, char *psd)
{
	const char *at = behind_version(txt);
	char found = '\0';

	if (at == NULL)
		return FALSE;
	for (; found == '\0' && at != NULL && *at == ';'; at = strchr(at + 1, ';'))
		found = psd_of(at + 1);
	*psd = found == '\0' ? 'u' : found;
	return TRUE;
}

/* The one DMARC record among those at domain, added to the walk: of several, none counts. */
static void take_record(struct treewalk *walk, const char *domain, const GPtrArray *txt)
{
	const char *text = NULL;
	char psd = 'u';

	for (guint i = 0; i < txt->len; i++) {
		const char *candidate = g_ptr_array_index(txt, i);

		if (!treewalk_is_record(candidate, &psd))
			continue;
		if (text != NULL)
			return;
		text = candidate;
	}
	if (text != NULL)
		walk->record[walk->n_record++] =
		    (struct treewalk_record){ g_strdup(domain), g_strdup(text), psd };
}

/* -- names -- */

static guint count_labels(const char *name)
{
	guint labels = 1;

	for (; *name != '\0'; name++)
		labels += *name == '.';
	return labels;
}

/* One label fewer; of a long name, as many as leave JUMP_LABELS. NULL: that was the last. */
static const char *step_up(const char *name)
{
	guint labels = count_labels(name);

	do {
		name = strchr(name, '.');
		if (name == NULL)
			return NULL;
		name++;
	} while (--labels > JUMP_LABELS);
	return name;
}

/* The part of name that is one label longer than above, which it ends with. */
static const char *one_below(const char *name, const char *above)
{
	const char *at = name + strlen(name) - strlen(above) - 1;

	while (at > name && at[-1] != '.')
		at--;
	return at;
}

/* -- the walk -- */

static gboolean query(
    struct treewalk *walk, const char *domain, treewalk_lookup lookup, gpointer user, GError **error)
{
	g_autoptr(GPtrArray) txt = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *asked = g_strconcat("_dmarc.", domain, NULL);

	walk->queries++;
	if (!lookup(user, asked, txt, error))
		return FALSE;
	take_record(walk, domain, txt);
	return TRUE;
}

static const struct treewalk_record *last_record(const struct treewalk *walk)
{
	return walk->n_record == 0 ? NULL : &walk->record[walk->n_record - 1];
}

/* Only the last record found can say psd=y or n, because it ends the walk; else it has the fewest labels. */
static const char *choose_org(const struct treewalk *walk)
{
	const struct treewalk_record *last = last_record(walk);

	if (last == NULL)
		return walk->name;
	if (last->psd == 'y' && strcmp(last->domain, walk->name) != 0)
		return one_below(walk->name, last->domain);
	return last->domain;
}

gboolean treewalk_run(
    const char *name, treewalk_lookup lookup, gpointer user, struct treewalk *walk, GError **error)
{
	struct treewalk found = { .name = g_strdup(name) };
	gboolean stop = FALSE;

	for (const char *at = found.name; at != NULL && !stop; at = step_up(at)) {
		if (!query(&found, at, lookup, user, error)) {
			treewalk_clear(&found);
			return FALSE;
		}
		stop = found.n_record > 0 && last_record(&found)->psd != 'u';
	}
	found.org = g_strdup(choose_org(&found));
	*walk = found;
	return TRUE;
}

void treewalk_clear(struct treewalk *walk)
{
	for (guint i = 0; i < walk->n_record; i++) {
		g_free(walk->record[i].domain);
		g_free(walk->record[i].text);
	}
	walk->n_record = 0;
	g_clear_pointer(&walk->name, g_free);
	g_clear_pointer(&walk->org, g_free);
}

/* -- policy -- */

static const struct treewalk_record *record_of(const struct treewalk *walk, const char *domain)
{
	for (guint i = 0; i < walk->n_record; i++)
		if (strcmp(walk->record[i].domain, domain) == 0)
			return &walk->record[i];
	return NULL;
}

const struct treewalk_record *treewalk_policy(
    const struct treewalk *walk, gboolean exists, enum treewalk_tag *tag)
{
	const struct treewalk_record *record = record_of(walk, walk->name);

	*tag = TREEWALK_P;
	if (record != NULL)
		return record;
	*tag = exists ? TREEWALK_SP : TREEWALK_NP;
	record = record_of(walk, walk->org);
	/* the last record is that of the Organizational Domain, or of a public suffix above it */
	return record != NULL ? record : last_record(walk);
}
