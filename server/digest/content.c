#include "server/digest/content.h"

#include <math.h>
#include <string.h>

#include "server/digest/words.h"

#define NAME_MOST   60 /* characters of a name, as on the page */
#define TEXT_MOST   400
#define RECORD_MOST 160 /* of a record in the DNS */

/* -- members of the answer -- */

static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *found = NULL;

	json_object_object_get_ex(object, name, &found);
	return found;
}

static gint64 number(struct json_object *object, const char *name)
{
	return json_object_get_int64(member(object, name));
}

static const char *string(struct json_object *object, const char *name)
{
	return json_object_get_string(member(object, name));
}

static gboolean flag(struct json_object *object, const char *name)
{
	return json_object_get_boolean(member(object, name));
}

static gsize length(struct json_object *array)
{
	return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

static struct json_object *at(struct json_object *array, gsize i)
{
	return json_object_array_get_idx(array, i);
}

/* A name as it is shown; transfer full. */
static char *name_of(struct json_object *object, const char *name)
{
	return words_clean(string(object, name), NAME_MOST);
}

/* -- blocks -- */

static void free_block(gpointer data)
{
	struct block *block = data;

	g_free(block->title);
	g_free(block->text);
	g_free(block->note);
	g_free(block->link);
	g_free(block->address);
	g_clear_pointer(&block->rows, g_ptr_array_unref);
	chart_free(block->chart);
	g_free(block);
}

/* Add a block; text is transfer full. */
static struct block *add(struct content *content, enum block_kind kind, char *text)
{
	struct block *block = g_new0(struct block, 1);

	block->kind = kind;
	block->text = text;
	g_ptr_array_add(content->blocks, block);
	return block;
}

static void add_heading(struct content *content, const char *text)
{
	add(content, BLOCK_HEADING, g_strdup(text));
}

/* The first n_texts columns have text, the others numbers. */
static GPtrArray *add_table(struct content *content, guint n_texts)
{
	struct block *block = add(content, BLOCK_TABLE, NULL);

	block->n_texts = n_texts;
	block->rows = g_ptr_array_new_with_free_func((GDestroyNotify)g_strfreev);
	return block->rows;
}

/* Add a row; the cells are transfer full, NULL ends them. */
static void add_row(GPtrArray *rows, char *const *cells)
{
	g_autoptr(GStrvBuilder) row = g_strv_builder_new();

	for (gsize i = 0; cells[i] != NULL; i++) {
		g_strv_builder_add(row, cells[i]);
		g_free(cells[i]);
	}
	g_ptr_array_add(rows, g_strv_builder_end(row));
}

static enum mood mood_of(struct json_object *point)
{
	static const char *const names[] = {
		[MOOD_SO] = "so", [MOOD_GOOD] = "good", [MOOD_BAD] = "bad", [MOOD_INFO] = "info"
	};
	const char *name = string(point, "mood");

	for (guint i = 0; i < G_N_ELEMENTS(names); i++)
		if (g_strcmp0(name, names[i]) == 0)
			return (enum mood)i;
	return MOOD_SO;
}

/* -- numbers in words -- */

/* By how many points the share that passed has changed. */
static double trend_of(struct json_object *now, struct json_object *before)
{
	const gint64 messages = number(now, "messages");
	const gint64 messages_before = number(before, "messages");

	if (messages == 0 || messages_before == 0)
		return 0;
	return ((double)number(now, "pass") / (double)messages -
		   (double)number(before, "pass") / (double)messages_before) *
	       100;
}

/* " (▲ 0.4 points)", " (as before)", or nothing if there was no mail before. */
static char *trend_words(struct json_object *now, struct json_object *before)
{
	const double points = trend_of(now, before);

	if (number(now, "messages") == 0 || number(before, "messages") == 0)
		return g_strdup("");
	if (fabs(points) < 0.05)
		return g_strdup(" (as before)");
	return g_strdup_printf(" (%s %.1f points)", points > 0 ? "▲" : "▼", fabs(points));
}

static char *share(struct json_object *tally, const char *part)
{
	return words_percent(number(tally, part), number(tally, "messages"));
}

/* "12,064 messages reported, 98.1% passed DMARC (▲ 0.4 points)." */
static char *sentence(struct json_object *now, struct json_object *before)
{
	g_autofree char *messages = words_counted(number(now, "messages"), "message", "messages");
	g_autofree char *pass = share(now, "pass");
	g_autofree char *trend = trend_words(now, before);

	return g_strdup_printf("%s reported, %s passed DMARC%s.", messages, pass, trend);
}

/* -- what to do -- */

static void append_text(GString *text, char *sentence_)
{
	if (sentence_ != NULL && *sentence_ != '\0')
		g_string_append_printf(text, "%s%s", text->len > 0 ? " " : "", sentence_);
	g_free(sentence_);
}

/* How mail of a service is made to pass, in the words of web/src/components/setup.tsx. */
static void append_setup(GString *text, struct json_object *setup)
{
	struct json_object *aligns = member(setup, "aligns");

	append_text(text, words_fill("setup", "switch", setup));
	if (string(setup, "records") != NULL)
		append_text(text, words_fill("setup", "records", setup));
	if (length(aligns) == 1)
		append_text(text, words_fill("setup", json_object_get_string(at(aligns, 0)), setup));
}

/* What to do about a point; NULL if nothing is. */
static char *remedy(struct json_object *point)
{
	GString *text = g_string_new(NULL);

	append_text(text, string(point, "fix") != NULL
			      ? words_clean(string(point, "fix"), TEXT_MOST)
			      : words_fill("actions", string(point, "action"), point));
	if (member(point, "setup") != NULL)
		append_setup(text, member(point, "setup"));
	return g_string_free(text, text->len == 0);
}

/* What a point is about. */
static char *saying(struct json_object *point)
{
	if (string(point, "text") != NULL)
		return words_clean(string(point, "text"), TEXT_MOST);
	return words_fill("todo", string(point, "code"), point);
}

/* Add the service's own manual, as the page does. */
static void set_link(struct block *block, struct json_object *setup)
{
	const char *manual = string(setup, "manual");

	if (manual == NULL || !g_str_has_prefix(manual, "https://"))
		return;
	block->link = words_fill("setup", "manual", setup);
	block->address = words_clean(manual, TEXT_MOST);
}

static void add_point(struct content *content, struct json_object *point)
{
	struct block *block = add(content, BLOCK_POINT, saying(point));
	const gboolean has_source = string(point, "source") != NULL;

	block->title = name_of(point, has_source || string(point, "domain") == NULL ? "name" : "domain");
	block->mood = mood_of(point);
	block->note = remedy(point);
	set_link(block, member(point, "setup"));
}

/* Add a text of the topic "todo" in small print; values is transfer full. */
static void add_note(struct content *content, const char *key, struct json_object *values)
{
	add(content, BLOCK_NOTE, words_fill("todo", key, values));
	json_object_put(values);
}

static struct json_object *with_number(const char *name, gint64 n)
{
	struct json_object *values = json_object_new_object();

	json_object_object_add(values, name, json_object_new_int64(n));
	return values;
}

/* Forwarders or strangers in a line. */
static void add_folded(struct content *content, const char *key, struct json_object *folded)
{
	const gint64 stopped = number(folded, "rejected") + number(folded, "quarantined");
	g_autofree char *part = words_percent(stopped, number(folded, "messages"));
	struct json_object *values = NULL;

	if (number(folded, "senders") == 0 || json_object_deep_copy(folded, &values, NULL) != 0)
		return;
	json_object_object_add(values, "stopped", json_object_new_string(part));
	add_note(content, key, values);
}

static char *nothing_to_do(struct json_object *advice)
{
	struct json_object *values = json_object_new_object();
	const char *until = string(advice, "reports_until");
	char *text;

	json_object_object_add(values, "until", json_object_new_string(until != NULL ? until : "–"));
	text = words_fill("todo", "nothing", values);
	json_object_put(values);
	return text;
}

static void add_advice(struct content *content, struct json_object *advice)
{
	struct json_object *items = member(advice, "items");
	const gint64 more = number(advice, "total") - (gint64)length(items);

	add_heading(content, "What to do");
	for (gsize i = 0; i < length(items); i++)
		add_point(content, at(items, i));
	if (length(items) == 0)
		add(content, BLOCK_TEXT, nothing_to_do(advice));
	if (more > 0)
		add_note(content, "more", with_number("more", more));
	add_folded(content, "strangers", member(advice, "strangers"));
	add_folded(content, "forwarders", member(advice, "forwarders"));
}

/* -- what changed -- */

static void add_rate(struct content *content, struct json_object *answer)
{
	struct json_object *now = member(answer, "totals");
	struct json_object *before = member(answer, "previous");
	const double points = trend_of(now, before);
	g_autofree char *pass = share(now, "pass");
	g_autofree char *pass_before = share(before, "pass");
	g_autofree char *messages = words_counted(number(now, "messages"), "message", "messages");
	g_autofree char *messages_before = words_count(number(before, "messages"));
	struct block *block;

	if (number(before, "messages") == 0)
		return;
	block = add(content, BLOCK_ITEM, g_strdup_printf("%s passed, %s before.", pass, pass_before));
	block->mood = fabs(points) < 0.05 ? MOOD_INFO : points > 0 ? MOOD_GOOD : MOOD_BAD;
	block = add(content, BLOCK_ITEM, g_strdup_printf("%s, %s before.", messages, messages_before));
	block->mood = MOOD_INFO;
}

/* "Mailjet (1,200 messages, 0% passed)" of each, and how many more there are. */
static char *source_names(struct json_object *sources, gint64 total)
{
	GString *names = g_string_new(NULL);

	for (gsize i = 0; i < length(sources); i++) {
		g_autofree char *name = name_of(at(sources, i), "name");
		g_autofree char *messages =
		    words_counted(number(at(sources, i), "messages"), "message", "messages");
		g_autofree char *pass = share(at(sources, i), "pass");

		g_string_append_printf(
		    names, "%s%s (%s, %s passed)", i > 0 ? ", " : "", name, messages, pass);
	}
	if ((gint64)length(sources) < total)
		g_string_append_printf(
		    names, ", and %" G_GINT64_FORMAT " more", total - (gint64)length(sources));
	g_string_append_c(names, '.');
	return g_string_free(names, FALSE);
}

static void add_sources(struct content *content, struct json_object *answer)
{
	struct json_object *counts = member(answer, "sources");
	const gint64 new = number(counts, "new");
	g_autofree char *words = words_counted(new, "new source", "new sources");
	g_autofree char *names = NULL;

	if (new == 0)
		return;
	if (new == number(counts, "total") && number(member(answer, "previous"), "messages") == 0) {
		add(content, BLOCK_ITEM,
		    g_strdup("Reports begin in this window, so every source is new to it."))
		    ->mood = MOOD_INFO;
		return;
	}
	names = source_names(member(member(answer, "changes"), "sources"), new);
	add(content, BLOCK_ITEM, g_strdup_printf("%s: %s", words, names))->mood = MOOD_INFO;
}

static void add_resolved(struct content *content, struct json_object *points)
{
	for (gsize i = 0; i < length(points); i++)
		add(content, BLOCK_ITEM, saying(at(points, i)))->mood = mood_of(at(points, i));
}

/* "firm.example: p=none → p=quarantine, reported since 24 Nov." */
static void add_policy(struct content *content, struct json_object *change)
{
	struct json_object *tags = member(change, "tags");
	g_autofree char *domain = name_of(change, "domain");
	g_autofree char *since = words_day(string(change, "since"));
	GString *text = g_string_new(NULL);

	g_string_printf(text, "%s: ", domain);
	for (gsize i = 0; i < length(tags); i++) {
		const char *tag = string(at(tags, i), "tag");
		g_autofree char *before = name_of(at(tags, i), "before");
		g_autofree char *now = name_of(at(tags, i), "now");

		g_string_append_printf(text, "%s%s=%s → %s=%s", i > 0 ? ", " : "", tag,
		    *before != '\0' ? before : "–", tag, *now != '\0' ? now : "–");
	}
	g_string_append_printf(text, ", reported since %s.", since);
	add(content, BLOCK_ITEM, g_string_free(text, FALSE))->mood = MOOD_INFO;
}

static void add_record(struct content *content, struct json_object *change)
{
	g_autofree char *before = words_clean(string(change, "before"), RECORD_MOST);
	g_autofree char *now = words_clean(string(change, "now"), RECORD_MOST);
	struct block *block = add(content, BLOCK_ITEM, words_fill("todo", "dns_changed", change));

	block->mood = MOOD_INFO;
	block->note =
	    g_strdup_printf("%s → %s", *before != '\0' ? before : "none", *now != '\0' ? now : "none");
}

static void add_changes(struct content *content, struct json_object *answer)
{
	struct json_object *changes = member(answer, "changes");
	const guint first = content->blocks->len;

	add_heading(content, "What changed");
	add_rate(content, answer);
	add_sources(content, answer);
	add_resolved(content, member(changes, "resolved"));
	for (gsize i = 0; i < length(member(changes, "policies")); i++)
		add_policy(content, at(member(changes, "policies"), i));
	for (gsize i = 0; i < length(member(changes, "dns")); i++)
		add_record(content, at(member(changes, "dns"), i));
	if (content->blocks->len == first + 1)
		g_ptr_array_set_size(content->blocks, (int)first);
}

/* -- totals -- */

static struct chart *chart_of(struct json_object *series)
{
	struct chart *chart = chart_new();

	for (gsize i = 0; i < length(series); i++) {
		struct json_object *classes = member(at(series, i), "v");
		gint64 all = 0;

		json_object_object_foreach(classes, name, value)
		{
			(void)name;
			all += json_object_get_int64(value);
		}
		chart_add(chart, words_day(string(at(series, i), "t")), number(classes, "pass"),
		    all - number(classes, "pass"));
	}
	return chart;
}

static void add_chart(struct content *content, struct json_object *series)
{
	if (length(series) > 0)
		add(content, BLOCK_CHART, NULL)->chart = chart_of(series);
}

static gint64 failed(struct json_object *tally)
{
	return number(tally, "messages") - number(tally, "pass");
}

static void add_totals(struct content *content, struct json_object *answer)
{
	struct json_object *now = member(answer, "totals");
	struct json_object *before = member(answer, "previous");
	struct json_object *window = member(answer, "window");
	struct json_object *window_before = member(answer, "before");
	GPtrArray *rows;
	g_autofree char *reporters = words_counted(number(answer, "reporters"), "reporter", "reporters");
	g_autofree char *reports = words_counted(number(answer, "reports"), "report", "reports");

	add_heading(content, "Totals");
	add_chart(content, member(answer, "series"));
	rows = add_table(content, 1);
	add_row(rows, (char *[]){ g_strdup(""), words_days(string(window, "from"), string(window, "to")),
			  words_days(string(window_before, "from"), string(window_before, "to")), NULL });
	add_row(rows, (char *[]){ g_strdup("Messages"), words_count(number(now, "messages")),
			  words_count(number(before, "messages")), NULL });
	add_row(rows, (char *[]){ g_strdup("Passed"), share(now, "pass"), share(before, "pass"), NULL });
	add_row(rows, (char *[]){ g_strdup("DKIM aligned"), share(now, "dkim_aligned"),
			  share(before, "dkim_aligned"), NULL });
	add_row(rows, (char *[]){ g_strdup("SPF aligned"), share(now, "spf_aligned"),
			  share(before, "spf_aligned"), NULL });
	add_row(rows,
	    (char *[]){ g_strdup("Failed"), words_count(failed(now)), words_count(failed(before)), NULL });
	for (guint i = 0; i < 2; i++) {
		const char *name = i == 0 ? "quarantine" : "reject";

		add_row(rows, (char *[]){ g_strdup(i == 0 ? "Quarantined" : "Rejected"),
				  words_count(number(member(now, "by_disposition"), name)),
				  words_count(number(member(before, "by_disposition"), name)), NULL });
	}
	add(content, BLOCK_NOTE, g_strdup_printf("%s from %s.", reports, reporters));
}

static void add_failing(struct content *content, struct json_object *answer)
{
	struct json_object *failing = member(answer, "failing");
	const gint64 more = number(answer, "failing_total") - (gint64)length(failing);
	GPtrArray *rows;

	if (length(failing) == 0)
		return;
	add_heading(content, "Your sources that fail");
	rows = add_table(content, 2);
	add_row(rows, (char *[]){ g_strdup("Source"), g_strdup("Domain"), g_strdup("Failed"), g_strdup("of"),
			  g_strdup("Quarantined"), g_strdup("Rejected"), NULL });
	for (gsize i = 0; i < length(failing); i++) {
		struct json_object *point = at(failing, i);

		add_row(rows, (char *[]){ name_of(point, "name"), name_of(point, "domain"),
				  words_count(number(point, "messages")), words_count(number(point, "of")),
				  words_count(number(point, "quarantined")),
				  words_count(number(point, "rejected")), NULL });
	}
	if (more > 0)
		add(content, BLOCK_NOTE, g_strdup_printf("%" G_GINT64_FORMAT " more.", more));
}

/* -- reporters and mail -- */

/* Returns whether a point already says that a reporter is silent. */
static gboolean is_point(struct json_object *points, const char *reporter)
{
	for (gsize i = 0; i < length(points); i++)
		if (g_strcmp0(string(at(points, i), "code"), "silent_reporter") == 0 &&
		    g_strcmp0(string(at(points, i), "name"), reporter) == 0)
			return TRUE;
	return FALSE;
}

/* The silent reporters that are not among the points. */
static void add_silent(struct content *content, struct json_object *silent, struct json_object *points)
{
	gboolean has_heading = FALSE;

	for (gsize i = 0; i < length(silent); i++) {
		if (is_point(points, string(at(silent, i), "name")))
			continue;
		if (!has_heading)
			add_heading(content, "Silent reporters");
		has_heading = TRUE;
		add(content, BLOCK_ITEM, words_fill("todo", "silent_reporter", at(silent, i)));
	}
}

static gint64 unread_of(struct json_object *counts)
{
	return number(counts, "quarantined") + number(counts, "conflict");
}

static void add_unread(struct content *content, struct json_object *unread)
{
	g_autofree char *quarantined = words_count(number(unread, "quarantined"));
	g_autofree char *conflict = words_count(number(unread, "conflict"));
	g_autofree char *before = words_count(unread_of(member(unread, "previous")));

	if (unread_of(unread) == 0)
		return;
	add_heading(content, "Unread mail");
	add(content, BLOCK_TEXT,
	    g_strdup_printf("%s quarantined and %s in conflict, %s before. Intake shows the "
			    "reason of each.",
		quarantined, conflict, before));
}

/* -- domains -- */

static char *policy_of(struct json_object *domain)
{
	const char *p = string(member(domain, "policy"), "p");
	g_autofree char *clean = words_clean(p != NULL ? p : "–", NAME_MOST);

	return p != NULL ? g_strconcat("p=", clean, NULL) : g_steal_pointer(&clean);
}

static void add_full_domain(struct content *content, struct json_object *domain)
{
	struct block *block = add(content, BLOCK_SUBJECT, policy_of(domain));
	struct json_object *failing = member(domain, "failing");

	block->title = name_of(domain, "name");
	add(content, BLOCK_TEXT, sentence(member(domain, "totals"), member(domain, "previous")));
	add_chart(content, member(domain, "series"));
	if (failing != NULL)
		add(content, BLOCK_ITEM, saying(failing))->mood = mood_of(failing);
}

static void add_other_domains(struct content *content, struct json_object *items)
{
	GPtrArray *rows = NULL;

	for (gsize i = 0; i < length(items); i++) {
		struct json_object *domain = at(items, i);
		struct json_object *now = member(domain, "totals");

		if (flag(domain, "full"))
			continue;
		if (rows == NULL) {
			rows = add_table(content, 2);
			add_row(
			    rows, (char *[]){ g_strdup("Domain"), g_strdup("Policy"), g_strdup("Messages"),
				      g_strdup("Passed"), g_strdup("before"), NULL });
		}
		add_row(rows, (char *[]){ name_of(domain, "name"), policy_of(domain),
				  words_count(number(now, "messages")), share(now, "pass"),
				  share(member(domain, "previous"), "pass"), NULL });
	}
}

static void add_domains(struct content *content, struct json_object *domains)
{
	struct json_object *items = member(domains, "items");
	const gint64 more = number(domains, "total") - (gint64)length(items);

	if (length(items) < 2)
		return;
	add_heading(content, "Domains");
	for (gsize i = 0; i < length(items); i++)
		if (flag(at(items, i), "full"))
			add_full_domain(content, at(items, i));
	add_other_domains(content, items);
	if (more > 0)
		add(content, BLOCK_NOTE, g_strdup_printf("%" G_GINT64_FORMAT " more.", more));
}

/* -- all of it -- */

static char *scope_of(struct json_object *answer)
{
	struct json_object *items = member(member(answer, "domains"), "items");

	if (!flag(answer, "named"))
		return g_strdup("All domains");
	if (length(items) == 1)
		return name_of(at(items, 0), "name");
	return words_counted((gint64)length(items), "domain", "domains");
}

/* Returns whether a source is new that may be one's own; those of strangers and forwarders are no news. */
static gboolean has_new_source(struct json_object *sources)
{
	const char *whose = length(sources) > 0 ? string(at(sources, 0), "whose") : "stranger";

	return g_strcmp0(whose, "stranger") != 0 && g_strcmp0(whose, "forwarder") != 0;
}

static gboolean has_news(struct json_object *answer)
{
	struct json_object *changes = member(answer, "changes");
	struct json_object *lists[] = { member(member(answer, "advice"), "items"),
		member(changes, "resolved"), member(changes, "policies"), member(changes, "dns"),
		member(answer, "failing"), member(answer, "silent") };

	for (guint i = 0; i < G_N_ELEMENTS(lists); i++)
		if (length(lists[i]) > 0)
			return TRUE;
	return has_new_source(member(changes, "sources")) || unread_of(member(answer, "unread")) > 0;
}

static void add_all(struct content *content, struct json_object *answer)
{
	add_advice(content, member(answer, "advice"));
	add_changes(content, answer);
	add_totals(content, answer);
	add_failing(content, answer);
	add_silent(content, member(answer, "silent"), member(member(answer, "advice"), "items"));
	add_unread(content, member(answer, "unread"));
	add_domains(content, member(answer, "domains"));
}

/* Whether there was mail, and something to say about it, decides how long the digest is. */
static void add_blocks(struct content *content, struct json_object *answer)
{
	if (number(member(answer, "totals"), "messages") > 0 && has_news(answer)) {
		add_all(content, answer);
		return;
	}
	content->is_brief = TRUE;
	if (number(member(answer, "totals"), "messages") > 0)
		add(content, BLOCK_TEXT, nothing_to_do(member(answer, "advice")));
	else
		add_unread(content, member(answer, "unread"));
}

static char *subject_of(struct json_object *answer, const char *title)
{
	struct json_object *totals = member(answer, "totals");
	const gint64 points = number(member(answer, "advice"), "total");
	g_autofree char *pass = share(totals, "pass");
	g_autofree char *todo = words_count(points);

	if (number(totals, "messages") == 0)
		return g_strconcat("DMARC digest: ", title, ", no report", NULL);
	return g_strconcat(
	    "DMARC digest: ", title, ", ", pass, " passed, ", points > 0 ? todo : "nothing", " to do", NULL);
}

struct content *content_new(struct json_object *answer)
{
	struct content *content = g_new0(struct content, 1);
	struct json_object *window = member(answer, "window");
	g_autofree char *scope = scope_of(answer);
	g_autofree char *days = words_days(string(window, "from"), string(window, "to"));

	content->blocks = g_ptr_array_new_with_free_func(free_block);
	content->title = g_strconcat(scope, ", ", days, NULL);
	content->subject = subject_of(answer, content->title);
	content->lead = number(member(answer, "totals"), "messages") > 0
			    ? sentence(member(answer, "totals"), member(answer, "previous"))
			    : g_strdup("No report covers these days.");
	add_blocks(content, answer);
	return content;
}

void content_free(struct content *content)
{
	if (content == NULL)
		return;
	g_ptr_array_unref(content->blocks);
	g_free(content->title);
	g_free(content->lead);
	g_free(content->subject);
	g_free(content);
}
