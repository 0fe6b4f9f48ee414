#include "server/web/label.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The result of the request: "label|note", or "status" and the names of invalid parameters. */
static char *outcome(const struct http_request *request)
{
	g_autofree char *label = NULL;
	g_autofree char *note = NULL;
	struct problem problem = { 0 };
	GString *text = g_string_new(NULL);

	if (label_read(request, &label, &note, &problem)) {
		g_string_append_printf(text, "%s|%s", label != NULL ? label : "-", note != NULL ? note : "-");
	} else {
		assert_null(label);
		assert_null(note);
		assert_non_null(problem.detail);
		g_string_append_printf(text, "%u", problem.status);
		for (guint i = 0; problem.invalid != NULL && i < problem.invalid->len; i += 2)
			g_string_append_printf(text, " %s", (char *)g_ptr_array_index(problem.invalid, i));
	}
	problem_clear(&problem);
	return g_string_free(text, FALSE);
}

static char *outcome_of_body(const char *body)
{
	g_autoptr(GBytes) content = g_bytes_new(body, strlen(body));

	return outcome(&(struct http_request){
	    .body = HTTP_BODY_WHOLE, .content = content, .content_type = "application/json" });
}

static void bodies_are_labels_or_refused(void **state)
{
	static const struct {
		const char *body;
		const char *want;
	} rows[] = {
		{ "{\"label\":\"mine\"}", "mine|-" },
		{ "{\"label\":\"not_mine\",\"note\":\"a \\\"b\\\"\"}", "not_mine|a \"b\"" },
		{ "{\"note\":\"two\\nlines\",\"label\":\"forwarder\"}", "forwarder|two\nlines" },
		{ " {\"label\":null,\"note\":null}\r\n", "-|-" },
		{ "{\"label\":\"mine\",\"note\":\"\"}", "mine|-" },
		{ "{\"label\":\"mine\",\"note\":\"\xc3\xa4\"}", "mine|\xc3\xa4" },
		{ "{}", "400 label" },
		{ "{\"note\":\"x\"}", "400 label" },
		{ "{\"label\":\"none\"}", "400 label" },
		{ "{\"label\":\"Mine\"}", "400 label" },
		{ "{\"label\":\"\"}", "400 label" },
		{ "{\"label\":1}", "400 label" },
		{ "{\"label\":[\"mine\"]}", "400 label" },
		{ "{\"label\":\"mine\",\"note\":7}", "400 note" },
		{ "{\"label\":\"mine\",\"note\":\"a\\u0000b\"}", "400 note" },
		{ "{\"label\":\"mine\",\"note\":\"a\\u0007\"}", "400 note" },
		{ "{\"label\":\"mine\",\"user\":\"root\"}", "400 user" },
		{ "{\"label\":\"x\",\"note\":1,\"y\":2}", "400 label note y" },
		{ "", "400" },
		{ "null", "400" },
		{ "\"mine\"", "400" },
		{ "[{\"label\":\"mine\"}]", "400" },
		{ "{\"label\":\"mine\"", "400" },
		{ "{\"label\":\"mine\"} x", "400" },
		{ "{\"label\":\"mine\"}{}", "400" },
		{ "{'label':'mine'}", "400" },
		{ "{\"label\":\"mine\",}", "400" },
		{ "{\"label\":\"mine\",\"note\":\"\xff\"}", "400" },
		{ "{\"label\":\"mine\",\"note\":[[[[[[1]]]]]]}", "400" },
		{ "label=mine", "400" },
	};

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = outcome_of_body(rows[i].body);

		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s: \"%s\" instead of \"%s\"", rows[i].body, got, rows[i].want);
	}
}

static void notes_are_bounded(void **state)
{
	(void)state;
	for (guint size = LABEL_NOTE_MAX - 1; size <= LABEL_NOTE_MAX + 1; size++) {
		g_autoptr(GString) body = g_string_new("{\"label\":\"mine\",\"note\":\"");
		g_autofree char *got = NULL;

		for (guint i = 0; i < size; i++)
			g_string_append(body, "\xc3\xa4");
		g_string_append(body, "\"}");
		got = outcome_of_body(body->str);
		assert_int_equal(strcmp(got, "400 note") == 0, size > LABEL_NOTE_MAX);
	}
}

static void requests_from_elsewhere_and_without_json_are_refused(void **state)
{
	static const struct {
		const char *fetch_site;
		const char *origin;
		const char *host;
		const char *type;
		enum http_body body;
		const char *want;
	} rows[] = {
		{ NULL, NULL, "a", "application/json", HTTP_BODY_WHOLE, "mine|-" },
		{ NULL, NULL, "a", "Application/JSON; charset=utf-8", HTTP_BODY_WHOLE, "mine|-" },
		{ "same-origin", NULL, "a", "application/json", HTTP_BODY_WHOLE, "mine|-" },
		{ "none", NULL, "a", "application/json", HTTP_BODY_WHOLE, "mine|-" },
		{ "same-origin", "https://a.example", "127.0.0.1:8080", "application/json", HTTP_BODY_WHOLE,
		    "mine|-" },
		{ NULL, "http://a:8080", "a:8080", "application/json", HTTP_BODY_WHOLE, "mine|-" },
		{ NULL, "https://A.Example", "a.example", "application/json", HTTP_BODY_WHOLE, "mine|-" },
		{ "cross-site", NULL, "a", "application/json", HTTP_BODY_WHOLE, "403" },
		{ "same-site", NULL, "a", "application/json", HTTP_BODY_WHOLE, "403" },
		{ "Same-Origin", NULL, "a", "application/json", HTTP_BODY_WHOLE, "403" },
		{ "", NULL, "a", "application/json", HTTP_BODY_WHOLE, "403" },
		{ "cross-site", "http://a", "a", "application/json", HTTP_BODY_WHOLE, "403" },
		{ NULL, "http://b", "a", "application/json", HTTP_BODY_WHOLE, "403" },
		{ NULL, "http://a:81", "a:80", "application/json", HTTP_BODY_WHOLE, "403" },
		{ NULL, "http://a.evil", "a", "application/json", HTTP_BODY_WHOLE, "403" },
		{ NULL, "http://evil/?://a", "a", "application/json", HTTP_BODY_WHOLE, "403" },
		{ NULL, "null", "a", "application/json", HTTP_BODY_WHOLE, "403" },
		{ NULL, "", "a", "application/json", HTTP_BODY_WHOLE, "403" },
		{ NULL, "http://a", NULL, "application/json", HTTP_BODY_WHOLE, "403" },
		{ NULL, NULL, "a", NULL, HTTP_BODY_WHOLE, "415" },
		{ NULL, NULL, "a", "text/plain", HTTP_BODY_WHOLE, "415" },
		{ NULL, NULL, "a", "application/jsonx", HTTP_BODY_WHOLE, "415" },
		{ NULL, NULL, "a", "application/x-www-form-urlencoded", HTTP_BODY_WHOLE, "415" },
		{ NULL, NULL, "a", "application/json", HTTP_BODY_LARGE, "413" },
		{ NULL, NULL, "a", "application/json", HTTP_BODY_UNMEASURED, "411" },
		{ NULL, NULL, "a", "application/json", HTTP_BODY_NONE, "400" },
	};
	g_autoptr(GBytes) body = g_bytes_new_static("{\"label\":\"mine\"}", 16);

	(void)state;
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *got = outcome(&(struct http_request){ .fetch_site = rows[i].fetch_site,
		    .origin = rows[i].origin,
		    .host = rows[i].host,
		    .content_type = rows[i].type,
		    .body = rows[i].body,
		    .content = rows[i].body == HTTP_BODY_WHOLE ? body : NULL });

		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s %s %s %s: \"%s\" instead of \"%s\"", rows[i].fetch_site, rows[i].origin,
			    rows[i].host, rows[i].type, got, rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_are_labels_or_refused),
		cmocka_unit_test(notes_are_bounded),
		cmocka_unit_test(requests_from_elsewhere_and_without_json_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
