#include "parser/orgdomain.h"

#include "parser/text.h"

#include <libpsl.h>
#include <string.h>

#define SUFFIX_LABELS 8  /* looked at from the right: the list's longest suffixes have five */
#define SLOTS         64 /* names remembered: those of one report are few and come again and again */

struct orgdomains {
	struct {
		char name[TEXT_DOMAIN_MAX + 1]; /* "": free */
		guint8 start;                   /* where its Organizational Domain begins */
	} slot[SLOTS];
};

static const psl_ctx_t *list; /* libpsl's own: never freed */

void orgdomain_init(void)
{
	if (list == NULL)
		list = psl_latest(NULL);
}

struct orgdomains *orgdomains_new(void)
{
	struct orgdomains *domains = g_new(struct orgdomains, 1); /* 16 KiB, of which few are used */

	for (guint i = 0; i < SLOTS; i++)
		domains->slot[i].name[0] = '\0';
	return domains;
}

void orgdomains_free(struct orgdomains *domains)
{
	g_free(domains);
}

/* The last SUFFIX_LABELS labels: a name of 127 labels would make libpsl search as often. */
static const char *last_labels(const char *name, gsize size)
{
	guint dots = 0;

	while (size > 0) {
		if (name[size - 1] == '.' && ++dots == SUFFIX_LABELS)
			return name + size;
		size--;
	}
	return name;
}

const char *orgdomain_of(struct orgdomains *domains, const char *name)
{
	gsize size = strlen(name), slot;
	const char *found;

	if (size == 0 || size > TEXT_DOMAIN_MAX)
		return name;
	slot = g_str_hash(name) % SLOTS;
	if (strcmp(domains->slot[slot].name, name) != 0) {
		found = psl_registrable_domain(list != NULL ? list : psl_builtin(), last_labels(name, size));
		memcpy(domains->slot[slot].name, name, size + 1);
		domains->slot[slot].start = (guint8)(found == NULL ? 0 : found - name);
	}
	return name + domains->slot[slot].start;
}
