/* The tree walk over zones in memory. Numbers in names are those of the assertions in the standards
 * digest. */
#include "parser/error.h"
#include "server/dns/treewalk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A line a record: "name text"; text "!" is a name that gives no answer. */
struct zone {
	const char *lines;
	GString *asked; /* the names, without "_dmarc.", a blank between */
};

static gboolean look_up(gpointer user, const char *name, GPtrArray *txt, GError **error)
{
	struct zone *zone = user;
	g_auto(GStrv) lines = g_strsplit(zone->lines, "\n", -1);
	gsize size = strlen(name);

	assert_true(g_str_has_prefix(name, "_dmarc."));
	g_string_append_printf(
	    zone->asked, "%s%s", zone->asked->len > 0 ? " " : "", name + strlen("_dmarc."));
	for (char **line = lines; *line != NULL; line++) {
		const char *text = *line + size + 1;

		if (!g_str_has_prefix(*line, name) || (*line)[size] != ' ')
			continue;
		if (strcmp(text, "!") == 0) {
			g_set_error(error, RUAD_ERROR, RUAD_ERROR_SYSTEM, "%s: no answer", name);
			return FALSE;
		}
		g_ptr_array_add(txt, g_strdup(text));
	}
	return TRUE;
}

/* Organizational Domain, where the policy is from, and the tag. */
static char *words_of(const struct treewalk *walk, gboolean exists)
{
	static const char *const TAGS[] = { "p", "sp", "np" };
	enum treewalk_tag tag;
	const struct treewalk_record *record = treewalk_policy(walk, exists, &tag);

	return record == NULL ? g_strdup_printf("%s -", walk->org)
			      : g_strdup_printf("%s %s %s", walk->org, record->domain, TAGS[tag]);
}

/* As words_of(), or the error; asked: what must have been asked, or NULL. */
static void check(const char *row, const char *name, const char *lines, gboolean exists, const char *want,
    const char *asked)
{
	struct zone zone = { lines, g_string_new(NULL) };
	struct treewalk walk;
	g_autoptr(GError) error = NULL;
	g_autofree char *got = NULL;

	if (treewalk_run(name, look_up, &zone, &walk, &error)) {
		guint spaces = 0;

		for (gsize i = 0; i < zone.asked->len; i++)
			spaces += zone.asked->str[i] == ' ';
		assert_int_equal(walk.queries, spaces + 1);
		assert_true(walk.queries <= TREEWALK_MAX_QUERIES);
		got = words_of(&walk, exists);
		treewalk_clear(&walk);
	} else {
		got = g_strdup(error->message);
	}
	if (strcmp(got, want) != 0 || (asked != NULL && strcmp(zone.asked->str, asked) != 0))
		fail_msg("%s: got %s, want %s; asked %s", row, got, want, zone.asked->str);
	g_string_free(zone.asked, TRUE);
}

#define D(domain) "_dmarc." domain " v=DMARC1"

static const struct {
	const char *name, *start, *zone;
	gboolean missing; /* the author domain does not exist */
	const char *want, *asked;
} ROWS[] = {
	{ "fewest labels", "a.mail.example.com", D("mail.example.com") "\n" D("example.com"), FALSE,
	    "example.com example.com sp", "a.mail.example.com mail.example.com example.com com" },
	{ "the policy is the domain's own", "mail.example.com", D("mail.example.com") "\n" D("example.com"),
	    FALSE, "example.com mail.example.com p", NULL },
	{ "a record between is passed over", "a.mail.example.com",
	    D("mail.example.com") "\n" D("example.com"), TRUE, "example.com example.com np", NULL },
	{ "psd=n at the start ends it", "mail.example.com",
	    D("mail.example.com") "; psd=n\n" D("example.com"), FALSE, "mail.example.com mail.example.com p",
	    "mail.example.com" },
	{ "psd=y at the start ends it", "bank.example", D("bank.example") "; p=none; psd=y\n" D("example"),
	    FALSE, "bank.example bank.example p", "bank.example" },
	{ "a public suffix, and no record below", "mail.mega.bank.example", D("bank.example") ";psd=y", FALSE,
	    "mega.bank.example bank.example sp", "mail.mega.bank.example mega.bank.example bank.example" },
	{ "a public suffix, and a record below", "mail.mega.bank.example",
	    D("bank.example") ";psd=y\n" D("mega.bank.example"), FALSE,
	    "mega.bank.example mega.bank.example sp", NULL },
	{ "a public suffix, the name below", "mega.bank.example", D("bank.example") ";psd=y", TRUE,
	    "mega.bank.example bank.example np", NULL },
	{ "a public suffix, and a record far below", "a.b.mega.bank.example",
	    D("bank.example") ";psd=y\n" D("b.mega.bank.example"), FALSE, "mega.bank.example bank.example sp",
	    NULL },
	{ "psd=u is as not said", "a.example.com", D("example.com") "; psd=u\n" D("com") "; psd=u", FALSE,
	    "com com sp", "a.example.com example.com com" },
	{ "nothing found", "a.example.com", "", FALSE, "a.example.com -", "a.example.com example.com com" },
	{ "one label", "com", D("com"), FALSE, "com com p", "com" },
	{ "one label, nothing found", "com", "", FALSE, "com -", "com" },
	{ "seven labels", "a.b.c.d.e.f.g", "", FALSE, "a.b.c.d.e.f.g -",
	    "a.b.c.d.e.f.g b.c.d.e.f.g c.d.e.f.g d.e.f.g e.f.g f.g g" },
	{ "eight labels", "a.b.c.d.e.f.g.h", "", FALSE, "a.b.c.d.e.f.g.h -",
	    "a.b.c.d.e.f.g.h b.c.d.e.f.g.h c.d.e.f.g.h d.e.f.g.h e.f.g.h f.g.h g.h h" },
	{ "nine labels", "z.a.b.c.d.e.f.g.h", "", FALSE, "z.a.b.c.d.e.f.g.h -",
	    "z.a.b.c.d.e.f.g.h b.c.d.e.f.g.h c.d.e.f.g.h d.e.f.g.h e.f.g.h f.g.h g.h h" },
	{ "one below a suffix, though it was skipped", "z.y.a.b.c.d.e.f.g.h", D("b.c.d.e.f.g.h") "; psd=y",
	    FALSE, "a.b.c.d.e.f.g.h b.c.d.e.f.g.h sp", "z.y.a.b.c.d.e.f.g.h b.c.d.e.f.g.h" },
	{ "no answer", "a.example.com", D("a.example.com") "\n_dmarc.example.com !", FALSE,
	    "_dmarc.example.com: no answer", "a.example.com example.com" },
};

static void rows(void **state)
{
	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(ROWS); i++)
		check(
		    ROWS[i].name, ROWS[i].start, ROWS[i].zone, !ROWS[i].missing, ROWS[i].want, ROWS[i].asked);
}

static void assertion_43_a_public_suffix_puts_the_domain_one_below(void **state)
{
	(void)state;
	check("43", "a.mail.example.com", D("com") "; p=none; psd=y", TRUE, "example.com com sp",
	    "a.mail.example.com mail.example.com example.com com");
}

static void assertion_44_psd_n_ends_the_walk_and_else_the_fewest_labels_win(void **state)
{
	(void)state;
	check("44 psd=n", "a.mail.example.com", D("mail.example.com") "; psd=n\n" D("example.com"), TRUE,
	    "mail.example.com mail.example.com sp", "a.mail.example.com mail.example.com");
	check("44 without", "a.mail.example.com", D("mail.example.com") "\n" D("example.com"), TRUE,
	    "example.com example.com sp", "a.mail.example.com mail.example.com example.com com");
}

static void assertion_45_a_walk_of_13_labels_asks_eight_names(void **state)
{
	(void)state;
	check("45", "a.b.c.d.e.f.g.h.i.j.mail.example.com", "", TRUE,
	    "a.b.c.d.e.f.g.h.i.j.mail.example.com -",
	    "a.b.c.d.e.f.g.h.i.j.mail.example.com g.h.i.j.mail.example.com h.i.j.mail.example.com "
	    "i.j.mail.example.com j.mail.example.com mail.example.com example.com com");
}

static void assertion_46_two_records_at_a_name_are_ignored_and_the_walk_goes_on(void **state)
{
	(void)state;
	check("46", "a.mail.example.com",
	    D("mail.example.com") "; psd=n\n" D("mail.example.com") "; psd=n\n" D("example.com"), TRUE,
	    "example.com example.com sp", "a.mail.example.com mail.example.com example.com com");
	check("46 at the start", "example.com", D("example.com") "; psd=n\n" D("example.com"), TRUE,
	    "example.com -", "example.com com");
	check("46 others do not count", "a.example.com",
	    "_dmarc.example.com v=spf1 -all\n" D("example.com") "; psd=n\n_dmarc.example.com v=DMARC2", TRUE,
	    "example.com example.com sp", "a.example.com example.com");
}

static void records_are_told_by_their_version(void **state)
{
	static const struct {
		const char *text, *want; /* psd, or NULL: not one */
	} records[] = {
		{ "v=DMARC1", "u" },
		{ "v=DMARC1;", "u" },
		{ "V = DMARC1 ; p=none", "u" },
		{ "v\t=\tDMARC1\t;psd=y", "y" },
		{ "v=DMARC1; p=none; psd=y; rua=mailto:a@b", "y" },
		{ "v=DMARC1;PSD = N ;", "n" },
		{ "v=DMARC1; psd=u", "u" },
		{ "v=DMARC1; psd=yes", "u" },
		{ "v=DMARC1; psd=", "u" },
		{ "v=DMARC1; psd", "u" },
		{ "v=DMARC1; psdx=y", "u" },
		{ "v=DMARC1; xpsd=y", "u" },
		{ "v=DMARC1; rua=mailto:psd=y@b", "u" },
		{ "v=DMARC1; psd=n; psd=y", "n" },
		{ "v=DMARC1;;; ;psd=y", "y" },
		{ "v=dmarc1; p=none", NULL },
		{ "v=DMARC12", NULL },
		{ "v=DMARC1 p=none", NULL },
		{ "v=DMARC", NULL },
		{ " v=DMARC1", NULL },
		{ "p=none; v=DMARC1", NULL },
		{ "v", NULL },
		{ "", NULL },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(records); i++) {
		char psd[2] = "";
		g_autofree char *text = g_strdup(records[i].text);
		gboolean is_record = treewalk_is_record(text, psd);

		if (is_record != (records[i].want != NULL) ||
		    (is_record && strcmp(psd, records[i].want) != 0))
			fail_msg("%s: %d %s", records[i].text, is_record, psd);
	}
}

/* 127 labels, and labels of 63 bytes: still eight queries, and nothing is cut. */
static void a_name_of_many_labels_asks_eight_names(void **state)
{
	GString *name = g_string_new("a");
	struct zone zone = { "", g_string_new(NULL) };
	struct treewalk walk;

	(void)state;
	for (guint i = 1; i < 127; i++)
		g_string_append(name, ".a");
	assert_true(treewalk_run(name->str, look_up, &zone, &walk, NULL));
	assert_int_equal(walk.queries, TREEWALK_MAX_QUERIES);
	assert_string_equal(walk.org, name->str);
	treewalk_clear(&walk);
	g_string_free(zone.asked, TRUE);
	g_string_free(name, TRUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows),
		cmocka_unit_test(assertion_43_a_public_suffix_puts_the_domain_one_below),
		cmocka_unit_test(assertion_44_psd_n_ends_the_walk_and_else_the_fewest_labels_win),
		cmocka_unit_test(assertion_45_a_walk_of_13_labels_asks_eight_names),
		cmocka_unit_test(assertion_46_two_records_at_a_name_are_ignored_and_the_walk_goes_on),
		cmocka_unit_test(records_are_told_by_their_version),
		cmocka_unit_test(a_name_of_many_labels_asks_eight_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
