/* spf_judge.c - a domain's own SPF record and the texts beside it, as somebody wrote them. */
#include "server/dns/spf_walk.h"

#include <string.h>

#define FIXED_LONG  4096 /* bytes: a longer record is not proposed, nor put together to its end */
#define RECORD_LONG 450  /* bytes that should do for an answer in one datagram (RFC 7208 section 3.4) */

/* -- what to publish instead -- */

static gboolean has_word(const GString *text, const char *word)
{
	g_auto(GStrv) words = g_strsplit(text->str, " ", -1);

	return g_strv_contains((const char *const *)words, word);
}

/* Add the record's terms that are not there yet, except all. A redirect has no effect beside all, so it
 * becomes an include. */
static void add_terms(GString *text, const struct spf_record *record)
{
	for (guint i = 0; i < record->n_terms && text->len <= FIXED_LONG; i++) {
		const struct spf_term *term = &record->terms[i];
		g_autofree char *word = term->kind == SPF_REDIRECT
					    ? g_strconcat("include:", term->domain, NULL)
					    : g_strdup(term->text);

		if (term->kind != SPF_ALL && !has_word(text, word))
			g_string_append_printf(text, " %s", word);
	}
}

/* Read the record that text was meant to be. Returns FALSE if that is unknown. */
static gboolean read_meant(const char *text, struct spf_record *record)
{
	g_autofree char *fixed = spf_fix(text);

	return fixed != NULL && spf_record_read(fixed, record, NULL);
}

/* Whether the terms behind "all" can be moved before it: each of them passes, so that nothing is refused that
 * was not. */
static gboolean can_move(const struct spf_record *record)
{
	for (const struct spf_term *term = record->all + 1; term < record->terms + record->n_terms; term++)
		if (term->kind == SPF_ALL ? term->qualifier != record->all->qualifier
					  : term->kind < SPF_REDIRECT && term->qualifier != '+')
			return FALSE;
	return TRUE;
}

/* The record with its first "all" at its end; NULL: what its author meant is unknown. Transfer full. */
static char *all_last(const char *domain, const char *text)
{
	g_autoptr(GString) moved = g_string_new("v=spf1");
	struct spf_record record;
	gboolean good;

	if (!read_meant(text, &record))
		return NULL;
	good = record.all != NULL && record.all->qualifier != '+' && can_move(&record);
	add_terms(moved, &record);
	if (good)
		g_string_append_printf(moved, " %s", record.all->text);
	spf_record_clear(&record);
	return good ? finding_txt_record(domain, moved->str) : NULL;
}

/* Whether "all" with qualifier a refuses less than with b. */
static gboolean is_milder(char a, char b)
{
	static const char ORDER[] = "+?~-";

	return strchr(ORDER, a) < strchr(ORDER, b);
}

/* Whether terms stand behind all, or a redirect anywhere. */
static gboolean has_idle_terms(const struct spf_record *record)
{
	gboolean behind = FALSE;

	for (guint i = 0; i < record->n_terms; i++) {
		enum spf_kind kind = record->terms[i].kind;

		if (kind == SPF_REDIRECT || (behind && kind < SPF_REDIRECT))
			return TRUE;
		behind = behind || kind == SPF_ALL;
	}
	return FALSE;
}

/* Whether each mechanism but all passes; otherwise its place among those of another record matters. */
static gboolean only_passes(const struct spf_record *record)
{
	for (guint i = 0; i < record->n_terms; i++)
		if (record->terms[i].kind != SPF_ALL && record->terms[i].kind < SPF_REDIRECT &&
		    record->terms[i].qualifier != '+')
			return FALSE;
	return TRUE;
}

/* Several records in one. */
struct join {
	GString *text;
	char all; /* the mildest; '?' if one record has none */
	gboolean unclear;
};

static void join_record(struct join *join, const char *text)
{
	struct spf_record record;
	char all;

	if (!read_meant(text, &record)) {
		join->unclear = TRUE;
		return;
	}
	all = record.all == NULL ? '?' : record.all->qualifier;
	join->unclear |= record.redirect != NULL || has_idle_terms(&record) || !only_passes(&record);
	add_terms(join->text, &record);
	if (join->all == '\0' || is_milder(all, join->all))
		join->all = all;
	spf_record_clear(&record);
}

/*
 * One record of several, with the mildest "all". NULL: one of them cannot be read, lets all send, or has
 * terms whose effect depends on their place, or on another domain's "all". Transfer full.
 */
static char *joined(const char *domain, const struct dns_answer *answer)
{
	g_autoptr(GString) text = g_string_new("v=spf1");
	struct join join = { .text = text };
	struct spf_record record;

	for (guint i = 0; i < answer->n_records; i++)
		if (spf_is_record(answer->records[i].text))
			join_record(&join, answer->records[i].text);
	if (join.unclear || join.all == '+')
		return NULL;
	g_string_append_printf(text, " %call", join.all);
	if (!spf_record_read(text->str, &record, NULL)) /* a modifier may stand there twice */
		return NULL;
	spf_record_clear(&record);
	return finding_txt_record(domain, text->str);
}

/* The record that text was meant to be; NULL if that is unknown, or it is as written. Transfer full. */
static char *meant(const char *domain, const char *text)
{
	g_autofree char *record = spf_fix(text);

	return record == NULL || strcmp(record, text) == 0 ? NULL : finding_txt_record(domain, record);
}

/* -- the record -- */

static void judge_all(
    const char *domain, const char *text, const struct spf_record *record, struct findings *findings)
{
	g_autofree char *place = g_strdup_printf("%s TXT: all", domain);

	if (record->all == NULL) {
		if (record->redirect == NULL)
			findings_add(findings, FINDING_SPF_ALL_MISSING, place, NULL,
			    "there is no \"all\" at the end: other hosts are neutral, as if there were no "
			    "record; add \"~all\" when each host that sends is listed");
		return;
	}
	if (record->all->qualifier == '+')
		findings_add(findings, FINDING_SPF_ALL_PASS, place, NULL,
		    "it lets the whole world send: list the hosts that send, then end with \"~all\"");
	if (record->all->qualifier == '?')
		findings_add(findings, FINDING_SPF_ALL_NEUTRAL, place, NULL,
		    "\"?all\" says nothing of other hosts, as if there were no record; use \"~all\" when "
		    "each "
		    "host that sends is listed");
	if (has_idle_terms(record))
		findings_add(findings, FINDING_SPF_AFTER_ALL, place, all_last(domain, text),
		    "beside \"%s\", neither what follows it nor a \"redirect\" has an effect",
		    record->all->text);
}

static void judge_exp(const struct dns_source *source, const char *domain, const struct spf_term *exp,
    struct findings *findings)
{
	struct spf_identity identity = { .sender_domain = domain };
	g_autofree char *name = spf_target(exp, &identity, domain, NULL);
	g_autofree char *place = g_strdup_printf("%s TXT: %s", domain, exp->text);
	const struct dns_answer *answer;

	if (name == NULL)
		return;
	answer = dns_look_up(source, DNS_TXT, name);
	if (!dns_failed(answer) && answer->n_records != 1)
		findings_add(findings, FINDING_SPF_EXP, place, NULL, "%s has %s, so there is no explanation",
		    name, answer->n_records == 0 ? "no TXT record" : "several TXT records");
}

/* RFC 6652 has modifiers that some publish. */
static gboolean is_known_modifier(const char *text)
{
	return g_ascii_strncasecmp(text, "ra=", 3) == 0 || g_ascii_strncasecmp(text, "rp=", 3) == 0 ||
	       g_ascii_strncasecmp(text, "rr=", 3) == 0;
}

static void judge_modifiers(
    const char *domain, const char *text, const struct spf_record *record, struct findings *findings)
{
	for (guint i = 0; i < record->n_terms; i++) {
		const struct spf_term *term = &record->terms[i];
		g_autofree char *place = g_strdup_printf("%s TXT: %s", domain, term->text);

		if (term->kind == SPF_OTHER && !is_known_modifier(term->text))
			findings_add(findings, FINDING_SPF_MODIFIER, place, meant(domain, text),
			    "\"%s\" has no effect: there is no such modifier, and a mechanism has \":\" "
			    "in place of \"=\"",
			    term->text);
	}
}

void spf_judge_record(
    const struct dns_source *source, const char *domain, const char *text, struct findings *findings)
{
	g_autofree char *place = g_strdup_printf("%s TXT", domain);
	struct spf_record record;

	if (strlen(text) > RECORD_LONG)
		findings_add(findings, FINDING_SPF_LONG, place, NULL,
		    "the record has %zu bytes: with more than %d, answers may not reach everybody",
		    strlen(text), RECORD_LONG);
	if (!spf_record_read(text, &record, NULL))
		return; /* the expansion says so */
	judge_all(domain, text, &record, findings);
	judge_modifiers(domain, text, &record, findings);
	if (record.exp != NULL)
		judge_exp(source, domain, record.exp, findings);
	spf_record_clear(&record);
}

/* -- texts beside it -- */

static guint count_records(const struct dns_answer *answer)
{
	guint n = 0;

	for (guint i = 0; i < answer->n_records; i++)
		n += spf_is_record(answer->records[i].text) ? 1 : 0;
	return n;
}

void spf_judge_texts(const struct dns_source *source, const char *domain, struct findings *findings)
{
	const struct dns_answer *answer = dns_look_up(source, DNS_TXT, domain);
	g_autofree char *place = g_strdup_printf("%s TXT", domain);
	guint records = count_records(answer);

	if (records > 1)
		findings_add(findings, FINDING_SPF_SEVERAL, place, joined(domain, answer),
		    "there are several SPF records, so none counts (permerror): join them into one");
	for (guint i = 0; i < answer->n_records; i++) {
		const char *text = answer->records[i].text;

		if (g_ascii_strncasecmp(text, "spf2.0/", strlen("spf2.0/")) == 0)
			findings_add(findings, FINDING_SPF_SENDER_ID, place, NULL,
			    "a record of Sender ID (\"spf2.0\"), which nobody uses today");
		if (spf_is_near(text) && records == 0)
			findings_add(findings, FINDING_SPF_IGNORED, place, meant(domain, text),
			    "\"%s\" is not an SPF record: one begins with \"v=spf1\" and a blank, without "
			    "quotes or blanks before",
			    text);
	}
}
